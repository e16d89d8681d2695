"""Rows: those to train on, those to score on, and where they are."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from modomodo.config.recipe import Recipe
from modomodo.config.sections import Part
from modomodo.core.errors import ModomodoError, closest
from modomodo.core.rows import Row, opened
from modomodo.data.domain import Domain, Problem, check
from modomodo.evaluation.benchmarks import benchmark_rows
from modomodo.runs.inputs import declared, is_prepared
from modomodo.study.checks.subject import Subject, new_problems

NOWHERE = "nowhere yet"  # of a Source without path and hub
MOST_SLENDER = 200  # sides of an image, long over short, that smart_resize of the Qwen families takes


def check_domains(subject: Subject) -> Iterator[Problem]:
    """Yield what is wrong with the rows to train on."""
    for name in subject.recipe.domains:
        subject.say(f"domain {name}")
        try:
            domain = subject.here(name)
            splits = (domain or declared(subject.recipe, name)).splits
            if "train" not in splits:
                what = f"has no train split (only {', '.join(splits)}): it is a benchmark, not a training domain"
                yield Problem(name, what)
            elif domain is not None:
                yield from check(domain, subject.recipe.view)
                yield from _slivers(domain, subject.recipe)
        except ModomodoError as error:
            yield Problem("domains", str(error))


def _slivers(domain: Domain, recipe: Recipe) -> Iterator[Problem]:
    """Yield the rows with an image that the processors of the Qwen families refuse, and how many are hardly seen."""
    resize = recipe.view.resize
    if resize is None:
        return
    for split in domain.splits:
        narrow = 0
        for row in domain.load(split):
            try:
                sizes = [_size(image) for image in row.images]
            except ModomodoError:
                continue  # said where the domain is looked at
            for size in sizes:
                if max(size) > MOST_SLENDER * min(size):
                    what = f"its image is {size[0]} x {size[1]}, over {MOST_SLENDER} times as long as wide: drop it"
                    yield Problem(f"{domain.name} ({split}), row {row.id}", what)
            narrow += any(min(size) < resize.factor for size in sizes)
        if narrow:
            what = f"{narrow} rows have an image with a side under {resize.factor} pixels, which is seen as one place"
            yield Problem(f"{domain.name} ({split})", f"{what}: is anything to be seen?", level="note")


def _size(image: bytes | Path) -> tuple[int, int]:
    with opened(image) as picture:
        return picture.size


def check_exclusions(subject: Subject) -> Iterator[Problem]:
    """Yield the domains that the list of excluded rows names and the recipe does not: mistyped, or of others."""
    path, names = subject.recipe.exclude, subject.recipe.domains
    if path is None or not path.is_file():
        return
    from modomodo.data.contamination.exclusions import listed_domains

    for name in listed_domains(path):
        if name not in names:
            what = f"names the domain {name!r}, which is not trained on; {closest(name, names)}"
            yield Problem(str(path), what, level="note")


def check_presence(subject: Subject) -> Iterator[Problem]:
    """Yield the notes on domains and benchmarks whose rows are not looked at, or not where runs read them."""
    recipe = subject.recipe
    counts: list[str] = []
    unwritten: list[str] = []
    for name in dict.fromkeys((*recipe.domains, *subject.benchmarks)):
        try:
            domain = subject.here(name)
        except ModomodoError:
            continue  # what is wrong with it is said where it is looked at
        if domain is not None:
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


def check_benchmarks(subject: Subject) -> Iterator[Problem]:
    """Yield what is wrong with the rows to score on, and the benchmarks that have too few."""
    problems: list[Problem] = []
    for name, part in subject.benchmarks.items():
        subject.say(f"benchmark {name}")
        problems += new_problems(problems, _benchmark_problems(subject, name, part))
    yield from problems


def _benchmark_problems(subject: Subject, name: str, part: Part) -> Iterator[Problem]:
    try:
        domain = subject.here(name)
        if domain is None:
            return
        rows = benchmark_rows(domain, part=part, items=subject.items)
    except ModomodoError as error:
        yield Problem("benchmarks", str(error))
        return
    if name not in subject.recipe.domains:

        def load(split: str) -> Sequence[Row]:
            return rows

        scored = replace(domain, load=load, splits=("test",))
        yield from check(scored, subject.recipe.view)
        yield from _slivers(scored, subject.recipe)
    if len(rows) < subject.items:
        what = f"has {len(rows)} rows in part {part!r}, fewer than items = {subject.items}"
        yield Problem(name, what, level="note")
