"""Mathematical equality: `math`, by math-verify in a process that can be killed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from modomodo.core.rows import Target, Verdict, View
from modomodo.verifiers.claims import (
    Claim,
    brackets,
    foreign,
    how_many,
    is_name,
    items,
    operates,
    read_claim,
    relations,
    symbols,
)
from modomodo.verifiers.forms import in_one_form, read_turn
from modomodo.verifiers.latex import MAX_MATH_CHARS, inner, over_cap, split_unit, to_latex
from modomodo.verifiers.math_workers import MATH_WORKERS
from modomodo.verifiers.number import number_text
from modomodo.verifiers.quantity import Quantity, read_quantity, same
from modomodo.verifiers.tags import is_visible
from modomodo.verifiers.text import normalise, normalise_gold
from modomodo.verifiers.units import agree, ratio

DEADLINE_SECONDS = 2.0
"""CPU time of the worker for one answer; a gold has five times as much, once."""

_INTEGER = re.compile(r"[-+]?[0-9]+")
_LETTER = re.compile(r"\\?[A-Za-z]+(?:_\{?[A-Za-z0-9]+\}?)?")
_WORDS = re.compile(r"[A-Za-z]+(?:[ '-][A-Za-z]+)*\.?")
_LONG_WORD = re.compile(r"[A-Za-z]{3}|^no\b", re.IGNORECASE)
_TEXT = re.compile(r"\\(?:text|mbox|mathrm|textbf)\{([^{}\\$]*)\}")
_FUNCTION = re.compile(r"(?<![A-Za-z\\])(pi|sin|cos|tan|log|ln)(?![A-Za-z])")
_GLUED = re.compile(r"[0-9}][A-Za-z]$")  # 3m is algebra, 3 m and 3\text{m} have a unit
_ENDLESS = re.compile(r"[+-]?\s*(?:\\infty|∞)\s*")

Fault = tuple[Literal["wrong", "unparsed", "ungradable"], str]
"""Why an answer does not earn 1."""


@dataclass(frozen=True)
class _Gold:
    """What a gold means: its text, what it names in "x = 5", its value and unit, and the plain number that it is."""

    text: str
    name: str
    value: str
    unit: str
    quantity: Quantity | None


def grade_math(answer: str, target: Target, view: View) -> Verdict:
    """Return right when the answer equals the gold: as a string, as a number, or by math-verify.

    Where the gold is a plain number the answer is one too, and nothing that is still to be worked out. Every side of a
    chain ("x = 2 + 3 = 5") must equal the gold, and units must agree where both have one.

    An answer over a cap or past the deadline is unparsed, as the gold has verified against itself; what fails in
    math-verify itself, or outlives the backstop of the deadline, is ungradable. Raises ModomodoError without the
    package math-verify.
    """
    text = _gold_text(target)
    if text is None:
        return Verdict.ungradable(f"the gold of math is {target.value!r}, not a visible text or a number", answer)
    said = inner(answer) if len(answer) <= 2 * MAX_MATH_CHARS else answer
    if said is None:
        return Verdict.unparsed("mathematics beside other text", answer[:200])
    known = _compare_plainly(said, text)
    if known is not None:
        return Verdict.right(answer) if known else Verdict.wrong(answer, f"not {text}")
    if problem := _gold_problem(text):
        return Verdict.ungradable(problem, answer)
    if over := over_cap(said):
        return Verdict.unparsed(over, answer[:200])
    gold = _meaning(text)
    fault = _judge_expression(said, gold) if gold.quantity is None else _judge_number(said, gold, gold.quantity)
    if fault is None:
        return Verdict.right(answer)
    status, reason = fault
    return Verdict(status, None if status == "ungradable" else 0.0, answer, reason)


def _gold_text(target: Target) -> str | None:
    value = target.value
    if isinstance(value, tuple | bool):
        return None
    text = number_text(value)
    return _inner_gold(text) or "" if is_visible(text) else None


_inner_gold = lru_cache(maxsize=65_536)(inner)


def _compare_plainly(said: str, gold: str) -> bool | None:
    """Return whether answer and gold are equal where no algebra is needed to say, otherwise None."""
    if said == gold and gold:
        return True
    if _INTEGER.fullmatch(said) and _INTEGER.fullmatch(gold):
        return Decimal(said) == Decimal(gold)
    meant = _plain_gold(gold)
    number = None if meant is None else read_quantity(said)
    if meant is not None and number is not None and meant.reduced and number.reduced:
        return same(number, meant)
    words = _words(gold)
    if words is None:
        return None
    # As algebra, words would be products of letters, which commute: "on" would equal "no".
    spoken = _words(said)
    return spoken is not None and normalise(spoken) == normalise_gold(words)


@lru_cache(maxsize=65_536)
def _plain_gold(text: str) -> Quantity | None:
    return None if _GLUED.search(text) else read_quantity(text)


@lru_cache(maxsize=65_536)
def _meaning(text: str) -> _Gold:
    """Return what a gold means."""
    signs, sides = relations(text)
    name, value = (sides[0], sides[-1]) if signs == ["="] and _names(sides[0]) else ("", text)
    quantity = _plain_gold(value)
    if quantity is None:
        name, value = "", text
    rest, unit = split_unit(value)
    return _Gold(text, name, value if quantity else rest, unit, quantity)


def _judge_number(said: str, gold: _Gold, meant: Quantity) -> Fault | None:
    """Return what is wrong with an answer where the gold is a plain number, which `said` alone is not."""
    claim = read_claim(said, "")
    if isinstance(claim, str):
        return "unparsed", claim
    if _others(claim.name, gold.name):
        return "wrong", f"not {gold.text}"
    if claim.rounded:
        return _judge_rounded(claim, meant, gold)
    last = claim.sides[-1]
    if read_quantity(last) is None and not (meant.unit == "deg" and read_turn(last) is not None):
        return _ask(gold.text, said) or ("unparsed", "equal, but not worked out: the gold is a plain number")
    # The last first: where it is another number, nothing is to be worked out.
    return _first(_judge_side(side, meant) for side in reversed(claim.sides))


def _judge_side(side: str, meant: Quantity) -> Fault | None:
    """Return what is wrong with a side of a chain for the number meant."""
    number = read_quantity(side)
    if number is None and meant.unit == "deg" and (turn := read_turn(side)) is not None:
        return None if 180 * turn == meant.value else ("wrong", f"{side} is another angle")
    if number is None:
        unlike = foreign(side, "")
        return _ask(_written(meant), side) or (("unparsed", unlike) if unlike else None)
    if not (number.reduced and meant.reduced) and agree(number.unit, meant.unit):
        return _ask(_written(meant), _written(number))
    return None if same(number, meant) else ("wrong", f"{side} is not the number asked for")


def _judge_rounded(claim: Claim, meant: Quantity, gold: _Gold) -> Fault | None:
    """Return what is wrong with "sides ≈ decimal" where the gold is a plain number, one of the two and not whole."""
    rounded = read_quantity(claim.rounded)
    if rounded is None or not rounded.decimals or meant.whole:
        return "wrong", "an approximation, where the gold is exact"
    if same(rounded, meant):
        return _first(_judge_rounding(side, rounded) for side in claim.sides)
    if not claim.sides or meant.decimals is not None:
        return "wrong", f"not {gold.text}"
    return _first(_judge_side(side, meant) or _judge_rounding(side, rounded) for side in claim.sides)


def _judge_rounding(side: str, rounded: Quantity) -> Fault | None:
    """Return what is wrong with a decimal for the exact value beside it: more than half a unit of its last digit."""
    half = 0.5 * 10.0 ** -(rounded.decimals or 0)
    exact = read_quantity(side)
    if exact is not None:
        near = abs(exact.value - rounded.value) <= Fraction(half)
        return None if near and agree(exact.unit, rounded.unit) else ("wrong", f"{side} is another number")
    return _ask(_written(rounded), side, within=half)


def _judge_expression(said: str, gold: _Gold) -> Fault | None:
    """Return what is wrong with an answer where the gold is no plain number."""
    if (both := in_one_form(said, gold.text)) is not None:
        return _judge_whole(*both)
    signs, sides = relations(said)
    if relations(gold.text)[0] and len(signs) > 1:  # y = x + x = 2x for y = 2x
        return _first(_judge_whole(f"{sides[0]} = {side}", gold.text) for side in sides[1:])
    if relations(gold.text)[0]:
        return _judge_whole(said, gold.text)
    claim = read_claim(said, gold.value)
    if isinstance(claim, str):
        return "unparsed", claim
    if not claim.rounded:
        return _first(_judge_part(side, gold) for side in claim.sides)
    rounded = read_quantity(claim.rounded)
    if rounded is None or not rounded.decimals:
        return "unparsed", "rounded to what is no decimal"
    if not claim.sides:
        return _judge_part(claim.rounded, gold)
    return _first(_judge_part(side, gold) or _judge_rounding(side, rounded) for side in claim.sides)


def _judge_part(side: str, gold: _Gold) -> Fault | None:
    """Return what is wrong with a side, its unit included, for the value of the gold."""
    value, unit = split_unit(side)
    if unit == "deg" and gold.unit in ("", "rad") and not symbols(gold.value):
        turn, angle = read_turn(gold.value), read_quantity(side)
        same_angle = turn is not None and angle is not None and angle.value == 180 * turn
        return None if same_angle else ("wrong", f"in degrees, where {gold.text} is asked")
    factor = ratio(unit, gold.unit)
    if factor is None:
        return "wrong", f"in {unit}, where {gold.unit or 'no unit'} is asked"
    if factor != 1:
        value = rf"\frac{{{factor.numerator}}}{{{factor.denominator}}}\cdot({value})"
    return _judge_whole(value, gold.value)


def _judge_whole(said: str, gold: str) -> Fault | None:
    """Return what is wrong with an answer by math-verify, and with what it passes over."""
    fault = _ask(gold, said)
    # math-verify makes one of equal values, and fails on some sets of other sizes.
    if (fault is None or fault[0] == "ungradable") and how_many(said).isdisjoint(how_many(gold)):
        return "wrong", f"{len(items(said))} values, where the gold has {len(items(gold))}"
    if fault:
        return fault
    if unlike := foreign(said, gold):
        return "unparsed", unlike
    if brackets(said) and brackets(gold) and brackets(said) != brackets(gold):
        return "wrong", "a set where a point or interval is asked, or the other way round"
    if all(map(_worked_out, items(gold))) and not all(map(_worked_out, items(said))):
        return "unparsed", "equal, but not worked out: the gold is of plain numbers"
    return None


def _worked_out(item: str) -> bool:
    """Return whether one of several values is a plain number, perhaps named, with either sign or endless."""
    signs, sides = relations(item)
    value = re.sub(r"^(?:\\pm|±)", "", sides[-1]).strip()
    named = not signs or (len(signs) == 1 and _names(sides[0]))
    return named and (read_quantity(value) is not None or bool(_ENDLESS.fullmatch(value)))


def _names(side: str) -> bool:
    """Return whether a side is a name, and no expression that is equal to the other side."""
    return is_name(side, frozenset()) and not operates(side)


def _others(name: str, gold: str) -> bool:
    """Return whether two names are those of different symbols."""
    return bool(_LETTER.fullmatch(name) and _LETTER.fullmatch(gold)) and name != gold


def _written(number: Quantity) -> str:
    """Return a number without its unit as math-verify reads it."""
    value = number.value / (100 if number.percent else 1)
    if number.decimals is None:
        return f"\\frac{{{value.numerator}}}{{{value.denominator}}}" if value.denominator > 1 else str(value)
    with localcontext(prec=400):
        return f"{Decimal(value.numerator) / value.denominator:f}"


def _first(faults: Iterable[Fault | None]) -> Fault | None:
    return next(filter(None, faults), None)


def _ask(gold: str, said: str, *, within: float | None = None) -> Fault | None:
    """Return why math-verify does not call two texts the same, or None."""
    outcome, detail = MATH_WORKERS.ask(to_latex(gold), to_latex(said), DEADLINE_SECONDS, within=within)
    match outcome:
        case "same":
            return None
        case "different":
            return "wrong", f"not {gold}"
        case "unread":
            return "unparsed", "not readable as mathematics"
        case "failed" | "stalled" | "lost":
            return "ungradable", f"math-verify gave no verdict on {said[:200]!r}: {detail}"
        case "deep" | "late" | "dead":
            return "unparsed", f"{detail}, while the gold verifies against itself"


def _words(text: str) -> str | None:
    """Return the words that the text is, bare or in \\text{}; None when it may be mathematics."""
    if found := _TEXT.fullmatch(text):
        text = found[1].strip()
    if _WORDS.fullmatch(text) and _LONG_WORD.search(text) and not _FUNCTION.search(text):
        return text
    return None


def _gold_problem(gold: str) -> str:
    """Return why the gold does not verify against itself, or an empty string."""
    try:
        return _lasting_problem(gold)
    except _PassingError as error:
        return str(error)


class _PassingError(RuntimeError):
    """The process was lost or stalled: no fault of the gold, and not to be remembered."""


@lru_cache(maxsize=65_536)
def _lasting_problem(gold: str) -> str:
    if not gold:
        return "the gold of math has mathematics beside other text"
    if over := over_cap(gold):
        return f"the gold of math is {gold[:200]!r}: {over}"
    number = _meaning(gold).quantity
    latex = to_latex(gold if number is None else _written(number))
    outcome, detail = MATH_WORKERS.ask(latex, latex, 5.0 * DEADLINE_SECONDS)
    problem = f"the gold of math, {gold!r}, is {outcome} against itself {detail}"
    if outcome in ("lost", "stalled"):
        raise _PassingError(problem)
    return "" if outcome == "same" else problem
