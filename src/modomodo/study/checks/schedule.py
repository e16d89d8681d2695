"""Schedules: whether the rows last, and what the runs take of time and memory."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from modomodo.config.policies import Online
from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.data.domain import Problem
from modomodo.runs.inputs import file_digests, make_rows, make_schedule, pool
from modomodo.runs.planned import PlannedRun
from modomodo.study.checks.subject import Subject
from modomodo.study.costs import cost
from modomodo.training.online import OnlineSchedule


def check_schedules(subject: Subject) -> Iterator[Problem]:
    """Yield the runs that have no schedule, and those that end before their last step."""
    for run in _planned(subject):
        if run.recipe.steps:
            yield from _schedule_problems(run.recipe, label=run.label)


def _schedule_problems(recipe: Recipe, *, label: str) -> Iterator[Problem]:
    names = [name for name, weight in recipe.requested.as_dict().items() if weight > 0]
    try:
        pools = {name: pool(recipe, name) for name in names}
        if isinstance(recipe.mixture, Online):
            yield from _online_problems(recipe, recipe.mixture, pools, label=label)
            return
        plan = make_schedule(recipe, pools)
    except ModomodoError as error:
        yield Problem(label, str(error))
        return
    if plan.exhausted is not None:
        yield Problem(
            label,
            f"domain {plan.exhausted} runs out after step {plan.steps} of "
            f"{recipe.steps}: the run stops there; cap its weight, raise epochs or lower steps",
            level="note",
        )


def _online_problems(
    recipe: Recipe, policy: Online, pools: Mapping[str, Sequence[str]], *, label: str
) -> Iterator[Problem]:
    """Yield a note where a run uses up all rows; raises where the rule, or a file of it, does not work."""
    file_digests([recipe])
    policy.weights([])
    plan = OnlineSchedule(recipe, make_rows(recipe, pools), Path())
    if plan.exhausted is not None:
        what = f"all rows are used up after step {plan.steps} of {recipe.steps}: the run stops there"
        yield Problem(label, what, level="note")


def check_cost(subject: Subject) -> Iterator[Problem]:
    """Yield what the runs take of time and memory."""
    recipes = [run.recipe for run in _planned(subject)]
    if recipes:
        yield from cost(recipes, label="run" if subject.study is None else "pilots")


def _planned(subject: Subject) -> tuple[PlannedRun, ...]:
    """Return the runs to look at; none where `check_design` says why there are none."""
    try:
        return subject.runs
    except ModomodoError:
        return ()
