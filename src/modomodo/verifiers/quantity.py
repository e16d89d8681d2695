"""Plain numbers as mathematics writes them, with their units: what `math` asks for where the gold is one."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import gcd

from modomodo.verifiers.units import ratio, read_unit

MAX_QUANTITY_CHARS = 120
RELATIVE = 1e-5
"""How far apart two decimals may be that are the same, as a share of the gold: 0.33333 is 1/3."""
ABSOLUTE = 1e-6
"""And in any case: math-verify rounds to six decimals."""

Value = tuple[Fraction, int | None, bool]
"""A number, how many decimals it is written with (below 0 for 2e3, None where it is written exactly), and whether it is
reduced."""

_SPACES = re.compile(r"\\[;:, ]|~|\\quad(?![A-Za-z])")
_DROPPED = re.compile(r"\\(?:left|right|displaystyle|textstyle|large|bf|rm)(?![A-Za-z])|\\!")
_GROUPED = re.compile(r"(?<=[0-9])(?:\{,\}|\\,)(?=[0-9]{3}(?![0-9]))")
_VULGAR = re.compile("[¼-¾⅐-⅞]")
_RAISED = re.compile(r"(?<=10)[⁻⁺]?[⁰¹²³⁴-⁹]+")
_FROM_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_TO_ASCII = str.maketrans({"−": "-", "–": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "…": "..."})
_BRACKETS = (("(", ")"), ("\\{", "\\}"), ("[", "]"), ("{", "}"))

_HEAD = re.compile(r"(?P<sign>[+-]?) ?(?P<money>\\?\$|[€£¥₹])? ?(?P<late>[+-]?) ?")
_TAIL = re.compile(r"(?P<percent> ?\\?%| ?(?:\\text ?\{ ?)?per ?cent(?: ?\})?(?![A-Za-z]))?(?P<unit>.*)")
_DECIMAL = r"((?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)"
_EXPONENT = r"(?:\{ ?([+-]?[0-9]{1,3}) ?\}|([+-]?[0-9]{1,3}))"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, exact as it is written, its decimals (as in Value), whether it is a percentage, and its unit or "".

    2/4 is no reduced one: whether it is a half is for math-verify to say.
    """

    value: Fraction
    decimals: int | None
    percent: bool
    unit: str
    reduced: bool = True

    @property
    def whole(self) -> bool:
        """Whether it is a whole number, so that nothing was rounded."""
        return self.value.denominator == 1 and not self.decimals


def read_quantity(text: str) -> Quantity | None:
    """Return the plain number, perhaps with a unit, that the whole text is, or None.

    An integer, a decimal (perhaps a repeating one), a power of ten, a percentage, an amount of money, a fraction or a
    mixed number of integers. A fraction that is a whole number ("10/2") is still to be worked out, as any operation is.
    """
    return None if len(text) > MAX_QUANTITY_CHARS or text.startswith("~") else _read(text)


@lru_cache(maxsize=16_384)
def _read(text: str) -> Quantity | None:
    if not any(map(str.isnumeric, text)):
        return None
    text = _plain(text)
    for opening, closing in _BRACKETS:
        if text.startswith(opening) and text.endswith(closing):
            text = text[len(opening) : -len(closing)].strip()
            break
    head = _HEAD.match(text)
    assert head
    if head["sign"] and head["late"]:
        return None
    for pattern, value_of in _READERS:
        match = pattern.match(text, head.end())
        if match and (read := _with_unit(value_of(match), head, text[match.end() :])) is not None:
            return read
    return None


def same(said: Quantity, gold: Quantity) -> bool:
    """Return whether a number is the gold, perhaps in another unit of the same kind: 500 cm are 5 m.

    A percentage for a bare gold is its share where the gold is at most 1, otherwise its number: 50 % are 0.5, or 50,
    but 0.5 % are not 0.5. For a percentage as gold the bare number and the share are both right.
    """
    if said.percent != gold.percent:
        if said.unit or gold.unit:
            return False
        share = close(_share(said), _share(gold))
        return share if said.percent and abs(gold.value) <= 1 else close(said, gold) or (gold.percent and share)
    factor = ratio(said.unit, gold.unit)
    return factor is not None and close(said if factor == 1 else replace(said, value=said.value * factor), gold)


def close(said: Quantity, gold: Quantity) -> bool:
    """Return whether two values are equal, or where one is a decimal, and not whole, as near as its digits can say."""
    if said.value == gold.value or gold.whole or (said.decimals is None and gold.decimals is None):
        return said.value == gold.value
    return abs(said.value - gold.value) <= min(Fraction(ABSOLUTE), Fraction(RELATIVE) * abs(gold.value))


def _share(quantity: Quantity) -> Quantity:
    return Quantity(quantity.value / 100, quantity.decimals, False, quantity.unit) if quantity.percent else quantity


def _plain(text: str) -> str:
    """Return the text with one spelling of signs, digits, spaces, thousands, fractions and powers of ten."""
    text = _DROPPED.sub("", _GROUPED.sub(",", text))
    if not text.isascii():
        text = _RAISED.sub(lambda match: f"^{{{match[0].translate(_FROM_RAISED)}}}", text).translate(_TO_ASCII)
        text = _VULGAR.sub(lambda match: " " + unicodedata.normalize("NFKC", match[0]).replace("⁄", "/"), text)
        text = "".join(
            unicodedata.normalize("NFKC", char)
            if unicodedata.decomposition(char).startswith(("<wide>", "<noBreak>"))
            else char
            for char in text
        )
    return " ".join(re.sub(r"\\[dtc]frac", r"\\frac", _SPACES.sub(" ", text)).split())


def _with_unit(value: Value | None, head: re.Match[str], rest: str) -> Quantity | None:
    tail = _TAIL.fullmatch(rest)
    if value is None or tail is None:
        return None
    units = {read_unit(part) for part in (head["money"] or "", tail["unit"].strip())}
    if None in units or len(units - {""}) > 1 or (tail["percent"] and units != {""}):
        return None
    number = -value[0] if "-" in (head["sign"], head["late"]) else value[0]
    return Quantity(number, value[1], bool(tail["percent"]), "".join(str(unit) for unit in units), value[2])


def _fraction(match: re.Match[str]) -> Value | None:
    """Return a fraction or mixed number; None where it is a whole number, or nothing."""
    whole, *parts = match.groups()
    top, bottom = (int(part) for part in parts if part is not None)
    if bottom == 0 or top % bottom == 0:
        return None
    return int(whole or 0) + Fraction(top, bottom), None, gcd(top, bottom) == 1


def _repeating(match: re.Match[str]) -> Value:
    stem, period = match[1], match[2]
    decimals = len(stem.partition(".")[2])
    start = Fraction(Decimal(f"0{stem}0"))
    return start + Fraction(int(period), (10 ** len(period) - 1) * 10**decimals), None, True


def _power_of_ten(match: re.Match[str]) -> Value:
    return Fraction(10) ** int(match[1] or match[2]), None, True


def _decimal(match: re.Match[str]) -> Value:
    digits = match[1].replace(",", "")
    exponent = int(next(filter(None, match.groups()[1:]), "0"))
    point = "." in digits or exponent != 0
    decimals = len(digits.partition(".")[2]) - exponent if point else None
    return (
        Fraction(Decimal(f"0{digits}" if digits.startswith(".") else digits)) * Fraction(10) ** exponent,
        decimals,
        True,
    )


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Value | None]], ...] = (
    (re.compile(r"(?:([0-9]+) ?)?\\frac ?(?:\{ ?(-?[0-9]+) ?\} ?\{ ?([0-9]+) ?\}|([0-9]) ?([0-9]))"), _fraction),
    (re.compile(r"(?:([0-9]+) )?([0-9]+) ?/ ?([0-9]+)"), _fraction),
    (re.compile(r"([0-9]*\.[0-9]*)\\(?:overline|bar|dot) ?\{? ?([0-9]+) ?\}?"), _repeating),
    (re.compile(r"([0-9]*\.[0-9]*?)([0-9])\2{2,} ?(?:\.\.\.|\\[lc]?dots(?![A-Za-z]))"), _repeating),
    (re.compile(rf"10 ?\^ ?{_EXPONENT}"), _power_of_ten),
    (
        re.compile(rf"{_DECIMAL}(?: ?(?:\\times|\\cdot|\*|x) ?10 ?(?:\^|\*\*) ?{_EXPONENT}|[eE]([+-]?[0-9]{{1,3}}))?"),
        _decimal,
    ),
)
