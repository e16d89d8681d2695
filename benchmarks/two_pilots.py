"""Throughput of two single-threaded pilots side by side against one after the other, as a ratio measured in one run.

python benchmarks/two_pilots.py
"""

import tempfile
import time
from pathlib import Path

from modomodo import load_recipe
from modomodo.runs import PlannedRun, Processes, Store, launch, run_digests
from modomodo.study import RUN

RECIPE = Path(__file__).parents[1] / "src/modomodo/models/nano/control/recipe.toml"


def seconds(planned: list[PlannedRun], processes: int) -> float:
    """Return how long the runs take in a new folder."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        digests = run_digests([one.recipe for one in planned])
        outcomes = launch(planned, Store(Path(folder)), digests=digests, run=RUN, workers=Processes(processes))
        assert all(outcome.status == "finished" for outcome in outcomes), outcomes
        return time.perf_counter() - started


def main() -> None:
    """Print both times and their ratio; one order, then the other."""
    recipe = load_recipe(RECIPE, ["steps=12"])
    planned = [PlannedRun(f"seed {seed}", recipe.model_copy(update={"seed": seed})) for seed in range(4)]
    ratios: list[float] = []
    for order in ((1, 2), (2, 1)):
        took = {processes: seconds(planned, processes) for processes in order}
        ratios.append(took[1] / took[2])
        print(f"4 runs: one at a time {took[1]:.1f} s, two at a time {took[2]:.1f} s, throughput x {ratios[-1]:.2f}")
    print(f"throughput x {sum(ratios) / len(ratios):.2f} (at least 1.7 is asked)")


if __name__ == "__main__":
    main()
