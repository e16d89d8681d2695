"""Ask and tell: the search for the best mixture when the runs are yours, one value after the other.

search = Search(domains=("maths", "charts", "boxes"), benchmarks=("mmmu", "chartqa"))
for mixture in search.ask(4):
    search = search.tell(mixture, {"mmmu": 0.41, "chartqa": 0.63}, se={"mmmu": 0.02, "chartqa": 0.01})

Axes: N runs, D domains, B benchmarks.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.mixture import Mixture
from modomodo.core.simplex import limits_of
from modomodo.mixing.aggregates import DEFAULT, Direction, aggregate_of, directions_of
from modomodo.mixing.design import seed_design, space_filling
from modomodo.mixing.fitted import SURROGATES, Fitted, check_surrogate, fit
from modomodo.mixing.proposal import propose
from modomodo.mixing.runs import Runs

FIRST = 8  # mixtures before the surrogate is asked; one more than domains if those are more


@dataclass(frozen=True)
class Told:
    """A run that came back: its mixture, its scores, and their standard errors where known."""

    mixture: Mixture
    scores: Mapping[str, float]
    se: Mapping[str, float]


@dataclass(frozen=True)
class Search:
    """What is searched for, and the runs told so far; a value: `tell` returns a new one.

    `aggregates`, `direction` and `surrogate` are those of `fit`; `objective` (the first aggregate if None) and `caps`
    those of `propose`.

    Raises:
        ModomodoError: for unknown names, repeated ones, and caps that no mixture satisfies.
    """

    domains: tuple[str, ...]
    benchmarks: tuple[str, ...]
    aggregates: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    objective: str | None = None
    direction: Direction | Mapping[str, Direction] = "higher"
    caps: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    surrogate: str = "ensemble"
    told: tuple[Told, ...] = ()

    def __post_init__(self) -> None:
        seed_design(self.domains)
        limits_of(self.caps, self.domains)
        if not self.benchmarks or len(set(self.benchmarks)) < len(self.benchmarks):
            raise ModomodoError(f"name each benchmark once, got {', '.join(self.benchmarks) or 'none'}")
        check_surrogate(self.surrogate)
        directions = directions_of(self.direction, benchmarks=self.benchmarks)
        for name, weights in self.aggregates.items():
            aggregate_of(name, weights=weights, directions=directions)
        known = (*self.benchmarks, *(self.aggregates or (DEFAULT,)))
        if self.objective is not None and self.objective not in known:
            raise ModomodoError(f"unknown objective {self.objective!r}; {closest(self.objective, known)}")

    def ask(self, batch: int = 1, *, pending: Sequence[Mixture] = (), seed: int = 0) -> tuple[Mixture, ...]:
        """Return the mixtures to run now: first a space-filling design, then what `propose` says; fewer than `batch`
        where either runs out.

        `pending` are mixtures asked for and not told yet; without them, asked again it answers the same.
        Raises ModomodoError as `propose` and `fit`.
        """
        if batch < 1:
            raise ModomodoError(f"batch is {batch}: ask for at least 1 mixture")
        told = {one.mixture.key for one in self.told}
        seen = {*told, *(mixture.key for mixture in pending)}
        first = max(FIRST, len(self.domains) + 1)
        if len(seen) < first or len(told) < SURROGATES[self.surrogate].minimum:
            limits_2D = limits_of(self.caps, self.domains)
            count = max(first, len(seen) + batch) if len(seen) >= first else first
            made = space_filling(self.domains, count=count, limits_2D=limits_2D, seed=0)
            return tuple([mixture for _, mixture in made if mixture.key not in seen][:batch])
        fitted = self.fit(seed=seed)
        proposals = propose(fitted, batch=batch, objective=self.objective, caps=self.caps, pending=pending, seed=seed)
        return tuple(one.mixture for one in proposals.pilots)

    def tell(self, mixture: Mixture, scores: Mapping[str, float], *, se: Mapping[str, float] | None = None) -> "Search":
        """Return the search that also knows this run; `scores` has every benchmark (NaN where a score is missing)."""
        if not isinstance(mixture, Mixture):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ModomodoError(f"tell takes a Mixture, got {mixture!r}: Mixture.of({{domain: weight}}) makes one")
        missing = [name for name in self.benchmarks if name not in scores]
        if missing:
            raise ModomodoError(f"scores lack {', '.join(missing)}: give one per benchmark (NaN where it's missing)")
        for name in (*scores, *(se or {})):
            if name not in self.benchmarks:
                raise ModomodoError(f"a score of unknown benchmark {name!r}; {closest(name, self.benchmarks)}")
        mixture.vector(self.domains)
        for name, value in (*scores.items(), *(se or {}).items()):
            if not isinstance(value, (int, float)) or math.isinf(value):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ModomodoError(f"{name} is {value!r}: scores and standard errors must be finite numbers or NaN")
        if any(value < 0 for value in (se or {}).values()):
            raise ModomodoError(f"standard errors must not be negative, got {dict(se or {})}")
        return replace(self, told=(*self.told, Told(mixture, dict(scores), dict(se or {}))))

    def runs(self) -> Runs:
        """Return the runs told so far as a table; they are labelled by their number, from 1."""
        shape, none = (len(self.told), len(self.benchmarks)), (None,) * len(self.told)
        y = [one.scores[name] for one in self.told for name in self.benchmarks]
        se = [one.se.get(name, math.nan) for one in self.told for name in self.benchmarks]
        return Runs(
            domains=self.domains,
            benchmarks=self.benchmarks,
            X_ND=np.array([one.mixture.vector(self.domains) for one in self.told]).reshape(-1, len(self.domains)),
            y_NB=np.array(y).reshape(shape),
            se_NB=np.array(se).reshape(shape),
            n_NB=np.full(shape, np.nan),
            seeds_N=none,
            steps_N=none,
            labels_N=tuple(f"run {number + 1}" for number in range(len(self.told))),
        )

    def fit(self, *, seed: int = 0) -> Fitted:
        """Return the surrogate of the runs told so far, for `recommend` and predictions."""
        return fit(
            self.runs(), surrogate=self.surrogate, aggregates=self.aggregates, direction=self.direction, seed=seed
        )
