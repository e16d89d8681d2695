"""Designs against as many random mixtures: how well a surrogate fitted to them ranks mixtures it has not seen.

    python benchmarks/designs.py [--surrogates gp,quadratic] [--seeds 10] [--runs 18]

rho: Spearman's with the true mean over benchmarks. regret: the best unseen mixture minus the predicted best, in
standard deviations. RegMix: the design chooses among a random half of the 512 published training mixtures (another for
each seed) and is tested on the 256 test mixtures. Landscapes: free designs of noisy runs, the mean over four kinds.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import regmix
import typer
from landscapes import KINDS, landscape
from surrogates import table

from modomodo import fit
from modomodo.core import Array, child_rng, limits_of
from modomodo.mixing import Labelled, d_optimal, seed_design, space_filling, spearman

Figures = tuple[float, float]


def points(design: tuple[Labelled, ...]) -> Array:
    """Return the weights of a design, shape [N, D]."""
    return np.array([mixture.weights for _, mixture in design])


def figures(predicted_N: Array, true_N: Array) -> Figures:
    """Return rho and regret; higher is better."""
    return spearman(predicted_N, true_N), float((true_N.max() - true_N[int(predicted_N.argmax())]) / true_N.std())


def on_regmix(runs: int, surrogate: str, design: str, seed: int) -> Figures:
    """Return the figures of `runs` published runs, chosen from a random half of them."""
    pool, test = regmix.load("train"), regmix.load("test")
    half = child_rng(seed, "designs", "regmix").permutation(len(pool.X_ND))[: len(pool.X_ND) // 2]
    rows = half[:runs]
    if design != "random":
        make, free_2D = space_filling if design == "space-filling" else d_optimal, limits_of({}, pool.domains)
        made = make(pool.domains, count=runs, limits_2D=free_2D, seed=seed, candidates_ND=pool.X_ND[half])
        place = {tuple(pool.X_ND[row]): int(row) for row in half}
        rows = np.array([place[mixture.weights] for _, mixture in made])
    fitted = fit(regmix.subset(pool, rows), surrogate=surrogate, direction="lower")
    return figures(-fitted.mean(test.X_ND, name="aggregate"), -test.y_NB.mean(axis=1))


def on_landscapes(domains: int, runs: int, surrogate: str, design: str, seed: int) -> Figures:
    """Return the figures of `runs` noisy runs, the mean over kinds of landscape."""
    names = tuple(f"d{d}" for d in range(domains))
    made: dict[str, Callable[[], Array]] = {
        "random": lambda: child_rng(seed, "designs", "random").dirichlet(np.ones(domains), runs),
        "seed": lambda: points(seed_design(names)),
        "space-filling": lambda: points(space_filling(names, count=runs, limits_2D=limits_of({}, names), seed=seed)),
        "d-optimal": lambda: points(d_optimal(names, count=runs, limits_2D=limits_of({}, names), seed=seed)),
    }
    X_ND, found = made[design](), []
    for kind in KINDS:
        world, rng = landscape(kind, domains=domains, benchmarks=5, seed=seed), child_rng(seed, "designs", kind)
        new_ND = np.vstack([rng.dirichlet(np.full(domains, shape), 300) for shape in (0.5, 1.0, 3.0)])
        fitted = fit(table(world, X_ND, world.observe(X_ND, rng)), surrogate=surrogate)
        found.append(figures(fitted.mean(new_ND, name="aggregate"), world.expected(new_ND).mean(axis=1)))
    rho, regret = np.mean(found, axis=0)
    return float(rho), float(regret)


def main(surrogates: str = "gp,quadratic", seeds: int = 10, runs: int = 18) -> None:
    """Print the means over seeds with their standard errors, a line for each problem, surrogate and design."""
    designs = ("random", "space-filling", "d-optimal")
    print("| problem | runs | surrogate | design | rho | regret |\n|---|---|---|---|---|---|")
    for surrogate in surrogates.split(","):
        problems = [
            ("landscapes, 5 domains", 11, (*designs, "seed"), partial(on_landscapes, 5, 11, surrogate)),
            ("landscapes, 5 domains", runs, designs, partial(on_landscapes, 5, runs, surrogate)),
            *([("RegMix", runs, designs, partial(on_regmix, runs, surrogate))] if regmix.FOLDER.is_dir() else []),
        ]
        for problem, size, names, measure in problems:
            for design in names:
                found = np.array([measure(design, seed) for seed in range(seeds)])
                mean, error = found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(seeds)
                cells = " | ".join(f"{m:.3f} ({e:.3f})" for m, e in zip(mean, error, strict=True))
                print(f"| {problem} | {size} | {surrogate} | {design} | {cells} |", flush=True)


if __name__ == "__main__":
    typer.run(main)
