"""What `--set key=value` changes for bare files: tables of runs, completions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from modomodo.config.sections import Batch, Cap, Direction
from modomodo.core.rows import Mode
from modomodo.core.toml import Positive, Strict, parse, with_changes

FullScore = Annotated[float, Field(gt=0)]


class Reading(Strict):
    """How to read a bare table of runs."""

    metrics: Path | None = None  # a second file, with the scores, where the first has the mixtures alone
    weights: tuple[str, ...] = ()  # columns of shares without the prefix w., with a * for any letters
    scores: tuple[str, ...] = ()  # columns of scores without the prefix score., with a * for any letters
    scale: FullScore | dict[str, FullScore] = Field(default_factory=dict[str, float])  # a full score: 1, 100, 2800
    odd_scores: Literal["refuse", "keep", "drop"] = "refuse"  # such as 0 or percent among good shares


class Fitting(Reading):
    """What is made of a bare table of runs.

    `surrogate` is the method. `steps` is the length to predict for, where runs differ in length (default: the longest).
    `parsimony` is the loss you accept for a simpler mixture; `trade_off` names two aggregates for a Pareto front. Give
    one `aggregate` (benchmark -> weight), or several `aggregates` by name; `objective` is the one to maximise, or a
    benchmark. `direction` says which scores are better, for all or by benchmark. Predictions stay inside `bounds`.
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
    """How to compare mixture strategies on a table of runs.

    `strategies` are names (default: all). Each is tried on `seeds` random draws of each of the `sizes`. `inside` is the
    aggregate or benchmark of the in-distribution tests, which the paper's Alpha needs as well as the objective.
    """

    strategies: tuple[str, ...] = ()
    sizes: tuple[Positive, ...] | None = None  # runs per draw; default: 8, 16, 32, 64, 128, as far as the table goes
    seeds: Annotated[int, Field(ge=2)] = 20
    inside: str | None = None


class OnGrid(Strict):
    """How to compare mixture strategies on the grid of an embedded world.

    `strategies` are names (default: all). Each is tried on `seeds` random draws of each of the `sizes`, at both seeds
    of the runs. `surrogate` is the one that ours uses.
    """

    strategies: tuple[str, ...] = ()
    sizes: tuple[Annotated[int, Field(ge=2)], ...] = (8, 16)  # runs per draw
    seeds: Annotated[int, Field(ge=2)] = 20
    surrogate: str = "ensemble"
    seed: int = 0


class Grading(Strict):
    """How to grade lines that name no `mode`: by exact match (`paper`) or by the public metric (`standard`)."""

    mode: Mode = "paper"


def load_fitting(sets: Sequence[str] = ()) -> Fitting:
    """Return what `--set` says of fitting a bare table of runs."""
    return parse(Fitting, with_changes({}, sets), where="--set", sets=sets)


def load_replaying(sets: Sequence[str] = ()) -> Replaying:
    """Return what `--set` says of comparing strategies on a bare table of runs."""
    return parse(Replaying, with_changes({}, sets), where="--set", sets=sets)


def load_on_grid(sets: Sequence[str] = ()) -> OnGrid:
    """Return what `--set` says of comparing strategies on the grid of an embedded world."""
    return parse(OnGrid, with_changes({}, sets), where="--set", sets=sets)


def load_grading(sets: Sequence[str] = ()) -> Grading:
    """Return what `--set` says of grading a file of completions."""
    return parse(Grading, with_changes({}, sets), where="--set", sets=sets)
