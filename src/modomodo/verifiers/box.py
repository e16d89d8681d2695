"""Boxes and points: frames, IoU, and the verifiers `box`, `boxes` and `point`.

Boxes are [x1, y1, x2, y2]; golds are in pixels of the original image, replies in the frame of the View.
"""

from itertools import cycle
from typing import cast, get_args

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.rows import Box, Frame, Target, Verdict, View
from modomodo.verifiers.coordinates import MAX_BOXES, Found, Kind, read_found
from modomodo.verifiers.number import number_text
from modomodo.verifiers.text import normalise

MATCH_IOU = 0.5
"""A pair of `boxes` counts above this IoU."""

LEAST_CONFIDENCE = 0.05
"""A box or point below it is none: detectors drop such by default, and 0 denies what it says."""

_NO_OBJECTS = "no objects"
_ROUNDING = 1e-9
_FAR = 1e100

Scale = tuple[tuple[int, int], tuple[int, int]]
_SAME: Scale = ((1, 1), (1, 1))


def iou(a: Box, b: Box) -> float:
    """Return the intersection over union, in [0, 1], of two boxes with finite x1 < x2 and y1 < y2.

    Within 1e-9 of 1 it is 1: converting a box between frames rounds its last digits.
    """
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0.0 or height <= 0.0:
        return 0.0
    shared = width * height
    area_a = (a[2] - a[0]) * (a[3] - a[1])
    area_b = (b[2] - b[0]) * (b[3] - b[1])
    # In this order the union never rounds below the intersection, and an area that overflows gives 0.
    value = shared / (area_a + (area_b - shared))
    return 1.0 if value > 1.0 - _ROUNDING else value


def grade_box(answer: str, target: Target, view: View) -> Verdict:
    """Return the IoU of the one box of the answer with the gold box; several different boxes are wrong."""
    case = _read(answer, target, view, "box")
    if isinstance(case, Verdict):
        return case
    (gold,), found = case
    if len(found) != 1:
        return Verdict.wrong(answer, f"{len(found)} boxes, where one is asked")
    if found[0].confidence < LEAST_CONFIDENCE:
        return Verdict.wrong(answer, _unsure(found[0]))
    box = _valid_box(found[0].numbers)
    if box is None:
        return Verdict.wrong(answer, "no box: finite x1 < x2 and y1 < y2 are asked")
    value = iou(gold, box)
    return Verdict.partial(value, answer, f"IoU {value:.3f}")


def grade_boxes(answer: str, target: Target, view: View) -> Verdict:
    """Return the summed IoU of the matched pairs over max(predicted, gold); 1 for no boxes where there are none.

    By falling confidence (1 where none is given; ties in the order of the answer) each predicted box takes the
    unmatched gold of best IoU, if above 0.5. An invalid box, or one of next to no confidence, counts as predicted and
    matches nothing; exact duplicates count once, in the answer (with the highest confidence) as in the gold.
    """
    case = _read(answer, target, view, "boxes")
    if isinstance(case, Verdict):
        return case
    golds, found = case
    if not golds and not found:
        return Verdict.right(answer, "no boxes, and none there")
    matched = _match(found, golds)
    value = sum(matched) / max(len(found), len(golds))
    return Verdict.partial(value, answer, f"{len(matched)} matched of {len(found)} predicted, {len(golds)} gold")


def grade_point(answer: str, target: Target, view: View) -> Verdict:
    """Return right when the one point [x, y] of the answer is inside the gold box, its edges included."""
    case = _read(answer, target, view, "point")
    if isinstance(case, Verdict):
        return case
    (gold,), found = case
    if len(found) != 1:
        return Verdict.wrong(answer, f"{len(found)} points, where one is asked")
    if found[0].confidence < LEAST_CONFIDENCE:
        return Verdict.wrong(answer, _unsure(found[0]))
    x, y = found[0].numbers
    inside = gold[0] <= x <= gold[2] and gold[1] <= y <= gold[3]
    return Verdict.right(answer) if inside else Verdict.wrong(answer, "outside the box")


def _unsure(one: Found) -> str:
    return f"a confidence of {one.confidence}, under {LEAST_CONFIDENCE}: it claims nothing"


def gold_coordinates(target: Target, view: View) -> str:
    """Return the bare answer of a `box`, `boxes` or `point` gold in the frame of the view.

    Raises ModomodoError when the gold is malformed or a size that the frame needs is missing.
    """
    golds, scale = _gold_boxes(target, cast(Kind, target.verifier)), _scale(target, view)
    if isinstance(golds, str):
        raise ModomodoError(f"{golds}; correct the row")
    if isinstance(scale, str):
        raise ModomodoError(f"{scale}; set it, or use the frame pixels")
    if target.verifier == "boxes":
        entries = [_write(box, scale) for box in golds]
        return f"[{', '.join(entries)}]"
    box = golds[0]
    middle = ((box[0] + box[2]) / 2.0, (box[1] + box[3]) / 2.0)
    return _write(middle if target.verifier == "point" else box, scale)


def _read(answer: str, target: Target, view: View, kind: Kind) -> tuple[tuple[Box, ...], list[Found]] | Verdict:
    """Return the gold boxes and the found ones in pixels of the original image, or the verdict where one is missing."""
    golds = _gold_boxes(target, kind)
    if isinstance(golds, str):
        return Verdict.ungradable(golds, answer)
    scale = _scale(target, view)
    if isinstance(scale, str):
        return Verdict.ungradable(scale, answer)
    if kind == "boxes" and len(answer) <= 32 and normalise(answer) == _NO_OBJECTS:
        return golds, []
    found = read_found(answer, kind)
    if isinstance(found, str):
        return Verdict.unparsed(found, answer)
    if len(found) > 1:
        found = _without_duplicates(found)
    if scale is not _SAME:
        found = [Found(_scaled(numbers, scale), confidence) for numbers, confidence in found]
    return golds, found


def _gold_boxes(target: Target, kind: Kind) -> tuple[Box, ...] | str:
    """Return the gold boxes (one, unless the kind is `boxes`), or the reason why they are malformed."""
    values = target.value if kind == "boxes" else (target.value,)
    if not isinstance(values, tuple):
        return f"the gold of boxes is {values!r}, not a tuple of boxes"
    if len(values) > MAX_BOXES:
        return f"the gold of boxes holds {len(values)} boxes, over the cap of {MAX_BOXES}"
    golds: list[Box] = []
    for value in values:
        box = _valid_box(value) if isinstance(value, tuple) else None
        if box is None:
            return f"the gold of {kind} holds {value!r}, not a box [x1, y1, x2, y2] with finite x1 < x2 and y1 < y2"
        golds.append(box)
    return tuple(dict.fromkeys(golds))


def _without_duplicates(found: list[Found]) -> list[Found]:
    confidences: dict[tuple[float, ...], float] = {}
    for numbers, confidence in found:
        confidences[numbers] = max(confidence, confidences.get(numbers, confidence))
    return [Found(numbers, confidence) for numbers, confidence in confidences.items()]


def _valid_box(numbers: tuple[object, ...]) -> Box | None:
    """Return the four numbers as a box when they are finite with x1 < x2 and y1 < y2; nothing is clipped or swapped."""
    if len(numbers) != 4:
        return None
    for number in numbers:
        if not isinstance(number, float) and type(number) is not int:
            return None
    x1, y1, x2, y2 = cast(Box, numbers)
    # Sides so thin that their area rounds to 0 would leave an IoU of 0 / 0.
    if not (-_FAR < x1 < x2 < _FAR and -_FAR < y1 < y2 < _FAR and (x2 - x1) * (y2 - y1) > 0.0):
        return None
    return x1, y1, x2, y2


def _scale(target: Target, view: View) -> Scale | str:
    """Return [width, height] of the image in its own pixels and in units of the reply, or which size is missing."""
    if view.frame == "pixels":
        return _SAME
    size = target.image_size
    if size is None or min(size) <= 0:
        return f"the frame {view.frame} needs the image size, which is {size}"
    if view.frame == "normalised1000":
        return size, (1000, 1000)
    if view.frame == "unit":
        return size, (1, 1)
    if view.frame == "resized":
        resized = view.size_after(size)
        if resized is None or min(resized) <= 0:
            return f"the frame resized needs the resized size, which is {resized}"
        return size, resized
    raise ModomodoError(f"unknown frame {view.frame!r}; {closest(view.frame, get_args(Frame))}")


def _scaled(numbers: tuple[float, ...], scale: Scale) -> tuple[float, ...]:
    # Multiplied before it is divided: so an edge in whole pixels stays one.
    return tuple(number * to / of for number, to, of in zip(numbers, cycle(scale[0]), cycle(scale[1]), strict=False))


def _match(found: list[Found], golds: tuple[Box, ...]) -> list[float]:
    """Return the IoU of the matched pairs, the most confident prediction choosing first."""
    free = list(golds)
    matched: list[float] = []
    # sorted() is stable: equal confidences keep the order of the answer.
    for numbers, confidence in sorted(found, key=lambda one: -one.confidence):
        box = _valid_box(numbers) if confidence >= LEAST_CONFIDENCE else None
        if box is None or not free:
            continue
        values = [iou(gold, box) for gold in free]
        best = max(values)
        if best > MATCH_IOU:
            matched.append(best)
            del free[values.index(best)]
    return matched


def _write(numbers: tuple[float, ...], scale: Scale) -> str:
    return f"[{', '.join(map(number_text, _scaled(numbers, (scale[1], scale[0]))))}]"
