"""Cheaper pilots on the grid of real runs: what each way of saving leaves of the regret (docs/experiment.md).

    python benchmarks/cheaper.py proxies uneven   # scores a merged model at every mixture; resumes; an hour on one core
    python benchmarks/cheaper.py replay           # every way at every cost, 100 draws each; resumes; about an hour
    python benchmarks/cheaper.py table            # from benchmarks/results/cheaper.csv and proxies.csv, in seconds

Cost counts the steps trained, in full pilots. Every way sees runs of one seed, and is judged by the others.
Axes: N runs, M mixtures, D domains, B benchmarks.
"""

import csv
import math
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import typer
from nano_grid import grid_mixtures, grid_study, planned, results
from paired import Array
from scipy import stats
from tqdm import tqdm

from modomodo import Mixture
from modomodo.core import child_rng
from modomodo.mixing import Runs
from modomodo.mixing.strategies import STRATEGIES, Goal, Grid, drawn_places
from modomodo.mixing.strategies.base import arranged, subset
from modomodo.mixing.validation import spearman
from modomodo.models.nano.grid import World
from modomodo.testing import nano_grid

RESULTS = Path(__file__).parent / "results"
PROXIES, TABLE = RESULTS / "proxies.csv", RESULTS / "cheaper.csv"
WORLDS: tuple[World, ...] = ("uneven", "control")
COSTS = (8, 12, 16, 24, 32)  # full pilots
DRAWS = 50  # each at both seeds
STEPS, LAST = (10, 20), 30
LEAST = 4  # full pilots beside the single-domain runs
KEPT = 0.2  # of each difference, in TIES
RESAMPLES = 1_000
Merge = Literal["plain", "ties"]
MERGES: tuple[Merge, ...] = ("plain", "ties")
IntArray = npt.NDArray[np.int64]

app = typer.Typer(add_completion=False)


@app.command()
def proxies(world: World, grid: Path = Path("studies/grid")) -> None:
    """Score theta_0 + sum of w_i (theta_i - theta_0) at every mixture of a world's grid, plain and by TIES."""
    from modomodo.models.load import load_model, load_processor
    from modomodo.models.names import model_path
    from modomodo.training.weights import score_saved

    study = grid_study(world, grid)
    mixtures = grid_mixtures(world, study)
    single = {name: Mixture.of({name: 1.0}) for name in study.recipe.domains}
    of_key = {one.recipe.requested.key: result.key for one, result in reversed(results(planned(study, mixtures)))}
    base = load_model(model_path(study.recipe.model), precision="float32", freeze_vision=False)
    parts = [
        load_model(str(study.folder / "runs" / of_key[one.key] / "model"), precision="float32", freeze_vision=False)
        for one in single.values()
    ]
    processor = load_processor(model_path(study.recipe.model), resize=study.recipe.view.resize)
    done = list(csv.DictReader(PROXIES.open(newline=""))) if PROXIES.exists() else []
    known = {(row["world"], row["merge"], row["mixture"]) for row in done}
    for mixture in tqdm(mixtures, desc=f"merged models of {world}"):
        for merge in MERGES:
            if (world, merge, mixture.key) in known:
                continue
            with TemporaryDirectory() as folder:
                merged(base, parts, mixture.vector(study.recipe.domains), merge).save_pretrained(folder)
                processor.save_pretrained(folder)
                scores = score_saved(folder, study.pilot_recipe(mixture), processor, items=Path(folder) / "items")
            means = {f"score.{name}": f"{scores[name].mean:.4f}" for name in study.benchmarks}
            done.append({"world": world, "merge": merge, "mixture": mixture.key, **means})
            pd.DataFrame(done).to_csv(PROXIES, index=False)


def merged(base: Any, parts: Sequence[Any], w_D: Array, merge: Merge) -> Any:
    """Return the base model moved by the weighted differences of the parts."""
    import torch
    from peft.utils.merge_utils import ties

    found, weights = base.state_dict(), torch.tensor(w_D, dtype=torch.float32)
    states = [part.state_dict() for part in parts]
    moved: dict[str, Any] = {}
    for name, start in found.items():
        differences = [state[name] - start for state in states]
        if merge == "ties":
            moved[name] = start + ties(differences, weights, KEPT)
        else:
            moved[name] = start + sum(float(w) * one for w, one in zip(w_D, differences, strict=True))
    copy = type(base)(base.config)
    copy.load_state_dict(moved)
    return copy


@dataclass(frozen=True, eq=False)
class Final:
    """A world's grid by the steps after which its runs are scored, and its merged models' goodness [M]."""

    last: Grid
    early: dict[int, Grid]
    proxies: dict[str, Array]

    def shown(self, places: IntArray, *, index: int, step: int | None = None) -> Runs:
        """Return the runs at some places at the seed of a draw, with the benchmarks that count alone."""
        grid = self.last if step is None else self.early[step]
        return outside(grid.shown(places, seed=index % 2))

    def regret(self, score_M: Array, index: int) -> float:
        """Return how far the mixture of highest score is from the best, at the seed that the draw did not see."""
        return self.last.best - float(self.last.good_M2[int(np.argmax(score_M)), 1 - index % 2])

    def ours(self, runs: Runs, index: int, goal: Goal | None = None) -> Array:
        """Return what our surrogate predicts of every mixture of the grid [M]."""
        choice = STRATEGIES["ours"].choose(runs, goal=goal or Goal(), seed=index)
        assert choice.score is not None
        return choice.score(self.last.X_MD)


def outside(runs: Runs) -> Runs:
    return arranged(
        runs, domains=runs.domains, benchmarks=[one for one in runs.benchmarks if not one.startswith("in.")]
    )


def world_grids(world: World) -> Final:
    last = nano_grid(world)
    table = pd.read_csv(PROXIES) if PROXIES.exists() else pd.DataFrame({"world": [], "merge": []})
    keys = [Mixture(last.runs.domains, tuple(map(float, x_D))).key for x_D in last.X_MD]
    found: dict[str, Array] = {}
    for merge in MERGES:
        part = pd.DataFrame(table[(table["world"] == world) & (table["merge"] == merge)])
        if len(part):
            names = [name for name in part.columns if name.startswith("score.")]
            of_key = dict(zip(part["mixture"], part[names].to_numpy(dtype=float).mean(axis=1), strict=True))
            found[merge] = np.array([of_key[key] for key in keys])
    return Final(last, {step: nano_grid(world, step=step) for step in STEPS}, found)


def way_full(world: Final, cost: int, index: int) -> float:
    """Ours from that many full pilots: what the others are compared with."""
    return world.regret(world.ours(world.shown(drawn(world, cost, index), index=index), index), index)


def way_stopped(world: Final, cost: int, index: int, *, step: int) -> float:
    """Ours from more pilots that all end early."""
    places = drawn(world, cost * LAST // step, index)
    return world.regret(world.ours(world.shown(places, index=index, step=step), index), index)


def way_halved(world: Final, cost: int, index: int) -> float:
    """Ours from pilots of a third of the steps, of which the better half goes on to the end."""
    places = drawn(world, 3 * cost // 2, index)
    ahead = places[np.argsort(-world.early[STEPS[0]].good_M2[places, index % 2])[: len(places) // 2]]
    behind = np.setdiff1d(places, ahead)
    runs = both(world.shown(ahead, index=index), world.shown(behind, index=index, step=STEPS[0]))
    return world.regret(world.ours(runs, index), index)


def way_seed_each(world: Final, cost: int, index: int) -> float:
    """Ours from full pilots each of one of the seeds; a mixture is judged by a seed that was not seen of it."""
    places = drawn(world, cost, index)
    picks = child_rng(0, "cheaper", "seeds", index).integers(2, size=len(places))
    runs = outside(subset(world.last.runs, world.last.rows_M2[places, picks]))
    best = int(np.argmax(world.ours(runs, index)))
    seen = int(picks[places == best][0]) if best in places else index % 2
    return world.last.best - float(world.last.good_M2[best, 1 - seen])


def way_merged(world: Final, cost: int, index: int, *, merge: Merge) -> float:
    """The merged models' scores, corrected by what ours learns of the rest from the full pilots that are left.

    Single-domain runs count as pilots. NaN where too few are left, and where the merged models were not scored.
    """
    pilots = cost - len(world.last.runs.domains)
    if pilots < LEAST or merge not in world.proxies:
        return math.nan
    places, proxy_M = drawn(world, pilots, index), world.proxies[merge]
    good_N = world.last.good_M2[places, index % 2]
    slope = max(0.0, float(cast(Any, stats).linregress(proxy_M[places], good_N).slope))
    shown, none_N1 = world.shown(places, index=index), np.full((len(places), 1), np.nan)
    rest_N1 = (good_N - slope * proxy_M[places])[:, None]
    runs = replace(shown, benchmarks=("rest",), y_NB=rest_N1, se_NB=none_N1, n_NB=none_N1)
    rest_M = world.ours(runs, index, Goal(bounds={"rest": (-2.0, 2.0)}))
    return world.regret(slope * proxy_M + rest_M, index)


WAYS: dict[str, Callable[[Final, int, int], float]] = {
    "full pilots": way_full,
    "all stopped at step 10": partial(way_stopped, step=10),
    "all stopped at step 20": partial(way_stopped, step=20),
    "the worse half stopped at step 10": way_halved,
    "a seed each": way_seed_each,
    "merged, plain": partial(way_merged, merge="plain"),
    "merged, TIES": partial(way_merged, merge="ties"),
}


def drawn(world: Final, count: int, index: int) -> IntArray:
    return drawn_places(world.last, min(count, len(world.last.X_MD) - 1), index=index, seed=0)


def both(ahead: Runs, behind: Runs) -> Runs:
    """Return the runs of two tables as one."""
    arrays = {
        name: np.vstack([getattr(ahead, name), getattr(behind, name)]) for name in ("X_ND", "y_NB", "se_NB", "n_NB")
    }
    values = {name: getattr(ahead, name) + getattr(behind, name) for name in ("seeds_N", "steps_N", "labels_N")}
    return replace(ahead, **arrays, **values)


@app.command()
def replay(draws: int = DRAWS) -> None:
    """Carry out the draws that are missing, on all cores."""
    found = list(csv.DictReader(TABLE.open(newline=""))) if TABLE.exists() else []
    done = {(row["world"], row["way"], int(row["cost"]), int(row["draw"])) for row in found}
    for name in WORLDS:
        work, indexes = partial(regrets, world_grids(name), name=name, done=done), range(2 * draws)
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            for rows in tqdm(pool.map(work, indexes), total=len(indexes), desc=name):
                found += rows
                pd.DataFrame(found).to_csv(TABLE, index=False)


def regrets(
    world: Final, index: int, *, name: str, done: Collection[tuple[str, str, int, int]]
) -> list[dict[str, object]]:
    """Return the rows of one draw that are missing: the regret of each way at each cost."""
    rows: list[dict[str, object]] = []
    for (way, regret), cost in product(WAYS.items(), COSTS):
        if (name, way, cost, index) not in done:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                value = regret(world, cost, index)
            rows.append({"world": name, "way": way, "cost": cost, "draw": index, "regret": f"{value:.4f}"})
    return rows


@app.command()
def table() -> None:
    """Print the median regret of each way at each cost, what it saves, and how merged models rank mixtures."""
    print("\n".join(lines()))


def lines() -> Iterator[str]:
    """Yield the tables as Markdown, one for each world, and the rank correlations of merged models."""
    heads = ("way", *(f"{cost} pilots" for cost in COSTS), "saves")
    for name in WORLDS:
        yield from ("", f"**{name}: median regret**", "", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}")
        medians = medians_of(name)
        for way, values in medians.items():
            cells = ["" if math.isnan(value) else f"{value:.3f}" for value in values]
            yield f"| {' | '.join((way, *cells, saved(values, medians['full pilots'])))} |"
        world = world_grids(name)
        good_M = world.last.good_M2.mean(axis=1)
        yield ""
        for merge, proxy_M in world.proxies.items():
            yield f"* {merge}: Spearman's rho with trained runs {spearman_interval(proxy_M, good_M)}"


def medians_of(world: str) -> dict[str, list[float]]:
    """Return the median regret of each way at each cost; NaN where it cannot be had."""
    table = pd.read_csv(TABLE)
    runs = pd.DataFrame(table[table["world"] == world])
    return {way: [median(runs, way, cost) for cost in COSTS] for way in WAYS}


def median(runs: pd.DataFrame, way: str, cost: int) -> float:
    values = np.array(runs.query("way == @way and cost == @cost")["regret"], dtype=float)
    return float(np.median(values)) if len(values) else math.nan


def saved(values: Sequence[float], of_full: Sequence[float]) -> str:
    """Return the greatest factor by which a way needs less than full pilots for the same median regret, in words."""
    factors = [
        full_cost / cost
        for cost, value in zip(COSTS, values, strict=True)
        for full_cost, other in zip(COSTS, of_full, strict=True)
        if value <= other and all(later <= other for later in values[COSTS.index(cost) :])
    ]
    return f"{max(factors):.1f} x" if factors else "never"


def spearman_interval(proxy_M: Array, good_M: Array) -> str:
    """Return the rank correlation with a 95 % bootstrap interval over mixtures."""
    rng = child_rng(0, "cheaper", "bootstrap")
    again = [
        spearman(proxy_M[rows], good_M[rows])
        for rows in (rng.integers(len(good_M), size=len(good_M)) for _ in range(RESAMPLES))
    ]
    low, high = np.quantile(again, [0.025, 0.975])
    return f"{spearman(proxy_M, good_M):.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    app()
