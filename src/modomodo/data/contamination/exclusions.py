"""Rows left out of training: what an audit found (Match), written as a CSV that a recipe can name, and read back."""

import csv
import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from modomodo.core.errors import ModomodoError
from modomodo.core.files import csv_cell, from_csv_cell, write_text

if TYPE_CHECKING:
    from modomodo.core.rows import Row

COLUMNS = ("domain", "row_id", "reason")
NAMED = 3
"""Of the lines with one fault so many are named."""


@dataclass(frozen=True)
class Match:
    """A training row that is also in a benchmark, and there the item most like it.

    `picture` is the distance of the closest two perceptual hashes, 0 to 256 bits, None where the images did not
    decide; `text` the share of word 13-grams in common, in [0, 1].
    """

    domain: str
    row_id: str
    benchmark: str
    item_id: str
    picture: int | None
    text: float
    decided_by: Literal["image", "image and text", "text"]

    @property
    def reason(self) -> str:
        """What was found, in one clause."""
        bits = "" if self.picture is None else f"{self.picture} of 256 bits apart, "
        where = f"is in {self.benchmark} as {self.item_id}"
        return f"{where}, by {self.decided_by} ({bits}{self.text:.0%} of the text)"


@dataclass(frozen=True)
class _Entry:
    """A line of the list: where it ends in the file, the row, and the digest of its content, "" for none."""

    line: int
    domain: str
    row_id: str
    content: str


def content_of(row: "Row") -> str:
    """Return a hash (16 hex digits) of what a row asks: its question and the files of its images."""
    from modomodo.core.rows import picture_bytes

    pictures = [hashlib.sha256(picture_bytes(image)).hexdigest() for image in row.images]
    return hashlib.sha256(json.dumps([row.question, pictures]).encode()).hexdigest()[:16]


def contents_of(matches: Iterable[Match], training: "Mapping[str, Sequence[Row]]") -> dict[tuple[str, str], str]:
    """Return (domain, row id) -> `content_of` the training rows, by domain, that match."""
    wanted = {(match.domain, match.row_id) for match in matches}
    every = (((domain, row.id), row) for domain, rows in training.items() for row in rows)
    return {key: content_of(row) for key, row in every if key in wanted}


def check_writable(path: Path) -> None:
    """Raise ModomodoError when no list can be written there, so that an audit need not run first to find out."""
    if path.name == "" or (path.exists() and not path.is_file()):
        raise ModomodoError(f"cannot write {str(path)!r}: it is no regular file; name another")
    if path.exists():
        raise ModomodoError(f"{path} exists, and may have been edited by hand: name another file, or delete it")
    # The file is written beside the old one and takes its place, so its folder alone matters.
    folder = next(parent for parent in path.resolve().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ModomodoError(f"cannot write {path}: {folder} is no folder to write in; name another")


def write_exclusions(
    matches: Iterable[Match], path: Path, contents: Mapping[tuple[str, str], str] | None = None
) -> None:
    """Write a CSV with the columns domain, row_id and reason, a line a match.

    With `contents`, (domain, row id) -> `content_of` the row, a column content follows: rows whose ids are numbers and
    have shifted since are noticed by it (`problems`).

    Raises ModomodoError when the file cannot be written.
    """
    text = io.StringIO()
    plain, quoted = (
        csv.writer(text, lineterminator="\n", quoting=quoting) for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
    )
    plain.writerow(COLUMNS if contents is None else (*COLUMNS, "content"))
    for match in matches:
        cells = [csv_cell(cell) for cell in (match.domain, match.row_id, match.reason)]
        cells += [] if contents is None else [contents.get((match.domain, match.row_id), "")]
        # Until Python 3.13 the writer leaves a carriage return bare, and the reader ends the line there.
        (quoted if any("\r" in cell for cell in cells) else plain).writerow(cells)
    write_text(path, text.getvalue())


def read_exclusions(path: Path) -> dict[str, frozenset[str]]:
    """Return domain -> ids of the rows to leave out, from a CSV with the columns domain and row_id; others are ignored.

    Raises ModomodoError, with the file and the line, when it is missing, is no such table, or a cell is empty.
    """
    found: dict[str, set[str]] = {}
    for entry in _read(path):
        found.setdefault(entry.domain, set()).add(entry.row_id)
    return {domain: frozenset(ids) for domain, ids in found.items()}


def listed_domains(path: Path) -> tuple[str, ...]:
    """Return the domains that the list names, in its order.

    Raises ModomodoError as `read_exclusions`.
    """
    return tuple(read_exclusions(path))


def problems(path: Path, domain: str, rows: "Sequence[Row]") -> tuple[str, ...]:
    """Return what is wrong with the lines of a domain, given all its training rows: a sentence a fault, none if right.

    Faults are rows that are not there, and rows that are not those that were listed, by their content.

    Raises ModomodoError as `read_exclusions`, and when a listed row's image cannot be read.
    """
    by_id = {row.id: row for row in rows}
    unknown: list[_Entry] = []
    changed: list[_Entry] = []
    contents: dict[str, str] = {}
    for entry in (entry for entry in _read(path) if entry.domain == domain):
        if entry.row_id not in by_id:
            unknown.append(entry)
        elif entry.content:
            if entry.row_id not in contents:
                contents[entry.row_id] = _content_or_raise(by_id[entry.row_id])
            if contents[entry.row_id] != entry.content:
                changed.append(entry)
    faults = {f"no training row of {domain}": unknown, f"another row of {domain} now": changed}
    return tuple(
        f"{path}: {len({one.row_id for one in some})} listed rows are {what} ({_name(some)}); "
        "audit again, or delete the lines"
        for what, some in faults.items()
        if some
    )


def _content_or_raise(row: "Row") -> str:
    try:
        return content_of(row)
    except OSError as error:
        raise ModomodoError(f"cannot read an image of {row.domain}, row {row.id}: {error}") from error


def _name(entries: Sequence[_Entry]) -> str:
    named = ", ".join(f"line {entry.line}: {entry.row_id!r}" for entry in entries[:NAMED])
    return named + (" ..." if len(entries) > NAMED else "")


def _read(path: Path) -> list[_Entry]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # an id may hold any end of line
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ModomodoError(f"cannot read the exclusions {path}: {error}; name a CSV that an audit wrote") from error
    try:
        return list(_entries(text, path))
    except csv.Error as error:
        raise ModomodoError(f"{path} is no CSV: {error}; write it again with the audit") from error


def _entries(text: str, path: Path) -> Iterator[_Entry]:
    lines = csv.reader(io.StringIO(text, newline=""))
    header = next(lines, list[str]())
    missing = [name for name in COLUMNS[:2] if name not in header]
    if missing:
        raise ModomodoError(
            f"{path}, line 1: the column {missing[0]!r} is missing; the first line must be {','.join(COLUMNS)}"
        )
    for cells in lines:
        if not cells:
            continue
        if len(cells) != len(header):
            what = f"{len(cells)} cells, not {len(header)}: quote a cell that holds a comma"
            raise ModomodoError(f"{path}, line {lines.line_num}: {what}")
        of = dict(zip(header, map(from_csv_cell, cells), strict=True))
        # A domain's name is never blank; an id is what it is, a space too.
        for name, empty in (("domain", not of["domain"].strip()), ("row_id", not of["row_id"])):
            if empty:
                raise ModomodoError(f"{path}, line {lines.line_num}: {name} is empty; fill it or delete the line")
        yield _Entry(lines.line_num, of["domain"], of["row_id"], of.get("content", ""))
