"""SAT: spatial questions about one rendered image; the answer is the text of one of two or more options.

Columns `image_bytes` (a list of images), `question`, `answers`, `correct_answer`, `question_type`; splits train
(172,384), static, val (4,001) and test (150 real photos). Source: the dataset card. Kept: rows with one image, as
the authors' own copies have one. The paper trains on 15,000 rows and tests on 1,928 without saying which: 15,000 are
drawn by hash, and the test is what is left of val. The order of the options is drawn by hash too, as SAT's own code
shuffles them.
"""

from collections.abc import Iterator
from hashlib import sha256

from modomodo.core.rows import Target
from modomodo.data.sources.build import Draft, SourceDomain
from modomodo.data.sources.columns import pictures_of
from modomodo.data.sources.options import option_texts
from modomodo.data.sources.records import Record
from modomodo.data.sources.source import Source
from modomodo.data.sources.values import BadRowError, plain


def drafts(record: Record, source: Source) -> Iterator[Draft]:
    """Yield the row of a record with one image."""
    pictures = pictures_of(record, source)
    if len(pictures) != 1:
        return
    options = option_texts(record.get("answers"), "answers")
    answer = plain(record.get("correct_answer"), "correct_answer").strip()
    if answer not in [option.strip() for option in options]:
        raise BadRowError(f"the answer {answer!r} is none of the options {list(options)!r:.200}")
    mixed = sorted(options, key=lambda option: sha256(f"{record.number}/{option}".encode()).digest())
    asked = plain(record.get("question"), "question").replace("<image>", "").strip()
    yield Draft(f"{asked} Choose between: {'; '.join(mixed)}.", Target("text", answer), pictures)


SAT = SourceDomain(
    "sat",
    Source(
        hub="array/SAT",
        licence="mit",
        splits={"train": "train", "test": "val"},
        images=("image_bytes",),
        rows={"train": 15000, "test": 1928},
        unusable=150,
    ),
    drafts,
    sample=15000,
)
