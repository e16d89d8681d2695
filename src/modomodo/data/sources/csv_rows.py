"""CSV files of rows, with , or ; or tabs between columns: what could be read in two ways is refused."""

import csv
import re
from pathlib import Path
from typing import Any

from modomodo.core.errors import ModomodoError
from modomodo.core.files import is_separator_line, separator

MAX_CELL = 150_000_000
"""Letters of a cell: those of the largest image in base64."""

WHOLE = 64  # letters from which a cell is an image in base64, and no index


class CommaNumber(str):
    """A cell such as 1,250 of a CSV file with another separator than a comma: a decimal point, or thousands."""


def csv_rows(file: Path) -> tuple[list[tuple[str, dict[str, Any]]], list[str]]:
    """Return where each row of a CSV file is, and its columns; and what is wrong with the others.

    Lines without text are none. Raises ModomodoError for quotes that do not close and two columns of one name.
    """
    csv.field_size_limit(MAX_CELL)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        found: list[tuple[int, list[str]]] = []
        try:
            mark = separator(lines)
            for row in (reader := csv.reader(lines, delimiter=mark, strict=True)):
                if any(map(str.strip, row)):
                    found.append((reader.line_num, row))
        except csv.Error as error:
            where = f"after line {found[-1][0]}" if found else "in the first lines"
            raise ModomodoError(f"{file}, {where}: {error}: mend the quotes there") from error
    if found and is_separator_line(mark.join(found[0][1])):
        del found[0]
    if not found:
        return [], []
    header = found[0][1]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise ModomodoError(f"{file} has two columns {', '.join(map(repr, twice))}: rename or drop one")
    broken = [reason for number, row in found[1:] if (reason := _broken(number, row, header, mark))]
    cell = str if mark == "," else _cell
    rows = [(f"line {number}", dict(zip(header, map(cell, row), strict=False))) for number, row in found[1:]]
    _share_images([row for _, row in rows])
    return rows, broken


def _share_images(rows: list[dict[str, Any]]) -> None:
    """Fill in images that stand in another row alone, as VLMEvalKit writes them: the cell holds that row's index."""
    images = {row.get("index"): row.get("image") or "" for row in rows}
    for row in rows:
        other = images.get(row.get("image"))
        if other is not None and len(other) >= WHOLE:
            row["image"] = other


def _broken(number: int, row: list[str], header: list[str], mark: str) -> str | None:
    """Return why a row of a CSV file cannot be told apart into columns."""
    if len(row) < len(header) or any(row[len(header) :]):
        what = f"{len(row)} cells, the header {len(header)}: {mark.join(row)!r:.80}"
        return f"line {number} has {what}; put texts with {mark!r} in quotes, and leave empty cells empty, not out"
    merged = [cell for cell in row if mark == "\t" and mark in cell and "\n" in cell]
    if merged:
        return f"line {number} ends a cell with line breaks and tabs, {merged[0]!r:.80}: double or drop the stray quote"
    return None


def _cell(text: str) -> str:
    return CommaNumber(text) if re.fullmatch(r"\s*-?\d+,\d+\s*", text) else text
