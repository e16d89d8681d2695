"""The settings of the Gaussian process: their prior, mode, draws around it, and the mode without some of the runs.

Axes: N runs, E coordinates (domains, and one for the length of runs that differ in it), T settings (signal, length
scales of the E coordinates or one for all, noise), S draws of the settings, G groups of runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from modomodo.core.seeds import child_rng
from modomodo.mixing.surrogates.base import Array, IntArray

LIMIT = 4.0  # settings stay within this many prior standard deviations
DOUBLINGS = 3.0  # of training, after which a run is expected to tell little about a longer one
STEP = 1e-3  # of numerical slopes


@dataclass(frozen=True, eq=False)
class Data:
    """What a process learns from: coordinates, standardised scores, known noise; `staged` with a last coordinate for
    the length of runs; `alike` with one length scale for all coordinates."""

    Z_NE: Array
    z_N: Array
    alpha_N: Array
    staged: bool
    alike: bool = False

    def precision(self, theta_T: Array) -> Array:
        """Return the inverse covariance of the scores under settings, shape [N, N]."""
        covariance_NN = np.asarray(kernel_of(theta_T[:-1], self.staged)(self.Z_NE), dtype=np.float64)
        noise_N = self.alpha_N + np.exp(theta_T[-1])
        return np.asarray(np.linalg.inv(covariance_NN + np.diag(noise_N)), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Settings:
    """The mode of the settings in units of the prior, and the curvature there: `values_T`, `vectors_TT`."""

    data: Data
    mode_T: Array
    values_T: Array
    vectors_TT: Array

    def logs(self, unit_ST: Array) -> Array:
        """Return the logs of settings given in units of the prior."""
        centre_T, spread_T = _prior(self.data)
        return centre_T + spread_T * np.clip(unit_ST, -LIMIT, LIMIT)

    def mode_and_draws(self, draws: int, seed: int) -> Array:
        """Return the logs of the mode, then draws around it (Laplace, in mirrored pairs), shape [1 + draws, T]."""
        terms = len(self.mode_T)
        # Half the spread of the prior at most: wider draws leave the mode, and its good ranks, behind.
        half_ST = child_rng(seed, "gp", "settings").normal(size=(draws // 2, terms))
        draw_ST = np.vstack([np.zeros((1, terms)), half_ST, -half_ST]) / np.sqrt(np.maximum(self.values_T, 4.0))
        return self.logs(self.mode_T + draw_ST @ self.vectors_TT.T)

    def without_each(self, groups_N: IntArray) -> Array:
        """Return the logs of the modes without each group, shape [G, T], one Newton step away from that of all runs.

        Leaving a group out takes its log density given the others off the loss (Giordano et al. 2019).
        """

        def densities(unit_T: Array) -> Array:
            return left_out(self.data.precision(self.logs(unit_T)), self.data.z_N, groups_N)[2]

        units_TT = STEP * np.eye(len(self.mode_T))
        slope_TG = np.array([densities(self.mode_T + u) - densities(self.mode_T - u) for u in units_TT]) / (2 * STEP)
        turned_TG = self.vectors_TT.T @ slope_TG / np.maximum(self.values_T, 1.0)[:, None]
        return self.logs(self.mode_T - np.clip(self.vectors_TT @ turned_TG, -1, 1).T)


def left_out(precision_NN: Array, z_N: Array, groups_N: IntArray) -> tuple[Array, Array, Array]:
    """Return each run's mean [N] and variance [N] given the runs of other groups, and each group's log density [G].

    In closed form (Rasmussen and Williams, eq. 5.12), by blocks where a group has several runs.
    """
    pull_N, diagonal_N = precision_NN @ z_N, np.diag(precision_NN)
    error_N, variance_N = pull_N / diagonal_N, 1 / diagonal_N
    numbers_N, sizes_G = np.unique(groups_N, return_inverse=True, return_counts=True)[1:]
    log_N = -0.5 * (error_N**2 / variance_N + np.log(variance_N))
    log_G = np.zeros(len(sizes_G))
    np.add.at(log_G, numbers_N, log_N)
    for group in np.flatnonzero(sizes_G > 1):
        rows = np.flatnonzero(numbers_N == group)
        block_GG = precision_NN[np.ix_(rows, rows)]
        covariance_GG = np.linalg.inv(block_GG)
        error_N[rows], variance_N[rows] = covariance_GG @ pull_N[rows], np.diag(covariance_GG)
        log_G[group] = -0.5 * (error_N[rows] @ block_GG @ error_N[rows] - np.linalg.slogdet(block_GG)[1])
    return z_N - error_N, variance_N, log_G


def settings_of(data: Data) -> Settings:
    """Return the mode of the settings, from three starts, and the curvature there."""
    from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

    minimize = cast(Any, optimize).minimize
    loss, terms = _penalised_loss(data), len(_prior(data)[0])
    best_T, best = np.zeros(terms), np.inf
    for length, noise in ((0.0, 0.0), (-1.0, -1.0), (1.0, 1.0)):
        start_T = np.r_[0.0, np.full(terms - 2, length), noise]
        result = minimize(loss, start_T, jac=True, method="L-BFGS-B", bounds=[(-LIMIT, LIMIT)] * terms)
        if result.fun < best - 1e-6:
            best_T, best = np.asarray(result.x, dtype=np.float64), float(result.fun)
    slopes_TT = [(loss(best_T + STEP * unit_T)[1] - loss(best_T - STEP * unit_T)[1]) for unit_T in np.eye(terms)]
    curvature_TT = np.array(slopes_TT) / (2 * STEP)
    return Settings(data, best_T, *np.linalg.eigh((curvature_TT + curvature_TT.T) / 2))


def _prior(data: Data) -> tuple[Array, Array]:
    """Return means and standard deviations of the log settings, both shape [T]."""
    domains = data.Z_NE.shape[1] - data.staged
    spread = max(float(data.Z_NE[:, :domains].var(axis=0).mean()) ** 0.5, 1e-3)
    # Distances grow with sqrt(D), and so do length scales (Hvarfner et al. 2024, arXiv 2402.02229).
    length, count = np.log(2 * spread * np.sqrt(domains)), 1 if data.alike else domains
    lengths_E = np.r_[np.full(count, length), [np.log(DOUBLINGS)] * data.staged]
    return np.r_[0.0, lengths_E, np.log(0.2)], np.r_[1.0, np.full(len(lengths_E), 1.6), 1.5]


def _penalised_loss(data: Data) -> Callable[[Array], tuple[float, Array]]:
    """Return minus the log posterior of the settings, and its slope, as a function of them in units of the prior."""
    from sklearn.gaussian_process.kernels import WhiteKernel  # pyright: ignore[reportMissingTypeStubs]

    centre_T, spread_T = _prior(data)
    wide = (1e-12, 1e12)
    kernel = kernel_of(centre_T[:-1], data.staged) + WhiteKernel(1.0, wide)
    process = regressor(kernel, data.alpha_N).fit(data.Z_NE, data.z_N)

    def loss(unit_T: Array) -> tuple[float, Array]:
        value, slope_T = process.log_marginal_likelihood(
            centre_T + spread_T * unit_T, eval_gradient=True, clone_kernel=False
        )
        return 0.5 * float(unit_T @ unit_T) - float(value), unit_T - spread_T * slope_T

    return loss


def kernel_of(theta: Array, staged: bool) -> Any:
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


def regressor(kernel: Any, alpha_N: Array) -> Any:
    from sklearn import gaussian_process  # pyright: ignore[reportMissingTypeStubs]

    return cast(Any, gaussian_process.GaussianProcessRegressor)(kernel, alpha=alpha_N, optimizer=None)
