"""LISA's ReasonSeg as detection: one box for the region that a question means; every question of an image is a row.

Read from its own files: beside each image a JSON file with `shapes` (polygons in pixels), `text` (the questions) and
`is_sentence`. The box encloses all polygons of the target within the image; those with "ignore" in their label, and
the deprecated "flag", are left out. Source: LISA, utils/data_processing.py. The copies Ricky06662/ReasonSeg_test and
_val, with one question an image and a `mask` in place of polygons, are read too (their masks take the ignored regions
in: Seg-Zero, evaluation_scripts/create_reasonseg_hf.py).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Box, Target
from modomodo.data.sources.build import Draft, SourceDomain
from modomodo.data.sources.columns import pictures_of
from modomodo.data.sources.pictures import fit
from modomodo.data.sources.records import Record
from modomodo.data.sources.source import Source
from modomodo.data.sources.values import BadRowError, plain


def drafts(record: Record, source: Source) -> Iterator[Draft]:
    """Yield a row for each question of an image."""
    pictures = pictures_of(record, source)
    if len(pictures) != 1:
        raise BadRowError(f"{len(pictures)} images, where one is asked")
    if "mask" in record.columns:
        box, id, whole = _around_mask(record.get("mask")), plain(record.get("ann_id"), "ann_id"), True
    else:
        box, id = _around_shapes(record.get("shapes"), pictures[0]), plain(record.get("name"), "name")
        whole = bool(record.get("is_sentence"))
    texts = record.get("text")
    for number, text in enumerate(texts if isinstance(texts, list) else [texts]):
        said = plain(text, "text").strip()
        yield Draft(_question(said, whole), Target("box", box), pictures, id, f"q{number}")


def _question(text: str, whole: bool) -> str:
    if not text:
        raise BadRowError("a question is empty")
    text = text if whole else f"What is {text} in this picture?"
    return f"{text}\nGive the box around what is meant."


def _around_shapes(shapes: Any, picture: bytes | Path) -> Box:
    """Return the box around the target polygons, as far as they are in the image."""
    try:
        labelled = [(str(shape["label"]).lower(), shape["points"]) for shape in shapes]
        points = [
            (float(x), float(y))
            for label, found in labelled
            if label != "flag" and "ignore" not in label
            for x, y in found
        ]
    except (TypeError, ValueError, KeyError) as error:
        raise BadRowError(f"the shapes cannot be read: {type(error).__name__} {error}") from error
    if not points:
        raise BadRowError("no shape of a target")
    try:
        width, height = fit(picture, None).original
    except ModomodoError as error:
        raise BadRowError(str(error)) from error
    xs = [min(max(x, 0.0), width) for x, _ in points]
    ys = [min(max(y, 0.0), height) for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def _around_mask(mask: Any) -> Box:
    if not isinstance(mask, list):
        raise BadRowError(f"the mask is a {type(mask).__name__}, not a list of lines")
    lines = [number for number, line in enumerate(mask) if any(line)]
    columns = [number for number, column in enumerate(zip(*mask, strict=True)) if any(column)]
    if not lines or not columns:
        raise BadRowError("the mask is empty")
    return float(columns[0]), float(lines[0]), float(columns[-1] + 1), float(lines[-1] + 1)


LISA = SourceDomain(
    "lisa",
    Source(
        licence="unknown",
        splits={"train": "train", "test": "test"},
        rows={"train": 1326, "test": 3397},
        unusable=30,
    ),
    drafts,
    hint=(
        "ReasonSeg is not on the hub with its polygons: get its train.zip and test.zip by "
        "https://github.com/dvlab-research/LISA#dataset and unpack them into one folder"
    ),
)
