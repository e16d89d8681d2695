"""The experiment of docs/experiment.md, from the table of runs that the package ships.

    python benchmarks/experiment.py replay     # every strategy on both grids: hours on two cores; it resumes
    python benchmarks/experiment.py tables     # the page's tables from what is finished, in a minute
    python benchmarks/experiment.py errors     # where ours predicts too much and too little, in two minutes
    python benchmarks/experiment.py often      # the mixtures that ours recommends most often, for further seeds

Finished replays are kept in benchmarks/results/experiment.csv, which belongs to the runs that strategies see. What
judges a gain are runs that they don't see, of which there may be more later: gains are found when the table is read.
"""

import csv
import hashlib
import io
import math
import sys
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import typer
from paired import Array, head, processes, seeds_differ
from tqdm import tqdm

from modomodo.core import child_rng, write_text
from modomodo.mixing import Runs
from modomodo.mixing.strategies import (
    NEXT,
    STRATEGIES,
    Choice,
    Goal,
    Grid,
    GridOutcome,
    drawn_places,
    grid_of,
    next_on_grid,
    on_seed_set,
    outcome_of,
)
from modomodo.mixing.strategies.base import subset
from modomodo.models.nano.grid import TABLE as RUNS
from modomodo.models.nano.grid import World
from modomodo.testing import nano_grid, nano_grid_table

HERE = Path(__file__).parent
REPLAYS, OFTEN = (HERE / "results" / name for name in ("experiment.csv", "recommended.csv"))
AROUND = "around the best"  # mixtures near known optima, which favour whoever learns from any runs
APART = f"uneven without those {AROUND}"
WORLDS: tuple[World, ...] = ("uneven", "control")
GRIDS = (*WORLDS, APART)
WITH_EQUAL = "ours-with-equal"  # ours, where equal shares are always among the runs, as in every study's own design
TWICE = "ours-with-equal-twice"  # and where they have a second run, of a seed that no other mixture has there
ORACLE = "oracle"  # the best mixture by one seed, judged by the other
TELLING = ("ours", WITH_EQUAL, NEXT)  # how sure they are
SIZES = (6, 8, 11, 16, 24, 32, 48)
SEEN = 2  # seeds of each mixture, from which strategies learn
DRAWS = 50  # each at both seeds
OF_SEED_SET = tuple(name for name, strategy in STRATEGIES.items() if strategy.learns_from == "seed set")
PUBLISHED = (*OF_SEED_SET, "equal", "quadsurface", "regmix", "olmix")
SHOWN = (8, 16, 24, 32, 48)  # in the tables; the figure has all sizes
HALVED = (16, 32, 48)  # pilots of the published strategies that ours are to match with half of them
MARGIN = 0.005  # of median regret: what is behind by no more is as good
HEADS = ("strategy", "runs", "replays", "regret: median", "mean", "rho", "beats equal", "beats equal as asked")
HEADS = (*HEADS, "own mixture: median regret", "mean", "beats equal")
HEADS = (*HEADS, "claims a gain", "wrongly", "interval holds it", "where not equal", "predicted - true gain")
RESAMPLES = 1_000
MOST = 0.85  # of the replays of a grid, whose recommended mixtures are run at further seeds
JUDGED = ("gain", "noise", "own_gain")  # what isn't kept

IntArray = npt.NDArray[np.int64]
Statistic = Callable[[Array], Any]

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
        with processes() as pool:
            for outcomes in tqdm(pool.map(work, indexes), total=len(indexes), desc=world):
                found += [(world, one) for one in outcomes]
                write(found)


@cache
def digest() -> str:
    """Return a digest of the runs that strategies see: those of the first two seeds."""
    tables = [nano_grid_table(world) for world in WORLDS]
    seen = [table[table["seed"] <= SEEN].drop(columns=["run", "seconds"]).to_csv() for table in tables]
    return hashlib.sha256("".join(seen).encode()).hexdigest()[:8]


def check_digest(table: Path, row: dict[str, str]) -> None:
    """Take the digest out of a row; ends with an error where it is not that of the runs as they are."""
    if row.pop("grid", None) != digest():
        sys.exit(f"{table} was made from other runs than {RUNS.name} holds: delete it, and replay again")


@cache
def grid_named(name: str) -> Grid:
    if name == APART:
        return nano_grid("uneven", without=AROUND)
    return nano_grid("control" if name == "control" else "uneven")


def oracle(grid: Grid) -> Iterator[GridOutcome]:
    """Yield how the grid's best mixture by either seed does at the others."""
    for seen, best in enumerate(grid.allowed[grid.good_M2[grid.allowed].argmax(axis=0)]):
        yield GridOutcome(
            ORACLE,
            len(grid.allowed),
            seen,
            math.nan,
            grid.best - float(grid.good_M2[best, 1 - seen]),
            gain=grid.gain(np.array([best]), seen=seen)[0],
            place=int(best),
        )


def of_draw(grid: Grid, index: int, *, done: Collection[tuple[str, int, int | None]]) -> list[GridOutcome]:
    """Return the outcomes of one draw that are missing, at every size that the grid allows."""
    sizes = [n for n in SIZES if n < len(grid.allowed)]
    found = [
        outcome_of(grid, name, STRATEGIES[name], drawn_places(grid, n, index=index, seed=0), index=index, seed=0)
        for name, n in product(STRATEGIES, sizes)
        if name not in OF_SEED_SET and (name, n, index) not in done
    ]
    found += [
        outcome_of(grid, WITH_EQUAL, STRATEGIES["ours"], with_equal(grid, n, index), index=index, seed=0)
        for n in sizes
        if (WITH_EQUAL, n, index) not in done
    ]
    some = [n for n in sizes if n in SHOWN and (TWICE, n, index) not in done]
    found += [with_equal_twice(grid, n, index) for n in some]
    missing = [n for n in sizes if (NEXT, n, index) not in done]
    return [*found, *next_on_grid(grid, sizes=missing, index=index, seed=0)]


def with_equal(grid: Grid, n: int, index: int) -> IntArray:
    """Return a draw's places, where equal shares within the rows stand for the first unless they are drawn anyway."""
    places_N = drawn_places(grid, n, index=index, seed=0)
    return places_N if grid.equal in places_N else np.r_[grid.equal, places_N[1:]]


def with_equal_twice(grid: Grid, n: int, index: int) -> GridOutcome:
    """Return the outcome of ours from n runs, of which two are of equal shares within the rows."""
    again = Repeating(subset(grid.runs, np.array([repeat_of(grid)])))
    outcome = outcome_of(grid, TWICE, again, with_equal(grid, n - 1, index), index=index, seed=0)
    return replace(outcome, n=n)


@dataclass(frozen=True, eq=False)
class Repeating:
    """Ours with some runs more than it is shown."""

    more: Runs
    learns_from: Literal["any runs"] = "any runs"

    def choose(self, runs: Runs, *, goal: Goal, seed: int) -> Choice:
        return STRATEGIES["ours"].choose(both(runs, self.more), goal=goal, seed=seed)


def repeat_of(grid: Grid) -> int:
    """Return the row of the run of equal shares within the rows at the seed after those of all mixtures."""
    groups_N, seeds_N = grid.runs.groups(), np.array(grid.runs.seeds_N)
    return int(np.flatnonzero((groups_N == groups_N[grid.rows_M2[grid.equal, 0]]) & (seeds_N == SEEN + 1))[0])


def both(one: Runs, other: Runs) -> Runs:
    """Return the runs of two tables as one."""
    arrays = {name: np.vstack([getattr(one, name), getattr(other, name)]) for name in ("X_ND", "y_NB", "se_NB", "n_NB")}
    values = {name: getattr(one, name) + getattr(other, name) for name in ("seeds_N", "steps_N", "labels_N")}
    return replace(one, **arrays, **values)


def read() -> list[tuple[str, GridOutcome]]:
    """Return the finished replays with their world."""
    if not REPLAYS.exists():
        return []
    texts = ("strategy", "problem")
    found: list[tuple[str, GridOutcome]] = []
    with REPLAYS.open(newline="") as file:
        for line in csv.DictReader(file):
            check_digest(REPLAYS, line)
            world = line.pop("world")
            stored = GridOutcome(**{key: of_cell(key, cell, texts) for key, cell in line.items()})  # pyright: ignore
            judge = without_repeat(world) if stored.strategy == TWICE else grid_named(world)
            found.append((world, judged(judge, stored)))
    return found


@cache
def without_repeat(world: str) -> Grid:
    """Return the grid without the run that `ours-with-equal-twice` sees beside the first two seeds."""
    grid = grid_named(world)
    return grid_of(subset(grid.runs, np.delete(np.arange(len(grid.runs.seeds_N)), repeat_of(grid))), goal=grid.goal)


def judged(grid: Grid, outcome: GridOutcome) -> GridOutcome:
    """Return the outcome with what its mixtures gain; NaN where it tells several no better from one another."""
    seen = (outcome.draw or 0) % 2
    gain, noise = grid.gain(np.array([outcome.place]), seen=seen) if outcome.place >= 0 else (math.nan, math.nan)
    own = grid.gain(np.array([outcome.own_place]), seen=seen)[0] if outcome.own_place >= 0 else math.nan
    return replace(outcome, gain=gain, noise=noise, own_gain=own)


def of_cell(key: str, cell: str, texts: Sequence[str]) -> Any:
    return (
        cell if key in texts else int(cell) if key in ("n", "draw", "place", "own_place") else float(cell or math.nan)
    )


def write(found: Sequence[tuple[str, GridOutcome]]) -> None:
    """Write all replays, whole or not at all."""
    names = [field.name for field in fields(GridOutcome) if field.name not in JUDGED]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["grid", "world", *names])
    writer.writerows([digest(), world, *(cell_of(getattr(one, name)) for name in names)] for world, one in found)
    write_text(REPLAYS, text.getvalue())


def cell_of(value: object) -> object:
    return f"{value:.6f}" if isinstance(value, float) and not math.isnan(value) else "" if value != value else value


@app.command()
def often() -> None:
    """Write the mixtures that ours recommends most often in each world: they are to be run at further seeds."""
    rows: list[dict[str, object]] = []
    for world in WORLDS:
        keys: dict[str, Array] = {}
        for name in GRIDS:
            if name.startswith(world):
                grid = grid_named(name)
                mine = [one.place for of, one in read() if of == name and one.strategy in TELLING and one.n in SHOWN]
                places, counts = np.unique(mine, return_counts=True)
                order = np.argsort(-counts, kind="stable")
                enough = int(np.searchsorted(np.cumsum(counts[order]), MOST * len(mine))) + 1
                keys |= {str(grid.X_MD[place]): grid.X_MD[place] for place in places[order][:enough]}
        domains = grid_named(world).runs.domains
        rows += [
            {"world": world, **{f"w.{one}": x for one, x in zip(domains, x_D, strict=True)}} for x_D in keys.values()
        ]
    write_text(OFTEN, pd.DataFrame(rows).to_csv(index=False))


@app.command()
def tables() -> None:
    """Print the page's tables: regret, gains, claims and the intervals that hold."""
    print("\n".join(lines()))


@app.command()
def errors(n: int = 24, draws: int = 12) -> None:
    """Print by how much ours predicts too much at equal shares and where it recommends, beside all unseen mixtures."""
    print("\n".join(head(("grid", "equal shares", "recommended"))))
    for world in GRIDS:
        grid = grid_named(world)
        found_K2 = np.array([errors_of(grid, n, index) for index in tqdm(range(2 * draws), desc=world)])
        noise = grid.gain(grid.allowed, seen=0)[1]  # of the runs that judge, the same for all draws
        of_draws_2 = found_K2.std(axis=0, ddof=1) / np.sqrt(len(found_K2))
        middle_2, error_2 = found_K2.mean(axis=0), 2 * np.hypot(of_draws_2, noise)
        cells = [f"{middle:+.3f} ± {error:.3f}" for middle, error in zip(middle_2, error_2, strict=True)]
        print(f"| {world} | {' | '.join(cells)} |")


def errors_of(grid: Grid, n: int, index: int) -> tuple[float, float]:
    """Return what a draw's prediction is too high by, as judged by all seeds that it doesn't see."""
    drawn, seen = drawn_places(grid, n, index=index, seed=0), index % 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        score = STRATEGIES["ours"].choose(grid.shown(drawn, seed=seen), goal=grid.goal, seed=0).score
    assert score is not None
    predicted_M = score(grid.X_MD)
    error_M = predicted_M - grid.others_M2[:, seen]
    best = grid.allowed[np.argmax(predicted_M[grid.allowed])]
    of_unseen = error_M[np.setdiff1d(grid.allowed, drawn)].mean()
    return float(error_M[grid.equal] - of_unseen), float(error_M[best] - of_unseen)


def lines() -> Iterator[str]:
    """Yield the tables as Markdown: of each grid, and of half the pilots."""
    for world in GRIDS:
        grid, mine = grid_named(world), outcomes_of(world)
        yield from ("", f"**{world}**", "")
        yield from head(HEADS)
        for name in (ORACLE, *STRATEGIES, WITH_EQUAL, TWICE, NEXT):
            for n in shown(name, {one.n for one in mine if one.strategy == name}):
                some = [one for one in mine if (one.strategy, one.n) == (name, n)]
                yield row(grid, some, none_gains=world == "control")
        for by in (np.nanmedian, np.nanmean):
            yield from ("", f"**{world}: half the pilots, by the {by.__name__.removeprefix('nan')} regret**", "")
            yield from halved(mine, by=by)
        yield from ("", stopped(mine, none_gains=world == "control"), "")
        yield from told_gains(mine, none_gains=world == "control")
        yield f"* {of_seeds(grid)}"
        yield from ("", f"**{world}: intervals as they were first judged, by means of different seeds**", "")
        yield from first_judged(grid, mine)


def shown(name: str, sizes: Collection[int]) -> list[int]:
    """Return the sizes of a strategy that the table has: one alone where it learns from no run."""
    if name in (ORACLE, *OF_SEED_SET):
        return sorted(sizes)
    most = 1 if name in STRATEGIES and STRATEGIES[name].learns_from == "nothing" else None
    return [n for n in SHOWN if n in sizes][:most]


def halved(outcomes: Sequence[GridOutcome], *, by: Statistic) -> Iterator[str]:
    """Yield a line for each number of published pilots: the best of them, and who does as well with half as many."""
    compared = (NEXT, "ours", "best-run")
    heads = [part for name in (*compared, "best published") for part in (f"{name}, half as many", "behind (95 %)")]
    yield from head(("published", "best of them", *heads))
    regrets = regrets_of(outcomes)
    for n in HALVED:
        published, half = at_most(outcomes, n), at_most(outcomes, n // 2)
        if not (half and all((name, n // 2) in regrets for name in compared)):
            continue
        cells = [f"at most {n} pilots", named_best(published, by=by)]
        for name in compared:
            mine_K2 = regrets[name, n // 2]
            cells += [f"{by(mine_K2):.3f}", behind(mine_K2, published, by=by)]
        cells += [named_best(half, by=by), behind(half[best_of(half, by=by)], published, by=by)]
        yield f"| {' | '.join(cells)} |"


def best_of(regrets: Mapping[str, Array], *, by: Statistic) -> str:
    """Return the name of the lowest regret."""
    return min(regrets, key=lambda name: by(regrets[name]))


def named_best(regrets: Mapping[str, Array], *, by: Statistic) -> str:
    best = best_of(regrets, by=by)
    return f"{best}, {by(regrets[best]):.3f}"


def outcomes_of(world: str) -> list[GridOutcome]:
    """Return the finished replays on a grid, and what its oracle does."""
    return [*(one for of_world, one in read() if of_world == world), *oracle(grid_named(world))]


def regrets_of(outcomes: Sequence[GridOutcome], *, own: bool = False) -> dict[tuple[str, int], Array]:
    """Return (strategy, size) -> its regrets [K, 2] by draw and seed; NaN where it failed.

    With `own` they are those of the mixture nearest to the one that the strategy recommends of all there are.
    """
    cells: dict[tuple[str, int], dict[int, float]] = {}
    for one in outcomes:
        cells.setdefault((one.strategy, one.n), {})[one.draw or 0] = one.own_regret if own else one.regret
    return {
        cell: np.array([[of.get(2 * draw + seed, math.nan) for seed in (0, 1)] for draw in range(max(of) // 2 + 1)])
        for cell, of in cells.items()
    }


def at_most(outcomes: Sequence[GridOutcome], n: int) -> dict[str, Array]:
    """Return the regrets of the published strategies with at most n runs, as predicted and by their own mixtures."""
    fit = [one for one in outcomes if one.strategy in PUBLISHED and one.n <= n]
    found = {f"{name} from {size}": regrets for (name, size), regrets in regrets_of(fit).items()}
    for (name, size), own_K2 in regrets_of(fit, own=True).items():
        if not np.array_equal(own_K2, found[f"{name} from {size}"], equal_nan=True):
            found[f"{name} from {size}, own mixture"] = own_K2
    return found


def behind(mine_K2: Array, published: Mapping[str, Array], *, by: Statistic = np.nanmedian) -> str:
    """Return by how much the regret is above that of the best published strategy, with a 95 % interval.

    The interval is over draws, whose two seeds stay together; each resample picks the best published strategy anew. A
    strategy of the seed set has no draws, and stays as it is.
    """

    def difference(rows_K: IntArray) -> float:
        mine, *others = (by(one[rows_K] if len(one) > 1 else one) for one in (mine_K2, *published.values()))
        return float(mine - min(others))

    draws = min((len(found) for found in (mine_K2, *published.values()) if len(found) > 1), default=1)
    low, high = resampled(difference, draws)
    return f"{difference(np.arange(draws)):+.3f} ({low:+.3f} to {high:+.3f})"


def resampled(statistic: Callable[[IntArray], float], draws: int) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a statistic of the draws' places."""
    rng = child_rng(0, "experiment", "bootstrap")
    again = [statistic(rng.integers(draws, size=draws)) for _ in range(RESAMPLES)]
    low, high = np.nanquantile(again, [0.025, 0.975])
    return float(low), float(high)


def stopped(outcomes: Sequence[GridOutcome], *, none_gains: bool) -> str:
    """Return what `next` does that stops at the first size whose gain is clear, and else at the last one.

    Intervals are over draws, whose two seeds stay together.
    """
    of_draw: dict[int, list[GridOutcome]] = {}
    for one in outcomes:
        if one.strategy == NEXT and not one.problem:
            of_draw.setdefault(one.draw or 0, []).append(one)
    if not of_draw:
        return ""
    lasts = [ordered(mine)[-1] for mine in of_draw.values()]
    ends = [next((one for one in ordered(mine) if one.lo90 > 0), ordered(mine)[-1]) for mine in of_draw.values()]
    end_K2, last_K2, pilots_K2 = (
        regrets_of([replace(one, n=0, regret=value) for one, value in zip(some, values, strict=True)])[NEXT, 0]
        for some, values in (
            (ends, [one.regret for one in ends]),
            (lasts, [one.regret for one in lasts]),
            (ends, [float(one.n) for one in ends]),
        )
    )
    low, high = resampled(lambda rows_K: float(np.nanmean(pilots_K2[rows_K])), len(pilots_K2))
    wrong = wrong_claims(ends, none_gains=none_gains)
    return (
        f"`{NEXT}` that stops once its gain is clear, looking at {', '.join(map(str, SIZES))} pilots: "
        f"{np.nanmean(pilots_K2):.0f} pilots on average ({low:.0f} to {high:.0f}), clear in "
        f"{np.mean([one.lo90 > 0 for one in ends]):.0%}, wrongly in {wrong:.0%}; median regret "
        f"{np.nanmedian(end_K2):.3f}, which is {behind(end_K2, {'': last_K2})} behind that without stopping, "
        f"by the mean {behind(end_K2, {'': last_K2}, by=np.nanmean)}."
    )


def told_gains(outcomes: Sequence[GridOutcome], *, none_gains: bool) -> Iterator[str]:
    """Yield for each strategy that says how sure it is what became of the gains that it told, and by seeds it holds."""
    for name in (*TELLING, TWICE):
        mine = [one for one in outcomes if one.strategy == name and one.n in SHOWN and not one.problem]
        gains = [one for one in mine if one.lo90 > 0]
        if gains:
            wrong = round(len(gains) * wrong_claims(gains, none_gains=none_gains))
            predicted, true = (float(np.mean([getattr(one, key) for one in gains])) for key in ("predicted", "gain"))
            most = [[one.holds for one in mine if one.n == SHOWN[-1] and (one.draw or 0) % 2 == k] for k in (0, 1)]
            held = " and ".join(f"{sum(holds)} of {len(holds)}" for holds in most)
            yield (
                f"* `{name}`, {SHOWN[0]} to {SHOWN[-1]} pilots: told {len(gains)} gains, {wrong} of them not seen in "
                f"the other runs; predicted {predicted:+.3f}, seen {true:+.3f}. With {SHOWN[-1]}, intervals hold in "
                f"{held} replays that learn from the first and the second seeds."
            )


def of_seeds(grid: Grid) -> str:
    """Return in words whether seeds differ, by the mixtures within the caps that have all of them."""
    good_N, groups_N, seeds_N = grid.goal.goodness(grid.runs), grid.runs.groups(), np.array(grid.runs.seeds_N)
    rows_of = [np.flatnonzero(groups_N == groups_N[row]) for row in grid.rows_M2[grid.allowed, 0]]
    most = max(map(len, rows_of))
    return seeds_differ(np.array([good_N[rows[np.argsort(seeds_N[rows])]] for rows in rows_of if len(rows) == most]))


def first_judged(grid: Grid, outcomes: Sequence[GridOutcome]) -> Iterator[str]:
    """Yield how often intervals hold the gain, and how far off it is, by the plain means of all unseen runs."""
    good_N, groups_N = grid.goal.goodness(grid.runs), grid.runs.groups()
    rows_of = [np.flatnonzero(groups_N == groups_N[row]) for row in grid.rows_M2[:, 0]]
    others_M2 = np.array(
        [[good_N[rows[rows != seen]].mean() for seen in pair] for rows, pair in zip(rows_of, grid.rows_M2, strict=True)]
    )
    runs_M = np.array([len(rows) - 1 for rows in rows_of])
    yield from head(("strategy", *(f"{n} pilots" for n in SHOWN)))
    for name in TELLING:
        cells = [name]
        for n in SHOWN:
            mine = [one for one in outcomes if (one.strategy, one.n) == (name, n) and not one.problem]
            first = [
                replace(
                    one,
                    gain=others_M2[one.place, (one.draw or 0) % 2] - others_M2[grid.equal, (one.draw or 0) % 2],
                    noise=grid.noise
                    * np.sqrt(1 / runs_M[one.place] + 1 / runs_M[grid.equal])
                    * (one.place != grid.equal),
                )
                for one in mine
            ]
            _, _, holds, _, off = said(grid, first, none_gains=False)
            cells.append(f"{holds}, {off}")
        yield f"| {' | '.join(cells)} |"


def ordered(outcomes: Sequence[GridOutcome]) -> list[GridOutcome]:
    return sorted(outcomes, key=lambda one: one.n)


def row(grid: Grid, outcomes: Sequence[GridOutcome], *, none_gains: bool) -> str:
    """Return a line of the table of one strategy and size; replays that failed are counted.

    Every claim is wrong where `none_gains`: no mixture of that world is better than equal shares.
    """
    done = [one for one in outcomes if not one.problem]
    cells = [outcomes[0].strategy, str(outcomes[0].n)]
    cells.append(str(len(done)) if len(done) == len(outcomes) else f"{len(done)} of {len(outcomes)}")
    if done:
        rho_I, of_one = np.array([one.rho for one in done]), regrets_of(done)
        regret_K2 = next(iter(of_one.values()))
        as_asked = [
            grid.gain(np.array([one.place]), seen=(one.draw or 0) % 2, over=grid.asked)[0] for one in told(done)
        ]
        cells += [
            with_interval(regret_K2, np.nanmedian),
            with_interval(regret_K2, np.nanmean),
            "" if np.isnan(rho_I).all() else f"{np.nanmean(rho_I):.2f}",
            share([one.gain > 0 for one in told(done)]),
            share([gain > 0 for gain in as_asked]),
            *of_own(done),
            *said(grid, done, none_gains=none_gains),
        ]
    return f"| {' | '.join(cells + [''] * (len(HEADS) - len(cells)))} |"


def share(of: Sequence[bool]) -> str:
    return f"{np.mean(of):.0%}" if len(of) else ""


def told(outcomes: Sequence[GridOutcome]) -> list[GridOutcome]:
    """Return the replays in which the strategy told one mixture from the others."""
    return [one for one in outcomes if one.place >= 0]


def of_own(outcomes: Sequence[GridOutcome]) -> list[str]:
    """Return the same of the mixtures that are nearest to those it recommends of all; empty where they are the same."""
    own_K2, regret_K2 = (next(iter(regrets_of(outcomes, own=own).values())) for own in (True, False))
    if np.isnan(own_K2).all() or np.array_equal(own_K2, regret_K2, equal_nan=True):
        return ["", "", ""]
    both = [with_interval(own_K2, by) for by in (np.nanmedian, np.nanmean)]
    return [*both, share([one.own_gain > 0 for one in outcomes if one.own_place >= 0])]


def said(grid: Grid, outcomes: Sequence[GridOutcome], *, none_gains: bool) -> list[str]:
    """Return how often a gain was claimed, and wrongly, how often the interval held the true one, and how far off.

    Of equal shares themselves no interval can miss the gain: it is 0. So the others are counted apart.
    """
    sure = [one for one in outcomes if not math.isnan(one.lo90)]
    if not sure:
        return [""] * 5
    others = [one.holds for one in sure if one.place != grid.equal]
    return [
        share([one.lo90 > 0 for one in sure]),
        f"{wrong_claims(sure, none_gains=none_gains):.0%}",
        share([one.holds for one in sure]),
        f"{share(others)} of {len(others)}" if others else "",
        f"{np.mean([one.predicted - one.gain for one in sure]):+.3f}",
    ]


def wrong_claims(outcomes: Sequence[GridOutcome], *, none_gains: bool) -> float:
    """Return the share of replays that claim a gain which unseen runs, or the world itself, don't have."""
    return float(np.mean([one.lo90 > 0 and (none_gains or one.gain <= 0) for one in outcomes]))


def with_interval(regret_K2: Array, statistic: Statistic) -> str:
    """Return a statistic of the regret and its 95 % bootstrap interval over draws, whose two seeds stay together."""
    value = float(statistic(regret_K2))
    if len(regret_K2) < 2:
        return f"{value:.3f}"
    low, high = resampled(lambda rows_K: float(statistic(regret_K2[rows_K])), len(regret_K2))
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    app()
