"""Cheaper pilots on the grid of real runs: what each way of saving leaves of the regret (docs/experiment.md).

    python benchmarks/cheaper.py proxies uneven   # merged models at every mixture; an hour and a half on one core
    python benchmarks/cheaper.py proxies control  # half an hour; both may run at once
    python benchmarks/cheaper.py replay           # every way at every cost, 50 draws at both seeds; hours on two cores
    python benchmarks/cheaper.py table            # from benchmarks/results/cheaper.csv and the proxies, in a minute

All of them resume. Cost counts the steps trained, in full pilots, and no scoring. In these worlds a pilot trains for
30 s and is scored for 16 s, so one that stops at step 10 costs 26 s of 46, and a merged model 16 s.
Every way sees runs of one seed, and is judged by the other.
Axes: N runs, M mixtures, D domains, B benchmarks.
"""

import csv
import math
import sys
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
import typer
from experiment import IntArray, at_most, behind, both, check_digest, digest, outcomes_of, resampled
from nano_grid import grid_mixtures, grid_study, planned, results
from paired import Array, head, processes
from scipy import stats
from tqdm import tqdm

from modomodo import Mixture
from modomodo.core import child_rng, write_text
from modomodo.mixing import Runs
from modomodo.mixing.strategies import STRATEGIES, Goal, Grid, drawn_places
from modomodo.mixing.strategies.base import arranged, subset
from modomodo.mixing.validation import spearman
from modomodo.models.nano.grid import World
from modomodo.testing import nano_grid

RESULTS = Path(__file__).parent / "results"
TABLE = RESULTS / "cheaper.csv"
WORLDS: tuple[World, ...] = ("uneven", "control")
COSTS = (8, 12, 16, 24, 32)  # full pilots
SAME = 16  # full pilots with which ways of the same cost are compared
HALVED = (16, 24, 32)  # full pilots with which a way of half the cost is compared
QUARTERED = (32, 48)  # pilots of published strategies, with a quarter of which a way is to do as well
DRAWS = 50  # each at both seeds
STEPS, LAST = (10, 20), 30
LEAST = 4  # full pilots beside the single-domain runs from which what merging misses is learned
KEPT = 0.2  # of each difference, in TIES
Merge = Literal["plain", "ties"]
MERGES: tuple[Merge, ...] = ("plain", "ties")

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
    folders = [study.folder / "runs" / of_key[one.key] for one in single.values()]
    without = [str(folder) for folder in folders if not (folder / "model").exists()]
    if without:
        sys.exit(
            f"runs of one domain without their model: delete {' '.join(without)}, and "
            f"`python benchmarks/nano_grid.py run {world}` trains them again"
        )
    base, *parts = (
        load_model(str(path), precision="float32", freeze_vision=False)
        for path in (model_path(study.recipe.model), *(folder / "model" for folder in folders))
    )
    processor = load_processor(model_path(study.recipe.model), resize=study.recipe.view.resize)
    table = proxy_table(world)
    done = list(csv.DictReader(table.open(newline=""))) if table.exists() else []
    known = {(row["merge"], row["mixture"]) for row in done}
    for mixture in tqdm(mixtures, desc=f"merged models of {world}"):
        for merge in MERGES:
            if (merge, mixture.key) in known:
                continue
            with TemporaryDirectory() as folder:
                merged(base, parts, mixture.vector(study.recipe.domains), merge).save_pretrained(folder)
                processor.save_pretrained(folder)
                scores = score_saved(folder, study.pilot_recipe(mixture), processor, items=Path(folder) / "items")
            means = {f"score.{name}": f"{scores[name].mean:.4f}" for name in study.benchmarks}
            done.append({"merge": merge, "mixture": mixture.key, **means})
            write_text(table, pd.DataFrame(done).to_csv(index=False))


def proxy_table(world: World) -> Path:
    return RESULTS / f"proxies_{world}.csv"


def merged(base: Any, parts: Sequence[Any], w_D: Array, merge: Merge) -> Any:
    """Return the base model moved by the weighted differences of the parts."""
    import torch

    found, weights = base.state_dict(), torch.tensor(w_D, dtype=torch.float32)
    states = [part.state_dict() for part in parts]
    moved: dict[str, Any] = {}
    for name, start in found.items():
        differences = torch.stack([state[name] - start for state in states])
        moved[name] = start + (ties(differences, weights) if merge == "ties" else weighted_sum(differences, weights))
    copy = type(base)(base.config)
    copy.load_state_dict(moved)
    return copy


def weighted_sum(differences: Any, weights: Any) -> Any:
    """Return the sum [...] of weighted tensors [D, ...]."""
    return (differences * weights.reshape(-1, *[1] * (differences.ndim - 1))).sum(dim=0)


def ties(differences: Any, weights: Any) -> Any:
    """Return the TIES merge of tensors [D, ...]: their largest entries, where their signs agree with the majority.

    peft's `ties` divides by the number of tensors that agree, which shrinks a sum whose weights add up to 1 already;
    here it is the mean by the weights of those that agree (Yadav et al. 2023, arXiv 2306.01708).
    """
    import torch
    from peft.utils.merge_utils import calculate_majority_sign_mask, prune

    pruned = torch.stack([prune(one, KEPT, method="magnitude") for one in differences])
    shaped = weights.reshape(-1, *[1] * (differences.ndim - 1))
    agree = calculate_majority_sign_mask(pruned * shaped) & (pruned != 0)
    return (pruned * shaped * agree).sum(dim=0) / (shaped * agree).sum(dim=0).clamp(min=1e-12)


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

    def top(self, score_M: Array) -> int:
        """Return the place of the highest score within the caps."""
        return int(self.last.allowed[np.argmax(score_M[self.last.allowed])])

    def regret(self, score_M: Array, index: int) -> float:
        """Return how far the mixture of highest score is from the best, at the seed that the draw did not see."""
        return self.last.best - float(self.last.good_M2[self.top(score_M), 1 - index % 2])

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
    last, table = nano_grid(world), proxy_table(world)
    proxies = pd.read_csv(table) if table.exists() else pd.DataFrame({"merge": [], "mixture": []})
    keys = [Mixture(last.runs.domains, tuple(map(float, x_D))).key for x_D in last.X_MD]
    found: dict[str, Array] = {}
    for merge in MERGES:
        part = pd.DataFrame(proxies[proxies["merge"] == merge])
        missing = set(keys) - set(part["mixture"])
        if missing:
            sys.exit(
                f"{len(missing)} merged models ({merge}) are not scored: python benchmarks/cheaper.py proxies {world}"
            )
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
    """Ours from full pilots each of one of the two seeds; a mixture is judged by a seed that was not seen of it.

    Seeds of their own would share less noise than these do: what this shows is the least that they would.
    """
    places = drawn(world, cost, index)
    picks = child_rng(0, "cheaper", "seeds", index).integers(2, size=len(places))
    runs = outside(subset(world.last.runs, world.last.rows_M2[places, picks]))
    best = world.top(world.ours(runs, index))
    seen = int(picks[places == best][0]) if best in places else index % 2
    return world.last.best - float(world.last.good_M2[best, 1 - seen])


def way_merged(world: Final, cost: int, index: int, *, merge: Merge) -> float:
    """The merged models' scores, corrected by what ours learns of the rest from the full pilots that are left.

    Single-domain runs count as pilots, and are runs of the first seed, which judges the draws of the second: NaN there.
    Where too few pilots are left, the scores stand as they are.
    """
    pilots, proxy_M = cost - len(world.last.runs.domains), world.proxies[merge]
    if index % 2 or pilots < 0:
        return math.nan
    if pilots < LEAST:
        return world.regret(proxy_M, index)
    places = drawn(world, pilots, index)
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
    return drawn_places(world.last, min(count, len(world.last.allowed) - 1), index=index, seed=0)


@app.command()
def replay(draws: int = DRAWS) -> None:
    """Carry out the draws that are missing, on all cores."""
    found = read()
    done = {(row["world"], row["way"], int(row["cost"]), int(row["draw"])) for row in found}
    for name in WORLDS:
        work, indexes = partial(regrets, world_grids(name), name=name, done=done), range(2 * draws)
        with processes() as pool:
            for rows in tqdm(pool.map(work, indexes), total=len(indexes), desc=name):
                found += rows
                write_text(TABLE, pd.DataFrame(found).assign(grid=digest()).to_csv(index=False))


def read() -> list[dict[str, Any]]:
    """Return the finished draws; ends with an error where they are of another grid."""
    if not TABLE.exists():
        return []
    with TABLE.open(newline="") as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    for row in rows:
        check_digest(TABLE, row)
    return rows


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
    costs, same = [f"{cost} pilots" for cost in COSTS], f"behind full {SAME} at equal cost (95 %)"
    halves = [f"{cost // 2} behind full {cost} (95 %)" for cost in HALVED]
    quarters = [f"{cost // 4} behind published {cost} (95 %)" for cost in QUARTERED]
    for name in worlds():
        yield from ("", f"**{name}: median regret**", "")
        yield from head(("way", "replays", *costs, same, *halves, *quarters))
        of_way, outcomes = regrets_of_ways(name), outcomes_of(name)
        for way in WAYS:
            mine = {cost: of_way[way, cost] for cost in COSTS}
            cells = [str(np.isfinite(mine[COSTS[-1]]).sum())]
            cells += ["" if math.isnan(median(mine[cost])) else f"{median(mine[cost]):.3f}" for cost in COSTS]
            cells.append(against(mine[SAME], {"": of_way["full pilots", SAME]}))
            cells += [against(mine[cost // 2], {"": of_way["full pilots", cost]}) for cost in HALVED]
            cells += [against(mine[cost // 4], at_most(outcomes, cost)) for cost in QUARTERED]
            yield f"| {' | '.join((way, *cells))} |"
        world = world_grids(name)
        allowed_M = np.isin(np.arange(len(world.last.X_MD)), world.last.allowed)
        trained = allowed_M & (world.last.X_MD.max(axis=1) < 1)  # alone a domain's merged model is the trained one
        yield ""
        for merge, proxy_M in world.proxies.items():
            found = spearman_interval(proxy_M[trained], world.last.good_M2.mean(axis=1)[trained])
            yield f"* {merge}: Spearman's rho with trained runs {found}"


def against(mine_K2: Array, others: Mapping[str, Array]) -> str:
    """Return the difference in median regret from the best of others at the same replays; "" where there is none."""
    if not (np.isfinite(mine_K2).any() and others):
        return ""
    draws = min((len(found) for found in (mine_K2, *others.values()) if len(found) > 1), default=1)
    mine_K2, same = mine_K2[:draws], np.isfinite(mine_K2[:draws])
    common = {
        name: np.where(same if len(found) > 1 else same.any(axis=0), found[:draws], np.nan)
        for name, found in others.items()
    }
    return behind(mine_K2, common)


def worlds() -> tuple[World, ...]:
    """Return the worlds of which draws are finished."""
    finished = {row["world"] for row in read()}
    return tuple(name for name in WORLDS if name in finished)


def regrets_of_ways(world: str) -> dict[tuple[str, int], Array]:
    """Return (way, cost) -> its regrets [K, 2] by draw and seed; NaN where it cannot be had."""
    rows = [row for row in read() if row["world"] == world]
    draws = max(int(row["draw"]) for row in rows) // 2 + 1
    found: dict[tuple[str, int], Array] = {(way, cost): np.full((draws, 2), np.nan) for way in WAYS for cost in COSTS}
    for row in rows:
        found[row["way"], int(row["cost"])][divmod(int(row["draw"]), 2)] = float(row["regret"])
    return found


def medians_of(world: str) -> dict[str, list[float]]:
    """Return the median regret of each way at each cost; NaN where it cannot be had."""
    of_way = regrets_of_ways(world)
    return {way: [median(of_way[way, cost]) for cost in COSTS] for way in WAYS}


def median(regret_K2: Array) -> float:
    return float(np.nanmedian(regret_K2)) if np.isfinite(regret_K2).any() else math.nan


def spearman_interval(proxy_M: Array, good_M: Array) -> str:
    """Return the rank correlation with a 95 % bootstrap interval over mixtures."""
    low, high = resampled(lambda rows_M: spearman(proxy_M[rows_M], good_M[rows_M]), len(good_M))
    return f"{spearman(proxy_M, good_M):.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    app()
