"""What `--set key=value` says of work on bare files: tables of runs, completions."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from modomodo.config.sections import Batch, Cap, Direction
from modomodo.core.rows import Mode
from modomodo.core.toml import Positive, Strict, parse, with_changes


class Fitting(Strict):
    """What is made of a bare table of runs.

    `surrogate` is the method; `steps` are those predicted for, where runs differ in length (default: the longest).
    `parsimony` is the loss allowed for a simpler mixture, `trade_off` two aggregates to draw the Pareto front of.
    `aggregate` (benchmark -> weight) or several `aggregates` by name; `objective` is the one to maximise, or a
    benchmark; `direction` says which scores are better, for all or by benchmark; predictions stay inside `bounds`.
    """

    surrogate: str = "ensemble"
    aggregate: dict[str, float] = Field(default_factory=dict[str, float])
    aggregates: dict[str, dict[str, float]] = Field(default_factory=dict[str, dict[str, float]])
    objective: str | None = None
    direction: Direction | dict[str, Direction] = "higher"
    bounds: dict[str, tuple[float, float]] = Field(default_factory=dict[str, tuple[float, float]])
    caps: dict[str, Cap] = Field(default_factory=dict[str, Cap])
    parsimony: Annotated[float, Field(ge=0)] = 0.0
    trade_off: tuple[str, str] | None = None
    steps: Positive | None = None
    batch: Batch = 4  # pilots that `next` proposes
    seed: int = 0

    def named_aggregates(self) -> dict[str, dict[str, float]]:
        """Return all aggregates by name; the one without a name is `aggregate`."""
        return {**({"aggregate": self.aggregate} if self.aggregate else {}), **self.aggregates}


class Replaying(Fitting):
    """How mixture strategies are compared on a table of runs.

    `strategies` are names (all if none); each is tried on `seeds` random draws of each of `sizes` runs. `inside` is the
    aggregate or benchmark of the in-distribution tests, which the paper's Alpha needs beside the objective.
    """

    strategies: tuple[str, ...] = ()
    sizes: tuple[Positive, ...] | None = None  # default: 8, 16, 32, 64, 128, as far as the table goes
    seeds: Annotated[int, Field(ge=2)] = 20
    inside: str | None = None


class Grading(Strict):
    """How completions are graded whose lines name no `mode`: exactly (`paper`) or by the public metric (`standard`)."""

    mode: Mode = "paper"


def load_fitting(sets: Sequence[str] = ()) -> Fitting:
    """Return what `--set` says of fitting a bare table of runs."""
    return parse(Fitting, with_changes({}, sets), where="--set", sets=sets)


def load_replaying(sets: Sequence[str] = ()) -> Replaying:
    """Return what `--set` says of comparing strategies on a bare table of runs."""
    return parse(Replaying, with_changes({}, sets), where="--set", sets=sets)


def load_grading(sets: Sequence[str] = ()) -> Grading:
    """Return what `--set` says of grading a file of completions."""
    return parse(Grading, with_changes({}, sets), where="--set", sets=sets)
