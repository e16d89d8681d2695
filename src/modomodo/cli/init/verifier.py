"""Suggestions: the verifier that fits all answers of a column, and what was seen of them that says so."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import cast

from modomodo.cli.init.boxes import Size, boxes_in, frame_of, is_nested
from modomodo.data.sources.golds import is_latex
from modomodo.data.sources.options import letter_of, lettered
from modomodo.data.sources.values import BadRowError
from modomodo.verifiers import VERIFIERS
from modomodo.verifiers.number import number_text, read_number

SHORT = 60  # characters of an answer that `text` can be asked for: of a sentence no two people write the same
SHOWN = 3  # answers that a comment shows
ENOUGH = 8  # answers from which they say whether options count from 0 or from 1
FITTING = 0.9  # share of answers that name an option from which the others are mistakes
HALF = 0.5  # share of letters among words from which they are letters of options
MIXED = 0.2  # share of numbers among texts from which answers look like those of ChartQA
_BOX_TOKEN = re.compile(r"<\|box_start\|>|<box>")
_CODE = re.compile(r"0\d+")
_UNIT = re.compile(r"[-+]?\d[\d.,]*\s*(?:%|\u00b0|[A-Za-z\u00b5]{1,4}(?:[\u00b2\u00b3]|\^?[23])?)")
_SEVERAL = re.compile(r"\S\s*[|;]\s*\S|\S\s+or\s+\S")
_LETTERS = re.compile(r"[A-J](?:\s*(?:,|;|&|and)?\s*[A-J])+")
_DATE = re.compile(r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}|\d{4}/\d{2}|[^\\]*[A-Za-z]{2,}\s[^\\]*")  # or words
_TUPLE = re.compile(r"\(\s*-?[\d./]+(\s*,\s*-?[\d./]+)+\s*\)")
_EXPRESSION = re.compile(r"[\d\s.,()+*/^=a-zA-Z\-]*\d\s*[+*/^=][\d\s.,()+*/^=a-zA-Z\-]*")


@dataclass(frozen=True)
class Suggestion:
    """A verifier, None where none fits; why, in words for a comment; and the other fields of a Source that go with it.

    `fields` is field -> (value, why); `notes` are for the person to look at.
    """

    verifier: str | None
    why: str
    fields: Mapping[str, tuple[str | tuple[str, ...], str]] = field(
        default_factory=dict[str, tuple[str | tuple[str, ...], str]]
    )
    notes: tuple[str, ...] = ()


def suggest(
    answers: Sequence[object],
    *,
    options: Sequence[Sequence[str] | None] | None = None,
    sizes: Sequence[Size | None] = (),
    indices: bool = True,
    first: int | None = None,
) -> Suggestion:
    """Return the strictest verifier that every answer is a gold of, or nearly every one where the others are mistakes.

    `options` are those of each row, where there is a column of them, none of some rows, None where they cannot be read;
    `sizes` [width, height] of the first images of the first rows, None where one is not known. Empty answers (None or
    "") do not count. Without `indices` a number is not the index of an option; `first` is what options call the first
    of them. Rows without options beside others with them are judged by `free_form`, and so are answers that are no
    letters beside some that are.
    """
    given = [k for k, answer in enumerate(answers) if not is_empty(answer)]
    values = [answers[k] for k in given]
    seen = f"answers seen: {_shown(values)}; "
    if options is not None:
        own = [options[k] for k in given]
        pairs = [(value, texts) for value, texts in zip(values, own, strict=True) if texts]
        chosen = _choice(pairs, indices, first)
        if chosen is not None:
            free = [value for value, texts in zip(values, own, strict=True) if texts == ()]
            return _with_free_form(replace(chosen, why=seen + chosen.why), free)
    boxed = boxes_in(values)
    if boxed is not None:
        frame, why, notes = frame_of(boxed, [sizes[k] if k < len(sizes) else None for k in given])
        if frame == "pixels" and any(isinstance(value, str) and _BOX_TOKEN.search(value) for value in values):
            notes += ("boxes between tokens are thousandths in the sets of some models: is gold_frame pixels right?",)
        several = any(one is not None and len(one) != 1 for one in boxed) or any(is_nested(value) for value in values)
        kind, what = ("boxes", "lists of boxes") if several else ("box", "one box [x1, y1, x2, y2]")
        return Suggestion(kind, f"{seen}{what} in each of {len(values)} rows", {"gold_frame": (frame, why)}, notes)
    if (some := _letters(values)) is not None:
        return _with_free_form(replace(some[0], why=seen + some[0].why), some[1], what="answers are no letters")
    for look in (_numbers, _lists, _mathematics, _mixed, _texts):
        if (told := look(values)) is not None:
            return Suggestion(told[0], seen + told[1], notes=tuple(_text_notes(told[0], values)))
    return Suggestion(None, f"{seen}no verifier fits them all. There are {', '.join(VERIFIERS)}")


def is_empty(answer: object) -> bool:
    """Return whether there is no answer: None, no text, or the NaN that tables have for a gap."""
    return answer is None or answer == "" or (isinstance(answer, float) and not math.isfinite(answer))


def _shown(values: Sequence[object]) -> str:
    """Return the first few different answers, shortened."""
    different = dict.fromkeys(
        value if isinstance(value, str) else json.dumps(value, default=repr, ensure_ascii=False) for value in values
    )
    shown = [one if len(one) <= 40 else f"{one[:40]}..." for one in list(different)[:SHOWN]]
    return ", ".join(shown) + (" ..." if len(different) > SHOWN else "")


KINDS = {
    "text": "the text of one option",
    "letter": "the letter of one option",
    "index": "the number of one option, from 0",
    "number": "the number of one option, from 1",
}


def option_kinds(pairs: Sequence[tuple[object, Sequence[str]]]) -> dict[str, int]:
    """Return for each of KINDS how many answers name an option of their row so."""
    return {kind: sum(_names(value, tuple(own), kind) for value, own in pairs) for kind in KINDS}


def _choice(
    pairs: Sequence[tuple[object, Sequence[str]]], indices: bool, first: int | None = None
) -> Suggestion | None:
    """Return `choice` and how answers name the options of their rows, where nearly all do."""
    counts = option_kinds(pairs)
    if not indices:
        del counts["index"], counts["number"]
    kind = max(counts, key=counts.__getitem__)
    if not pairs or counts[kind] < FITTING * len(pairs):
        return None
    # One count from 1 may be anything; so may a few numbers.
    sure = first == 1 or (len(pairs) >= ENOUGH and len({str(value) for value, _ in pairs}) > 1)
    if kind == "number" and not sure:
        return None
    fitting = [one for one, number in counts.items() if number == counts[kind]]
    if kind == "index" and "number" in fitting and first is not None:
        kind = ("index", "number")[first]
        fitting = [kind]
    notes: tuple[str, ...] = ()
    if kind == "index" and "number" in fitting:
        notes = ("no answer is 0: do the options count from 1? answer_as = index counts from 0, number from 1",)
    elif len(fitting) > 1:
        also = " or ".join(one for one in fitting if one != "number" or "index" not in fitting)
        notes = (f"the answers could be the {also} of an option: is answer_as right?",)
    if kind == "number":
        notes += ("answers count the options from 1: is answer_as = number right?",)
    why = "letter, text, index (from 0) or number (from 1) of an option"
    return Suggestion("choice", f"{KINDS[kind]} in {counts[kind]} rows", {"answer_as": (kind, why)}, notes)


def _with_free_form(chosen: Suggestion, free: Sequence[object], what: str = "rows have no options") -> Suggestion:
    """Return a choice with the verifier of the answers whose rows have no options."""
    if not free:
        return chosen
    what = f"{len(free)} {what}"
    kinds = _free_forms(free)
    if len(kinds) > 1:
        why = f"{what}, and each is judged by the first of these that its answer fits"
        return replace(chosen, fields={**chosen.fields, "free_form": (kinds, why)})
    found = suggest(free)
    if found.verifier is None or "gold_frame" in found.fields:
        return replace(chosen, notes=(*chosen.notes, f"{what}, and no verifier fits their answers: {found.why}"))
    fields = {**chosen.fields, "free_form": (found.verifier, f"{what}, and are judged by this one: {found.why}")}
    return replace(chosen, fields=fields, notes=(*chosen.notes, *found.notes))


def _free_forms(values: Sequence[object]) -> tuple[str, ...]:
    """Return the verifiers of answers of several kinds, as MathVista and MATH-Vision have them; text for the rest."""
    numbers = [number for value in values if (number := _number(value)) is not None]
    whole = [number for number in numbers if number == number.to_integral_value() and number >= 0]
    others = [value for value in values if _number(value) is None]
    latex = any(map(is_latex, others))
    if not (numbers or latex) or not others or _short(others) is None or _mathematics(values) is not None:
        return ()
    kinds = (("count", bool(whole)), ("number", len(whole) < len(numbers)), ("math", latex), ("text", True))
    return tuple(kind for kind, seen in kinds if seen)


def _names(value: object, options: tuple[str, ...], answer_as: str) -> bool:
    """Return whether an answer names an option, as training reads it."""
    try:
        return bool(letter_of(value, options, answer_as))
    except BadRowError:
        return False


def _numbers(values: Sequence[object]) -> tuple[str, str] | None:
    numbers = [number for value in values if (number := _number(value)) is not None]
    if len(numbers) < len(values):
        return None
    if any(isinstance(value, str) and _CODE.fullmatch(value.strip()) for value in values):
        return "text", f"digits in {len(values)} rows, some after a 0, which count would leave out"
    if all(number == number.to_integral_value() for number in numbers):
        if min(numbers) >= 0:
            return "count", f"all whole numbers from 0 in {len(values)} rows. number would also take 7.00001 for 7"
        return "number", f"all whole numbers in {len(values)} rows, some below 0"
    hint = "tolerance = 0.01 would allow 1 %; relaxed allows 5 %, for values read off charts"
    return "number", f"all numbers in {len(values)} rows, some with decimals. {hint}"


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return read_number(number_text(value))


def _lists(values: Sequence[object]) -> tuple[str, str] | None:
    """Return anls for lists of texts; where a list of one is its text, for the others."""
    lists = [cast(list[object], value) for value in values if isinstance(value, list)]
    others = [value for value in values if not isinstance(value, list)]
    if not lists or not all(isinstance(value, str) for value in others):
        return None
    if not all(one and all(isinstance(text, str) for text in one) for one in lists):
        return None
    return "anls", f"lists of accepted texts in {len(lists)} rows. text would ask for one of them to the letter"


def _mathematics(values: Sequence[object]) -> tuple[str, str] | None:
    if not all(isinstance(value, str | int | float) and not isinstance(value, bool) for value in values):
        return None
    texts = [number_text(cast(str | float, value)) for value in values]
    if any(_DATE.fullmatch(text.strip()) for text in texts):
        return None
    others = [text for text in texts if not _is_symbolic(text)]
    symbolic = len(texts) - len(others)
    plain = sum(read_number(text) is not None or len(text) == 1 for text in others)
    if not symbolic or symbolic + plain < FITTING * len(texts):
        return None
    return "math", f"{symbolic} of {len(values)} are LaTeX or expressions. Needs: pip install 'modomodo[verify]'"


def _is_symbolic(text: str) -> bool:
    return any((is_latex(text), _EXPRESSION.fullmatch(text), _TUPLE.fullmatch(text)))


def _mixed(values: Sequence[object]) -> tuple[str, str] | None:
    texts = _short(values)
    plain = [float(cast(str, value)) for value in values if is_plain_number(value)]
    if texts is None or len(plain) < MIXED * len(values):
        return None
    whole = sum(number.is_integer() for number in plain)
    seen = f"plain numbers ({len(plain)} of {len(values)}, {whole} of them whole)"
    if whole == len(plain):
        return "text", f"{seen} and other texts, which all must match exactly. relaxed would take 61 for 60"
    why = f"{seen}, which may be 5 % off, so that 61 is right for 60"
    return "relaxed", f"{why}, and other texts, which must match exactly, as in ChartQA"


def is_plain_number(value: object) -> bool:
    """Return whether `relaxed` takes an answer for a number."""
    try:
        return not isinstance(value, bool) and math.isfinite(float(cast(str, value)))
    except (TypeError, ValueError):
        return False


def _letters(values: Sequence[object]) -> tuple[Suggestion, list[object]] | None:
    """Return `choice` for letters of options that are in the question, and the answers that another verifier judges.

    Letters are in all rows, or in many beside other answers; several at once ("A, C") no reply can name, so these rows
    are left to check.
    """
    letters = [value for value in values if _is_letter(value)]
    several = [value for value in values if isinstance(value, str) and _LETTERS.fullmatch(value.strip())]
    free = [value for value in values if not _is_letter(value) and value not in several]
    worded = sum(_number(value) is None and not _is_symbolic(str(value)) for value in free)
    if not letters or len(letters) < (HALF if worded else MIXED) * len(values) or len({*map(str, letters)}) < 2:
        return None if not letters or len(letters) < len(values) else (_lettered_choice(letters, ()), [])
    if len(letters) >= FITTING * len(values) and worded == len(free):
        return _lettered_choice(letters, (*several, *free)), []
    if free and not all(str(value).strip(" ().:").isupper() for value in letters if len(str(value)) < 4):
        return None  # rather names of variables
    chosen = _lettered_choice(letters, several)
    note = (
        f"{len(letters)} answers are letters, so these rows are choices; {len(free)} are none, such as {free[0]!r:.60}"
    )
    return (replace(chosen, notes=(note, *chosen.notes)), free) if free else (chosen, [])


def _lettered_choice(letters: Sequence[object], bad: Sequence[object]) -> Suggestion:
    notes = (f"{len(bad)} answers among letters are none, such as {bad[0]!r:.60}: check refuses them",) if bad else ()
    return Suggestion(
        "choice", f"single letters in {len(letters)} rows, so the options are in the question", notes=notes
    )


def _is_letter(value: object) -> bool:
    """Return whether an answer is the letter of an option, alone or before the option's text."""
    found = lettered(value) if isinstance(value, str) else None
    return found is not None and found[0] in ("ABCDEFGH" if found[1] else "ABCDEFGHIJ")


def _text_notes(verifier: str, values: Sequence[object]) -> Iterator[str]:
    """Yield what texts may be that are asked for to the letter: numbers with units, LaTeX, several answers in one."""
    if verifier not in ("text", "relaxed", "anls"):
        return
    texts = [value.strip() for value in values if isinstance(value, str)]
    kinds = (
        ("numbers with a unit", _UNIT.fullmatch, "write the number alone, and the unit into the question"),
        ("LaTeX or expressions", _is_symbolic, "math would also take other forms of them"),
        ("several texts in one", _SEVERAL.search, "where one of them is enough, write a list"),
    )
    for what, is_so, remedy in kinds:
        found = [text for text in texts if is_so(text)]
        if found:
            seen = f"{len(found)} golds look like {what}, as {found[0]!r:.60}"
            yield f"{seen}, and {verifier} asks for all of it: {remedy}"


def _texts(values: Sequence[object]) -> tuple[str, str] | None:
    texts = _short(values)
    if texts is None:
        return None
    why = f"short texts, {len(set(texts))} different ones in {len(values)} rows"
    return "text", f"{why}. anls would also take one that is nearly the same"


def _short(values: Sequence[object]) -> list[str] | None:
    """Return the answers as texts; None unless all are short texts or numbers."""
    if not all(isinstance(value, str | int | float) and not isinstance(value, bool) for value in values):
        return None
    texts = [number_text(cast(str | float, value)) for value in values]
    return texts if all(0 < len(text) <= SHORT and "\n" not in text for text in texts) else None
