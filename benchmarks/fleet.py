"""A fleet of 64 workers on eight nodes of a real Ray cluster, all on this machine, through the launcher's own code.

The 256 runs sleep as pilots would take, scaled down: 60 s in the median with a spread of a quarter, one in twenty three
times as long. One in forty fails, ten workers are killed, and a node is lost with all that it had begun. Prints the
share of the workers that were busy until nothing was left to begin and over the whole launch, beside what no launcher
that takes runs in their order can exceed, and whether a second launch finds the rest done.

python benchmarks/fleet.py            # about 8 minutes on 2 cores
"""

import heapq
import json
import logging
import math
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ray_launcher import workers

from modomodo import Mixture, Recipe
from modomodo.config import Launcher
from modomodo.core import child_seed
from modomodo.runs import Fleet, PlannedRun, Store, launch

NODES, CPUS, RUNS = 8, 8, 256
KILLS = 10
MEDIAN, SPREAD = 60.0, 0.25  # seconds, and of their logarithm
STRAGGLER, FAILING = 1 / 20, 1 / 40
DIGESTS = {"domain:a": "a", "model:fake": "fake", "model:empty": "empty"}


def fate(seed: int) -> tuple[float, bool]:
    """Return how many seconds a run takes, and whether its first attempt fails."""
    draw = random.Random(child_seed(seed, "fleet"))
    seconds = MEDIAN * math.exp(draw.gauss(0, SPREAD)) * (3 if draw.random() < STRAGGLER else 1)
    return seconds, draw.random() < FAILING


def act(recipe: Recipe, folder: Path) -> dict[str, object]:
    """Sleep step by step, each written down, and go on where an attempt before ended."""
    if recipe.model == "empty":
        return {}
    seconds, failing = fate(recipe.seed)
    fails = failing and not (folder / "failure-1.json").exists()
    path = folder / "steps.jsonl"
    text = path.read_text() if path.exists() else ""
    done = text.count("\n")
    with path.open("w") as file:
        file.write(text[: text.rfind("\n") + 1])
    with (folder / "busy.jsonl").open("a") as busy:
        for step in range(done, recipe.steps):
            began = time.time()
            time.sleep(seconds / recipe.steps)
            busy.write(json.dumps([began, time.time()]) + "\n")
            busy.flush()
            with path.open("a") as file:
                file.write(json.dumps({"step": step}) + "\n")
            if fails and step == recipe.steps // 2:
                raise RuntimeError("this one fails at its first attempt")
    return {"attempts": len(text) > 0}


def recipe(model: str, seed: int) -> Recipe:
    return Recipe(model=model, domains=("a",), mixture=Mixture.single("a", ["a"]), seed=seed, steps=20)


def go(store: Store, model: str, count: int) -> list[str]:
    """Return how each of so many runs ended."""
    planned = [PlannedRun(f"{model} {seed}", recipe(model, seed)) for seed in range(count)]
    fleet = Fleet(Launcher(kind="ray", retries=10, placement="spread"), store)
    return [outcome.status for outcome in launch(planned, store, digests=DIGESTS, run="fleet:act", workers=fleet)]


def disturb(cluster: Any, nodes: list[Any], *, seed: int) -> int:
    """Return how many workers were killed at random moments of two minutes; a node is taken away and another given."""
    draw, killed = random.Random(seed), 0
    for number in range(KILLS):
        time.sleep(draw.uniform(6, 18))
        found = workers()
        if found:
            os.kill(draw.choice(found), signal.SIGKILL)
            killed += 1
        if number == KILLS // 2:
            cluster.remove_node(nodes.pop(), allow_graceful=False)
            nodes.append(cluster.add_node(num_cpus=CPUS))
    return killed


def busy(store: Store) -> tuple[float, float, float]:
    """Return the share of the workers at work until the last run began, in how many seconds, and until all ended."""
    spans: list[tuple[float, float]] = []
    begins: list[float] = []
    for path in store.folder.glob("runs/*/busy.jsonl"):
        found = [json.loads(line) for line in path.read_text().splitlines()]
        spans += [(begin, end) for begin, end in found]
        begins.append(found[0][0])
    first = min(begins)

    def share(last: float) -> float:
        return sum(max(0.0, min(end, last) - begin) for begin, end in spans) / (NODES * CPUS * (last - first))

    return share(max(begins)), max(begins) - first, share(max(end for _, end in spans))


def most() -> float:
    """Return the share of the workers at work where each takes the next run at once, and nothing is lost."""
    seconds = [fate(seed)[0] for seed in range(RUNS)]
    free = [0.0] * (NODES * CPUS)
    for run in seconds:
        heapq.heapreplace(free, free[0] + run)
    return sum(seconds) / (NODES * CPUS * max(free))


def start() -> tuple[Any, list[Any]]:
    """Return a cluster and its nodes but for the head, which this process has joined."""
    import ray
    from ray.cluster_utils import Cluster

    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": CPUS, "include_dashboard": False})
    nodes: Sequence[Any] = [cluster.add_node(num_cpus=CPUS) for _ in range(NODES - 1)]
    ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    return cluster, list(nodes)


def main() -> None:
    """Print what the fleet did."""
    cluster, nodes = start()
    with tempfile.TemporaryDirectory() as place:
        # Two cores start the processes of 64 workers in a minute or so, which 64 machines would do at once.
        go(Store(Path(place, "empty")), "empty", 2 * NODES * CPUS)
        store = Store(Path(place, "study"))
        with ThreadPoolExecutor(1) as thread:
            launched = thread.submit(go, store, "fake", RUNS)
            killed = disturb(cluster, nodes, seed=5)  # here, as a node can only be added from the main thread
            first = launched.result()
        share, seconds, whole = busy(store)
        failed = [seed for seed, status in enumerate(first) if status == "failed"]
        drawn = [seed for seed in range(RUNS) if fate(seed)[1]]
        print(f"{killed} workers and a node killed")
        print(f"{RUNS} runs: {first.count('finished')} finished, {len(failed)} failed; those drawn:", failed == drawn)
        print(f"workers busy until the last run began ({seconds:.0f} s): {share:.1%} (at least 90 % is asked)")
        print(f"workers busy until all had ended: {whole:.1%} (at most {most():.1%} with these lengths in this order)")
        again = go(store, "fake", RUNS)
        print(f"launched again: {again.count('reused')} were there, {again.count('finished')} finished")
        print("nothing lost:", again.count("reused") == first.count("finished") and "failed" not in again)
        paths = list(store.folder.glob("runs/*/steps.jsonl"))
        steps = [[json.loads(line)["step"] for line in path.read_text().splitlines()] for path in paths]
        print("every step written once:", steps == [list(range(20))] * RUNS)


if __name__ == "__main__":
    sys.exit(main())
