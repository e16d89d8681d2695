"""Suggestions: the verifier that fits all answers of a column, and what was seen of them that says so."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal, cast

from modomodo.data.sources.golds import read_boxes
from modomodo.data.sources.options import letter_of
from modomodo.data.sources.values import BadRowError
from modomodo.verifiers import VERIFIERS
from modomodo.verifiers.number import number_text, read_number

Size = tuple[int, int]
Frame = Literal["pixels", "normalised1000", "unit"]

SHORT = 60  # characters of an answer that `text` can be asked for: of a sentence no two people write the same
SHOWN = 3  # answers that a comment shows
FITTING = 0.9  # share of answers that name an option from which the others are mistakes
MIXED = 0.2  # share of numbers among texts from which answers look like those of ChartQA
_BOX_TOKEN = re.compile(r"<\|box_start\|>|<box>")
_LATEX = re.compile(r"\\[A-Za-z]+|\$.+\$|[A-Za-z0-9)}]\s*\^\s*[\w{(]")
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
) -> Suggestion:
    """Return the strictest verifier that every answer is a gold of.

    `options` are those of each row, where there is a column of them, none of some rows, None where they cannot be read;
    `sizes` [width, height] of the first images of
    the first rows, None where one is not known. Empty answers (None or "") do not count. Without `indices` a number is
    not the index of an option. Rows without options beside others with them are judged by `free_form`.
    """
    given = [k for k, answer in enumerate(answers) if not is_empty(answer)]
    values = [answers[k] for k in given]
    seen = f"answers seen: {_shown(values)}; "
    if options is not None:
        own = [options[k] for k in given]
        chosen = _choice([pair for pair in zip(values, own, strict=True) if pair[1]], indices)
        if chosen is not None:
            free = [value for value, texts in zip(values, own, strict=True) if texts == ()]
            return _with_free_form(replace(chosen, why=seen + chosen.why), free)
    boxed = boxes_in(values)
    if boxed is not None:
        frame, why, notes = _frame(boxed, [sizes[k] if k < len(sizes) else None for k in given])
        if frame == "pixels" and any(isinstance(value, str) and _BOX_TOKEN.search(value) for value in values):
            notes += ("boxes between tokens are thousandths in the sets of some models: is gold_frame pixels right?",)
        several = any(len(one) != 1 for one in boxed) or any(_nested(value) for value in values)
        kind, what = ("boxes", "lists of boxes") if several else ("box", "one box [x1, y1, x2, y2]")
        return Suggestion(kind, f"{seen}{what} in each of {len(values)} rows", {"gold_frame": (frame, why)}, notes)
    for look in (_numbers, _lists, _mathematics, _mixed, _letters, _texts):
        if (told := look(values)) is not None:
            return Suggestion(told[0], seen + told[1])
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


def _choice(pairs: Sequence[tuple[object, Sequence[str] | None]], indices: bool) -> Suggestion | None:
    """Return `choice` and how answers name the options of their rows, where nearly all do."""
    kinds = {"text": "the text of one option", "letter": "the letter of one option"}
    kinds |= {"index": "the number of one option, from 0"} if indices else {}
    counts = {kind: sum(_names(value, tuple(own or ()), kind) for value, own in pairs) for kind in kinds}
    kind = max(counts, key=counts.__getitem__)
    if not pairs or counts[kind] < FITTING * len(pairs):
        return None
    fitting = [one for one, number in counts.items() if number == counts[kind]]
    also = " or ".join(fitting)
    notes = (f"the answers could be the {also} of an option: is answer_as right?",) if len(fitting) > 1 else ()
    if kind == "index" and not any(str(value).strip() == "0" for value, _ in pairs):
        notes += ("no answer is 0: do the options count from 1? answer_as = index counts from 0",)
    why = "letter, text or index (from 0) of an option"
    return Suggestion("choice", f"{kinds[kind]} in {counts[kind]} rows", {"answer_as": (kind, why)}, notes)


def _with_free_form(chosen: Suggestion, free: Sequence[object]) -> Suggestion:
    """Return a choice with the verifier of the answers whose rows have no options."""
    if not free:
        return chosen
    what = f"{len(free)} rows have no options"
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
    """Return the verifiers of answers of several kinds, as MathVista has them: count, number, and text for the rest."""
    numbers = [number for value in values if (number := _number(value)) is not None]
    whole = [number for number in numbers if number == number.to_integral_value() and number >= 0]
    others = [value for value in values if _number(value) is None]
    if not numbers or not others or _short(others) is None or _mathematics(values) is not None:
        return ()
    kinds = (("count", bool(whole)), ("number", len(whole) < len(numbers)), ("text", True))
    return tuple(kind for kind, seen in kinds if seen)


def _names(value: object, options: tuple[str, ...], answer_as: str) -> bool:
    """Return whether an answer names an option, as training reads it."""
    try:
        return bool(letter_of(value, options, answer_as))
    except BadRowError:
        return False


def boxes_in(values: Sequence[object]) -> list[list[tuple[float, ...]]] | None:
    """Return the boxes of each answer; None unless every one has its form and some has a box."""
    try:
        boxed = [[*read_boxes(value)] for value in values]
    except BadRowError:
        return None
    return [[tuple(box) for box in boxes] for boxes in boxed] if any(boxed) else None


def _nested(value: object) -> bool:
    """Return whether an answer is a list of boxes rather than one."""
    text = value if isinstance(value, str) else json.dumps(value, default=repr)
    return re.match(r"\s*(```\w*)?\s*[\[(]\s*[\[{]", text) is not None


def _frame(
    boxed: Sequence[Sequence[tuple[float, ...]]], sizes: Sequence[Size | None]
) -> tuple[Frame, str, tuple[str, ...]]:
    """Return the frame that boxes seem to be in, why, and what is odd about them."""
    flat = [(box, size) for boxes, size in zip(boxed, sizes, strict=True) for box in boxes]
    highest = max(max(box) for box, _ in flat)
    known = [(box, size) for box, size in flat if size is not None]
    inside = sum(box[0] <= size[0] and box[2] <= size[0] and max(box[1], box[3]) <= size[1] for box, size in known)
    turned = sum(box[2] <= box[0] or box[3] <= box[1] for box, _ in flat)
    odd = f"{turned} of {len(flat)} boxes end before they begin: are they x, y, width, height, not x1, y1, x2, y2?"
    notes = (odd,) if turned else ()
    if highest <= 1:
        return "unit", f"the greatest coordinate is {highest:g}: shares of width and height", notes
    if inside < len(known) and highest <= 1000:
        why = f"{len(known) - inside} of {len(known)} boxes reach out of their images, and none goes over 1000"
        return "normalised1000", f"{why}: thousandths of width and height", notes
    if known and highest <= 1000 and all(min(size) > 1000 for _, size in known):
        notes += ("no box goes over 1000, and all images are larger: are boxes thousandths (normalised1000)?",)
    where = f"{inside} of {len(known)} boxes looked at lie inside their images" if known else "no size is known"
    return "pixels", f"{where}: pixels; else normalised1000 (0 to 1000) or unit (0 to 1)", notes


def _numbers(values: Sequence[object]) -> tuple[str, str] | None:
    numbers = [number for value in values if (number := _number(value)) is not None]
    if len(numbers) < len(values):
        return None
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
    lists = [cast(list[object], value) for value in values if isinstance(value, list)]
    if len(lists) < len(values) or not all(one and all(isinstance(text, str) for text in one) for one in lists):
        return None
    return "anls", f"lists of accepted texts in {len(values)} rows. text would ask for one of them to the letter"


def _mathematics(values: Sequence[object]) -> tuple[str, str] | None:
    if not all(isinstance(value, str | int | float) and not isinstance(value, bool) for value in values):
        return None
    texts = [number_text(cast(str | float, value)) for value in values]
    if any(_DATE.fullmatch(text.strip()) for text in texts):
        return None
    others = [text for text in texts if not _is_symbolic(text)]
    symbolic = len(texts) - len(others)
    if not symbolic or not all(read_number(text) is not None or len(text) == 1 for text in others):
        return None
    return "math", f"{symbolic} of {len(values)} are LaTeX or expressions. Needs: pip install 'modomodo[verify]'"


def _is_symbolic(text: str) -> bool:
    return any((_LATEX.search(text), _EXPRESSION.fullmatch(text), _TUPLE.fullmatch(text)))


def _mixed(values: Sequence[object]) -> tuple[str, str] | None:
    texts = _short(values)
    plain = [float(cast(str, value)) for value in values if is_plain_number(value)]
    if texts is None or len(plain) < MIXED * len(values):
        return None
    whole = sum(number.is_integer() for number in plain)
    seen = f"plain numbers ({len(plain)} of {len(values)}, {whole} of them whole)"
    if whole == len(plain):
        return "text", f"{seen} and other texts, all to be the same to the letter. relaxed would take 61 for 60"
    why = f"{seen}, which may be 5 % off, so that 61 is right for 60"
    return "relaxed", f"{why}, and other texts, which must be the same to the letter, as in ChartQA"


def is_plain_number(value: object) -> bool:
    """Return whether `relaxed` takes an answer for a number."""
    try:
        return not isinstance(value, bool) and math.isfinite(float(cast(str, value)))
    except (TypeError, ValueError):
        return False


def _letters(values: Sequence[object]) -> tuple[str, str] | None:
    if not all(isinstance(value, str) and _names(value, tuple("ABCDEFGHIJ"), "letter") for value in values):
        return None
    return "choice", f"single letters in {len(values)} rows, so the options are in the question"


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
