"""Rows that were drawn once on this machine, so that no run draws them again.

A file a family and split, under a folder named by everything that decides the pixels: the sources that draw them and
the libraries. A file that is damaged, or cannot be written, costs only the time of drawing.
"""

import base64
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from modomodo.core.rows import Row, Target, picture_bytes

DRAWN_BY = ("causes.py", "generators.py", "questions.py", "scenes.py", "world.py")


def cached_rows(family: str, split: str, draw: Callable[[], tuple[Row, ...]]) -> tuple[Row, ...]:
    """Return the rows of a family's split: those that were kept, else what `draw` returns, which is kept."""
    path = cache_folder() / f"{family}-{split}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        digest, _, text = path.read_text().partition("\n")
        if digest == _digest(text):
            return tuple(_row(line) for line in json.loads(text))
    rows = draw()
    with suppress(OSError):
        _keep(path, json.dumps([_line(row) for row in rows]))
    return rows


@cache
def cache_folder() -> Path:
    """Return where rows are kept: under XDG_CACHE_HOME, or ~/.cache."""
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    digest = hashlib.sha256(f"numpy {version('numpy')} pillow {version('pillow')}".encode())
    for name in DRAWN_BY:
        digest.update((Path(__file__).parent / name).read_bytes())
    return Path(root) / "modomodo" / f"nano-{digest.hexdigest()[:16]}"


def _keep(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: two processes may draw the same rows at once.
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(f"{_digest(text)}\n{text}")
        os.replace(partial, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(partial)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _line(row: Row) -> dict[str, Any]:
    return {**asdict(row), "images": [base64.b64encode(picture_bytes(image)).decode() for image in row.images]}


def _row(line: Mapping[str, Any]) -> Row:
    images = tuple(base64.b64decode(image) for image in line["images"])
    return Row(**{**line, "target": Target(**line["target"]), "images": images})
