"""Numbers: `number` with a relative tolerance, `count` exactly."""

import math
import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import NamedTuple

from modomodo.core.rows import Target, Verdict, View
from modomodo.verifiers.units import agree, read_unit
from modomodo.verifiers.wrapping import bare

NUMBER_TOLERANCE = 1e-5
"""Relative, where the target gives none."""

MAX_NUMBER_CHARS = 64

# Commas are either right thousands separators or the answer is no number: 1,5 must not be read as 15 or as 1.
_DIGITS = r"(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+"
_SIGN = r"[+-]"
_NUMBER = re.compile(
    rf"(?:(?P<sign>{_SIGN})?\s?(?P<money>\\?\$)?|(?P<early>\\?\$)(?P<late_sign>{_SIGN})?)\s?"
    rf"(?P<digits>(?:{_DIGITS})(?:[eE][+-]?[0-9]{{1,4}})?)"
    r"\s?(?:(?P<percent>\\?%)|(?P<late_money>\\?\$)|(?P<degrees>°|\^\\circ|\^\{\\circ\}))?(?<!\.)\.?"
)
_COUNTED = re.compile(
    r"([0-9][0-9,]*) ?(?:\\text\{ ?(?P<text>(?:in |[A-Za-z]{3})[A-Za-z ]*)\}"
    r"|(?<= )(?P<noun>(?:in |[A-Za-z]{3})[A-Za-z ]*))\.?"
)
_PLAIN = re.compile(r"-?[0-9]+")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
# 1.6\times 10^{-19}, 1.6 x 10^-19, 1.6×10⁻¹⁹
_SCIENTIFIC = re.compile(
    rf"(?P<mantissa>[+−–-]?(?:{_DIGITS}))\s?(?:\\times|\\cdot|[×·⋅*x])\s?10\s?"
    r"(?:(?:\^|\*\*)(?P<brace>\{)?(?P<exponent>[+−–-]?[0-9]{1,4})(?(brace)\})|(?P<raised>[⁻⁺]?[⁰¹²³⁴-⁹]{1,4}))"
)

# What NFKC leaves alone (minus and dash), and look-alikes of the degree sign that it would make letters or spaces.
_SIGNS = str.maketrans({"−": "-", "–": "-", "º": "°", "˚": "°"})
# NFKC only respells these; it would make 52 of 5², 51 of 5① and 51/2 of 5½.
_RESPELT = ("<wide>", "<narrow>", "<small>", "<font>", "<noBreak>")


class Marked(NamedTuple):
    """A number, and the sign beside it that says what it is of: "$", "%", "°", or "" for none."""

    value: Decimal
    mark: str


def read_number(text: str) -> Decimal | None:
    """Return the one finite number that the whole text is, or None.

    `$`, `%` and degree signs are dropped without scaling, thousands commas are checked, 1.6 \\times 10^{-19} is
    1.6e-19. Text around the number, a second number, NaN, infinities and what a float cannot hold are refused.
    """
    if len(text) <= MAX_NUMBER_CHARS and _PLAIN.fullmatch(text):
        return Decimal(text)
    found = read_marked(text)
    return None if found is None else found.value


def read_marked(text: str) -> Marked | None:
    """Return what `read_number` reads, with its sign; two signs ("$5%") are refused."""
    if len(text) > MAX_NUMBER_CHARS:
        return None
    if _PLAIN.fullmatch(text):
        return Marked(Decimal(text), "")
    if "10" in text and (match := _SCIENTIFIC.fullmatch(text.strip())):
        exponent = match["exponent"] or match["raised"].translate(_SUPERSCRIPTS)
        text = f"{match['mantissa']}e{exponent.translate(_SIGNS)}"
    if not text.isascii():
        folded = _fold(text)
        if folded is None:
            return None
        text = folded
    match = _NUMBER.fullmatch(text)
    if not match:
        return None
    digits = match["digits"].replace(",", "")
    value = Decimal(digits)
    if not math.isfinite(float(digits)):
        return None
    signs = match.group("money", "early", "late_money", "percent", "degrees")
    mark = _mark(signs) if any(signs) else ""
    if mark is None:
        return None
    # A unary minus would round to the precision of the decimal context.
    signed = value.copy_negate() if "-" in (match["sign"], match["late_sign"]) else value
    return Marked(signed, mark)


def _mark(signs: Sequence[str | None]) -> str | None:
    """Return the one sign beside a number, None for several; two dollars are those of a formula, and so none."""
    found = [sign[-1:] for sign in signs if sign]
    if found == ["$", "$"]:
        return ""
    return None if len(found) > 1 else found[0] if found[0] in "$%" else "°"


def _fold(text: str) -> str | None:
    """Return the text after NFKC, with ASCII minus and one degree sign, or None where NFKC would change the number."""
    text = text.translate(_SIGNS)
    for char in text:
        how = unicodedata.decomposition(char)
        if how.startswith("<") and not how.startswith(_RESPELT) and not char.isspace():
            return None
    return unicodedata.normalize("NFKC", text)


def gold_number(target: Target) -> Marked | str:
    """Return the gold of `number`, or the reason why it is malformed."""
    value = target.value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return f"the gold of {target.verifier} is {value!r}, not a number"
    gold = read_gold(number_text(value))
    if gold is None:
        return f"the gold of {target.verifier} is {value!r}, not one finite number"
    return gold


read_gold = lru_cache(maxsize=65_536)(read_marked)


def marks_agree(said: Marked, gold: Marked) -> bool:
    """Return whether the signs beside two numbers are one, or not given: 50 % is 50, and is not $50."""
    return said.mark == gold.mark or not said.mark or not gold.mark


def number_text(value: str | float) -> str:
    """Return the value as a reply would write it: 3.0 is 3, a string is itself."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    return str(value).strip()


def grade_number(answer: str, target: Target, view: View) -> Verdict:
    """Return right when the answer is one number within the relative tolerance of the gold, so exactly 0 where it is 0.

    The number may stand in \\boxed{} or bold, with `$`, `%` or a degree sign unless the gold has another one. In mode
    `paper` a target without a tolerance asks for the exact number.
    """
    gold = gold_number(target)
    if isinstance(gold, str):
        return Verdict.ungradable(gold, answer)
    tolerance = target.tolerance
    if tolerance is not None and not (math.isfinite(tolerance) and tolerance >= 0.0):
        return Verdict.ungradable(f"the tolerance is {tolerance}, not a finite number from 0", answer)
    said = _said_number(answer)
    if said is None:
        return _no_number(answer)
    if not marks_agree(said, gold):
        return Verdict.wrong(answer, f"{said.mark} is not {gold.mark}")
    number, meant = said.value, gold.value
    if number == meant:
        return Verdict.right(answer)
    if tolerance is None:
        tolerance = 0.0 if view.mode == "paper" else NUMBER_TOLERANCE
    if tolerance > 0.0 and _within(number, meant, tolerance):
        return Verdict.right(answer, f"within {tolerance:g} of {meant}")
    return Verdict.wrong(answer, f"{number} is not {meant}")


def _within(number: Decimal, gold: Decimal, tolerance: float) -> bool:
    # In decimals, so that a reply exactly at the tolerance is right: in floats 1.05 is not within 0.05 of 1.
    with localcontext(prec=100):
        return abs(number - gold) <= Decimal(repr(tolerance)) * abs(gold)


def _said_number(answer: str) -> Marked | None:
    number = read_marked(answer)
    return number if number is not None or len(answer) > MAX_NUMBER_CHARS else read_marked(bare(answer))


def grade_count(answer: str, target: Target, view: View) -> Verdict:
    """Return right when the answer is exactly the gold count, a whole number from 0: 5.9 is not 5, nor is 5 %.

    What is counted may be named after it, in plain words (see nouns.py): "3 dogs", but neither "3 dozen" nor "3 or
    more".
    """
    gold = gold_number(target)
    if isinstance(gold, str):
        return Verdict.ungradable(gold, answer)
    meant = gold.value
    if meant < 0 or meant != meant.to_integral_value():
        return Verdict.ungradable(f"the gold of count is {meant}, not a whole number from 0", answer)
    said = _said_number(answer)
    if said is None and len(answer) <= MAX_NUMBER_CHARS and (counted := _COUNTED.fullmatch(bare(answer))):
        unit = read_unit(counted["text"] or counted["noun"])
        said = read_marked(counted[1]) if unit not in (None, "deg") and agree(unit, "") else None
    if said is None:
        return _no_number(answer)
    if said.mark and said.mark != gold.mark:
        return Verdict.wrong(answer, f"{said.mark} is no count")
    return Verdict.right(answer) if said.value == meant else Verdict.wrong(answer, f"{said.value} is not {meant}")


def _no_number(answer: str) -> Verdict:
    if len(answer) > MAX_NUMBER_CHARS:
        return Verdict.unparsed(f"{len(answer)} characters, over the cap of {MAX_NUMBER_CHARS} for a number", answer)
    return Verdict.unparsed("not exactly one finite number", answer)
