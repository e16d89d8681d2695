"""Scores that do not go with the rest of their benchmark: percent among shares, a failed evaluation scored 0.

Axes: N runs, B benchmarks.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from modomodo.core.errors import ModomodoError, count
from modomodo.mixing.surrogates.base import Array
from modomodo.mixing.tables.sheet import Sheet

OnOdd = Literal["refuse", "keep", "drop"]
BoolArray = npt.NDArray[np.bool_]

SHOWN = 8
FEWEST = 4  # scores that a benchmark needs before one of them is odd
FEW = 0.2  # share of the scores up to which some are odd and the others are not
FAR = 0.25  # of the median: other scores are all greater where 0 is odd
STEPS = 3  # of the finest difference between scores: a benchmark of few items scores 0 now and then
GAP, SURE_GAP = 4.0, 10.0  # times the largest of the small scores, from where the large ones begin
LOST = 100.0  # times smaller than all others is no score of the same benchmark
FAILED = (-1.0, -9.0, -99.0, -999.0, -9999.0)  # what scripts write for no score


def checked_scores(
    sheet: Sheet, scores: Mapping[str, str], y_NB: Array, *, scale: Mapping[str, float], on_odd: OnOdd
) -> tuple[Array, list[str]]:
    """Return the scores [N, B], without odd ones if these are to be dropped, and notes on those that are left.

    `scores` is benchmark -> column, `scale` the full scores that are known.

    Raises:
        ModomodoError: with every line, where odd scores are refused.
    """
    odd = [
        (row, b, why)
        for b, name in enumerate(scores)
        for row, why in odd_scores(y_NB[:, b], full=scale.get(name)).items()
    ]
    columns = list(scores.values())
    said = [f"line {sheet.numbers[row]}: {columns[b]} is {why}" for row, b, why in sorted(odd)]
    notes = [
        f"{sheet.path}: {columns[b]} is 0 on {count(int(zero_N.sum()), 'line')}, and far from 0 elsewhere: leave the "
        "cells of failed evaluations empty"
        for b in range(len(columns))
        if (zero_N := many_zeros(y_NB[:, b])).any()
    ]
    if not said:
        return y_NB, notes
    listed = "".join(f"\n  {one}" for one in said[:SHOWN]) + (f"\n  and {len(said) - SHOWN} more" * (len(said) > SHOWN))
    if on_odd == "refuse":
        raise ModomodoError(
            f"{sheet.path}: scores that do not go with the rest of their column:{listed}\n  correct them, and leave "
            "the cell of a failed evaluation empty; or leave all out (--set odd_scores=drop), or take them as they are "
            "(--set odd_scores=keep)"
        )
    kept_NB = y_NB.copy()
    if on_odd == "drop":
        for row, b, _ in odd:
            kept_NB[row, b] = np.nan
    done = "left out" if on_odd == "drop" else "taken as they are"
    return kept_NB, [*notes, f"{sheet.path}: odd scores {done}: {'; '.join(said)}"]


def odd_scores(y_N: Array, *, full: float | None = None) -> dict[int, str]:
    """Return row -> why its score does not go with the others; `full` is the full score, where it is known."""
    causes: dict[int, str] = {}
    left_N = np.array(y_N)
    for way, cause in WAYS:
        if np.isfinite(left_N).sum() >= FEWEST and not (way in ON_SCALE and full is not None):
            odd_N = way(left_N)
            causes |= dict.fromkeys(np.flatnonzero(odd_N).tolist(), cause)
            left_N[odd_N] = np.nan
    if not causes:
        return {}
    among = f"among scores of {np.nanmin(left_N):g} to {np.nanmax(left_N):g}"
    return {row: f"{y_N[row]:g} {among}: {cause}?" for row, cause in causes.items()}


def many_zeros(y_N: Array) -> BoolArray:
    """Return which scores are 0 far from all others, shape [N], where they are too many to be odd."""
    return _far_zeros(y_N) & ~_zeros(y_N)


def _failed(y_N: Array) -> BoolArray:
    """Return the few scores that scripts write for none, among scores that are never below 0."""
    failed_N = np.isin(y_N, FAILED)
    return failed_N & _few(failed_N, y_N) & bool((y_N[np.isfinite(y_N) & ~failed_N] >= 0).all())


def _zeros(y_N: Array) -> BoolArray:
    """Return the zeros that are few."""
    far_N = _far_zeros(y_N)
    return far_N & _few(far_N, y_N)


def _next_to_nothing(y_N: Array) -> BoolArray:
    """Return the few scores that are above 0 and far smaller than all others, as .001 is among .5 and .6."""
    sizes = np.unique(y_N[np.isfinite(y_N)])
    if len(sizes) < 2 or sizes[0] <= 0:
        return np.full(y_N.shape, False)
    split = int(np.argmax(sizes[1:] / sizes[:-1]))
    small_N = y_N <= sizes[split]
    return small_N & _few(small_N, y_N) & bool(sizes[split + 1] >= LOST * sizes[split])


def _few(odd_N: BoolArray, y_N: Array) -> bool:
    return bool(odd_N.sum() <= max(1, FEW * np.isfinite(y_N).sum()))


def _far_zeros(y_N: Array) -> BoolArray:
    """Return the zeros that are far from all other scores."""
    zero_N = y_N == 0
    sizes = np.abs(y_N[np.isfinite(y_N) & ~zero_N])
    others = np.unique(sizes)
    if not others.size:
        return zero_N & False
    step = np.diff(others).min() if len(others) > 1 else others[0]
    return zero_N & bool(others[0] > max(STEPS * step, FAR * np.median(sizes)))


def _mixed(y_N: Array, at: float) -> BoolArray:
    """Return the fewer of the scores up to `at` and those beyond, where both are far apart: shares beside percent."""
    small_N, large_N = (y_N > 0) & (y_N <= at), y_N > at
    if not small_N.any() or not large_N.any() or np.nanmin(y_N) < 0:
        return small_N & False
    gap = float(y_N[large_N].min() / y_N[small_N].max())
    percent = at == 1 and float(np.median(y_N[large_N])) >= SURE_GAP and float(y_N[large_N].max()) <= 100
    sure = percent or _few(large_N, y_N)
    odd_N = large_N if large_N.sum() <= small_N.sum() else small_N
    return odd_N & (gap >= (GAP if sure else SURE_GAP))


def _shares_beside_percent(y_N: Array) -> BoolArray:
    return _mixed(y_N, 1.0)


def _beyond_100(y_N: Array) -> BoolArray:
    """Return the scores beyond 100 that are many times as large as all others: points among percent, a lost point."""
    sizes = np.unique(y_N[np.isfinite(y_N)])
    if sizes[0] <= 0 or sizes[-1] <= 100 or len(sizes) < 2:
        return _mixed(y_N, 100.0)
    split = int(np.argmax(np.where(sizes[1:] > 100, sizes[1:] / sizes[:-1], 0)))
    large_N = y_N > sizes[split]
    far = bool(sizes[split + 1] >= SURE_GAP * sizes[split]) and _few(large_N, y_N)
    return large_N if far else _mixed(y_N, 100.0)


WAYS = (
    (_failed, "no score"),
    (_zeros, "a failed evaluation"),
    (_next_to_nothing, "a failed evaluation"),
    (_shares_beside_percent, "shares beside percent"),
    (_beyond_100, "another scale"),
)
ON_SCALE = (_shares_beside_percent, _beyond_100)  # where no full score is known
