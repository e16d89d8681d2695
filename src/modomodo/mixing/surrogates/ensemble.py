"""Several surrogates as one: each counts by how likely it made the runs that it had not seen.

Axes: N runs or points, D domains, M members.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modomodo.mixing.surrogates.adjusted import Adjusted, residuals, scaled, spread_factor
from modomodo.mixing.surrogates.base import Array, IntArray, Prediction, Surrogate

ROUNDS = 200
TINY = 1e-30  # a variance, for scores that are all equal


@dataclass(frozen=True)
class Ensemble:
    """A mixture of surrogates with the weights of greatest leave-one-out predictive likelihood (stacking of predictive
    distributions, Yao et al. 2018), held together by a prior: `pseudo_runs` of each member.

    Before they are compared, the spreads of each are made to fit its own left-out errors: else a good member with wide
    spreads loses to a bad one that admits it.
    """

    members: tuple[Surrogate, ...]
    pseudo_runs: tuple[float, ...]

    @property
    def minimum(self) -> int:
        return max(member.minimum for member in self.members)

    def fit(self, X_ND: Array, *, y_N: Array, var_N: Array, seed: int) -> "FittedEnsemble":
        """Return the members, each fitted to all runs, and their weights."""
        fitted = [member.fit(X_ND, y_N=y_N, var_N=var_N, seed=seed) for member in self.members]
        groups_N = np.unique(np.round(X_ND, 9), axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
        left_out = [member.leave_out(groups_N) for member in fitted]
        factors = [spread_factor(residuals(y_N, one)[:, None]) for one in left_out]
        left_out = [scaled(one, factor) for one, factor in zip(left_out, factors, strict=True)]
        order_D: IntArray = np.arange(X_ND.shape[1], dtype=np.int64)
        adjusted = (Adjusted(one, order_D, factor) for one, factor in zip(fitted, factors, strict=True))
        return FittedEnsemble(tuple(adjusted), _stacked(left_out, y_N, np.array(self.pseudo_runs)))


@dataclass(frozen=True, eq=False)
class FittedEnsemble:
    """The fitted members and their weights, which sum to 1."""

    members: tuple[Adjusted, ...]
    weights_M: Array

    def mean(self, X_ND: Array) -> Array:
        return self.weights_M @ np.stack([member.mean(X_ND) for member in self.members])

    def predict(self, X_ND: Array) -> Prediction:
        return self._mixed([member.predict(X_ND) for member in self.members])

    def covariance(self, X_ND: Array) -> Array:
        mean_MN = np.stack([member.mean(X_ND) for member in self.members])
        apart_MN = mean_MN - self.weights_M @ mean_MN
        inside_MNN = np.stack([member.covariance(X_ND) for member in self.members])
        within_NN = np.einsum("m,mij->ij", self.weights_M, inside_MNN)
        # Correlations are those of the members' mixture, spreads those that `predict` gives.
        wanted_N = self._pooled(np.diagonal(inside_MNN, axis1=1, axis2=2))
        ratio_N = np.sqrt(wanted_N / np.maximum(np.diag(within_NN), TINY))
        between_NN = np.einsum("m,mi,mj->ij", self.weights_M, apart_MN, apart_MN)
        return np.outer(ratio_N, ratio_N) * within_NN + between_NN

    def leave_out(self, groups_N: IntArray) -> Prediction:
        """Return the members' own leave-one-out predictions, under the weights of all runs."""
        return self._mixed([member.leave_out(groups_N) for member in self.members])

    def _mixed(self, found: Sequence[Prediction]) -> Prediction:
        mean_MN = np.stack([one.mean_N for one in found])
        mean_N = self.weights_M @ mean_MN
        apart_N = self.weights_M @ np.square(mean_MN - mean_N)

        def spread(sd_MN: Array) -> Array:
            return np.sqrt(self._pooled(np.square(sd_MN)) + apart_N)

        return Prediction(
            mean_N,
            spread(np.stack([one.sd_mean_N for one in found])),
            spread(np.stack([one.sd_new_N for one in found])),
        )

    def _pooled(self, variance_MN: Array) -> Array:
        """Return the weighted harmonic mean of variances (that of the product of the members' densities, each to the
        power of its weight): a member that knows little must not make the tails of all."""
        return 1 / (self.weights_M @ (1 / np.maximum(variance_MN, TINY)))


def _stacked(left_out: Sequence[Prediction], y_N: Array, prior_M: Array) -> Array:
    """Return the weights, by expectation maximisation."""
    mean_MN = np.stack([one.mean_N for one in left_out])
    sd_MN = np.stack([one.sd_new_N for one in left_out])
    sd_MN = np.maximum(sd_MN, 1e-12 * max(1.0, float(np.abs(y_N).max())))  # equal scores leave no spread
    log_MN = -0.5 * np.square((y_N - mean_MN) / sd_MN) - np.log(sd_MN)
    log_MN = log_MN[:, np.isfinite(log_MN).all(axis=0)]
    weights_M = prior_M / prior_M.sum()
    if log_MN.shape[1] == 0:
        return weights_M
    likely_MN = np.exp(log_MN - log_MN.max(axis=0))
    for _ in range(ROUNDS):
        share_MN = weights_M[:, None] * likely_MN
        total_M = (share_MN / share_MN.sum(axis=0)).sum(axis=1) + prior_M
        weights_M = total_M / total_M.sum()
    return weights_M
