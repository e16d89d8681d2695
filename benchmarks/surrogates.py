"""Surrogates on synthetic landscapes with known optima: rank correlation, regret and coverage, with seeds.

    python benchmarks/surrogates.py [--surrogates gp,ensemble] [--seeds 20]

rho: Spearman's with the true expected aggregate on 200 unseen mixtures. regret: the best of them minus the predicted
best, in standard deviations. cover: share of new, noisy runs inside their 90 % intervals, per benchmark and for the
aggregate.
"""

import numpy as np
import typer
from landscapes import KINDS, Landscape, landscape

from modomodo.surrogate import Runs, fit
from modomodo.surrogate.validation import spearman

SHAPES = ((3, 4, 12), (5, 5, 16), (5, 5, 30), (12, 6, 24), (24, 8, 48))  # domains, benchmarks, runs


def table(world: Landscape, X_ND: np.ndarray, y_NB: np.ndarray) -> Runs:
    """Return noisy runs as a table with known evaluation noise."""
    share_NB = np.clip(y_NB, 0.01, 0.99)
    none, count = (None,) * len(X_ND), np.full(y_NB.shape, float(world.items))
    return Runs(
        domains=tuple(f"d{d}" for d in range(world.domains)),
        benchmarks=tuple(f"b{b}" for b in range(world.benchmarks)),
        X_ND=X_ND,
        y_NB=y_NB,
        se_NB=np.sqrt(share_NB * (1 - share_NB) / world.items),
        n_NB=count,
        seeds_N=none,
        steps_N=none,
        labels_N=tuple(str(row) for row in range(len(X_ND))),
    )


def figures(world: Landscape, runs: int, surrogate: str, seed: int) -> tuple[float, float, float, float]:
    """Return rho, regret and both coverages of one training subset."""
    rng = np.random.default_rng(seed)
    X_ND, new_ND = (rng.dirichlet(np.full(world.domains, 0.7), size) for size in (runs, 200))
    fitted = fit(table(world, X_ND, world.observe(X_ND, rng)), surrogate=surrogate, bounds={})
    found = fitted.predict(new_ND)
    true_N = world.expected(new_ND).mean(axis=1)
    predicted_N = found.mean_NK[:, -1]
    observed_NB = world.observe(new_ND, rng)
    seen_NK = np.column_stack([observed_NB, observed_NB.mean(axis=1)])
    low_NK, high_NK = found.interval(0.9)
    inside_K = ((seen_NK >= low_NK) & (seen_NK <= high_NK)).mean(axis=0)
    regret = float((true_N.max() - true_N[int(predicted_N.argmax())]) / true_N.std())
    return spearman(predicted_N, true_N), regret, float(inside_K[:-1].mean()), float(inside_K[-1])


def main(surrogates: str = "gp,ensemble,quadratic,power,linear,paper", seeds: int = 20) -> None:
    """Print the means over seeds, a line for each landscape, size and surrogate."""
    print("| landscape | runs | surrogate | rho | regret | cover | cover, aggregate |\n|---|---|---|---|---|---|---|")
    for domains, benchmarks, runs in SHAPES:
        for kind in KINDS:
            for name in surrogates.split(","):
                worlds = [landscape(kind, domains=domains, benchmarks=benchmarks, seed=seed) for seed in range(seeds)]
                found = np.mean([figures(world, runs, name, seed) for seed, world in enumerate(worlds)], axis=0)
                text = (
                    " | ".join(f"{value:.3f}" for value in found[:2])
                    + " | "
                    + " | ".join(map("{:.0%}".format, found[2:]))
                )
                print(f"| {worlds[0].name} | {runs} | {name} | {text} |", flush=True)


if __name__ == "__main__":
    typer.run(main)
