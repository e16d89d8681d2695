"""Blind policies: answers that anybody can give who never looks at the image, nor thinks about the question."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from string import ascii_uppercase
from typing import Literal, cast

from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Box, Row, Target, View
from modomodo.verifiers import gold_reply
from modomodo.verifiers.number import number_text, read_number

BOXED = ("box", "boxes", "point")
COMMONEST = 3
"""So many of the most frequent golds are tried, each as the answer to every row."""

Kind = Literal["constant", "rule", "copied", "form", "wrong"]
"""An answer that is the same for all rows; one that the question or the options suggest; one that the question holds;
one that names no answer at all; the gold's form with a wrong value."""


@dataclass(frozen=True)
class Policy:
    """A way to answer without looking; `reply` is None for a row that it has no answer to."""

    name: str
    kind: Kind
    reply: Callable[[Row, View], str | None]


def tagged(answer: str) -> str:
    """Return the reply that gives an answer."""
    return f"<think>a</think><answer>{answer}</answer>"


def gold_text(target: Target) -> str:
    """Return the gold as an answer writes it, of several accepted texts the first; boxes in pixels."""
    value = target.value[0] if isinstance(target.value, tuple) and target.verifier not in BOXED else target.value
    return number_text(value) if isinstance(value, str | int | float) else str(value)


def accepted(target: Target) -> tuple[str, ...]:
    """Return the texts that a gold accepts, each once; of boxes the one text that they are."""
    if isinstance(target.value, tuple) and target.verifier not in BOXED:
        return tuple({folded(str(text)): str(text) for text in target.value}.values())
    return (gold_text(target),)


def folded(text: str) -> str:
    """Return a text without case and outer white space."""
    return text.strip().casefold()


def same_gold(target: Target, other: Target) -> bool:
    """Return whether two golds are the same answer: of several accepted texts, whether they have one in common."""
    return not set(map(folded, accepted(target))).isdisjoint(map(folded, accepted(other)))


def blind_policies(rows: Sequence[Row]) -> list[Policy]:
    """Return the blind policies that have an answer to rows like these."""
    kinds = {row.target.verifier for row in rows}
    found = [*_commonest(rows), Policy("an empty answer", "form", lambda row, view: tagged(""))]
    found.append(Policy("the question repeated", "form", lambda row, view: tagged(row.question)))
    if "choice" in kinds:
        found += _letters(rows)
    if any(row.target.options for row in rows):
        found.append(Policy("all options listed", "form", _all_options))
    if kinds & set(BOXED):
        found.append(Policy("the whole image as box", "constant", _whole_image))
        found += _median_box(rows)
    if "boxes" in kinds:
        found.append(Policy("no objects", "constant", lambda row, view: tagged("no objects")))
    return [*found, Policy("the gold's form with a wrong value", "wrong", _wrong_value)]


def _letters(rows: Sequence[Row]) -> list[Policy]:
    most = max(len(row.target.options) for row in rows) or len({folded(gold_text(row.target)) for row in rows})

    def always(letter: str) -> Policy:
        def reply(row: Row, view: View) -> str | None:
            return tagged(letter) if row.target.verifier == "choice" else None

        return Policy(f"always {letter}", "constant", reply)

    return [always(letter) for letter in ascii_uppercase[:most]]


def _commonest(rows: Sequence[Row]) -> list[Policy]:
    """Return the most frequent golds of each verifier, and the median of numbers, as answers to all its rows.

    A row counts for each text that it accepts.
    """
    golds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    first: dict[str, str] = {}
    for row in rows:
        if row.target.verifier not in (*BOXED, "choice"):
            golds[row.target.verifier].update(_first_spelling(first, row))
    ranked = {verifier: [gold for gold, _ in counts.most_common(COMMONEST)] for verifier, counts in golds.items()}
    for verifier, counts in golds.items():
        numbers = sorted(number for gold in counts.elements() if (number := read_number(gold)) is not None)
        if numbers:
            ranked[verifier].append(str(numbers[len(numbers) // 2]))

    def always(place: int) -> Policy:
        answers = {verifier: own[min(place, len(own) - 1)] for verifier, own in ranked.items()}
        first = next(iter(answers.values()))
        name = f"always {first!r:.40}" if len(answers) == 1 else "the commonest gold of each verifier"

        def reply(row: Row, view: View) -> str | None:
            answer = answers.get(row.target.verifier)
            return None if answer is None else tagged(answer)

        return Policy(name, "constant", reply)

    return [always(place) for place in range(max(map(len, ranked.values()), default=0))]


def _first_spelling(first: dict[str, str], row: Row) -> list[str]:
    """Return the texts that a row accepts, each in the spelling in which it came first."""
    return [first.setdefault(folded(text), text) for text in accepted(row.target)]


def _all_options(row: Row, view: View) -> str | None:
    return tagged(", ".join(row.target.options)) if row.target.options else None


def size_of(row: Row) -> tuple[int, int] | None:
    """Return [width, height] of a row's first image, None without one."""
    if row.target.image_size is not None or not row.images:
        return row.target.image_size
    from modomodo.core.rows import opened

    with opened(row.images[0]) as picture:
        return picture.size


def with_boxes(target: Target, boxes: Sequence[Box], view: View) -> str | None:
    """Return the reply that gives other boxes than the gold's, in the frame of the view; None where it cannot."""
    value = tuple(boxes) if target.verifier == "boxes" else boxes[0]
    try:
        return gold_reply(replace(target, value=value), view)
    except ModomodoError:
        return None


def boxes_of(target: Target) -> tuple[Box, ...]:
    """Return the boxes of a gold, in pixels."""
    value = target.value if target.verifier == "boxes" else (target.value,)
    return cast(tuple[Box, ...], value)


def _whole_image(row: Row, view: View) -> str | None:
    size = size_of(row) if row.target.verifier in BOXED else None
    return None if size is None else with_boxes(row.target, [(0, 0, *size)], view)


def _median_box(rows: Sequence[Row]) -> list[Policy]:
    shares: list[tuple[float, ...]] = []
    for row in rows:
        size = size_of(row) if row.target.verifier in BOXED else None
        if size is not None:
            shares += [tuple(side / size[k % 2] for k, side in enumerate(box)) for box in boxes_of(row.target)]
    if not shares:
        return []
    middle = [median(sides) for sides in zip(*shares, strict=True)]

    def reply(row: Row, view: View) -> str | None:
        size = size_of(row) if row.target.verifier in BOXED else None
        if size is None:
            return None
        box = cast(Box, tuple(round(side * size[k % 2], 2) for k, side in enumerate(middle)))
        return with_boxes(row.target, [box], view) if box[0] < box[2] and box[1] < box[3] else None

    return [Policy("the median box", "constant", reply)]


def _wrong_value(row: Row, view: View) -> str | None:
    """Return the gold as it would be written with another value: a number one off, the next letter, a box elsewhere."""
    target = row.target
    if target.verifier in BOXED:
        size = size_of(row)
        boxes = boxes_of(target)
        return None if size is None or not boxes else with_boxes(target, [_elsewhere(box, size) for box in boxes], view)
    gold = gold_text(target)
    number = read_number(gold)
    if number is not None:
        whole = number == number.to_integral_value()
        return tagged(str(int(number) + 1) if whole else f"{number * 2}")
    if target.verifier == "choice":
        letters = ascii_uppercase[: len(target.options) or 4]
        return tagged(letters[(letters.find(gold) + 1) % len(letters)])
    if target.verifier == "math":
        return tagged(f"{gold}+1")
    return None if target.verifier == "format" else tagged("".join(map(_next_letter, gold)))


def _next_letter(letter: str) -> str:
    for alphabet in (ascii_uppercase, ascii_uppercase.lower()):
        if letter in alphabet:
            return alphabet[(alphabet.index(letter) + 13) % 26]
    return str((int(letter) + 3) % 10) if letter in "0123456789" else letter


def _elsewhere(box: Box, size: tuple[int, int]) -> Box:
    """Return a box of the same sides in the corner of the image that is farthest from it."""
    wide, high = box[2] - box[0], box[3] - box[1]
    left = 0 if box[0] + box[2] > size[0] else size[0] - wide
    top = 0 if box[1] + box[3] > size[1] else size[1] - high
    return (left, top, left + wide, top + high)
