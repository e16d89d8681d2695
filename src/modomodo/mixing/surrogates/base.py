"""What every surrogate promises: fit one benchmark's scores, then predict with honest spreads.

Axes: N runs or points, D domains.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Prediction:
    """Means and standard deviations at N points, in the units of the score.

    `sd_mean_N` is the doubt about the expected score of a mixture; `sd_new_N` that about the score of one new run,
    which adds the seed noise and the noise of its evaluation.
    """

    mean_N: Array
    sd_mean_N: Array
    sd_new_N: Array


class FittedSurrogate(Protocol):
    """What a surrogate learned from the runs of one benchmark; a value, never changed."""

    def mean(self, X_ND: Array) -> Array:
        """Return the expected score, shape [N] (the cheap half of `predict`)."""
        ...

    def predict(self, X_ND: Array) -> Prediction:
        """Return mean and spreads at the mixtures `X_ND` (rows on the simplex)."""
        ...

    def covariance(self, X_ND: Array) -> Array:
        """Return the joint covariance of the expected scores, shape [N, N]; its diagonal is `sd_mean_N ** 2`."""
        ...

    def leave_out(self, groups_N: IntArray) -> Prediction:
        """Return, for each training run, its prediction from the runs of all other groups (replicates share one)."""
        ...


class Surrogate(Protocol):
    """A method that learns the score of one benchmark as a function of the mixture; a frozen value of settings."""

    @property
    def minimum(self) -> int:
        """The fewest different mixtures that it can learn from."""
        ...

    def fit(self, X_ND: Array, *, y_N: Array, var_N: Array, seed: int) -> FittedSurrogate:
        """Return the fitted surrogate.

        `y_N` are finite scores; `var_N` are the known variances of their evaluation (NaN where unknown). The same
        arguments give the same result.
        """
        ...


def known_variance(var_N: Array) -> tuple[Array, float]:
    """Return the variances with unknown ones filled by the median known one (0 when none is), and that median.

    The median is what the evaluation of one new run is expected to add.
    """
    known = var_N[np.isfinite(var_N)]
    typical = float(np.median(known)) if known.size else 0.0
    return np.where(np.isfinite(var_N), var_N, typical), typical


def refit_each(fit: Callable[[IntArray], FittedSurrogate], *, X_ND: Array, groups_N: IntArray) -> Prediction:
    """Return leave-one-group-out predictions by calling `fit(rows kept)` once per group."""
    parts = np.full((3, len(X_ND)), np.nan)
    for group in np.unique(groups_N):
        out = groups_N == group
        if out.all():
            break
        prediction = fit(np.flatnonzero(~out)).predict(X_ND[out])
        parts[:, out] = prediction.mean_N, prediction.sd_mean_N, prediction.sd_new_N
    return Prediction(parts[0], parts[1], parts[2])
