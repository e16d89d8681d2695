"""A first recipe and study for somebody's own data: TOML in which every line is explained from what was seen."""

import math
import os
import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from modomodo.cli.init.boxes import boxes_in, refuse_other_orders
from modomodo.cli.init.columns import BEFORE, Roles, golds, objects_frame, roles
from modomodo.cli.init.notes import missing_verifier, notes
from modomodo.cli.init.options import columns_of, first_number, is_called_options, option_lists, unread_options
from modomodo.cli.init.runs import refuse_runs
from modomodo.cli.init.table import Table, check_path, look
from modomodo.cli.init.toml_text import LEAST_HOLDOUT, Plan, recipe_text, study_text
from modomodo.cli.init.trial import LOADED, source_of, try_out
from modomodo.cli.init.verifier import Suggestion, is_empty, suggest
from modomodo.core.errors import ModomodoError
from modomodo.core.files import write_text
from modomodo.data.registry import DOMAINS
from modomodo.data.sources.columns import domain_of
from modomodo.data.sources.values import BadRowError
from modomodo.evaluation.benchmarks import part_of

FILES = ("recipe.toml", "study.toml")
HOLDOUTS = (LEAST_HOLDOUT, 0.2, 0.3, 0.4, 0.5)
LEAST = 2  # rows that a benchmark needs, in the half that chooses and in the one that confirms
TRY = "--set steps=2 --set prompts_per_step=2"


@dataclass(frozen=True)
class Started:
    """What `init` wrote: its files, what to look at, and the commands to run next with what each does.

    `missing` is what has to be written by hand before any of them works; None where all is there.
    """

    files: tuple[Path, ...]
    notes: tuple[str, ...]
    commands: tuple[tuple[str, str], ...]
    missing: str | None = None


def start(data: Path, folder: Path) -> Started:
    """Write recipe.toml and study.toml for a set of one's own into a folder, and return what is to know about them.

    Raises ModomodoError when one of them is there, when the data cannot be read, when no column can be the answer,
    when images are missing, and when check would refuse most rows.
    """
    check_path(data)
    files = [folder / name for name in FILES]
    there = [str(file) for file in files if os.path.lexists(file)]
    if there:
        raise ModomodoError(
            f"{' and '.join(there)} {'is' if len(there) == 1 else 'are'} there already, and init overwrites nothing: "
            "name another folder (--out FOLDER), or move what is there"
        )
    plan = plan_of(data, folder)
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
        (f"report {study}", f"its curves and completions, in studies/{plan.name}/report.html"),
    )
    return Started(tuple(files), tuple(notes(plan)), commands, missing_verifier(plan, files[0]))


def plan_of(data: Path, folder: Path) -> Plan:
    """Return how rows are to be read, by what stands in them; `folder` is where the recipe would stand.

    Raises ModomodoError as `start`.
    """
    table = look(data)
    _refuse_runs(table)
    try:
        columns = roles(table)
    except BadRowError as error:
        raise ModomodoError(f"{table.path}: {error}") from error
    question = _question(columns, None)
    frame = objects_frame(table, columns.objects)
    source = table.source(question=question, answer=columns.answer, objects=columns.objects, gold_frame=frame)
    answers = golds(table, source)
    suggestion = _suggestion(table, columns, answers)
    _refuse_unnamed_options(table, columns, suggestion)
    pictures = columns.images.folder
    plan = Plan(
        name=name_of(data),
        path=os.path.relpath(data.parent.resolve() / data.name, folder.resolve()),
        pictures=None if pictures is None else os.path.relpath(pictures, folder.resolve()),
        table=table,
        roles=columns,
        answers=answers,
        suggestion=suggestion,
        sizes=tuple(size for size in columns.images.sizes if size is not None),
        question=_question(columns, suggestion.verifier),
        holdout=0.0,
        trained=len(table.rows),
    )
    plan = replace(plan, trial=try_out(plan))
    if table.tested is None:
        share, trained = _holdout(plan)
        return replace(plan, holdout=share, trained=trained)
    return plan


def _suggestion(table: Table, found: Roles, answers: tuple[Any, ...]) -> Suggestion:
    """Return the verifier of the answers.

    Raises ModomodoError for boxes in an order or a frame of their own.
    """
    options = None if found.options is None else option_lists(table.columns, found.options)
    first = None if found.options is None else first_number(table.columns, found.options)
    # A number beside columns a and b is rather a value than an index.
    indices = any(len(name) > 1 for name in columns_of(found.options))
    try:
        suggestion = suggest(answers, options=options, sizes=found.images.sizes, indices=indices, first=first)
    except ModomodoError as error:
        raise ModomodoError(f"{table.path}: {error}") from error
    boxed = (
        boxes_in([[] if is_empty(one) else one for one in answers]) if suggestion.verifier in ("box", "boxes") else None
    )
    if boxed is not None:
        refuse_other_orders(table, found.answer, boxed)
    if found.objects is not None and "gold_frame" in suggestion.fields:
        stated = (objects_frame(table, found.objects), "as bbox_type says, or does not, which means pixels")
        return replace(suggestion, fields={**suggestion.fields, "gold_frame": stated})
    return suggestion


def _refuse_unnamed_options(table: Table, found: Roles, suggestion: Suggestion) -> None:
    """Raise ModomodoError where a column is called options, and the answers do not name them."""
    if found.options is None or "answer_as" in suggestion.fields:
        return
    if isinstance(found.options, tuple) and not is_called_options(found.options):
        return
    row = next((k for k, own in enumerate(option_lists(table.columns, found.options)) if own), 0)
    names = columns_of(found.options)
    answer = table.columns[found.answer][row]
    held = (
        table.columns[names[0]][row] if isinstance(found.options, str) else [table.columns[one][row] for one in names]
    )
    reason = unread_options(table, found.options) or (
        f"{found.answer!r} does not name one of the options in {', '.join(map(repr, names))} in most rows, as in "
        f"{table.places[row]}: {answer!r:.60} of {held!r:.120}"
    )
    raise ModomodoError(
        f"{table.path}: {reason}; write the letter, the text or the index from 0 of one option into each row (if they "
        "are the wrong ones alone, add the right one), or leave the options out"
    )


def _refuse_runs(table: Table) -> None:
    """Raise ModomodoError for a table of runs: mixtures and their scores, not rows to train on."""
    refuse_runs(table.path, table.columns)


def name_of(data: Path) -> str:
    """Return a name for the domain: the file's or folder's, in letters that names of folders are made of."""
    path = Path(os.path.abspath(data))
    stem = path.name if path.is_dir() else path.stem
    if stem.lower() in ("train", "metadata", "data"):
        stem = path.parent.name
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_-")[:48] or "mine"
    return f"{name}_own" if name in DOMAINS else name


def _question(found: Roles, verifier: str | None) -> str:
    """Return the template of the question: a column's, or one made of the columns' names."""
    if found.question is not None and _in_template(found.question):
        before = [name for name in found.around if name.lower() in BEFORE and _in_template(name)]
        after = [name for name in found.around if name not in before and _in_template(name)]
        return "\n".join(f"{{{name}}}" for name in (*before, found.question, *after))
    about = f" of the {{{found.about}}}" if found.about is not None and _in_template(found.about) else ""
    if verifier in ("box", "boxes"):
        return f"Where is the {about.removeprefix(' of the ') or 'object'}?"
    what = found.answer.replace("_", " ").replace("{", "{{").replace("}", "}}")
    return f"What is the {what}{about}?"


def _in_template(column: str) -> bool:
    return not set(column) & set("{}[]!:")


def _holdout(plan: Plan) -> tuple[float, int]:
    """Return the smallest share whose rows leave a benchmark in both its halves, and the rows left to train on.

    The share is 0 where none does.
    """
    rows = len(plan.table.rows)
    if rows > LOADED or plan.suggestion.verifier is None:
        share = HOLDOUTS[0] if rows > LOADED // 10 else HOLDOUTS[3]
        return share, math.floor(rows * (1 - share))
    tried = ((share, _trained(plan, share)) for share in HOLDOUTS)
    return next(((share, trained) for share, trained in tried if trained is not None), (0.0, rows))


def _trained(plan: Plan, share: float) -> int | None:
    """Return how many rows a holdout leaves to train on; None where one of the test's halves has too few."""
    try:
        domain = domain_of(plan.name, source_of(plan, holdout=share, unusable=len(plan.table.rows)))
        parts = [part_of(row.id) for row in domain.load("test")]
        trained = len(domain.load("train"))
    except ModomodoError:
        return None  # too small a share, or rows that check will name
    return trained if min(parts.count("select"), parts.count("confirm")) >= LEAST else None
