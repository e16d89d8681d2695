"""Boxes among answers: in which frame they are, and what says that they are no x1, y1, x2, y2."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from modomodo.cli.init.names import words
from modomodo.cli.init.table import Table
from modomodo.core.errors import ModomodoError
from modomodo.data.sources.build import OUTSIDE
from modomodo.data.sources.golds import CORNERS, ORDERS, read_boxes
from modomodo.data.sources.values import BadRowError

Size = tuple[int, int]
Frame = Literal["pixels", "normalised1000", "unit"]
Numbers = tuple[float, ...]
Boxed = Sequence[Sequence[Numbers] | None]
"""The boxes of each answer, None of one that cannot be read."""

NEARLY = 0.9  # share of boxes from which a frame holds for all, and the others are mistakes
ENOUGH = 8  # boxes that no chance puts into one corner of their images
WIDE = 200  # pixels of a side, twice what percent reach
AREA = 0.02  # of w * h, by which a stated area may differ from rounding
PLACES = frozenset(
    {
        "box",
        "boxes",
        "bbox",
        "bboxes",
        "bounding",
        "rect",
        "rectangle",
        "region",
        "location",
        "position",
        "point",
        "roi",
    }
    | {"coordinates", "coordinate", "coords", "corners", "where", "locate", "located", "find", "detect", "detection"}
    | {"ground", "grounding"}
)
"""Words that say of an answer, or of a question, that it is about a place."""


def boxes_in(values: Sequence[object]) -> list[list[Numbers] | None] | None:
    """Return the boxes of each answer, None of a few that cannot be read; None where more cannot, or none is there."""
    boxed = [_boxes(value) for value in values]
    read = [boxes for boxes in boxed if boxes is not None]
    return boxed if any(read) and len(read) >= NEARLY * len(boxed) else None


def _boxes(value: object) -> list[Numbers] | None:
    try:
        return [tuple(box) for box in read_boxes(value)]
    except BadRowError:
        return None


def is_nested(value: object) -> bool:
    """Return whether an answer is a list of boxes rather than one."""
    text = value if isinstance(value, str) else json.dumps(value, default=repr)
    return re.match(r"\s*(```\w*)?\s*[\[(]\s*[\[{]", text) is not None


def frame_of(boxed: Boxed, sizes: Sequence[Size | None]) -> tuple[Frame, str, tuple[str, ...]]:
    """Return the frame that nearly all boxes are in, why, and what is odd about them.

    `sizes` are [width, height] of the images, None where one is not known; a box may reach out by OUTSIDE pixels.

    Raises ModomodoError for percent.
    """
    flat = [(box, size) for boxes, size in zip(boxed, sizes, strict=True) for box in boxes or ()]
    known = [(box, size) for box, size in flat if size is not None]
    inside = sum(_within(box, size) for box, size in known)
    notes = tuple(_odd_boxes([box for box, _ in flat], known))
    if sum(max(box) <= 1 for box, _ in flat) >= NEARLY * len(flat):
        highest = max(max(box) for box, _ in flat)
        return "unit", f"the greatest coordinate is {highest:g}: shares of width and height", notes
    _refuse_percent(known)
    thousandths = sum(max(box) <= 1000 for box, _ in flat)
    out = f"{len(known) - inside} of {len(known)} boxes reach out of their images"
    if inside < NEARLY * len(known) and thousandths >= NEARLY * len(flat):
        if inside > len(known) / 2:
            notes += (f"{out}, so they are taken for thousandths; are they pixels, and these few mistakes?",)
        return "normalised1000", f"{out}, and none goes over 1000: thousandths of width and height", notes
    if inside < len(known) and thousandths == len(flat):
        notes += (f"{out}, and are taken for mistakes; are all boxes thousandths (normalised1000)?",)
    if known and thousandths == len(flat) and all(min(size) > 1000 for _, size in known):
        notes += ("no box goes over 1000, and all images are larger: are boxes thousandths (normalised1000)?",)
    where = f"{inside} of {len(known)} boxes looked at lie inside their images" if known else "no size is known"
    return "pixels", f"{where}: pixels; else normalised1000 (0 to 1000) or unit (0 to 1)", notes


def _within(box: Numbers, size: Size) -> bool:
    return max(box[0], box[2]) <= size[0] + OUTSIDE and max(box[1], box[3]) <= size[1] + OUTSIDE


def _odd_boxes(flat: Sequence[Numbers], known: Sequence[tuple[Numbers, Size]]) -> list[str]:
    turned = sum(box[2] <= box[0] or box[3] <= box[1] for box in flat)
    if turned:
        return [
            f"{turned} of {len(flat)} boxes end before they begin: are they x, y, width, height, not x1, y1, x2, y2?"
        ]
    sides = sum(_within((*box[:2], box[0] + box[2], box[1] + box[3]), size) for box, size in known)
    if len(known) >= ENOUGH and sides == len(known):
        return [
            "boxes are read as x1, y1, x2, y2, and all would also lie inside their images as x, y, width, height: "
            "which are they?"
        ]
    return []


def _refuse_percent(known: Sequence[tuple[Numbers, Size]]) -> None:
    highest = max((max(box) for box, _ in known), default=0)
    if len(known) >= ENOUGH and highest <= 100 and all(min(size) > WIDE for _, size in known):
        width, height = known[0][1]
        raise ModomodoError(
            f"no coordinate of {len(known)} boxes goes over {highest:g}, in images such as {width} x {height}: they "
            "look like percent, which no gold_frame reads: write pixels, or shares from 0 to 1"
        )


def refuse_other_orders(table: Table, answer: str, boxed: Boxed) -> None:
    """Raise ModomodoError where something in the table says that boxes are not x1, y1, x2, y2.

    That is the column's name (bbox_xywh, box_2d), the format in another column, or areas that are width * height.
    """
    said = _named_order(answer)
    why = f"column {answer!r} is by its name {said}"
    if said is None:
        found = next(((name, order) for name in table.columns if (order := _stated_order(name, table.columns))), None)
        said, why = (found[1], f"column {found[0]!r} says that boxes are {found[1]}") if found else (None, "")
    if said is None and (area := _sides_by_area(table.columns, answer, boxed)) is not None:
        said, why = "sides", f"{area!r} is width * height where the boxes in {answer!r} are x, y, width, height"
    if said is not None:
        raise ModomodoError(f"{table.path}: {why}, and boxes are read as x1, y1, x2, y2: {CORNERS}")


def _named_order(name: str) -> str | None:
    last = name.lower().rpartition(".")[2]
    return next((what for key, what in ORDERS.items() if key == last or key in words(name)), None)


def _stated_order(name: str, columns: Mapping[str, Sequence[Any]]) -> str | None:
    """Return the order that a column such as bbox_format states in some row."""
    if not words(name) & {"box", "bbox", "boxes", "bboxes", "format"}:
        return None
    values = {re.sub(r"[^a-z0-9]", "", one.lower()) for one in columns[name] if isinstance(one, str) and len(one) < 40}
    return next((what for key, what in ORDERS.items() if key.replace("_", "") in values), None)


def _sides_by_area(columns: Mapping[str, Sequence[Any]], answer: str, boxed: Boxed) -> str | None:
    """Return a column with the areas of the boxes, where these are products of their last two numbers, not of sides."""
    for name in (name for name in columns if "area" in words(name) and name != answer):
        pairs = [
            (box[0], area)
            for box, area in zip(boxed, columns[name], strict=True)
            if box is not None and len(box) == 1 and isinstance(area, int | float) and area > 0
        ]
        sides = sum(abs(box[2] * box[3] / area - 1) <= AREA for box, area in pairs)
        corners = sum(abs((box[2] - box[0]) * (box[3] - box[1]) / area - 1) <= AREA for box, area in pairs)
        # An area of the outline is a part of the box's.
        within = sum(area <= (1 + AREA) * box[2] * box[3] for box, area in pairs)
        over = sum(area > (1 + AREA) * abs((box[2] - box[0]) * (box[3] - box[1])) for box, area in pairs)
        outlines = within >= NEARLY * len(pairs) and over > (1 - NEARLY) * len(pairs)
        if pairs and (sides >= NEARLY * len(pairs) > corners or outlines):
            return name
    return None
