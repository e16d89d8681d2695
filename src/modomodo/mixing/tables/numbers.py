"""Columns of a sheet as arrays: numbers, whole numbers, shares.

Axes: N runs, D domains.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import SUM_TOLERANCE
from modomodo.mixing.surrogates.base import Array
from modomodo.mixing.tables.cells import decimal_commas, is_missing, is_percent, to_number
from modomodo.mixing.tables.sheet import Sheet

LARGEST = 1e100  # squares of larger numbers overflow
ROUNDING = 0.01
EXACT = 1e-9  # closer to 1, a sum is left alone, so that a table that was written comes back as it was


def with_notation(sheet: Sheet, columns: Sequence[str]) -> Sheet:
    """Return the sheet with what commas in these columns mean."""
    cells = ((f"{sheet.place(row)}: {name}", cell) for name in columns for row, cell in enumerate(sheet.column(name)))
    return replace(sheet, comma=decimal_commas(cells))


def numbers(sheet: Sheet, columns: Sequence[str], *, low: float = -LARGEST, required: bool = False) -> Array:
    """Return the cells of `columns`, shape [N, columns]; a missing cell or column is NaN, or refused if `required`.

    Raises ModomodoError, with the line, for what is no number at least `low`.
    """
    numbers = np.full((len(sheet.rows), len(columns)), np.nan)
    for index, column in enumerate(columns):
        for row, cell in enumerate(sheet.column(column) if column in sheet.header else ()):
            where = f"{sheet.place(row)}: {column}"
            if not is_missing(cell):
                numbers[row, index] = _number(cell, where, low=low, comma=sheet.comma)
            elif required:
                raise ModomodoError(f"{where} is {cell!r}; write 0 for an unused domain")
    return numbers


def _number(cell: str, where: str, *, low: float, comma: bool) -> float:
    try:
        value = to_number(cell, decimal_comma=comma)
    except ValueError:
        raise ModomodoError(f"{where} is {cell!r}, not a number: {_remedy(cell)}") from None
    if not low <= value <= LARGEST:
        between = f"between {max(low, -LARGEST):g} and {LARGEST:g}"
        raise ModomodoError(f"{where} is {cell}; it must lie {between}: correct it, or leave it empty")
    return value


def _remedy(cell: str) -> str:
    if cell.startswith("="):
        return "export the values of formulas"
    if re.search("±|\\+/-|\\+-", cell):
        return "the standard error of a score stands in a column se.<benchmark>"
    return "write digits, with a decimal point and no unit"


def check_percent(sheet: Sheet, columns: Sequence[str]) -> None:
    """Raise ModomodoError for a column in which some numbers bear a % sign and others none."""
    for column in columns:
        cells = [(row, cell) for row, cell in enumerate(sheet.column(column)) if not is_missing(cell)]
        signed = [(row, cell) for row, cell in cells if is_percent(cell)]
        if signed and len(signed) < len(cells):
            row, cell = signed[0] if len(signed) <= len(cells) / 2 else next(one for one in cells if one not in signed)
            raise ModomodoError(
                f"{sheet.place(row)}: {column} is {cell!r}, in a column with % signs on {len(signed)} of {len(cells)} "
                "numbers: write all of them alike, with a decimal point and no unit"
            )


def integers(sheet: Sheet, column: str | None) -> tuple[int | None, ...]:
    """Return the whole numbers of a column, None where one is missing, or the column."""
    if column is None:
        return (None,) * len(sheet.rows)
    values = numbers(sheet, [column])[:, 0]
    for row, value in enumerate(values):
        if not math.isnan(value) and value != int(value):
            raise ModomodoError(f"{sheet.place(row)}: {column} is {value:g}, not a whole number")
    # float() would round seeds beyond 2**53, so whole numbers are read as such.
    return tuple(
        None if math.isnan(value) else int(text) if text.lstrip("+-").isdecimal() else int(value)
        for value, text in zip(values, sheet.column(column), strict=True)
    )


def on_simplex(sheet: Sheet, columns: Sequence[str], weights_ND: Array) -> tuple[Array, list[str]]:
    """Return the weights in `columns` divided by their sums, and notes.

    Sums may be 1 or, in every run, 100, both within 1 %; or the weights are whole numbers, as counts of rows are.

    Raises:
        ModomodoError: with the lines, for other sums, and for negative weights.
    """
    negative_N = np.any(weights_ND < 0, axis=1)
    if negative_N.any():
        raise ModomodoError(f"{sheet.path}: negative weights on {_lines(sheet, negative_N)}")
    sums_N = weights_ND.sum(axis=1)
    _refuse_total(sheet, columns, weights_ND)
    whole, note = 1.0, ""
    if (np.abs(sums_N / 100 - 1) <= ROUNDING + 1e-9).all():
        whole, note = 100.0, f"{sheet.path}: weights sum to 100, so they are read as percent"
    elif (sums_N >= 2).all() and (weights_ND == np.round(weights_ND)).all():
        note = (
            f"{sheet.path}: weights are whole numbers that sum to {_range(sums_N)}, so they are read as counts, each "
            "divided by the sum of its run"
        )
        return weights_ND / sums_N[:, None], [note]
    off_N = np.abs(sums_N / whole - 1)
    far_N = off_N > ROUNDING + 1e-9
    if far_N.any():
        raise ModomodoError(
            f"{sheet.path}: weights sum to {sums_N[far_N][0]:.6g} on {_lines(sheet, far_N)}; they must sum to 1 "
            f"(within {ROUNDING}): leave out a run without training, divide percentages by 100, counts by their sum"
        )
    notes = [note] if note else []
    near = off_N > SUM_TOLERANCE
    if near.any():
        notes.append(
            f"{sheet.path}: the weights of {int(near.sum())} of {len(near)} runs sum to {whole:g} only within "
            f"{whole * off_N.max():.2g}; each was divided by its sum"
        )
    return np.where(off_N[:, None] > EXACT, weights_ND / sums_N[:, None], weights_ND / whole), notes


def _refuse_total(sheet: Sheet, columns: Sequence[str], weights_ND: Array) -> None:
    """Raise ModomodoError where one column is the sum of the others in every run, and they alone are shares."""
    sums_N1 = weights_ND.sum(axis=1, keepdims=True)
    total_D = np.all((np.abs(2 * weights_ND - sums_N1) <= 1e-6 * sums_N1) & (sums_N1 > 0), axis=0)
    if len(columns) > 2 and total_D.any() and not np.allclose(sums_N1, 1):
        raise ModomodoError(
            f"{sheet.path}: {columns[int(np.argmax(total_D))]} is the sum of the other weights in every run, so it is "
            "no domain: leave it out"
        )


def _range(values_N: Array) -> str:
    low, high = values_N.min(), values_N.max()
    return f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}"


def _lines(sheet: Sheet, chosen_N: npt.NDArray[np.bool_]) -> str:
    lines = [sheet.numbers[int(row)] for row in np.flatnonzero(chosen_N)]
    shown = ", ".join(str(number) for number in lines[:8])
    more = f" and {len(lines) - 8} more" if len(lines) > 8 else ""
    return f"line{'s' if len(lines) > 1 else ''} {shown}{more}"
