"""Which column of a table of runs is what: shares of domains, scores of benchmarks, names of runs."""

import json
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path

from modomodo.core.errors import ModomodoError, closest
from modomodo.mixing.scales import says_lower
from modomodo.mixing.tables.cells import is_missing, is_number, to_number
from modomodo.mixing.tables.sheet import Sheet

KINDS = ("w", "score", "se", "n")
LABELS = (
    *("label", "name", "run_name", "run name", "run", "run_id", "run id", "experiment", "id", "index"),
    *("unnamed: 0", ""),
)
"""Columns that name a run, the best first, in small letters; the last two are what pandas makes of its index."""
KEYS = ("seed", "steps")
STATES = ("state", "status")
LOGGED = (
    *("runtime", "step", "epoch", "created", "updated", "timestamp", "user", "tags", "notes", "sweep", "group"),
    *("job type", "host", "hostname", "commit", "start time", "end time", "date", "duration"),
)
"""What trackers write beside scores, in small letters, and every name that begins with an underscore."""
RESERVED = frozenset({*LABELS, *KEYS, *STATES, *LOGGED})
EXTREMES = ("__min", "__max")
SHOWN = 12  # columns that a message names


def columns_of(header: Sequence[str], kind: str, patterns: Sequence[str], *, where: Path) -> dict[str, str]:
    """Return name -> column of the domains (kind "w") or benchmarks ("score") of a header.

    They are what the `patterns` match, or what begins with the kind and a point. A pattern is a column, or has one or
    more *; what the * stands for is the name, else what follows the last point or slash that all columns share.

    Raises:
        ModomodoError: for a pattern that nothing matches, and two columns of one name.
    """
    if not patterns:
        prefix = f"{kind}."
        return {name.removeprefix(prefix): name for name in header if name.startswith(prefix) and name != prefix}
    names: dict[str, str] = {}
    for pattern in patterns:
        matched = (name for name in header if name.lower() not in RESERVED and not is_extreme(name))
        found = [pattern] if pattern in header else [name for name in matched if fnmatchcase(name, pattern)]
        if not found:
            raise ModomodoError(f"{where} line 1 has no column {pattern!r}; {closest(pattern, filter(None, header))}")
        names |= {column: _star(pattern, column) for column in found}
    if list(names) == list(names.values()):
        names = dict(zip(names, without_prefix(list(names)), strict=True))
    for name in names.values():
        double = [column for column, other in names.items() if other == name]
        if len(double) > 1:
            raise ModomodoError(f"{where} line 1: {' and '.join(double)} would both be called {name}: rename one")
    return {name: column for column, name in names.items()}


def _star(pattern: str, column: str) -> str:
    before, star, after = pattern.partition("*")
    if column == pattern or not star or set(before + after) & set("*?["):
        return column
    return column[len(before) : len(column) - len(after)] or column


def without_prefix(columns: Sequence[str]) -> list[str]:
    """Return names of columns without what all share, up to its last point or slash.

    What says that lower is better (loss/arxiv, loss/books) stays.
    """
    shared = re.sub(r"[^./]*$", "", _shared(columns))
    if says_lower(shared):
        return list(columns)
    return [name.removeprefix(shared) or name for name in columns]


def _shared(columns: Sequence[str]) -> str:
    """Return what all names begin with."""
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*columns, strict=False))
    return "".join(letters[0] for letters in alike)


def lower_note(sheet: Sheet, scores: Mapping[str, str]) -> list[str]:
    """Return a note on benchmarks whose columns say that lower is better, where their names no longer do."""
    found = {name: column for name, column in scores.items() if says_lower(column) and not says_lower(name)}
    if not found:
        return []
    first = next(iter(found.values()))
    return [
        f"{sheet.path}: by their columns, such as {first}, lower scores are better for {', '.join(found)}: is "
        "direction set so (--set direction=lower)?"
    ]


def is_extreme(name: str) -> bool:
    """Return whether a column is a running minimum or maximum, as W&B exports them beside the last value."""
    return name.lower().endswith(EXTREMES)


def column_called(header: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the first of the names that a column bears, as the header writes it; small letters mean any."""
    written = {name.lower(): name for name in reversed(header)}
    return next((written[name] for name in names if name in written), None)


def label_column(sheet: Sheet, taken: Sequence[str] = ()) -> str | None:
    """Return the column that names the runs, None where there is none."""
    return column_called([name for name in sheet.header if name not in taken], LABELS)


def bare_columns(sheet: Sheet) -> list[str]:
    """Return the columns of numbers that have no known use of their own: shares or scores without a prefix."""
    found = [name for name in sheet.header if name.lower() not in RESERVED and not name.startswith("_")]
    return [name for name in found if not is_extreme(name) and _numeric(sheet.column(name))]


def _numeric(cells: Sequence[str]) -> bool:
    """Return whether more than half of what cells hold are numbers: the others are mistakes, to be refused."""
    given = [cell for cell in cells if not is_missing(cell)]
    return sum(map(is_number, given)) > len(given) / 2


def shares_in(columns: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the neighbouring columns of numbers that sum to 1, or to 100, in every row; none where none do.

    Of several such blocks it is the widest. Two rows are needed, which differ.
    """
    names = list(columns)
    values = [_values(columns[name]) for name in names]
    best: tuple[str, ...] = ()
    for start in range(len(names)):
        sums: list[float] | None = None
        for end in range(start, len(names)):
            column = values[end]
            if column is None:
                break
            sums = column if sums is None else [a + b for a, b in zip(sums, column, strict=True)]
            if end - start + 1 > max(1, len(best)) and _all_one(sums):
                best = tuple(names[start : end + 1])
    return best if len(set(zip(*(columns[name] for name in best), strict=True))) > 1 else ()


def _values(cells: Sequence[str]) -> list[float] | None:
    """Return the shares in a column, None where some cell is none; a missing one is 0, as trackers leave it empty."""
    if not all(is_missing(cell) or is_number(cell) for cell in cells):
        return None
    comma = any("," in cell for cell in cells)
    values = [0.0 if is_missing(cell) else to_number(cell, decimal_comma=comma) for cell in cells]
    return values if all(0 <= value <= 100 for value in values) else None


def _all_one(sums: Sequence[float]) -> bool:
    return bool(sums) and any(all(abs(one / whole - 1) <= 0.0101 for one in sums) for whole in (1, 100))


def guessed(sheet: Sheet) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns that look like shares, and those that look like scores, by their prefixes or their numbers."""
    prefixed = [tuple(columns_of(sheet.header, kind, (), where=sheet.path).values()) for kind in KINDS[:2]]
    bare = bare_columns(sheet)
    weights = prefixed[0] or shares_in({name: sheet.column(name) for name in bare})
    others = tuple(name for name in bare if name not in weights and name.partition(".")[0] not in KINDS)
    return weights, prefixed[1] or others


def settings(sheet: Sheet, *, kinds: Sequence[str] = ("weights", "scores")) -> list[str]:
    """Return what to set so that the guessed columns are read, such as weights=["mixture.*"]; nothing for prefixed."""
    found: list[str] = []
    for kind, prefix, columns in zip(("weights", "scores"), KINDS, guessed(sheet), strict=False):
        if kind in kinds and columns and not columns[0].startswith(f"{prefix}."):
            found.append(f"{kind}={json.dumps(_patterns(columns, sheet.header), ensure_ascii=False)}")
    return found


def _patterns(columns: Sequence[str], header: Sequence[str]) -> list[str]:
    """Return one pattern with a * that these columns alone match, where there is one, else the columns."""
    shared = re.sub(r"[^./_]*$", "", _shared(columns))
    matched = [name for name in header if shared and name.startswith(shared) and not is_extreme(name)]
    return [f"{shared}*"] if len(columns) > 1 and matched == list(columns) else list(columns)


def unread_note(sheet: Sheet, used: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return a note on the columns that are not read; those that may be one of the `known` misspelt come first."""
    hints = {name: _hint(name, known) for name in sheet.header if name not in used}
    unread = sorted(hints, key=lambda name: not hints[name])
    shown = [f"{name or '(no name)'}{hints[name]}" for name in unread[:SHOWN]]
    more = f" and {len(unread) - SHOWN} more" if len(unread) > SHOWN else ""
    return [f"{sheet.path}: columns not read: {', '.join(shown)}{more}"] if unread else []


def _hint(name: str, known: Sequence[str]) -> str:
    """Return the column that was probably meant, in brackets."""
    rest = name.partition(".")[2]
    near = closest(name, {*known, *((f"{kind}.{rest}" for kind in KINDS[:2]) if rest else ())})
    return f" ({near})" if near.startswith("did you mean") else ""
