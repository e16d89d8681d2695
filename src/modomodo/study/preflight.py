"""Everything that can fail before a run starts: the checks of study/checks, in the order in which people read them."""

from collections.abc import Callable, Iterator

from modomodo.config.recipe import Recipe
from modomodo.config.study import Study
from modomodo.data.domain import Problem
from modomodo.study.checks.audit import AuditOfFile, audit
from modomodo.study.checks.data import check_benchmarks, check_domains, check_exclusions, check_presence
from modomodo.study.checks.design import check_choices, check_design
from modomodo.study.checks.engine import check_engine, check_tracking
from modomodo.study.checks.model import check_embedded, check_family, check_model
from modomodo.study.checks.schedule import check_cost, check_schedules
from modomodo.study.checks.subject import Say, Subject, new_problems

CHECKS: tuple[Callable[[Subject], Iterator[Problem]], ...] = (
    check_domains,
    check_exclusions,
    check_tracking,
    check_embedded,
    check_family,
    check_engine,
    check_model,
    check_presence,
    check_choices,
    check_benchmarks,
    check_design,
    check_schedules,
    check_cost,
)
"""A cause that one of them has named, the later ones leave out."""


def check_study(study: Study, *, say: Say) -> tuple[Problem, ...]:
    """Return what is wrong with a study: its recipe, its benchmarks, its design and the schedule of each pilot."""
    return _problems(Subject(study.recipe, study, say))


def check_recipe(recipe: Recipe, *, say: Say) -> tuple[Problem, ...]:
    """Return what is wrong with one run: its data, names, schedule, model and the length of its completions."""
    return _problems(Subject(recipe, None, say))


def audit_file(loaded: Recipe | Study, *, progress: Callable[[int, int], None] | None = None) -> AuditOfFile:
    """Return what the sets of a recipe or a study would pay for; `progress` is told how much of how much is done."""
    study = loaded if isinstance(loaded, Study) else None
    recipe = loaded.recipe if isinstance(loaded, Study) else loaded
    return audit(Subject(recipe, study, lambda what: None), progress=progress)


def _problems(subject: Subject) -> tuple[Problem, ...]:
    problems: list[Problem] = []
    for look in CHECKS:
        problems += new_problems(problems, look(subject))
    return tuple(dict.fromkeys(problems))
