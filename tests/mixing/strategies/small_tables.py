"""Tables of runs for the tests of strategies."""

import numpy as np

from modomodo.mixing import Runs

DOMAINS = ("a", "b", "c")
OPTIMUM = np.array([0.15, 0.6, 0.25])


def table(X_ND: np.ndarray, y_NB: np.ndarray, *, domains=DOMAINS, benchmarks=("out", "in"), labels=None) -> Runs:
    unknown, none = np.full(y_NB.shape, np.nan), (None,) * len(X_ND)
    labels = labels or tuple(f"run {n}" for n in range(len(X_ND)))
    return Runs(domains, benchmarks, X_ND, y_NB, unknown, unknown, none, none, labels)
