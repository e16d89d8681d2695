"""COCO for detection, as Visual-RFT published it: all boxes of one category, with a confidence for each.

Columns `image` (PNG, RGBA), `problem` and `solution`, `<answer>[{'Position': [x1, y1, x2, y2], 'Confidence': 1}]
</answer>` in thousandths of the image. Sources: Visual-RFT (README, dataset/build_dataset.ipynb, and
coco_evaluation, which divides by 1000); VietHoang1512/recap (src/open_r1/data_utils.py, which shows a row). Its
problem holds the words on the form of the reply, and the frame 0 to 1000: only the category is taken from it.
"""

import re
from collections.abc import Iterator

from modomodo.core.rows import Target
from modomodo.data.sources.build import Draft, SourceDomain
from modomodo.data.sources.columns import pictures_of
from modomodo.data.sources.golds import read_boxes
from modomodo.data.sources.records import Record
from modomodo.data.sources.source import Source
from modomodo.data.sources.values import BadRowError, plain

_CATEGORY = re.compile(r"category '(.+?)' in the image")
_ANSWER = re.compile(r"<answer>(.*)</answer>", re.DOTALL)


def drafts(record: Record, source: Source) -> Iterator[Draft]:
    """Yield the one row of a record."""
    problem, solution = plain(record.get("problem"), "problem"), plain(record.get("solution"), "solution")
    category, answer = _CATEGORY.search(problem), _ANSWER.search(solution)
    if category is None:
        raise BadRowError(f"the problem names no category: {problem[:80]!r}")
    if answer is None:
        raise BadRowError(f"the solution has no <answer>: {solution[:80]!r}")
    target = Target("boxes", read_boxes(answer[1]))
    yield Draft(f"Find every {category[1]} in the picture.", target, pictures_of(record, source))


COCO = SourceDomain(
    "coco",
    Source(
        hub="laolao77/ViRFT_COCO",
        licence="annotations CC BY 4.0, pictures by the terms of Flickr",
        splits={"train": "train"},
        gold_frame="normalised1000",
        rows={"train": 5997},
        unusable=60,
    ),
    drafts,
)
