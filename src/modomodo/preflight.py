"""Everything that can fail before a run starts: data, names, schedule, chat template, reply length."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from modomodo.config import Recipe, Study, limits
from modomodo.domain import Domain, Problem, check
from modomodo.domains import find_domain
from modomodo.errors import ModomodoError, closest
from modomodo.evals.benchmarks import benchmark_rows
from modomodo.models import model_path
from modomodo.pilots.inputs import make_schedule
from modomodo.pilots.plan import pilot_row_caps, pilot_runs
from modomodo.rows import Row
from modomodo.simplex import limits_of
from modomodo.surrogate import SURROGATES
from modomodo.verify import gold_reply

Say = Callable[[str], None]


def check_study(study: Study, *, say: Say) -> tuple[Problem, ...]:
    """Return what is wrong with a study: its recipe, its benchmarks and the schedule of each of its mixtures."""
    problems = list(_recipe_problems(study.recipe, say))
    names = (*study.benchmarks, *study.held_out, *study.in_distribution)
    problems += _choice_problems(study)
    for name in dict.fromkeys(names):
        say(f"benchmark {name}")
        part = "confirm" if name in study.held_out else "select"
        problems += _benchmark_problems(study.recipe, name, part=part, items=study.items)
    known = {problem.what for problem in problems}
    problems += [problem for problem in _design_problems(study) if problem.what not in known]
    return tuple(dict.fromkeys(problems))


def check_recipe(recipe: Recipe, *, say: Say) -> tuple[Problem, ...]:
    """Return what is wrong with one run: its data, names, schedule, model and the length of its replies."""
    problems = list(_recipe_problems(recipe, say))
    for name in recipe.evaluation.benchmarks:
        say(f"benchmark {name}")
        problems += _benchmark_problems(recipe, name, part=recipe.evaluation.part, items=recipe.evaluation.items)
    if recipe.steps:
        problems += _schedule_problems(recipe, label="schedule")
    return tuple(dict.fromkeys(problems))


def _choice_problems(study: Study) -> Iterator[Problem]:
    """Yield what would only fail once the pilots are done."""
    if study.surrogate not in SURROGATES:
        yield Problem("surrogate", f"unknown surrogate {study.surrogate!r}; {closest(study.surrogate, SURROGATES)}")
    try:
        limits_of(limits(study.caps), study.recipe.domains)
    except ModomodoError as error:
        yield Problem("caps", str(error))


def _design_problems(study: Study) -> Iterator[Problem]:
    """Yield what keeps the study from having its pilots, or a pilot from having its rows."""
    try:
        planned = pilot_runs(study)
        shares = pilot_row_caps(study) if study.budget is not None else {}
    except ModomodoError as error:
        yield Problem("design", str(error))
        return
    for name, (_, share) in shares.items():
        if share < limits(study.caps).get(name, (0.0, 1.0))[1]:
            last = math.floor(share * 1e4) / 1e4
            yield Problem(
                name,
                f"runs out of rows above a share of {last:.4f} of a run: the pilots stay below it; with "
                f"caps.{name}.max = {last:.4f} so does the recommendation",
                level="note",
            )
    for one in planned:
        if one.recipe.steps:
            yield from _schedule_problems(one.recipe, label=one.label)


def _recipe_problems(recipe: Recipe, say: Say) -> Iterator[Problem]:
    found: list[Domain] = []
    for name in recipe.domains:
        try:
            domain = find_domain(name)
        except ModomodoError as error:
            yield Problem("domains", str(error))
            continue
        say(f"domain {name}")
        if "train" not in domain.splits:
            splits = ", ".join(domain.splits)
            yield Problem(name, f"has no train split (only {splits}): it is a benchmark, not a training domain")
            continue
        found.append(domain)
        yield from check(domain, recipe.view)
    say(f"model {recipe.model}")
    yield from _model_problems(recipe, found)


def _benchmark_problems(recipe: Recipe, name: str, *, part: str, items: int) -> Iterator[Problem]:
    try:
        domain = find_domain(name)
        rows = benchmark_rows(domain, part=part, items=items)  # pyright: ignore[reportArgumentType]
    except ModomodoError as error:
        yield Problem("benchmarks", str(error))
        return
    if name not in recipe.domains:

        def load(split: str) -> Sequence[Row]:
            return rows

        yield from check(replace(domain, load=load, splits=("test",)), recipe.view)
    if len(rows) < items:
        yield Problem(name, f"has {len(rows)} rows in part {part!r}, fewer than items = {items}", level="note")


def _schedule_problems(recipe: Recipe, *, label: str) -> Iterator[Problem]:
    try:
        plan = make_schedule(recipe)
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


def _model_problems(recipe: Recipe, domains: list[Domain]) -> Iterator[Problem]:
    from modomodo.engines.loading import load_processor, render, reply_lengths

    try:
        processor = load_processor(model_path(recipe.model))
    except ModomodoError as error:
        yield Problem("model", str(error))
        return
    for domain in domains:
        rows = domain.load("train")[:256]
        render(processor, domain.prompt(rows[0], recipe.view))
        golds = [gold_reply(row.target, recipe.view) for row in rows]
        longest = max(reply_lengths(processor, golds))
        if longest > recipe.max_completion_length:
            yield Problem(
                domain.name,
                f"the longest gold reply has {longest} tokens before any thinking, max_completion_length is "
                f"{recipe.max_completion_length}: replies would be cut before </answer>; raise it",
            )
