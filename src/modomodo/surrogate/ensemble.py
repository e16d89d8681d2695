"""Several surrogates as one: each counts by how likely it made the runs that it had not seen.

Axes: N runs or points, M members.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modomodo.surrogate.base import Array, FittedSurrogate, IntArray, Prediction, Surrogate

PRIOR = 1.0  # pseudo-runs of each member: few runs must not leave one member alone
ROUNDS = 200


@dataclass(frozen=True)
class Ensemble:
    """A mixture of surrogates with the weights of greatest leave-one-out predictive likelihood (stacking of predictive
    distributions, Yao et al. 2018), held together by a prior of a few pseudo-runs."""

    members: tuple[Surrogate, ...]

    @property
    def minimum(self) -> int:
        return max(member.minimum for member in self.members)

    def fit(self, X_ND: Array, *, y_N: Array, var_N: Array, seed: int) -> "FittedEnsemble":
        """Return the members, each fitted to all runs, and their weights."""
        fitted = [member.fit(X_ND, y_N=y_N, var_N=var_N, seed=seed) for member in self.members]
        groups_N = np.unique(np.round(X_ND, 9), axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
        left_out = [member.leave_out(groups_N) for member in fitted]
        return FittedEnsemble(tuple(fitted), _stacked(left_out, y_N))


@dataclass(frozen=True, eq=False)
class FittedEnsemble:
    """The fitted members and their weights, which sum to 1."""

    members: tuple[FittedSurrogate, ...]
    weights_M: Array

    def mean(self, X_ND: Array) -> Array:
        return self.weights_M @ np.stack([member.mean(X_ND) for member in self.members])

    def predict(self, X_ND: Array) -> Prediction:
        return self._mixed([member.predict(X_ND) for member in self.members])

    def covariance(self, X_ND: Array) -> Array:
        mean_MN = np.stack([member.mean(X_ND) for member in self.members])
        apart_MN = mean_MN - self.weights_M @ mean_MN
        inside_MNN = np.stack([member.covariance(X_ND) for member in self.members])
        return np.einsum("m,mij->ij", self.weights_M, inside_MNN + apart_MN[:, :, None] * apart_MN[:, None, :])

    def leave_out(self, groups_N: IntArray) -> Prediction:
        """Return the members' own leave-one-out predictions, under the weights of all runs."""
        return self._mixed([member.leave_out(groups_N) for member in self.members])

    def _mixed(self, found: Sequence[Prediction]) -> Prediction:
        mean_MN = np.stack([one.mean_N for one in found])
        mean_N = self.weights_M @ mean_MN
        apart_N = self.weights_M @ np.square(mean_MN - mean_N)

        def spread(sd_MN: Array) -> Array:
            return np.sqrt(self.weights_M @ np.square(sd_MN) + apart_N)

        return Prediction(
            mean_N,
            spread(np.stack([one.sd_mean_N for one in found])),
            spread(np.stack([one.sd_new_N for one in found])),
        )


def _stacked(left_out: Sequence[Prediction], y_N: Array) -> Array:
    """Return the weights, by expectation maximisation."""
    mean_MN = np.stack([one.mean_N for one in left_out])
    sd_MN = np.stack([one.sd_new_N for one in left_out])
    log_MN = -0.5 * np.square((y_N - mean_MN) / sd_MN) - np.log(sd_MN)
    log_MN = log_MN[:, np.isfinite(log_MN).all(axis=0)]
    count = len(left_out)
    weights_M = np.full(count, 1 / count)
    if log_MN.shape[1] == 0:
        return weights_M
    likely_MN = np.exp(log_MN - log_MN.max(axis=0))
    for _ in range(ROUNDS):
        share_MN = weights_M[:, None] * likely_MN
        total_M = (share_MN / share_MN.sum(axis=0)).sum(axis=1) + PRIOR
        weights_M = total_M / total_M.sum()
    return weights_M
