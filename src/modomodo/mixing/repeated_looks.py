"""Looks at matched seeds while they grow: how sure each must be, so that all together err no more often than one.

Every look takes the same level (Pocock, Biometrika 64, 1977), for Student's paired test: where nothing differs, its
p-values follow a law without unknowns (Jennison and Turnbull, Group Sequential Methods, 2000, chapter 11). Intervals
at that level are repeated confidence intervals (the same, JRSS B 51, 1989): they hold whenever one stops.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import numpy as np

from modomodo.core.errors import ModomodoError
from modomodo.mixing.surrogates.base import Array

DRAWS, BLOCK = 200_000, 20_000
LEAST_COUNTED = 50  # draws: a smaller share of them is not known well


def check_looks(looks: Sequence[int]) -> None:
    """Raise ModomodoError unless looks are growing numbers of seeds, 2 or more."""
    if any(after <= before for before, after in zip((1, *looks), looks, strict=False)):
        raise ModomodoError(f"looks are growing numbers of seeds, 2 or more, got {list(looks)}")


def error_of_each(error: float, looks: Sequence[int]) -> float:
    """Return the two-sided error that each look may have, so that some look errs with probability `error`."""
    check_looks(looks)
    return error if len(looks) < 2 else _level(error, tuple(looks))


def p_over_all(p: float, looks: Sequence[int]) -> float:
    """Return the probability that some look has a p-value of at most `p` where nothing differs."""
    check_looks(looks)
    if len(looks) < 2:
        return p
    least = _least_p_values(tuple(looks))
    count = int(np.searchsorted(least, p, side="right"))
    at_most = min(1.0, len(looks) * p)
    return min(at_most, max(p, count / len(least))) if count >= LEAST_COUNTED else at_most


@cache
def _level(error: float, looks: tuple[int, ...]) -> float:
    return float(np.quantile(_least_p_values(looks), error))


@cache
def _least_p_values(looks: tuple[int, ...]) -> Array:
    """Return the least p-value over the looks of each draw without a difference, in order [DRAWS]."""
    rng = np.random.default_rng(0)
    blocks = [_least(rng.standard_normal((BLOCK, looks[-1])), looks) for _ in range(DRAWS // BLOCK)]
    return np.sort(np.concatenate(blocks))


def _least(differences: Array, looks: tuple[int, ...]) -> Array:
    """Return the least two-sided p-value over the looks of each row of differences [BLOCK, last look]."""
    from scipy import special  # pyright: ignore[reportMissingTypeStubs]

    counts = np.array(looks)
    sums = differences.cumsum(axis=1)[:, counts - 1]
    squares = (differences**2).cumsum(axis=1)[:, counts - 1]
    variance = (squares - sums**2 / counts) / (counts - 1)
    t = np.abs(sums) / np.sqrt(counts * variance)
    return 2 * cast(Any, special).stdtr(counts - 1, -t).min(axis=1)
