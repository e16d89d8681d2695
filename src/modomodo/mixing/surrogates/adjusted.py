"""What every fitted surrogate gets in common: an order of domains that does not depend on the table's, and spreads that
left-out runs bear out.

Axes: N runs or points, D domains, B benchmarks.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from modomodo.mixing.surrogates.base import Array, FittedSurrogate, IntArray, Prediction
from modomodo.mixing.validation import quantile

PSEUDO_RUNS = 4.0  # that bear out the spreads as they are: a few runs must not change them much
OF_AN_AGGREGATE = 8.0  # the same for the spread of an aggregate, which has a single error a run to go by


@dataclass(frozen=True, eq=False)
class Adjusted:
    """A surrogate of domains in the order `order_D`, with its spreads multiplied by `factor`."""

    model: FittedSurrogate
    order_D: IntArray
    factor: float = 1.0

    def mean(self, X_ND: Array) -> Array:
        return self.model.mean(X_ND[:, self.order_D])

    def predict(self, X_ND: Array) -> Prediction:
        return scaled(self.model.predict(X_ND[:, self.order_D]), self.factor)

    def covariance(self, X_ND: Array) -> Array:
        return self.factor**2 * self.model.covariance(X_ND[:, self.order_D])

    def leave_out(self, groups_N: IntArray) -> Prediction:
        return scaled(self.model.leave_out(groups_N), self.factor)


def scaled(prediction: Prediction, factor: float) -> Prediction:
    """Return the prediction with both spreads multiplied."""
    return Prediction(prediction.mean_N, factor * prediction.sd_mean_N, factor * prediction.sd_new_N)


def canonical_order(X_ND: Array) -> IntArray:
    """Return the order of domains, shape [D], that sorts the columns of `X_ND`.

    Methods see the same whatever order they came in: permuted domains give the permuted answer to the last digit.
    """
    return np.lexsort(X_ND[::-1]).astype(np.int64)


def residuals(y_N: Array, left_out: Prediction) -> Array:
    """Return the errors on left-out runs over their predicted spreads, shape [N]; 0 where there is no spread."""
    spread_N = left_out.sd_new_N
    return np.divide(y_N - left_out.mean_N, spread_N, out=np.zeros(len(y_N)), where=spread_N != 0)


def spread_factor(residuals_NB: Array, *, pseudo_runs: float = PSEUDO_RUNS) -> float:
    """Return the factor by which spreads are to be multiplied, from left-out errors over their predicted spreads.

    It is the root mean square of the residuals (NaN where there is none; a run counts once, as the errors of its
    benchmarks go together), held to 1 by a few pseudo-runs.
    """
    square_N = np.nanmean(np.square(residuals_NB[np.isfinite(residuals_NB).any(axis=1)]), axis=1)
    return float(np.sqrt((square_N.sum() + pseudo_runs) / (len(square_N) + pseudo_runs)))


def small_sample(runs: int) -> float:
    """Return by how much intervals widen as their spread comes from `runs` errors: Student's t beside the normal."""
    from scipy import special  # pyright: ignore[reportMissingTypeStubs]

    return float(cast(Any, special).stdtrit(runs - 1 + PSEUDO_RUNS, 0.95)) / quantile(0.9)
