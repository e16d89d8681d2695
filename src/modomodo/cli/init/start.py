"""A first recipe and study for somebody's own data: TOML in which every line is explained from what was seen."""

import math
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from modomodo.cli.init.columns import Roles, columns_of, golds, option_lists, roles, unread_options
from modomodo.cli.init.runs import refuse_runs
from modomodo.cli.init.table import Table, check_path, look, missing_pictures, sizes
from modomodo.cli.init.toml_text import LEAST_HOLDOUT, Plan, recipe_text, source_fields, study_text
from modomodo.cli.init.verifier import is_empty, is_plain_number, suggest
from modomodo.core.errors import ModomodoError, count
from modomodo.core.files import write_text
from modomodo.data.registry import DOMAINS
from modomodo.data.sources.chats import has_system
from modomodo.data.sources.columns import domain_of
from modomodo.data.sources.source import Source
from modomodo.evaluation.benchmarks import part_of

FILES = ("recipe.toml", "study.toml")
HOLDOUTS = (LEAST_HOLDOUT, 0.2, 0.3, 0.4, 0.5)
LEAST = 2  # rows that a benchmark needs, in the half that chooses and in the one that confirms
LOADED = 2_000  # rows up to which the holdout is tried out rather than taken for granted
ODD = 0.1  # share of texts among numbers up to which they may be mistakes
FEW, SMALL = 16, 100  # rows that a first study needs, and that one learns from
TRY = "--set steps=2 --set prompts_per_step=2"


@dataclass(frozen=True)
class Started:
    """What `init` wrote: its files, what to look at, and the commands to run next with what each does."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]
    commands: tuple[tuple[str, str], ...]


def start(data: Path, folder: Path) -> Started:
    """Write recipe.toml and study.toml for a set of one's own into a folder, and return what is to know about them.

    Raises ModomodoError when one of them stands there, when the data cannot be read, when no column can be the answer,
    and when pictures are missing.
    """
    check_path(data)
    files = [folder / name for name in FILES]
    there = [str(file) for file in files if os.path.lexists(file)]
    if there:
        raise ModomodoError(
            f"{' and '.join(there)} stand{'s' if len(there) == 1 else ''} there already, and init overwrites nothing: "
            "name another folder (--out FOLDER), or move what stands there"
        )
    plan = _plan(data, folder)
    write_text(files[0], recipe_text(plan))
    try:
        write_text(files[1], study_text(plan))
    except ModomodoError:
        files[0].unlink()  # or it would be in the way when the same is tried again
        raise
    study = shlex.quote(str(files[1]))
    commands = (
        (f"check {study}", "every row, and all else that can fail before a run starts"),
        (f"play {study}", "answer a few rows yourself: is it clear what is asked for?"),
        (f"train {study} {TRY}", "a first run, of two small steps"),
        (f"report {study}", f"its curves and replies, in studies/{plan.name}/report.html"),
    )
    return Started(tuple(files), tuple(_notes(plan)), commands)


def _plan(data: Path, folder: Path) -> Plan:
    table = look(data)
    _refuse_runs(table)
    found = roles(table)
    missing = missing_pictures(table, found.images)
    if missing is not None:
        raise ModomodoError(missing)
    opened = sizes(table, found.images)
    options = None if found.options is None else option_lists(table.columns, found.options)
    answers = golds(table, found.answer)
    # A number beside columns a and b is rather a value than an index.
    indices = any(len(name) > 1 for name in columns_of(found.options))
    suggestion = suggest(answers, options=options, sizes=opened, indices=indices)
    name, question = name_of(data), _question(found, suggestion.verifier)
    plan = Plan(
        name=name,
        path=os.path.relpath(data.parent.resolve() / data.name, folder.resolve()),
        table=table,
        roles=found,
        answers=answers,
        suggestion=suggestion,
        sizes=tuple(size for size in opened if size is not None),
        question=question,
        holdout=0.0,
        trained=len(table.places),
    )
    if table.tested is None:
        share, trained = _holdout(plan)
        return replace(plan, holdout=share, trained=trained)
    return plan


def _refuse_runs(table: Table) -> None:
    """Raise ModomodoError for a table of runs: mixtures and their scores, not rows to train on."""
    refuse_runs(table.path, table.columns)


def name_of(data: Path) -> str:
    """Return a name for the domain: that of the file or folder, in letters that names of folders are made of."""
    path = Path(os.path.abspath(data))
    stem = path.name if path.is_dir() else path.stem
    if stem.lower() in ("train", "metadata", "data"):
        stem = path.parent.name
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_-")[:48] or "mine"
    return f"{name}_own" if name in DOMAINS else name


def _question(found: Roles, verifier: str | None) -> str:
    """Return the template of the question: a column's, or one made of the columns' names."""
    if found.question is not None and _in_template(found.question):
        return f"{{{found.question}}}"
    about = f" of the {{{found.about}}}" if found.about is not None and _in_template(found.about) else ""
    if verifier in ("box", "boxes"):
        return f"Where is the {about.removeprefix(' of the ') or 'object'}?"
    what = found.answer.replace("_", " ").replace("{", "{{").replace("}", "}}")
    return f"What is the {what}{about}?"


def _in_template(column: str) -> bool:
    return not set(column) & set("{}.[]!:")


def _holdout(plan: Plan) -> tuple[float, int]:
    """Return the smallest share whose rows leave a benchmark in both its halves, and the rows left to train on."""
    rows = len(plan.table.places)
    share = HOLDOUTS[0] if rows > LOADED // 10 else HOLDOUTS[3]
    usual = share, math.floor(rows * (1 - share))
    if rows > LOADED or plan.suggestion.verifier is None:
        return usual
    tried = ((share, _trained(plan, share)) for share in HOLDOUTS)
    return next(((share, trained) for share, trained in tried if trained is not None), usual)


def _trained(plan: Plan, share: float) -> int | None:
    """Return how many rows a holdout leaves to train on; None where one of the test's halves has too few."""
    source = Source.model_validate({**source_fields(plan, share), "path": plan.table.path})
    try:
        domain = domain_of(plan.name, source)
        parts = [part_of(row.id) for row in domain.load("test")]
        trained = len(domain.load("train"))
    except ModomodoError:
        return None  # too small a share, or rows that check will name
    return trained if min(parts.count("select"), parts.count("confirm")) >= LEAST else None


def _notes(plan: Plan) -> Iterator[str]:
    rows = len(plan.table.places)
    if plan.suggestion.verifier is None:
        yield (
            f"check will refuse {FILES[0]} until you write its line verifier: column {plan.roles.answer!r}: "
            f"{plan.suggestion.why}, docs/verifiers.md"
        )
    elif rows < FEW and plan.table.tested is None and _trained(plan, plan.holdout) is None:
        yield f"check will refuse these files: of {count(rows, 'row')} too few are left for a test; give {FEW} or more"
    elif rows < FEW:
        yield f"rows: {rows}, too few to keep some for a test, in both halves of it: give {FEW} or more"
    elif rows < SMALL:
        yield f"{rows} rows are enough to try everything, not to learn from: docs/data.md"
    yield from plan.suggestion.notes
    yield from _notes_on_options(plan)
    yield from _notes_on_odd_answers(plan)
    empty = sum(map(is_empty, plan.answers))
    if empty:
        yield (
            f"rows without an answer in {plan.roles.answer!r}: {empty}; check names them, unusable = {empty} leaves "
            "them out"
        )
    boxes = [name for name in plan.table.columns if name != plan.roles.answer and "box" in name.lower()]
    if boxes:
        yield f"the answer is taken from {plan.roles.answer!r}; is it rather {' or '.join(map(repr, boxes))}?"
    system = sum(map(has_system, plan.table.columns.get(plan.roles.question or "", ())))
    if system:
        yield (
            f"system messages in {plan.roles.question!r}: {system}; they are not asked, so put what the answer needs "
            "of them into question or instruction"
        )
    if plan.roles.question is None:
        yield f"no column is a question, so {FILES[0]} asks {plan.question!r}: put it in your own words"


def _notes_on_odd_answers(plan: Plan) -> Iterator[str]:
    """Yield the few answers that are no numbers among many that are."""
    rows = zip(plan.table.places, plan.answers, strict=True)
    given = [(place, answer) for place, answer in rows if not is_empty(answer)]
    odd = [f"{place}: {answer!r:.60}" for place, answer in given if not is_plain_number(answer)]
    if plan.suggestion.verifier == "relaxed" and 0 < len(odd) <= ODD * len(given):
        yield (
            f"all answers but {len(odd)} of {len(given)} are plain numbers, and the odd one makes the verifier "
            f"relaxed: {odd[0]}. Is it a mistake? Correct it and call init anew, for a stricter verifier"
        )


def _notes_on_options(plan: Plan) -> Iterator[str]:
    options, fitting = plan.roles.options, "answer_as" in plan.suggestion.fields
    letters = plan.suggestion.verifier == "choice" and not fitting
    names = ", ".join(map(repr, columns_of(options)))
    if options is None:
        if letters:
            yield (
                "the answers are letters: does the question hold its options? Else give them as a list in one column "
                '"options", or in columns "A", "B", ...'
            )
    elif (unread := unread_options(plan.table, options)) is not None:
        yield unread
    elif not fitting:
        so = "; check names the rows" if letters else ", so nothing is made a choice"
        yield f"{plan.roles.answer!r} does not always name an option in {names}{so}"
    elif isinstance(options, tuple):
        yield f"columns {names} are the options of a choice, by their names: are they?"
