"""Sequential search on a published table: `next` on RegMix's 512 runs, outcomes revealed when they are asked for.

    python benchmarks/sequential.py --out benchmarks/results/sequential.csv [--seeds 20]

Starts from 8 mixtures spread over the pool without a look at outcomes, then asks for batches of 4 up to 24 runs.
Regret: the loss at the mixture of the pool that the posterior mean recommends, minus the least loss of the pool, in
standard deviations of the pool. `avg13` is the mean of 13 losses, one surrogate each; `pile_cc` is one of them. The
method `random` takes random mixtures instead of proposals. Finished seeds are kept: the same command goes on.

Axes: N mixtures of the pool, D domains, B benchmarks.
"""

import csv
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from regmix import load, subset

from modomodo import Runs, fit, propose
from modomodo.core import child_rng, limits_of
from modomodo.mixing import space_filling

FIRST, BATCH, LAST = 8, 4, 24
COLUMNS = ("method", "objective", "seed", "runs", "regret", "seconds")


def pool_of(objective: str) -> Runs:
    """Return the pool with the losses that the objective needs."""
    runs = load("train")
    if objective == "avg13":
        return runs
    column = [runs.benchmarks.index(objective)]
    tables = {field: getattr(runs, field)[:, column] for field in ("y_NB", "se_NB", "n_NB")}
    return replace(runs, benchmarks=(objective,), **tables)


def first_rows(pool: Runs, seed: int) -> list[int]:
    """Return FIRST rows, the space-filling design on a random half of the pool."""
    half = child_rng(seed, "sequential").permutation(len(pool.X_ND))[: len(pool.X_ND) // 2]
    limits_2D = limits_of({}, pool.domains)
    chosen = space_filling(pool.domains, count=FIRST, limits_2D=limits_2D, seed=seed, candidates_ND=pool.X_ND[half])
    return [row_of(pool, mixture.vector(pool.domains)) for _, mixture in chosen]


def row_of(pool: Runs, x_D: np.ndarray) -> int:
    """Return the row of a mixture of the pool; a replicate is the same row again, and counts as a run."""
    return int(np.argmin(np.abs(pool.X_ND - x_D).sum(axis=1)))


def search(pool: Runs, method: str, seed: int) -> list[tuple[int, float, float]]:
    """Return (runs, regret, seconds) after each batch."""
    rows, found, start = first_rows(pool, seed), list[tuple[int, float, float]](), time.monotonic()
    true_N = pool.y_NB.mean(axis=1)
    order = child_rng(seed, "random").permutation(len(true_N))
    while True:
        fitted = fit(subset(pool, np.array(rows)), direction="lower", seed=seed)
        best = int(np.argmin(fitted.mean(pool.X_ND, name="aggregate")))
        found.append((len(rows), float((true_N[best] - true_N.min()) / true_N.std()), time.monotonic() - start))
        if len(rows) >= LAST:
            return found
        if method == "random":
            rows += [int(row) for row in order if row not in rows][:BATCH]
            continue
        for pilot in propose(fitted, batch=BATCH, candidates_ND=pool.X_ND, seed=seed).pilots:
            rows.append(row_of(pool, pilot.mixture.vector(pool.domains)))


def main(
    out: Annotated[Path, typer.Option(help="finished seeds, CSV")],
    seeds: int = 20,
    objectives: str = "avg13,pile_cc",
    methods: str = "next,random",
) -> None:
    """Search with each seed, and print the mean regret after each batch with its standard error."""
    warnings.simplefilter("ignore")
    lines: list[dict[str, str]] = []
    if out.exists():
        with out.open(newline="") as file:
            lines = list(csv.DictReader(file))
    done = {(line["method"], line["objective"], line["seed"]) for line in lines}
    for method in methods.split(","):
        for objective in objectives.split(","):
            pool = pool_of(objective)
            for seed in range(seeds):
                if (method, objective, str(seed)) in done:
                    continue
                for runs, regret, seconds in search(pool, method, seed):
                    cells = (method, objective, str(seed), str(runs), f"{regret:.4f}", f"{seconds:.0f}")
                    lines.append(dict(zip(COLUMNS, cells, strict=True)))
                print(*lines[-1].values(), flush=True)
                with out.open("w", newline="") as file:
                    writer = csv.writer(file)
                    writer.writerows([COLUMNS, *(line.values() for line in lines)])
            show(lines, method, objective)


def show(lines: list[dict[str, str]], method: str, objective: str) -> None:
    """Print the mean regret at each number of runs."""
    mine = [line for line in lines if (line["method"], line["objective"]) == (method, objective)]
    for runs in sorted({int(line["runs"]) for line in mine}):
        regret_S = np.array([float(line["regret"]) for line in mine if int(line["runs"]) == runs])
        error = regret_S.std(ddof=1) / np.sqrt(len(regret_S)) if len(regret_S) > 1 else float("nan")
        print(f"{method} {objective} {runs} runs: regret {regret_S.mean():.3f} ({error:.3f}), {len(regret_S)} seeds")


if __name__ == "__main__":
    typer.run(main)
