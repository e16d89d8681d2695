"""Short text: `text` equality, ChartQA's `relaxed` accuracy and `anls`."""

import math
import re
import unicodedata
from functools import lru_cache

from modomodo.core.rows import Target, Verdict, View
from modomodo.verifiers.number import marks_agree, number_text, read_gold, read_marked
from modomodo.verifiers.tags import is_visible
from modomodo.verifiers.wrapping import bare, without_period

RELAXED_TOLERANCE = 0.05
ANLS_THRESHOLD = 0.5
MAX_TEXT_CHARS = 2_000

QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "«": "»"}
_SPACES = re.compile(r"\s\s|[^\S ]")
_HYPHENS = str.maketrans(dict.fromkeys("−–‐‑‒﹣－", "-"))
_RAISED = re.compile("[⁰¹²³⁴-ⁿʰ-ʸˠ-ˤᴬ-ᵡᵸᶛ-ᶿ]+")
_LOWERED = re.compile(r"(?<=[0-9])[₀-ₜ]+")  # after a letter it is written beside it: H2O
_AREA = re.compile(r"(?<![a-z])((?:[cmdk]?m|ft|in|yd|mi) ?)\^ ?(?:([23])|\{([23])\})(?![0-9])")  # written m2 as well
_FRACTION = re.compile("[¼-¾⅐-⅟↉①-⒛⓪-⓿❶-➓㉑-㉟㊱-㊿]")
# Units that differ from another one only by a capital: mega and milli, byte and bit.
_CAPITAL_UNIT = re.compile(
    r"(?<![A-Za-z])(?:[Mm](?:W|V|A|Hz|Pa|J|Ω|eV)|(?<=[0-9])[Mm][gmsNL]|(?<=[0-9] )[Mm][gmsNL]|[kKMGT][Bb])(?![A-Za-z])"
)


def normalise(text: str) -> str:
    """Return the text after NFKC and case folding, spaces collapsed, without outer quotes and what ends it (. , !).

    Digits keep their height: 10⁵ is 10^5, not 105, and 5½ is 5 1/2. All signs of minus and hyphens are one.
    """
    if text.isascii():
        text = text.lower()
    else:
        text = _LOWERED.sub(r"_\g<0>", _RAISED.sub(r"^\g<0>", _FRACTION.sub(_apart, text.translate(_HYPHENS))))
        # Case folding can undo NFKC (e.g. of a Greek iota subscript): normalise on both sides of it.
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        text = text.replace("’", "'") if "‘" not in text else text  # an apostrophe, not a closing quote
    if "^" in text:
        text = _AREA.sub(r"\1\2\3", text)
    if _SPACES.search(text):
        text = " ".join(text.split())
    text = _without_end(text.strip())
    if len(text) > 2 and QUOTES.get(text[0]) == text[-1]:
        text = _without_end(text[1:-1].strip())
    return text


def _without_end(text: str) -> str:
    """Return the text without a final period or comma, or an exclamation mark after a word: 5! is another number."""
    shorter = without_period(text)
    if shorter == text and len(text) > 1 and (text[-1] == "," or (text[-1] == "!" and text[-2].isalpha())):
        return text[:-1].rstrip()
    return shorter


def _apart(match: re.Match[str]) -> str:
    """Return a numeral that is one character, such as ½ or ②, apart from the digits beside it."""
    return f" {unicodedata.normalize('NFKC', match[0]).replace('⁄', '/')} "


def says(said: str, gold: str) -> bool:
    """Return whether two texts that are equal after `normalise` are so as they were written: MW is not mW."""
    meant = _units(gold)
    if not meant:
        return True
    units = _CAPITAL_UNIT.findall(said)
    return len(units) != len(meant) or units == meant


_units = lru_cache(maxsize=65_536)(_CAPITAL_UNIT.findall)

normalise_gold = lru_cache(maxsize=65_536)(normalise)
"""`normalise`, remembered: for golds and options, which come back many times."""


def gold_texts(target: Target) -> tuple[str, ...] | str:
    """Return the accepted texts of the gold, or the reason why it is malformed."""
    value = target.value
    if isinstance(value, str):
        texts = (value,)
    elif isinstance(value, tuple) and value and all(isinstance(text, str) for text in value):
        texts = tuple(str(text) for text in value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        texts = (number_text(value),)
    else:
        return f"the gold of {target.verifier} is {value!r}, not a text or a tuple of accepted texts"
    for text in texts:
        if not is_visible(text) or not normalise_gold(text):
            return f"the gold of {target.verifier} holds the empty text {text!r}"
        if len(text) > MAX_TEXT_CHARS:
            return f"the gold of {target.verifier} has {len(text)} characters, over the cap of {MAX_TEXT_CHARS}"
    return texts


def grade_text(answer: str, target: Target, view: View) -> Verdict:
    """Return right when the normalised answer equals an accepted text; containment is never enough."""
    golds = gold_texts(target)
    if isinstance(golds, str):
        return Verdict.ungradable(golds, answer)
    if len(answer) > MAX_TEXT_CHARS:
        return _too_long(answer)
    inside = bare(answer)
    for form in (answer, inside) if inside != answer else (answer,):
        said = normalise(form)
        for gold in golds:
            if said == normalise_gold(gold) and says(answer, gold):
                return Verdict.right(answer)
    return Verdict.wrong(answer, f"not {golds[0]!r}")


def grade_relaxed(answer: str, target: Target, view: View) -> Verdict:
    """Return ChartQA's relaxed accuracy.

    `standard` reproduces lmms-eval 0.7.3 `relaxed_correctness` (5 % of the gold, "%" divides by 100, gold 0 compares as
    text). `paper` is the exact match: equal after the normalisation of texts, or the same number.
    """
    golds = gold_texts(target)
    if isinstance(golds, str):
        return Verdict.ungradable(golds, answer)
    tolerance = RELAXED_TOLERANCE if target.tolerance is None else target.tolerance
    if not (math.isfinite(tolerance) and tolerance >= 0.0):
        return Verdict.ungradable(f"the tolerance is {tolerance}, not a finite number from 0", answer)
    if len(answer) > MAX_TEXT_CHARS:
        return _too_long(answer)
    for gold in golds:
        if _same(bare(answer), gold) if view.mode == "paper" else _relaxed(answer, gold, tolerance):
            return Verdict.right(answer)
    return Verdict.wrong(answer, f"not {golds[0]!r}")


def _same(answer: str, gold: str) -> bool:
    if normalise(answer) == normalise_gold(gold):
        return says(answer, gold)
    number, meant = read_marked(answer), read_gold(gold)
    return number is not None and meant is not None and number.value == meant.value and marks_agree(number, meant)


def _relaxed(answer: str, gold: str, tolerance: float) -> bool:
    said, meant = _float(answer), _float(gold)
    if said is not None and meant:
        return abs(said - meant) / abs(meant) <= tolerance
    return answer.lower() == gold.lower()


def _float(text: str) -> float | None:
    try:
        return float(text.rstrip("%")) / 100.0 if text.endswith("%") else float(text)
    except ValueError:
        return None


def grade_anls(answer: str, target: Target, view: View) -> Verdict:
    """Return the best normalised Levenshtein similarity to an accepted text, 0 below 0.5.

    `standard` reproduces lmms-eval 0.7.3 `anls`, but for two holes: there the answer's length counts before white space
    is collapsed, and in upper case while the distance counts in lower case, so that spaces, or letters that grow in
    upper case, raise any score towards 1. `paper` is the exact match.
    """
    golds = gold_texts(target)
    if isinstance(golds, str):
        return Verdict.ungradable(golds, answer)
    if len(answer) > MAX_TEXT_CHARS:
        return _too_long(answer)
    if view.mode == "paper":
        return grade_text(answer, target, view)
    similarity = max(_similarity(answer, gold) for gold in golds)
    return Verdict.partial(similarity if similarity >= ANLS_THRESHOLD else 0.0, answer, f"similarity {similarity:.3f}")


def _similarity(answer: str, gold: str) -> float:
    from rapidfuzz.distance import Levenshtein

    # One form for distance and length, but that lmms-eval counts all white space of the gold.
    said, meant = " ".join(_lower(answer).split()), _lower(gold)
    return 1.0 - Levenshtein.distance(" ".join(meant.split()), said) / max(len(meant), len(said))


def _lower(text: str) -> str:
    return unicodedata.normalize("NFC", text.lower())


def _too_long(answer: str) -> Verdict:
    return Verdict.unparsed(f"{len(answer)} characters, over the cap of {MAX_TEXT_CHARS} for a text", answer[:200])
