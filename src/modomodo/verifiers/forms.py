"""Two ways to write one thing: points by named coordinates (x = 1, y = 2), intervals by inequalities, angles by π."""

import re
from decimal import Decimal
from fractions import Fraction

from modomodo.verifiers.claims import brackets, items, relations, symbols

Both = tuple[str, str]
"""What is said, and the gold, in one form."""

_SYMBOL = re.compile(r"(\\?[A-Za-z]+?)(?:_\{?([A-Za-z0-9]+)\}?)?")
_ORDERED = re.compile(r"(?:\\left\s*)?\(.*\)", re.DOTALL)
_OR = re.compile(
    r",?\s*(?:\\text\s*\{\s*,?\s*or\s*\}|(?<![A-Za-z\\])or(?![A-Za-z])|\\cup(?![A-Za-z])|\\(?:lor|vee)(?![A-Za-z])|∪)\s*"
)
_SETBUILDER = re.compile(r"\\\{\s*(\\?[A-Za-z]+)\s*(?:\\mid(?![A-Za-z])|[:|])(.*)\\\}", re.DOTALL)
_MEMBER = re.compile(r"\s*(\\?[A-Za-z]+)\s*(?:\\in(?![A-Za-z])|∈)")
_INTERVAL = re.compile(r"(?:\\left\s*)?[\[(][^()\[\]]*,[^()\[\]]*(?:\\right\s*)?[\])]")
_INEQUALITY = re.compile(
    r"(?P<less><=?|≤|\\l(?:eqslant|eq?|t)(?![A-Za-z]))|(?P<more>>=?|≥|\\g(?:eqslant|eq?|t)(?![A-Za-z]))"
)
_FAR = r"\infty"
_PI = r"(?:\\pi|π|(?<![A-Za-z])pi)(?![A-Za-z])"
_TOP, _BOTTOM = r"(?P<top>[0-9]+(?:\.[0-9]+)?)", r"(?P<bottom>[0-9]+)"
_TURNS = tuple(
    re.compile(rf"(?P<sign>-?) ?{form}(?:(?: |~|\\[,;: ])*(?:\\(?:text|mathrm) ?\{{ ?)?rad(?:ians?)?(?: ?\}})?)?")
    for form in (
        rf"(?:{_TOP} ?(?:\\cdot ?|\\times ?|\* ?)?)?{_PI}(?: ?/ ?{_BOTTOM})?",
        rf"\\[dt]?frac ?\{{ ?(?:{_TOP} ?)?{_PI} ?\}} ?\{{ ?{_BOTTOM} ?\}}",
        rf"\\[dt]?frac ?\{{ ?{_TOP} ?\}} ?\{{ ?{_BOTTOM} ?\}} ?(?:\\cdot ?)?{_PI}",
    )
)


def in_one_form(said: str, gold: str) -> Both | None:
    """Return an answer and its gold in one form where one names its values or has inequalities, otherwise None."""
    return _as_points(said, gold) or _as_intervals(said, gold)


def _as_points(said: str, gold: str) -> Both | None:
    """Return both as tuples in one order: that of the gold's names, or of the alphabet where it has none.

    x_1 = 1, x_2 = 2 are several values of one symbol, in no order, unless the gold is a tuple.
    """
    mine, theirs = _named(said), _named(gold)
    names = list(theirs or sorted(mine or (), key=_place))
    ordered = theirs is None and bool(_ORDERED.fullmatch(gold.strip()))
    if len({_base(name) for name in names}) < 2 and not (ordered and names):
        return None
    values = [mine, theirs]
    for place, text in enumerate((said, gold)):
        if values[place] is None:
            found = items(text)
            if len(found) != len(names) or brackets(text) == "{":
                return None
            values[place] = dict(zip(names, found, strict=True))
    if any(set(one or ()) != set(names) for one in values):
        return None
    mine, theirs = (f"({', '.join((one or {})[name].strip() for name in names)})" for one in values)
    return mine, theirs


def _named(text: str) -> dict[str, str] | None:
    """Return the values by their names of "x = 1, y = 2" or "(x, y) = (1, 2)", None where it is neither."""
    signs, sides = relations(text)
    if signs == ["="] and brackets(sides[0]) == brackets(sides[1]) == "(":
        pairs = list(zip(items(sides[0]), items(sides[1]), strict=False))
        if len(items(sides[0])) != len(items(sides[1])):
            return None
    else:
        cut = [relations(item) for item in items(text)]
        if any(signs != ["="] for signs, _ in cut):
            return None
        pairs = [(sides[0], sides[1]) for _, sides in cut]
    found = {name.strip(): value for name, value in pairs if _SYMBOL.fullmatch(name.strip())}
    return found if len(found) == len(pairs) > 1 else None


def _base(name: str) -> str:
    return name.partition("_")[0]


def _place(name: str) -> tuple[bool, str]:
    """Return the place of a name among coordinates: Greek letters last; of a line, m before b."""
    return name.startswith("\\"), "ab" if name == "m" else name


def _as_intervals(said: str, gold: str) -> Both | None:
    mine, theirs = _interval(said), _interval(gold)
    if mine is None or theirs is None or not (_INEQUALITY.search(said) or _INEQUALITY.search(gold)):
        return None
    return None if mine[0] and theirs[0] and mine[0] != theirs[0] else (mine[1], theirs[1])


def _interval(text: str) -> tuple[str, str] | None:
    """Return the symbol of inequalities, "" for none, and the interval, or union of such, that a text is."""
    if built := _SETBUILDER.fullmatch(text.strip()):
        found = _interval(built[2])
        return found if found and found[0] == built[1] else None
    parts = [_piece(part.strip()) for part in _OR.split(text)]
    pieces = [part for part in parts if part is not None]
    symbols_of = {symbol for symbol, _ in pieces if symbol}
    if len(pieces) < len(parts) or len(symbols_of) > 1:
        return None
    return "".join(symbols_of), r" \cup ".join(piece for _, piece in pieces)


def _piece(text: str) -> tuple[str, str] | None:
    member = _MEMBER.match(text)
    rest = text[member.end() :].strip() if member else text
    if _INTERVAL.fullmatch(rest):
        return (member[1] if member else ""), rest
    signs = list(_INEQUALITY.finditer(text))
    cuts = [0, *(end for sign in signs for end in sign.span()), len(text)]
    sides = [text[start:end].strip() for start, end in zip(cuts[::2], cuts[1::2], strict=True)]
    if len(signs) not in (1, 2) or not all(sides) or len({bool(sign["more"]) for sign in signs}) > 1:
        return None
    if any("\n" in side for side in sides):
        return None
    ends = [("[" if sign[0] not in ("<", ">", r"\lt", r"\gt") else "(") for sign in signs]
    if signs[0]["more"]:  # from low to high
        sides, ends = sides[::-1], ends[::-1]
    if len(sides) == 2:
        sides, ends = ([f"-{_FAR}", *sides], ["(", *ends]) if _is_symbol(sides[0]) else ([*sides, _FAR], [*ends, "("])
    low, symbol, high = sides
    if not _is_symbol(symbol) or symbols(low) or symbols(high) or len(items(low)) + len(items(high)) > 2:
        return None
    return symbol, f"{ends[0]}{low}, {high}{']' if ends[1] == '[' else ')'}"


def _is_symbol(text: str) -> bool:
    return bool(_SYMBOL.fullmatch(text)) and symbols(text) == frozenset({text})


def read_turn(text: str) -> Fraction | None:
    """Return how many half turns an angle in radians is, a plain multiple of π perhaps with its unit, or None."""
    text = " ".join(text.split())
    match = next(filter(None, (pattern.fullmatch(text) for pattern in _TURNS)), None)
    if match is None or int(match["bottom"] or 1) == 0:
        return None
    size = Fraction(Decimal(match["top"] or 1)) / int(match["bottom"] or 1)
    return -size if match["sign"] else size
