"""Small sets on disk, with the columns of real ones."""

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image


def picture(
    size: tuple[int, int] = (8, 6), *, colour: int = 0, kind: str = "PNG", orientation: int | None = None
) -> bytes:
    buffer = io.BytesIO()
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    Image.new("RGB", size, (colour % 256, colour // 256, 90)).save(buffer, format=kind, exif=exif)
    return buffer.getvalue()


def size_of(image: bytes | Path) -> tuple[int, int]:
    with Image.open(io.BytesIO(image) if isinstance(image, bytes) else image) as opened:
        return opened.size


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as JSONL, and a picture beside for each path that a row names in `image` and that is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(rows):
        name = row.get("image")
        if isinstance(name, str) and not (path.parent / name).exists():
            (path.parent / name).parent.mkdir(parents=True, exist_ok=True)
            (path.parent / name).write_bytes(picture(colour=number))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def hub_picture(size: tuple[int, int] = (8, 6), **how: Any) -> dict[str, Any]:
    """Return a picture as `datasets` stores one."""
    return {"bytes": picture(size, **how), "path": None}
