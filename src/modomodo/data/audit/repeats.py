"""Rows of a set that repeat one another: the same question, with the same image or a copy of it."""

import hashlib
from collections import Counter, defaultdict
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
OTHERS = 100
"""Images beside them, of rows with other questions."""


@dataclass(frozen=True)
class Repeats:
    """How many rows repeat another one, byte for byte; how many of these contradict it by another gold; an example.

    `copies` are further rows with the same question whose image is a copy, coded or sized anew, among the `looked`
    rows, and `alike` those whose image is such a copy under another question. `images` are the different images, byte
    for byte, `shared` the rows with the image, but not the question, of another one, and `most` the rows with the most
    frequent image.
    """

    rows: int
    exact: int
    contradicting: int
    copies: int
    looked: int
    alike: int
    images: int
    shared: int
    most: int
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
    showing: defaultdict[tuple[bytes, ...], list[Row]] = defaultdict(list)
    times: Counter[tuple[bytes, ...]] = Counter()
    for row in rows:
        asked, images = _content(row)
        times[images] += bool(images)
        if (key := (*asked, *images)) in first:
            pairs.append((first[key], row))
        else:
            first[key] = row
            showing[images].append(row)
    showing.pop((), None)
    wrong = [(one, other) for one, other in pairs if not same_gold(one.target, other.target)]
    copies, alike, looked = _copies(list(first.values()), [some[0] for some in showing.values()])
    some = next(iter(wrong or pairs), None)
    return Repeats(
        rows=len(rows),
        exact=len(pairs),
        contradicting=len(wrong),
        copies=len(copies),
        looked=looked,
        alike=alike,
        images=len(showing),
        shared=sum(len(some) for some in showing.values() if len(some) > 1),
        most=max(times.values(), default=0),
        example=next(iter(copies), None) if some is None else (some[0].id, some[1].id),
    )


def _content(row: Row) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return what a row asks, and the digests of its images."""
    images = tuple(hashlib.blake2b(picture_bytes(image), digest_size=16).digest() for image in row.images)
    return (row.question.encode(errors="replace"), repr(row.target.options).encode(errors="replace")), images


def _copies(rows: Sequence[Row], different: Sequence[Row]) -> tuple[list[tuple[str, str]], int, int]:
    """Return the rows whose question and image another row has, the image coded anew; those under other questions,
    counted; and how many were looked at: first rows with a question in common, then one of each of `different` images.

    None are looked at without the package ImageHash, which is an extra.
    """
    if find_spec("imagehash") is None:
        return [], 0, 0
    asked: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if len(row.images) == 1:
            asked[words(row)].append(row)
    shared = [row for some in asked.values() if len(some) > 1 for row in some][:LOOKED]
    singles = [row for row in different if len(row.images) == 1 and len(asked[words(row)]) == 1][:OTHERS]
    looked = [*shared, *singles]
    pairs = _lookalikes(looked)
    same: dict[str, str] = {}
    for mine, theirs in pairs:
        if words(mine) == words(theirs):
            same.setdefault(theirs.id, mine.id)
    own = {row.id for row in different}
    alike = {theirs.id for mine, theirs in pairs if {mine.id, theirs.id} <= own and words(mine) != words(theirs)}
    return [(mine, theirs) for theirs, mine in same.items()], len(alike - same.keys()), len(looked)


def _lookalikes(rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Return the pairs of rows whose images are copies of each other, in their order."""
    places: dict[Picture, str] = {row.images[0]: f"row {row.id}" for row in rows}
    looks = look_all(places)
    telling = [row for row in rows if not looks[row.images[0]].views[0].blank]
    if len(telling) < 2:
        return []
    album = Album.of([looks[row.images[0]].views[0] for row in telling])
    at, by = np.nonzero(np.triu(distances(album.signs_PB, album.signs_PB) <= COPY_NEAR, k=1))
    same = likeness(album, album, at, by) >= COPY_LIKE
    return [(telling[int(one)], telling[int(other)]) for one, other in zip(at[same], by[same], strict=True)]
