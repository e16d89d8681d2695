"""Records of a source, one by one: JSONL, JSON, Parquet, CSV, folders of them or of pictures, or a split on the hub."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.files import not_utf8
from modomodo.data.sources.csv_rows import csv_rows
from modomodo.data.sources.source import Source

METADATA = ("metadata.jsonl", "metadata.csv")
PICTURES = (".jpg", ".jpeg", ".png", ".JPG", ".PNG")
_BATCH = 64  # records in memory at once; each may hold pictures


@dataclass(frozen=True)
class _Unreadable:
    """Stands for the values of a column that Python has no value for: an error only where the column is asked for."""

    reason: str


class FieldError(ModomodoError):
    """A field of a Source that does not fit its file; the message begins with the field."""


@dataclass(frozen=True)
class Record:
    """One record as it is written: its columns, where it stands, its number in the split, the folder of its file."""

    columns: Mapping[str, Any]
    file: str
    place: str
    number: int
    folder: Path | None  # None on the hub

    def get(self, column: str, *, field: str | None = None) -> Any:
        """Return what a column holds; `field` is that of the Source which names the column.

        Raises ModomodoError with the closest columns when the file has none of that name.
        """
        if column not in self.columns:
            what = f"{self.file} has no column {column!r}; {closest(column, self.columns)}"
            raise ModomodoError(what) if field is None else FieldError(f"{field}: {what}")
        value = self.columns[column]
        if isinstance(value, _Unreadable):
            raise ModomodoError(f"{self.place}: the column {column!r} cannot be read: {value.reason}")
        return value


def split_names(source: Source) -> dict[str, str | None]:
    """Return, for the splits `train` and `test` that a source has, its own name of it; None is everything."""
    if source.splits:
        named: dict[str, str | None] = dict(source.splits)
    elif source.path is None:
        named = {"train": "train"}
    else:
        named = {split: split for split in ("train", "test") if source.path.is_dir() and _files(source, split)}
        named = named or {"train": None}
    return {**named, "test": named["train"]} if source.holdout else named


def read(source: Source, own_name: str | None) -> Iterator[Record]:
    """Yield the records of the split that the source calls `own_name`, in the order of its files.

    Raises ModomodoError that names the file for what is missing, empty or broken.
    """
    if source.path is None:
        found = _hub_records(source, own_name)
    elif not source.path.exists():
        near = closest(source.path.name, [file.name for file in source.path.parent.glob("*")])
        raise FieldError(f"path: {source.path} does not exist; {near}")
    else:
        found = _local_records(source, own_name)
    seen: dict[str, dict[str, None]] = {}
    kept = 0
    for record in found:
        if _is_asked(record, source, own_name, seen):
            kept += 1
            yield record
    if not kept:
        values = "; ".join(f"{column} is {', '.join(list(found)[:10])}" for column, found in seen.items())
        raise ModomodoError(f"{source.place}: no row is left by split_column and where; there, {values or 'no rows'}")


def _is_asked(record: Record, source: Source, own_name: str | None, seen: dict[str, dict[str, None]]) -> bool:
    """Return whether a record is of the split and what `where` keeps; adds to `seen` the values that decided."""
    conditions: dict[str, tuple[object, ...]] = dict(source.where)
    if source.split_column is not None:
        conditions = {source.split_column: (own_name,), **conditions}
    for column, values in conditions.items():
        value = record.get(column, field="split_column" if column == source.split_column else "where")
        seen.setdefault(column, {}).setdefault(repr(value))
        # True is not 1 here.
        if not any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in values):
            return False
    return True


def _local_records(source: Source, own_name: str | None) -> Iterator[Record]:
    assert source.path is not None
    start = 0
    files = _files(source, own_name)
    if not files and source.path.is_file():
        raise ModomodoError(f"{source.path} is one file and splits names two: name a folder, or split_column")
    if not files:
        names = sorted(file.name for file in source.path.iterdir())[:20]
        what = (
            f"no split {own_name!r}"
            if own_name
            else "no .jsonl or .parquet file, no metadata.jsonl and no .json beside pictures"
        )
        raise ModomodoError(f"{source.path} has {what}; it holds: {', '.join(names) or 'nothing'}")
    for file in files:
        count = 0
        for place, columns in _file_rows(file, alone=file == source.path):
            yield Record(columns, str(file), f"{file}, {place}", start + count, file.parent)
            count += 1
        if count == 0:
            raise ModomodoError(f"{file} is empty: put rows in it, or leave it out")
        start += count


def _files(source: Source, own_name: str | None) -> list[Path]:
    """Return the files of a split in a folder laid out as on the hub or plainly; the file itself when it is one."""
    path = source.path
    assert path is not None
    if source.split_column is not None:
        return [path] if path.is_file() else _data_files([path])
    if path.is_file():
        return [path] if len(source.splits) < 2 or own_name in (path.name, path.stem) else []
    folders = [path, path / "data", *([path / source.config] if source.config else [])]
    if own_name is None:
        return _data_files([path]) or _data_files([path / "data"])
    for folder in folders:
        exact = folder / own_name
        if exact.exists():
            return _data_files([exact])
        found = [file for pattern in (".*", "-*", "_*") for file in folder.glob(f"{_escape(own_name)}{pattern}")]
        if files := _data_files(sorted(found)):
            return files
    return []


def _escape(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _data_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files with rows among paths, and in the folders among them."""
    found: list[Path] = []
    for path in paths:
        if path.is_file():
            found += [path] if path.suffix in (".jsonl", ".parquet") or path.name in METADATA else []
        elif path.is_dir():
            metadata = [path / name for name in METADATA if (path / name).is_file()]
            tables = sorted(file for file in path.iterdir() if file.suffix in (".jsonl", ".parquet"))
            found += metadata[:1] or tables or sorted(path.glob("*.json"))
    return found


def _file_rows(file: Path, *, alone: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where in the file a record stands, and its columns; `alone`: the file is all of its source."""
    if file.suffix == ".parquet":
        yield from _parquet_rows(file)
        return
    if file.suffix == ".json":
        yield from _json_rows(file, alone=alone)
        return
    try:
        rows, broken = csv_rows(file) if file.suffix in (".csv", ".tsv") else _jsonl_rows(file)
    except UnicodeDecodeError as error:
        raise not_utf8(file, error) from error
    except OSError as error:
        raise ModomodoError(f"{file} cannot be read: {error}") from error
    if broken:
        what = "does not fit its header" if file.suffix in (".csv", ".tsv") else "is no JSONL, one object a line"
        raise ModomodoError(f"{file} {what}:\n{listed(broken)}")
    for place, full in _filled(rows):
        if file.name in METADATA and "file_name" in full:
            full.setdefault("image", full["file_name"])
        yield place, full


def _filled(rows: list[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield rows of which a column that only some write is empty in the others."""
    columns: dict[str, Any] = dict.fromkeys(column for _, row in rows for column in row)
    for place, row in rows:
        yield place, {**columns, **row}


def _json_rows(file: Path, *, alone: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of a JSON file: those of its list, or one beside the picture that it describes.

    The picture becomes the column `image`. A list is read where the file is `alone`: beside others it is left open
    which of them are for the test.
    """
    found = _json(file)
    if isinstance(found, dict):
        pictures = [file.with_suffix(end) for end in PICTURES if file.with_suffix(end).is_file()]
        yield "its object", {"image": pictures[0].name if pictures else None, "name": file.stem, **found}
        return
    if not isinstance(found, list):
        raise ModomodoError(f"{file} holds {json.dumps(found):.40}, where an object or a list of objects is needed")
    rows = [(f"object {number}", row) for number, row in enumerate(cast(list[Any], found), start=1)]
    broken = [f"{place}: {json.dumps(row):.40} is no object" for place, row in rows if not isinstance(row, dict)]
    if broken:
        raise ModomodoError(f"{file} is no list of objects:\n{listed(broken)}")
    if not alone:
        raise ModomodoError(f"{file} holds a list, which is read when path names the file, not its folder")
    yield from _filled(rows)


def _json(file: Path) -> Any:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ModomodoError(f"{file} cannot be read: {error}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        lines = "; if it holds one object a line, name it .jsonl" if "Extra data" in str(error) else ""
        raise ModomodoError(f"{file} is no JSON: {error}{lines}") from error


def _jsonl_rows(file: Path) -> tuple[list[tuple[str, dict[str, Any]]], list[str]]:
    rows: list[tuple[str, dict[str, Any]]] = []
    broken: list[str] = []
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            broken.append(f"line {number}: {line[:40]!r}: {error}")
            continue
        if isinstance(row, dict):
            rows.append((f"line {number}", row))
        else:
            broken.append(f"line {number}: {line[:40]!r} is no object")
    return rows, broken


def _parquet_rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ModomodoError(f"{file}: reading Parquet needs pyarrow: pip install 'modomodo[trl]'") from error
    number = 0
    try:
        with pq.ParquetFile(file) as table:
            for batch in table.iter_batches(batch_size=_BATCH):
                for columns in _batch_rows(batch, str(file)):
                    yield f"row {number}", columns
                    number += 1
    except (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError) as error:
        raise ModomodoError(f"{file} cannot be read as Parquet: {error}; get it again") from error


def _batch_rows(batch: Any, where: str) -> list[dict[str, Any]]:
    """Return the rows of a batch or table of Arrow.

    Raises ModomodoError when two columns have one name.
    """
    import pyarrow as pa

    names = [str(name) for name in batch.schema.names]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ModomodoError(f"{where} has two columns {', '.join(map(repr, twice))}: rename or drop one")
    columns: list[list[Any]] = []
    for column in batch.columns:
        try:
            columns.append(column.to_pylist())
        except (pa.ArrowException, ValueError, OverflowError) as error:  # such as dates past the year 9999, broken text
            columns.append([_Unreadable(f"{type(error).__name__}: {error}")] * batch.num_rows)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _hub_records(source: Source, own_name: str | None) -> Iterator[Record]:
    try:
        import datasets
        from datasets.exceptions import DatasetsError
    except ImportError as error:
        raise ModomodoError(f"reading {source.hub} needs datasets: pip install 'modomodo[trl]'") from error
    assert source.hub is not None
    where = f"{source.place}, split {own_name}"
    wanted = "train" if own_name is None or source.split_column is not None else own_name
    try:
        table = datasets.load_dataset(source.hub, source.config, revision=source.revision, split=wanted)
    except (OSError, ValueError, RuntimeError, DatasetsError) as error:
        raise ModomodoError(
            f"{where} cannot be loaded from the hub: {error}; check name and network, or set path to a copy of it"
        ) from error
    number = 0
    # As Arrow tables: pictures stay as they are stored instead of being decoded.
    batches: Any = table.with_format("arrow").iter(batch_size=_BATCH)  # pyright: ignore[reportAttributeAccessIssue]
    for batch in batches:
        for columns in _batch_rows(batch, where):
            yield Record(columns, where, f"{where}, row {number}", number, None)
            number += 1
    if number == 0:
        raise ModomodoError(f"{where} is empty")


def listed(lines: list[str], most: int = 20) -> str:
    """Return lines under one another, the first `most`, and how many more there are."""
    more = [f"... and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join(f"  {line}" for line in [*lines[:most], *more])
