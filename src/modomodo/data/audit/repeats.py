"""Rows of a set that repeat one another: the same question, with the same image or a copy of it."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from modomodo.core.rows import Row, picture_bytes
from modomodo.data.audit.policies import same_gold
from modomodo.data.contamination.fingerprints import Picture, look_all
from modomodo.data.contamination.pictures import COPY_LIKE, COPY_NEAR, Album, distances, likeness
from modomodo.data.contamination.texts import words

LOOKED = 400
"""Images of rows with a question in common that are compared by their looks; of more, the first."""


@dataclass(frozen=True)
class Repeats:
    """How many rows repeat another one, byte for byte; how many of these contradict it by another gold; an example.

    `copies` are further rows with the same question whose image is a copy, coded or sized anew, among the `looked`
    rows.
    """

    rows: int
    exact: int
    contradicting: int
    copies: int
    looked: int
    example: tuple[str, str] | None

    @property
    def share(self) -> float:
        """The share of rows that repeat another one, byte for byte."""
        return self.exact / max(1, self.rows)


def find_repeats(rows: Sequence[Row]) -> Repeats:
    """Return how far rows repeat one another.

    Raises ModomodoError when an image cannot be read.
    """
    first: dict[tuple[bytes, ...], Row] = {}
    pairs: list[tuple[Row, Row]] = []
    for row in rows:
        key = _content(row)
        if key in first:
            pairs.append((first[key], row))
        else:
            first[key] = row
    wrong = [(one, other) for one, other in pairs if same_gold(one.target) != same_gold(other.target)]
    copies, looked = _copies(list(first.values()))
    some = next(iter(wrong or pairs), None)
    copied = next(iter(copies), None)
    example = None if some is None else (some[0].id, some[1].id)
    return Repeats(len(rows), len(pairs), len(wrong), len(copies), looked, example or copied)


def _content(row: Row) -> tuple[bytes, ...]:
    images = (hashlib.blake2b(picture_bytes(image), digest_size=16).digest() for image in row.images)
    return (row.question.encode(errors="replace"), repr(row.target.options).encode(errors="replace"), *images)


def _copies(rows: Sequence[Row]) -> tuple[list[tuple[str, str]], int]:
    """Return the rows whose question and image another row has, the image coded anew; and how many were looked at.

    None are looked at without the package ImageHash, which is an extra.
    """
    if find_spec("imagehash") is None:
        return [], 0
    asked: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if len(row.images) == 1:
            asked[words(row)].append(row)
    shared = [row for some in asked.values() if len(some) > 1 for row in some][:LOOKED]
    places: dict[Picture, str] = {row.images[0]: f"row {row.id}" for row in shared}
    looks = look_all(places)
    telling = [row for row in shared if not looks[row.images[0]].views[0].blank]
    if len(telling) < 2:
        return [], len(shared)
    album = Album.of([looks[row.images[0]].views[0] for row in telling])
    at, by = np.nonzero(np.triu(distances(album.signs_PB, album.signs_PB) <= COPY_NEAR, k=1))
    same = likeness(album, album, at, by) >= COPY_LIKE
    found: dict[str, str] = {}
    for one, other in zip(at[same], by[same], strict=True):
        mine, theirs = telling[int(one)], telling[int(other)]
        if words(mine) == words(theirs):
            found.setdefault(theirs.id, mine.id)
    return [(mine, theirs) for theirs, mine in found.items()], len(shared)
