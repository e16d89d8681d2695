"""Validation: how well a surrogate predicted runs that it had not seen.

Axes: N runs.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, cast

import numpy as np

from modomodo.mixing.surrogates.base import Array


@dataclass(frozen=True)
class Validation:
    """Leave-one-mixture-out figures of one benchmark or aggregate, over `n` runs; NaN where they cannot be had.

    `r2` compares squared errors with those of the mean of all runs (so the mean itself, left out, is a little below 0);
    `rho` is Spearman's; `cover50` and `cover90` are the shares of runs inside their 50 and 90 % intervals.
    """

    name: str
    n: int
    r2: float
    rho: float
    cover50: float
    cover90: float


def quantile(level: float) -> float:
    """Return how many standard deviations either side hold `level` of a normal distribution."""
    return NormalDist().inv_cdf(0.5 + level / 2)


def validation(name: str, *, y_N: Array, mean_N: Array, sd_N: Array) -> Validation:
    """Return the figures for scores `y_N` predicted as `mean_N` with the spread `sd_N` of one new run.

    Runs with NaN in any of the three are left out.
    """
    used = np.isfinite(y_N) & np.isfinite(mean_N) & np.isfinite(sd_N)
    y_N, mean_N, sd_N = y_N[used], mean_N[used], sd_N[used]
    error_N = np.abs(y_N - mean_N)
    spread = float(np.sum(np.square(y_N - y_N.mean()))) if len(y_N) else 0.0
    r2 = 1 - float(np.sum(np.square(error_N))) / spread if spread > 0 else float("nan")
    cover50, cover90 = (
        float(np.mean(error_N <= quantile(level) * sd_N)) if len(y_N) else float("nan") for level in (0.5, 0.9)
    )
    return Validation(name, len(y_N), r2, spearman(y_N, mean_N), cover50, cover90)


def spearman(a_N: Array, b_N: Array) -> float:
    """Return Spearman's rank correlation, NaN for fewer than 3 pairs or a constant side."""
    from scipy import stats  # pyright: ignore[reportMissingTypeStubs]

    ranks_aN, ranks_bN = (np.asarray(cast(Any, stats).rankdata(side_N)) for side_N in (a_N, b_N))
    if len(a_N) < 3 or np.ptp(ranks_aN) == 0 or np.ptp(ranks_bN) == 0:
        return float("nan")
    return float(np.corrcoef(ranks_aN, ranks_bN)[0, 1])
