"""How often the intervals of the report's response surface hold the truth: bands of slices, and pairs of domains.

Made-up landscapes of four domains, with noise of .015 a run, 24 runs at random mixtures, or at the design of this
package; each is fitted as a table of runs is.

python benchmarks/surface.py    # about 2 minutes
"""

from collections.abc import Callable
from itertools import combinations

import numpy as np

from modomodo import Mixture, Runs, fit
from modomodo.core import Array
from modomodo.mixing import seed_design
from modomodo.reports import pairwise_interactions, response_slices

DOMAINS = ("a", "b", "c", "d")
TABLES, RUNS, NOISE = 40, 24, 0.015
KINDS = ("saturating", "saturating, seed design", "quadratic", "linear")
Truth = Callable[[Array], Array]


def landscape(kind: str, rng: np.random.Generator) -> Truth:
    """Return a function from mixtures [N, D] to scores [N]."""
    gain_D, steep_D = rng.uniform(0, 0.25, len(DOMAINS)), rng.uniform(2, 12, len(DOMAINS))
    pair_DD = np.triu(rng.normal(0, 0.15, (len(DOMAINS), len(DOMAINS))), 1)
    if kind == "linear":
        return lambda X_ND: 0.3 + X_ND @ gain_D
    if kind == "quadratic":
        return lambda X_ND: 0.3 + X_ND @ gain_D + np.einsum("ni,ij,nj->n", X_ND, pair_DD, X_ND)
    return lambda X_ND: 0.25 + (1 - np.exp(-steep_D * X_ND)) @ gain_D + np.einsum("ni,ij,nj->n", X_ND, pair_DD, X_ND)


def mixtures(kind: str, rng: np.random.Generator) -> Array:
    """Return the mixtures of a table, [N, D]."""
    seeds = [mixture.vector(DOMAINS) for _, mixture in seed_design(DOMAINS)] if "seed" in kind else []
    return np.vstack([*seeds, rng.dirichlet(np.ones(len(DOMAINS)), RUNS - len(seeds))])


def held(kind: str, seed: int) -> tuple[list[bool], list[bool], list[bool]]:
    """Return for one table: each pair inside its interval, each point of the slices inside its band, and whether each
    pair that is told from 0 has the right sign."""
    rng = np.random.default_rng(seed)
    truth = landscape(kind, rng)
    X_ND = mixtures(kind, rng)
    y_N = np.clip(truth(X_ND) + rng.normal(0, NOISE, len(X_ND)), 0, 1)
    fitted = fit(Runs.of(X_ND, y_NB=y_N[:, None], domains=DOMAINS))
    found, alone = pairwise_interactions(fitted, name="b1"), np.eye(len(DOMAINS))
    pairs: list[bool] = []
    signs: list[bool] = []
    for i, j in combinations(range(len(DOMAINS)), 2):
        one, other, both = truth(np.stack([alone[i], alone[j], (alone[i] + alone[j]) / 2]))
        real, seen, half = both - (one + other) / 2, found.gain_DD[i, j], found.half_DD[i, j]
        pairs.append(abs(real - seen) <= half)
        signs += [real * seen > 1e-12] if abs(seen) > half else []
    slices = response_slices(fitted, Mixture.uniform(DOMAINS))
    bands: list[bool] = []
    for d in range(len(DOMAINS)):
        share_P = slices.share_DP[d]
        points_PD = np.repeat(((1 - share_P) / (len(DOMAINS) - 1))[:, None], len(DOMAINS), axis=1)
        points_PD[:, d] = share_P
        y_P = truth(points_PD)
        bands += list((slices.low_DPK[d, :, 0] <= y_P) & (y_P <= slices.high_DPK[d, :, 0]))
    return pairs, bands, signs


def main() -> None:
    """Print a line for each kind of landscape."""
    print("| landscape | pairs inside | bands inside | pairs told from 0 | of these of the wrong sign |")
    print("|---|---|---|---|---|")
    for kind in KINDS:
        tables = zip(*(held(kind, 1000 + number) for number in range(TABLES)), strict=True)
        pairs, bands, signs = ([one for table in part for one in table] for part in tables)
        row = (f"{np.mean(pairs):.0%}", f"{np.mean(bands):.0%}", str(len(signs)), str(signs.count(False)))
        print(f"| {kind} | {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
