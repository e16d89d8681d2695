"""The options of a choice, as rows write them, and the one that an answer names."""

import ast
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from string import ascii_uppercase
from typing import Any, cast

from modomodo.core.rows import Target
from modomodo.data.sources.values import BadRowError, plain
from modomodo.verifiers.text import normalise

_LABEL = re.compile(r"\(?([A-Za-z])[.):]\s*")
_BETWEEN = "\n|;"
_LABELS = ("label", "key", "id", "letter", "option")
_TEXTS = ("text", "value", "content", "option_text", "description")


def options_in(get: Callable[[str], Any], columns: str | tuple[str, ...]) -> Any:
    """Return the options of a row as they are written: one column's, or those of several, without empty last ones."""
    if isinstance(columns, str):
        return get(columns)
    cells = [get(column) for column in columns]
    while cells and cells[-1] in (None, ""):
        cells.pop()
    return cells


def no_options(value: Any) -> bool:
    """Return whether a row has no options: null, an empty list or text, or one that writes them."""
    if isinstance(value, str):
        return value.strip() in ("", "[]", "{}", "null", "None", "nan")
    return value is None or value in ([], {}) or (isinstance(value, float) and value != value)


def option_texts(value: Any, column: str) -> tuple[str, ...]:
    """Return the options of a column: a list of texts, an object such as {"A": "red"}, or a text that writes one.

    A text is JSON, a list as Python prints it, or options between | or between ; or one a line. Letters in order before
    all the options ("A. red") are no part of them.

    Raises BadRowError, also for a text that could be split in two ways.
    """
    found = _of_objects(_written(value, column) if isinstance(value, str) else value, column)
    if isinstance(found, str):
        raise BadRowError(f"the options in {column} are {value!r:.60}, not a list: write them as a JSON list")
    if not isinstance(found, list | tuple) or not 2 <= len(cast(list[Any], found)) <= len(ascii_uppercase):
        what = f"{len(cast(list[Any], found))} of them" if isinstance(found, list | tuple) else f"{found!r:.60}"
        raise BadRowError(f"the options in {column} are a list of 2 to {len(ascii_uppercase)} texts, found {what}")
    return _without_labels(tuple(plain(one, column) for one in cast(list[Any], found)))


def _without_labels(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return options without the letters that they are shown with anyway, where all have theirs before them."""
    while True:
        labels = [_LABEL.match(text) for text in texts]
        bare = tuple(text[label.end() :] for text, label in zip(texts, labels, strict=True) if label)
        letters = "".join(label[1] for label in labels if label).upper()
        if letters != ascii_uppercase[: len(texts)] or not all(bare):
            return texts
        texts = bare


def _of_objects(value: Any, column: str) -> Any:
    """Return the texts of options that are written with their letters as objects; other values as they are."""
    pairs: list[tuple[Any, Any]] | None = None
    if isinstance(value, Mapping):
        table = cast(Mapping[str, Any], value)
        label, text = (next((key for key in keys if key in table), "") for keys in (_LABELS, _TEXTS))
        if isinstance(table.get(label), list) and isinstance(table.get(text), list):
            pairs = list(zip(table[label], table[text], strict=False))
        else:
            pairs = [(key, one) for key, one in table.items() if one is not None]
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in cast(list[Any], value)):
        tables = cast(list[Mapping[str, Any]], value)
        label, text = (next((key for key in keys if key in tables[0]), "") for keys in (_LABELS, _TEXTS))
        pairs = [(one.get(label), one.get(text)) for one in tables]
    if pairs is None:
        return cast(Any, value)
    letters = [str(letter).strip("(). :").upper() for letter, _ in pairs]
    if letters != list(ascii_uppercase[: len(letters)]):
        said = ", ".join(letters[:6]) or "nothing"
        raise BadRowError(f"the options in {column} are named {said}, where A, B, C ... are asked, each in its place")
    return [text for _, text in pairs]


def _written(text: str, column: str) -> Any:
    """Return the list that a text writes; the text where it writes none."""
    for read in (json.loads, ast.literal_eval) if text.startswith(("[", "{")) else (json.loads,):
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
    reason = "are between more than one of |, ; and line breaks" if len(marks) > 1 else _torn(bare, labels)
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

    A text may be written with its letter, as the option is shown ("B. red").

    Raises BadRowError.
    """
    letters = ascii_uppercase[: len(options)] if options else ascii_uppercase
    if answer_as == "text":
        said = plain(value, "the answer")
        alike = _alike(said, options)
        if not alike and (label := _LABEL.match(said)):
            alike = [k for k in _alike(said[label.end() :], options) if letters[k] == label[1].upper()]
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


def _alike(said: str, options: tuple[str, ...]) -> list[int]:
    exact = [k for k, option in enumerate(options) if option.strip() == said]
    return exact or [k for k, option in enumerate(options) if normalise(option) == normalise(said)]


def ambiguous(target: Target) -> str | None:
    """Return why the options of a choice leave open which one is meant; None where they do not."""
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
