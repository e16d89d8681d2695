"""Surrogates on published runs and on synthetic landscapes: rank correlation, regret and coverage.

    python benchmarks/surrogates.py regmix       17 domains, 13 losses: random training subsets, 256 held-out mixtures
    python benchmarks/surrogates.py landscapes   known optima, 3 to 24 domains, noise and interactions
    python benchmarks/surrogates.py paper        the 21 rows of MoDoMoDo's own table with known weights, each left out
    python benchmarks/surrogates.py clock        seconds to fit and to recommend

rho: Spearman's with the true aggregate on held-out mixtures, its median over subsets with the 95 % interval of the
median. regret: the best held-out mixture minus the predicted best, in standard deviations, its mean with a 95 %
interval. cover: share of new runs inside their 90 % intervals, of one benchmark and of the aggregate.

Axes: N runs, D domains, B benchmarks, S subsets.
"""

import csv
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import typer
from landscapes import KINDS, Landscape, landscape
from regmix import load, random_rows, subset

from modomodo import Runs, fit, recommend
from modomodo.mixing import SURROGATES, Direction, Fitted, spearman

SHAPES = ((3, 4, 12), (5, 5, 16), (5, 5, 30), (12, 6, 24), (24, 8, 48))  # domains, benchmarks, runs
SIZES = {"LISA": 3397, "SAT": 1928, "ScienceQA": 2017, "ChartQA": 2500, "InfoVQA": 2801, "MathVista": 1000, "MMMU": 900}
TABLE = Path(__file__).parents[1] / ".." / "shared" / "data" / "modomodo_table2.csv"
HEAD = "rho | regret | cover | cover, aggregate"
app = typer.Typer()


def table(world: Landscape, X_ND: np.ndarray, y_NB: np.ndarray, *, domains: tuple[str, ...] | None = None) -> Runs:
    """Return noisy runs as a table with known evaluation noise."""
    share_NB = np.clip(y_NB, 0.01, 0.99)
    return Runs.of(X_ND, y_NB=y_NB, se_NB=np.sqrt(share_NB * (1 - share_NB) / world.items), domains=domains)


def figures(fitted: Fitted, *, X_ND: np.ndarray, seen_NB: np.ndarray, true_N: np.ndarray) -> tuple[float, ...]:
    """Return rho, regret and both coverages at held-out mixtures."""
    found = fitted.predict(X_ND)
    better = 1.0 if fitted.direction("aggregate") == "higher" else -1.0
    predicted_N, true_N = better * found.mean_NK[:, -1], better * true_N
    seen_NK = np.column_stack([seen_NB, seen_NB.mean(axis=1)])
    low_NK, high_NK = found.interval(0.9)
    inside_K = ((seen_NK >= low_NK) & (seen_NK <= high_NK)).mean(axis=0)
    regret = float((true_N.max() - true_N[int(predicted_N.argmax())]) / true_N.std())
    return spearman(predicted_N, true_N), regret, float(inside_K[:-1].mean()), float(inside_K[-1])


def on_regmix(name: str, runs: int, seed: int) -> tuple[float, ...]:
    train, test = load("train"), load("test")
    fitted = fit(subset(train, random_rows(seed, runs=runs)), surrogate=name, direction="lower")
    return figures(fitted, X_ND=test.X_ND, seen_NB=test.y_NB, true_N=test.y_NB.mean(axis=1))


def on_landscape(name: str, kind: str, shape: tuple[int, int, int], seed: int) -> tuple[float, ...]:
    domains, benchmarks, runs = shape
    world, rng = landscape(kind, domains=domains, benchmarks=benchmarks, seed=seed), np.random.default_rng(seed)
    X_ND, new_ND = (rng.dirichlet(np.full(domains, 0.7), size) for size in (runs, 200))
    fitted = fit(table(world, X_ND, world.observe(X_ND, rng)), surrogate=name, bounds={})
    true_N = world.expected(new_ND).mean(axis=1)
    return figures(fitted, X_ND=new_ND, seen_NB=world.observe(new_ND, rng), true_N=true_N)


def summary(measure: Callable[[int], tuple[float, ...]], seeds: range) -> str:
    """Return the cells of HEAD."""
    from scipy import stats

    found_S4 = np.array([measure(seed) for seed in seeds])
    count = len(found_S4)
    rho_S = np.sort(found_S4[:, 0])
    outside = max(int(stats.binom.ppf(0.025, count, 0.5)) - 1, 0)  # order statistics: no assumption on the spread
    half = float(stats.t.ppf(0.975, count - 1)) * found_S4[:, 1].std(ddof=1) / np.sqrt(count)
    regret, *cover = found_S4[:, 1:].mean(axis=0)
    cells = (
        f"{np.median(rho_S):.3f} ({rho_S[outside]:.3f} to {rho_S[-1 - outside]:.3f})",
        f"{regret:.2f} ± {half:.2f}",
        *(f"{share:.1%}" for share in cover),
    )
    return " | ".join(cells)


@app.command()
def regmix(surrogates: str = ",".join(SURROGATES), sizes: str = "16,32,64", seeds: int = 20, first_seed: int = 0):
    """Random subsets of 512 runs; seeds from 1000 on were used for development, those below for reported numbers."""
    warnings.simplefilter("ignore")
    print(f"| runs | surrogate | {HEAD} |\n|---|---|---|---|---|---|")
    for runs in map(int, sizes.split(",")):
        for name in surrogates.split(","):
            cells = summary(lambda seed, r=runs, s=name: on_regmix(s, r, seed), range(first_seed, first_seed + seeds))
            print(f"| {runs} | {name} | {cells} |", flush=True)


@app.command()
def landscapes(surrogates: str = "ensemble,gp,log-linear", seeds: int = 20, first_seed: int = 0):
    """A landscape for each seed."""
    warnings.simplefilter("ignore")
    print(f"| landscape | domains | runs | surrogate | {HEAD} |\n|---|---|---|---|---|---|---|---|")
    for shape in SHAPES:
        for kind in KINDS:
            for name in surrogates.split(","):
                drawn = range(first_seed, first_seed + seeds)
                cells = summary(lambda seed, k=kind, s=name, d=shape: on_landscape(s, k, d, seed), drawn)
                print(f"| {kind} | {shape[0]} | {shape[2]} | {name} | {cells} |", flush=True)


@app.command()
def paper(surrogates: str = ",".join(SURROGATES)):
    """In is predictable from 21 runs, Out is not."""
    warnings.simplefilter("ignore")
    with TABLE.open(newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["w_COCO"] and line["group"] != "base"]
    domains, names = [name for name in lines[0] if name.startswith("w_")], tuple(SIZES)
    X_ND, y_NB = (np.array([[float(line[name]) for name in part] for line in lines]) for part in (domains, names))
    X_ND = X_ND / X_ND.sum(axis=1, keepdims=True)
    runs = Runs.of(X_ND, y_NB=y_NB, se_NB=np.sqrt(y_NB * (1 - y_NB) / np.array(list(SIZES.values()))), benchmarks=names)
    parts = {"In": names[:3], "Out": names[3:]}
    aggregates = {part: {name: float(SIZES[name]) for name in inside} for part, inside in parts.items()}
    print("| surrogate | In: R2 | rho | cover | Out: R2 | rho | cover | Out: gain over equal shares |")
    print("|---|---|---|---|---|---|---|---|")
    for name in surrogates.split(","):
        fitted = fit(runs, surrogate=name, aggregates=aggregates)
        cells = [f"{one.r2:.2f} | {one.rho:.2f} | {one.cover90:.0%}" for one in fitted.validation()[-2:]]
        found = recommend(fitted, objective="Out")
        gain = f"{found.gain:+.3f} ({found.gain_lo90:+.3f} to {found.gain_hi90:+.3f})"
        print(f"| {name} | {' | '.join(cells)} | {gain} |", flush=True)


@app.command()
def clock(surrogate: str = "ensemble"):
    """Processor seconds of one process; set OMP_NUM_THREADS=1."""
    world = landscape("interacting", domains=5, benchmarks=5, seed=0)
    X_ND = np.random.default_rng(0).dirichlet(np.ones(5), 30)
    small = table(world, X_ND, world.observe(X_ND, np.random.default_rng(1)))
    large = subset(load("train"), random_rows(0, runs=64))
    jobs: tuple[tuple[Runs, Direction], ...] = ((small, "higher"), (large, "lower"))
    for runs, direction in jobs:
        start = time.process_time()
        fitted = fit(runs, surrogate=surrogate, direction=direction)
        middle = time.process_time()
        recommend(fitted)
        end = time.process_time()
        print(
            f"{len(runs.domains)} domains, {len(runs.benchmarks)} benchmarks, {len(runs.labels_N)} runs: "
            f"fit {middle - start:.1f} s, recommend {end - middle:.1f} s"
        )


if __name__ == "__main__":
    app()
