"""Which column of a table is likely what: by the names that people give, and by the values."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from string import ascii_lowercase
from typing import Any, cast

from modomodo.cli.init.table import PICTURE, Table
from modomodo.cli.init.verifier import boxes_in, is_empty
from modomodo.core.errors import ModomodoError
from modomodo.data.sources.chats import asked, gold_in, is_chat
from modomodo.data.sources.options import option_texts, options_in
from modomodo.data.sources.records import BadRowError

ENDS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
IDS = ("id", "uid", "qid", "pid", "question_id", "row_id", "sample_id", "image_id", "index")
QUESTIONS = ("question", "query", "prompt", "instruction", "problem", "text", "messages", "conversations", "q")
OPTIONS = ("options", "choices", "candidates", "alternatives")
ANSWERS = ("answer", "answers", "correct_answer", "correct", "gold", "ground_truth", "solution")
LABELS = ("label", "target")
REPLIES = ("completion", "chosen", "response", "output")
WRONG = "rejected"
NUMBERS = tuple(map(str, range(26)))
_OPTION = re.compile(r"((?:option|choice|opt?)s?[\s_.-]*)?([a-z]|\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Roles:
    """Which column is what; `about` is one with words that a question can be made of, where there is no question."""

    answer: str
    images: tuple[str, ...]
    id: str | None
    question: str | None
    options: str | tuple[str, ...] | None
    about: str | None


def roles(table: Table) -> Roles:
    """Return which column is what, by names and values.

    Raises ModomodoError when none can be the answer.
    """
    columns = {name: values for name, values in table.columns.items() if name != table.split_column}
    images = [name for name, values in columns.items() if _pictorial(values)]
    if "image" in images and "file_name" in images and columns["image"] == columns["file_name"]:
        images.remove("file_name")  # the reader makes one of the other
    no_answer = {*images, "file_name", *_named(columns, [WRONG])}
    left = {name: values for name, values in columns.items() if name not in no_answer}
    ids = _named(left, IDS)
    own_id = next((name for name in ids if _unique(left[name])), None)
    left = {name: values for name, values in left.items() if name not in ids}  # one that is not unique is no answer
    asking = _named(left, QUESTIONS)
    question = next((name for name in asking if _worded(left[name]) or any(map(is_chat, left[name]))), None)
    questions = left.pop(question or "", [])
    if (reason := _unasked(questions)) is not None:
        raise ModomodoError(f"{table.path}: no chat in {question!r} can be asked: {reason}; make each question a row")
    options = _options(left)
    left = _without(left, options)
    replies = any(map(is_chat, questions)) and not _named_answers(_usable(left)) and any(map(_gold, questions))
    answer = question if replies else _answer(left)
    if answer is None:
        raise ModomodoError(_no_answer(table, left, images, own_id, question))
    about = next((name for name, values in left.items() if name != answer and _worded(values)), None)
    return Roles(answer, tuple(images), own_id, question, options, about if question is None else None)


def columns_of(options: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the columns that hold options."""
    return (options,) if isinstance(options, str) else options or ()


def _without(columns: Mapping[str, Sequence[Any]], options: str | tuple[str, ...] | None) -> dict[str, Sequence[Any]]:
    return {name: values for name, values in columns.items() if name not in columns_of(options)}


def _unasked(values: Sequence[Any]) -> str | None:
    """Return why the first chat cannot be asked, where none can."""
    reasons: list[str] = []
    for value in values:
        try:
            asked(value)
        except BadRowError as error:
            reasons.append(str(error))
    return reasons[0] if reasons and len(reasons) == len(values) else None


def golds(table: Table, column: str) -> tuple[Any, ...]:
    """Return the gold that each row writes in a column, as training reads it; None where it writes none.

    Raises ModomodoError when no row does.
    """
    found = tuple(map(_gold, table.columns[column]))
    if not all(map(is_empty, found)):
        return found
    what = f"{table.path}: no row has an answer in {column!r}"
    for place, value in zip(table.places, table.columns[column], strict=True):
        try:
            gold_in(value)
        except BadRowError as error:
            raise ModomodoError(f"{what}: {place}: {error}") from error
    raise ModomodoError(f"{what}: all are empty; write one into each row")


def _gold(value: Any) -> Any:
    try:
        return gold_in(value)
    except BadRowError:
        return None  # check says what is wrong with it


def _named(columns: Mapping[str, object], names: Sequence[str]) -> list[str]:
    """Return the columns that bear one of the names, in the order of the names, whatever their case."""
    lower = {name.lower(): name for name in reversed(list(columns))}
    return [lower[name] for name in names if name in lower]


def _pictorial(values: Sequence[Any]) -> bool:
    given = [value for value in values if value not in (None, "", [])]
    return bool(given) and all(_is_picture(value) for value in given)


def _is_picture(value: object) -> bool:
    if isinstance(value, list):
        return all(_is_picture(one) for one in cast(list[object], value))
    return value == PICTURE if isinstance(value, bytes) else isinstance(value, str) and value.lower().endswith(ENDS)


def _unique(values: Sequence[Any]) -> bool:
    usable = all(isinstance(one, str | int) and not isinstance(one, bool) and str(one).strip() for one in values)
    return usable and len({str(one).strip() for one in values}) == len(values)


def _worded(values: Sequence[Any]) -> bool:
    return any(values) and all(value is None or isinstance(value, str) for value in values)


def option_lists(columns: Mapping[str, Sequence[Any]], options: str | tuple[str, ...]) -> list[tuple[str, ...] | None]:
    """Return the options of each row as texts, read as training reads them; None where a row has none."""
    rows = [_option_list(columns, options, row) for row in range(len(next(iter(columns.values()))))]
    return [None if isinstance(row, BadRowError) else row for row in rows]


def unread_options(table: Table, options: str | tuple[str, ...]) -> str | None:
    """Return how many rows have options that cannot be read, and why the first; None when all can."""
    rows = [_option_list(table.columns, options, row) for row in range(len(table.places))]
    bad = [f"{place}: {row}" for place, row in zip(table.places, rows, strict=True) if isinstance(row, BadRowError)]
    return f"rows whose options cannot be read: {len(bad)}; the first is {bad[0]}" if bad else None


def _option_list(
    columns: Mapping[str, Sequence[Any]], options: str | tuple[str, ...], row: int
) -> tuple[str, ...] | BadRowError:
    try:
        return option_texts(options_in(lambda column: columns[column][row], options), ", ".join(columns_of(options)))
    except BadRowError as error:
        return error


def _options(left: Mapping[str, Sequence[Any]]) -> str | tuple[str, ...] | None:
    """Return what can be read as options in some row, else a column that is called so, which check will refuse."""
    named = _named(left, OPTIONS)
    several = [names for names in _option_columns(left) if _answer(_without(left, names)) is not None]
    unread = [name for name in named if any(left[name]) and _answer(_without(left, name)) is not None]
    return next((one for one in (*named, *several) if any(option_lists(left, one))), next(iter(unread), None))


def _option_columns(columns: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield the columns that hold an option each by their names, such as A, B, C or option_1, option_2."""
    families: dict[str, dict[str, str]] = {}
    for name in columns:
        if found := _OPTION.fullmatch(name):
            families.setdefault((found[1] or "").lower(), {}).setdefault(found[2].lower(), name)
    for start, family in families.items():
        for marks in (ascii_lowercase, NUMBERS, NUMBERS[1:]) if start else (ascii_lowercase,):
            run = tuple(family[mark] for mark in takewhile(family.__contains__, marks))
            if len(run) > 1:
                yield run


def _answer(left: Mapping[str, Sequence[Any]]) -> str | None:
    """Return the column of the answers: by its name, else the last one with numbers or lists, else the last.

    One that holds the same in every row is taken only where there is no other.
    """
    usable = _usable(left)
    varied = [name for name, values in usable.items() if any(value != values[0] for value in values)]
    exact = [name for name in varied if not _worded(usable[name])]
    return (*_named_answers(usable), *reversed(exact), *reversed(varied), *reversed(list(usable)), None)[0]


def _usable(left: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    return {name: values for name, values in left.items() if _answers(values)}


def _named_answers(usable: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return the columns that are answers by their names; a label beside boxes is what is to be found."""
    boxes = [name for name, values in usable.items() if "box" in name.lower() and boxes_in(values) is not None]
    short = [] if _named(usable, ["b"]) else _named(usable, ["a"])  # beside b it is rather an option
    return [*_named(usable, ANSWERS), *short, *boxes, *_named(usable, LABELS), *_named(usable, REPLIES)]


def _answers(values: Sequence[Any]) -> bool:
    given = [value for value in values if value not in (None, "")]
    return bool(given) and all(isinstance(one, str | int | float | list) and not isinstance(one, bool) for one in given)


def _no_answer(
    table: Table, left: Mapping[str, Sequence[Any]], images: Sequence[str], own_id: str | None, question: str | None
) -> str:
    taken = {"pictures": ", ".join(images), "the id": own_id, "the question": question, "the split": table.split_column}
    found = [f"{name!r} is {what}" for what, name in taken.items() if name]
    found += [f"{name!r} holds {json.dumps(values[0], default=repr)[:40]}" for name, values in left.items()]
    return (
        f"{table.path}: no column can be an answer: {'; '.join(found) or 'there are no columns'}. Add a column "
        '"answer" with a number, a short text, a letter or a box for each row (yes and no for true and false)'
    )
