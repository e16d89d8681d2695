"""Mathematical equality: `math`, by math-verify in a process that can be killed."""

import re
from decimal import Decimal
from functools import lru_cache

from modomodo.core.rows import Target, Verdict, View
from modomodo.verifiers.number import number_text, read_number
from modomodo.verifiers.parse import is_visible
from modomodo.verifiers.text import normalise, normalise_gold
from modomodo.verifiers.worker import MATH_WORKERS

DEADLINE_SECONDS = 2.0
"""Wall time for one answer; a gold has five times as much, once."""

MAX_MATH_CHARS = 4_096
MAX_NESTING = 8

_INTEGER = re.compile(r"[-+]?[0-9]+")
# What SymPy would spend minutes or gigabytes on; the deadline guards the rest.
_TOO_BIG = {
    "a tower of numeric exponents": re.compile(r"(?:\^|\*\*)[{( ]*[-+]?[0-9]+[)} ]*(?:\^|\*\*)[{( ]*[-+]?[0-9]"),
    "an exponent of over four digits": re.compile(r"(?:\^|\*\*)[{( ]*[-+]?[0-9]{5}"),
    "a factorial of over four digits, or of a factorial": re.compile(r"[0-9]{5}[)} ]*!|![)} ]*!"),
    "a number of over 400 digits": re.compile(r"[0-9]{401}"),
}
# math-verify reads 5 6 as 5 + 6 and 5.5.5 as 5.5 times 0.5.
_TWO_NUMBERS = re.compile(r"[0-9.]\s+[0-9.]|\.[0-9]+\.[0-9]")

_WORDS = re.compile(r"[A-Za-z]+(?:[ '-][A-Za-z]+)*\.?")
_LONG_WORD = re.compile(r"[A-Za-z]{3}|^no\b", re.IGNORECASE)
_TEXT = re.compile(r"\\(?:text|mbox|mathrm|textbf)\{([^{}\\$]*)\}")

_DELIMITED = re.compile(r"(?<!\\)\$|\\[(\[]|\\boxed")
_DELIMITERS = (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("\\boxed{", "}"))
_LEAD = re.compile(
    r"(?:(?!(?:not|no|or|nor|never|either|neither|maybe|know|than)\b)[A-Za-z]+ ){0,6}(?:is|are|equals):? (?!not)"
)
_JOINT = re.compile(r"\s*(?:,|,? and)\s+(?=\S)|\s*,\s*(?=\S)")
# LaTeX that takes single digits as arguments: \frac 1 2, \log_2 8.
_SHORT_ARGUMENTS = re.compile(r"\\[dt]?(?:frac|binom) ?[0-9] [0-9]|_[0-9] [0-9]")
_MIXED = re.compile(r"([0-9]+) ([0-9]+) ?/ ?([0-9]+)")
_NAMES = re.compile(r"(?<![A-Za-z\\])(pi|sin|cos|tan|log|ln)(?![A-Za-z])")
_ROOT = re.compile(r"(?:√|(?<![A-Za-z\\])sqrt) ?([0-9]+|[a-z](?![a-z]))")
_SUPERSCRIPTS = re.compile(r"[⁰¹²³⁴-⁹⁻]+")
_FROM_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_TO_LATEX = str.maketrans(
    {
        "−": "-", "–": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "÷": r"\div ", "±": r"\pm ",
        "π": r"\pi ", "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ", "∞": r"\infty ", "°": r"^\circ ",
        "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "√": "sqrt",
    }
)  # fmt: skip


def grade_math(answer: str, target: Target, view: View) -> Verdict:
    """Return right when the answer equals the gold: as a string, as a decimal number, or by math-verify.

    An answer over a cap or past the deadline is unparsed, as the gold has verified against itself; what fails in
    math-verify itself is ungradable. Raises ModomodoError without the package math-verify.
    """
    gold = _gold_text(target)
    if gold is None:
        return Verdict.ungradable(f"the gold of math is {target.value!r}, not a visible text or a number", answer)
    said = _inner(answer)
    if said is None:
        return Verdict.unparsed("mathematics beside other text", answer[:200])
    known = _compare_plainly(said, gold)
    if known is not None:
        return Verdict.right(answer) if known else Verdict.wrong(answer, f"not {gold}")
    if problem := _gold_problem(gold):
        return Verdict.ungradable(problem, answer)
    if over := _over_cap(said):
        return Verdict.unparsed(over, answer[:200])
    outcome, detail = MATH_WORKERS.ask(_to_latex(gold), _to_latex(said), DEADLINE_SECONDS)
    match outcome:
        case "same":
            return Verdict.right(answer)
        case "different":
            return Verdict.wrong(answer, f"not {gold}")
        case "unread":
            return Verdict.unparsed("not readable as mathematics", answer)
        case "failed":
            return Verdict.ungradable(f"math-verify failed on the answer {answer[:200]!r}: {detail}", answer)
        case "deep" | "late" | "dead":
            return Verdict.unparsed(f"{detail}, while the gold verifies against itself", answer)


def _gold_text(target: Target) -> str | None:
    value = target.value
    if isinstance(value, tuple | bool):
        return None
    text = number_text(value)
    return _inner(text) or "" if is_visible(text) else None


def _compare_plainly(answer: str, gold: str) -> bool | None:
    """Return whether answer and gold are equal where no algebra is needed to say, otherwise None."""
    if answer == gold and gold:
        return True
    if _INTEGER.fullmatch(answer) and _INTEGER.fullmatch(gold):
        return Decimal(answer) == Decimal(gold)
    number = read_number(answer)
    if number is not None and number == read_number(gold):
        return True
    words = _words(gold)
    if words is None:
        return None
    # As algebra, words would be products of letters, which commute: "on" would equal "no".
    said = _words(answer)
    return said is not None and normalise(said) == normalise_gold(words)


def _words(text: str) -> str | None:
    """Return the words that the text is, bare or in \\text{}; None when it may be mathematics."""
    if inner := _TEXT.fullmatch(text):
        text = inner[1].strip()
    if _WORDS.fullmatch(text) and _LONG_WORD.search(text) and not _NAMES.search(text):
        return text
    return None


def _gold_problem(gold: str) -> str:
    """Return why the gold does not verify against itself, or an empty string."""
    try:
        return _lasting_problem(gold)
    except _PassingError as error:
        return str(error)


class _PassingError(RuntimeError):
    """The process died, twice: no fault of the gold, and not to be remembered."""


@lru_cache(maxsize=65_536)
def _lasting_problem(gold: str) -> str:
    if not gold:
        return "the gold of math has mathematics beside other text"
    if over := _over_cap(gold):
        return f"the gold of math is {gold[:200]!r}: {over}"
    latex = _to_latex(gold)
    outcome, detail = MATH_WORKERS.ask(latex, latex, 5.0 * DEADLINE_SECONDS)
    problem = f"the gold of math, {gold!r}, is {outcome} against itself {detail}"
    if outcome == "dead":
        raise _PassingError(problem)
    return "" if outcome == "same" else problem


def _inner(text: str) -> str | None:
    """Return the mathematics of a text without its delimiters and a final period, or None where text stands beside it.

    math-verify reads what is delimited and nothing else: "$5$ or 6", "not $5$" and "-$5$" would all be 5. Several
    formulas joined by commas or "and" are one list; words that lead to a formula ("The area is $5$") may stand first.
    """
    if read_number(text.strip()) is not None:  # its dollars are money
        return text.strip()
    text = _without_period(text.strip())
    while (inside := _unwrapped(text)) is not None:
        text = _without_period(inside.strip())
    if not _DELIMITED.search(text):
        return text
    lead = _LEAD.match(text)
    found: list[str] = []
    rest = text[lead.end() :] if lead else text
    while rest:
        end = _span_end(rest)
        inside = _unwrapped(rest[:end]) if end else None
        if inside is None or _DELIMITED.search(inside):
            return None
        found.append(inside.strip())
        rest = rest[end:]
        joint = _JOINT.match(rest)
        if rest and not joint:
            return None
        rest = rest[joint.end() :] if joint else rest
    return ", ".join(found) or None


def _without_period(text: str) -> str:
    # An ellipsis is not a final period.
    return text[:-1].rstrip() if text.endswith(".") and not text.endswith("..") else text


def _unwrapped(text: str) -> str | None:
    """Return what stands in the delimiters that hold the whole text, or None."""
    for opening, closing in _DELIMITERS:
        if text.startswith(opening) and _span_end(text) == len(text):
            return text[len(opening) : -len(closing)]
    return None


def _span_end(text: str) -> int:
    """Return where the delimited formula ends that the text starts with; 0 where it starts with none, or none ends."""
    for opening, closing in _DELIMITERS:
        if not text.startswith(opening):
            continue
        if opening != "\\boxed{":
            end = text.find(closing, len(opening))
            return end + len(closing) if end >= 0 else 0
        depth = 0
        for place in range(len(opening) - 1, len(text)):
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            if depth == 0:
                return place + 1
        return 0
    return 0


def _over_cap(text: str) -> str:
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


def _to_latex(text: str) -> str:
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
    text = _NAMES.sub(r"\\\1", _MIXED.sub(r"\1\\frac{\2}{\3}", text))
    return f"${text}$"
