"""Golds and questions whose form tells of options that are not shown, or of another verifier than the set's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from modomodo.core.rows import Row
from modomodo.data.audit.policies import BOXED, gold_text

_LETTER = re.compile(r"\(?([A-H])\)?")
_LETTERED = re.compile(r"\(?([A-H])[.):]\s*\S.*", re.DOTALL)
_SHOWN = re.compile(r"(?:^|[\s(\[,;])([A-H])(?:[.):\]]|\s*[-–=])", re.MULTILINE)


@dataclass(frozen=True)
class Shapes:
    """How many rows have a letter as gold, though no options are shown; and a letter with a text ("A. red").

    `letter` and `lettered` are examples of such golds.
    """

    unseen: int
    letter: str
    with_text: int
    lettered: str


def find_shapes(rows: Sequence[Row]) -> Shapes:
    """Return what the forms of golds tell; letters are told from words only where there are several of them."""
    letters = [gold_text(row.target) for row in rows if _unseen(row)]
    lettered = [text for row in rows if (text := gold_text(row.target)) and _has_text(row, text)]
    several = [some if len({text.strip("(")[:1] for text in some}) > 1 else [] for some in (letters, lettered)]
    letter, with_text = (some[0] if some else "" for some in several)
    return Shapes(len(several[0]), letter, len(several[1]), with_text)


def _unseen(row: Row) -> bool:
    """Return whether the gold is a letter, of options that neither the row nor its question shows."""
    if row.target.options or row.target.verifier in (*BOXED, "format", "math", "number", "count"):
        return False
    return bool(_LETTER.fullmatch(gold_text(row.target))) and len(set(_SHOWN.findall(row.question))) < 2


def _has_text(row: Row, gold: str) -> bool:
    return row.target.verifier in ("text", "anls", "relaxed") and bool(_LETTERED.fullmatch(gold))
