"""The experiment of docs/experiment.md, from the table of runs that the package ships.

    python benchmarks/experiment.py replay     # every strategy on both grids: hours on two cores; it resumes
    python benchmarks/experiment.py tables     # the page's tables from what is finished, in seconds

Finished replays are kept in benchmarks/results/experiment.csv.
"""

import csv
import io
import math
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import typer
from tqdm import tqdm

from modomodo.core import child_rng, write_text
from modomodo.mixing.strategies import (
    NEXT,
    STRATEGIES,
    Grid,
    GridOutcome,
    drawn_places,
    next_on_grid,
    on_seed_set,
    outcome_of,
)
from modomodo.testing import nano_grid

HERE = Path(__file__).parent
REPLAYS = HERE / "results" / "experiment.csv"
AROUND = "around the best"  # mixtures near known optima, which favour whoever learns from any runs
APART = f"uneven without those {AROUND}"
GRIDS = ("uneven", "control", APART)
ORACLE = "oracle"  # the best mixture by one seed, judged by the other: what noise alone leaves
SIZES = (6, 8, 11, 16, 24, 32, 48)
DRAWS = 50  # each at both seeds
OF_SEED_SET = tuple(name for name, strategy in STRATEGIES.items() if strategy.learns_from == "seed set")
SHOWN = (8, 16, 24, 48)  # in the tables; the figure has all sizes
HEADS = ("strategy", "runs", "replays", "regret: median", "mean", "rho", "beats equal shares", "claims a gain")
HEADS = (*HEADS, "interval holds it", "predicted - true gain")
RESAMPLES = 1_000

app = typer.Typer(add_completion=False)


@app.command()
def replay(draws: int = DRAWS) -> None:
    """Carry out the replays that are missing, a draw after another."""
    found = read()
    for world in GRIDS:
        grid = grid_named(world)
        done = {(one.strategy, one.n, one.draw) for of_world, one in found if of_world == world}
        if not any(name in OF_SEED_SET for name, _, _ in done):
            found += [(world, one) for one in on_seed_set(grid, {name: STRATEGIES[name] for name in OF_SEED_SET})]
        work, indexes = partial(of_draw, grid, done=done), range(2 * draws)
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            for outcomes in tqdm(pool.map(work, indexes), total=len(indexes), desc=world):
                found += [(world, one) for one in outcomes]
                write(found)


def grid_named(name: str) -> Grid:
    if name == APART:
        return nano_grid("uneven", without=AROUND)
    return nano_grid("control" if name == "control" else "uneven")


def oracle(grid: Grid) -> Iterator[GridOutcome]:
    """Yield how the grid's best mixture by either seed does at the others."""
    for seen, best in enumerate(grid.good_M2.argmax(axis=0)):
        yield GridOutcome(
            ORACLE,
            len(grid.X_MD),
            seen,
            math.nan,
            grid.best - float(grid.good_M2[best, 1 - seen]),
            gain=float(grid.others_M2[best, seen] - grid.others_M2[grid.equal, seen]),
        )


def of_draw(grid: Grid, index: int, *, done: Collection[tuple[str, int, int | None]]) -> list[GridOutcome]:
    """Return the outcomes of one draw that are missing, at every size that the grid allows."""
    sizes = [n for n in SIZES if n < len(grid.X_MD)]
    found = [
        outcome_of(grid, name, STRATEGIES[name], drawn_places(grid, n, index=index, seed=0), index=index, seed=0)
        for name, n in product(STRATEGIES, sizes)
        if name not in OF_SEED_SET and (name, n, index) not in done
    ]
    if any((NEXT, n, index) not in done for n in sizes):
        found += next_on_grid(grid, sizes=sizes, index=index, seed=0)
    return found


def read() -> list[tuple[str, GridOutcome]]:
    """Return the finished replays with their world."""
    if not REPLAYS.exists():
        return []
    texts = ("strategy", "problem")
    with REPLAYS.open(newline="") as file:
        return [
            (line.pop("world"), GridOutcome(**{key: of_cell(key, cell, texts) for key, cell in line.items()}))  # pyright: ignore
            for line in csv.DictReader(file)
        ]


def of_cell(key: str, cell: str, texts: Sequence[str]) -> Any:
    return cell if key in texts else int(cell) if key in ("n", "draw") else float(cell or math.nan)


def write(found: Sequence[tuple[str, GridOutcome]]) -> None:
    """Write all replays, whole or not at all."""
    names = [field.name for field in fields(GridOutcome)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["world", *names])
    writer.writerows([world, *(cell_of(getattr(one, name)) for name in names)] for world, one in found)
    write_text(REPLAYS, text.getvalue())


def cell_of(value: object) -> object:
    return f"{value:.6f}" if isinstance(value, float) and not math.isnan(value) else "" if value != value else value


@app.command()
def tables() -> None:
    """Print the page's tables: regret, gains, claims and the intervals that hold."""
    print("\n".join(lines()))


def lines() -> Iterator[str]:
    """Yield the tables as Markdown, one for each grid."""
    for world in GRIDS:
        yield from ("", f"**{world}**", "", f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}")
        mine = outcomes_of(world)
        for name in (ORACLE, *STRATEGIES, NEXT):
            for n in sorted({one.n for one in mine if one.strategy == name}):
                if n in SHOWN or name in (ORACLE, *OF_SEED_SET):
                    yield row([one for one in mine if (one.strategy, one.n) == (name, n)])


def outcomes_of(world: str) -> list[GridOutcome]:
    """Return the finished replays on a grid, and what its oracle does."""
    finished = [one for of_world, one in read() if of_world == world and not one.problem]
    return [*finished, *oracle(grid_named(world))]


def row(outcomes: Sequence[GridOutcome]) -> str:
    """Return a line of the table of one strategy and size."""
    rho_I = np.array([one.rho for one in outcomes])
    cells = [
        outcomes[0].strategy,
        str(outcomes[0].n),
        str(len(outcomes)),
        with_interval(outcomes, np.median),
        with_interval(outcomes, np.mean),
        "" if np.isnan(rho_I).all() else f"{np.nanmean(rho_I):.2f}",
        f"{np.mean([one.gain > 0 for one in outcomes]):.0%}",
        *said(outcomes),
    ]
    return f"| {' | '.join(cells)} |"


def said(outcomes: Sequence[GridOutcome]) -> list[str]:
    """Return how often a gain was claimed, how often the interval held the true one, and how far off it was."""
    sure = [one for one in outcomes if not math.isnan(one.lo90)]
    if not sure:
        return ["", "", ""]
    claims = np.mean([one.lo90 > 0 for one in sure])
    holds = np.mean([one.lo90 <= one.gain <= one.hi90 for one in sure])
    return [f"{claims:.0%}", f"{holds:.0%}", f"{np.mean([one.predicted - one.gain for one in sure]):+.3f}"]


def with_interval(outcomes: Sequence[GridOutcome], statistic: Any) -> str:
    """Return a statistic of the regret and its 95 % bootstrap interval over draws, whose two seeds stay together."""
    draws: dict[int, list[float]] = {}
    for one in outcomes:
        draws.setdefault((one.draw or 0) // 2, []).append(one.regret)
    whole = [np.array(regrets) for regrets in draws.values()]
    value = float(statistic(np.concatenate(whole)))
    if len(whole) < 2:
        return f"{value:.3f}"
    rng = child_rng(0, "experiment", "bootstrap")
    again = [
        float(statistic(np.concatenate([whole[place] for place in rng.integers(len(whole), size=len(whole))])))
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(again, [0.025, 0.975])
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    app()
