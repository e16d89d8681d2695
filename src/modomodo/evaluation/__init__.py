"""Score a model on benchmarks: by greedy completions, or by lmms-eval."""
