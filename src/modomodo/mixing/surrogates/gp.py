"""A Gaussian process on warped weights that is unsure of its own settings too.

Axes: N runs or points, D domains, E coordinates (D, and one for the length of runs that differ in it), T settings
(signal, E length scales, noise), S draws of the settings.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from modomodo.mixing.surrogates.base import Array, IntArray, Prediction, known_variance
from modomodo.mixing.surrogates.gp_settings import Data, Settings, kernel_of, left_out, regressor, settings_of

FLOOR = 3e-4  # log(0 + FLOOR) is finite
JITTER = 1e-8


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

    With `alike` all domains share one length scale, unless runs differ in length: few runs then never say that a domain
    makes no difference.
    """

    power: float = 0.25
    minimum: int = 3
    draws: int = 16
    alike: bool = False

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
        scale = max(spread, float(np.sqrt(new_variance)), 1e-6 * float(np.abs(y_N).max()), 1e-100)
        z_N, alpha_N, staged = (y_N - y_N.mean()) / scale, variance_N / scale**2 + JITTER, late_N is not None
        Z_NE = np.c_[warped(X_ND, self.power), late_N] if staged else warped(X_ND, self.power)
        # Matrices are small: more threads are slower, and their rounding would depend on the machine.
        with threadpool_limits(1):
            settings = settings_of(Data(Z_NE, z_N, alpha_N, staged, self.alike and not staged))
            theta_ST = settings.mode_and_draws(self.draws, seed)
            processes = tuple(
                regressor(kernel_of(theta_T[:-1], staged), alpha_N + np.exp(theta_T[-1])).fit(Z_NE, z_N)
                for theta_T in theta_ST
            )
        noise_S = np.exp(theta_ST[:, -1])
        return FittedGaussianProcess(
            self.power, settings, processes, noise_S, float(y_N.mean()), scale, new_variance / scale**2
        )


@dataclass(frozen=True, eq=False)
class FittedGaussianProcess:
    """One scikit-learn regressor for the mode of the settings, the first, and one per draw of them.

    `noise_S` (learned seed noise) and `new_variance` (of evaluating one new run) are variances in units of
    `scale ** 2`.
    """

    power: float
    settings: Settings
    processes: tuple[Any, ...]
    noise_S: Array
    offset: float
    scale: float
    new_variance: float

    def mean(self, X_ND: Array) -> Array:
        return self.offset + self.scale * _process_mean(self.processes[0], self._coordinates(X_ND))

    def predict(self, X_ND: Array) -> Prediction:
        Z_NE = self._coordinates(X_ND)
        predictions = [cast(tuple[Array, Array], process.predict(Z_NE, return_std=True)) for process in self.processes]
        mean_SN, sd_SN = np.array([mean for mean, _ in predictions]), np.array([sd for _, sd in predictions])
        variance_N = np.mean(sd_SN**2 + (mean_SN - mean_SN[0]) ** 2, axis=0)
        new_N = variance_N + self.noise_S.mean() + self.new_variance
        mean_N = self.offset + self.scale * mean_SN[0]
        return Prediction(mean_N, self.scale * np.sqrt(variance_N), self.scale * np.sqrt(new_N))

    def covariance(self, X_ND: Array) -> Array:
        Z_NE = self._coordinates(X_ND)
        joints = [cast(tuple[Array, Array], process.predict(Z_NE, return_cov=True)) for process in self.processes]
        mean_SN = np.array([mean for mean, _ in joints])
        centred_SN = mean_SN - mean_SN[0]
        inside_NN = np.mean(np.array([covariance for _, covariance in joints]), axis=0)
        return self.scale**2 * (inside_NN + centred_SN.T @ centred_SN / len(mean_SN))

    def leave_out(self, groups_N: IntArray) -> Prediction:
        """The mean is that of the settings without each group (one Newton step); the spread is made as in `predict`."""
        from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingTypeStubs]

        data, mean_N = self.settings.data, np.empty(len(groups_N))
        with threadpool_limits(1):
            found = [left_out(_inverse(process), data.z_N, groups_N) for process in self.processes]
            for group, theta_T in zip(np.unique(groups_N), self.settings.without_each(groups_N), strict=True):
                rows = groups_N == group
                mean_N[rows] = left_out(data.precision(theta_T), data.z_N, groups_N)[0][rows]
        mean_SN, run_SN = np.array([mean for mean, _, _ in found]), np.array([run for _, run, _ in found])
        new_N = np.mean(run_SN + (mean_SN - mean_SN[0]) ** 2, axis=0)
        variance_N = np.maximum(new_N - data.alpha_N - self.noise_S.mean(), 0)
        return Prediction(
            self.offset + self.scale * mean_N, self.scale * np.sqrt(variance_N), self.scale * np.sqrt(new_N)
        )

    def _coordinates(self, X_ND: Array) -> Array:
        Z_ND = warped(X_ND, self.power)
        return np.c_[Z_ND, np.zeros(len(Z_ND))] if self.settings.data.staged else Z_ND


def warped(X_ND: Array, power: float) -> Array:
    """Return w ** power, or log(w + FLOOR) for power 0; weights 0 and 1 map to 0 and about 1."""
    positive_ND = np.maximum(X_ND, 0)
    return np.log(positive_ND + FLOOR) / -np.log(FLOOR) + 1 if power == 0 else positive_ND**power


def _process_mean(process: Any, Z_NE: Array) -> Array:
    return np.asarray(process.kernel_(Z_NE, process.X_train_) @ process.alpha_, dtype=np.float64)


def _inverse(process: Any) -> Array:
    lower_NN = np.asarray(process.L_, dtype=np.float64)
    half_NN = np.linalg.inv(lower_NN)
    return half_NN.T @ half_NN
