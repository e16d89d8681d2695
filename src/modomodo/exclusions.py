"""Rows left out of training: what an audit found (Match), written as a CSV that a recipe can name, and read back."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from modomodo.errors import ModomodoError
from modomodo.files import write_text

COLUMNS = ("domain", "row_id", "reason")


@dataclass(frozen=True)
class Match:
    """A training row that also stands in a benchmark, and there the item most like it.

    `picture` is the distance of the closest two perceptual hashes, 0 to 256 bits, None where the pictures did not
    decide; `text` the share of word 13-grams in common, in [0, 1].
    """

    domain: str
    row_id: str
    benchmark: str
    item_id: str
    picture: int | None
    text: float
    decided_by: Literal["picture", "picture and text", "text"]

    @property
    def reason(self) -> str:
        """What was found, in one clause."""
        bits = "" if self.picture is None else f"{self.picture} of 256 bits apart, "
        where = f"stands in {self.benchmark} as {self.item_id}"
        return f"{where}, by {self.decided_by} ({bits}{self.text:.0%} of the text)"


def write_exclusions(matches: Iterable[Match], path: Path) -> None:
    """Write a CSV with the columns domain, row_id and reason, a line a match.

    Raises ModomodoError when the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((match.domain, match.row_id, match.reason) for match in matches)
    write_text(path, text.getvalue())


def read_exclusions(path: Path) -> dict[str, frozenset[str]]:
    """Return domain -> ids of the rows to leave out, from a CSV with the columns domain and row_id; others are ignored.

    Raises ModomodoError, with the file and the line, when it is missing, is no such table, or a cell is empty.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ModomodoError(f"cannot read the exclusions {path}: {error}; name a CSV that an audit wrote") from error
    found: dict[str, set[str]] = {}
    try:
        for domain, row_id in _entries(text, path):
            found.setdefault(domain, set()).add(row_id)
    except csv.Error as error:
        raise ModomodoError(f"{path} is no CSV: {error}; write it again with the audit") from error
    return {domain: frozenset(ids) for domain, ids in found.items()}


def _entries(text: str, path: Path) -> Iterator[tuple[str, str]]:
    lines = csv.reader(io.StringIO(text, newline=""))
    header = next(lines, list[str]())
    missing = [name for name in COLUMNS[:2] if name not in header]
    if missing:
        raise ModomodoError(
            f"{path}, line 1: the column {missing[0]!r} is missing; the first line must be {','.join(COLUMNS)}"
        )
    at_domain, at_row = header.index("domain"), header.index("row_id")
    for cells in lines:
        if not cells:
            continue
        if len(cells) != len(header):
            what = f"{len(cells)} cells, not {len(header)}: quote a cell that holds a comma"
            raise ModomodoError(f"{path}, line {lines.line_num}: {what}")
        for name, cell in (("domain", cells[at_domain]), ("row_id", cells[at_row])):
            if not cell.strip():
                raise ModomodoError(f"{path}, line {lines.line_num}: {name} is empty; fill it or delete the line")
        yield cells[at_domain], cells[at_row]
