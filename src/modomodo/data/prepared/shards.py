"""The Parquet of prepared sets: one schema for all, rows to shards and back. Needs pyarrow."""

import json
import os
from collections.abc import Iterator, Sequence, Set
from importlib import import_module
from pathlib import Path
from typing import Any

from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Row, Target
from modomodo.data.prepared.manifest import MAKE
from modomodo.data.prepared.survey import Seen, hashes, load_pictures

MEGABYTE = 1 << 20
SHARD = (5_000, 256 * MEGABYTE)  # at most so many rows, and bytes of images unless one row has more
GROUP = (500, 16 * MEGABYTE)  # the same of a row group, which is what a reader holds at a time


def need_pyarrow() -> None:
    """Raise ModomodoError that says what to install where pyarrow is missing."""
    _arrow("pyarrow")


def spans(sizes: Sequence[int], limits: tuple[int, int]) -> list[range]:
    """Return consecutive ranges of items, each within `limits` of number and of summed size, none empty."""
    most, size = limits
    found: list[range] = []
    start = total = 0
    for index, one in enumerate(sizes):
        if index > start and (index - start == most or total + one > size):
            found.append(range(start, index))
            start, total = index, 0
        total += one
    return [*found, range(start, len(sizes))]


def write_shard(path: Path, seen: Sequence[Seen]) -> None:
    """Write rows, with their images inside, and wait until the disk has them.

    Raises ModomodoError when an image is no longer what it was, OSError as the disk does.
    """
    arrow, schema = _arrow("pyarrow"), _schema()
    # Images would outgrow a dictionary; those of neighbours that share one compress to one without it.
    options = {"compression": "zstd", "use_dictionary": ["domain", "verifier"]}
    with path.open("wb") as file:
        with _arrow("pyarrow.parquet").ParquetWriter(file, schema, **options) as writer:
            for span in spans([one.size for one in seen], GROUP):
                records = [_record(seen[index]) for index in span]
                try:
                    table = arrow.Table.from_pylist(records, schema=schema)
                except arrow.ArrowException as error:
                    where = f"rows {records[0]['id']} to {records[-1]['id']}"
                    raise ModomodoError(
                        f"{where} do not fit the columns: {error}; mend them where they come from"
                    ) from error
                writer.write_table(table, row_group_size=len(span))
        file.flush()
        os.fsync(file.fileno())


def read_shard(path: Path, pictures: dict[bytes, bytes], *, ids: Set[str] | None = None) -> Iterator[Row]:
    """Yield the rows of a shard, or only those of `ids`; equal images are one object, that of `pictures`.

    Raises ModomodoError that names the file when it is damaged, and the column that is not as it should be.
    """
    arrow, parquet = _arrow("pyarrow"), _arrow("pyarrow.parquet")
    try:
        with parquet.ParquetFile(path) as file:
            _check_schema(path, file.schema_arrow)
            for group in range(file.num_row_groups):
                if ids is not None and ids.isdisjoint(_ids(file, group)):
                    continue
                records = file.read_row_group(group, use_threads=False).to_pylist()
                yield from (_row(record, pictures) for record in records if ids is None or record["id"] in ids)
    except ModomodoError:
        raise
    except (arrow.ArrowException, OSError, ValueError) as error:
        problem = str(error).partition("\n")[0]
        raise ModomodoError(
            f"{path} is damaged ({problem}): delete {path.parent} and run {MAKE} again, or copy the set again"
        ) from error


def _ids(file: Any, group: int) -> list[str]:
    return file.read_row_group(group, columns=["id"], use_threads=False).column("id").to_pylist()


def _record(one: Seen) -> dict[str, object]:
    row, target = one.row, one.row.target
    pictures = load_pictures(row)
    if hashes(pictures) != one.pictures:
        raise ModomodoError(f"row {row.id}: an image changed while it was read: run the same command again")
    return {
        "id": row.id,
        "domain": row.domain,
        "question": row.question,
        "verifier": target.verifier,
        "value": json.dumps(target.value, ensure_ascii=False),
        "options": target.options,
        "image_size": target.image_size or (),
        "tolerance": target.tolerance,
        "images": [{"bytes": picture, "path": None} for picture in pictures],
    }


def _row(record: dict[str, Any], pictures: dict[bytes, bytes]) -> Row:
    size = record["image_size"]
    target = Target(
        record["verifier"],
        json.loads(record["value"]),
        tuple(record["options"]),
        (size[0], size[1]) if size else None,
        record["tolerance"],
    )
    images = tuple(pictures.setdefault(image["bytes"], image["bytes"]) for image in record["images"])
    return Row(record["id"], record["domain"], record["question"], target, images)


def _schema() -> Any:
    """Return the columns; the metadata tells `datasets` that the images are images."""
    pa = _arrow("pyarrow")
    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = {
        "id": (pa.string(), _value("string")),
        "domain": (pa.string(), _value("string")),
        "question": (pa.string(), _value("string")),
        "verifier": (pa.string(), _value("string")),
        "value": (pa.string(), _value("string")),
        "options": (pa.list_(pa.string()), [_value("string")]),
        "image_size": (pa.list_(pa.int32()), [_value("int32")]),
        "tolerance": (pa.float64(), _value("float64")),
        "images": (pa.list_(picture), [{"_type": "Image"}]),
    }
    features = {"info": {"features": {name: feature for name, (_, feature) in columns.items()}}}
    fields = [(name, kind) for name, (kind, _) in columns.items()]
    return pa.schema(fields, metadata={"huggingface": json.dumps(features)})


def _value(kind: str) -> dict[str, str]:
    return {"dtype": kind, "_type": "Value"}


def _check_schema(path: Path, found: Any) -> None:
    for field in _schema():
        if field.name not in found.names:
            problem = f"has no column {field.name!r}"
        elif found.field(field.name).type != field.type:
            problem = f"column {field.name!r} is {found.field(field.name).type}, not {field.type}"
        else:
            continue
        raise ModomodoError(f"{path} is no shard of a prepared set: {problem}; make one with {MAKE}")


def _arrow(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise ModomodoError(
            "prepared sets need pyarrow: pip install 'modomodo[trl]', or pip install pyarrow"
        ) from error
