"""What is to know about a set of one's own beside its recipe: `init` prints it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from modomodo.cli.init.boxes import PLACES
from modomodo.cli.init.columns import called_answers
from modomodo.cli.init.names import words
from modomodo.cli.init.options import columns_of, is_called_options, option_lists
from modomodo.cli.init.table import SPLITS
from modomodo.cli.init.toml_text import Plan
from modomodo.cli.init.verifier import is_empty, is_plain_number
from modomodo.core.errors import count
from modomodo.data.sources.chats import has_system
from modomodo.data.sources.image_values import is_pictorial
from modomodo.data.sources.options import letter_of
from modomodo.data.sources.values import BadRowError

FEW, SMALL = 16, 100  # rows that a first study needs, and that one learns from
ODD = 0.1  # share of texts among numbers up to which they may be mistakes
NEEDED = (
    *("hint", "context", "passage", "input", "system", "history", "unit", "precision", "audios", "tools", "table"),
    *("background", "story", "article", "paragraph", "document", "description", "dialogue", "conversation", "code"),
    *("instruction", "premise", "hypothesis", "facts", "scenario", "setup", "text", "sentence", "lecture"),
)
"""Columns that a question may need to be answered."""
FORMS = ("\\boxed", "<answer>", "<think>")


def notes(plan: Plan) -> Iterator[str]:
    """Yield what is to know, what check will refuse first."""
    yield from _refused(plan)
    yield from plan.suggestion.notes
    yield from _answer_notes(plan)
    yield from _option_notes(plan)
    yield from _other_golds(plan)
    yield from _box_notes(plan)
    yield from _odd_answers(plan)
    yield from _picture_notes(plan)
    yield from _question_notes(plan)
    yield from plan.trial.notes


def missing_verifier(plan: Plan, recipe: Path) -> str | None:
    """Return what to write into the recipe where no verifier fits the answers; None where one does."""
    if plan.suggestion.verifier is not None:
        return None
    return (
        f"{recipe} has no verifier yet, and check refuses it until you write one: column {plan.roles.answer!r}: "
        f'{plan.suggestion.why}. verifier = "anls" takes texts that are nearly the same, "text" the same alone; or '
        "name another column in `answer`, with short answers (docs/verifiers.md)"
    )


def _refused(plan: Plan) -> Iterator[str]:
    rows, bad = len(plan.table.rows), plan.trial.bad
    if plan.suggestion.verifier is None:
        return  # which is said as an error
    if not plan.tested:
        yield (
            f"no rows are kept for a test, as {count(rows, 'row')} are too few, or share their images: runs are "
            f"scored on charts alone; give {FEW} rows or more that share no image, or a test set"
        )
    elif rows < SMALL:
        yield f"{rows} rows are enough to try everything, not to learn from: docs/data.md"
    if bad:
        looked = count(plan.trial.looked, "row")
        yield f"check refuses {len(bad)} of {looked}; unusable = {len(bad)} leaves them out; the first is {bad[0]}"


def _answer_notes(plan: Plan) -> Iterator[str]:
    answer, columns = plan.roles.answer, plan.table.columns
    if plan.roles.guessed:
        yield f"no column is called an answer, so {answer!r} is taken: is it right?"
    empty = sum(map(is_empty, plan.answers))
    if empty and not plan.trial.bad:
        yield f"rows without an answer in {answer!r}: {empty}; check names them, unusable = {empty} leaves them out"
    others = [name for name in called_answers(columns) if name != answer and _differs(columns[name], plan.answers)]
    if others:
        yield f"the answer is taken from {answer!r}; is it rather {' or '.join(map(repr, others))}?"
    boxes = [name for name in columns if name != answer and "box" in name.lower() and name not in others]
    if boxes and plan.roles.objects is None:
        yield f"the answer is taken from {answer!r}; is it rather {' or '.join(map(repr, boxes))}?"


def _differs(values: Sequence[Any], answers: Sequence[Any]) -> bool:
    pairs = [(value, answer) for value, answer in zip(values, answers, strict=True) if not is_empty(value)]
    return any(str(value).strip() != str(answer).strip() for value, answer in pairs)


def _option_notes(plan: Plan) -> Iterator[str]:
    options, fitting = plan.roles.options, "answer_as" in plan.suggestion.fields
    names = ", ".join(map(repr, columns_of(options)))
    if options is None and plan.suggestion.verifier == "choice":
        yield (
            "the answers are letters: does the question hold its options? Else give them as a list in one column "
            '"options", or in columns "A", "B", ...'
        )
    elif options is not None and not fitting:
        yield f"{plan.roles.answer!r} does not always name an option in {names}, so nothing is made a choice"
    elif isinstance(options, tuple):
        yield f"columns {names} are the options of a choice, by their names: are they?"
    elif options is not None and not is_called_options(options):
        yield f"{names} holds the options of a choice, as {plan.roles.answer!r} names one of them in each row: does it?"


def _other_golds(plan: Plan) -> Iterator[str]:
    """Yield columns beside a choice that name another option than the gold, and options that are left open."""
    for doubtful in plan.roles.doubtful:
        names = ", ".join(map(repr, columns_of(doubtful)))
        yield f"the answers may name one of the texts in {names}, which are not shown: are they options?"
    if plan.suggestion.verifier != "choice" or plan.roles.options is None:
        return
    options = option_lists(plan.table.columns, plan.roles.options)
    kind = str(plan.suggestion.fields["answer_as"][0])
    own = _named_options(plan.answers, options, kind)
    for name, values in plan.table.columns.items():
        if not _is_unused(plan, name) or not all(isinstance(value, str) or value is None for value in values):
            continue
        named = max(
            (_named_options(values, options, one) for one in ("text", "letter")),
            key=lambda one: len(one) - one.count(""),
        )
        both = [(k, mine, other) for k, (mine, other) in enumerate(zip(own, named, strict=True)) if mine and other]
        odd = [k for k, mine, other in both if mine != other]
        if odd and len(both) > len(values) / 2:
            yield (
                f"{name!r} names another option than {plan.roles.answer!r} in {len(odd)} of {len(both)} rows, the "
                f"first {plan.table.places[odd[0]]}: which is right?"
            )


def _named_options(values: Sequence[Any], options: Sequence[tuple[str, ...] | None], kind: str) -> list[str]:
    """Return the letter of the option that each value names, "" where it names none."""
    found: list[str] = []
    for value, texts in zip(values, options, strict=True):
        try:
            found.append(letter_of(value, texts, kind) if texts else "")
        except BadRowError:
            found.append("")
    return found


def _box_notes(plan: Plan) -> Iterator[str]:
    """Yield where nothing but their number says that lists of four numbers are boxes."""
    if plan.suggestion.verifier not in ("box", "boxes") or plan.roles.objects is not None:
        return
    asked = (str(one) for one in plan.table.columns.get(plan.roles.question or "", ()))
    told = words(plan.roles.answer) & PLACES or any(words(one.replace(".", " ")) & PLACES for one in asked)
    if not told and not any(
        "box" in str(value).lower() or "x1" in str(value).lower() for value in plan.table.columns[plan.roles.answer]
    ):
        yield (
            f"lists of four numbers in {plan.roles.answer!r} are taken for boxes, which neither its name nor the "
            "questions say: are they? Else write each as a text"
        )


def _odd_answers(plan: Plan) -> Iterator[str]:
    """Yield the few answers that are no numbers among many that are."""
    rows = zip(plan.table.places, plan.answers, strict=True)
    given = [(place, answer) for place, answer in rows if not is_empty(answer)]
    odd = [f"{place}: {answer!r:.60}" for place, answer in given if not is_plain_number(answer)]
    verifier = plan.suggestion.verifier
    if verifier in ("relaxed", "text") and 0 < len(odd) <= ODD * len(given):
        yield (
            f"all answers but {len(odd)} of {len(given)} are plain numbers, and the odd one makes the verifier "
            f"{verifier}: {odd[0]}. Is it a mistake? Correct it and call init again, for a stricter verifier"
        )
    if verifier == "relaxed":
        whole = sum(is_plain_number(answer) and float(answer).is_integer() for _, answer in given)
        if whole:
            yield f"{whole} golds are whole numbers, and relaxed takes 61 for 60: is that right? Else set verifier"


def _picture_notes(plan: Plan) -> Iterator[str]:
    images = plan.roles.images
    unused = [name for name in plan.table.columns if _is_unused(plan, name) and is_pictorial(name)]
    yield from images.left
    if unused and images.columns:  # else the trial says so
        yield f"called like images and not used: {', '.join(map(repr, unused))}; images are bytes, base64 or paths"
    if len(images.columns) > 1:
        yield f"all images of {', '.join(map(repr, images.columns))} are shown, in this order: may they be?"
    if images.folder is not None:
        yield f"the images are taken from {images.folder}, where all of them are"


def _is_unused(plan: Plan, name: str) -> bool:
    roles = plan.roles
    used = {roles.id, roles.question, roles.answer, roles.objects, roles.about, plan.table.split_column}
    used |= {*roles.images.columns, *roles.around, *columns_of(roles.options), "file_name"}
    inside = any(name.startswith(f"{one}.") for one in used if one) or any(
        f"{name}." in f"{one}." for one in used if one
    )
    said = any(text.startswith(f"{name!r} ") for text in roles.images.left)
    return not inside and not said and any(not is_empty(value) and value != [] for value in plan.table.columns[name])


def _question_notes(plan: Plan) -> Iterator[str]:
    found, columns = plan.roles, plan.table.columns
    system = sum(map(has_system, columns.get(found.question or "", ())))
    if system:
        yield (
            f"system messages in {found.question!r}: {system}; they are not asked, so put what the answer needs "
            "of them into question or instruction"
        )
    form = next(
        (form for form in FORMS if any(form in str(one) for one in columns.get(found.question or "", ())[:64])), None
    )
    if form is not None and found.question != found.answer:
        yield (
            f"questions in {found.question!r} ask for {form}, and modomodo asks for its own form of reply: take such "
            "words out of them"
        )
    if found.around:
        yield f"asked with the question: {', '.join(map(repr, found.around))}"
    needed = [name for name in columns if name.rpartition(".")[2].lower() in NEEDED and _is_unused(plan, name)]
    if needed:
        yield f"not asked: {', '.join(map(repr, needed))}; write {{{needed[0]}}} into question where it is needed"
    splits = [name for name in columns if name.lower().rpartition(".")[2] in SPLITS and _is_unused(plan, name)]
    for name in splits:
        if len(kinds := {str(value) for value in columns[name]}) > 1:
            yield f"{name!r} holds {', '.join(sorted(kinds)[:5])}, and all rows are trained on: are some for a test?"
    if found.question is None:
        yield f"no column is a question, so recipe.toml asks {plan.question!r}: put it in your own words"
