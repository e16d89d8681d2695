"""Scores of a model on benchmarks: greedy replies of our own, or by lmms-eval."""
