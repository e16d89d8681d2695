"""What a demo pilot spends its time on: steps and evaluation, or everything around them.

    python benchmarks/pilot_time.py    # six pilots, about 3 minutes

Side by side in one run, in turns: pilots that draw all rows themselves (as all did before rows were kept), and pilots
that find them drawn.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from modomodo import Mixture, Recipe, load_study
from modomodo import train as run_recipe
from modomodo.runs import PlannedRun, Processes, Store, launch, run_digests
from modomodo.training import read_steps, weights

UNEVEN = Path(__file__).parents[1] / "src/modomodo/models/nano/uneven/study.toml"


def timed_run(recipe: Recipe, folder: Path) -> dict[str, object]:
    """Return the result of a run; the seconds of its evaluation go to evaluation.json."""
    spent: list[float] = []
    evaluate = weights.evaluate

    def timed(*args: object, **options: object) -> object:
        started = time.perf_counter()
        scores = evaluate(*args, **options)  # pyright: ignore
        spent.append(time.perf_counter() - started)
        return scores

    weights.evaluate = timed  # pyright: ignore
    found = run_recipe(recipe, folder)
    (folder / "evaluation.json").write_text(json.dumps(sum(spent)))
    return found


def pilot(folder: Path, seed: int) -> None:
    """Print the wall time of one pilot at equal shares, and its seconds in steps and in evaluation, as JSON."""
    study = load_study(UNEVEN, [f"out={folder}", f"seed={seed}"])
    recipe = study.pilot_recipe(Mixture.uniform(study.recipe.domains))
    digests = run_digests([recipe])
    store = Store(study.folder)
    (outcome,) = launch([PlannedRun("equal", recipe)], store, digests=digests, run=timed_run, workers=Processes(1))
    path = store.path(outcome.key)
    steps = sum(step.seconds for step in read_steps(path))
    print(json.dumps([outcome.seconds, steps, json.loads((path / "evaluation.json").read_text())]))


def main(rounds: int = 3) -> None:
    """Print the shares of both kinds of pilot."""
    found: dict[str, list[list[float]]] = {"drawn by each": [], "found drawn": []}
    with tempfile.TemporaryDirectory() as folder:
        caches = {"drawn by each": "/dev/null", "found drawn": f"{folder}/cache"}
        for index in range(-1, rounds):  # the first round keeps the rows
            for name, cache in caches.items():
                command = [sys.executable, __file__, f"{folder}/{name} {index}", str(index + 1)]
                environment = {**os.environ, "XDG_CACHE_HOME": cache}
                done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
                if index >= 0:
                    found[name].append(json.loads(done.stdout))
    print("| rows | seconds | in steps | in evaluation | steps and evaluation |\n|---|---|---|---|---|")
    for name, runs in found.items():
        wall, steps, evaluation = np.mean(runs, axis=0)
        print(f"| {name} | {wall:.1f} | {steps:.1f} | {evaluation:.1f} | {(steps + evaluation) / wall:.0%} |")


if __name__ == "__main__":
    if sys.argv[1:]:
        import pilot_time  # a fresh process must find `timed_run` by its module

        pilot_time.pilot(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        main()
