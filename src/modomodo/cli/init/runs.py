"""A table of runs that was given where rows are wanted: what it is, and what to type instead."""

import re
import shlex
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modomodo.core.errors import ModomodoError

if TYPE_CHECKING:
    from modomodo.mixing.tables.sheet import Sheet

FEWEST = 3  # rows of numbers in which a coincidence is none
MOST = 1_000  # rows that are looked at
RUNS = frozenset({"run", "run_id", "run id", "run_name", "run name", "experiment"})
_SCORE = re.compile(r"loss|metric|score|acc(uracy)?\b|eval", re.IGNORECASE)


def refuse_runs(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Raise ModomodoError for a table of runs, their mixtures or scores or both, with what to type for it.

    `columns` are name -> a value for each row. Columns w.<domain> and score.<benchmark> tell it; else numbers that sum
    to 1 in every row, or the scores of runs, without a text beside them.
    """
    from modomodo.mixing.tables.columns import guessed, settings
    from modomodo.mixing.tables.sheet import ENDINGS, Sheet

    header = tuple(columns)
    first = islice(zip(*columns.values(), strict=True), MOST)
    rows = tuple(tuple("" if cell is None else str(cell) for cell in row) for row in first)
    sheet = Sheet(path, header, rows, tuple(range(2, len(rows) + 2)))
    weights, scores = guessed(sheet)
    if not _prefixed(header) and (
        len(rows) < FEWEST or _has_texts(sheet) or not (weights or _are_scores(sheet, scores))
    ):
        return
    seen = " and ".join(repr(part[0]) for part in (weights, scores) if part)
    what = (
        f"{path} is a table of runs (columns {seen}), and init reads rows to train on. The best mixture of the runs: "
    )
    file = shlex.quote(str(path if path.suffix.lower() in ENDINGS else path.with_suffix(".csv")))
    if path.suffix.lower() not in ENDINGS:
        what += "save it as CSV, then "
    files = f"{file} SCORES.csv" if not scores else f"MIXTURES.csv {file}" if not weights else file
    sets = "".join(f" --set {shlex.quote(one)}" for one in settings(sheet)) if weights and scores else ""
    raise ModomodoError(f"{what}modomodo recommend {files}{sets}")


def _prefixed(header: Sequence[str]) -> bool:
    return all(any(name.startswith(kind) for name in header) for kind in ("w.", "score."))


def _has_texts(sheet: "Sheet") -> bool:
    """Return whether a column holds texts that are no names of runs, nor what trackers write beside their states."""
    from modomodo.mixing.tables.columns import RESERVED, STATES, bare_columns, column_called, is_extreme, label_column

    if column_called(sheet.header, STATES) is not None and label_column(sheet) is not None:
        return False
    numbers = bare_columns(sheet)
    others = (
        name for name in sheet.header if name not in numbers and not is_extreme(name) and not name.startswith("_")
    )
    return any(name.lower() not in RESERVED and any(sheet.column(name)) for name in others)


def _are_scores(sheet: "Sheet", scores: Sequence[str]) -> bool:
    named = any(name.lower() in RUNS for name in sheet.header)
    return len(scores) > 1 and (named or all(map(_SCORE.search, scores)))
