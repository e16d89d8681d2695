"""Records of a source, one by one: JSONL, JSON, Parquet, CSV, folders of them or of images, or a split on the hub."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.files import not_utf8
from modomodo.data.sources.csv_rows import csv_rows
from modomodo.data.sources.json_rows import Placed, json_rows, json_value, jsonl_rows
from modomodo.data.sources.source import Source
from modomodo.data.sources.values import BadRowError

METADATA = ("metadata.jsonl", "metadata.csv")
MAX_COLUMNS = 500
_BATCH = 64  # records in memory at once; each may hold images


@dataclass(frozen=True)
class _Unreadable:
    """Stands for the values of a column that Python has no value for: an error only where the column is asked for."""

    reason: str


class FieldError(ModomodoError):
    """A field of a Source that does not fit its file; the message begins with the field."""


@dataclass(frozen=True)
class Record:
    """One record as it is written: its columns, its place, its number in the split, the folder of its file."""

    columns: Mapping[str, Any]
    file: str
    place: str
    number: int
    folder: Path | None  # None on the hub

    def get(self, column: str, *, field: str | None = None) -> Any:
        """Return what a column holds; `field` is the field of the Source that names the column.

        A column `a.b` is what the objects of column `a` hold under `b`, where no column is called so.

        Raises ModomodoError with the closest columns when the file has none of that name.
        """
        whole, _, inner = (column, "", "") if column in self.columns else column.partition(".")
        if whole not in self.columns:
            what = f"{self.file} has no column {whole!r}; {closest(whole, self.columns)}"
            raise ModomodoError(what) if field is None else FieldError(f"{field}: {what}")
        value = self.columns[whole]
        if isinstance(value, _Unreadable):
            raise ModomodoError(f"{self.place}: the column {column!r} cannot be read: {value.reason}")
        return _within(value, inner, whole) if inner else value


def _within(value: Any, path: str, column: str) -> Any:
    """Return what an object, or the JSON text of one, holds under a path with dots; None where it is empty.

    Raises BadRowError where there is no such key.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.lstrip().startswith("{"):
        with suppress(ValueError):
            value = json_value(value)
    if not isinstance(value, Mapping):
        raise BadRowError(f"{column} is {value!r:.60}, not an object that could hold {path!r}")
    table = cast(Mapping[str, Any], value)
    key, _, rest = (path, "", "") if path in table else path.partition(".")
    if key not in table:
        raise BadRowError(f"{column} has no {key!r}; {closest(key, table)}")
    return _within(table[key], rest, f"{column}.{key}") if rest else table[key]


def row_id(record: Record, column: str) -> str:
    """Return the id in a column.

    Raises BadRowError.
    """
    value = record.get(column, field="id")
    if value is None or isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise BadRowError(f"the id in {column} is {value!r:.60}, not a text or a whole number")
    return str(value).strip()


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
        records = _hub_records(source, own_name)
    elif not source.path.exists():
        near = closest(source.path.name, [file.name for file in source.path.parent.glob("*")])
        raise FieldError(f"path: {source.path} does not exist; {near}")
    else:
        records = _local_records(source, own_name)
    seen: dict[str, dict[str, None]] = {}
    kept = 0
    for record in records:
        if _is_asked(record, source, own_name, seen):
            kept += 1
            yield record
    if not kept:
        values = "; ".join(f"{column} is {', '.join(list(names)[:10])}" for column, names in seen.items())
        raise ModomodoError(f"{source.place}: no row is left by split_column and where; there, {values or 'no rows'}")


def _is_asked(record: Record, source: Source, own_name: str | None, seen: dict[str, dict[str, None]]) -> bool:
    """Return whether a record is of the split and what `where` keeps; adds to `seen` the values that decided."""
    conditions: dict[str, tuple[object, ...]] = dict(source.where)
    if source.split_column is not None:
        conditions = {source.split_column: (own_name,), **conditions}
    for column, values in conditions.items():
        try:
            value = record.get(column, field="split_column" if column == source.split_column else "where")
        except BadRowError as error:
            raise ModomodoError(f"{record.place}: {error}") from error
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
            else "no .jsonl or .parquet file, no metadata.jsonl and no .json beside images"
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


def _file_rows(file: Path, *, alone: bool) -> Iterator[Placed]:
    """Yield where in the file a record is, and its columns; `alone`: the file is all of its source."""
    if not file.is_file():
        raise ModomodoError(f"{file} is no regular file: write the rows to one")
    if file.suffix == ".parquet":
        yield from _parquet_rows(file)
        return
    csv = file.suffix in (".csv", ".tsv")
    try:
        if csv:
            rows, broken = csv_rows(file)
        else:
            rows, broken = json_rows(file, alone=alone) if file.suffix == ".json" else jsonl_rows(file)
    except UnicodeDecodeError as error:
        raise not_utf8(file, error) from error
    except OSError as error:
        raise ModomodoError(f"{file} cannot be read: {error}") from error
    if broken:
        what = "is no list of objects" if file.suffix == ".json" else "is no JSONL, one object a line"
        raise ModomodoError(f"{file} {'does not fit its header' if csv else what}:\n{listed(broken)}")
    for place, full in _filled(file, rows):
        if file.name in METADATA and "file_name" in full:
            full.setdefault("image", full["file_name"])
        yield place, full


def _filled(file: Path, rows: list[Placed]) -> Iterator[Placed]:
    """Yield rows of which a column that only some write is empty in the others."""
    columns: dict[str, Any] = dict.fromkeys(column for _, row in rows for column in row)
    if len(columns) > MAX_COLUMNS:
        raise ModomodoError(
            f"{file} has {len(columns):,} columns in {len(rows):,} rows, over the cap of {MAX_COLUMNS}: give all rows "
            "the same columns, with what differs as their values"
        )
    for place, row in rows:
        yield place, {**columns, **row}


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
    # As Arrow tables: images stay as they are stored instead of being decoded.
    batches: Any = table.with_format("arrow").iter(batch_size=_BATCH)  # pyright: ignore[reportAttributeAccessIssue]
    for batch in batches:
        for columns in _batch_rows(batch, where):
            yield Record(columns, where, f"{where}, row {number}", number, None)
            number += 1
    if number == 0:
        raise ModomodoError(f"{where} is empty")


def listed(lines: Sequence[str], most: int = 20) -> str:
    """Return lines under one another, the first `most`, and how many more there are."""
    more = [f"... and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join(f"  {line}" for line in [*lines[:most], *more])
