"""Units and nouns after a number: which belong to it, and which words would change or hedge it."""

import re
from collections import Counter
from fractions import Fraction
from functools import lru_cache

from modomodo.verifiers.nouns import is_plain, singular

_NAMES = {
    "m": "metre metres meter meters mtr", "cm": "centimetre centimetres centimeter centimeters cms",
    "mm": "millimetre millimetres millimeter millimeters mms", "dm": "decimetre decimeter decimetres decimeters",
    "km": "kilometre kilometres kilometer kilometers kms", "nm": "nanometre nanometer nanometers",
    "µm": "μm micron microns micrometre micrometer micrometers", "in": "inch inches", "ft": "foot feet",
    "yd": "yard yards yds", "mi": "mile miles", "g": "gram grams gramme grammes gm gms", "mg": "milligram milligrams",
    "µg": "μg microgram micrograms", "kg": "kilogram kilograms kgs kilo kilos", "lb": "pound pounds lbs",
    "oz": "ounce ounces", "tonne": "tonnes ton tons", "s": "second seconds sec secs", "ms": "millisecond milliseconds",
    "µs": "μs microsecond microseconds", "ns": "nanosecond nanoseconds", "min": "minute minutes mins",
    "h": "hour hours hr hrs", "day": "days", "week": "weeks", "month": "months", "year": "years yr yrs",
    "L": "l litre litres liter liters ℓ", "dL": "dl", "mL": "ml millilitre millilitres milliliter milliliters cc",
    "gal": "gallon gallons", "ha": "hectare hectares", "acre": "acres", "N": "newton newtons",
    "kN": "kilonewton kilonewtons", "J": "joule joules", "kJ": "kilojoule kilojoules", "MJ": "megajoule megajoules",
    "eV": "electronvolt electronvolts", "MeV": "", "keV": "", "cal": "calorie calories", "kcal": "", "W": "watt watts",
    "mW": "milliwatt milliwatts", "kW": "kilowatt kilowatts", "MW": "megawatt megawatts", "GW": "gigawatt gigawatts",
    "kWh": "", "V": "volt volts", "mV": "millivolt millivolts", "kV": "kilovolt kilovolts",
    "A": "amp amps ampere amperes", "mA": "milliamp milliamps milliampere milliamperes", "µA": "μA", "Ω": "ohm ohms Ω",
    "kΩ": "kΩ", "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz", "Pa": "pascal pascals",
    "kPa": "kilopascal kilopascals", "MPa": "megapascal megapascals", "atm": "atmosphere atmospheres", "bar": "bars",
    "mmHg": "", "coulomb": "coulombs", "µC": "μC", "farad": "farads", "µF": "μF", "tesla": "teslas", "mT": "",
    "Wb": "weber webers", "henry": "henrys henries", "kelvin": "kelvins", "mol": "mole moles", "mmol": "",
    "rad": "radian radians", "deg": "° degree degrees", "degC": "celsius degcelsius",
    "degF": "fahrenheit degfahrenheit", "dB": "decibel decibels", "$": "dollar dollars usd bucks",
    "€": "euro euros eur", "£": "gbp", "¥": "yen yuan cny jpy rmb", "₹": "rupee rupees rs inr", "cent": "cents ¢",
    "px": "pixel pixels", "revolution": "revolutions rev revs rotation rotations", "beat": "beats", "byte": "bytes",
    "bit": "bits", "KB": "kB kilobyte kilobytes", "MB": "megabyte megabytes", "GB": "gigabyte gigabytes",
}  # fmt: skip
_UNITS = {alias: unit for unit, names in _NAMES.items() for alias in (unit, *names.split())}
_SHORTHANDS = {"mph": "mi/h", "kmh": "km/h", "kmph": "km/h", "kph": "km/h", "rpm": "revolution/min", "bpm": "beat/min"}
# What a unit is, exactly, in other ones.
_MADE_OF = {
    "cm": (Fraction(1, 100), "m"), "mm": (Fraction(1, 1000), "m"), "dm": (Fraction(1, 10), "m"), "km": (1000, "m"),
    "nm": (Fraction(1, 10**9), "m"), "µm": (Fraction(1, 10**6), "m"), "in": (Fraction(254, 10_000), "m"),
    "ft": (12, "in"), "yd": (36, "in"), "mi": (5280, "ft"), "mg": (Fraction(1, 1000), "g"),
    "µg": (Fraction(1, 10**6), "g"), "kg": (1000, "g"), "tonne": (10**6, "g"), "lb": (16, "oz"),
    "ms": (Fraction(1, 1000), "s"), "µs": (Fraction(1, 10**6), "s"), "ns": (Fraction(1, 10**9), "s"),
    "min": (60, "s"), "h": (3600, "s"), "day": (86_400, "s"), "week": (7, "day"), "year": (12, "month"),
    "L": (1, "dm^3"), "dL": (Fraction(1, 10), "L"), "mL": (1, "cm^3"), "ha": (10_000, "m^2"), "N": (1, "kg m s^-2"),
    "kN": (1000, "N"), "J": (1, "N m"), "kJ": (1000, "J"), "MJ": (10**6, "J"), "keV": (1000, "eV"),
    "MeV": (10**6, "eV"), "kcal": (1000, "cal"), "W": (1, "J s^-1"), "mW": (Fraction(1, 1000), "W"),
    "kW": (1000, "W"), "MW": (10**6, "W"), "GW": (10**9, "W"), "kWh": (1, "kW h"), "V": (1, "W A^-1"),
    "mV": (Fraction(1, 1000), "V"), "kV": (1000, "V"), "mA": (Fraction(1, 1000), "A"),
    "µA": (Fraction(1, 10**6), "A"), "Ω": (1, "V A^-1"), "kΩ": (1000, "Ω"), "Hz": (1, "s^-1"), "kHz": (1000, "Hz"),
    "MHz": (10**6, "Hz"), "GHz": (10**9, "Hz"), "Pa": (1, "N m^-2"), "kPa": (1000, "Pa"), "MPa": (10**6, "Pa"),
    "bar": (10**5, "Pa"), "coulomb": (1, "A s"), "µC": (Fraction(1, 10**6), "coulomb"), "farad": (1, "coulomb V^-1"),
    "µF": (Fraction(1, 10**6), "farad"), "Wb": (1, "V s"), "tesla": (1, "Wb m^-2"), "mT": (Fraction(1, 1000), "tesla"),
    "henry": (1, "Wb A^-1"), "mmol": (Fraction(1, 1000), "mol"), "cent": (Fraction(1, 100), "$"), "byte": (8, "bit"),
}  # fmt: skip
# Beside a bare number they would as well be thousands, a transpose or a hexadecimal digit.
_AMBIGUOUS = {"K": "kelvin", "T": "tesla", "F": "farad", "C": "coulomb", "H": "henry"}
_DEGREES_OF = {"C": "degC", "F": "degF"}
_UPRIGHT = "\\"  # before such a letter: it stands in \text{}, and is a unit

_NOUN = "~"  # what comes after it is no known unit
# Numbers, operations, hedges, comparisons and verdicts: no gold with one of them is its number alone.
_WORDS = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands million
    millions billion billions trillion trillions lakh lakhs crore crores mil mln mio bln grand myriad gross dozen
    dozens score scores pair pairs couple couples trio few several many half halves third thirds quarter quarters
    fourth fourths fifth fifths sixth sixths seventh sevenths eighth eighths ninth ninths tenth tenths hundredth
    hundredths thousandth thousandths millionth millionths double doubles doubled triple triples tripled quadruple
    twice thrice once tens squared cubed root factorial power powers exponent percent percentage percents pct permille
    per ppm bps plus minus add added subtract subtracted over by into multiply multiplied divide divided mod modulo
    negative neg positive odd even prime nought naught nil none null nothing infinity inf nan or nor and not no never
    nay maybe perhaps probably possibly likely unlikely presumably supposedly allegedly seemingly about approximately
    approx around roughly nearly almost circa ish give take some any all each every either neither both else otherwise
    unless if but except excluding including without with least most more less fewer under above below up down upto
    between to through thru till until from than then wrong incorrect false untrue invalid mistake mistaken error
    erroneous guess guessed guessing unsure uncertain unknown undefined undecided unclear impossible dunno idk wait
    actually sorry correction rather instead alternatively versus vs off away short also is are was were be been isn
    isnt aren arent wasnt equals equal equivalent unequal differs different same greater larger bigger smaller higher
    lower maximum minimum max min mean average estimate estimated estimates bounded rounded rounding base binary octal
    hex hexadecimal decimal decimals fold mega giga tera kilo milli micro nano opposite inverse reciprocal complement
    excluded wrongly cancelled canceled retracted ignore discard hidden etc others nope nah yep yes hmm kidding joking
    joke bogus fake lie lies doubtful questionable dubious suspect rejected denied assumed assuming suppose supposed
    think thought believe believed seems seem looks appears appear might may could can would should will hopefully
    tentative whichever whatever anything other another oder nicht kein ou pas oppure first last lol sic etcetera ditto
    void moot
"""
_BLOCKED = frozenset(_WORDS.split())
_ADVERB = re.compile(r".+ly|.+fold|[a-z]*ill(?:i[oó]n|iard)[a-z]*")
_NO_HEDGES = frozenset({"only", "exactly", "family", "fly", "butterfly", "dragonfly", "firefly", "lily", "jelly"})
_WORD = re.compile(r"[A-Za-z]{3,}")
_TEXT = re.compile(r"\\(?:text|mathrm|mbox|textrm|rm|operatorname|mathit|textit|textbf|mathbf) ?\{([^{}]*)\}")
_SPACING = re.compile(r"\\[,;:! ]|~|\\quad(?![A-Za-z])")
_SYMBOLS = {
    r"\degree": "°", r"\circ": "°", r"\cdot": "*", r"\times": "*", "·": "*", "⋅": "*",
    r"\Omega": "Ω", r"\mu ": "µ", r"\mu": "µ",
    "μ": "µ", r"\$": "$", r"\%": "%", r"\ell": "L", "º": "°", "˚": "°", "²": "^2", "³": "^3",
}  # fmt: skip
_POWER = re.compile(r"\^ ?\{ ?([+-]?[1-9]) ?\}")
_RAISED = re.compile(r"\^ ?(?:\{ ?(\\circ) ?\}|(\\circ))(?![A-Za-z])")
_DEGREES = re.compile(r"(?:°|deg(?:rees?)?) ?(?=(?:C|F|[cC]elsius|[fF]ahrenheit)\b)")
_TOKEN = re.compile(r"(?P<name>[A-Za-zµΩℓ°$€£¥₹¢]+)(?: ?\^ ?(?P<power>-?[1-9])|(?P<digit>[23])\b)?|(?P<sign>[/*])| ")


_TOTAL = re.compile(r" ?\b(?:in total|in all|altogether)$")
_ABBREVIATED = re.compile(r"(?<=[A-Za-z])\.(?=$|[ /*])")
_UNITLESS = re.compile(r"(?:(?:square|cubic|sq|cu|linear) )?units?")


@lru_cache(maxsize=4_096)
def read_unit(text: str) -> str | None:
    """Return the unit or noun that a text after a number is, in one spelling; "" for no text, None where it is neither.

    Known units, their products, quotients and powers ("m/s^2", "square metres"), or up to three words, none of which
    is a number or changes or hedges one: "dogs", not "dozen", "or six", "more". "units" alone is no unit.
    """
    letter = text.strip()
    text = _TOTAL.sub("", _plain(text))
    if not text or _UNITLESS.fullmatch(text):
        return ""
    if len(text) > 60:
        return None
    if text in _AMBIGUOUS:
        return text if text == letter else _UPRIGHT + text
    known = _known(_SHORTHANDS.get(text, text))
    return _noun(text) if known is None else known


def is_noun(unit: str) -> bool:
    """Return whether a unit (of `read_unit`) is no known one."""
    return unit.startswith(_NOUN)


@lru_cache(maxsize=4_096)
def agree(said: str, gold: str) -> bool:
    """Return whether two units (of `read_unit`) may stand for each other: one unit, a common noun, or one not given.

    Each word of a noun is plain (see nouns.py), or one of the gold's own.
    """
    if is_noun(said):
        own = set(gold[1:].split()) if is_noun(gold) else set[str]()
        words = said[1:].split()
        return (not gold or not own.isdisjoint(words)) and all(word in own or is_plain(word) for word in words)
    if not said or not gold:
        return said not in _AMBIGUOUS
    if said == "deg" and gold in _DEGREES_OF.values():
        return True
    return said == gold or not _names_of(said).isdisjoint(_names_of(gold))


def ratio(said: str, gold: str) -> Fraction | None:
    """Return how many of the gold's unit one of the said unit is: 1 where they agree, None where they measure other
    things.
    """
    if agree(said, gold):
        return Fraction(1)
    if not said or not gold or is_noun(said) or is_noun(gold):
        return None
    (size, made), (other, like) = _in_base(said), _in_base(gold)
    return size / other if made == like else None


def _names_of(unit: str) -> set[str]:
    """Return what a letter may stand for: K is kelvin, C is coulomb, or degrees Celsius."""
    letter = unit.removeprefix(_UPRIGHT)
    return {_AMBIGUOUS.get(letter, unit), _DEGREES_OF.get(letter, unit)}


@lru_cache(maxsize=4_096)
def _in_base(unit: str) -> tuple[Fraction, frozenset[tuple[str, int]]]:
    """Return the size of a product of known units in base units, and these with their powers."""
    size, powers = Fraction(1), Counter[str]()
    for part in unit.removeprefix(_UPRIGHT).split():
        name, _, power = part.partition("^")
        name, exponent = _AMBIGUOUS.get(name, name), int(power or 1)
        if name not in _MADE_OF:
            powers[name] += exponent
            continue
        factor, made_of = _MADE_OF[name]
        inside, base = _in_base(made_of)
        size *= (factor * inside) ** exponent
        powers.update({one: many * exponent for one, many in base})
    return size, frozenset((name, power) for name, power in powers.items() if power)


def _plain(text: str) -> str:
    text = _RAISED.sub("°", _POWER.sub(r"^\1", text))
    for symbol, plain in _SYMBOLS.items():
        text = text.replace(symbol, plain)
    text = _SPACING.sub(" ", text)
    text = _TEXT.sub(r" \1 ", text)
    text = " ".join(text.split()).replace(" ^", "^").replace("µ ", "µ")
    return _DEGREES.sub("deg", text)


def _known(text: str) -> str | None:
    """Return a product of known units in one spelling, or None."""
    powers: Counter[str] = Counter()
    place, sign, factor = 0, 1, 1
    text = _ABBREVIATED.sub("", re.sub(r"(\S+) squared\b", r"\1^2", re.sub(r"(\S+) cubed\b", r"\1^3", text)))
    while place < len(text):
        match = _TOKEN.match(text, place)
        if not match:
            return None
        place = match.end()
        name = match["name"] or ""
        if match["sign"] == "/" or name == "per":
            sign = -1
        elif name.lower() in ("square", "sq", "cubic", "cu"):
            factor = 2 if name.lower().startswith("sq") else 3
        elif name:
            unit = _UNITS.get(name) or _UNITS.get(name.lower() if len(name) > 2 else "") or _AMBIGUOUS.get(name)
            if unit is None:
                return None
            powers[unit] += sign * factor * int(match["power"] or match["digit"] or 1)
            factor = 1
    parts = [unit if power == 1 else f"{unit}^{power}" for unit, power in sorted(powers.items()) if power]
    return " ".join(parts) or None


def _noun(text: str) -> str | None:
    """Return up to three harmless words, in the singular and marked as a noun, or None."""
    words = text.lower().split(" ")
    if len(words) > 3 or not all(map(_harmless, words)):
        return None
    return _NOUN + " ".join(map(singular, words))


def _harmless(word: str) -> bool:
    hedge = word in _BLOCKED or (_ADVERB.fullmatch(word) and word not in _NO_HEDGES)
    return bool(_WORD.fullmatch(word)) and not hedge
