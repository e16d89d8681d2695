"""What the checks look at: a recipe alone, or a study's."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from modomodo.config.recipe import Recipe
from modomodo.config.sections import Part
from modomodo.config.study import Study
from modomodo.data.domain import Domain, Problem
from modomodo.runs.inputs import here
from modomodo.runs.planned import PlannedRun
from modomodo.study.plan import pilot_runs

Say = Callable[[str], None]


@dataclass(frozen=True)
class Subject:
    """What is checked: a recipe alone, or a study's. `say` is told what is looked at."""

    recipe: Recipe
    study: Study | None
    say: Say
    _domains: dict[str, Domain | None] = field(default_factory=dict[str, Domain | None])

    @property
    def benchmarks(self) -> dict[str, Part]:
        """Benchmark -> the part of its items that runs are scored on."""
        if self.study is None:
            return dict.fromkeys(self.recipe.evaluation.benchmarks, self.recipe.evaluation.part)
        names = (*self.study.benchmarks, *self.study.held_out, *self.study.in_distribution)
        return {name: "confirm" if name in self.study.held_out else "select" for name in names}

    @property
    def items(self) -> int:
        return self.recipe.evaluation.items if self.study is None else self.study.items

    @cached_property
    def runs(self) -> tuple[PlannedRun, ...]:
        """The run of the recipe, or the pilots of the study.

        Raises ModomodoError for caps or rows that leave the study too few mixtures.
        """
        return (PlannedRun("schedule", self.recipe),) if self.study is None else pilot_runs(self.study)

    def here(self, name: str) -> Domain | None:
        """Return a domain or benchmark as it can be read without the hub; None where it cannot."""
        if name not in self._domains:
            self._domains[name] = here(self.recipe, name)
        return self._domains[name]


def new_problems(known: Iterable[Problem], problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems that are not known already, wherever the same cause was met."""
    said = {problem.what for problem in known if problem.level == "error"}
    return [problem for problem in problems if problem.what not in said]
