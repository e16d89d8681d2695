"""gain: by how much one mixture beats another, as several surrogates judge it.

Axes: N runs, M judges.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from modomodo.mixing.fitted import Fitted
from modomodo.mixing.predictions import weighted
from modomodo.mixing.surrogates.base import Array

UNTOLD = 0.95  # prior probability that a mixture's weights don't tell how it does; half of that doubt lies above 0
POWER = 0.5  # of the likelihood: how well left-out runs are predicted is itself known from few runs
HALVINGS = 60


@dataclass(frozen=True)
class Gain:
    """By how much one mixture beats another, positive for the better one whatever the direction: what is expected, its
    90 % interval, and the probability that it is positive (a tie counts half).

    `if_any` is what is expected if weights tell at all how a mixture does: `mean` counts the chance that they don't.
    """

    mean: float
    low: float
    high: float
    probability: float
    if_any: float


def gain_of(fitted: Fitted, pair_ND: Array, *, name: str) -> Gain:
    """Return the gain in one column of the first of two mixtures over the second.

    Each of `Fitted.judges` predicts a normal distribution, from its joint posterior of both mixtures; they count by how
    likely they made the runs that they had not seen. So the interval holds what they disagree on, and it holds 0 unless
    the runs are better predicted by their mixtures than by their mean. The mean knows of no gain, and doubts that:
    some of what runs differ by may be the mixtures' doing.
    """
    from scipy import special  # pyright: ignore[reportMissingTypeStubs]

    better = 1.0 if fitted.direction(name) == "higher" else -1.0
    mean_M, sd_M = np.array([judge.difference(pair_ND, name=name) for judge in fitted.judges]).T
    mean_M, weights_M = better * mean_M, judges_weights(fitted, name=name)
    width = float(np.max(np.abs(mean_M) + 8 * sd_M))
    if width == 0:
        return Gain(0.0, 0.0, 0.0, 0.5, 0.0)
    sd_M = np.maximum(sd_M, 1e-9 * width)  # where runs differ by their evaluation's noise alone, the mean has no doubt

    def below(gain: float) -> float:
        return float(weights_M @ np.asarray(cast(Any, special).ndtr((gain - mean_M) / sd_M)))

    def limit(level: float) -> float:
        low, high = -width, width
        for _ in range(HALVINGS):
            low, high = (middle, high) if below(middle := (low + high) / 2) < level else (low, middle)
        return high if abs(high) > 1e-6 * width else 0.0

    rivals_M = weights_M[:-1]  # the last is the mean
    if_any = float(rivals_M @ mean_M[:-1] / rivals_M.sum()) if rivals_M.sum() > 0 else 0.0
    return Gain(float(weights_M @ mean_M), limit(0.05), limit(0.95), 1 - below(0.0), if_any)


def judges_weights(fitted: Fitted, *, name: str) -> Array:
    """Return what each of `Fitted.judges` counts for one column, shape [M], summing to 1.

    That is their prior times the POWER of the likelihood of the left-out runs. All but the last, the mean, share the
    prior 1 - UNTOLD.
    """
    y_N = weighted(fitted.runs.y_NB, fitted.weights_of(name))
    column, rivals = fitted.index(name), len(fitted.judges) - 1
    least = 1e-12 * max(1.0, float(np.nanmax(np.abs(y_N), initial=0.0)))  # equal scores leave no spread
    log_MN = np.stack([_log_density(y_N, judge, column, least) for judge in fitted.judges])
    prior_M = np.r_[np.full(rivals, (1 - UNTOLD) / rivals), UNTOLD]
    log_M = np.log(prior_M) + POWER * log_MN[:, np.isfinite(log_MN).all(axis=0)].sum(axis=1)
    likely_M = np.exp(log_M - log_M.max())
    return likely_M / likely_M.sum()


def _log_density(y_N: Array, judge: Fitted, column: int, least: float) -> Array:
    """Return the log density of left-out runs, up to a constant."""
    sd_N = np.maximum(judge.left_out.sd_NK[:, column], least)
    return -0.5 * np.square((y_N - judge.left_out.mean_NK[:, column]) / sd_N) - np.log(sd_N)
