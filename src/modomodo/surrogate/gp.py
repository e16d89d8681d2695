"""A Gaussian process on warped weights that is unsure of its own settings too.

Axes: N runs or points, D domains, E coordinates (D, and one for the length of runs that differ in it), T settings
(signal, E length scales, noise), S draws of the settings.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from modomodo.seeds import child_rng
from modomodo.surrogate.base import Array, IntArray, Prediction, known_variance

FLOOR = 3e-4  # log(0 + FLOOR) is finite
JITTER = 1e-8
DOUBLINGS = 3.0  # of training, after which a run is expected to tell little about a longer one
LIMIT = 4.0  # settings stay within this many prior standard deviations


@dataclass(frozen=True)
class GaussianProcess:
    """Matern-5/2 with one length scale per domain, on w ** power (log(w + FLOOR) for power 0), on standardised scores.

    The power says how much the first rows of a domain count beside later ones. Each run's known variance enters as it
    is, beside a learned seed-noise variance. The settings have lognormal priors (medians: signal variance 1, length
    scale 2 sqrt(D) times the spread of the runs' coordinates, noise variance 0.2; standard deviations of the logs 1,
    1.6, 1.5): weak enough for most domains to drop out, strong enough for 8 runs. Their mode is found from three
    starts and gives the mean; the curvature there gives draws of the settings (Laplace), whose spread around that mean
    counts as doubt. With the mode alone, 90 % intervals held 65 to 85 % in simulations with 8 to 30 runs; the mean over
    the draws, in turn, ranks mixtures less well than the mode. Algebra: scikit-learn.
    """

    power: float = 0.25
    minimum: int = 3
    draws: int = 16

    def fit(
        self, X_ND: Array, *, y_N: Array, var_N: Array, seed: int, late_N: Array | None = None
    ) -> "FittedGaussianProcess":
        """Return the fitted process; `seed` draws the settings whose spread is doubt.

        `late_N`, where runs differ in length, are log2(steps / steps predicted for). It enters as one more coordinate,
        whose learned length scale says how much a short run tells of a long one, beside a shift common to all mixtures.
        """
        from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingTypeStubs]

        variance_N, new_variance = known_variance(var_N)
        spread = float(np.std(y_N, ddof=1)) if len(y_N) > 1 else 0.0
        # Equal scores have no spread: any small scale will do.
        scale = max(spread, float(np.sqrt(new_variance)), 1e-6 * max(1.0, float(np.abs(y_N).max())))
        z_N, alpha_N, staged = (y_N - y_N.mean()) / scale, variance_N / scale**2 + JITTER, late_N is not None
        Z_NE = np.c_[warped(X_ND, self.power), late_N] if staged else warped(X_ND, self.power)
        # Matrices are small: more threads are slower, and their rounding would depend on the machine.
        with threadpool_limits(1):
            theta_ST = _settings(Z_NE, z_N, alpha_N, staged, self.draws, seed)
            processes = tuple(
                _regressor(_kernel(theta_T[:-1], staged), alpha_N + np.exp(theta_T[-1])).fit(Z_NE, z_N)
                for theta_T in theta_ST
            )
        noise_S = np.exp(theta_ST[:, -1])
        return FittedGaussianProcess(
            self.power, staged, processes, noise_S, alpha_N, float(y_N.mean()), scale, new_variance / scale**2
        )


@dataclass(frozen=True, eq=False)
class FittedGaussianProcess:
    """One scikit-learn regressor for the mode of the settings, the first, and one per draw of them.

    `noise_S` (learned seed noise), `alpha_N` (known noise) and `new_variance` (of evaluating one new run) are variances
    in units of `scale ** 2`.
    """

    power: float
    staged: bool
    processes: tuple[Any, ...]
    noise_S: Array
    alpha_N: Array
    offset: float
    scale: float
    new_variance: float

    def mean(self, X_ND: Array) -> Array:
        return self.offset + self.scale * _process_mean(self.processes[0], self._coordinates(X_ND))

    def predict(self, X_ND: Array) -> Prediction:
        Z_NE = self._coordinates(X_ND)
        found = [cast(tuple[Array, Array], process.predict(Z_NE, return_std=True)) for process in self.processes]
        mean_SN, sd_SN = np.array([mean for mean, _ in found]), np.array([sd for _, sd in found])
        variance_N = np.mean(sd_SN**2 + (mean_SN - mean_SN[0]) ** 2, axis=0)
        new_N = variance_N + self.noise_S.mean() + self.new_variance
        mean_N = self.offset + self.scale * mean_SN[0]
        return Prediction(mean_N, self.scale * np.sqrt(variance_N), self.scale * np.sqrt(new_N))

    def covariance(self, X_ND: Array) -> Array:
        Z_NE = self._coordinates(X_ND)
        found = [cast(tuple[Array, Array], process.predict(Z_NE, return_cov=True)) for process in self.processes]
        mean_SN = np.array([mean for mean, _ in found])
        centred_SN = mean_SN - mean_SN[0]
        inside_NN = np.mean(np.array([covariance for _, covariance in found]), axis=0)
        return self.scale**2 * (inside_NN + centred_SN.T @ centred_SN / len(mean_SN))

    def leave_out(self, groups_N: IntArray) -> Prediction:
        """In closed form (Rasmussen and Williams, eq. 5.12, by blocks); the settings are reweighted by 1 / p(left out).

        The reweighting (importance sampling, weights cut at sqrt(S)) stands for fitting the settings anew.
        """
        n, draws = len(groups_N), len(self.processes)
        inverse_SNN = np.array([_inverse(process) for process in self.processes])
        z_N = np.asarray(self.processes[0].y_train_, dtype=np.float64)
        mean_N, variance_N, new_N = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
        for group in np.unique(groups_N):
            rows = np.flatnonzero(groups_N == group)
            block_SGG = np.linalg.inv(inverse_SNN[:, rows[:, None], rows])
            error_SG = np.einsum("sgh,sh->sg", block_SGG, (inverse_SNN @ z_N)[:, rows])
            fit_S = np.einsum("sg,sgh,sh->s", error_SG, np.linalg.inv(block_SGG), error_SG)
            log_S = 0.5 * (fit_S + np.linalg.slogdet(block_SGG)[1])
            weight_S = np.exp(log_S - log_S.max())
            weight_S = np.minimum(weight_S / weight_S.mean(), np.sqrt(draws))
            weight_S = weight_S / weight_S.sum()
            mean_SG, run_SG = z_N[rows] - error_SG, np.diagonal(block_SGG, axis1=1, axis2=2)
            mean_N[rows] = weight_S @ mean_SG
            new_N[rows] = weight_S @ (run_SG + (mean_SG - mean_N[rows]) ** 2)
            variance_N[rows] = np.maximum(new_N[rows] - self.alpha_N[rows] - weight_S @ self.noise_S, 0)
        return Prediction(
            self.offset + self.scale * mean_N, self.scale * np.sqrt(variance_N), self.scale * np.sqrt(new_N)
        )

    def _coordinates(self, X_ND: Array) -> Array:
        Z_ND = warped(X_ND, self.power)
        return np.c_[Z_ND, np.zeros(len(Z_ND))] if self.staged else Z_ND


def warped(X_ND: Array, power: float) -> Array:
    """Return w ** power, or log(w + FLOOR) for power 0; weights 0 and 1 map to 0 and about 1."""
    positive_ND = np.maximum(X_ND, 0)
    return np.log(positive_ND + FLOOR) / -np.log(FLOOR) + 1 if power == 0 else positive_ND**power


def _settings(Z_NE: Array, z_N: Array, alpha_N: Array, staged: bool, draws: int, seed: int) -> Array:
    """Return the mode of the log settings, then draws around it (Laplace, in mirrored pairs), shape [1 + draws, T]."""
    from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

    minimize = cast(Any, optimize).minimize
    terms = Z_NE.shape[1] + 2
    centre_T, spread_T = _prior(Z_NE, staged)
    loss = _penalised_loss(Z_NE, z_N, alpha_N, staged)
    best_T, best = np.zeros(terms), np.inf
    for length, noise in ((0.0, 0.0), (-1.0, -1.0), (1.0, 1.0)):
        start_T = np.r_[0.0, np.full(terms - 2, length), noise]
        found = minimize(loss, start_T, jac=True, method="L-BFGS-B", bounds=[(-LIMIT, LIMIT)] * terms)
        if found.fun < best - 1e-6:
            best_T, best = np.asarray(found.x, dtype=np.float64), float(found.fun)
    step = 1e-3
    slopes_TT = [(loss(best_T + step * unit_T)[1] - loss(best_T - step * unit_T)[1]) for unit_T in np.eye(terms)]
    curvature_TT = np.array(slopes_TT) / (2 * step)
    values_T, vectors_TT = np.linalg.eigh((curvature_TT + curvature_TT.T) / 2)
    # At least half the spread of the prior is taken as known: wider draws leave the mode, and its good ranks, behind.
    half_ST = child_rng(seed, "gp", "settings").normal(size=(draws // 2, terms))
    draw_ST = np.vstack([np.zeros((1, terms)), half_ST, -half_ST]) / np.sqrt(np.maximum(values_T, 4.0))
    return centre_T + spread_T * np.clip(best_T + draw_ST @ vectors_TT.T, -LIMIT, LIMIT)


def _prior(Z_NE: Array, staged: bool) -> tuple[Array, Array]:
    """Return means and standard deviations of the log settings, both shape [T]."""
    axes = Z_NE.shape[1]
    domains = axes - staged
    spread = max(float(Z_NE[:, :domains].var(axis=0).mean()) ** 0.5, 1e-3)
    # Distances grow with sqrt(D), and so do length scales (Hvarfner et al. 2024, arXiv 2402.02229).
    lengths_E = np.r_[np.full(domains, np.log(2 * spread * np.sqrt(domains))), [np.log(DOUBLINGS)] * staged]
    return np.r_[0.0, lengths_E, np.log(0.2)], np.r_[1.0, np.full(axes, 1.6), 1.5]


def _penalised_loss(Z_NE: Array, z_N: Array, alpha_N: Array, staged: bool) -> Callable[[Array], tuple[float, Array]]:
    """Return minus the log posterior of the settings, and its slope, as a function of them in units of the prior."""
    from sklearn.gaussian_process.kernels import WhiteKernel  # pyright: ignore[reportMissingTypeStubs]

    centre_T, spread_T = _prior(Z_NE, staged)
    wide = (1e-12, 1e12)
    process = _regressor(_kernel(centre_T[:-1], staged) + WhiteKernel(1.0, wide), alpha_N).fit(Z_NE, z_N)

    def loss(unit_T: Array) -> tuple[float, Array]:
        value, slope_T = process.log_marginal_likelihood(
            centre_T + spread_T * unit_T, eval_gradient=True, clone_kernel=False
        )
        return 0.5 * float(unit_T @ unit_T) - float(value), unit_T - spread_T * slope_T

    return loss


def _kernel(theta: Array, staged: bool) -> Any:
    """Return signal variance times Matern-5/2, from the logs of both, on top of an unknown mean.

    The mean has prior variance 1: the runs decide it, so that a run left out really is left out. Where runs differ in
    length it has as much for each length, neighbouring ones alike: what all mixtures gain by longer training.
    """
    from sklearn.gaussian_process.kernels import (  # pyright: ignore[reportMissingTypeStubs]
        ConstantKernel,
        Matern,
    )

    wide = (1e-12, 1e12)
    signal, lengths_E = float(np.exp(theta[0])), np.exp(theta[1:])
    mean: Any = ConstantKernel(1.0, "fixed")
    if staged:
        shared_E = np.r_[np.full(len(lengths_E) - 1, 1e9), DOUBLINGS]
        mean = mean + Matern(shared_E, "fixed", nu=2.5)
    return mean + ConstantKernel(signal, wide) * Matern(cast(Any, lengths_E), wide, nu=2.5)


def _regressor(kernel: Any, alpha_N: Array) -> Any:
    from sklearn import gaussian_process  # pyright: ignore[reportMissingTypeStubs]

    return cast(Any, gaussian_process.GaussianProcessRegressor)(kernel, alpha=alpha_N, optimizer=None)


def _process_mean(process: Any, Z_NE: Array) -> Array:
    return np.asarray(process.kernel_(Z_NE, process.X_train_) @ process.alpha_, dtype=np.float64)


def _inverse(process: Any) -> Array:
    lower_NN = np.asarray(process.L_, dtype=np.float64)
    half_NN = np.linalg.inv(lower_NN)
    return half_NN.T @ half_NN
