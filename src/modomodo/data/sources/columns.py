"""A domain from a table in TOML: the columns of a Source made into questions and golds."""

import ast
import json
import math
import re
import string
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.rows import Target
from modomodo.data.domain import Domain
from modomodo.data.sources.build import BOXED, BadRowError, Draft, SourceDomain, flat_pictures, read_boxes
from modomodo.data.sources.chats import asked, gold_in
from modomodo.data.sources.prompts import asking
from modomodo.data.sources.records import FieldError, Record
from modomodo.data.sources.source import Source
from modomodo.verifiers import VERIFIERS
from modomodo.verifiers.number import number_text
from modomodo.verifiers.text import normalise

_OUTER_MARKS = re.compile(r"\A(\s*<image>)+|(<image>\s*)+\Z")
# Marks of processors and of other sets; <image2>, as in MathVision, is a name that no processor reads.
_MARK = re.compile(r"<\|?(start_of_)?(image|img|vision|video)( \d+|_\w{1,20})?\|?>", re.IGNORECASE)
_LABEL = re.compile(r"\(?([A-Za-z])[.):]\s*")
_BETWEEN = "\n|;"


def domain_of(name: str, source: Source) -> Domain:
    """Return the domain that a source declares.

    Raises ModomodoError when it does not say where its rows are or which verifier judges them.
    """
    if source.path is None and source.hub is None:
        raise ModomodoError(f"data.{name} says neither path nor hub: where are its rows?")
    if source.verifier is None:
        raise ModomodoError(f"data.{name} says no verifier; {closest('', VERIFIERS)}")
    return SourceDomain(name, source, own_drafts, asking(source.instruction)).domain()


def drafts(record: Record, source: Source) -> Iterator[Draft]:
    """Yield the one row of a record."""
    options = _options(record, source)
    assert source.verifier is not None
    value = _gold(gold_in(record.get(source.answer, field="answer")), options, source)
    target = Target(source.verifier, value, options, tolerance=source.tolerance)
    id = None if source.id is None else row_id(record, source.id)
    yield Draft(question(record, source.question), target, pictures_of(record, source), id)


def own_drafts(record: Record, source: Source) -> Iterator[Draft]:
    """Yield the one row of a record of somebody's own.

    Raises BadRowError where its options leave open which one is meant; published sets are taken as they are.
    """
    for draft in drafts(record, source):
        reason = _ambiguous(draft.target) if draft.target.verifier == "choice" else None
        if reason is not None:
            raise BadRowError(f"the options {list(draft.target.options)!r:.200} {reason}")
        yield draft


def _ambiguous(target: Target) -> str | None:
    options = [option.strip() for option in target.options]
    if "" in options:
        return "hold an empty one: fill it in, or take it out"
    if options and options.count(gold := options[ascii_uppercase.index(str(target.value))]) > 1:
        return f"hold the right one, {gold!r:.60}, more than once: take the others out"
    labels = [label[1].upper() if (label := _LABEL.match(option)) else "" for option in options]
    letters = ascii_uppercase[: len(options)]
    if all(labels) and any(label in letters and label != own for label, own in zip(labels, letters, strict=True)):
        return f"begin with {', '.join(labels)}, and are shown as {', '.join(letters)}: take the letters off the texts"
    return None


def pictures_of(record: Record, source: Source) -> tuple[bytes | Path, ...]:
    """Return the pictures in the columns that the source names."""
    for column in source.images:
        if column not in record.columns:
            raise FieldError(
                f"images: {record.file} has no column {column!r}; {closest(column, record.columns)}. Name the columns "
                "with pictures in images; a set without pictures says images = []"
            )
    return tuple(one for column in source.images for one in flat_pictures(record.get(column), record.folder))


def question(record: Record, template: str) -> str:
    """Return a template filled with the columns that it names, without outer white space and marks of pictures.

    Raises BadRowError for a mark inside, which would be one more picture to a processor: pictures stand first.
    """
    parts = string.Formatter().parse(template)
    filled = (
        before + ("" if field is None else plain(asked(record.get(field, field="question")), field))
        for before, field, _, _ in parts
    )
    text = _OUTER_MARKS.sub("", "".join(filled)).strip()
    if mark := _MARK.search(text):
        raise BadRowError(f"the question {text!r:.80} has {mark[0]} inside: write picture 1, picture 2 instead")
    return text


def plain(value: Any, column: str) -> str:
    """Return the text of a column; empty for None.

    Raises BadRowError for lists and tables.
    """
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise BadRowError(f"{column} is {value!r:.60}, not a text")
    if isinstance(value, float) and not math.isfinite(value):
        raise BadRowError(f"{column} is {value}, not a text: a missing one is null or empty")
    return number_text(value)


def row_id(record: Record, column: str) -> str:
    """Return the id in a column.

    Raises BadRowError.
    """
    value = record.get(column, field="id")
    if value is None or isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise BadRowError(f"the id in {column} is {value!r:.60}, not a text or a whole number")
    return str(value).strip()


def options_in(get: Callable[[str], Any], columns: str | tuple[str, ...]) -> Any:
    """Return the options of a row as they are written: one column's, or those of several, without empty last ones."""
    if isinstance(columns, str):
        return get(columns)
    cells = [get(column) for column in columns]
    while cells and cells[-1] in (None, ""):
        cells.pop()
    return cells


def option_texts(value: Any, column: str) -> tuple[str, ...]:
    """Return the options of a column: a list of texts, or a text that writes one.

    A text is JSON, a list as Python prints it, or options between | or between ; or one a line. Letters in order before
    all the options of a text ("A. red") are no part of them.

    Raises BadRowError, also for a text that could be split in two ways.
    """
    found = _written(value, column) if isinstance(value, str) else value
    if isinstance(found, str):
        raise BadRowError(f"the options in {column} are {value!r:.60}, not a list: write them as a JSON list")
    if not isinstance(found, list | tuple) or not 2 <= len(found) <= len(ascii_uppercase):
        what = f"{len(found)} of them" if isinstance(found, list | tuple) else f"{found!r:.60}"
        raise BadRowError(f"the options in {column} are a list of 2 to {len(ascii_uppercase)} texts, found {what}")
    return tuple(plain(one, column) for one in found)


def _written(text: str, column: str) -> Any:
    """Return the list that a text writes; the text where it writes none."""
    for read in (json.loads, ast.literal_eval) if text.startswith("[") else (json.loads,):
        with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            return read(text)
    marks = [mark for mark in _BETWEEN if mark in text.rstrip()]
    if not marks or text.startswith("["):
        return text
    parts = [part.strip() for part in text.rstrip().split(marks[0])]
    while parts and not parts[-1]:
        parts.pop()
    labels = [label[0] if (label := _LABEL.match(part)) else "" for part in parts]
    bare = [part.removeprefix(label) for part, label in zip(parts, labels, strict=True)]
    reason = "stand between more than one of |, ; and line breaks" if len(marks) > 1 else _torn(bare, labels)
    if reason is not None:
        raise BadRowError(f"the options in {column}, {text!r:.80}, {reason}: write them as a JSON list")
    return bare


def _torn(parts: list[str], labels: list[str]) -> str | None:
    """Return what says that a text was not meant to be split into these parts, without their labels."""
    if "" in parts:
        return "hold an empty one"
    letters = "".join(label.strip("(.): ").upper() for label in labels)
    if any(labels) and (not all(labels) or not ascii_uppercase.startswith(letters)):
        return "begin with letters that are not A, B, C, each in its place"
    if any(part.count("$") % 2 or sum(map(part.count, "([{")) != sum(map(part.count, ")]}")) for part in parts):
        return "hold brackets or $ that end in another option than they begin in"
    return None


def letter_of(value: Any, options: tuple[str, ...], answer_as: str) -> str:
    """Return the letter of the option that an answer names by `letter`, `text` or `index` from 0.

    Raises BadRowError.
    """
    letters = ascii_uppercase[: len(options)] if options else ascii_uppercase
    if answer_as == "text":
        said = plain(value, "the answer")
        alike = [k for k, option in enumerate(options) if option.strip() == said]
        alike = alike or [k for k, option in enumerate(options) if normalise(option) == normalise(said)]
        if len(alike) != 1:
            what = "none" if not alike else "several"
            raise BadRowError(f"the answer {said!r} is {what} of the options {list(options)!r:.200}")
        return letters[alike[0]]
    if answer_as == "index":
        number = int(value) if isinstance(value, str) and value.strip().isdecimal() else value
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(letters):
            raise BadRowError(f"the answer is {value!r:.60}, not an index from 0 to {len(letters) - 1}")
        return letters[number]
    letter = plain(value, "the answer").strip("(). :").upper()
    if len(letter) != 1 or letter not in letters:
        raise BadRowError(f"the answer is {value!r:.60}, not one of the letters {letters}")
    return letter


def _options(record: Record, source: Source) -> tuple[str, ...]:
    if source.options is None:
        return ()
    value = options_in(lambda column: record.get(column, field="options"), source.options)
    if value in (None, []) and source.verifier != "choice":
        return ()
    return option_texts(value, source.options if isinstance(source.options, str) else ", ".join(source.options))


def _gold(value: Any, options: tuple[str, ...], source: Source) -> Any:
    if source.verifier == "choice":
        return letter_of(value, options, source.answer_as)
    if source.verifier == "format":
        return ""
    if value is None or isinstance(value, bool):
        raise BadRowError(f"the answer in {source.answer} is {value!r}: write the text or number that is asked for")
    if source.verifier not in BOXED:
        return tuple(value) if isinstance(value, list) else value
    boxes = read_boxes(value)
    if source.verifier == "boxes":
        return boxes
    if len(boxes) != 1:
        raise BadRowError(f"the answer holds {len(boxes)} boxes, where {source.verifier} asks for one")
    return boxes[0]
