"""What a file or folder of somebody's own holds: its rows, its columns, and its splits."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from modomodo.core.errors import ModomodoError, closest
from modomodo.data.sources.chats import is_chat
from modomodo.data.sources.image_values import KEYS, is_base64
from modomodo.data.sources.records import MAX_COLUMNS, Record, read, split_names
from modomodo.data.sources.source import Source
from modomodo.data.sources.values import written

PICTURE = b""
"""Stands for the bytes of an image in the rows that are kept."""

ENDINGS = (".jsonl", ".json", ".parquet", ".csv", ".tsv")
OPTIONS = ("options", "choices", "candidates", "alternatives")
SPLITS = ("split", "fold", "partition", "subset")
TESTS = ("test", "validation", "valid", "val", "dev")
LONG = 1_000  # letters from which a text may be an image in base64 that need not be kept
DEEP = 3  # objects in one another whose columns are looked at
_BESIDE = {"type", "media_type", "width", "height", "format", "detail", "size", "mode", "min_pixels", "max_pixels"}


@dataclass(frozen=True)
class Table:
    """All rows to train on, images left out: `columns` is name -> a value for each row.

    Objects are columns, and so is what they hold, by names with dots. `tested` is the number of rows of a split of
    their own for the test, None where there is none; `splits` and `split_column` say which, where a Source has to be
    told.
    """

    path: Path
    rows: Sequence[Record]
    columns: Mapping[str, Sequence[Any]]
    tested: int | None = None
    splits: Mapping[str, str] | None = None
    split_column: str | None = None

    @property
    def places(self) -> Sequence[str]:
        """Where each row stands."""
        return [row.place for row in self.rows]

    def source(self, **fields: Any) -> Source:
        """Return a source that reads the table."""
        return Source(path=self.path, splits=dict(self.splits or {}), split_column=self.split_column, **fields)


def check_path(path: Path) -> None:
    """Raise ModomodoError where there is no such file or folder, or it is a recipe or a study rather than rows."""
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError as error:
        raise ModomodoError(f"the name {str(path)!r} is not UTF-8, as names in recipes are: rename it") from error
    if not path.exists():
        rows = [file.name for file in path.parent.glob("*") if file.is_dir() or file.suffix.lower() in ENDINGS]
        raise ModomodoError(f"{path} does not exist; {closest(path.name, rows)}")
    if path.suffix.lower() == ".toml":
        raise ModomodoError(
            f"{path} is a TOML file, as init writes them from rows. If it is a recipe or a study already, the next "
            f"step is modomodo check {shlex.quote(str(path))}"
        )


def look(path: Path) -> Table:
    """Return what a file with a list of rows, a folder of JSONL or Parquet or a folder of images holds.

    Raises ModomodoError when there is nothing to read, or nothing to train on.
    """
    try:
        table = _table(path, Source(path=path), None)
        column = _split_column(table)
        return table if column is None else _table(path, _by_column(table, column), column)
    except ModomodoError as error:
        raise ModomodoError(
            f"{error}; init reads JSONL (one object a line), a JSON list of objects, Parquet or CSV, a folder of JSONL "
            "or Parquet, or one of images with a metadata.jsonl (docs/data.md)"
        ) from error
    except OSError as error:
        raise ModomodoError(f"{path} cannot be read: {error.strerror or error}; set its permissions") from error


def _table(path: Path, source: Source, column: str | None) -> Table:
    names = split_names(source)
    if "train" not in names:
        raise ModomodoError(f"{path} has a test split and none to train on: put a file train.jsonl beside it")
    rows = [_kept(record) for record in read(source, names["train"])]
    splits: dict[str, str] = source.splits
    if "test" not in names and path.is_dir() and names["train"] is not None:
        splits = next((named for one in TESTS if (named := _with_test(path, one))), splits)
        names |= splits
    tested = None
    if "test" in names:
        tested = sum(1 for _ in read(Source(path=path, splits=splits, split_column=column), names["test"]))
    return Table(path, rows, _columns(path, rows), tested, splits or None, column)


def _with_test(path: Path, name: str) -> dict[str, str]:
    """Return the splits of a folder in which another file than test holds the test; none when it has no such file."""
    source = Source(path=path, splits={"train": "train", "test": name})
    try:
        return source.splits if next(read(source, name), None) is not None else {}
    except ModomodoError:
        return {}


def _kept(record: Record) -> Record:
    """Return a record without the bytes of images, and without names that no TOML file can hold."""
    columns = {name: _without_bytes(value) for name, value in record.columns.items() if _is_name(name)}
    return Record(columns, record.file, record.place, record.number, record.folder)


def _is_name(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return name.strip() != ""


def _without_bytes(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_bytes(one) for key, one in cast(Mapping[Any, Any], value).items()}
    if isinstance(value, list):
        return [_without_bytes(one) for one in cast(list[Any], value)]
    if isinstance(value, str) and len(value) > LONG and (value.startswith("data:") or is_base64(value)):
        return PICTURE
    return PICTURE if isinstance(value, bytes) else cast(Any, value)


def _columns(path: Path, rows: Sequence[Record]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for number, row in enumerate(rows):
        for name, value in _named_values(row.columns, "", DEEP):
            found.setdefault(name, [None] * number).append(value)
        if len(found) > MAX_COLUMNS:
            what = f"{path}: the objects in its rows have more than {MAX_COLUMNS} keys"
            raise ModomodoError(f"{what}: give all rows the same, with what differs as their values")
        for values in found.values():
            values += [None] * (number + 1 - len(values))
    return found


def _named_values(table: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield the columns of a row and those in its objects; images and turns of chats are whole."""
    for name, value in table.items():
        yield prefix + name, value
        inner = written(value, dict) if isinstance(value, str) else value
        if depth and isinstance(inner, Mapping) and not is_picture_object(inner) and not is_chat(inner):
            named = {str(key): one for key, one in cast(Mapping[Any, Any], inner).items() if _is_name(str(key))}
            yield from _named_values(named, f"{prefix}{name}.", depth - 1)


def is_picture_object(value: Any) -> bool:
    """Return whether a value is an object that holds an image, as `datasets` writes one, or a path or address."""
    keys = set(cast(Mapping[str, Any], value)) if isinstance(value, Mapping) else set[str]()
    return bool(keys & set(KEYS)) and ("bytes" in keys or keys <= {*KEYS, *_BESIDE})


def _split_column(table: Table) -> str | None:
    """Return the column that says of each row whether it is of the training or of the test."""
    if table.tested is not None:
        return None
    for name in (name for name in table.columns if name.lower().rpartition(".")[2] in SPLITS):
        values = {value for value in table.columns[name] if isinstance(value, str)}
        if "train" in values and values & set(TESTS):
            return name
    return None


def _by_column(table: Table, column: str) -> Source:
    test = next(one for one in TESTS if one in table.columns[column])
    return Source(path=table.path, split_column=column, splits={"train": "train", "test": test})
