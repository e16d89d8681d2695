"""Which column of a table is likely what: by the names that people give, and by the values."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from modomodo.cli.init.boxes import boxes_in
from modomodo.cli.init.images import Images, find_images
from modomodo.cli.init.options import Columns, Named, columns_of, find_options
from modomodo.cli.init.table import Table
from modomodo.cli.init.verifier import is_empty, suggest
from modomodo.core.errors import ModomodoError
from modomodo.data.sources.chats import asked, gold_in, is_chat
from modomodo.data.sources.columns import question_and_gold
from modomodo.data.sources.golds import read_boxes
from modomodo.data.sources.grounding import BOX, REF, read_objects
from modomodo.data.sources.source import Source
from modomodo.data.sources.values import BadRowError

# Names of columns, in the order in which they are tried.
IDS = ("id", "uid", "qid", "pid", "question_id", "questionid", "row_id", "sample_id", "image_id", "index", "key")
CHATS = ("messages", "conversations", "conversation")
QUESTIONS = ("question", "query", "problem", "prompt", "instruction", "text", *CHATS, "q", "stem", "ctx")
GOLDS = ("gold", "ground_truth", "groundtruth", "gt", "gt_answer", "gold_answer", "final_answer")
CHOSEN = ("correct_option", "correct_choice", "multiple_choice_answer")
ANSWERS = ("answer", "correct_answer", "answers", "correct", *GOLDS, *CHOSEN, "solution")
FLAGS = ("correct", "gold")  # which may also say of a row whether it is right
LABELS = ("label", "target")
REPLIES = ("completion", "chosen", "response", "output")
BEFORE, AFTER = ("hint", "context", "passage"), ("input",)
"""What stands in columns of their own, and is read before or after the question."""
WRONG = "rejected"
_COUNTING = re.compile(r"\b(how many|how much|number of|count)\b", re.IGNORECASE)
_NAMING = re.compile(  # such as answer_label, answerKey, correct_choice_idx
    r"(?:correct|right|gold|gt|true)?_?(?:answers?|options?|choices?|label)?_?(?:idx|index|id|key|letter|label|number|num)",
)


@dataclass(frozen=True)
class Roles:
    """Which column is what; `about` is one with words that a question can be made of, where there is no question.

    `around` are columns that the question is read with; `guessed`: no column is called an answer;
    `doubtful` are columns whose texts the answers may name, and which are not taken for options.
    """

    answer: str
    images: Images
    id: str | None
    question: str | None
    options: str | tuple[str, ...] | None
    about: str | None
    around: tuple[str, ...] = ()
    objects: str | None = None
    guessed: bool = False
    doubtful: tuple[Named, ...] = ()


def roles(table: Table) -> Roles:
    """Return which column is what, by names and values.

    Raises ModomodoError when none can be the answer, or one that is called so cannot.
    """
    columns = {name: values for name, values in table.columns.items() if name != table.split_column}
    images = find_images(table, columns)
    objects = _objects(columns)
    left = _without(columns, (*images.columns, "file_name", WRONG, *filter(None, [objects])))
    ids = _named(left, IDS)
    own_id = next((name for name in ids if _unique(left[name])), None)
    left = {name: values for name, values in left.items() if name not in ids}  # one that is not unique is no answer
    chats = [name for name in images.columns if any(map(is_chat, columns[name]))]
    asking = _named([*left, *chats], QUESTIONS)
    question = next((name for name in asking if _worded(columns[name]) or any(map(is_chat, columns[name]))), None)
    questions = columns.get(question or "", [])
    if (reason := _unasked(questions)) is not None:
        raise ModomodoError(f"{table.path}: no chat in {question!r} can be asked: {reason}; make each question a row")
    left = _without(left, [question or ""])
    found = find_options(table, left, _answer, _asks_for_numbers(questions))
    options = found.columns
    left = _without(left, columns_of(options))
    around = tuple(name for name in _around(left, question) if _worded(left[name]))
    answers = _without(left, around)
    replies = any(map(is_chat, questions)) and not _named_answers(_usable(answers)) and any(map(_gold, questions))
    answer = question if replies else _answer(answers)
    if answer is None:
        raise ModomodoError(_no_answer(table, left, images.columns, own_id, question))
    named = answer == question or answer in _named_answers(_usable(answers))
    _refuse_unusable(table, answers, answer)
    about = next((name for name, values in left.items() if name != answer and _worded(values)), None)
    about = about if question is None else None
    return Roles(answer, images, own_id, question, options, about, around, objects, not named, found.doubtful)


def _without(columns: Columns, names: Iterable[str]) -> dict[str, Sequence[Any]]:
    """Return the columns but some, and what is inside of these."""
    out = tuple(names)
    inside = tuple(f"{name}." for name in out if name)
    return {name: values for name, values in columns.items() if name not in out and not name.startswith(inside)}


def _refuse_unusable(table: Table, left: Columns, answer: str) -> None:
    """Raise ModomodoError where a column is called an answer, and another has to be taken."""
    called = [name for name in called_answers(left) if any(not is_empty(one) for one in left[name])]
    called = [name for name in called if name.lower() not in FLAGS]
    if not called or answer in called_answers(left):
        return
    value = next(one for one in left[called[0]] if not is_empty(one))
    flag = " (yes and no for true and false)" if isinstance(value, bool) else ""
    held = json.dumps(value, default=repr)[:60]
    raise ModomodoError(
        f"{table.path}: the column {called[0]!r} holds {held}, which is no answer: write "
        f"a number, a short text, a letter or a box into each row{flag}; or name what is inside it in a recipe, "
        f'answer = "{called[0]}.KEY"'
    )


def _asks_for_numbers(questions: Sequence[Any]) -> bool:
    """Return whether most questions ask how many there are, so that a number is hardly an option's."""
    return sum(_COUNTING.search(str(one)) is not None for one in questions) > len(questions) / 2


def _unasked(values: Sequence[Any]) -> str | None:
    """Return why the first chat cannot be asked, where none can."""
    reasons: list[str] = []
    for value in values:
        try:
            asked(value)
        except BadRowError as error:
            reasons.append(str(error))
    return reasons[0] if reasons and len(reasons) == len(values) else None


def golds(table: Table, source: Source) -> tuple[Any, ...]:
    """Return the gold that each row writes, as training reads it; None where it writes none.

    Raises ModomodoError when no row does.
    """
    found: list[Any] = []
    reasons: list[str] = []
    for row in table.rows:
        try:
            found.append(question_and_gold(row, source)[1])
        except BadRowError as error:
            found.append(None)  # check says what is wrong with it
            reasons.append(f"{row.place}: {error}")
    if all(map(is_empty, found)):
        why = reasons[0] if reasons else "all are empty; write one into each row"
        raise ModomodoError(f"{table.path}: no row has an answer in {source.answer!r}: {why}")
    return tuple(found)


def _gold(value: Any) -> Any:
    try:
        return gold_in(value)
    except BadRowError:
        return None


def _named(columns: Iterable[str], names: Sequence[str]) -> list[str]:
    """Return the columns that bear one of the names, in the order of the names, whatever their case.

    Those inside of objects come after the others, first the one that verl calls ground_truth.
    """
    whole = {name.lower(): name for name in reversed(list(columns)) if "." not in name}
    inner = {name.lower().rpartition(".")[2]: name for name in reversed(list(columns)) if "." in name}
    inside = (name for name in sorted(names, key=lambda name: name != "ground_truth") if name in inner)
    return [*(whole[name] for name in names if name in whole), *(inner[name] for name in inside)]


def _unique(values: Sequence[Any]) -> bool:
    usable = all(isinstance(one, str | int) and not isinstance(one, bool) and str(one).strip() for one in values)
    return usable and len({str(one).strip() for one in values}) == len(values)


def _worded(values: Sequence[Any]) -> bool:
    return any(values) and all(value is None or isinstance(value, str) for value in values)


def _around(columns: Columns, question: str | None) -> Iterator[str]:
    """Yield the columns that are read with the question, in the order of the file."""
    after = AFTER if (question or "").lower() == "instruction" else ()
    yield from (name for name in columns if question is not None and name.lower() in (*BEFORE, *after))


def _objects(columns: Columns) -> str | None:
    """Return the column of what <ref-object> and <bbox> stand for, where texts have them."""
    texts = (json.dumps(value, default=repr) for values in columns.values() for value in values[:8])
    if not any(REF in text or BOX in text for text in texts):
        return None
    return next((name for name, values in columns.items() if all(_are_objects(one) for one in values)), None)


def objects_frame(table: Table, column: str | None) -> str:
    """Return the frame of the boxes in a column of objects, as the first that can be read states it; else pixels."""
    for value in table.columns[column] if column is not None else ():
        with suppress(BadRowError):
            return read_objects(value).frame
    return "pixels"


def _are_objects(value: Any) -> bool:
    try:
        return any(read_objects(value).boxes)
    except BadRowError:
        return False


def called_answers(columns: Iterable[str]) -> list[str]:
    """Return the columns that are called answers, be they any or not, in whatever case."""
    found = _named(columns, ANSWERS)
    return [*found, *(name for name in columns if name not in found and name.lower() in ANSWERS)]


def _answer(left: Columns) -> str | None:
    """Return the column of the answers: by its name, else the last one with numbers or lists, else the last.

    Of several that are called answers it is the first that a verifier fits. One that holds the same in every row is
    taken only where there is no other.
    """
    usable = _usable(left)
    named = _named_answers(usable)
    if len(named) > 1:
        fits = (name for name in named if suggest([_gold(value) for value in usable[name]]).verifier is not None)
        return next(fits, named[0])
    varied = [name for name, values in usable.items() if any(value != values[0] for value in values)]
    exact = [name for name in varied if not _worded(usable[name])]
    return (*named, *reversed(exact), *reversed(varied), *reversed(list(usable)), None)[0]


def _usable(left: Columns) -> dict[str, Sequence[Any]]:
    return {name: values for name, values in left.items() if _answers(values)}


def _named_answers(usable: Columns) -> list[str]:
    """Return the columns that are answers by their names; a label beside boxes is what is to be found."""
    boxes = [name for name, values in usable.items() if "box" in name.lower() and boxes_in(values) is not None]
    naming = [name for name in usable if _names_answer(name)]
    short = [] if _named(usable, ["b"]) else _named(usable, ["a"])  # beside b it is rather an option
    return [*_named(usable, ANSWERS), *short, *boxes, *_named(usable, LABELS), *naming, *_named(usable, REPLIES)]


def _names_answer(name: str) -> bool:
    """Return whether a column says which option is right, by its name."""
    last = re.sub(r"[^a-z]+", "_", name.rpartition(".")[2].lower())
    return _NAMING.fullmatch(last) is not None and re.match(r"correct|right|gold|gt|true|answer", last) is not None


def _answers(values: Sequence[Any]) -> bool:
    given = [value for value in values if not is_empty(value)]
    return bool(given) and all(_is_answer(one) for one in given)


def _is_answer(value: Any) -> bool:
    if isinstance(value, Mapping) and not is_chat(value):
        try:
            return bool(read_boxes(cast(object, value)))
        except BadRowError:
            return False
    return isinstance(value, str | int | float | list | Mapping) and not isinstance(value, bool)


def _no_answer(table: Table, left: Columns, images: Sequence[str], own_id: str | None, question: str | None) -> str:
    taken = {"pictures": ", ".join(images), "the id": own_id, "the question": question, "the split": table.split_column}
    found = [f"{name!r} is {what}" for what, name in taken.items() if name]
    found += [f"{name!r} holds {json.dumps(values[0], default=repr)[:40]}" for name, values in left.items()]
    return (
        f"{table.path}: no column can be an answer: {'; '.join(found) or 'there are no columns'}. Add a column "
        '"answer" with a number, a short text, a letter or a box for each row (yes and no for true and false)'
    )
