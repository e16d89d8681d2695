"""MMMU's validation split: college questions with up to seven images; an option or a short text.

Columns `id`, `question`, `options` (a Python list as text), `answer`, `question_type` (multiple-choice or open),
`image_1` to `image_7`; 900 rows. Source: lmms-eval, tasks/mmmu. The marks `<image 1>` in questions and options become
"picture 1": images come first, in order.
"""

import ast
import re
from collections.abc import Iterator
from typing import Any

from modomodo.core.rows import Target
from modomodo.data.sources.build import Draft, SourceDomain
from modomodo.data.sources.columns import pictures_of
from modomodo.data.sources.options import letter_of, option_texts
from modomodo.data.sources.records import Record, row_id
from modomodo.data.sources.source import Source
from modomodo.data.sources.values import BadRowError, plain

IMAGES = tuple(f"image_{number}" for number in range(1, 8))
_MARK = re.compile(r"<image (\d+)>")


def drafts(record: Record, source: Source) -> Iterator[Draft]:
    """Yield the one row of a record."""
    places = {column.removeprefix("image_"): None for column in IMAGES if record.get(column) is not None}
    named = {number: place for place, number in enumerate(places, start=1)}
    question = _marked(plain(record.get("question"), "question"), named)
    if record.get("question_type") == "multiple-choice":
        options = tuple(_marked(one, named) for one in option_texts(record.get("options"), "options"))
        target = Target("choice", letter_of(record.get("answer"), options, "letter"), options)
    else:
        answer = _literal(record.get("answer"))
        target = Target("text", tuple(answer) if isinstance(answer, list) else plain(answer, "answer"))
    yield Draft(question, target, pictures_of(record, source), row_id(record, "id"))


def _marked(text: str, named: dict[str, int]) -> str:
    missing = [number for number in _MARK.findall(text) if number not in named]
    if missing:
        raise BadRowError(f"the text names image {missing[0]}, which is not there")
    return _MARK.sub(lambda mark: f"picture {named[mark[1]]}", text)


def _literal(value: Any) -> Any:
    """Return the list that a text writes; other values as they are."""
    if not isinstance(value, str) or not value.startswith("["):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value


MMMU = SourceDomain(
    "mmmu",
    Source(
        hub="lmms-lab-encoder/MMMU",
        licence="apache-2.0",
        splits={"test": "validation"},
        images=IMAGES,
        rows={"test": 900},
        unusable=9,
    ),
    drafts,
)
