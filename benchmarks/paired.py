"""Gains of runs over others at matched seeds, from tables with a row for each run. Axes: S seeds, B benchmarks."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from modomodo import confirm
from modomodo.core import write_text

ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}  # more would only fight
Array = npt.NDArray[np.float64]
Gain = tuple[float, float, float, float]
"""The mean paired gain, the ends of its 95 % interval, and the p-value."""


def processes() -> ProcessPoolExecutor:
    """Return a process for each core, of one thread each, as runs are."""
    os.environ |= ONE_THREAD
    return ProcessPoolExecutor(mp_context=get_context("spawn"))


def where(runs: pd.DataFrame, **values: object) -> pd.DataFrame:
    """Return the rows with these values, in the order of seeds."""
    kept = np.ones(len(runs), dtype=bool)
    for column, value in values.items():
        kept &= (runs[column] == value).to_numpy()
    return pd.DataFrame(runs[kept]).sort_values(by=["seed"])


def names_in(table: Path, column: str, **of: object) -> set[str]:
    """Return the names of a column in the rows of a table with these values; none where there is no table."""
    return set(where(pd.read_csv(table), **of)[column]) if table.exists() else set()


def put(table: Path, rows: pd.DataFrame, **of: object) -> None:
    """Write rows that all have these values into a table, in the place of those that it has with them."""
    if table.exists():
        known = pd.read_csv(table)
        others = known.drop(index=where(known, **of).index)
        rows = pd.concat([others, rows])
    write_text(table, rows.to_csv(index=False, float_format="%.4f"))


def scores(runs: pd.DataFrame, benchmarks: Sequence[str]) -> Array:
    """Return the scores [S, B] of rows, in their order."""
    return runs[[f"score.{name}" for name in benchmarks]].to_numpy(dtype=np.float64)


def gain(runs: pd.DataFrame, over: pd.DataFrame, benchmarks: Sequence[str], *, worst: bool = False) -> Gain:
    """Return what runs gain on others at the seeds of both: on the mean of benchmarks, or on the lowest of each."""
    both = sorted(set(runs.seed) & set(over.seed))
    pair = [scores(where_seed(part, both), benchmarks) for part in (runs, over)]
    return paired_gain(*(one.min(axis=1) if worst else one.mean(axis=1) for one in pair))


def paired_gain(mine_S: Array, other_S: Array) -> Gain:
    """Return what runs gain on others, pair by pair."""
    tables = mine_S[:, None], other_S[:, None]
    found = confirm(tables[0], equal_SB=tables[1], seeds=range(len(mine_S)), benchmarks=["out"]).aggregate
    return found.gain, found.lo95, found.hi95, found.p


def seeds_differ(score_MS: Array) -> str:
    """Return in words whether a seed lifts or lowers all mixtures that were trained at it."""
    apart_MS = score_MS - score_MS.mean(axis=1, keepdims=True)
    spread, p = apart_MS.mean(axis=0).std(ddof=1), float(stats.friedmanchisquare(*apart_MS.T).pvalue)
    return (
        f"The mean score of {len(score_MS)} mixtures differs from seed to seed by {spread:.3f} (standard deviation "
        f"over {score_MS.shape[1]} seeds; Friedman's p {'below .001' if p < 0.001 else f'{p:.3f}'})."
    )


def where_seed(runs: pd.DataFrame, seeds: Sequence[int]) -> pd.DataFrame:
    return pd.DataFrame(runs[runs.seed.isin(seeds)]).sort_values(by=["seed"])


def head(names: Sequence[str]) -> Iterator[str]:
    """Yield the first lines of a table in Markdown."""
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"


def interval(found: Gain) -> str:
    return f"{found[0]:+.3f} ({found[1]:+.3f} to {found[2]:+.3f})"
