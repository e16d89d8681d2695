# pyright: basic
"""The engine verl against the engine trl: the same model, recipe and rows, 30 steps, 18 seeds (docs/verl.md).

    .venv-verl/bin/python benchmarks/verl_against_trl.py run verl   # about 4 minutes a seed on two cores
    .venv-vllm/bin/python benchmarks/verl_against_trl.py run trl    # after it, which makes the model; needs torchvision
    .venv-vllm/bin/python benchmarks/verl_against_trl.py run again  # TRL with another seed of sampling, for comparison
    .venv/bin/python benchmarks/verl_against_trl.py table    # from benchmarks/results/verl_against_trl.csv

Runs go to studies/verl_against_trl; what is finished is not run again. A seed decides the rows and their order, so runs
of both engines at one seed have the same rows; what they sample differs.
"""

import json
import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import numpy as np
import pandas as pd
import typer

TESTS = Path(__file__).parents[1] / "tests/verl"
sys.path.append(str(TESTS))

import cluster  # noqa: E402 # pyright: ignore[reportMissingImports]
from paired import interval, paired_gain, put  # noqa: E402
from verl_runs import Run, rewards, started, write_recipe  # noqa: E402

TABLE = Path(__file__).parent / "results/verl_against_trl.csv"
FOLDER = Path("studies/verl_against_trl")
SEEDS, STEPS = range(18), 30
FIRST, FRESH = range(9), range(9, 18)  # FRESH were run to see whether what FIRST showed was chance
OTHER_SEED = 1000  # added to the seed of what TRL samples, not to that of its rows
Engine = Literal["verl", "trl", "again"]
ENGINES: tuple[Engine, ...] = ("verl", "trl", "again")
SIZES = {"prompts_per_step": 8, "num_generations": 8, "steps": STEPS}
# Tests of what it trained on: it hardly sees, so on the other benchmarks both engines score 0.
EVALUATION = {"benchmarks": cluster.RECIPE["domains"], "items": 512, "samples": 8}

app = typer.Typer(add_completion=False)


@app.command()
def run(engine: Engine) -> None:
    """Carry out an engine's runs, and write their rewards and scores into the table."""
    model = (FOLDER / "model").absolute()
    if engine != "verl":
        for seed in SEEDS:
            table = {**cluster.RECIPE, "engine": "trl", "vllm": {"mode": "off"}, "model": str(model)}
            recipe = write_recipe(folder_of(engine, seed) / "recipe.toml", {**table, **changes(seed)})
            found = Run(recipe.parent, recipe, os.environ)
            found.finish() if engine == "trl" else train_again(recipe)
            record(engine, seed, found)
        return
    if not (model / "processor_config.json").exists():
        subprocess.run([sys.executable, TESTS / "small_qwen.py", model], env=cluster.variables(), check=True)
    with started(gpus=1, variables=cluster.variables()) as address:
        for seed in SEEDS:
            found = cluster.make_run(folder_of(engine, seed), model, address, **changes(seed))
            found.finish()
            record(engine, seed, found)


def train_again(recipe: Path) -> None:
    """Carry out a recipe by TRL on the same rows, with completions drawn by another seed, unless it is finished."""
    from modomodo import load_recipe
    from modomodo import train as run_recipe
    from modomodo.training import trl

    def config(*args: Any, **options: Any) -> Any:
        found = plain(*args, **options)
        found.seed += OTHER_SEED
        return found

    plain, folder = trl.grpo_config, recipe.parent / "runs" / "again"
    if (folder / "result.json").exists():
        return
    with mock.patch.object(trl, "grpo_config", config):
        result = run_recipe(load_recipe(recipe), folder)
    (folder / "result.json").write_text(json.dumps(result))


def changes(seed: int) -> dict[str, object]:
    return {**SIZES, "seed": seed, "evaluation": EVALUATION}


def folder_of(engine: Engine, seed: int) -> Path:
    return (FOLDER / f"{engine}-{seed}").absolute()


def record(engine: Engine, seed: int, run: Run) -> None:
    scores = json.loads((run.path / "result.json").read_text())["scores"]
    score = float(np.mean([one["mean"] for one in scores.values()]))
    rows = [{"engine": engine, "seed": seed, "step": step, "reward": x} for step, x in enumerate(rewards(run), 1)]
    rows.append({"engine": engine, "seed": seed, "step": "score", "reward": score})
    put(TABLE, pd.DataFrame(rows), engine=engine, seed=seed)
    print(f"{engine}, seed {seed}: {np.mean([row['reward'] for row in rows[:-1]]):.3f}, score {score:.3f}", flush=True)


@app.command()
def table() -> None:
    """Print how far runs are apart, at one seed and at two, and by how much their means differ (95 %)."""
    for seeds in (SEEDS, FIRST, FRESH):
        print(f"\nSeeds {seeds[0]} to {seeds[-1]}\n")
        print_table(seeds)


def print_table(seeds: range) -> None:
    runs = pd.read_csv(TABLE).pivot(index=["engine", "seed"], columns="step", values="reward")
    steps = runs[[str(step) for step in range(1, STEPS + 1)]]
    values = {"mean reward": steps.mean(axis=1), "score": runs["score"]}
    pairs = {
        "verl and trl at one seed": [(("verl", seed), ("trl", seed)) for seed in seeds],
        "trl and again at one seed": [(("again", seed), ("trl", seed)) for seed in seeds],
        **{f"{one} at two seeds": list(combinations([(one, seed) for seed in seeds], 2)) for one in ENGINES},
    }
    print("| mean absolute difference | rewards of a step | mean reward | score |\n|---|---|---|---|")
    for name, some in pairs.items():
        apart = np.mean([np.abs(steps.loc[one] - steps.loc[other]).mean() for one, other in some])
        means = [np.mean([abs(of[one] - of[other]) for one, other in some]) for of in values.values()]
        print(f"| {name} | {apart:.3f} | {' | '.join(f'{value:.3f}' for value in means)} |")
    heads = ("", *ENGINES, "verl - trl", "verl - mean of trl and again", "again - trl")
    print(f"\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for name, of in values.items():
        verl, trl, again = (of.loc[engine].loc[list(seeds)].to_numpy() for engine in ENGINES)
        cells = [f"{one.mean():.3f}" for one in (verl, trl, again)]
        cells += [interval(paired_gain(*pair)) for pair in ((verl, trl), (verl, (trl + again) / 2), (again, trl))]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    app()
