"""Strategies on a grid: mixtures trained at two seeds or more, so that no run both teaches a strategy and judges it.

Axes: N runs, M mixtures, D domains.
"""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from modomodo.core.errors import ModomodoError
from modomodo.core.seeds import child_rng, child_seed
from modomodo.mixing.proposal import propose
from modomodo.mixing.runs import Runs
from modomodo.mixing.strategies.base import Choice, Goal, Strategy, subset
from modomodo.mixing.strategies.ours import Ours
from modomodo.mixing.strategies.registry import OURS
from modomodo.mixing.strategies.replay import ONE_TABLE, SIZES, Progress, Replay
from modomodo.mixing.strategies.seedset import seed_rows
from modomodo.mixing.strategies.summary import Outcome, summaries
from modomodo.mixing.surrogates.base import Array, IntArray
from modomodo.mixing.validation import spearman

SEEDS = (1, 2)  # that every mixture has
FIRST = 6  # random pilots, after which `next` chooses
BATCH = 4
NEXT = "ours-next"
SAME = 1e-9
Z90 = 1.645  # standard deviations of a normal distribution from its middle to an end of the 90 % interval


@dataclass(frozen=True)
class GridOutcome(Outcome):
    """One strategy on one draw; `regret` is in the units of the score.

    `gain` is what its mixture gains on equal shares within the caps, by the runs of all seeds that it did not see, seed
    against seed; `noise` is the standard deviation of that from the luck of its runs. `predicted` is what it said it
    would, from `lo90` to `hi90`: NaN where it says nothing. `place` is the mixture's in the grid, -1 where several are
    as good.

    `own_regret`, `own_gain` and `own_place` are those of the grid's mixture nearest to the one that the strategy
    recommends of all there are, by rules of its own that may hold it back; the others are those of the one that it
    predicts to be best.
    """

    gain: float = math.nan
    noise: float = math.nan
    predicted: float = math.nan
    lo90: float = math.nan
    hi90: float = math.nan
    place: int = -1
    own_regret: float = math.nan
    own_gain: float = math.nan
    own_place: int = -1

    @property
    def holds(self) -> bool:
        """Whether the 90 % interval holds the gain, once it is widened by the noise of the runs that judge it."""
        half = math.hypot((self.hi90 - self.lo90) / 2, Z90 * self.noise)
        return abs(self.gain - (self.lo90 + self.hi90) / 2) <= half


@dataclass(frozen=True, eq=False)
class Grid:
    """The runs of M mixtures at two seeds or more, and what is to be made best (higher is better).

    `rows_M2` are the runs of each mixture at seeds 1 and 2, and `good_M2` what they are worth. `others_M2` is what each
    is worth by the runs of all seeds but that one, up to a constant: a sum of these runs with `weights_M2N`. `asked` is
    the place of equal shares, `equal` that of the mixture nearest to them within the goal's caps. `best` is the best
    mean of the two seeds within the caps.
    """

    runs: Runs
    goal: Goal
    X_MD: Array
    rows_M2: IntArray
    good_M2: Array
    others_M2: Array
    weights_M2N: Array
    asked: int

    @cached_property
    def allowed(self) -> IntArray:
        """The places of the mixtures within the caps: what is drawn, and what may be recommended."""
        moved_MD = np.clip(self.X_MD, *self.goal.limits(self.runs)) - self.X_MD
        return np.flatnonzero(np.abs(moved_MD).max(axis=1) < SAME)

    @cached_property
    def equal(self) -> int:
        return int(self.allowed[np.abs(self.X_MD[self.allowed] - 1 / len(self.runs.domains)).sum(axis=1).argmin()])

    @cached_property
    def noise(self) -> float:
        """The standard deviation of a run at its mixture, from the pairs of seeds."""
        return float(np.sqrt(np.square(self.good_M2[:, 0] - self.good_M2[:, 1]).mean() / 2))

    @property
    def best(self) -> float:
        return float(self.good_M2[self.allowed].mean(axis=1).max())

    def gain(self, places: IntArray, *, seen: int, over: int | None = None) -> tuple[float, float]:
        """Return what mixtures gain on `over` (`equal` unless given) by all runs but those of a seed, and its noise."""
        over = self.equal if over is None else over
        gain = float(self.others_M2[places, seen].mean() - self.others_M2[over, seen])
        weights_N = self.weights_M2N[places, seen].mean(axis=0) - self.weights_M2N[over, seen]
        return gain, self.noise * float(np.linalg.norm(weights_N))

    def shown(self, places: IntArray, *, seed: int) -> Runs:
        """Return the runs at some places, at seed 0 or 1 of the two."""
        return subset(self.runs, self.rows_M2[places, seed])


def grid_of(runs: Runs, *, goal: Goal) -> Grid:
    """Return the grid of runs whose `seeds_N` are 1, 2 and, where a mixture has more, 3 and so on.

    Raises:
        ModomodoError: for a mixture that lacks a run of the first two seeds, a run without a seed or a score, a grid
            without equal shares, and what `Goal.settled` refuses.
    """
    goal = goal.settled(runs)
    good_N, seeds_N = goal.goodness(runs), np.array(runs.seeds_N, dtype=float)
    lacking_N = ~(np.isfinite(good_N) & np.isfinite(seeds_N))
    if lacking_N.any():
        raise ModomodoError(
            f"{runs.labels_N[int(lacking_N.argmax())]}: a run of a grid needs its seed and all its scores"
        )
    first_M, group_N = np.unique(runs.groups(), return_index=True, return_inverse=True)[1:]
    row_of = {(int(group), seed): row for row, (group, seed) in enumerate(zip(group_N, runs.seeds_N, strict=True))}
    order_M = [int(group_N[row]) for row in np.sort(first_M)]
    for group, seed in product(order_M, SEEDS):
        if (group, seed) not in row_of:
            mixture = runs.mixture(int(first_M[group]))
            raise ModomodoError(f"{mixture} has no run of seed {seed}: a grid needs seeds 1 and 2 of each mixture")
    rows_M2 = np.array([[row_of[group, seed] for seed in SEEDS] for group in order_M])
    X_MD = runs.X_ND[rows_M2[:, 0]]
    equal = np.flatnonzero(np.abs(X_MD - 1 / len(runs.domains)).max(axis=1) < SAME)
    if not len(equal):
        raise ModomodoError("the grid has no run at equal shares, with which its mixtures are compared")
    weights_M2N = np.stack([_weights(group_N, seeds_N, without=seed)[order_M] for seed in SEEDS], axis=1)
    return Grid(runs, goal, X_MD, rows_M2, good_N[rows_M2], weights_M2N @ good_N, weights_M2N, int(equal[0]))


def _weights(group_N: IntArray, seeds_N: Array, *, without: int) -> Array:
    """Return the weights [G, N] of runs in what each mixture is worth by all seeds but one.

    A seed may be kind to every mixture, and not all mixtures have all seeds: so what a mixture and a seed add to a run
    are both found, by least squares. Mixtures with the same seeds are so compared seed against seed.
    """
    used = np.flatnonzero(seeds_N != without)
    seed_U = np.unique(seeds_N[used], return_inverse=True)[1]
    count = int(group_N.max()) + 1
    adds = np.hstack([np.eye(count)[group_N[used]], np.eye(int(seed_U.max()) + 1)[seed_U]])
    weights_GN = np.zeros((count, len(seeds_N)))
    weights_GN[:, used] = np.linalg.pinv(adds)[:count]
    return weights_GN


def on_grid(
    grid: Grid,
    strategies: Mapping[str, Strategy],
    *,
    sizes: Sequence[int] = SIZES[:2],
    draws: int = 20,
    seed: int = 0,
    progress: Progress | None = None,
) -> Replay:
    """Return how each strategy does on random draws of the grid's mixtures: `draws` of each size, each at both seeds.

    A strategy sees one run of each mixture drawn, all of one seed, and recommends a mixture of the grid: the one that
    it predicts to be best, or the nearest (total variation) to the weights that it gives; a strategy that does both is
    judged by both. Its value is the run at the other seed. `regret` is the best mean of both seeds in the grid minus
    that value, `rho` Spearman's correlation of predictions with runs of the other seed at mixtures that were not drawn.
    A strategy that learns from the paper's seed set sees that, once at each seed.

    Raises:
        ModomodoError: for a size that the grid does not allow.
    """
    count = len(grid.allowed)
    odd = [n for n in sizes if not 2 <= n < count]
    if odd:
        raise ModomodoError(
            f"the grid has {count} mixtures within the caps: draw 2 to {count - 1} of them, not {odd[0]}"
        )
    fixed = {name: one for name, one in strategies.items() if one.learns_from == "seed set"}
    rounds = [(n, index) for n in sizes for index in range(2 * draws)]
    found = on_seed_set(grid, fixed, seed=seed)
    for done, (n, index) in enumerate(rounds, start=1):
        drawn = drawn_places(grid, n, index=index, seed=seed)
        found += [
            outcome_of(grid, name, strategy, drawn, index=index, seed=seed)
            for name, strategy in strategies.items()
            if name not in fixed
        ]
        if progress is not None:
            progress(done, len(rounds))
    told = summaries(_of_draws(found), names=tuple(strategies), against=OURS)
    return Replay(found, told, (*_notes(found), ONE_TABLE), unit="score")


def _of_draws(outcomes: Sequence[GridOutcome]) -> list[Outcome]:
    """Return the mean of the two seeds of each draw, which are one draw: they are no independent evidence."""
    pairs: dict[tuple[str, int, int], list[GridOutcome]] = {}
    for one in outcomes:
        pairs.setdefault((one.strategy, one.n, (one.draw or 0) // 2), []).append(one)
    return [
        Outcome(
            name,
            n,
            draw,
            float(np.mean([one.rho for one in pair])),
            float(np.mean([one.regret for one in pair])),
            next((one.problem for one in pair if one.problem), ""),
        )
        for (name, n, draw), pair in pairs.items()
    ]


def on_seed_set(grid: Grid, strategies: Mapping[str, Strategy], *, seed: int = 0) -> list[GridOutcome]:
    """Return how strategies do that see the grid's runs of the paper's seed set, once at each seed."""
    drawn = seed_set_places(grid)
    return [
        outcome_of(grid, name, strategy, drawn, index=index, seed=seed)
        for name, strategy in strategies.items()
        for index in range(2)
    ]


def seed_set_places(grid: Grid) -> IntArray:
    """Return the places of the paper's seed set in the grid."""
    rows = np.concatenate(list(seed_rows(grid.runs).values()))
    return np.flatnonzero(np.isin(grid.rows_M2[:, 0], rows))


def _notes(outcomes: Sequence[GridOutcome]) -> tuple[str, ...]:
    """Return for each strategy and size how often its mixture beats equal shares at unseen seeds, and what it said."""
    cells = dict.fromkeys((one.strategy, one.n) for one in outcomes if not one.problem)
    lines: list[str] = []
    for name, n in cells:
        mine = [one for one in outcomes if (one.strategy, one.n) == (name, n) and not one.problem]
        better = np.mean([one.gain > 0 for one in mine])
        line = f"{name}, {n} runs: its mixture beats equal shares at unseen seeds in {better:.0%}"
        if any(one.own_regret != one.regret for one in mine):
            own = np.median([one.own_regret for one in mine])
            line += f"; the nearest to the mixture that it recommends of all has a median regret of {own:.3f}"
        sure = [one for one in mine if not math.isnan(one.lo90)]
        if sure:
            holds = np.mean([one.holds for one in sure])
            claims = np.mean([one.lo90 > 0 for one in sure])
            line += (
                f"; it claims so in {claims:.0%}, and its 90 % interval, widened by the noise of the runs that judge "
                f"it, holds the gain in {holds:.0%}"
            )
        lines.append(line)
    return tuple(lines)


def drawn_places(grid: Grid, n: int, *, index: int, seed: int) -> IntArray:
    """Return the places of the mixtures of a draw: 2 k and 2 k + 1 are one draw at either seed, whatever the size.

    Mixtures outside the caps are never drawn: their runs end early, or would not be asked for.
    """
    rng = child_rng(seed, "grid", index // 2)
    return rng.permutation(grid.allowed)[:n]


def outcome_of(grid: Grid, name: str, strategy: Strategy, drawn: IntArray, *, index: int, seed: int) -> GridOutcome:
    """Return how a strategy does that sees the runs of the mixtures `drawn` at one of the seeds."""
    seen, n = index % 2, len(drawn)
    runs = grid.shown(drawn, seed=seen)
    try:
        # What `fit` warns of is said once, of the whole table.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            choice = strategy.choose(runs, goal=grid.goal, seed=child_seed(seed, name, n, index))
            worth_M, own_M = _worths(grid, choice)
            chosen, own = _highest(grid, worth_M), _highest(grid, own_M)
            said = (math.nan,) * 3 if choice.gain is None else choice.gain(grid.X_MD[chosen[0]])
    except ModomodoError as error:
        return GridOutcome(name, n, index, math.nan, math.nan, str(error))
    unseen_M = grid.good_M2[:, 1 - seen]
    others = np.setdiff1d(grid.allowed, drawn)
    rho = math.nan
    if choice.score is not None:
        rho = spearman(worth_M[others], unseen_M[others]) if np.ptp(worth_M[others]) > 0 else 0.0
    gain, noise = grid.gain(chosen, seen=seen)
    return GridOutcome(
        name,
        n,
        index,
        rho,
        grid.best - float(unseen_M[chosen].mean()),
        gain=gain,
        noise=noise,
        predicted=said[0],
        lo90=said[1],
        hi90=said[2],
        place=_only(chosen),
        own_regret=grid.best - float(unseen_M[own].mean()),
        own_gain=grid.gain(own, seen=seen)[0],
        own_place=_only(own),
    )


def _only(places: IntArray) -> int:
    return int(places[0]) if len(places) == 1 else -1


def next_on_grid(grid: Grid, *, sizes: Sequence[int], index: int, seed: int) -> Iterator[GridOutcome]:
    """Yield the outcome at each size of our strategy when it chooses its pilots, four at a time after six random ones.

    At a size within a batch its first pilots are seen. What `next` would repeat at another seed it may not see here: it
    takes the next new mixture instead.
    """
    drawn = [int(place) for place in drawn_places(grid, FIRST, index=index, seed=seed)]
    for n in sorted(sizes):
        try:
            while len(drawn) < n:
                drawn += _proposed(grid, drawn, index=index, seed=seed)
        except ModomodoError as error:
            yield GridOutcome(NEXT, n, index, math.nan, math.nan, str(error))
            continue
        yield outcome_of(grid, NEXT, Ours(), np.array(drawn[:n]), index=index, seed=seed)


def _proposed(grid: Grid, drawn: Sequence[int], *, index: int, seed: int) -> list[int]:
    """Return the places of the new mixtures that `next` proposes, a batch or as many as are left."""
    seed = child_seed(seed, NEXT, len(drawn), index)
    runs = grid.shown(np.array(drawn), seed=index % 2)
    fitted, objective = Ours().fitted(runs, goal=grid.goal, seed=seed)
    left = np.setdiff1d(grid.allowed, drawn)
    found = propose(
        fitted,
        batch=BATCH + 1 + len(drawn) // 4,  # a quarter of all runs may be repeats
        objective=objective,
        caps=grid.goal.caps,
        candidates_ND=grid.X_MD[left],
        seed=seed,
    )
    new = [one.mixture.vector(runs.domains) for one in found.pilots if one.kind == "new"][:BATCH]
    if not new:
        raise ModomodoError(f"of {len(drawn)} runs `next` proposes repeats alone, and the grid has none for it")
    return [int(left[np.argmin(np.abs(grid.X_MD[left] - x_D).sum(axis=1))]) for x_D in new]


def _worths(grid: Grid, choice: Choice) -> tuple[Array, Array]:
    """Return by what mixtures of the grid are chosen [M], the highest: by prediction, by the choice's own mixture."""
    if choice.greedy and choice.score is not None:
        predicted_M = choice.score(grid.X_MD)
        return predicted_M, predicted_M
    near_M = -np.abs(grid.X_MD - choice.mixture.vector(grid.runs.domains)).sum(axis=1) / 2
    return near_M if choice.score is None else choice.score(grid.X_MD), near_M


def _highest(grid: Grid, worth_M: Array) -> IntArray:
    """Return the places within the caps where `worth_M` is highest: all of them where it tells nothing apart."""
    allowed_M = worth_M[grid.allowed]
    highest = float(allowed_M.max())
    return grid.allowed[allowed_M >= highest - 1e-12 * max(1.0, abs(highest))]
