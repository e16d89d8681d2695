"""The images of the samples, small, as far as the rows can still be read."""

import base64
import io
import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Row, open_image
from modomodo.runs.inputs import find_rows

SIDE = 240  # pixels of the longer side
MOST = 3  # images of a row
# Data may have been moved or damaged since the run, and so may the package that reads them.
LOST = (ImportError, LookupError, OSError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True)
class Album:
    """The images of samples as data: addresses, by domain and row; `lost` are the domains that lack some."""

    pictures: Mapping[tuple[str, str], tuple[str, ...]]
    lost: frozenset[str]

    def of(self, line: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the images that belong to a line of samples.jsonl."""
        return self.pictures.get((line["domain"], line["row_id"]), ())


def read_album(recipe: Recipe, lines: Sequence[Mapping[str, Any]]) -> Album:
    """Return the images of the rows that these lines of samples.jsonl asked.

    A row that now asks another question, or has another answer, is another one; lines without a question have no
    image.
    """
    asked = {(line["domain"], line["row_id"]): _content(line) for line in lines if has_question(line)}
    pictures: dict[tuple[str, str], tuple[str, ...]] = {}
    for name in dict.fromkeys(domain for domain, _ in asked):
        for row in _rows(recipe, name, {row_id for domain, row_id in asked if domain == name}):
            now = {"question": row.question, "gold": row.target.value, "options": row.target.options}
            if _content(now) == asked[name, row.id] and (small := _thumbnails(row)) is not None:
                pictures[name, row.id] = small
    return Album(pictures, frozenset(name for name, row_id in asked if (name, row_id) not in pictures))


def has_question(line: Mapping[str, Any]) -> bool:
    """Return whether a line of samples.jsonl says what was asked; those of earlier versions do not."""
    return isinstance(line.get("question"), str)


def _content(row: Mapping[str, Any]) -> str:
    return json.dumps([row.get("question"), row.get("gold"), row.get("options") or []])


def _rows(recipe: Recipe, name: str, ids: Set[str]) -> tuple[Row, ...]:
    try:
        return find_rows(recipe, name, ids)
    except LOST:
        return ()


def _thumbnails(row: Row) -> tuple[str, ...] | None:
    try:
        return tuple(thumbnail(image) for image in row.images[:MOST])
    except ModomodoError:
        return None


def thumbnail(image: bytes | Path) -> str:
    """Return an image as a data: address, at most SIDE pixels long, in whichever format is smaller.

    Raises ModomodoError when it cannot be read.
    """
    picture = open_image(image)
    picture.thumbnail((SIDE, SIDE))
    encoded: dict[str, bytes] = {}
    for name in ("PNG", "JPEG"):
        file = io.BytesIO()
        picture.save(file, name, optimize=True, quality=60)  # PNG knows no quality
        encoded[name] = file.getvalue()
    name = min(encoded, key=lambda one: len(encoded[one]))
    return f"data:image/{name.lower()};base64,{base64.b64encode(encoded[name]).decode()}"
