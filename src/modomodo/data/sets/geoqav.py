"""GeoQAV: the geometry questions of multimodal-open-r1-8k-verified whose answer is the letter of an option.

Columns `image`, `problem`, `solution` (`<think>...</think> <answer>...</answer>`), `original_question` and
`original_answer`; 7,689 rows, of which the paper kept 1,969. Kept here: where the answer in the solution is one letter,
perhaps in brackets or with a period. The options are in the problem. Sources: TRL's examples/scripts/grpo_vlm.py and
further readers of the set in public code; that this is the paper's pattern shows in the count.
"""

import re
from collections.abc import Iterator

from modomodo.core.rows import Target
from modomodo.data.sources.build import Draft, SourceDomain
from modomodo.data.sources.columns import pictures_of
from modomodo.data.sources.records import Record
from modomodo.data.sources.source import Source
from modomodo.data.sources.values import plain

_LETTER = re.compile(r"<answer>\s*\(?([A-H])\)?\.?\s*</answer>")


def drafts(record: Record, source: Source) -> Iterator[Draft]:
    """Yield the row of a record whose answer is a letter."""
    letter = _LETTER.search(plain(record.get("solution"), "solution"))
    if letter is not None:
        question = plain(record.get("problem"), "problem").replace("<image>", "").strip()
        yield Draft(question, Target("choice", letter[1]), pictures_of(record, source))


GEOQAV = SourceDomain(
    "geoqav",
    Source(
        hub="lmms-lab/multimodal-open-r1-8k-verified",
        splits={"train": "train"},
        rows={"train": 1969},
        unusable=20,
    ),
    drafts,
)
