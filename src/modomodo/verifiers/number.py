"""Numbers: `number` with a relative tolerance, `count` exactly."""

import math
import re
import unicodedata
from decimal import Decimal, localcontext
from functools import lru_cache

from modomodo.core.rows import Target, Verdict, View
from modomodo.verifiers.units import read_unit
from modomodo.verifiers.wrapping import bare

NUMBER_TOLERANCE = 1e-5
"""Relative, where the target gives none."""

MAX_NUMBER_CHARS = 64

# Commas are either right thousands separators or the answer is no number: 1,5 must not be read as 15 or as 1.
_DIGITS = r"(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+"
_SIGN = r"[+-]"
_NUMBER = re.compile(
    rf"(?:(?P<sign>{_SIGN})?\s?\\?\$?|\\?\$(?P<late_sign>{_SIGN})?)\s?"
    rf"(?P<digits>(?:{_DIGITS})(?:[eE][+-]?[0-9]{{1,4}})?)"
    r"\s?(?:\\?%|\\?\$|°|\^\\circ|\^\{\\circ\})?(?<!\.)\.?"
)
_COUNTED = re.compile(
    r"([0-9][0-9,]*) ?(?:\\text\{ ?(?P<text>[A-Za-z]{3}[A-Za-z ]*)\}|(?<= )(?P<noun>[A-Za-z]{3}[A-Za-z ]*))\.?"
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


def read_number(text: str) -> Decimal | None:
    """Return the one finite number that the whole text is, or None.

    `$`, `%` and degree signs are dropped without scaling, thousands commas are checked, 1.6 \\times 10^{-19} is
    1.6e-19. Text around the number, a second number, NaN, infinities and what a float cannot hold are refused.
    """
    if len(text) > MAX_NUMBER_CHARS:
        return None
    if _PLAIN.fullmatch(text):
        return Decimal(text)
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
    # A unary minus would round to the precision of the decimal context.
    return value.copy_negate() if "-" in (match["sign"], match["late_sign"]) else value


def _fold(text: str) -> str | None:
    """Return the text after NFKC, with ASCII minus and one degree sign, or None where NFKC would change the number."""
    text = text.translate(_SIGNS)
    for char in text:
        how = unicodedata.decomposition(char)
        if how.startswith("<") and not how.startswith(_RESPELT) and not char.isspace():
            return None
    return unicodedata.normalize("NFKC", text)


def gold_number(target: Target) -> Decimal | str:
    """Return the gold of `number`, or the reason why it is malformed."""
    value = target.value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return f"the gold of {target.verifier} is {value!r}, not a number"
    gold = _read_gold(number_text(value))
    if gold is None:
        return f"the gold of {target.verifier} is {value!r}, not one finite number"
    return gold


_read_gold = lru_cache(maxsize=65_536)(read_number)


def number_text(value: str | float) -> str:
    """Return the value as a reply would write it: 3.0 is 3, a string is itself."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    return str(value).strip()


def grade_number(answer: str, target: Target, view: View) -> Verdict:
    """Return right when the answer is one number within the relative tolerance of the gold, so exactly 0 where it is 0.

    The number may stand in \\boxed{} or bold. In mode `paper` a target without a tolerance asks for the exact number.
    """
    gold = gold_number(target)
    if isinstance(gold, str):
        return Verdict.ungradable(gold, answer)
    tolerance = target.tolerance
    if tolerance is not None and not (math.isfinite(tolerance) and tolerance >= 0.0):
        return Verdict.ungradable(f"the tolerance is {tolerance}, not a finite number from 0", answer)
    number = _said_number(answer)
    if number is None:
        return _no_number(answer)
    if number == gold:
        return Verdict.right(answer)
    if tolerance is None:
        tolerance = 0.0 if view.mode == "paper" else NUMBER_TOLERANCE
    if tolerance > 0.0 and _within(number, gold, tolerance):
        return Verdict.right(answer, f"within {tolerance:g} of {gold}")
    return Verdict.wrong(answer, f"{number} is not {gold}")


def _within(number: Decimal, gold: Decimal, tolerance: float) -> bool:
    # In decimals, so that a reply exactly at the tolerance is right: in floats 1.05 is not within 0.05 of 1.
    with localcontext(prec=100):
        return abs(number - gold) <= Decimal(repr(tolerance)) * abs(gold)


def _said_number(answer: str) -> Decimal | None:
    number = read_number(answer)
    return number if number is not None or len(answer) > MAX_NUMBER_CHARS else read_number(bare(answer))


def grade_count(answer: str, target: Target, view: View) -> Verdict:
    """Return right when the answer is exactly the gold count, a whole number from 0: 5.9 is not 5.

    What is counted may be named after it: "3 dogs", but neither "3 dozen" nor "3 or more".
    """
    gold = gold_number(target)
    if isinstance(gold, str):
        return Verdict.ungradable(gold, answer)
    if gold < 0 or gold != gold.to_integral_value():
        return Verdict.ungradable(f"the gold of count is {gold}, not a whole number from 0", answer)
    number = _said_number(answer)
    if number is None and len(answer) <= MAX_NUMBER_CHARS and (counted := _COUNTED.fullmatch(bare(answer))):
        number = read_number(counted[1]) if read_unit(counted["text"] or counted["noun"]) is not None else None
    if number is None:
        return _no_number(answer)
    return Verdict.right(answer) if number == gold else Verdict.wrong(answer, f"{number} is not {gold}")


def _no_number(answer: str) -> Verdict:
    if len(answer) > MAX_NUMBER_CHARS:
        return Verdict.unparsed(f"{len(answer)} characters, over the cap of {MAX_NUMBER_CHARS} for a number", answer)
    return Verdict.unparsed("not exactly one finite number", answer)
