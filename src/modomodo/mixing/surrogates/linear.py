"""Regressions that are linear in their coefficients: ridge on weights, on quadratic terms, and on powers of weights.

Axes: N runs or points, D domains, P terms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from modomodo.mixing.surrogates.base import Array
from modomodo.mixing.surrogates.resampled import Curve

FLOOR = 1e-3  # log(0 + FLOOR) is finite
PENALTIES = np.logspace(-4, 4, 25)  # of ridge, on standardised terms
POWERS = (0.0, 0.25, 0.5, 1.0)  # 0 is the logarithm

Terms = Callable[[Array], Array]
Coordinates = Literal["weights", "sqrt", "log"]


def coordinates(X_ND: Array, kind: Coordinates) -> Array:
    """Return weights, their square roots, or their logarithms, each about 0 to 1."""
    positive_ND = np.maximum(X_ND, 0)
    if kind == "log":
        return np.log(positive_ND + FLOOR) / -np.log(FLOOR) + 1
    return np.sqrt(positive_ND) if kind == "sqrt" else positive_ND


@dataclass(frozen=True)
class RidgeOn:
    """Ridge on terms of the coordinates, its penalty by leave-one-out error (generalised, in closed form)."""

    kind: Coordinates
    degree: Literal[1, 2]

    def __call__(self, X_ND: Array, *, y_N: Array, seed: int) -> Curve:
        return _ridge(self._terms, X_ND, y_N)[0]

    def _terms(self, X_ND: Array) -> Array:
        Z_ND = coordinates(X_ND, self.kind)
        if self.degree == 1:
            return Z_ND
        rows, columns = np.triu_indices(Z_ND.shape[1])
        return np.hstack([Z_ND, Z_ND[:, rows] * Z_ND[:, columns]])


@dataclass(frozen=True)
class PowerLaw:
    """y = c + sum of a_d (w_d + floor)^p: every domain has its own power law with a common exponent (BiMix form).

    The exponent (0 is the logarithm) is the one of POWERS with the least leave-one-out error; ridge keeps the
    coefficients small.
    """

    def __call__(self, X_ND: Array, *, y_N: Array, seed: int) -> Curve:
        fits = [_ridge(_Powers(power), X_ND, y_N) for power in POWERS]
        return min(fits, key=lambda one: one[1])[0]


@dataclass(frozen=True)
class _Powers:
    power: float

    def __call__(self, X_ND: Array) -> Array:
        floored_ND = np.maximum(X_ND, 0) + FLOOR
        return np.log(floored_ND) if self.power == 0 else floored_ND**self.power


def _ridge(terms: Terms, X_ND: Array, y_N: Array) -> tuple[Curve, float]:
    """Return the ridge regression on standardised terms, and its least leave-one-out mean squared error."""
    from sklearn.linear_model import RidgeCV  # pyright: ignore[reportMissingTypeStubs]

    P_NP = terms(X_ND)
    centre_P, scale_P = P_NP.mean(axis=0), P_NP.std(axis=0)
    scale_P = np.where(scale_P > 1e-12, scale_P, 1.0)
    offset, spread = float(y_N.mean()), float(y_N.std()) or 1.0
    model = cast(Any, RidgeCV)(PENALTIES, fit_intercept=True).fit((P_NP - centre_P) / scale_P, (y_N - offset) / spread)
    coefficients_P = np.asarray(model.coef_, dtype=np.float64) / scale_P

    def curve(X_ND: Array) -> Array:
        return offset + spread * (float(model.intercept_) + (terms(X_ND) - centre_P) @ coefficients_P)

    return curve, -float(model.best_score_)
