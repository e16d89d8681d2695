"""The grammar of answers with coordinates: JSON, Python, and what the families of models write of themselves.

It has a fixed depth, and reads the answer once from left to right:

    answer := part (","? part)*                              part := list | entry | "<box>" list ("," list)* "</box>"
    list := "[" [value ("," value)*] "]"                     value := number | list | entry
    entry := "{" pair ("," pair)* "}" | "[" pair ("," pair)* "]"
    pair := position ":" (list | entry) | side ":" number | confidence ":" number | label ":" (string | number | null)

A box is a list of four numbers, or of two points, (x1, y1), (x2, y2), which may also stand alone, or four named sides;
a point is a list of two. A key stands in double, single or no quotes, in any case. Round brackets serve as square ones
(Python tuples), a comma may trail. What adds nothing (a code fence, \\boxed{}) is dropped before, in spoken.py.
"""

import re
from typing import NamedTuple

from modomodo.verifiers.spoken import CLOSE, OPEN, Kind, denies, plain_coordinates

MAX_BOXES = 256
MAX_CHARS: dict[Kind, int] = {"box": 1_000, "boxes": 32_768, "point": 1_000}
MAX_DEPTH = 3

_BOX_KEYS = frozenset({"position", "bbox", "bbox2d", "box", "boundingbox", "coordinates", "coords"})
_POSITIONS: dict[Kind, frozenset[str]] = {
    "box": _BOX_KEYS,
    "boxes": _BOX_KEYS,
    "point": frozenset({"position", "point", "point2d", "coordinate", "coordinates", "coords", "click"}),
}
_SIDES: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "box": (("x1", "y1", "x2", "y2"), ("xmin", "ymin", "xmax", "ymax"), ("left", "top", "right", "bottom")),
    "boxes": (("x1", "y1", "x2", "y2"), ("xmin", "ymin", "xmax", "ymax"), ("left", "top", "right", "bottom")),
    "point": (("x", "y"),),
}
# By the upper left corner and the size.
_SIZED = (("x", "y", "width", "height"), ("x", "y", "w", "h"), ("left", "top", "width", "height"))
_SIDE_NAMES = frozenset(name for names in (*_SIDES["box"], *_SIZED) for name in names)
_CONFIDENCES = frozenset({"confidence", "score"})
_NAMES = """
    label sublabel class classname category name object objectname description textcontent text caption phrase ref
    type id index idx classid categoryid objectid trackid
"""
_LABELS = frozenset(_NAMES.split())
_CLOSERS = {"[": "]", "(": ")"}
_NULLS = frozenset({"null", "None"})
# One way only to split any run of digits: an ambiguous one would backtrack in quadratic time.
_NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
# A character that starts no token comes out as a token of its own, which no rule accepts.
# A string that does not end takes all the rest, so that no other is looked for in it.
_STRING = r""""(?:[^"\\]|\\.)*(?:"|\Z)|'(?:[^'\\]|\\.)*(?:'|\Z)"""
_TOKEN = re.compile(rf"""</?box>|[][(){{}},:]|{_NUMBER}|[A-Za-z_][A-Za-z0-9_]*|{_STRING}|\S""", re.DOTALL)
_NUMBER_STARTS = frozenset("+-.0123456789")
_KEY_STARTS = re.compile(r"[A-Za-z_\"']")
_FLAT = re.compile(rf"\[ ?({_NUMBER}), ?({_NUMBER}), ?({_NUMBER}), ?({_NUMBER}) ?\]")
_QUOTES = frozenset("\"'")
_END = ""

Numbers = tuple[float, ...]


class Found(NamedTuple):
    """One box or point of an answer: its numbers as written, and its confidence (1 where none is given)."""

    numbers: Numbers
    confidence: float = 1.0


class _List(list["_Value"]):
    """A list as it was written; not yet known what it is."""


_Value = float | Found | _List


class _UnreadableError(ValueError):
    """Says where the answer leaves the grammar; never leaves this module."""


def read_found(answer: str, kind: Kind) -> list[Found] | str:
    """Return the boxes (points, for kind `point`) of the answer in its order, or the reason why it is unparsed."""
    if len(answer) > MAX_CHARS[kind]:
        return f"{len(answer)} characters, over the cap of {MAX_CHARS[kind]} for {kind}"
    # The commonest answer by far is one flat list.
    if kind != "point" and (flat := _FLAT.fullmatch(answer)):
        return [Found(tuple(map(float, flat.groups())))]
    tokens = [_END, *reversed(_TOKEN.findall(plain_coordinates(answer, kind)))]
    try:
        found = _read_answer(tokens, kind)
    except _UnreadableError as error:
        return str(error)
    return found if len(found) <= MAX_BOXES else f"{len(found)} boxes, over the cap of {MAX_BOXES}"


def _read_answer(tokens: list[str], kind: Kind) -> list[Found]:
    """Read the tokens, the next one last, to their end."""
    parts = _List()
    marked: list[Found] = []
    while tokens[-1] != _END:
        if tokens[-1] == OPEN:
            tokens.pop()
            marked += _boxes_of(_read_values(tokens, CLOSE, kind, 1), kind, 2)
            _skip_comma(tokens)
        else:
            parts.append(_read_value(tokens, kind, 1))
            if tokens[-1] != _END:
                _expect(tokens, ",")
    if marked and parts:
        raise _UnreadableError("boxes in tokens and boxes without")
    if any(isinstance(part, float) for part in parts):
        raise _UnreadableError("numbers without brackets")
    alone = parts[0] if len(parts) == 1 else None
    return marked or _boxes_of(alone if isinstance(alone, _List) else parts, kind, 1)


def _boxes_of(values: _List, kind: Kind, depth: int) -> list[Found]:
    """Return what a list is: one box, by its numbers or two points, or `depth` levels of lists of boxes."""
    numbers = _numbers_of(values, kind)
    if numbers is not None:
        return [Found(numbers)]
    found: list[Found] = []
    for value in values:
        if isinstance(value, Found):
            found.append(value)
        elif isinstance(value, _List) and (depth > 1 or _numbers_of(value, kind) is not None):
            found += _boxes_of(value, kind, 1)
        else:
            many = len(value if isinstance(value, _List) else values)
            raise _UnreadableError(f"{many} numbers, where {_asked(kind)} are asked")
    return found


def _numbers_of(values: _List, kind: Kind) -> Numbers | None:
    """Return the numbers of one box or point, or None where the list is none."""
    flat = tuple(value for value in values if isinstance(value, float))
    if len(flat) == len(values) == _asked(kind):
        return flat
    pairs = [value for value in values if isinstance(value, _List) and len(value) == 2]
    if kind == "point" or not len(values) == len(pairs) == 2:
        return None
    corners = tuple(value for pair in pairs for value in pair if isinstance(value, float))
    return corners if len(corners) == 4 else None


def _asked(kind: Kind) -> int:
    return 2 if kind == "point" else 4


def _read_value(tokens: list[str], kind: Kind, depth: int) -> _Value:
    if tokens[-1] == "{" or (tokens[-1] == "[" and _KEY_STARTS.match(tokens[-2])):
        return _read_entry(tokens, kind)
    closer = _CLOSERS.get(tokens[-1])
    if closer is None:
        return _read_number(tokens)
    if depth > MAX_DEPTH:
        raise _UnreadableError(f"lists nested over {MAX_DEPTH} deep")
    tokens.pop()
    return _read_values(tokens, closer, kind, depth + 1)


def _read_values(tokens: list[str], closer: str, kind: Kind, depth: int) -> _List:
    values = _List()
    while tokens[-1] != closer:
        values.append(_read_value(tokens, kind, depth))
        if tokens[-1] != closer:
            _expect(tokens, ",")
    tokens.pop()
    return values


def _read_number(tokens: list[str]) -> float:
    token = tokens[-1]
    if token[:1] in _NUMBER_STARTS:
        try:
            number = float(token)
        except ValueError:
            number = None
        if number is not None:
            tokens.pop()
            return number
    raise _UnreadableError(f"{_show(token)} where a number or a list should stand")


def _read_entry(tokens: list[str], kind: Kind) -> Found:
    closer = {"{": "}", "[": "]"}[tokens.pop()]
    numbers: Numbers | None = None
    confidence: float | None = None
    sides: dict[str, float] = {}
    while tokens[-1] != closer:
        key = _read_key(tokens)
        _expect(tokens, ":")
        if key in _POSITIONS[kind] and numbers is None:
            numbers = _read_position(tokens, kind)
        elif key in _CONFIDENCES and confidence is None:
            confidence = _read_confidence(tokens)
        elif key in _SIDE_NAMES and key not in sides:
            sides[key] = _read_number(tokens)
        elif key in _LABELS:
            _read_label(tokens)
        else:
            raise _UnreadableError(f"the key {_show(key)} is unknown or comes twice")
        if tokens[-1] != closer:
            _expect(tokens, ",")
    tokens.pop()
    if sides and numbers is None:
        numbers = _numbers_of_sides(sides, kind)
        sides = {}
    if numbers is None or sides:
        raise _UnreadableError(f"an entry without one {kind}")
    return Found(numbers, 1.0 if confidence is None else confidence)


def _numbers_of_sides(sides: dict[str, float], kind: Kind) -> Numbers | None:
    """Return the numbers of a box or point by its named sides, in any order; None where they name none."""
    for names in _SIDES[kind]:
        if sides.keys() == set(names):
            return tuple(sides[name] for name in names)
    for names in _SIZED if kind != "point" else ():
        if sides.keys() == set(names):
            x, y, wide, high = (sides[name] for name in names)
            return x, y, x + wide, y + high
    return None


def _read_position(tokens: list[str], kind: Kind) -> Numbers:
    value = _read_value(tokens, kind, MAX_DEPTH - 1)
    numbers = _numbers_of(value, kind) if isinstance(value, _List) else None
    if isinstance(value, Found):  # by named sides
        numbers = value.numbers
    if numbers is None:
        raise _UnreadableError(f"a position that is not a list of {_asked(kind)} numbers")
    return numbers


def _read_confidence(tokens: list[str]) -> float:
    """Return a confidence, as a number or its text."""
    if tokens[-1][:1] in _QUOTES:
        tokens.append(_read_string(tokens))
    return _read_number(tokens)


def _read_label(tokens: list[str]) -> None:
    """Pass over what a box is called; raises _UnreadableError where that denies it."""
    if tokens[-1] in _NULLS:
        tokens.pop()
    elif tokens[-1][:1] in _NUMBER_STARTS:
        _read_number(tokens)
    elif denies(label := _read_string(tokens)):
        raise _UnreadableError(f"the label {_show(label)}")


def _read_key(tokens: list[str]) -> str:
    if tokens[-1] == _END:
        raise _UnreadableError("the end where a key should stand")
    key = _read_string(tokens) if tokens[-1][:1] in _QUOTES else tokens.pop()
    return key.lower().replace("_", "").replace(" ", "")


def _read_string(tokens: list[str]) -> str:
    token = tokens.pop()
    if len(token) < 2 or token[0] not in _QUOTES or token[-1] != token[0]:
        raise _UnreadableError(f"{_show(token)} where a string should stand")
    return token[1:-1]


def _skip_comma(tokens: list[str]) -> None:
    if tokens[-1] == "," and tokens[-2] == OPEN:
        tokens.pop()


def _expect(tokens: list[str], token: str) -> None:
    if tokens[-1] != token:
        raise _UnreadableError(f"{_show(tokens[-1])} where {_show(token)} is asked")
    if token:
        tokens.pop()


def _show(token: str) -> str:
    return repr(token[:40]) if token else "the end"
