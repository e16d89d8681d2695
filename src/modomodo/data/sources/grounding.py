"""Rows of ms-swift: <ref-object> and <bbox> in a question and its answer stand for what a column of objects holds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from modomodo.data.sources.values import BadRowError, written

REF, BOX = "<ref-object>", "<bbox>"
FRAMES = {
    "real": "pixels",
    "norm_1000": "normalised1000",
    "norm1000": "normalised1000",
    "norm_1": "unit",
    "norm1": "unit",
}


@dataclass(frozen=True)
class Objects:
    """Names and boxes in the order in which texts ask for them, and the frame of the boxes, a gold_frame."""

    names: tuple[str, ...]
    boxes: tuple[Any, ...]
    frame: str


def read_objects(value: Any) -> Objects:
    """Return what a column of objects holds: {"ref": [...], "bbox": [...]}, a list of {"caption", "bbox"}, or its text.

    Raises BadRowError.
    """
    if isinstance(value, str):
        value = written(value, list) or written(value, dict)
    if isinstance(value, Mapping):
        table = cast(Mapping[str, Any], value)
        names, boxes, where = table.get("ref") or [], table.get("bbox") or [], table.get("image_id") or []
        kinds = {table.get("bbox_type") or "real"}
    elif isinstance(value, list) and all(isinstance(one, Mapping) for one in cast(list[Any], value)):
        tables = cast(list[Mapping[str, Any]], value)
        names = [name for one in tables for name in _several(one.get("caption") or one.get("ref") or [])]
        boxes, where = [one.get("bbox") for one in tables], [one.get("image") for one in tables]
        kinds = {one.get("bbox_type") or "real" for one in tables}
    else:
        raise BadRowError(f"the objects are {value!r:.60}, not an object with ref and bbox, nor a list of them")
    if len(kinds) != 1 or (kind := kinds.pop()) not in FRAMES:
        raise BadRowError(f"bbox_type of the objects is not one of {', '.join(FRAMES)}")
    if any(where):
        raise BadRowError("the objects name another image than the first, which boxes are of")
    return Objects(tuple(map(str, names)), tuple(boxes), FRAMES[kind])


def _several(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else [value]


def grounded(question: str, gold: Any, objects: Objects, *, frame: str) -> tuple[str, Any]:
    """Return question and gold with names and boxes in the places of REF and BOX.

    Raises BadRowError where there are more or fewer of them than places, where the question asks by a box, whose frame
    would be the model's own, and where boxes are among words.
    """
    answer = gold if isinstance(gold, str) else ""
    if BOX in question:
        raise BadRowError(f"the question {question!r:.80} holds {BOX}: boxes are read in answers alone")
    places = question.count(REF) + answer.count(REF)
    if places and places != len(objects.names):
        raise BadRowError(f"{places} {REF} and {len(objects.names)} names in the objects: they must be as many")
    names = iter(objects.names)
    question = re.sub(REF, lambda _: next(names), question)
    if BOX not in answer:
        return question, re.sub(REF, lambda _: next(names), answer) if REF in answer else gold
    if re.search(r"\w", rest := answer.replace(BOX, "").replace(REF, "")):
        raise BadRowError(f"the answer {answer!r:.80} has {rest.strip()!r:.40} beside its boxes")
    if answer.count(BOX) != len(objects.boxes):
        raise BadRowError(
            f"{answer.count(BOX)} {BOX} and {len(objects.boxes)} boxes in the objects: they must be as many"
        )
    if objects.frame != frame:
        raise BadRowError(f'bbox_type of the objects says that gold_frame is "{objects.frame}", and it is "{frame}"')
    boxes = _flat(objects.boxes)
    return question, boxes[0] if len(boxes) == 1 else boxes


def _flat(boxes: Sequence[Any]) -> list[Any]:
    """Return boxes, those in lists of several for one place among them, in one list."""
    found: list[Any] = []
    for box in boxes:
        nested = isinstance(box, list) and bool(box) and isinstance(box[0], list)
        found += cast(list[Any], box) if nested else [box]
    return found
