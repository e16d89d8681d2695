"""Golds with coordinates, as sets write them, and golds of each verifier from what the column holds."""

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from modomodo.core.rows import Box
from modomodo.data.sources.marks import check_text
from modomodo.data.sources.options import letter_of
from modomodo.data.sources.source import BOXED, Source
from modomodo.data.sources.values import BadRowError, written
from modomodo.verifiers.coordinates import read_found
from modomodo.verifiers.number import read_number

_LATEX = re.compile(r"\\[A-Za-z]+|\$.+\$|[A-Za-z0-9)}]\s*\^\s*[\w{(]")
_NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"
_PAIR = re.compile(rf"\s*\({_NUMBER},{_NUMBER}\)\s*,?\s*\({_NUMBER},{_NUMBER}\)\s*")
_FENCE = re.compile(r"\A```\w*\s*\n(.*?)\n?\s*```\Z", re.DOTALL)
_NAME = re.compile(r"<\|object_ref_start\|>.*?<\|object_ref_end\|>|<ref>.*?</ref>", re.DOTALL)
_TOKENS = re.compile(r"<\|box_start\|>(.*?)<\|box_end\|>|<box>(.*?)</box>", re.DOTALL)
# Boxes and points in the tokens of PaliGemma, Florence, Molmo and others, each in a frame of its own.
_LOCATION = re.compile(
    r"</?(?:loc|points?|coords?|bin|seg|poly|quad|region|bbox|box|pos|[xy][12])[_-]?\d*(?:\s+\w+=[^<>]*)?/?>",
    re.IGNORECASE,
)
CORNERS = "write x1, y1, x2, y2 in pixels, as bbox"
OTHER_ORDER = "box_2d"
ORDERS = {
    "box_2d": "y1, x1, y2, x2 in thousandths in Gemini's sets",
    "xywh": "x, y, width, height",
    "ltwh": "x, y, width, height",
    "tlwh": "x, y, width, height",
    "coco": "x, y, width, height",
    "cxcywh": "a centre, width, height",
    "xcycwh": "a centre, width, height",
    "xywhn": "a centre, width, height",
    "yolo": "a centre, width, height",
    "yxyx": "y1, x1, y2, x2",
    "yminxminymaxxmax": "y1, x1, y2, x2",
    "tlbr": "y1, x1, y2, x2",
}
"""Orders of the four numbers of a box other than x1, y1, x2, y2, as columns and formats call them."""
_OBJECT = re.compile(r"\s*(?:```\w*\s*)?\[?\s*\{\s*['\"]\w+['\"]\s*:")
_KEYS = ("bbox_2d", "bbox", "box", "position")
_CORNERS = (("x1", "y1", "x2", "y2"), ("xmin", "ymin", "xmax", "ymax"), ("x_min", "y_min", "x_max", "y_max"))
_CORNERS += (("left", "top", "right", "bottom"),)
_SIDES = (("x", "y", "width", "height"), ("x", "y", "w", "h"), ("left", "top", "width", "height"))


def gold_for(verifier: str, value: Any, options: tuple[str, ...], source: Source) -> Any:
    """Return the gold that a verifier reads from what the column of the answers holds.

    Raises BadRowError.
    """
    if verifier == "choice":
        return letter_of(value, options, source.answer_as if options else "letter")
    if verifier == "format":
        return ""
    if value is None or isinstance(value, bool):
        raise BadRowError(f"the answer in {source.answer} is {value!r}: write the text or number that is asked for")
    if verifier not in BOXED:
        for text in cast(list[Any], value) if isinstance(value, list) else [value]:
            if isinstance(text, str):
                _check(text)
        return tuple(cast(list[Any], value)) if isinstance(value, list) else value
    boxes = read_boxes(value)
    if verifier == "boxes":
        return boxes
    if len(boxes) != 1:
        raise BadRowError(f"the answer holds {len(boxes)} boxes, where {verifier} asks for one")
    return boxes[0]


def is_latex(value: object) -> bool:
    """Return whether an answer is written in LaTeX, or has a power."""
    return isinstance(value, str) and _LATEX.search(value) is not None


def _check(text: str) -> None:
    """Raise BadRowError for a gold that no reply could be, or that would be judged as another number."""
    check_text(text, "answer")
    if token := _LOCATION.search(text):
        raise BadRowError(
            f"the answer {text!r:.80} has {token[0]!r:.40} inside, a place as one model writes it: write boxes as "
            "[x1, y1, x2, y2], for the verifier box"
        )
    if _OBJECT.match(text):
        raise BadRowError(
            f"the answer {text!r:.80} is an object, which no reply is to the letter: name what is asked for in it, as "
            "answer.KEY, and write boxes as [x1, y1, x2, y2]"
        )
    number = read_number(text)
    if number and not float(number):
        raise BadRowError(f"the answer {text!r:.60} is too small a number, and would be judged as 0: use another unit")


def read_boxes(value: object) -> tuple[Box, ...]:
    """Return the boxes of an answer: [x1, y1, x2, y2], an object with one, a list of them, or the text of any of these.

    A text may be in a fence, or write boxes as models do: (x1,y1),(x2,y2), <|box_start|>...<|box_end|>.

    Raises BadRowError.
    """
    if isinstance(value, str) and value.strip().strip(".").lower() == "no objects":
        return ()
    bare = _of_text(value.strip()) if isinstance(value, str) else _bare(value)
    text = bare if isinstance(bare, str) else json.dumps(bare, default=repr)
    found = read_found(text.strip(), "boxes")
    if isinstance(found, str):
        raise BadRowError(f"the boxes {str(value)[:60]!r} cannot be read: {found}")
    return tuple(cast(Box, one.numbers) for one in found)


def _of_text(text: str) -> Any:
    """Return the list that a text with boxes writes, else the text."""
    if fence := _FENCE.match(text):
        text = fence[1].strip()
    text = _NAME.sub("", text).strip()
    if _TOKENS.search(text):
        if re.search(r"\w", rest := _TOKENS.sub("", text)):
            raise BadRowError(f"the boxes {text[:60]!r} are among other words, {rest.strip()[:40]!r}")
        held = ((first or second).strip() for first, second in _TOKENS.findall(text))
        return "[" + ", ".join(one[1:-1] if one.startswith("[[") else _pair(one) for one in held) + "]"
    found = written(text, list) or written(text, dict)
    return _pair(text) if found is None else _bare(found)


def _pair(text: str) -> str:
    """Return (x1,y1),(x2,y2) as [x1, y1, x2, y2]; other texts as they are."""
    corners = _PAIR.fullmatch(text)
    return f"[{', '.join(corners.groups())}]" if corners else text


def _bare(value: Any) -> Any:
    """Return boxes without what is beside them: names, confidences."""
    if isinstance(value, Mapping):
        return _box_of({str(key).lower(): one for key, one in cast(Mapping[Any, Any], value).items()})
    if isinstance(value, list | tuple):
        return [_bare(one) for one in cast(list[Any], value)]
    return value


def _box_of(table: dict[str, Any]) -> Any:
    """Return the box of an object, as [x1, y1, x2, y2].

    Raises BadRowError.
    """
    if OTHER_ORDER in table:
        raise BadRowError(f"the box is called {OTHER_ORDER}, which is {ORDERS[OTHER_ORDER]}: {CORNERS}")
    keys = [key for key in _KEYS if key in table]
    if len(keys) == 1:
        return _bare(table[keys[0]])
    for names in (*_CORNERS, *_SIDES):
        if not keys and all(isinstance(table.get(name), int | float) for name in names):
            first, second, third, fourth = (cast(float, table[name]) for name in names)
            return [first, second, first + third, second + fourth] if names in _SIDES else [*map(table.get, names)]
    raise BadRowError(f"an object with the keys {', '.join(map(repr, list(table)[:8]))} holds not one box: write bbox")
