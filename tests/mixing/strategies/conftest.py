"""The seed set of three domains with scores to compute by hand, and a smooth landscape."""

from collections.abc import Callable

import numpy as np
import pytest
from small_tables import DOMAINS, OPTIMUM, table

from modomodo.mixing import Runs
from modomodo.mixing.design import seed_design


@pytest.fixture
def seed_runs() -> Runs:
    """Alone: a .2, b .4, c .3. Left out: a .5, b .3, c .4. Equal shares: .6. The second benchmark is 1 minus that."""
    labels, mixtures = zip(*seed_design(DOMAINS), strict=True)
    out_N = np.array([0.2, 0.4, 0.3, 0.5, 0.3, 0.4, 0.6])
    X_ND = np.array([mixture.vector(DOMAINS) for mixture in mixtures])
    return table(X_ND, np.stack([out_N, 1 - out_N], axis=1), labels=labels)


@pytest.fixture(scope="session")
def make_pool() -> Callable[..., Runs]:
    """Runs at the seed set and at random mixtures; the first benchmark is best at OPTIMUM."""

    def made(count: int = 40, noise: float = 0.003, seed: int = 0) -> Runs:
        rng = np.random.default_rng(seed)
        seeds_ND = np.array([mixture.vector(DOMAINS) for _, mixture in seed_design(DOMAINS)])
        X_ND = np.vstack([seeds_ND, rng.dirichlet(np.ones(3), count - len(seeds_ND))])
        bowl_N = np.square(np.sqrt(X_ND) - np.sqrt(OPTIMUM)).sum(axis=1)
        y_NB = np.stack([0.7 - 0.3 * bowl_N, 0.3 + 0.1 * np.sqrt(X_ND[:, 0])], axis=1)
        return table(X_ND, y_NB + noise * rng.normal(size=y_NB.shape))

    return made
