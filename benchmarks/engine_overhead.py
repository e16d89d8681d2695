"""Our step time over that of a bare GRPOTrainer script (bare_grpo.py), interleaved in one run, with its interval.

    python benchmarks/engine_overhead.py [--rounds 5] [--steps 25]

Each round runs both, in turns first, on the same rows, model and settings, num_generations 8: once with our image cache
off and once with it on. The ratio is of median step times; its interval is Student's over rounds, of the logarithm.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import typer
from scipy import stats

from modomodo import Recipe, load_study

STUDY = Path(__file__).parents[1] / "src/modomodo/models/nano/control/study.toml"
BARE = Path(__file__).parent / "bare_grpo.py"
OURS = """
import sys
from pathlib import Path
from modomodo import Recipe, train as run_recipe
run_recipe(Recipe.model_validate_json(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
"""


def step_seconds(kind: str, recipe: Recipe, folder: Path) -> float:
    """Return the median seconds of a step, the first three left out; seconds are those of the trainer's whole step."""
    folder.mkdir(parents=True)
    (folder / "recipe-in.json").write_text(recipe.model_dump_json())
    program = [str(BARE)] if kind == "bare" else ["-c", OURS]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
    }
    with (folder / "log.txt").open("w") as log:
        subprocess.run(
            [sys.executable, *program, str(folder / "recipe-in.json"), str(folder)],
            check=True,
            env=environment,
            stdout=log,
            stderr=log,
        )
    if kind == "bare":
        seconds = json.loads((folder / "seconds.json").read_text())
    else:
        seconds = [json.loads(line)["seconds"] for line in (folder / "steps.jsonl").read_text().splitlines()]
    return float(np.median(seconds[3:]))


def main(rounds: int = 5, steps: int = 25) -> None:
    """Print each round and both ratios with 95 % intervals."""
    # A rate so small that the policy stays: then all three sample the very same completions, and do the same work.
    changes = {"steps": steps, "seed": 7, "num_generations": 8, "save_every": 10_000, "learning_rate": 1e-12}
    recipe = load_study(STUDY).recipe.model_copy(update=changes)
    ours = {"uncached": recipe.model_copy(update={"image_cache": False}), "cached": recipe}
    logs: dict[str, list[float]] = {name: [] for name in ours}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            order = ["bare", *ours] if number % 2 == 0 else [*reversed(ours), "bare"]
            took = {
                name: step_seconds(name, ours.get(name, recipe), Path(folder) / f"{number}-{name}") for name in order
            }
            print(
                f"round {number + 1}: " + ", ".join(f"{name} {value:.3f} s" for name, value in took.items()), flush=True
            )
            for name in ours:
                logs[name].append(float(np.log(took[name] / took["bare"])))
    for name, values in logs.items():
        half = stats.t.ppf(0.975, rounds - 1) * np.std(values, ddof=1) / np.sqrt(rounds)
        low, middle, high = np.exp([np.mean(values) - half, np.mean(values), np.mean(values) + half])
        print(f"ours ({name}) / bare: {middle:.3f} (95 % interval {low:.3f} to {high:.3f})")


if __name__ == "__main__":
    typer.run(main)
