"""Answers as LaTeX that math-verify reads wholly or not at all, and what SymPy would spend minutes or gigabytes on."""

import re
from fractions import Fraction

from modomodo.verifiers.nouns import may_name
from modomodo.verifiers.number import read_number
from modomodo.verifiers.units import is_noun, read_unit
from modomodo.verifiers.wrapping import bare, span_end, unwrapped, without_period

MAX_MATH_CHARS = 4_096
MAX_NESTING = 8

_TOO_BIG = {
    "a tower of numeric exponents": re.compile(r"(?:\^|\*\*)[{( ]*[-+]?[0-9]+[)} ]*(?:\^|\*\*)[{( ]*[-+]?[0-9]"),
    "an exponent of over four digits": re.compile(r"(?:\^|\*\*)[{( ]*[-+]?[0-9]{5}"),
    "a factorial of over four digits, or of a factorial": re.compile(r"[0-9]{5}[)} ]*!|![)} ]*!"),
    "a number of over 400 digits": re.compile(r"[0-9]{401}"),
}
# math-verify reads 5 6 as 5 + 6 and 5.5.5 as 5.5 times 0.5.
_TWO_NUMBERS = re.compile(r"[0-9.]\s+[0-9.]|\.[0-9]+\.[0-9]")

_DELIMITED = re.compile(r"(?<!\\)\$|\\[(\[]|\\boxed")
_LEAD = re.compile(
    r"(?:(?!(?:not|no|or|nor|never|either|neither|maybe|know|than)\b)[A-Za-z]+ ){0,6}(?:is|are|equals):? (?!not)"
    r"|(?:final |correct )?answer: ?"
    r"|(?:so|thus|hence|therefore|then|finally|we (?:get|have|find)),? (?=[$\\])",
    re.IGNORECASE,
)
_ANSWER = re.compile(r"(?:the |my )?(?:final |correct )?answer(?: is:?|:) (?!not\b)(.+)", re.IGNORECASE | re.DOTALL)
_SIDES = re.compile(r"[^$]*?(?:=|\\approx)\s*(?=\$|\\[(\[]|\\boxed)")  # of a chain, before its last
_FORMULAS = ("$", "\\(", "\\[", "\\boxed{", "\\fbox{")
_JOINT = re.compile(r"\s*(?:,|,? and)\s+(?=\S)|\s*,\s*(?=\S)")
# LaTeX that takes single digits as arguments: \frac 1 2, \log_2 8.
_SHORT_ARGUMENTS = re.compile(r"\\[dt]?(?:frac|binom) ?[0-9] [0-9]|_[0-9] [0-9]")
_MIXED = re.compile(r"([0-9]+) ([0-9]+) ?/ ?([0-9]+)")
_FUNCTIONS = re.compile(r"(?<![A-Za-z\\])(pi|sin|cos|tan|log|ln)(?![A-Za-z])")
_ROOT = re.compile(r"(?:√|(?<![A-Za-z\\])sqrt) ?([0-9]+|[a-z](?![a-z]))")
_DECIMAL_POWER = re.compile(r"\^\s*(?:\{\s*(-?[0-9]*\.[0-9]{1,4})\s*\}|([0-9]*\.[0-9]{1,4})(?![0-9]))")
_UPRIGHT_LETTER = re.compile(r"\\math(?:rm|bf|it)\s*\{\s*([A-Za-z])\s*\}")  # the e of \mathrm{e} is Euler's
_SUPERSCRIPTS = re.compile(r"[⁰¹²³⁴-⁹⁻]+")
_FROM_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_TO_LATEX = str.maketrans(
    {
        "−": "-", "–": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "÷": r"\div ", "±": r"\pm ",
        "π": r"\pi ", "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ", "∞": r"\infty ", "°": r"^\circ ",
        "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "√": "sqrt",
    }
)  # fmt: skip
# The unit after an expression: upright text, or letters that are no product, perhaps with a power.
_UNIT = re.compile(
    r"(?P<rest>.*?[^\s\\,;:!~])(?:\s|~|\\[,;: ])*"
    r"(?P<unit>(?:(?:\\(?:text|mathrm|mbox|textrm)\s*\{[^{}]*\}"
    r"|(?<=[\s}0-9~,])(?:(?:sq|cu|square|cubic)\.? ?)?[A-Za-z/]{2,}(?![A-Za-z{(]))(?:\^\{?-?[1-4]\}?)?)"
    r"|\^\s*\{?\s*\\circ\s*\}?(?:\s*[CF])?)",
    re.DOTALL,
)


def inner(text: str) -> str | None:
    """Return the mathematics of a text without its delimiters and a final period, or None where text stands beside it.

    math-verify reads what is delimited and nothing else: "$5$ or 6", "not $5$" and "-$5$" would all be 5. Several
    formulas joined by commas or "and" are one list; words that lead to a formula ("The area is $5$"), or the sides of
    its chain ("x = \\\\boxed{5}"), may stand before it, and its unit after it.
    """
    text = text.strip()
    if unwrapped(text) is None and read_number(text) is not None:  # a dollar is money
        return text
    text = without_period(bare(text))
    if answer := _ANSWER.fullmatch(text):
        text = without_period(bare(answer[1]))
    if not _DELIMITED.search(text):
        return text
    lead = _LEAD.match(text)
    if lead and not may_name(lead[0]):
        return None
    rest = text[lead.end() :] if lead else text
    sides = _SIDES.match(rest)
    found: list[str] = []
    rest = rest[sides.end() :] if sides else rest
    while rest:
        end = span_end(rest) if rest.startswith(_FORMULAS) else 0
        inside = unwrapped(rest[:end]) if end else None
        if inside is None or _DELIMITED.search(inside):
            return None
        found.append(inside.strip())
        rest = rest[end:]
        if len(found) == 1 and rest and (rest.strip() in ("%", "\\%") or read_unit(rest.strip()) is not None):
            found[0], rest = f"{found[0]} {rest.strip()}", ""
        joint = _JOINT.match(rest)
        if rest and not joint:
            return None
        rest = rest[joint.end() :] if joint else rest
    return (sides[0] if sides else "") + ", ".join(found) or None


def split_unit(text: str) -> tuple[str, str]:
    """Return an expression and the unit after it, "" where none is known to be one."""
    match = _UNIT.fullmatch(text)
    unit = read_unit(match["unit"]) if match else None
    # Bare letters that are no known unit are a product.
    if match is None or unit is None or (is_noun(unit) and "\\" not in match["unit"]):
        return text, ""
    return match["rest"], unit


def over_cap(text: str) -> str:
    """Return which cap the text exceeds, or what math-verify would misread, or an empty string."""
    if len(text) > MAX_MATH_CHARS:
        return f"{len(text)} characters, over the cap of {MAX_MATH_CHARS} for mathematics"
    depth = deepest = 0
    for char in text:
        if char in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in ")]}":
            depth -= 1
    if deepest > MAX_NESTING:
        return f"brackets nested {deepest} deep, over the cap of {MAX_NESTING}"
    for what, pattern in _TOO_BIG.items():
        if pattern.search(text):
            return what
    if _TWO_NUMBERS.search(_SHORT_ARGUMENTS.sub("", _MIXED.sub("", text))):
        return "two numbers side by side"
    return ""


def to_latex(text: str) -> str:
    """Return the text as LaTeX in dollars.

    In dollars math-verify reads the whole text or nothing. Outside it would read one number out of it: the 2 of 2√3, or
    the last of a box. A plain number is written without an exponent, whose e would be Euler's.
    """
    number = None if "%" in text else read_number(text)
    if number is not None and "e" in text.lower():
        mantissa, _, exponent = f"{number:e}".partition("e")
        return f"${mantissa} \\times 10^{{{int(exponent)}}}$"
    if number is not None:
        return f"${number:f}$"
    text = _SUPERSCRIPTS.sub(lambda match: f"^{{{match[0].translate(_FROM_SUPERSCRIPTS)}}}", " ".join(text.split()))
    text = _ROOT.sub(r"\\sqrt{\1}", text).translate(_TO_LATEX).replace("**", "^")
    if "." in text and "^" in text:  # SymPy would leave x^{0.5} beside √x
        text = _DECIMAL_POWER.sub(_as_fraction, text)
    text = _UPRIGHT_LETTER.sub(r"{\1}", text)
    text = _FUNCTIONS.sub(r"\\\1", _MIXED.sub(r"\1\\frac{\2}{\3}", text))
    return f"${text}$"


def _as_fraction(match: re.Match[str]) -> str:
    power = Fraction(match[1] or match[2])
    return f"^{{\\frac{{{power.numerator}}}{{{power.denominator}}}}}"
