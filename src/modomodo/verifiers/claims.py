"""What a mathematical answer claims: "x = 2 + 3 = 5" names x and says 5 in two ways; "1, 5" says two things.

math-verify takes the last side of a chain and drops what it does not know. So chains are cut here and each side is
judged, and an answer with signs that its gold has not, and that math-verify passes over, is refused.
"""

import re
from dataclasses import dataclass

from modomodo.verifiers.nouns import may_name
from modomodo.verifiers.quantity import read_quantity
from modomodo.verifiers.units import agree, read_unit

MAX_SIDES = 6

_RELATION = re.compile(r"(?P<opening>[({\[])|(?P<closing>[)}\]])|\\approx(?![A-Za-z])|≈|(?<![<>!:=])=(?!=)")
_SEPARATOR = re.compile(
    r"(?P<opening>[({\[])|(?P<closing>[)}\]])|(?<!\\)[,;]|\\text\s*\{\s*,?\s*(?:and|or)\s*\}|(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])"
)
_OUTER = re.compile(r"(?:\\left\s*)?(?P<opening>\\\{|[(\[{])(?P<inside>.*?)(?:\\right\s*)?(?:\\\}|[)\]}])", re.DOTALL)
_MEMBER = re.compile(r"\s*\\?[A-Za-z]+(?:_\{?[A-Za-z0-9]+\}?)?\s*(?:=|\\in(?![A-Za-z])|∈)")
_THOUSANDS = re.compile(r"(?<![0-9.,])[1-9][0-9]{0,2}(?:,[0-9]{3})+(?!,?[0-9])")

_WORD = re.compile(r"\\text\s*\{([^{}]*)\}|(?<![A-Za-z\\])[A-Za-z]{2,}")
_HEDGE = re.compile(
    r"\b(?:or|and|not|no|nor|never|either|neither|maybe|else|if|wrong|than|about|approximately)\b", re.I
)
_SEGMENT = re.compile(r"(?<![A-Za-z\\])[A-Z]{2,}(?![A-Za-z])")
_GREEK = (
    "alpha|beta|gamma|delta|(?:var)?(?:epsilon|theta|phi)|zeta|eta|kappa|lambda|mu|nu|xi|rho|sigma|tau|chi|psi|omega|"
    "Gamma|Delta|Theta|Lambda|Xi|Sigma|Phi|Psi|Omega|ell|hbar|angle|triangle"
)
_SYMBOL = re.compile(rf"\\(?:{_GREEK})(?![A-Za-z])|[A-Za-z]")
_OTHER_COMMAND = re.compile(rf"\\(?!(?:{_GREEK})(?![A-Za-z]))[A-Za-z]+")
_ARGUMENTS = re.compile(r"_\s*(?:\{[^{}]*\}|[A-Za-z0-9])|\([^()]*\)|\{[^{}]*\}")
_OPERATION = re.compile(r"[0-9+*/^!-]|\\(?:d|t|c)?frac|\\(?:cdot|times|div|sqrt|pm)(?![A-Za-z])")
_OTHER_RELATION = re.compile(
    r"[<>≠≤≥≈~±¬?∈]|\\(?:n?eq?|not|[lg]eq?|[lg]t|in|notin|neg|lnot|to|implies|iff|(?:[Ll]ong|[Ll]eft)?[Rr]ightarrow|"
    r"sim|simeq|cong|equiv|pm|mp|mid|lor|vee|land|wedge)(?![A-Za-z])"
)
_TRIGONOMETRY = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)(?![A-Za-z]).*\\circ", re.DOTALL)

# Commands that math-verify reads, or that change nothing. Any other must stand in the gold too.
_READ = """
    frac dfrac tfrac cfrac sqrt cdot times div pm mp left right big Big bigl bigr Bigl Bigr bigg Bigg text mathrm mbox
    textbf textrm textit mathbf mathit mathsf bm rm bf operatorname displaystyle textstyle sin cos tan cot sec csc
    arcsin arccos arctan sinh cosh tanh log ln lg exp lim sum prod int iint oint min max gcd lcm det infty infinity
    circ degree in cup cap setminus emptyset varnothing le leq leqslant ge geq geqslant lt gt binom dbinom tbinom vec
    hat bar overline overrightarrow angle triangle mod bmod pmod begin end partial nabla mathbb mathcal lvert rvert
    lfloor rfloor lceil rceil vert mid lbrace rbrace langle rangle and wedge land alpha beta gamma delta epsilon
    varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi varphi chi psi omega
    Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar Re Im imath quad qquad
"""
_KNOWN = frozenset(_READ.split())
# A single upright letter is a symbol, and so are capitals.
_UPRIGHT_WORDS = re.compile(
    r"\\(?:text(?:bf|rm|it|sf|up)?|mbox|math(?:rm|bf|it|sf)|operatorname)\s*\{(?!\s*(?:[A-Za-z]|[A-Z]{2,4})\s*\})([^{}]*)\}"
)
_JOINING = frozenset({"", "and", "or"})
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_ARROW = re.compile(r"\\(?:to|rightarrow)(?![A-Za-z])")
_PASSED_OVER = {
    "a prime or quotes": re.compile(r"['\"’‘′″”“`´]|\\prime"),
    "a transpose or a mark": re.compile(
        r"\^\s*\{?\s*(?:\\(?:mathrm|text|mathsf)\s*\{?\s*)?(?:T(?![A-Za-z])|H(?![A-Za-z])|\*|\\(?:top|intercal|dagger|ast|star|prime))"
    ),
    "a subscript of a number": re.compile(r"[0-9][\s)}\]]*_"),
    "an ellipsis": re.compile(r"\.\.|…|\\[lcv]?dots[a-z]?(?![A-Za-z])"),
    "an approximation": re.compile(r"^\s*~|≈|∼|\\sim"),
    "a question": re.compile(r"\?|¿"),
    "plus or minus": re.compile(r"\\pm|\\mp|±|∓"),
    "a space between values": re.compile(r"\\q?quad"),
}


@dataclass(frozen=True)
class Claim:
    """A chain of equal sides: what it names ("" for nothing), the sides that say it, and what they are rounded to."""

    name: str
    sides: tuple[str, ...]
    rounded: str = ""


def read_claim(text: str, gold: str) -> Claim | str:
    """Return the claim of an answer, or the reason why it is none; an answer of several values is one side."""
    if len(items(text)) > 1:
        return Claim("", (text,))
    signs, sides = relations(text)
    if len(sides) > MAX_SIDES:
        return f"{len(sides)} sides of one chain, over the cap of {MAX_SIDES}"
    if any(sign != "=" for sign in signs[:-1]):
        return "an approximation on the way to another value"
    rounded = sides.pop() if signs and signs[-1] != "=" else ""
    if signs and not sides[0]:  # "= 5"
        del sides[0]
    given, name = symbols(gold), ""
    while sides and (len(sides) > 1 or rounded) and is_name(sides[0], given):
        name = sides.pop(0)
    if not all(sides) or not (sides or rounded):
        return "a side without anything"
    return Claim(name, tuple(sides), rounded)


def relations(text: str) -> tuple[list[str], list[str]]:
    """Return the signs = and ≈ of a chain, and its sides, one more; those in brackets are left alone."""
    signs, sides = _cut(text, _RELATION)
    return signs, [side.strip() for side in sides]


def items(text: str) -> list[str]:
    """Return the values that an answer lists, with or without brackets around them, perhaps as those of a name."""
    return _list(text)[1]


def brackets(text: str) -> str:
    """Return "{" where an answer lists several values as a set, "(" as a tuple or interval, "" without brackets."""
    opening = _list(text)[0]
    return "{" if "{" in opening else "(" if opening else ""


def _list(text: str) -> tuple[str, list[str]]:
    """Return the bracket that opens a list of values, "" for none, and the values."""
    member = _MEMBER.match(text)
    outer = _OUTER.fullmatch((text[member.end() :] if member else text).strip())
    if outer and _balanced(outer["inside"]) and len(inside := _cut(outer["inside"], _SEPARATOR)[1]) > 1:
        return outer["opening"], inside
    return "", _cut(text, _SEPARATOR)[1]


def _balanced(text: str) -> bool:
    """Return whether no bracket closes that was not opened."""
    depth = 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        if depth < 0:
            return False
    return True


def _cut(text: str, pattern: re.Pattern[str]) -> tuple[list[str], list[str]]:
    """Return the separators outside of brackets, and the parts between them."""
    found: list[str] = []
    parts: list[str] = []
    start = depth = 0
    for match in pattern.finditer(text):
        if match["opening"] or match["closing"]:
            depth += 1 if match["opening"] else -1
        elif depth == 0:
            found.append(match[0])
            parts.append(text[start : match.start()])
            start = match.end()
    return found, [*parts, text[start:]]


def is_name(side: str, given: frozenset[str]) -> bool:
    """Return whether the first side of a chain is what is asked for, rather than a value in the `given` symbols.

    A symbol, perhaps with arguments, words, or an expression in several symbols: "x", "f(2)", "AB", "Area",
    "a + b". An expression in one symbol ("x + 1", "2x") would still have to be solved.
    """
    words = [match[1] or match[0] for match in _WORD.finditer(side)]
    if read_quantity(side) is not None or side.startswith("-") or not all(map(_may_stand_in_name, words)):
        return False
    found = symbols(side)
    if not found or found <= given:
        return not found and bool(_TRIGONOMETRY.search(side))  # degrees, which math-verify does not work out
    core = _without_arguments(side)
    if _OTHER_RELATION.search(core) or not set(_COMMAND.findall(core)) <= _KNOWN | {"prime"}:
        return False
    if any(len(word) > 2 and not word.isupper() for word in words):
        return not any(char.isdigit() for char in core)
    segments = set(_SEGMENT.findall(side))  # AB is one quantity
    return len(segments) + len(symbols(_SEGMENT.sub(" ", side))) > 1 or not _OPERATION.search(core)


def _may_stand_in_name(words: str) -> bool:
    """Return whether words, or letters side by side, are part of a name: "Area of the square", "AB", "dy"."""
    if _HEDGE.search(words):
        return False
    if len(words) < 3 or (words.isupper() and words.isalpha() and (len(words) < 5 or list(words) == sorted(words))):
        return len(words) < 3 or read_unit(words.lower()) is not None  # NOT, HALF
    return may_name(words)


def operates(side: str) -> bool:
    """Return whether an expression has an operation or a number, apart from arguments and subscripts."""
    return bool(_OPERATION.search(_without_arguments(side)))


def _without_arguments(side: str) -> str:
    while (shorter := _ARGUMENTS.sub("", side)) != side:
        side = shorter
    return side


def symbols(text: str) -> frozenset[str]:
    """Return the letters of an expression, Greek ones as commands."""
    return frozenset(_SYMBOL.findall(_OTHER_COMMAND.sub(" ", text)))


def foreign(said: str, gold: str) -> str:
    """Return what an answer has that its gold has not and that math-verify may pass over, or an empty string."""
    allowed = _KNOWN | set(_COMMAND.findall(gold))
    unknown = [command for command in _COMMAND.findall(said) if command not in allowed]
    if unknown and not (_ARROW.search(said) and r"\lim" in said and set(unknown) <= {"to", "rightarrow"}):
        return f"\\{unknown[0]}, which the gold has not"
    if words := {words for words in _spoken(said) if words not in gold}:
        return f"{min(words)!r}, which the gold has not"
    mine, theirs = (symbols(_UPRIGHT_WORDS.sub(" ", text)) for text in (said, gold))
    if other := {letter for letter in mine - theirs if _in_other_case(letter) in theirs}:
        return f"{min(other)}, which the gold writes {_in_other_case(min(other))}"
    several = len(items(gold)) > 1
    for what, pattern in _PASSED_OVER.items():
        if len(pattern.findall(said)) > len(pattern.findall(gold)) and not (several and what == "plus or minus"):
            return f"{what}, which the gold has not"
    return ""


def _in_other_case(symbol: str) -> str:
    """Return X for x, and \\Gamma for \\gamma."""
    start = symbol.startswith("\\")
    return symbol[:start] + symbol[start : start + 1].swapcase() + symbol[start + 1 :]


def _spoken(text: str) -> set[str]:
    """Return the words in upright text that neither join values, nor are functions, or units that may be left out."""
    found = {" ".join(match[1].split()) for match in _UPRIGHT_WORDS.finditer(text)}
    return {words for words in found if words.strip(",. ") not in _JOINING | _KNOWN and not _is_unit(words)}


def _is_unit(words: str) -> bool:
    unit = read_unit(words)
    return unit is not None and agree(unit, "")


def how_many(text: str) -> set[int]:
    """Return how many values an answer lists, those with either sign as two, with commas for thousands or without."""
    return {
        sum(2 if re.search(r"\\pm|\\mp|±|∓", item) else 1 for item in items(form))
        for form in (text, _THOUSANDS.sub("0", text))
    }
