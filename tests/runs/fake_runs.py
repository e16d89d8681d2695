"""Runs for the tests of the launcher, told apart by `recipe.model`; as a script, this launches some of them."""

import json
import os
import resource
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from modomodo.config.recipe import Recipe
from modomodo.config.sections import Launcher
from modomodo.core.errors import ModomodoError
from modomodo.evaluation.benchmarks import Score
from modomodo.runs.launcher import launch
from modomodo.runs.local import Processes
from modomodo.runs.planned import PlannedRun
from modomodo.runs.ray_cluster import Fleet
from modomodo.runs.store import Store

DOMAINS = ("count", "colour", "detect")


def recipe(model: str, seed: int, *, steps: int = 5, mixture: str = "equal") -> Recipe:
    return Recipe(model=model, domains=DOMAINS, mixture=mixture, seed=seed, steps=steps)


def digests(*models: str) -> dict[str, str]:
    return {**{f"domain:{name}": name for name in DOMAINS}, **{f"model:{model}": model for model in models}}


def scored(mean: float) -> dict[str, object]:
    return asdict(Score("scienceqa", "all", "paper", mean, se=0.1, n=4, unparsed=0.0, ungradable=0, worst_case=mean))


def act(recipe: Recipe, folder: Path) -> dict[str, object]:
    with (folder / "pids.txt").open("a") as file:
        file.write(f"{os.getpid()}\n")
    print(f"{recipe.model} with seed {recipe.seed}")
    found = {
        "steps": train,
        "once": hang_once,
        "sleep": sleep,
        "raise": fail,
        "explained": explain,
        "kill": kill,
        "exit": leave,
        "full": fill,
    }
    return {"scores": {"scienceqa": scored(recipe.seed / 7)}, **(found[recipe.model](recipe, folder) or {})}


def train(recipe: Recipe, folder: Path) -> dict[str, object]:
    """Write the steps that are missing, as a run does that goes on from its checkpoint."""
    path = folder / "steps.jsonl"
    text = path.read_text() if path.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    path.write_text(whole)
    for step in range(whole.count("\n"), recipe.steps):
        with path.open("a") as file:
            file.write(json.dumps({"step": step, "reward": recipe.seed / (step + 1)}) + "\n")
        time.sleep(0.005)
    return {"reward": sum(json.loads(line)["reward"] for line in path.read_text().splitlines())}


def sleep(recipe: Recipe, folder: Path) -> None:
    time.sleep(60)


def hang_once(recipe: Recipe, folder: Path) -> None:
    if (folder / "pids.txt").read_text().count("\n") == 1:
        time.sleep(60)


def explain(recipe: Recipe, folder: Path) -> dict[str, object]:
    raise ModomodoError("the answer column is empty: fill it")


def fail(recipe: Recipe, folder: Path) -> None:
    raise KeyError("no such \x1b[31mlayer")


def kill(recipe: Recipe, folder: Path) -> None:
    os.system("echo the last words of C code")
    os.kill(os.getpid(), signal.SIGKILL)


def leave(recipe: Recipe, folder: Path) -> None:
    sys.exit(3)


def fill(recipe: Recipe, folder: Path) -> None:
    """Every later write of this process fails, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def environment(recipe: Recipe, folder: Path) -> dict[str, object]:
    return {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TOKENIZERS_PARALLELISM")}


def on_gpu(recipe: Recipe, folder: Path) -> dict[str, object]:
    """Say which GPU this process sees, late enough for the runs to overlap."""
    time.sleep(1)
    return {"gpu": os.environ.get("CUDA_VISIBLE_DEVICES")}


def alone(recipe: Recipe, folder: Path) -> dict[str, object]:
    """Say how many other runs there are at the same time."""
    mine = Path(tempfile.gettempdir()) / f"modomodo-alone-{os.getpid()}"
    mine.touch()
    time.sleep(0.5)
    others = len(list(mine.parent.glob("modomodo-alone-*"))) - 1
    mine.unlink()
    return {"others": others}


def taken(recipe: Recipe, folder: Path) -> dict[str, object]:
    return {"key": "mine", "scores": {}}


def main(folder: str, model: str, runs: str, steps: str, cluster: str = "") -> None:
    store = Store(Path(folder))
    address = "local" if cluster == "ray" else cluster
    planned = [PlannedRun(f"run {seed}", recipe(model, seed, steps=int(steps))) for seed in range(int(runs))]
    outcomes = launch(
        planned,
        store,
        digests=digests(model),
        run="fake_runs:act",
        workers=Fleet(Launcher(kind="ray", address=address), store) if cluster else Processes(2),
        console=Console(stderr=True),
    )
    print(json.dumps({outcome.label: outcome.status for outcome in outcomes}))


if __name__ == "__main__":
    # A shell starts its background jobs with Ctrl-C ignored, and tests may run in one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main(*sys.argv[1:])
