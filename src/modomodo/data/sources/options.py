"""The options of a choice, as rows write them, and the one that an answer names."""

import ast
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from string import ascii_uppercase
from typing import Any, cast

from modomodo.core.rows import Target
from modomodo.data.sources.values import BadRowError, plain
from modomodo.verifiers.text import normalise

_LABEL = re.compile(r"\(?([A-Za-z])[.):]\s*")
_NUMBERED = re.compile(r"\(?(\d{1,2})(?:\)|[.:](?=\s))\s*")
_STARTS = (0, 1)  # numbers that options are counted from
_COMMAND = re.compile(r"\\(?:text(?:bf|rm|it)?|math(?:rm|bf)|boxed)\s*\{([^{}]*)\}")
_CALLED = re.compile(
    r"(?:(?:the|correct|right)\s+)*(?:answer|option|choice)(?:\s+is)?\s*[:=]?\s*(?=\W?[A-Za-z]\b)", re.IGNORECASE
)
_LETTER = re.compile(
    r"[(\[{<]?([A-Za-z])(?:[)\]}>.:\u3001]*\Z|(?:[)\]}>.:\u3001]+\s*|\s+[-\u2013]\s+)(\S.*)\Z)", re.DOTALL
)
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


def counted_from(value: Any, columns: str | tuple[str, ...] = "") -> int | None:
    """Return the number, 0 or 1, that options call the first of them by; None where they are not numbered.

    It is in the names of their columns (option1), in the keys of an object, or before each text, as in "(1) red".
    """
    if isinstance(columns, tuple):
        names: list[str] = [found[0] if (found := re.search(r"\d+\Z", name)) else "" for name in columns]
        return _first(names)
    with suppress(BadRowError):
        value = _written(value, "") if isinstance(value, str) else value
    pairs = _pairs(value)
    if pairs is not None:
        return _first([str(label).strip("(). :") for label, _ in pairs])
    texts = [str(one) for one in cast(list[Any], value)] if isinstance(value, list | tuple) else []
    return _first([label[1] if (label := _NUMBERED.match(text)) else "" for text in texts])


def _first(labels: Sequence[str]) -> int | None:
    """Return what labels count from in order, None where they do not."""
    runs = ([str(start + k) for k in range(len(labels))] for start in _STARTS)
    return next((start for start, run in zip(_STARTS, runs, strict=True) if labels and list(labels) == run), None)


def option_texts(value: Any, column: str) -> tuple[str, ...]:
    """Return the options of a column: a list of texts, an object such as {"A": "red"}, or a text that writes one.

    A text is JSON, a list as Python prints it, or options between | or between ; or one a line. Letters in order before
    all the options ("A. red"), or numbers ("(1) red"), are no part of them.

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
    """Return options without the letters that they are shown with anyway, or numbers, where all have theirs."""
    numbers = [_NUMBERED.match(text) for text in texts]
    if _first([label[1] if label else "" for label in numbers]) is not None:
        bare = tuple(text[label.end() :] for text, label in zip(texts, numbers, strict=True) if label)
        texts = bare if all(bare) else texts
    while True:
        labels = [_LABEL.match(text) for text in texts]
        bare = tuple(text[label.end() :] for text, label in zip(texts, labels, strict=True) if label)
        letters = "".join(label[1] for label in labels if label).upper()
        if letters != ascii_uppercase[: len(texts)] or not all(bare):
            return texts
        texts = bare


def _pairs(value: Any) -> list[tuple[Any, Any]] | None:
    """Return label and text of options that are written as objects; None for other values."""
    if isinstance(value, Mapping):
        table = cast(Mapping[str, Any], value)
        label, text = (next((key for key in keys if key in table), "") for keys in (_LABELS, _TEXTS))
        if isinstance(table.get(label), list) and isinstance(table.get(text), list):
            return list(zip(table[label], table[text], strict=False))
        return [(key, one) for key, one in table.items() if one is not None]
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in cast(list[Any], value)):
        tables = cast(list[Mapping[str, Any]], value)
        label, text = (next((key for key in keys if key in tables[0]), "") for keys in (_LABELS, _TEXTS))
        return [(one.get(label), one.get(text)) for one in tables]
    return None


def _of_objects(value: Any, column: str) -> Any:
    """Return the texts of options that are written as objects with their letters or numbers; other values as they are.

    Raises BadRowError for other labels.
    """
    pairs = _pairs(value)
    if pairs is None:
        return value
    letters = [str(letter).strip("(). :").upper() for letter, _ in pairs]
    if letters != list(ascii_uppercase[: len(letters)]) and _first(letters) is None:
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
    """Return the letter of the option that an answer names by `letter`, `text`, `index` from 0 or `number` from 1.

    A text may be written with its letter, as the option is shown ("B. red"), and so may a letter ("Option B").

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
    if answer_as in ("index", "number"):
        start = int(answer_as == "number")
        number = int(value) if isinstance(value, str) and value.strip().isdecimal() else value
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number - start < len(letters):
            last = len(letters) - 1 + start
            raise BadRowError(
                f"the answer is {value!r:.60}, not {'a number' if start else 'an index'} from {start} to {last}"
            )
        return letters[number - start]
    return _written_letter(value, options, letters)


def lettered(text: str) -> tuple[str, str] | None:
    """Return the letter of an option, and its text where that follows, of "(B)", "Option B", "B. red"; else None."""
    bare = _CALLED.sub("", _COMMAND.sub(r"\1", text).strip(" \t\n$*."), count=1)
    found = _LETTER.match(bare)
    return (found[1].upper(), found[2] or "") if found else None


def _written_letter(value: Any, options: tuple[str, ...], letters: str) -> str:
    said = plain(value, "the answer")
    letter, text = lettered(said) or ("", "")
    if not letter or letter not in letters:
        raise BadRowError(f"the answer is {value!r:.60}, not one of the letters {letters}")
    if options and text and letters.index(letter) not in _alike(text, options):
        raise BadRowError(f"the answer is {said!r:.60}, and option {letter} is {options[letters.index(letter)]!r:.60}")
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
