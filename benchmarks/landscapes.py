"""Synthetic landscapes with known optima, to test surrogates on more than one published table.

Axes: N runs, D domains, B benchmarks.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modomodo.core import child_rng

Array = npt.NDArray[np.float64]
KINDS = ("saturating", "interacting", "peaked", "log-linear")
FLAT = "flat"  # the mixture makes no difference


@dataclass(frozen=True)
class Landscape:
    """Expected scores [N, B] of mixtures [N, D], and the standard deviations of seed and of evaluation noise.

    Errors of the benchmarks of one run are correlated: half of the seed noise's variance is common to them.
    """

    name: str
    domains: int
    benchmarks: int
    expected: Callable[[Array], Array]
    seed_sd: float
    items: int

    def observe(self, X_ND: Array, rng: np.random.Generator) -> Array:
        """Return scores of one run at each mixture, shape [N, B]."""
        shape = (len(X_ND), self.benchmarks)
        common_N1, own_NB = rng.normal(size=(shape[0], 1)), rng.normal(size=shape)
        y_NB = self.expected(X_ND) + self.seed_sd * (common_N1 + own_NB) / np.sqrt(2)
        share_NB = np.clip(y_NB, 0.01, 0.99)
        return y_NB + rng.normal(size=shape) * np.sqrt(share_NB * (1 - share_NB) / self.items)


def landscape(kind: str, *, domains: int, benchmarks: int, seed: int) -> Landscape:
    """Return one landscape of a kind: scores rise from about .3 to .6, seed noise about a fifth of their spread.

    FLAT ones have neither rise nor spread, and seed noise of .02.
    """
    rng = child_rng(seed, "landscape", kind, domains, benchmarks)
    # Each benchmark needs a few domains, each domain serves a few benchmarks.
    gain_BD = rng.dirichlet(np.full(domains, 0.5), size=benchmarks)
    power_BD = rng.uniform(0.15, 0.6, size=(benchmarks, domains))
    ideal_BD = 0.7 * gain_BD + 0.3 / domains
    pair_BDD = rng.normal(size=(benchmarks, domains, domains)) * np.sqrt(gain_BD[:, :, None] * gain_BD[:, None, :])
    slope_BD = rng.normal(0, 1.5, size=(benchmarks, domains))

    def expected(X_ND: Array) -> Array:
        X_ND = np.maximum(X_ND, 0)
        if kind in ("saturating", "interacting"):
            rise_NB = np.einsum("bd,nbd->nb", gain_BD, (X_ND[:, None] * domains + 1e-3) ** power_BD)
            if kind == "interacting":
                root_ND = np.sqrt(X_ND * domains)
                rise_NB = rise_NB + 0.5 * np.einsum("nd,bde,ne->nb", root_ND, pair_BDD, root_ND) / domains
            return 0.3 + 0.25 * rise_NB
        if kind == "peaked":
            apart_NB = np.sum((np.sqrt(X_ND)[:, None] - np.sqrt(ideal_BD)) ** 2, axis=2)
            return 0.3 + 0.3 * np.exp(-2 * apart_NB)
        if kind == "log-linear":
            return 0.7 - 0.2 * np.exp(X_ND @ slope_BD.T)
        if kind == FLAT:
            return np.full((len(X_ND), benchmarks), 0.5)
        raise ValueError(f"unknown kind {kind!r}; known: {', '.join((*KINDS, FLAT))}")

    spread = float(expected(rng.dirichlet(np.full(domains, 0.7), size=512)).std(axis=0).mean())
    seed_sd = 0.02 if kind == FLAT else 0.2 * spread
    return Landscape(f"{kind}-{domains}", domains, benchmarks, expected, seed_sd=seed_sd, items=1000)
