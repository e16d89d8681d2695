"""Which columns hold the options of a choice: by their names, and by answers that name one of them in every row."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from string import ascii_lowercase
from typing import Any

from modomodo.cli.init.names import words
from modomodo.cli.init.table import OPTIONS, Table
from modomodo.cli.init.verifier import FITTING, is_empty, option_kinds
from modomodo.core.errors import ModomodoError
from modomodo.data.sources.chats import gold_in
from modomodo.data.sources.options import counted_from, no_options, option_texts, options_in
from modomodo.data.sources.values import BadRowError

Columns = Mapping[str, Sequence[Any]]
Named = str | tuple[str, ...]
"""One column with all options, or a column for each."""

CALLED = frozenset({"options", "choices", "candidates", "alternatives", "endings", "distractors"})
STEMS = CALLED | frozenset(
    {"option", "choice", "candidate", "alternative", "ending", "distractor", "answer", "ans", "opt", "opts"}
    | {"sol", "solution", "hypothesis", "hyp"}
)
APART = frozenset({"distractor", "distractors", "incorrect", "wrong"})
"""Words in names of columns whose options are those that are wrong, without the right one."""
NUMBERS = tuple(map(str, range(26)))
SURE = 3  # columns or texts of one name from which an answer that could be an index is one
_OPTION = re.compile(r"((?:option|choice|opt?)s?[\s_.-]*)?([a-z]|\d+)", re.IGNORECASE)
_LISTING = re.compile(r"\A\s*[\[{]|[^|]\|[^|]|;")
_ANY = re.compile(r"(.+?)(?:[\s_.-]+(?=[a-z]\Z)|[\s_.-]*(?=[A-Z\d]))([A-Za-z]|\d+)")


@dataclass(frozen=True)
class Found:
    """The columns of the options, None where there are none; and others that the answers may name, left open."""

    columns: Named | None = None
    doubtful: tuple[Named, ...] = ()


def columns_of(options: Named | None) -> tuple[str, ...]:
    """Return the columns that hold options."""
    return (options,) if isinstance(options, str) else options or ()


def option_lists(columns: Columns, options: Named) -> list[tuple[str, ...] | None]:
    """Return the options of each row as texts, read as training reads them; none of some, None where they cannot be."""
    rows = [_option_list(columns, options, row) for row in range(len(next(iter(columns.values()))))]
    return [None if isinstance(row, BadRowError) else row for row in rows]


def unread_options(table: Table, options: Named) -> str | None:
    """Return how many rows have options that cannot be read, and why the first; None when all can."""
    rows = [_option_list(table.columns, options, row) for row in range(len(table.places))]
    bad = [f"{place}: {row}" for place, row in zip(table.places, rows, strict=True) if isinstance(row, BadRowError)]
    return f"rows whose options cannot be read: {len(bad)}; the first is {bad[0]}" if bad else None


def _option_list(columns: Columns, options: Named, row: int) -> tuple[str, ...] | BadRowError:
    try:
        value = options_in(lambda column: columns[column][row], options)
        return () if no_options(value) else option_texts(value, ", ".join(columns_of(options)))
    except BadRowError as error:
        return error


def first_number(columns: Columns, options: Named) -> int | None:
    """Return the number that options call their first by in every row that has some; None where there is none."""
    if isinstance(options, tuple) and (start := counted_from(None, options)) is not None:
        return start
    rows = range(len(next(iter(columns.values()))))
    values = [options_in(lambda column, row=row: columns[column][row], options) for row in rows]
    starts = {counted_from(value) for value in values if not no_options(value)}
    return starts.pop() if len(starts) == 1 else None


def is_called_options(options: Named) -> bool:
    """Return whether columns say by their names that they hold options."""
    if isinstance(options, str):
        return bool(words(options) & CALLED)
    return len(options[0]) > 1 and bool(words(options[0]) & STEMS)


def find_options(
    table: Table, left: Columns, answer_of: Callable[[Columns], str | None], counted: bool = False
) -> Found:
    """Return the columns of the options among those that are left.

    Such are those that are called so and can be read in some row; else those of which the answer names one in nearly
    every row, by its text, its letter or its number; else one that is called so, which check will refuse.
    `answer_of` returns the column of the answers among columns; `counted`: questions ask for numbers of things.

    Raises ModomodoError for options that hold the wrong ones alone.
    """
    called = [name for name in left if name.lower().rpartition(".")[2] in OPTIONS]
    called = sorted(called, key=lambda name: ("." in name, OPTIONS.index(name.lower().rpartition(".")[2])))
    like = [name for name in left if name not in called and is_called_options(name) and not words(name) & APART]
    marked = list(_lettered_columns(left, _OPTION))
    for one in (*called, *marked, *like):
        if any(option_lists(left, one)) and answer_of(_without(left, one)) is not None:
            return Found(one)
    families = [one for one in _lettered_columns(left, _ANY) if one not in marked]
    families = [one for one in families if not words(one[0]) & APART]
    for one in families:
        if is_called_options(one) and any(option_lists(left, one)) and answer_of(_without(left, one)) is not None:
            return Found(one)
    lists = [name for name, values in left.items() if _are_lists(values)]
    kinds = {one: _evidence(left, one, answer_of, counted) for one in (*families, *lists)}
    sure = next((one for one, kind in kinds.items() if kind == "sure"), None)
    if sure is not None:
        return Found(sure)
    _refuse_wrong_alone(table, left, answer_of)
    unread = (one for one in called if any(left[one]) and answer_of(_without(left, one)) is not None)
    return Found(next(unread, None), tuple(one for one, kind in kinds.items() if kind == "doubtful"))


def _without(columns: Columns, options: Named) -> Columns:
    out = columns_of(options)
    inside = tuple(f"{name}." for name in out)
    return {name: values for name, values in columns.items() if name not in out and not name.startswith(inside)}


def _lettered_columns(columns: Iterable[str], pattern: re.Pattern[str]) -> Iterator[tuple[str, ...]]:
    """Yield the columns that hold an option each by their names, such as A, B, C or option_1, option_2."""
    families: dict[str, dict[str, str]] = {}
    for name in columns:
        if found := pattern.fullmatch(name):
            families.setdefault((found[1] or "").lower(), {}).setdefault(found[2].lower(), name)
    for start, family in families.items():
        for marks in (ascii_lowercase, NUMBERS, NUMBERS[1:]) if start else (ascii_lowercase,):
            run = tuple(family[mark] for mark in takewhile(family.__contains__, marks))
            if len(run) > 1:
                yield run


def _are_lists(values: Sequence[Any]) -> bool:
    """Return whether a column holds lists or objects of several, which may be options."""
    given = [value for value in values if not is_empty(value) and value not in ([], {})]
    return bool(given) and all(
        isinstance(one, list | Mapping) or (isinstance(one, str) and _LISTING.search(one) is not None) for one in given
    )


def _evidence(left: Columns, options: Named, answer_of: Callable[[Columns], str | None], counted: bool) -> str:
    """Return how sure it is that the answers name one of these options: "sure", "doubtful" or "" for not at all.

    By number it takes texts, and several of them. One that stands at the same place in every row may be the first of
    several accepted answers.
    """
    answer = answer_of(_without(left, options))
    rows = option_lists(left, options) if answer is not None else []
    own = [texts for texts in rows if texts]
    if answer is None or len(own) < FITTING * len(rows) or any(len(set(texts)) < len(texts) for texts in own):
        return ""
    pairs = [
        (_gold(value), texts) for value, texts in zip(left[answer], rows, strict=True) if texts and not is_empty(value)
    ]
    fitting = option_kinds(pairs)
    if not pairs or not fitting or max(fitting.values()) < FITTING * len(pairs):
        return ""
    if fitting["text"] == max(fitting.values()):
        places = {texts.index(str(value)) if str(value) in texts else -1 for value, texts in pairs}
        return "sure" if len(places) > 1 else "doubtful"
    worded = all(re.search(r"[^\W\d_]", text) for texts in own for text in texts)
    if not worded:
        return ""
    several = min(map(len, own)) >= SURE and len({str(value) for value, _ in pairs}) > 1
    return "sure" if several and not counted else "doubtful"


def _gold(value: Any) -> Any:
    try:
        return gold_in(value)
    except BadRowError:
        return None


def _refuse_wrong_alone(table: Table, left: Columns, answer_of: Callable[[Columns], str | None]) -> None:
    """Raise ModomodoError for a column that holds the wrong options alone, as it says by its name."""
    names = [name for name, values in left.items() if words(name) & APART and _hold_texts(values)]
    if not names or answer_of(left) in names:
        return
    shown = ", ".join(map(repr, names))
    raise ModomodoError(
        f"{table.path}: {shown} {'is' if len(names) == 1 else 'are'} by name the options that are wrong, without the "
        'right one, so nobody would see them: write a column "options" with all in each row, the right one anywhere, '
        "or leave the wrong ones out"
    )


def _hold_texts(values: Sequence[Any]) -> bool:
    given = [value for value in values if not is_empty(value)]
    return bool(given) and all(isinstance(one, str | list | Mapping) for one in given)
