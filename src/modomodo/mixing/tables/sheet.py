"""A CSV file of runs as text: its header, its lines, and where each stands."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.files import is_separator_line, not_utf8, separator

Cells = tuple[str, ...]

ENDINGS = (".csv", ".tsv", ".tab", ".txt")
OTHERS = {
    ".xlsx": "an Excel workbook",
    ".xls": "an Excel workbook",
    ".ods": "a spreadsheet",
    ".parquet": "a Parquet file",
    ".jsonl": "a JSONL file",
    ".json": "a JSON file",
    ".feather": "a Feather file",
    ".pkl": "a pickle",
    ".html": "an HTML page",
}
"""Files that hold tables as well: ending -> what it is."""
STARTS = {
    b"PK\x03\x04": ".xlsx",
    b"\xd0\xcf\x11\xe0": ".xls",
    b"PAR1": ".parquet",
    b"{": ".jsonl",
    b"[{": ".json",
    b"<": ".html",
}
LFS = b"version https://git-lfs"


@dataclass(frozen=True)
class Sheet:
    """The header and the lines of a CSV file, cells without white space around them.

    `numbers` says at which line of the file each of the `rows` ends, `comma` whether commas in its numbers are decimal.
    """

    path: Path
    header: Cells
    rows: tuple[Cells, ...]
    numbers: tuple[int, ...]
    comma: bool = False

    def column(self, name: str) -> Cells:
        """Return the cells under a name of the header."""
        index = self.header.index(name)
        return tuple(row[index] for row in self.rows)

    def place(self, row: int) -> str:
        """Return what messages call a row: file and line."""
        return f"{self.path} line {self.numbers[row]}"

    def with_rows(self, rows: Sequence[int]) -> "Sheet":
        """Return the sheet with these rows alone, in this order."""
        return replace(
            self, rows=tuple(self.rows[row] for row in rows), numbers=tuple(self.numbers[row] for row in rows)
        )

    def with_columns(self, names: Sequence[str]) -> "Sheet":
        """Return the sheet with these columns alone."""
        kept = [self.header.index(name) for name in names]
        return replace(self, header=tuple(names), rows=tuple(tuple(row[index] for index in kept) for row in self.rows))


def read_sheet(path: Path) -> Sheet:
    """Return what a CSV file holds; blank lines, and a line `sep=;`, are left out.

    Raises:
        ModomodoError: for a file that is missing, empty, no CSV or not in UTF-8, for characters that cannot be printed,
            names that stand twice, and lines with more or fewer cells than the header.
    """
    check_ending(path)
    rows = _lines(path)
    if not rows:
        raise ModomodoError(f"{path} is empty: a header with w.<domain> and score.<benchmark> is needed")
    for number, row in rows:
        for cell in row:
            if not cell.isprintable():
                raise ModomodoError(f"{path} line {number}: {cell!r} has characters that cannot be printed")
    number, header = rows[0]
    for name in header:
        if name and header.count(name) > 1:
            raise ModomodoError(f"{path} has {header.count(name)} columns called {name}")
    for place, row in rows[1:]:
        if len(row) != len(header):
            raise ModomodoError(_ragged(path, (number, header), (place, row)))
    return Sheet(path, header, tuple(row for _, row in rows[1:]), tuple(place for place, _ in rows[1:]))


def check_ending(path: Path) -> None:
    """Raise ModomodoError for a file that holds tables in another form than CSV, and say how to make a CSV of it."""
    kind = path.suffix.lower()
    if kind not in OTHERS and path.is_file():
        with path.open("rb") as file:
            start = file.read(len(LFS)).removeprefix(b"\xef\xbb\xbf")
        if start == LFS:
            raise ModomodoError(f"{path} is a pointer of Git LFS, not the table: fetch it with `git lfs pull`")
        kind = next((kind for mark, kind in STARTS.items() if start.startswith(mark)), "")
    if kind in OTHERS:
        reader = {".xls": "excel", ".xlsx": "excel", ".ods": "excel", ".jsonl": "json", ".pkl": "pickle"}
        how = f"pandas.read_{reader.get(kind, kind[1:])}(...).to_csv('runs.csv', index=False)"
        raise ModomodoError(
            f"{path} is {OTHERS[kind]}, and runs are read from CSV: save it as one, for example by {how}"
        )


def _lines(path: Path) -> list[tuple[int, Cells]]:
    """Return (line number, cells) of each line that is not blank."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            mark = separator(file)
            reader = csv.reader(file, delimiter=mark)
            rows = [(reader.line_num, tuple(cell.strip() for cell in row)) for row in reader]
    except FileNotFoundError:
        near = closest(path.name, [file.name for file in path.parent.glob("*.[ct]sv")])
        raise ModomodoError(f"no table of runs at {path}: it does not exist; {near}") from None
    except UnicodeDecodeError as error:
        raise not_utf8(path, error) from None
    except (OSError, csv.Error) as error:
        raise ModomodoError(f"cannot read {path} as a CSV file of runs: {error}") from None
    return [(number, row) for number, row in rows if any(row) and not is_separator_line(mark.join(row))]


def _ragged(path: Path, header: tuple[int, Cells], line: tuple[int, Cells]) -> str:
    (number, names), (place, row) = header, line
    if len(names) == 1:
        return (
            f"{path} line {number} is {names[0]!r:.80}, and line {place} has {len(row)} cells: the first line is the "
            "header, with the names of all columns; remove what stands above it"
        )
    return (
        f"{path} line {place} has {len(row)} cells, the header {len(names)}: {','.join(row)!r:.80}; write a "
        "decimal point, not a comma, and texts with commas in quotes"
    )
