"""The grammar of answers with coordinates: JSON, Python, and the paper's `[{Position: [...], Confidence: 0.9}]`.

It has a fixed depth, so no recursion, and reads the answer once from left to right:

    answer := coords | entry | "[" "]" | "[" item ("," item)* "]"      item := coords | entry
    coords := "[" number ("," number)* "]"                             entry := "{" pair ("," pair)* "}"
    pair   := position ":" coords | confidence ":" number | "label" ":" string

A key stands in double, single or no quotes, in any case. Round brackets serve as square ones (Python tuples).
"""

import re
from typing import Literal, NamedTuple

Kind = Literal["box", "boxes", "point"]

MAX_BOXES = 256
MAX_CHARS: dict[Kind, int] = {"box": 1_000, "boxes": 32_768, "point": 1_000}

_POSITIONS: dict[Kind, frozenset[str]] = {
    "box": frozenset({"position", "bbox", "bbox_2d", "box"}),
    "boxes": frozenset({"position", "bbox", "bbox_2d", "box"}),
    "point": frozenset({"position", "point", "point_2d"}),
}
_CONFIDENCES = frozenset({"confidence", "score"})
_CLOSERS = {"[": "]", "(": ")"}
# One way only to split any run of digits: an ambiguous one would backtrack in quadratic time.
_NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
# A character that starts no token comes out as a token of its own, which no rule accepts.
_TOKEN = re.compile(rf"""[][(){{}},:]|{_NUMBER}|[A-Za-z_][A-Za-z0-9_]*|"[^"\\]*"|'[^'\\]*'|\S""")
_NUMBER_STARTS = frozenset("+-.0123456789")
_FLAT = re.compile(rf"\[ ?({_NUMBER}), ?({_NUMBER}), ?({_NUMBER}), ?({_NUMBER}) ?\]")
_QUOTES = frozenset("\"'")
_END = ""


class Found(NamedTuple):
    """One box or point of an answer: its numbers as written, and its confidence (1 where none is given)."""

    numbers: tuple[float, ...]
    confidence: float = 1.0


class _UnreadableError(ValueError):
    """Says where the answer leaves the grammar; never leaves this module."""


def read_found(answer: str, kind: Kind) -> list[Found] | str:
    """Return the boxes (points, for kind `point`) of the answer in its order, or the reason why it is unparsed."""
    if len(answer) > MAX_CHARS[kind]:
        return f"{len(answer)} characters, over the cap of {MAX_CHARS[kind]} for {kind}"
    # The commonest answer by far is one flat list.
    if kind != "point" and (flat := _FLAT.fullmatch(answer)):
        return [Found(tuple(map(float, flat.groups())))]
    tokens = [_END, *reversed(_TOKEN.findall(answer))]
    try:
        found = _read_answer(tokens, kind)
        _expect(tokens, _END)
    except _UnreadableError as error:
        return str(error)
    return found


def _read_answer(tokens: list[str], kind: Kind) -> list[Found]:
    """Read the tokens, the next one last, and leave what follows the answer."""
    if tokens[-1] not in _CLOSERS or tokens[-2][:1] in _NUMBER_STARTS:
        return [_read_item(tokens, kind)]
    closer = _CLOSERS[tokens.pop()]
    if tokens[-1] == closer:
        tokens.pop()
        return []
    found = [_read_item(tokens, kind)]
    while tokens[-1] == ",":
        tokens.pop()
        found.append(_read_item(tokens, kind))
        if len(found) > MAX_BOXES:
            raise _UnreadableError(f"over the cap of {MAX_BOXES} boxes")
    _expect(tokens, closer)
    return found


def _read_item(tokens: list[str], kind: Kind) -> Found:
    return _read_entry(tokens, kind) if tokens[-1] == "{" else Found(_read_coords(tokens, kind))


def _read_coords(tokens: list[str], kind: Kind) -> tuple[float, ...]:
    closer = _CLOSERS.get(tokens[-1])
    if closer is None:
        raise _UnreadableError(f"{_show(tokens[-1])} where a {'point' if kind == 'point' else 'box'} should start")
    tokens.pop()
    numbers = [_read_number(tokens)]
    while tokens[-1] == ",":
        tokens.pop()
        numbers.append(_read_number(tokens))
    _expect(tokens, closer)
    asked = 2 if kind == "point" else 4
    if len(numbers) != asked:
        raise _UnreadableError(f"{len(numbers)} numbers, where {asked} are asked")
    return tuple(numbers)


def _read_number(tokens: list[str]) -> float:
    token = tokens.pop()
    if token[:1] in _NUMBER_STARTS:
        try:
            return float(token)
        except ValueError:
            pass
    raise _UnreadableError(f"{_show(token)} where a number should stand")


def _read_entry(tokens: list[str], kind: Kind) -> Found:
    _expect(tokens, "{")
    numbers: tuple[float, ...] | None = None
    confidence: float | None = None
    while True:
        key = _read_key(tokens)
        _expect(tokens, ":")
        if key in _POSITIONS[kind] and numbers is None:
            numbers = _read_coords(tokens, kind)
        elif key in _CONFIDENCES and confidence is None:
            confidence = _read_number(tokens)
        elif key == "label":
            _read_string(tokens)
        else:
            raise _UnreadableError(f"the key {_show(key)} is unknown or comes twice")
        if tokens[-1] != ",":
            break
        tokens.pop()
    _expect(tokens, "}")
    if numbers is None:
        raise _UnreadableError(f"an entry without a {kind}")
    return Found(numbers, 1.0 if confidence is None else confidence)


def _read_key(tokens: list[str]) -> str:
    if tokens[-1] == _END:
        raise _UnreadableError("the end where a key should stand")
    return (_read_string(tokens) if tokens[-1][:1] in _QUOTES else tokens.pop()).lower()


def _read_string(tokens: list[str]) -> str:
    token = tokens.pop()
    if len(token) < 2 or token[0] not in _QUOTES:
        raise _UnreadableError(f"{_show(token)} where a string should stand")
    return token[1:-1]


def _expect(tokens: list[str], token: str) -> None:
    if tokens[-1] != token:
        raise _UnreadableError(f"{_show(tokens[-1])} where {_show(token)} is asked")
    if token:
        tokens.pop()


def _show(token: str) -> str:
    return repr(token[:40]) if token else "the end"
