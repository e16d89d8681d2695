"""Runs with a known truth: N = 14, D = 3, B = 2, optimum off the centre."""

from collections.abc import Callable

import numpy as np
import pytest

from modomodo.mixing import Runs

OPTIMUM = np.array([0.15, 0.6, 0.25])


def truth(X_ND: np.ndarray) -> np.ndarray:
    """Scores in (0, 1), shape [N, 2]: the first is best at OPTIMUM, the second wants the first domain."""
    bowl = -np.square(np.sqrt(X_ND) - np.sqrt(OPTIMUM)).sum(axis=1)
    return np.stack([0.7 + 0.3 * bowl, 0.3 + 0.1 * np.sqrt(X_ND[:, 0])], axis=1)


@pytest.fixture(scope="session")
def make_runs() -> Callable[..., Runs]:
    def made(count: int = 14, noise: float = 0.005, seed: int = 0) -> Runs:
        rng = np.random.default_rng(seed)
        X_ND = np.vstack([np.full((1, 3), 1 / 3), np.eye(3), rng.dirichlet(np.ones(3), count - 4)])
        # Half of the noise is shared by the benchmarks of a run.
        shared = rng.normal(size=(count, 1)) + rng.normal(size=(count, 2))
        y_NB = truth(X_ND) + noise * shared / np.sqrt(2)
        unknown = np.full((count, 2), np.nan)
        labels = tuple(f"run {n}" for n in range(count))
        return Runs(
            ("a", "b", "c"), ("chart", "info"), X_ND, y_NB, unknown, unknown, (None,) * count, (None,) * count, labels
        )

    return made
