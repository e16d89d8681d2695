"""strategies: what each mixture strategy would have chosen from a part of the known runs, and how good that was.

Axes: N runs, D domains.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from modomodo.core.errors import ModomodoError
from modomodo.core.seeds import child_rng, child_seed
from modomodo.mixing.runs import Runs
from modomodo.mixing.strategies.base import Choice, Goal, arranged, subset
from modomodo.mixing.strategies.registry import OURS, STRATEGIES, check_names, find_strategy
from modomodo.mixing.strategies.seedset import seed_rows
from modomodo.mixing.strategies.summary import Outcome, Summary, summaries
from modomodo.mixing.surrogates.base import IntArray
from modomodo.mixing.validation import spearman

SIZES = (8, 16, 32, 64, 128)
LEFT = 5  # mixtures that stay held out at least
ONE_TABLE = (
    "all draws come from one table and overlap: the intervals say how much the draw of the runs matters, not what "
    "another table would give"
)
FEW = 64  # held-out runs below which their own noise deserves a word

Progress = Callable[[int, int], None]
"""Called with the draws done and the draws to do."""


@dataclass(frozen=True)
class Replay:
    """The outcome of every strategy on every draw, what it comes to, and what a reader has to know."""

    outcomes: Sequence[Outcome]
    summaries: tuple[Summary, ...]
    notes: tuple[str, ...]
    unit: Literal["standard deviations", "score"] = "standard deviations"  # of regret


@dataclass(frozen=True, eq=False)
class Pool:
    """The runs to draw from, the fixed held-out ones if there are any, and a goal settled on them."""

    runs: Runs
    test: Runs | None
    goal: Goal

    def draw(self, n: int, *, seed: int) -> tuple[Runs, Runs]:
        """Return `n` random runs and the held-out ones: `test`, or the runs of all mixtures that were not drawn."""
        order = child_rng(seed, "replay", n).permutation(len(self.runs.labels_N))
        return self.split(np.sort(order[:n]))

    def split(self, rows: IntArray) -> tuple[Runs, Runs]:
        """Return the runs at `rows` and the held-out ones."""
        groups_N = self.runs.groups()
        left = np.flatnonzero(~np.isin(groups_N, groups_N[rows]))
        return subset(self.runs, rows), self.test or subset(self.runs, left)


def strategies(
    runs: Runs,
    *,
    goal: Goal | None = None,
    names: Sequence[str] = tuple(STRATEGIES),
    sizes: Sequence[int] | None = None,
    seeds: int = 20,
    test: Runs | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Replay:
    """Return how the strategies `names` do on `seeds` random draws of each size, all on the same draws.

    Of each draw the rest of the runs is held out (or `test`, if given). `rho` is Spearman's correlation of predicted
    and observed goodness there. `regret` is the best held-out goodness minus that of the chosen run, in standard
    deviations of the held-out runs: chosen is the run predicted best, or the one nearest (total variation) to the
    weights of a strategy that predicts nothing; only runs within the caps are chosen from. Strategies that learn from
    the paper's seed set get all its runs, once. `sizes` are 8, 16, 32, 64, 128 where as many runs are left, by
    default, or what a smaller table allows.

    Raises:
        ModomodoError: for unknown names, too few runs, and what `Goal.settled` refuses.
    """
    check_names(names)
    names = tuple(dict.fromkeys(names))
    pool, notes = pool_of(runs, goal=goal or Goal(), test=test)
    sizes = _sizes(pool, sizes)
    if seeds < 2:
        raise ModomodoError(f"seeds is {seeds}: an interval needs at least 2 draws")
    rounds = [(n, index) for n in sizes for index in range(seeds)]
    found = once(pool, names=names, seed=seed)
    for done, (n, index) in enumerate(rounds):
        if progress is not None:
            progress(done, len(rounds))
        found += on_draw(pool, n, names=names, seed=seed, index=index)
    if progress is not None:
        progress(len(rounds), len(rounds))
    return Replay(found, summaries(found, names=names, against=OURS), (*notes, *_cautions(pool, sizes, found)))


def pool_of(runs: Runs, *, goal: Goal, test: Runs | None = None) -> tuple[Pool, tuple[str, ...]]:
    """Return the runs that have all scores of the objective, with notes about those that have not."""
    notes = [*runs.notes, *goal.comparable(runs)[1]]
    goal = goal.settled(runs)
    runs = replace(runs, scale={})  # which the weights of the goal now have in
    if test is not None:
        test = _complete(_aligned(test, runs), goal, "held-out runs", notes)
    pool = Pool(_complete(runs, goal, "runs", notes), test, goal)
    held = pool.test or pool.runs
    allowed = int(_allowed(held, goal).sum())
    if allowed < LEFT:
        raise ModomodoError(
            f"{allowed} of {len(held.labels_N)} runs lie within the caps, and a choice needs at least {LEFT}: "
            "loosen the caps"
        )
    if np.ptp(goal.goodness(held)) == 0:
        raise ModomodoError("all runs score the same on the objective: there is nothing to choose")
    steps = sorted({steps for steps in pool.runs.steps_N if steps is not None})
    if len(steps) > 1:
        notes.append(f"runs have {steps[0]} to {steps[-1]} steps, which may look like an effect of the mixture")
    return pool, tuple(notes)


def on_draw(pool: Pool, n: int, *, names: Sequence[str], seed: int, index: int) -> tuple[Outcome, ...]:
    """Return the outcomes, on the draw of `n` runs number `index`, of those strategies that a draw is enough for."""
    train, held = pool.draw(n, seed=child_seed(seed, "draw", index))
    used = [name for name in names if find_strategy(name).learns_from != "seed set"]
    return tuple(_outcome(name, train, held, goal=pool.goal, draw=index, seed=seed) for name in used)


def once(pool: Pool, *, names: Sequence[str], seed: int) -> tuple[Outcome, ...]:
    """Return the outcomes of the strategies that learn from the seed set; their draw is None."""
    used = [name for name in names if find_strategy(name).learns_from == "seed set"]
    rows = sorted({int(row) for rows_N in seed_rows(pool.runs).values() for row in rows_N})
    train, held = pool.split(np.array(rows, dtype=np.int64))
    return tuple(_outcome(name, train, held, goal=pool.goal, draw=None, seed=seed) for name in used)


def _outcome(name: str, train: Runs, held: Runs, *, goal: Goal, draw: int | None, seed: int) -> Outcome:
    """Return how one strategy does; one that cannot be applied says why."""
    nothing = float("nan")
    n = len(train.labels_N)
    seed = child_seed(seed, name, n, -1 if draw is None else draw)
    try:
        # What `fit` warns of is said once, of the whole table.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            choice = find_strategy(name).choose(train, goal=goal, seed=seed)
            rho, regret = judged(choice, held, goal=goal)
    except ModomodoError as error:
        return Outcome(name, n, draw, nothing, nothing, str(error))
    return Outcome(name, n, draw, rho, regret)


def judged(choice: Choice, held: Runs, *, goal: Goal) -> tuple[float, float]:
    """Return rank correlation (NaN without predictions) and regret of a choice on held-out runs.

    Runs that tie for the choice count by their mean: a strategy that tells nothing apart does as well as chance.
    """
    if not held.labels_N:
        raise ModomodoError("all runs belong to the seed set it learns from: add runs at other mixtures to judge it")
    good_N, allowed_N = goal.goodness(held), _allowed(held, goal)
    if not allowed_N.any():
        raise ModomodoError("no held-out run lies within the caps")
    if good_N.std() == 0:
        raise ModomodoError("all held-out runs score the same")
    rho = float("nan")
    if choice.score is not None:
        worth_N = choice.score(held.X_ND)
        # Equal predictions have no ranks, and rank nothing.
        rho = spearman(worth_N, good_N) if np.ptp(worth_N) > 0 else 0.0
    else:
        worth_N = -np.abs(held.X_ND - choice.mixture.vector(held.domains)).sum(axis=1) / 2
    best = worth_N[allowed_N].max()
    chosen_N = allowed_N & (worth_N >= best - 1e-12 * max(1.0, abs(float(best))))
    return rho, float((good_N[allowed_N].max() - good_N[chosen_N].mean()) / good_N.std())


def _allowed(runs: Runs, goal: Goal) -> npt.NDArray[np.bool_]:
    """Return which runs lie within the caps, but for the rounding of their weights."""
    return np.abs(np.clip(runs.X_ND, *goal.limits(runs)) - runs.X_ND).max(axis=1) < 1e-9


def _complete(runs: Runs, goal: Goal, what: str, notes: list[str]) -> Runs:
    """Return the runs with all scores of the objective; note how many have not."""
    known = np.flatnonzero(np.isfinite(goal.goodness(runs)))
    lost = len(runs.labels_N) - len(known)
    if lost:
        notes.append(f"{lost} of {len(runs.labels_N)} {what} lack a score of the objective and are left out")
    return subset(runs, known)


def _aligned(test: Runs, runs: Runs) -> Runs:
    """Return held-out runs with domains and benchmarks in the order of `runs`."""
    for kind in ("domains", "benchmarks"):
        theirs, ours = getattr(test, kind), getattr(runs, kind)
        if set(theirs) != set(ours):
            odd = sorted(set(theirs) ^ set(ours))
            raise ModomodoError(f"the held-out runs have other {kind} than the runs: {', '.join(odd)} in one of them")
    return arranged(test, domains=runs.domains, benchmarks=runs.benchmarks)


def _sizes(pool: Pool, wanted: Sequence[int] | None) -> tuple[int, ...]:
    """Return the sizes of the draws that leave enough runs to choose from."""
    mixtures = len(np.unique(pool.runs.groups()))
    largest = len(pool.runs.labels_N) if pool.test is not None else mixtures - LEFT
    # A table too small for the first of them is drawn from as far as it goes.
    usual = [n for n in SIZES if n <= largest] or [largest]
    sizes = usual if wanted is None else sorted(set(wanted))
    odd = [n for n in sizes if not 2 <= n <= largest]
    if odd:
        raise ModomodoError(
            f"{len(pool.runs.labels_N)} runs of {mixtures} mixtures allow draws of 2 to {largest} runs "
            f"({LEFT} mixtures stay held out), not of {', '.join(map(str, odd))}; set sizes = [{max(largest, 2)}] "
            "(--set), or give more runs; runs that lack a score do not count"
        )
    return tuple(sizes)


def _cautions(pool: Pool, sizes: Sequence[int], outcomes: Sequence[Outcome]) -> list[str]:
    """Return what a reader has to know about the figures."""
    cautions = [ONE_TABLE]
    left = len(pool.test.labels_N) if pool.test is not None else len(pool.runs.labels_N) - max(sizes)
    if left < FEW:
        cautions.append(
            f"as few as {left} runs are held out, each with the noise of its own training and scoring: rho cannot "
            "reach 1, and the best of them is partly the luckiest"
        )
    if any(one.draw is None and not one.problem for one in outcomes):
        cautions.append(
            "strategies that learn from the seed set are tried once, judged by the run nearest to their weights: "
            "that run's luck is theirs, and they have no interval"
        )
    return cautions
