"""What every strategy promises: from runs and a goal to a mixture and, where it predicts, to a ranking of mixtures.

Axes: N runs or points, D domains, B benchmarks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.mixture import Mixture
from modomodo.core.simplex import limits_of, project, rounded
from modomodo.mixing.aggregates import DEFAULT, Aggregate, Direction, aggregate_of, comparable_aggregates, directions_of
from modomodo.mixing.fitted import check_surrogate
from modomodo.mixing.predictions import weighted
from modomodo.mixing.runs import Runs
from modomodo.mixing.surrogates.base import Array, IntArray

Source = Literal["nothing", "seed set", "any runs"]
Score = Callable[[Array], Array]
"""Mixtures [N, D] to predicted goodness [N]: higher is better, whatever the direction of the benchmarks."""
Gain = Callable[[Array], tuple[float, float, float]]
"""A mixture [D] to its expected gain on equal shares and the ends of the 90 % interval."""


@dataclass(frozen=True)
class Goal:
    """What is to be made best, and within which limits.

    `aggregates`, `direction`, `bounds` and `surrogate` are as in `fit`. `objective` is an aggregate or a benchmark (the
    first aggregate if None); `inside` is the one of the in-distribution tests, which Alpha needs beside the objective;
    `caps` are domain -> (least, greatest).
    """

    aggregates: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    objective: str | None = None
    inside: str | None = None
    direction: Direction | Mapping[str, Direction] = "higher"
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    caps: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    surrogate: str = "ensemble"

    def settled(self, runs: Runs) -> "Goal":
        """Return the goal with its objective and default weights written out, so that no subset of runs changes them.

        Raises:
            ModomodoError: for names that `runs` lack, weights and directions that `fit` refuses, impossible caps.
        """
        check_surrogate(self.surrogate)
        made, _ = self.comparable(runs)
        named = {one.name: {name: abs(weight) for name, weight in one.weights.items()} for one in made}
        settled = replace(self, aggregates=named, objective=self.objective or next(iter(named)))
        for name in (settled.objective, *((self.inside,) if self.inside else ())):
            settled.aggregate(runs, name)
        self.limits(runs)
        return settled

    def comparable(self, runs: Runs) -> tuple[tuple[Aggregate, ...], tuple[str, ...]]:
        """Return the aggregates as `fit` makes them of these runs, and the notes about their scales."""
        directions = directions_of(self.direction, benchmarks=runs.benchmarks)
        return comparable_aggregates(runs, self.aggregates, directions=directions)

    def aggregate(self, runs: Runs, name: str | None) -> Aggregate:
        """Return the aggregate of that name; a benchmark is an aggregate of itself, None the first one."""
        known = tuple(self.aggregates or (DEFAULT,))
        name = name or known[0]
        if name in runs.benchmarks:
            directions = directions_of(self.direction, benchmarks=runs.benchmarks)
            return aggregate_of(name, weights={name: 1.0}, directions=directions)
        if name not in known:
            raise ModomodoError(f"unknown benchmark or aggregate {name!r}; {closest(name, (*known, *runs.benchmarks))}")
        one = replace(self, aggregates={name: self.aggregates[name]} if self.aggregates else {})
        return one.comparable(runs)[0][0]

    def weights(self, runs: Runs, name: str | None) -> Array:
        """Return what each benchmark counts, shape [B], with signs such that a higher sum is better."""
        aggregate = self.aggregate(runs, name)
        return aggregate.vector(runs.benchmarks) * (1.0 if aggregate.direction == "higher" else -1.0)

    def goodness(self, runs: Runs) -> Array:
        """Return the objective of each run, negated where lower is better, shape [N]; NaN where a score is missing."""
        return weighted(runs.y_NB, self.weights(runs, self.objective))

    def limits(self, runs: Runs) -> Array:
        """Return least and greatest weights, shape [2, D]."""
        return limits_of(self.caps, runs.domains)


@dataclass(frozen=True, eq=False)
class Choice:
    """What a strategy learned. `score` predicts the goodness of any mixture; None where the strategy predicts nothing.

    `pick` finds the mixture; it may search for seconds, and a replay on known runs needs only the score. `gain`, where
    the strategy says how sure it is, predicts what a mixture gains on equal shares. `greedy` says that `pick` looks for
    the highest score alone, so that among given mixtures it would take the one of highest score.
    """

    pick: Callable[[], Mixture]
    score: Score | None = None
    gain: Gain | None = None
    greedy: bool = False

    @property
    def mixture(self) -> Mixture:
        """The mixture to train on, within the caps."""
        return self.pick()


@runtime_checkable
class Strategy(Protocol):
    """A rule that chooses a mixture; a frozen value of settings."""

    @property
    def learns_from(self) -> Source:
        """Which runs it needs: none, the paper's seed set (`seed_rows`), or runs at any mixtures."""
        ...

    def choose(self, runs: Runs, *, goal: Goal, seed: int) -> Choice:
        """Return the choice. Equal arguments give equal choices.

        Raises:
            ModomodoError: where the strategy cannot be applied; the message says what it needs.
        """
        ...


def within(X_ND: Array, limits_2D: Array) -> Array:
    """Return the mixtures with those outside the limits replaced by the nearest inside."""
    outside_N = (np.clip(X_ND, *limits_2D) != X_ND).any(axis=1)
    inside_ND = np.array(X_ND)
    inside_ND[outside_N] = project(X_ND[outside_N], limits_2D[0], limits_2D[1])
    return inside_ND


def fixed(x_D: Array, *, runs: Runs, goal: Goal) -> Choice:
    """Return the choice of a strategy that gives weights and no prediction: the nearest mixture within the caps."""
    mixture = mixture_of(within(x_D[None], goal.limits(runs))[0], runs)
    return Choice(lambda: mixture)


def found(x_D: Array, *, runs: Runs, goal: Goal) -> Mixture:
    """Return what a search found as a mixture: the nearest within the caps, in ten-thousandths (see `rounded`)."""
    limits_2D = goal.limits(runs)
    return mixture_of(rounded(within(x_D[None], limits_2D)[0], *limits_2D), runs)


def mixture_of(x_D: Array, runs: Runs) -> Mixture:
    """Return weights [D] as a mixture of the runs' domains."""
    return Mixture(runs.domains, tuple(float(weight) for weight in x_D))


def subset(runs: Runs, rows: Sequence[int] | IntArray) -> Runs:
    """Return some of the runs."""
    rows = [int(row) for row in rows]
    arrays = {name: getattr(runs, name)[rows] for name in ("X_ND", "y_NB", "se_NB", "n_NB")}
    values = {name: tuple(getattr(runs, name)[row] for row in rows) for name in ("seeds_N", "steps_N", "labels_N")}
    return replace(runs, **arrays, **values)


def arranged(runs: Runs, *, domains: Sequence[str], benchmarks: Sequence[str]) -> Runs:
    """Return the runs with these of their domains and benchmarks, in this order."""
    columns = [runs.benchmarks.index(name) for name in benchmarks]
    tables = {name: getattr(runs, name)[:, columns] for name in ("y_NB", "se_NB", "n_NB")}
    X_ND = runs.X_ND[:, [runs.domains.index(name) for name in domains]]
    return replace(runs, domains=tuple(domains), benchmarks=tuple(benchmarks), X_ND=X_ND, **tables)


def scored(runs: Runs, *, goal: Goal, least: int, strategy: str) -> tuple[Array, Array]:
    """Return the mixtures [N, D] and the goodness [N] of the runs that have all scores of the objective.

    Raises:
        ModomodoError: for fewer than `least` of them.
    """
    good_N = goal.goodness(runs)
    known_N = np.isfinite(good_N)
    if known_N.sum() < least:
        raise ModomodoError(
            f"{strategy} needs at least {least} runs with all scores of the objective, got {int(known_N.sum())} "
            f"of {len(known_N)}"
        )
    return runs.X_ND[known_N], good_N[known_N]


def prior(X_ND: Array) -> Array:
    """Return the mean of the runs' mixtures, shape [D]: what stands in for the natural shares of the domains.

    RegMix and Olmix centre their search on the shares of the available tokens; tables of runs do not have them, but
    runs are designed around them. A domain that no run uses gets next to nothing.
    """
    floored_D = np.maximum(X_ND.mean(axis=0), 1e-12)
    return floored_D / floored_D.sum()


def require(package: str, *, extra: str, strategy: str) -> None:
    """Raise a ModomodoError that says how to install an optional package, unless it is there."""
    if find_spec(package) is None:
        raise ModomodoError(f"{strategy} needs {package}, which is not installed: pip install 'modomodo[{extra}]'")
