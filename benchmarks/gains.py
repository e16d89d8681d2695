"""How often the interval of a predicted gain over equal shares holds the true gain, where mixtures matter and not.

Made-up landscapes (landscapes.py: scores of 1,000 items, seed noise a fifth of the spread) of three benchmarks are seen
through the pilots of a study: its seed design, and random mixtures beside it. Each table is fitted and its
best mixture recommended as `modomodo recommend` does; the gain predicted for it is compared with the landscape's own.
On flat ones the mixture makes no difference, and every gain told is false.

python benchmarks/gains.py    # 1,000 tables, about 20 minutes on one core; what is there is kept

Tables from 1000 on (--first 1000) were used for development, those below for reported numbers.
"""

import argparse
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from landscapes import FLAT, KINDS, landscape
from paired import head
from surrogates import table

from modomodo import Mixture, fit, recommend
from modomodo.core import child_rng
from modomodo.mixing import seed_design

TABLE = Path(__file__).parent / "results/gains.csv"
DOMAINS = ("a", "b", "c", "d", "e")
BENCHMARKS = 3
RUNS = (11, 22)  # the seed design of five domains, and twice as many
ALL_KINDS = (*KINDS, FLAT)
TABLES = 100
HEADS = ("landscape", "runs", "tables", "predicted gain", "true gain", "best possible", "bias")
HEADS = (*HEADS, "90 % interval holds it", "true gain below it", "told", "wrongly")
FIELDS = ("kind", "runs", "seed", "predicted", "low", "high", "true", "best", "noise")


def gains(kind: str, runs: int, seed: int) -> tuple[float, ...]:
    """Return of one table the predicted gain, its interval, the true gain, the largest possible one, and the noise.

    The noise is the standard deviation of one run on the aggregate, from the luck of its seed and of its items.
    """
    truth = landscape(kind, domains=len(DOMAINS), benchmarks=BENCHMARKS, seed=seed)
    rng = child_rng(seed, "gains", kind, runs)
    seeds_ND = np.stack([mixture.vector(DOMAINS) for _, mixture in seed_design(DOMAINS)])
    X_ND = np.vstack([seeds_ND, rng.dirichlet(np.ones(len(DOMAINS)), runs - len(seeds_ND))])
    y_NB = truth.observe(X_ND, rng)
    found = recommend(fit(table(truth, X_ND, y_NB, domains=DOMAINS)))
    equal_ND = Mixture.uniform(DOMAINS).vector(DOMAINS)[None]
    everywhere_ND = rng.dirichlet(np.ones(len(DOMAINS)), 20_000)
    base = float(truth.expected(equal_ND).mean())
    gained = float(truth.expected(found.mixture.vector(DOMAINS)[None]).mean()) - base
    best = float(truth.expected(everywhere_ND).mean(axis=1).max()) - base
    again_N = truth.observe(np.repeat(equal_ND, 2000, axis=0), rng).mean(axis=1)
    return found.gain, found.gain_lo90, found.gain_hi90, gained, max(best, gained), float(again_N.std())


def lines(found: pd.DataFrame | None = None) -> Iterator[str]:
    """Yield a line for each kind and number of runs, of the reported tables unless others are given."""
    found = pd.read_csv(TABLE) if found is None else found
    yield from head(HEADS)
    for runs, kind in product(RUNS, ALL_KINDS):
        part = found[(found.kind == kind) & (found.runs == runs)]
        inside = (part.low <= part.true) & (part.true <= part.high)
        told = part.low > 0
        bias = (part.predicted - part.true) / part.noise
        sizes = (f"{(part[field] / part.noise).mean():+.2f}" for field in ("predicted", "true", "best"))
        shares = f"{inside.mean():.0%} | {(part.true < part.low).mean():.0%} | {told.sum()} | "
        yield (
            f"| {kind} | {runs} | {len(part)} | {' | '.join(sizes)} | {bias.mean():+.2f} ± "
            f"{1.96 * bias.std() / len(part) ** 0.5:.2f} | {shares}{(told & (part.true <= 0)).sum()} |"
        )


def main() -> None:
    """Compute what the file lacks, then print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=TABLE)
    parser.add_argument("--first", type=int, default=0, help="the first table")
    parser.add_argument("--tables", type=int, default=TABLES, help="tables of each kind and number of runs")
    options = parser.parse_args()
    done = pd.read_csv(options.out) if options.out.exists() else pd.DataFrame(columns=list(FIELDS))
    known = set(zip(done.kind, done.runs, done.seed, strict=True))
    cells = [
        (kind, runs, seed)
        for seed in range(options.first, options.first + options.tables)
        for kind in ALL_KINDS
        for runs in RUNS
    ]
    for kind, runs, seed in cells:
        if (kind, runs, seed) not in known:
            line = pd.DataFrame([(kind, runs, seed, *gains(kind, runs, seed))], columns=list(FIELDS))
            line.to_csv(options.out, mode="a", header=not options.out.exists(), index=False, float_format="%.6g")
    print("\n".join(lines(pd.read_csv(options.out))))


if __name__ == "__main__":
    main()
