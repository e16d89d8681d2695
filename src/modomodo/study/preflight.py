"""Everything that can fail before a run starts: data, names, schedule, chat template, reply length."""

import math
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from modomodo.config.recipe import Recipe
from modomodo.config.sections import limits
from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError, closest
from modomodo.core.rows import Row
from modomodo.core.simplex import limits_of
from modomodo.data.domain import Domain, Problem, check
from modomodo.evaluation.benchmarks import benchmark_rows
from modomodo.mixing import SURROGATES, check_surrogate
from modomodo.models.families import model_type
from modomodo.models.names import is_here, model_path
from modomodo.models.nano.model import CHECKPOINTS
from modomodo.runs.hardware import gpus
from modomodo.runs.inputs import declared, here, is_prepared, make_schedule, pool
from modomodo.runs.ray_cluster import check_launcher
from modomodo.study.estimate import cost
from modomodo.study.plan import pilot_row_caps, pilot_runs
from modomodo.training.trackers import check_tracker
from modomodo.training.verl.limits import refusals
from modomodo.verifiers import gold_reply

Say = Callable[[str], None]
NOWHERE = "nowhere yet"  # of a Source without path and hub
MOST_SLENDER = 200  # sides of a picture, long over short, that smart_resize of the Qwen families takes


def check_study(study: Study, *, say: Say) -> tuple[Problem, ...]:
    """Return what is wrong with a study: its recipe, its benchmarks and the schedule of each of its mixtures."""
    problems = list(_recipe_problems(study.recipe, say))
    names = (*study.benchmarks, *study.held_out, *study.in_distribution)
    problems += _not_here(study.recipe, (*study.recipe.domains, *names))
    problems += _choice_problems(study)
    for name in dict.fromkeys(names):
        say(f"benchmark {name}")
        part = "confirm" if name in study.held_out else "select"
        problems += _new(problems, _benchmark_problems(study.recipe, name, part=part, items=study.items))
    problems += _new(problems, _design_problems(study))
    return tuple(dict.fromkeys(problems))


def check_recipe(recipe: Recipe, *, say: Say) -> tuple[Problem, ...]:
    """Return what is wrong with one run: its data, names, schedule, model and the length of its replies."""
    problems = list(_recipe_problems(recipe, say))
    for name in recipe.evaluation.benchmarks:
        say(f"benchmark {name}")
        found = _benchmark_problems(recipe, name, part=recipe.evaluation.part, items=recipe.evaluation.items)
        problems += _new(problems, found)
    problems += _not_here(recipe, (*recipe.domains, *recipe.evaluation.benchmarks))
    if recipe.steps:
        problems += _new(problems, _schedule_problems(recipe, label="schedule"))
    problems += cost([recipe], label="run")
    return tuple(dict.fromkeys(problems))


def _new(known: Iterable[Problem], found: Iterable[Problem]) -> list[Problem]:
    """Return the problems that are not known already, wherever the same cause was met."""
    said = {problem.what for problem in known if problem.level == "error"}
    return [problem for problem in found if problem.what not in said]


def _choice_problems(study: Study) -> Iterator[Problem]:
    """Yield what would only fail once the pilots are done."""
    checks = {
        "surrogate": partial(check_surrogate, study.surrogate),
        "caps": partial(limits_of, limits(study.caps), study.recipe.domains),
        "launcher": partial(check_launcher, study.launcher, study.folder),
    }
    for field, work in checks.items():
        try:
            work()
        except ModomodoError as error:
            yield Problem(field, str(error))


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
    if study.surrogate in SURROGATES:
        yield from _too_few(study, len({one.recipe.point().key for one in planned if one.recipe.steps}))
    recipes = [one.recipe for one in planned]
    for one in planned:
        if one.recipe.steps:
            yield from _schedule_problems(one.recipe, label=one.label)
    yield from cost(recipes, label="pilots")


def _too_few(study: Study, mixtures: int) -> Iterator[Problem]:
    """Yield the error that the study's pilots run at fewer mixtures than its surrogate learns from."""
    least = SURROGATES[study.surrogate].minimum
    if mixtures < least:
        field, size = ("domains", len(study.recipe.domains)) if study.budget is None else ("budget", study.budget)
        what = (
            f"is {size}, which makes {mixtures} different mixtures, but the surrogate {study.surrogate} learns from at "
            f"least {least}: raise budget, add mixtures as [[extra]], or choose another surrogate"
        )
        yield Problem(field, what)


def _recipe_problems(recipe: Recipe, say: Say) -> Iterator[Problem]:
    found: list[Domain] = []
    for name in recipe.domains:
        say(f"domain {name}")
        try:
            domain = here(recipe, name)
            splits = (domain or declared(recipe, name)).splits
            if "train" not in splits:
                what = f"has no train split (only {', '.join(splits)}): it is a benchmark, not a training domain"
                yield Problem(name, what)
            elif domain is not None:
                yield from check(domain, recipe.view)
                yield from _slivers(domain, recipe)
                found.append(domain)
        except ModomodoError as error:
            yield Problem("domains", str(error))
    yield from _exclude_problems(recipe)
    yield from _tracker_problems(recipe)
    strange = [name for name in recipe.domains if recipe.model in CHECKPOINTS and _from_data(recipe, name)]
    if strange:
        what = f"{recipe.model} knows the embedded domains alone, so its replies to {', '.join(strange)} will not parse"
        yield Problem("model", f"{what}: set model to one that follows instructions", level="note")
    say(f"model {recipe.model}")
    yield from _engine_problems(recipe)
    yield from _model_problems(recipe, found)


def _from_data(recipe: Recipe, name: str) -> bool:
    """Return whether the domain comes from a table of data; False for an unknown one, which is said elsewhere."""
    try:
        return declared(recipe, name).origin is not None
    except ModomodoError:
        return False


def _exclude_problems(recipe: Recipe) -> Iterator[Problem]:
    """Yield the domains that the list of excluded rows names and the recipe does not: mistyped, or of others."""
    if recipe.exclude is None or not recipe.exclude.is_file():
        return
    from modomodo.data.contamination.exclusions import listed_domains

    for name in listed_domains(recipe.exclude):
        if name not in recipe.domains:
            what = f"names the domain {name!r}, which is not trained on; {closest(name, recipe.domains)}"
            yield Problem(str(recipe.exclude), what, level="note")


def _tracker_problems(recipe: Recipe) -> Iterator[Problem]:
    try:
        check_tracker(recipe.tracker)
    except ModomodoError as error:
        # verl has an environment of its own, which may have the tracker; a study for it is planned in this one.
        elsewhere = recipe.engine == "verl" and find_spec("verl") is None
        yield Problem("tracker", str(error), level="note" if elsewhere else "error")


def _slivers(domain: Domain, recipe: Recipe) -> Iterator[Problem]:
    """Yield the rows with a picture that the processors of the Qwen families refuse."""
    if recipe.view.resize is None:
        return
    for row in domain.load("train"):
        size = row.target.image_size
        if size is not None and max(size) > MOST_SLENDER * min(size):
            what = f"its picture is {size[0]} x {size[1]}, over {MOST_SLENDER} times as long as wide: drop the row"
            yield Problem(f"{domain.name} (train), row {row.id}", what)


def _not_here(recipe: Recipe, names: Sequence[str]) -> Iterator[Problem]:
    """Yield the note on domains and benchmarks whose rows are not looked at."""
    counts: list[str] = []
    unwritten: list[str] = []
    for name in dict.fromkeys(names):
        try:
            found = here(recipe, name)
        except ModomodoError:
            continue  # what is wrong with it is said where it is looked at
        if found is not None:
            unwritten += [name] if recipe.prepared and not is_prepared(recipe, name) else []
            continue
        origin = declared(recipe, name).origin
        if origin is not None and origin.source == NOWHERE:
            yield Problem(name, f"is on no hub: get its files, and set data.{name}.path (docs/data.md)", level="note")
        sizes = [] if origin is None else [f"{count:,} {split}" for split, count in origin.sizes.items()]
        counts.append(f"{name} ({', '.join(sizes) or 'unknown'})")
    if unwritten:
        what = f"{', '.join(unwritten)}: looked at, but not yet in {recipe.prepared}, which runs read"
        yield Problem("rows", f"{what}; run `modomodo data prepare` on this file", level="note")
    if counts:
        where = f"in {recipe.prepared}" if recipe.prepared else "on this machine"
        what = f"not {where}, so planned with the numbers of rows that they are declared to have: {', '.join(counts)}"
        yield Problem("rows", f"{what}; `modomodo data prepare` on this file fetches them", level="note")


def _benchmark_problems(recipe: Recipe, name: str, *, part: str, items: int) -> Iterator[Problem]:
    try:
        domain = here(recipe, name)
        if domain is None:
            return
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
    names = [name for name, weight in recipe.point().as_dict().items() if weight > 0]
    try:
        plan = make_schedule(recipe, {name: pool(recipe, name) for name in names})
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


def _engine_problems(recipe: Recipe) -> Iterator[Problem]:
    """Yield what keeps the trainer from taking the recipe's configuration."""
    kind = model_type(model_path(recipe.model))
    alike = {recipe.family, kind} == {"smolvlm", "idefics3"}
    if recipe.family is not None and kind is not None and kind != recipe.family and not alike:
        what = f"family is {recipe.family!r}, but config.json of {recipe.model} says {kind!r}: leave family out"
        yield Problem("family", what)
    yield from refusals(recipe) if recipe.engine == "verl" else _trl_problems(recipe)


def _trl_problems(recipe: Recipe) -> Iterator[Problem]:
    from modomodo.training.trl import check_vllm, grpo_config

    try:
        check_vllm(recipe.vllm)
    except ModomodoError as error:
        # A machine without a GPU is where such runs are planned, not where they run.
        yield Problem("vllm", str(error), level="error" if gpus() else "note")

    with tempfile.TemporaryDirectory() as folder:
        try:
            grpo_config(recipe, steps=max(1, recipe.steps), folder=Path(folder), weights=(1.0, 1.0))
        except (ValueError, TypeError, ImportError) as error:
            yield Problem("engine", f"TRL does not take this configuration: {error}")


def _model_problems(recipe: Recipe, domains: list[Domain]) -> Iterator[Problem]:
    try:
        present = is_here(recipe.model, recipe.revision)
    except ModomodoError as error:
        yield Problem("model", str(error))
        return
    if not present:
        what = f"{recipe.model} is not on this machine: its chat template and the length of replies are not looked at"
        yield Problem("model", what, level="note")
        return
    from modomodo.models.chat_template import check_prompts
    from modomodo.models.load import check_weights, load_processor, reply_lengths

    path = model_path(recipe.model)
    filled = [domain for domain in domains if domain.load("train")]  # what is empty is said where it is looked at
    try:
        check_weights(path, revision=recipe.revision)
        processor = load_processor(path, revision=recipe.revision, resize=recipe.view.resize)
        check_prompts(processor, path, [one.prompt(one.load("train")[0], recipe.view) for one in filled])
    except ModomodoError as error:
        yield Problem("model", str(error))
        return
    for domain in filled:
        rows = domain.load("train")[:256]
        golds = [gold_reply(row.target, recipe.view) for row in rows]
        longest = max(reply_lengths(processor, golds))
        if longest > recipe.max_completion_length:
            yield Problem(
                domain.name,
                f"the longest gold reply has {longest} tokens before any thinking, max_completion_length is "
                f"{recipe.max_completion_length}: replies would be cut before </answer>; raise it",
            )
