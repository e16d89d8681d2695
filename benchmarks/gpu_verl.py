# pyright: basic, reportPrivateImportUsage=false
"""The engine verl on one GPU: what tests/verl cannot prove on a CPU, in a quarter of an hour of an H200.

    python benchmarks/gpu_verl.py [--size 2b] [--steps 6]        # or: python benchmarks/gpu.py --engine verl

In verl's environment with vLLM and flash-attn (docs/verl.md): sampling by vLLM with verl's own defaults, bfloat16
over NCCL, a kill -9 and its resume, adapters, memory and seconds. Each line says what was
seen; the first that fails ends it. The model is of Qwen2-VL-2B's shape with random weights (gpu.py).
"""

import os
import random
import tempfile
from collections.abc import Mapping
from pathlib import Path

import typer
from gpu import SIZES, SOURCES, start, write_rows
from verl_runs import Run, check_files, rewards, started, write_recipe

PROMPTS, GENERATIONS = 4, 4
DRIFT = 0.05  # between vLLM's probabilities and the trainer's, both in bfloat16
ADAPTERS = {"rank": 16, "alpha": 32}


def recipe_of(folder: Path, size: str, address: str, steps: int) -> dict[str, object]:
    """Return the recipe's table on the rows and the model in `folder`."""
    table: dict[str, object] = {
        "model": str(folder / "model"),
        "engine": "verl",
        "domains": list(SOURCES),
        "steps": steps,
        "prompts_per_step": PROMPTS,
        "num_generations": GENERATIONS,
        "max_completion_length": SIZES[size].reply,
        "learning_rate": 1e-6,
        "kl": 0.04,
        "freeze_vision": False,
        "precision": "bfloat16",
        "gradient_checkpointing": True,
        "save_every": 2,
        "vllm": {"mode": "colocate", "gpu_memory": 0.4},
        "verl": {"address": address, "gpus_per_node": 1, "max_prompt_length": 2048},
    }
    rows = {f"data.{name}": {"path": str(folder / f"{name}.jsonl"), **one} for name, one in SOURCES.items()}
    return {**table, **rows}


def proved(name: str, run: Run, *, steps: int) -> None:
    """Assert that a run is whole and that vLLM's probabilities are the trainer's, and print its numbers."""
    check_files(run, steps=steps, prompts=PROMPTS, generations=GENERATIONS)
    drift = run.numbers("training/rollout_probs_diff_mean")
    assert max(drift) < DRIFT, drift
    memory, seconds = (run.numbers(key) for key in ("perf/max_memory_reserved_gb", "timing_s/step"))
    print(
        f"{name}: {steps} steps, {sum(seconds[1:]) / len(seconds[1:]):.1f} s a step after the first, {max(memory):.1f} "
        f"GiB reserved at most, probabilities differ by {max(drift):.4f} at most, rewards {rewards(run)}",
        flush=True,
    )


def main(size: str = "2b", steps: int = 6) -> None:
    """Prove it with a model of `size`, in runs of `steps` steps."""
    variables: Mapping[str, str] = {**os.environ, "HF_HUB_OFFLINE": "1", "RAY_AUTH_MODE": "disabled"}
    with tempfile.TemporaryDirectory() as name, started(gpus=1, variables=variables) as address:
        folder = Path(name)
        start("model", str(folder / "model"), size, log=folder / "log.txt")
        write_rows(folder, steps * PROMPTS)
        table = recipe_of(folder, size, address, steps)
        for kind, changes in (("all weights", {}), ("adapters", {"lora": ADAPTERS})):
            home = folder / kind.replace(" ", "-")
            run = Run(home, write_recipe(home / "recipe.toml", {**table, **changes}), variables)
            if not changes:
                run.kill(steps // 2, random.Random(0))
            run.finish()
            proved(kind, run, steps=steps)


if __name__ == "__main__":
    typer.run(main)
