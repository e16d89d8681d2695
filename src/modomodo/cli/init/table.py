"""What a file or folder of somebody's own holds: its rows, its splits and its pictures."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from modomodo.cli.init.verifier import Size
from modomodo.core.errors import ModomodoError, closest
from modomodo.data.sources.image_values import flat_pictures
from modomodo.data.sources.pictures import fit
from modomodo.data.sources.records import Record, listed, read, split_names
from modomodo.data.sources.source import Source

PICTURE = b""
"""Stands for the bytes of a picture in the columns that are kept."""

ENDINGS = (".jsonl", ".json", ".parquet", ".csv", ".tsv")
OPENED = 64  # rows whose first picture is opened to see its size
SPLITS = ("split", "fold", "partition", "subset")
TESTS = ("test", "validation", "valid", "val", "dev")


@dataclass(frozen=True)
class Table:
    """All rows to train on: `columns` is name -> a value for each row, PICTURE for bytes; `places` is where rows stand.

    `tested` is the number of rows of a split of their own for the test, None where there is none; `splits` and
    `split_column` say which, where a Source has to be told.
    """

    path: Path
    columns: Mapping[str, Sequence[Any]]
    places: Sequence[str]
    tested: int | None = None
    splits: Mapping[str, str] | None = None
    split_column: str | None = None


def check_path(path: Path) -> None:
    """Raise ModomodoError where there is no such file or folder, or it is a recipe or a study rather than rows."""
    if not path.exists():
        rows = [file.name for file in path.parent.glob("*") if file.is_dir() or file.suffix.lower() in ENDINGS]
        raise ModomodoError(f"{path} does not exist; {closest(path.name, rows)}")
    if path.suffix.lower() == ".toml":
        raise ModomodoError(
            f"{path} is a TOML file, as init writes them from rows. If it is a recipe or a study already, the next "
            f"step is modomodo check {shlex.quote(str(path))}"
        )


def look(path: Path) -> Table:
    """Return what a file with a list of rows, a folder of JSONL or Parquet or a folder of pictures holds.

    Raises ModomodoError when there is nothing to read, or nothing to train on.
    """
    try:
        table = _table(path, Source(path=path), None)
        column = _split_column(table)
        return table if column is None else _table(path, _by_column(table, column), column)
    except ModomodoError as error:
        raise ModomodoError(
            f"{error}; init reads JSONL (one object a line), a JSON list of objects, Parquet or CSV, a folder of JSONL "
            "or Parquet, or one of pictures with a metadata.jsonl (docs/data.md)"
        ) from error
    except OSError as error:
        raise ModomodoError(f"{path} cannot be read: {error.strerror or error}; set its permissions") from error


def _table(path: Path, source: Source, column: str | None) -> Table:
    names = split_names(source)
    if "train" not in names:
        raise ModomodoError(f"{path} has a test split and none to train on: put a file train.jsonl beside it")
    records = [(record.place, _kept(record)) for record in read(source, names["train"])]
    splits: dict[str, str] = source.splits
    if "test" not in names and path.is_dir() and names["train"] is not None:
        splits = next((named for one in TESTS if (named := _with_test(path, one))), splits)
        names |= splits
    tested = (
        sum(1 for _ in read(Source(path=path, splits=splits, split_column=column), names["test"]))
        if ("test" in names)
        else None
    )
    columns = {
        name: [row.get(name) for _, row in records] for name in dict.fromkeys(k for _, row in records for k in row)
    }
    return Table(path, columns, [place for place, _ in records], tested, splits or None, column)


def _with_test(path: Path, name: str) -> dict[str, str]:
    """Return the splits of a folder in which another file than test holds the test; none when it has no such file."""
    source = Source(path=path, splits={"train": "train", "test": name})
    try:
        return source.splits if next(read(source, name), None) is not None else {}
    except ModomodoError:
        return {}


def _kept(record: Record) -> dict[str, Any]:
    """Return a record's columns without the bytes of pictures, and without names that no TOML file can hold."""
    return {name: _without_bytes(value) for name, value in record.columns.items() if _is_name(name)}


def _is_name(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return name.strip() != ""


def _without_bytes(value: Any) -> Any:
    if isinstance(value, dict) and "bytes" in value:
        table = cast(dict[str, Any], value)
        return PICTURE if table["bytes"] is not None else table.get("path")
    if isinstance(value, list):
        return [_without_bytes(one) for one in cast(list[Any], value)]
    return PICTURE if isinstance(value, bytes) else cast(Any, value)


def _split_column(table: Table) -> str | None:
    """Return the column that says of each row whether it is of the training or of the test."""
    if table.tested is not None:
        return None
    for name in (name for name in table.columns if name.lower() in SPLITS):
        values = {value for value in table.columns[name] if isinstance(value, str)}
        if "train" in values and values & set(TESTS):
            return name
    return None


def _by_column(table: Table, column: str) -> Source:
    test = next(one for one in TESTS if one in table.columns[column])
    return Source(path=table.path, split_column=column, splits={"train": "train", "test": test})


def missing_pictures(table: Table, images: Sequence[str]) -> str | None:
    """Return how many pictures are not where their columns say, and which first; None when all are there."""
    bad: list[str] = []
    count = 0
    for place, folder, value in _paths(table, images):
        count += 1
        try:
            bad += [f"{place}: {path}" for path in flat_pictures(value, folder) if not Path(str(path)).is_file()]
        except ModomodoError as error:
            bad.append(f"{place}: {error}")
    if not bad:
        return None
    return (
        f"{table.path}: {len(bad)} of {count} pictures are not there:\n{listed(bad, most=5)}\n  paths in "
        f"{', '.join(map(repr, images))} are relative to the file that names them: put pictures there, or correct them"
    )


def _paths(table: Table, images: Sequence[str]) -> Iterator[tuple[str, Path, str]]:
    for name in images:
        for place, value in zip(table.places, table.columns[name], strict=True):
            folder = Path(place.rpartition(", ")[0]).parent
            for one in cast(list[Any], value) if isinstance(value, list) else [value]:
                if isinstance(one, str) and one:
                    yield place, folder, one


def sizes(table: Table, images: Sequence[str]) -> list[Size | None]:
    """Return [width, height], upright, of the first picture of each of the first rows; None where it cannot be read."""
    if not images:
        return []
    source = Source(path=table.path, splits=dict(table.splits or {}), split_column=table.split_column)
    found: list[Size | None] = []
    for record in read(source, split_names(source)["train"]):
        found.append(_size(record, images))
        if len(found) == OPENED:
            break
    return found


def _size(record: Record, images: Sequence[str]) -> Size | None:
    try:
        first = next((one for name in images for one in flat_pictures(record.columns.get(name), record.folder)), None)
        return None if first is None else fit(first, None).original
    except ModomodoError:
        return None  # check says what is wrong with it
