"""What a table may hold twice: a run, a benchmark, the mean of the others.

Axes: N runs, B benchmarks, K columns (weights and scores).
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from modomodo.core.errors import ModomodoError, count
from modomodo.mixing.runs import Runs
from modomodo.mixing.surrogates.base import Array
from modomodo.mixing.tables.sheet import Sheet

SHOWN = 8
FEWEST = 4  # runs of which a last line may be the mean
CHANCE = 1e-3  # that a run looks like the mean of the others
ROUNDED = 2e-4  # of a score: what the rounding of a mean may take


def refuse_mean(sheet: Sheet, *, weights_ND: Array, y_NB: Array) -> None:
    """Raise ModomodoError where the last line holds the mean of the lines above in every column."""
    values_NK = np.hstack([weights_ND, y_NB])
    if len(values_NK) <= FEWEST or np.isnan(values_NK).any():
        return
    above_NK, last_K = values_NK[:-1], values_NK[-1]
    rounding_K = np.array([0.51 * 10.0 ** -_decimals(value) for value in last_K])
    near = bool((np.abs(above_NK.mean(axis=0) - last_K) <= rounding_K).all())
    spread_B = np.maximum(np.std(y_NB[:-1], axis=0), 1e-12)
    if near and np.prod(np.minimum(2 * rounding_K[weights_ND.shape[1] :] / spread_B, 1.0)) < CHANCE:
        raise ModomodoError(
            f"{sheet.place(len(above_NK))} holds the mean of the lines above in every column, so it is no run: leave "
            "it out"
        )


def _decimals(value: float) -> int:
    """Return the decimals that a number is written with, 9 at most."""
    return next((digits for digits in range(9) if abs(value - round(value, digits)) < 1e-12), 9)


def repeat_notes(runs: Runs) -> Iterator[str]:
    """Yield which runs repeat a mixture and a seed, and which the scores of another: they count as replicates."""
    groups = [int(group) for group in runs.groups()]
    identity = list(zip(groups, runs.seeds_N, runs.steps_N, strict=True))
    repeats = _repeated(runs, [None if one[1] is None else one for one in identity])
    if repeats:
        yield (
            f"{runs.source}: {count(len(repeats), 'run')} with mixture, seed and steps of an earlier line, which count "
            f"as replicates: {_listed(repeats)}"
        )
    known = np.isfinite(runs.y_NB).sum(axis=1) > 1
    scores = [(group, tuple(y_B.tolist())) for group, y_B in zip(groups, runs.y_NB, strict=True)]
    copies = _repeated(runs, [one if several else None for one, several in zip(scores, known, strict=True)])
    if copies:
        yield (
            f"{runs.source}: {count(len(copies), 'run')} with the mixture and all scores of an earlier one, which "
            f"replicates hardly ever have: {_listed(copies)}; leave out what is one run twice"
        )


def benchmark_notes(runs: Runs) -> Iterator[str]:
    """Yield which benchmarks hold the scores of another, or the mean of the others: an aggregate counts them twice."""
    names, y_NB = runs.benchmarks, runs.y_NB
    for b, name in enumerate(names):
        same = [other for a, other in enumerate(names[:b]) if np.array_equal(y_NB[:, a], y_NB[:, b], equal_nan=True)]
        if same and len(set(y_NB[:, b].tolist())) > 1:
            yield f"{runs.source}: {name} and {same[0]} have the same scores, so an aggregate counts them twice"
        elif (numbered := re.fullmatch(r"(.+)\.\d", name)) and numbered[1] in names:
            yield f"{runs.source}: {name} is read as a benchmark beside {numbered[1]}: is it the same column twice?"
        elif len(names) > 2 and _is_mean(y_NB, b):
            yield (
                f"{runs.source}: {name} is the mean of the other scores in every run, so an aggregate counts them "
                "twice: leave its column out, or name the others by --set scores=[...]"
            )


def _is_mean(y_NB: Array, b: int) -> bool:
    mean_N, y_N = np.delete(y_NB, b, axis=1).mean(axis=1), y_NB[:, b]
    return len(y_N) > FEWEST and bool((np.abs(y_N - mean_N) <= ROUNDED * np.abs(mean_N)).all())


def _repeated(runs: Runs, keys: Sequence[object]) -> list[str]:
    """Return the labels of runs whose key is that of an earlier one; a key of None is none."""
    first: dict[object, int] = {}
    rows = [row for row, key in enumerate(keys) if key is not None and first.setdefault(key, row) != row]
    return [runs.labels_N[row] for row in rows]


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:SHOWN])}{' ...' if len(names) > SHOWN else ''}"
