"""What outcomes of strategies come to: means, medians, intervals, and differences on the same draws."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import Any, cast


@dataclass(frozen=True)
class Outcome:
    """One strategy on one draw of `n` runs; `draw` is None for the seed set. NaN where there is nothing to tell.

    `problem` says why the strategy could not be applied.
    """

    strategy: str
    n: int
    draw: int | None
    rho: float
    regret: float
    problem: str = ""


@dataclass(frozen=True)
class Spread:
    """Mean of `count` values with its 95 % interval (Student), and median; NaN where there are too few."""

    count: int
    mean: float
    median: float
    lo95: float
    hi95: float


@dataclass(frozen=True)
class Summary:
    """One strategy at one size. `behind` is its regret minus ours on the same draws, None for ours or without any.

    `draws` could be used; `problem` is the first reason why others could not.
    """

    strategy: str
    n: int
    draws: int
    rho: Spread
    regret: Spread
    behind: Spread | None
    problem: str


def summaries(outcomes: Sequence[Outcome], *, names: Sequence[str], against: str) -> tuple[Summary, ...]:
    """Return a summary for each strategy and size, in the order of `names`; `against` is the strategy to beat."""
    ours = {(one.n, one.draw): one.regret for one in outcomes if one.strategy == against}
    found: list[Summary] = []
    for name in names:
        mine = [one for one in outcomes if one.strategy == name]
        for n in sorted({one.n for one in mine}):
            there = [one for one in mine if one.n == n]
            apart = [one.regret - ours.get((n, one.draw), math.nan) for one in there if name != against]
            behind = spread(apart)
            found.append(
                Summary(
                    strategy=name,
                    n=n,
                    draws=sum(not one.problem for one in there),
                    rho=spread([one.rho for one in there]),
                    regret=spread([one.regret for one in there]),
                    behind=behind if behind.count else None,
                    problem=next((one.problem for one in there if one.problem), ""),
                )
            )
    return tuple(found)


def spread(values: Sequence[float]) -> Spread:
    """Return mean, median and the 95 % interval of the mean; values that are not known are left out."""
    from scipy import stats  # pyright: ignore[reportMissingTypeStubs]

    known = [value for value in values if not math.isnan(value)]
    if not known:
        return Spread(0, *[math.nan] * 4)
    mean, half = fmean(known), math.nan
    if len(known) > 1:
        half = float(cast(Any, stats).t.ppf(0.975, len(known) - 1)) * stdev(known) / math.sqrt(len(known))
    return Spread(len(known), mean, median(known), mean - half, mean + half)
