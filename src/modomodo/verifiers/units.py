"""Units and nouns after a number: which belong to it, and which words would change or hedge it."""

import re
from collections import Counter
from functools import lru_cache

_NAMES = {
    "m": "metre metres meter meters mtr", "cm": "centimetre centimetres centimeter centimeters",
    "mm": "millimetre millimetres millimeter millimeters", "dm": "decimetre decimeter",
    "km": "kilometre kilometres kilometer kilometers kms", "nm": "nanometre nanometer nanometers",
    "µm": "μm micron microns micrometre micrometer micrometers", "in": "inch inches", "ft": "foot feet",
    "yd": "yard yards yds", "mi": "mile miles", "g": "gram grams gramme grammes gm", "mg": "milligram milligrams",
    "kg": "kilogram kilograms kgs kilo kilos", "lb": "pound pounds lbs", "oz": "ounce ounces",
    "tonne": "tonnes ton tons", "s": "second seconds sec secs", "ms": "millisecond milliseconds",
    "min": "minute minutes mins", "h": "hour hours hr hrs", "day": "days", "week": "weeks", "month": "months",
    "year": "years yr yrs", "L": "l litre litres liter liters ℓ",
    "mL": "ml millilitre millilitres milliliter milliliters cc", "gal": "gallon gallons", "ha": "hectare hectares",
    "acre": "acres", "N": "newton newtons", "kN": "kilonewton kilonewtons", "J": "joule joules",
    "kJ": "kilojoule kilojoules", "eV": "electronvolt electronvolts", "MeV": "", "keV": "", "cal": "calorie calories",
    "kcal": "", "W": "watt watts", "kW": "kilowatt kilowatts", "MW": "megawatt megawatts", "kWh": "",
    "V": "volt volts", "mV": "", "kV": "", "A": "amp amps ampere amperes", "mA": "", "Ω": "ohm ohms Ω", "kΩ": "kΩ",
    "Hz": "hertz", "kHz": "", "MHz": "", "GHz": "", "Pa": "pascal pascals", "kPa": "", "MPa": "", "atm": "atmospheres",
    "bar": "bars", "C": "coulomb coulombs", "F": "farad farads", "µF": "μF", "T": "tesla", "Wb": "weber", "H": "henry",
    "K": "kelvin kelvins", "mol": "mole moles", "rad": "radian radians", "deg": "° degree degrees",
    "degC": "celsius degcelsius", "degF": "fahrenheit degfahrenheit", "dB": "decibel decibels",
    "$": "dollar dollars usd bucks", "€": "euro euros eur", "£": "gbp", "¥": "yen yuan cny jpy rmb",
    "₹": "rupee rupees rs inr", "cent": "cents ¢", "px": "pixel pixels",
}  # fmt: skip
_UNITS = {alias: unit for unit, names in _NAMES.items() for alias in (unit, *names.split())}
_SHORTHANDS = {"mph": "mi/h", "kmh": "km/h", "kmph": "km/h", "kph": "km/h", "rpm": "revolution/min", "bpm": "beat/min"}
# Beside a bare number they would as well be thousands, a transpose or a hexadecimal digit.
_AMBIGUOUS = frozenset("KTFCH")

_NOUN = "~"  # what comes after it is no known unit
# Numbers, operations, hedges, comparisons and verdicts.
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
_ADVERB = re.compile(r".+ly")
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


@lru_cache(maxsize=4_096)
def read_unit(text: str) -> str | None:
    """Return the unit or noun that a text after a number is, in one spelling; "" for no text, None where it is neither.

    Known units, their products, quotients and powers ("m/s^2", "square metres"), or up to three words, none of which
    is a number or changes or hedges one: "dogs", not "dozen", "or six", "more". "units" alone is no unit.
    """
    text = _plain(text)
    if not text or text in ("unit", "units"):
        return ""
    if len(text) > 60:
        return None
    known = _known(_SHORTHANDS.get(text, text))
    return _noun(text) if known is None else known


def is_noun(unit: str) -> bool:
    """Return whether a unit (of `read_unit`) is no known one."""
    return unit.startswith(_NOUN)


def agree(said: str, gold: str) -> bool:
    """Return whether two units (of `read_unit`) may stand for each other: one unit, a common noun, or one not given."""
    if said in _AMBIGUOUS and not gold:
        return False
    if is_noun(said) and is_noun(gold):
        return not set(said[1:].split()).isdisjoint(gold[1:].split())
    return said == gold or not said or not gold


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
    text = re.sub(r"(\S+) squared\b", r"\1^2", re.sub(r"(\S+) cubed\b", r"\1^3", text))
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
            unit = _UNITS.get(name) or _UNITS.get(name.lower() if len(name) > 2 else "")
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
    singular = [word[:-1] if word.endswith("s") and not word.endswith("ss") else word for word in words]
    return "" if singular[-1] == "unit" else _NOUN + " ".join(singular)


def _harmless(word: str) -> bool:
    hedge = word in _BLOCKED or (_ADVERB.fullmatch(word) and word not in _NO_HEDGES)
    return bool(_WORD.fullmatch(word)) and not hedge
