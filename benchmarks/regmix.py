"""RegMix's published runs (17 domains, 13 validation losses; MIT), read from ../shared/data, which is no part of this
repository.

Axes: N runs.
"""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np

from modomodo import Runs

FOLDER = Path(__file__).parents[1] / ".." / "shared" / "data" / "regmix"


def load(part: str) -> Runs:
    """Return the 512 runs of "train" or the 256 of "test"; weights, given to three decimals, are made to sum to 1."""
    domains, weights = _table(FOLDER / f"1m_{part}" / "mixtures.csv")
    benchmarks, losses = _table(FOLDER / f"1m_{part}" / "outcomes.csv")
    X_ND = np.array(list(weights.values()))
    y_NB = np.array([losses[run] for run in weights])
    unknown, none = np.full(y_NB.shape, np.nan), (None,) * len(X_ND)
    X_ND = X_ND / X_ND.sum(axis=1, keepdims=True)
    return Runs(domains, benchmarks, X_ND, y_NB, unknown, unknown, none, none, tuple(weights))


def subset(runs: Runs, rows: np.ndarray) -> Runs:
    """Return some of the runs."""
    arrays = {field: getattr(runs, field)[rows] for field in ("X_ND", "y_NB", "se_NB", "n_NB")}
    tuples = {field: tuple(getattr(runs, field)[row] for row in rows) for field in ("seeds_N", "steps_N", "labels_N")}
    return replace(runs, **arrays, **tuples)


def random_rows(seed: int, *, runs: int, pool: int = 512) -> np.ndarray:
    """Return the rows of one training subset: seeds below 1000 are for reported numbers, above for development."""
    return np.random.default_rng(seed).choice(pool, runs, replace=False)


def _table(path: Path) -> tuple[tuple[str, ...], dict[str, list[float]]]:
    with path.open(newline="") as file:
        header, *lines = csv.reader(file)
    return tuple(header[1:]), {line[0]: [float(cell) for cell in line[1:]] for line in lines}
