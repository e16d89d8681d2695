"""The grammar of answers with coordinates: JSON, Python, and what the families of models write of themselves.

It has a fixed depth, and reads the answer once from left to right:

    answer := part (","? part)*                              part := list | entry | "<box>" list ("," list)* "</box>"
    list := "[" [value ("," value)*] "]"                     value := number | list | entry
    entry := "{" pair ("," pair)* "}" | "[" pair ("," pair)* "]"
    pair := position ":" list | confidence ":" number | label ":" string

A box is a list of four numbers, or of two points, (x1, y1), (x2, y2), which may also stand alone; a point is a list of
two. A key stands in double, single or no quotes, in any case. Round brackets serve as square ones (Python tuples), a
comma may trail. A code fence, \\boxed{} or bold around all of it is dropped, and names of objects between their tokens.
"""

import re
from typing import Literal, NamedTuple

from modomodo.verifiers.wrapping import bare, without_period

Kind = Literal["box", "boxes", "point"]

MAX_BOXES = 256
MAX_CHARS: dict[Kind, int] = {"box": 1_000, "boxes": 32_768, "point": 1_000}
MAX_DEPTH = 3

_POSITIONS: dict[Kind, frozenset[str]] = {
    "box": frozenset({"position", "bbox", "bbox_2d", "box"}),
    "boxes": frozenset({"position", "bbox", "bbox_2d", "box"}),
    "point": frozenset({"position", "point", "point_2d"}),
}
_CONFIDENCES = frozenset({"confidence", "score"})
_LABELS = frozenset({"label", "sub_label", "class", "category", "name", "object", "description", "text_content"})
_CLOSERS = {"[": "]", "(": ")"}
_OPEN, _CLOSE = "<box>", "</box>"
# Beside the <box> of Qwen-VL and InternVL: the tokens of Qwen2-VL, DeepSeek-VL2 and GLM-4.1V.
_OPENING = re.compile(r"<\|(?:box_start|det|begin_of_box)\|>")
_CLOSING = re.compile(r"<\|(?:box_end|/det|end_of_box)\|>")
_OBJECT = re.compile(
    r"<ref>[^<\[(]*</ref>|<\|object_ref_start\|>[^<\[(]*<\|object_ref_end\|>|<\|ref\|>[^<\[(]*<\|/ref\|>"
)
_FENCE = re.compile(r"```(?:[a-z]+(?=\s))?([^`]*)```")
_LINES = re.compile(r"(?<=[\])}])\s*\n\s*(?=[\[({])")  # one box on each
# One way only to split any run of digits: an ambiguous one would backtrack in quadratic time.
_NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
# A character that starts no token comes out as a token of its own, which no rule accepts.
_TOKEN = re.compile(rf"""</?box>|[][(){{}},:]|{_NUMBER}|[A-Za-z_][A-Za-z0-9_]*|"[^"\\]*"|'[^'\\]*'|\S""")
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
    tokens = [_END, *reversed(_TOKEN.findall(_plain(answer)))]
    try:
        found = _read_answer(tokens, kind)
    except _UnreadableError as error:
        return str(error)
    return found if len(found) <= MAX_BOXES else f"{len(found)} boxes, over the cap of {MAX_BOXES}"


def _plain(answer: str) -> str:
    """Return the answer without what adds nothing to it, its tokens in one spelling."""
    if fence := _FENCE.fullmatch(answer.strip()):
        answer = fence[1]
    answer = _LINES.sub(", ", without_period(bare(answer)))
    if "<" not in answer:
        return answer
    return _OBJECT.sub(" ", _CLOSING.sub(_CLOSE, _OPENING.sub(_OPEN, answer)))


def _read_answer(tokens: list[str], kind: Kind) -> list[Found]:
    """Read the tokens, the next one last, to their end."""
    parts = _List()
    marked: list[Found] = []
    while tokens[-1] != _END:
        if tokens[-1] == _OPEN:
            tokens.pop()
            marked += _boxes_of(_read_values(tokens, _CLOSE, kind, 1), kind, 2)
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
    while tokens[-1] != closer:
        key = _read_key(tokens)
        _expect(tokens, ":")
        if key in _POSITIONS[kind] and numbers is None:
            numbers = _read_position(tokens, kind)
        elif key in _CONFIDENCES and confidence is None:
            confidence = _read_number(tokens)
        elif key in _LABELS:
            _read_string(tokens)
        else:
            raise _UnreadableError(f"the key {_show(key)} is unknown or comes twice")
        if tokens[-1] != closer:
            _expect(tokens, ",")
    tokens.pop()
    if numbers is None:
        raise _UnreadableError(f"an entry without a {kind}")
    return Found(numbers, 1.0 if confidence is None else confidence)


def _read_position(tokens: list[str], kind: Kind) -> Numbers:
    value = _read_value(tokens, kind, MAX_DEPTH - 1)
    numbers = _numbers_of(value, kind) if isinstance(value, _List) else None
    if numbers is None:
        raise _UnreadableError(f"a position that is not a list of {_asked(kind)} numbers")
    return numbers


def _read_key(tokens: list[str]) -> str:
    if tokens[-1] == _END:
        raise _UnreadableError("the end where a key should stand")
    return (_read_string(tokens) if tokens[-1][:1] in _QUOTES else tokens.pop()).lower()


def _read_string(tokens: list[str]) -> str:
    token = tokens.pop()
    if len(token) < 2 or token[0] not in _QUOTES:
        raise _UnreadableError(f"{_show(token)} where a string should stand")
    return token[1:-1]


def _skip_comma(tokens: list[str]) -> None:
    if tokens[-1] == "," and tokens[-2] == _OPEN:
        tokens.pop()


def _expect(tokens: list[str], token: str) -> None:
    if tokens[-1] != token:
        raise _UnreadableError(f"{_show(tokens[-1])} where {_show(token)} is asked")
    if token:
        tokens.pop()


def _show(token: str) -> str:
    return repr(token[:40]) if token else "the end"
