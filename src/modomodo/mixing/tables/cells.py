"""Numbers in cells, as people and spreadsheets write them; and texts that no spreadsheet takes for a formula."""

import math
import re
from collections.abc import Iterable
from typing import Literal

from modomodo.core.errors import ModomodoError

MISSING = frozenset(
    {"", "nan", "na", "n/a", "n.a.", "<na>", "null", "nil", "none", "missing", "-", "--", "\N{EN DASH}", "\N{EM DASH}"}
    | {"#n/a", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"}
)
"""How a cell says in small letters that there is no number: by people, by pandas, by a formula that failed."""
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")  # 1,683 or 1,683.5
_COMMA = re.compile(r"[+-]?\d*,\d+")  # 0,5
_DOTTED = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?")  # 1.683,5, where commas are decimal
_SPACED = re.compile(r"[+-]?\d{1,3}(?:[ '\N{RIGHT SINGLE QUOTATION MARK}]\d{3})+(?:[.,]\d*)?")  # 1 683 or 1'683
_POINT = re.compile(r"[+-]?\d*\.\d+(?:e[+-]?\d+)?")


def is_missing(cell: str) -> bool:
    """Return whether a cell says that there is no number."""
    return cell.lower() in MISSING


def is_percent(cell: str) -> bool:
    """Return whether a cell bears a % sign."""
    return cell.endswith("%")


def to_number(cell: str, *, decimal_comma: bool = False) -> float:
    """Return the number in a cell: 0.612 of 61.2 %, 1683 of 1,683.

    With `decimal_comma`, commas are decimal and points stand between thousands. Raises ValueError for anything else.
    """
    text = cell.replace("\N{MINUS SIGN}", "-").removesuffix("%").rstrip()
    if _SPACED.fullmatch(text):
        text = re.sub(r"[ '\N{RIGHT SINGLE QUOTATION MARK}]", "", text)
    if decimal_comma:
        if "." in text and not _DOTTED.fullmatch(text):
            raise ValueError(cell)
        text = text.replace(".", "").replace(",", ".")
    elif _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    value = float(text)
    if math.isnan(value):
        raise ValueError(cell)
    return value / 100 if is_percent(cell) else value


def is_number(cell: str) -> bool:
    """Return whether a cell holds a number, whatever its commas mean."""
    for decimal_comma in (False, True):
        try:
            to_number(cell, decimal_comma=decimal_comma)
        except ValueError:
            continue
        return True
    return False


def decimal_commas(cells: Iterable[tuple[str, str]]) -> bool:
    """Return whether commas in the numbers of a file are decimal; `cells` are pairs of place and cell.

    Raises:
        ModomodoError: where points are decimal elsewhere in the file, and where 1,683 can be either.
    """
    first: dict[str, str] = {}
    for place, cell in cells:
        first.setdefault(_notation(cell.removesuffix("%").rstrip().lower()), f"{place}: {cell!r}")
    if "comma" in first and "point" in first:
        raise ModomodoError(f"{first['comma']} has a decimal comma, and {first['point']} a decimal point: write points")
    if "either" in first and not {"comma", "point"} & set(first):
        raise ModomodoError(f"{first['either']} can be read in two ways: write 1683, or 1.683, without a comma")
    return "comma" in first


def _notation(text: str) -> Literal["comma", "point", "either", "plain"]:
    """Return which sign of a number is decimal for sure, or that a comma may be."""
    if _GROUPED.fullmatch(text):
        return "point" if "." in text else "either"
    if _COMMA.fullmatch(text) or ("," in text and _DOTTED.fullmatch(text)):
        return "comma"
    return "point" if _POINT.fullmatch(text) and not _DOTTED.fullmatch(text) else "plain"
