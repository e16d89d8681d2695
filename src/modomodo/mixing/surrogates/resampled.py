"""Spreads for any regression: fitted again without each part of the runs, it shows what it does not know.

Axes: N runs or points, F folds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from modomodo.core.seeds import child_rng
from modomodo.mixing.surrogates.base import Array, IntArray, Prediction, known_variance

FOLDS = 24  # at most; with fewer mixtures each one is a fold
NOISE_SHARE = 0.25  # of the squared error on left-out runs that is noise at least: doubt never explains all of it

Curve = Callable[[Array], Array]
"""A fitted regression: mixtures [N, D] to expected scores [N]."""


class Regression(Protocol):
    """A frozen value of settings that turns runs into a curve."""

    def __call__(self, X_ND: Array, *, y_N: Array, seed: int) -> Curve: ...


@dataclass(frozen=True)
class Resampled:
    """A regression as a surrogate.

    The mean is the regression on all runs. The doubt about it is the jackknife's: the spread of the same regression
    fitted without each fold of mixtures. The noise of one new run is what the errors on left-out runs have beyond that
    doubt, and never less than the known noise of its evaluation.
    """

    regression: Regression
    minimum: int = 3

    def fit(self, X_ND: Array, *, y_N: Array, var_N: Array, seed: int) -> "FittedResampled":
        """Return the regression on all runs and on all but each fold; replicates of a mixture share a fold."""
        groups_N = np.unique(np.round(X_ND, 9), axis=0, return_inverse=True)[1].reshape(-1)
        order = child_rng(seed, "folds").permutation(int(groups_N.max()) + 1)
        folds_N = (order % FOLDS)[groups_N]
        whole, parts = _without_each(self.regression, X_ND, y_N, folds_N, seed)
        left_out_N = _left_out(parts, X_ND, folds_N)
        fitted = FittedResampled(self.regression, X_ND, y_N, seed, whole, parts, left_out_N, folds_N, 0.0)
        square = float(np.mean(np.square(y_N - left_out_N)))
        doubt = float(np.mean(np.square(fitted.predict(X_ND).sd_mean_N)))
        noise = max(square - doubt, NOISE_SHARE * square, known_variance(var_N)[1])
        return FittedResampled(self.regression, X_ND, y_N, seed, whole, parts, left_out_N, folds_N, noise)


@dataclass(frozen=True, eq=False)
class FittedResampled:
    """The curve of all runs, the curves without each fold, the predictions of left-out runs, and the noise variance."""

    regression: Regression
    X_ND: Array
    y_N: Array
    seed: int
    whole: Curve
    parts: tuple[Curve, ...]
    left_out_N: Array
    folds_N: IntArray
    noise: float

    def mean(self, X_ND: Array) -> Array:
        return self.whole(X_ND)

    def predict(self, X_ND: Array) -> Prediction:
        return self._around(self.whole(X_ND), X_ND)

    def covariance(self, X_ND: Array) -> Array:
        deviation_FN = self._deviations(X_ND)
        return deviation_FN.T @ deviation_FN

    def leave_out(self, groups_N: IntArray) -> Prediction:
        """Return the predictions by the regression without each group; their spread is that of the fit on all runs.

        Where each group lies in one fold, they are those without the whole fold: the same up to FOLDS mixtures, from a
        little fewer runs beyond.
        """
        pairs = {(int(group), int(fold)) for group, fold in zip(groups_N, self.folds_N, strict=True)}
        if len(pairs) == len(np.unique(groups_N)):
            return self._around(self.left_out_N, self.X_ND)
        _, parts = _without_each(self.regression, self.X_ND, self.y_N, groups_N, self.seed)
        return self._around(_left_out(parts, self.X_ND, groups_N), self.X_ND)

    def _around(self, mean_N: Array, X_ND: Array) -> Prediction:
        doubt_N = np.square(self._deviations(X_ND)).sum(axis=0)
        return Prediction(mean_N, np.sqrt(doubt_N), np.sqrt(doubt_N + self.noise))

    def _deviations(self, X_ND: Array) -> Array:
        """Return how the parts differ from their mean, scaled so that squares sum to the jackknife's variance."""
        found_FN = np.stack([part(X_ND) for part in self.parts])
        return np.sqrt((len(found_FN) - 1) / len(found_FN)) * (found_FN - found_FN.mean(axis=0))


def _without_each(
    regression: Regression, X_ND: Array, y_N: Array, groups_N: IntArray, seed: int
) -> tuple[Curve, tuple[Curve, ...]]:
    """Return the curve of all runs, and those without each group, in the order of the groups' numbers."""
    kept = [groups_N != group for group in np.unique(groups_N)]
    parts = tuple(regression(X_ND[rows], y_N=y_N[rows], seed=seed) for rows in kept)
    return regression(X_ND, y_N=y_N, seed=seed), parts


def _left_out(parts: tuple[Curve, ...], X_ND: Array, groups_N: IntArray) -> Array:
    found_N = np.empty(len(X_ND))
    for group, part in zip(np.unique(groups_N), parts, strict=True):
        found_N[groups_N == group] = part(X_ND[groups_N == group])
    return found_N
