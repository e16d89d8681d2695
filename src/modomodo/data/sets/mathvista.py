"""MathVista testmini: mathematics in images; an option, a number or a list.

Columns `pid`, `question`, `decoded_image`, `choices`, `unit`, `precision`, `answer`, `question_type` (multi_choice or
free_form), `answer_type` (text, integer, float or list); 1,000 rows. Source: lmms-eval, tasks/mathvista. As in its own
prompts, the question says the unit and how many decimal places are asked.
"""

from collections.abc import Iterator

from modomodo.core.rows import Target
from modomodo.data.sources.build import Draft, SourceDomain
from modomodo.data.sources.columns import pictures_of
from modomodo.data.sources.options import letter_of, option_texts
from modomodo.data.sources.records import Record, row_id
from modomodo.data.sources.source import Source
from modomodo.data.sources.values import BadRowError, plain


def drafts(record: Record, source: Source) -> Iterator[Draft]:
    """Yield the one row of a record."""
    unit = plain(record.get("unit"), "unit")
    asked = plain(record.get("question"), "question") + (f" (Unit: {unit})" if unit else "")
    target, form = _target(record)
    yield Draft(f"{asked} {form}".strip(), target, pictures_of(record, source), row_id(record, "pid"))


def _target(record: Record) -> tuple[Target, str]:
    """Return the gold, and what the question says of the answer's form."""
    answer, kind = plain(record.get("answer"), "answer"), record.get("answer_type")
    if record.get("question_type") == "multi_choice":
        options = option_texts(record.get("choices"), "choices")
        return Target("choice", letter_of(answer, options, "text"), options), ""
    if kind == "integer":
        return Target("number", answer), "Give a whole number."
    if kind == "float":
        places = int(record.get("precision") or 0)
        return Target("number", answer), f"Round to {places} decimal place{'s' * (places != 1)}."
    if kind == "list":
        return Target("text", answer), "Give a list in square brackets, for example [1, 2, 3]."
    raise BadRowError(f"answer_type is {kind!r}, not integer, float or list")


MATHVISTA = SourceDomain(
    "mathvista",
    Source(
        hub="AI4Math/MathVista",
        # As several public evaluations pin it, that of olmo_core among them.
        revision="2b6ad69445fbb5695c9b165475e8decdbeb97747",
        licence="cc-by-sa-4.0",
        splits={"test": "testmini"},
        images=("decoded_image",),
        rows={"test": 1000},
        unusable=10,
    ),
    drafts,
)
