"""Surrogates with a closed form: the paper's least-squares quadratic, and the plain mean.

Axes: N runs or points, D domains, P terms of the quadratic.
"""

from dataclasses import dataclass

import numpy as np

from modomodo.core.seeds import child_rng
from modomodo.mixing.surrogates.base import Array, IntArray, Prediction, known_variance, refit_each

SPLITS = 5
TEST_SHARE = 0.2
CUTOFF = 1e-8  # terms are collinear (weights sum to 1): drops those directions, whatever the rounding of weights
SAME = 1e-9  # between the weights of equal mixtures


@dataclass(frozen=True)
class PaperQuadratic:
    """The surrogate of MoDoMoDo (arXiv 2505.24871, "model-based" strategy), as published.

    The paper fits the aggregate, so for its very numbers give a table whose one benchmark is the aggregate.
    a + b'w + w'Cw by ordinary least squares (of minimum norm where the terms outnumber the runs) on five random 80/20
    splits; the split with the best held-out R2 is kept, and fitted on its 80 % only. Known noise is ignored. The paper
    gives no spread. Ours comes from residuals: the variance of a new run is the mean squared held-out error over all
    five splits (the kept split alone was chosen for its small error), and the variance of the expected score is that
    times the leverage. It says nothing about the wrong shape of a quadratic: do not trust it off the data.
    """

    minimum: int = 5

    def fit(self, X_ND: Array, *, y_N: Array, var_N: Array, seed: int) -> "FittedQuadratic":
        """Return the fit of the best of five splits; `seed` draws the splits."""
        n = len(y_N)
        n_test = max(1, round(TEST_SHARE * n))
        P_NP = _quadratic_terms(X_ND)
        best, best_r2, squares = np.arange(n), -np.inf, list[float]()
        for split in range(SPLITS):
            order = child_rng(seed, "paper", split).permutation(n)
            test, train = order[:n_test], order[n_test:]
            error_T = y_N[test] - P_NP[test] @ _least_squares(P_NP[train], y_N[train])
            squares.extend(np.square(error_T).tolist())
            spread = float(np.sum(np.square(y_N[test] - y_N[test].mean())))
            # One held-out run has no R2: the smallest squared error is then the best.
            r2 = -float(np.sum(np.square(error_T))) / (spread if spread > 0 else 1.0)
            if r2 > best_r2:
                best, best_r2 = train, r2
        inverse_PN = np.asarray(np.linalg.pinv(P_NP[best], rcond=CUTOFF), dtype=np.float64)
        gram_PP = inverse_PN @ inverse_PN.T
        coefficients_P = _least_squares(P_NP[best], y_N[best])
        return FittedQuadratic(self, X_ND, y_N, var_N, seed, coefficients_P, gram_PP, float(np.mean(squares)))


@dataclass(frozen=True, eq=False)
class FittedQuadratic:
    """Coefficients of the kept split, the inverse Gram matrix of its terms, and the mean squared held-out error."""

    settings: PaperQuadratic
    X_ND: Array
    y_N: Array
    var_N: Array
    seed: int
    coefficients_P: Array
    gram_PP: Array
    residual_variance: float

    def mean(self, X_ND: Array) -> Array:
        return _quadratic_terms(X_ND) @ self.coefficients_P

    def predict(self, X_ND: Array) -> Prediction:
        P_NP = _quadratic_terms(X_ND)
        leverage_N = np.maximum(np.einsum("np,pq,nq->n", P_NP, self.gram_PP, P_NP), 0)
        variance_N = self.residual_variance * leverage_N
        return Prediction(self.mean(X_ND), np.sqrt(variance_N), np.sqrt(variance_N + self.residual_variance))

    def covariance(self, X_ND: Array) -> Array:
        P_NP = _quadratic_terms(X_ND)
        return self.residual_variance * P_NP @ self.gram_PP @ P_NP.T

    def leave_out(self, groups_N: IntArray) -> Prediction:
        def fit(rows: IntArray) -> FittedQuadratic:
            return self.settings.fit(self.X_ND[rows], y_N=self.y_N[rows], var_N=self.var_N[rows], seed=self.seed)

        return refit_each(fit, X_ND=self.X_ND, groups_N=groups_N)


@dataclass(frozen=True)
class Mean:
    """The mean of the runs, whatever the mixture: what a surrogate has to beat.

    With `effects` 0 all mixtures are alike. Else they differ in ways that their weights don't tell: that share of the
    variance of runs beyond the known noise is the mixtures' doing, and the rest is luck.
    """

    minimum: int = 2
    effects: float = 0.0

    def fit(self, X_ND: Array, *, y_N: Array, var_N: Array, seed: int) -> "FittedMean":
        """Return the mean, with the spread of the runs (never less than the known noise) as the noise of a new run."""
        typical = known_variance(var_N)[1]
        sample = float(np.var(y_N, ddof=1)) if len(y_N) > 1 else 0.0
        return FittedMean(self, X_ND, y_N, var_N, seed, max(sample, typical), self.effects * max(sample - typical, 0.0))


@dataclass(frozen=True, eq=False)
class FittedMean:
    """The training runs, the variance of one run, and that part of it which is due to the mixture."""

    settings: Mean
    X_ND: Array
    y_N: Array
    var_N: Array
    seed: int
    run_variance: float
    effect_variance: float

    def mean(self, X_ND: Array) -> Array:
        return np.full(len(X_ND), self.y_N.mean())

    def predict(self, X_ND: Array) -> Prediction:
        shared_N = np.full(len(X_ND), self.run_variance / len(self.y_N))
        sd_mean_N, sd_new_N = np.sqrt(shared_N + self.effect_variance), np.sqrt(shared_N + self.run_variance)
        return Prediction(self.mean(X_ND), sd_mean_N, sd_new_N)

    def covariance(self, X_ND: Array) -> Array:
        same_NN = np.abs(X_ND[:, None] - X_ND).max(axis=2) < SAME
        return self.run_variance / len(self.y_N) + self.effect_variance * same_NN

    def leave_out(self, groups_N: IntArray) -> Prediction:
        def fit(rows: IntArray) -> FittedMean:
            return self.settings.fit(self.X_ND[rows], y_N=self.y_N[rows], var_N=self.var_N[rows], seed=self.seed)

        return refit_each(fit, X_ND=self.X_ND, groups_N=groups_N)


def _quadratic_terms(X_ND: Array) -> Array:
    """Return 1, each w_i, and each w_i w_j with i <= j: shape [N, 1 + D + D(D+1)/2]."""
    rows, columns = np.triu_indices(X_ND.shape[1])
    return np.hstack([np.ones((len(X_ND), 1)), X_ND, X_ND[:, rows] * X_ND[:, columns]])


def _least_squares(P_NP: Array, y_N: Array) -> Array:
    return np.asarray(np.linalg.lstsq(P_NP, y_N, rcond=CUTOFF)[0], dtype=np.float64)
