"""Golds in other honest spellings: what a model may well write that knows the answer."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal

from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Row, View
from modomodo.data.audit.policies import BOXED, boxes_of, gold_text, tagged
from modomodo.verifiers import gold_reply
from modomodo.verifiers.number import read_number

BARE = ("relaxed", "anls")
"""Verifiers that judge as lmms-eval does, and so take no wrapping."""

YEARS = (1000, 2100)
"""Whole numbers that are likely years, which nobody writes with commas."""

Spelling = tuple[str, str]
"""What is done to the gold, and the reply."""


def spellings(row: Row, view: View) -> list[Spelling]:
    """Return replies that give the gold of a row, each in another spelling; the first is the gold's own."""
    try:
        own = gold_reply(row.target, view)
    except ModomodoError:
        return []
    if row.target.verifier == "format":
        return [("as it is", own)]
    answer = re.sub(r".*<answer>|</answer>.*", "", own, flags=re.DOTALL)
    others = _boxes(row, answer) if row.target.verifier in BOXED else _texts(row, gold_text(row.target))
    return [("as it is", own), *((what, tagged(other)) for what, other in others)]


def _texts(row: Row, gold: str) -> Iterator[Spelling]:
    target = row.target
    if target.verifier not in BARE:
        yield "in \\boxed{}", f"\\boxed{{{gold}}}"
        yield "in bold", f"**{gold}**"
    if target.verifier == "choice":
        yield "in brackets", f"({gold})"
        place = ord(gold) - ord("A") if len(gold) == 1 else -1
        if 0 <= place < len(target.options) and target.options.count(target.options[place]) == 1:
            yield "with its text", f"{gold}. {target.options[place]}"
            yield "by its text", target.options[place]
        return
    number = read_number(gold)
    if number is not None:
        yield from _numbers(number, gold, exact=target.verifier == "text")
    elif target.verifier != "math":
        yield "in lower case", gold.lower()
        yield "in capitals", gold.upper()
    if isinstance(target.value, tuple):
        yield from (("another accepted text", str(text)) for text in target.value[1:3])


def _numbers(number: Decimal, gold: str, *, exact: bool) -> Iterator[Spelling]:
    """Yield a number as others write it; where texts are asked, 7 may name a thing, of which 7.0 is no spelling."""
    whole = number == number.to_integral_value()
    if whole and not exact:
        yield "with a decimal", f"{int(number)}.0"
        if abs(number) >= 1000 and not YEARS[0] <= number <= YEARS[1]:
            yield "with commas", f"{int(number):,}"
    if not whole:
        yield "with another decimal", f"{number:f}0"
    if "," in gold or gold.startswith(("$", "+")) or gold.endswith(("%", ".")):
        yield "bare", f"{number:f}"


def _boxes(row: Row, answer: str) -> Iterator[Spelling]:
    """Yield boxes as families write them, from the answer in the frame of the view."""
    numbers = json.loads(answer)
    boxes = numbers if row.target.verifier == "boxes" else [numbers]
    if row.target.verifier == "point":
        yield "as a point", f"({numbers[0]}, {numbers[1]})"
        yield "as JSON", json.dumps({"point_2d": numbers})
        return
    if not boxes_of(row.target):
        return
    fenced = json.dumps([{"bbox_2d": box, "label": "it"} for box in boxes])
    yield "as fenced JSON", f"```json\n{fenced}\n```"
    corners = [f"<|box_start|>({box[0]},{box[1]}),({box[2]},{box[3]})<|box_end|>" for box in boxes]
    yield "between tokens", "".join(corners)
