"""Mixtures and scores in two files: which is which, and which lines are of one run."""

from collections.abc import Sequence
from dataclasses import dataclass

from modomodo.core.errors import ModomodoError, count
from modomodo.core.files import from_csv_cell
from modomodo.mixing.tables.columns import LABELS, bare_columns, columns_of, label_column, shares_in
from modomodo.mixing.tables.sheet import Sheet

SHOWN = 8


@dataclass(frozen=True)
class Joined:
    """Two sheets whose rows are the same runs in the same order (or twice one sheet), and what the runs are called."""

    mixtures: Sheet
    metrics: Sheet
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """The sheets, each once."""
        return (self.mixtures,) if self.mixtures is self.metrics else (self.mixtures, self.metrics)


def alone(sheet: Sheet, *, taken: Sequence[str]) -> Joined:
    """Return a sheet that holds both; columns that are `taken` name no runs."""
    column = label_column(sheet, taken)
    cells = sheet.column(column) if column is not None else ("",) * len(sheet.rows)
    labels = (from_csv_cell(cell) or f"line {number}" for cell, number in zip(cells, sheet.numbers, strict=True))
    return Joined(sheet, sheet, tuple(labels))


def joined(first: Sheet, second: Sheet, *, weights: Sequence[str]) -> Joined:
    """Return the runs that stand in both sheets, by the column that names them; the order of the files does not matter.

    Raises:
        ModomodoError: where no column names the runs in both, a name stands twice, or no name stands in both.
    """
    if _has_mixtures(second, weights) and not _has_mixtures(first, weights):
        first, second = second, first
    key = _key(first, second)
    mine, other = _rows(first, key), _rows(second, key)
    common = [name for name in mine if name in other]
    if not common:
        raise ModomodoError(
            f"{first.path} and {second.path} have no run in common: by {key!r} the first has "
            f"{_listed(list(mine), most=3)}, the second {_listed(list(other), most=3)}: give both files the same names"
        )
    _refuse_shifted(first, second, key, names=(list(mine), list(other)))
    notes = [
        f"{here.path}: left out {count(len(lost), 'run')} that {there.path} lacks, by {key!r}: {_listed(lost)}"
        for here, there, names in ((first, second, mine), (second, first, other))
        if (lost := [name for name in names if name not in common])
    ]
    sheets = (first.with_rows([mine[name] for name in common]), second.with_rows([other[name] for name in common]))
    return Joined(*sheets, labels=tuple(map(from_csv_cell, common)), notes=tuple(notes))


def _has_mixtures(sheet: Sheet, weights: Sequence[str]) -> bool:
    """Return whether a sheet has columns of shares: prefixed, named by the user, or bare ones that sum to 1."""
    if weights:
        try:
            return bool(columns_of(sheet.header, "w", weights, where=sheet.path))
        except ModomodoError:
            return False  # they stand in the other file, or `columns_of` says so when it is read
    if columns_of(sheet.header, "w", (), where=sheet.path):
        return True
    bare = bare_columns(sheet)
    return bool(bare) and set(shares_in({name: sheet.column(name) for name in bare})) == set(bare)


def _key(first: Sheet, second: Sheet) -> str:
    """Return the column that names the runs in both sheets."""
    for name in LABELS:
        column = next((one for one in first.header if one.lower() == name), None)
        if column is not None and column in second.header:
            return column
    raise ModomodoError(
        f"{first.path} and {second.path} have no column in common that names the runs: add a column run to both, with "
        f"the same names (columns: {', '.join(first.header[:4])}, ... and {', '.join(second.header[:4])}, ...)"
    )


def _rows(sheet: Sheet, key: str) -> dict[str, int]:
    """Return name -> row."""
    found: dict[str, int] = {}
    for row, cell in enumerate(sheet.column(key)):
        name = cell.removesuffix(".0") if cell.removesuffix(".0").isdecimal() else cell  # as pandas writes an index
        if name == "":
            raise ModomodoError(f"{sheet.place(row)}: {key!r} is empty: name the run, as in the other file")
        if name in found:
            raise ModomodoError(
                f"{sheet.path}: the run {name} stands on lines {sheet.numbers[found[name]]} and {sheet.numbers[row]}: "
                "lines of two files are joined by it, so make the names unique"
            )
        found[name] = row
    return found


def _refuse_shifted(first: Sheet, second: Sheet, key: str, *, names: tuple[list[str], list[str]]) -> None:
    """Raise ModomodoError where both files number their runs without a gap, but not from the same number.

    Nearly all numbers are common then, and each means another run in the other file.
    """
    starts = tuple(map(_start, names))
    if None not in starts and starts[0] != starts[1]:
        raise ModomodoError(
            f"{first.path} and {second.path} count their runs from {starts[0]} and from {starts[1]} in {key!r}, so "
            "that one number may mean two runs: count from the same number in both, or name the runs"
        )


def _start(names: list[str]) -> int | None:
    """Return from where runs are numbered, None where they are not, or with gaps."""
    numbers = sorted(int(name) for name in names if name.isdecimal())
    whole = len(numbers) == len(names) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return numbers[0] if whole else None


def _listed(names: Sequence[str], *, most: int = SHOWN) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
