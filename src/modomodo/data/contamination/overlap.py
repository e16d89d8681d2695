"""The audit: every training row against every item of every benchmark.

Axes: R training rows, M items of a benchmark, P and Q their images (a place for each image of each row).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modomodo.core.rows import Row
from modomodo.data.contamination.alike import Alike, measure_alike
from modomodo.data.contamination.exclusions import Match
from modomodo.data.contamination.fingerprints import HASH_SIDE, Look, Picture, View, look_all
from modomodo.data.contamination.pictures import COPY_LIKE, COPY_NEAR, LIKE, NEAR, Album, distances, likeness
from modomodo.data.contamination.texts import Texts, shares, tabulate

SAME_TEXT = 0.8
"""Texts with at least this share of 13-grams in common are the same."""
FAR = HASH_SIDE**2 + 1
BLOCK = 256


@dataclass(frozen=True)
class Audit:
    """The training rows that are in a benchmark: per row and benchmark one match, with the item most like it.

    `counts` is (domain, benchmark) -> rows that match; `alike` is domain -> how far its images look alike.
    """

    matches: tuple[Match, ...]
    counts: dict[tuple[str, str], int]
    alike: dict[str, Alike]


@dataclass(frozen=True)
class _Side:
    """Rows with what is compared of them: their texts, and an album of the views of their different images.

    `at_P` is where in the album a row's views are, row after row, -1 for none that tells (no image, or a blank
    one); those of row r are at_P[starts[r] : starts[r + 1]], one place or more. `first` are the places of one view of
    each image.
    """

    rows: Sequence[Row]
    texts: Texts
    album: Album
    first: np.ndarray
    blank: int
    at_P: np.ndarray
    starts: np.ndarray

    def tells(self) -> np.ndarray:
        """Return which rows have an image that tells, [R]."""
        return np.maximum.reduceat(self.at_P, self.starts[:-1]) >= 0


def audit(
    training: Mapping[str, Sequence[Row]],
    benchmarks: Mapping[str, Sequence[Row]],
    *,
    progress: Callable[[int, int], None] | None = None,
    processes: int = 1,
) -> Audit:
    """Return the training rows, by domain, that are also in a benchmark.

    The same image decides; in a domain whose images look alike by design, the same image and the same text;
    where neither row has an image that tells (none, or a blank one), the same text, and where only one has, the same
    text of 13 words or more. `progress` is told how many images of how many are read, by `processes` processes.

    Raises ModomodoError when an image cannot be read.
    """
    names = [*training, *benchmarks]
    groups = [*training.values(), *benchmarks.values()]
    wheres = {
        image: f"{name}, row {row.id}"
        for name, rows in zip(names, groups, strict=True)
        for row in rows
        for image in row.images
    }
    looks = look_all(wheres, progress=progress, processes=processes)
    sides = [_side(rows, texts, looks) for rows, texts in zip(groups, tabulate(groups), strict=True)]
    trained = dict(zip(training, sides[: len(training)], strict=True))
    tested = dict(zip(benchmarks, sides[len(training) :], strict=True))
    alike = {name: measure_alike(side.album.pick(side.first), side.blank) for name, side in trained.items()}
    found = {
        (domain, benchmark): _compare(side, items, (domain, benchmark), drawn=alike[domain].drawn)
        for domain, side in trained.items()
        for benchmark, items in tested.items()
    }
    counts = {pair: len(matches) for pair, matches in found.items()}
    return Audit(tuple(match for matches in found.values() for match in matches), counts, alike)


def _side(rows: Sequence[Row], texts: Texts, looks: Mapping[Picture, Look]) -> _Side:
    kept: dict[bytes, list[int]] = {}  # digest -> places of the views that tell
    album: list[View] = []
    places: list[int] = []
    starts = [0]
    for row in rows:
        for one in (looks[image] for image in row.images):
            if one.digest not in kept:
                telling = [view for view in one.views if not view.blank]
                kept[one.digest] = list(range(len(album), len(album) + len(telling)))
                album += telling
            places += kept[one.digest] or [-1]
        places += [] if row.images else [-1]
        starts.append(len(places))
    first = [at[0] for at in kept.values() if at]
    blank = len(kept) - len(first)
    return _Side(
        rows, texts, Album.of(album), np.array(first, int), blank, np.array(places, np.int64), np.array(starts)
    )


def _compare(side: _Side, items: _Side, names: tuple[str, str], *, drawn: bool) -> list[Match]:
    """Return a match for each row of the side that is an item too."""
    if not side.rows or not items.rows:
        return []
    domain, benchmark = names
    found: list[Match] = []
    tells_R, tells_M = side.tells(), items.tells()
    for start in range(0, len(side.rows), BLOCK):
        block = slice(start, min(start + BLOCK, len(side.rows)))
        text_RM = shares(side.texts, block, items.texts)
        same_text_RM = text_RM >= SAME_TEXT
        bits_RM = _bits(side, block, items, same_text_RM if drawn else None)
        blind_RM = ~tells_R[block, None] & ~tells_M[None, :]
        half_RM = (~tells_R[block, None] | ~tells_M[None, :]) & side.texts.long_R[block, None]
        by_text_RM = same_text_RM & (blind_RM | half_RM)
        # The item with most of the text, of these the one with the nearest image.
        rank_RM = np.where((bits_RM < FAR) | by_text_RM, 1000 * text_RM - bits_RM, -np.inf)
        best_R = rank_RM.argmax(axis=1)
        for at in (int(row) for row in np.flatnonzero(rank_RM.max(axis=1) > -np.inf)):
            item = int(best_R[at])
            by_text, text = bool(by_text_RM[at, item]), float(text_RM[at, item])
            bits = None if by_text else int(bits_RM[at, item])
            decided = "text" if by_text else "image and text" if drawn and same_text_RM[at, item] else "image"
            found.append(Match(domain, side.rows[start + at].id, benchmark, items.rows[item].id, bits, text, decided))
    return found


def _bits(side: _Side, block: slice, items: _Side, allowed_RM: np.ndarray | None) -> np.ndarray:
    """Return how far the nearest images of rows and items that are the same image are apart, [R, M], else FAR.

    Pairs that are not `allowed` are so only when one image is a copy of the other, coded or sized again.
    """
    starts = side.starts[block.start : block.stop + 1]
    at_P, at_Q = side.at_P[starts[0] : starts[-1]], items.at_P
    some, back = np.unique(at_P, return_inverse=True)
    apart = np.full((len(some), len(items.album) + 1), FAR, np.int16)  # the last column and place -1 are none's
    apart[some >= 0, :-1] = distances(side.album.signs_PB[some[some >= 0]], items.album.signs_PB)
    bits_PQ = apart[back][:, at_Q]
    near_PQ = bits_PQ <= NEAR
    if allowed_RM is not None:
        near_PQ &= allowed_RM[_owners(starts)][:, _owners(items.starts)] | (bits_PQ <= COPY_NEAR)
    P, Q = np.nonzero(near_PQ)
    pairs, which = np.unique(back[P] * len(items.album) + at_Q[Q], return_inverse=True)
    mine, theirs = np.divmod(pairs, len(items.album)) if len(pairs) else (pairs, pairs)
    alike = likeness(side.album, items.album, some[mine], theirs, greys=allowed_RM is None)[which]
    same = alike >= LIKE
    if allowed_RM is not None:
        same &= allowed_RM[_owners(starts)[P], _owners(items.starts)[Q]] | (alike >= COPY_LIKE)
    near_PQ[P, Q] = same
    bits_PQ[~near_PQ] = FAR
    by_row = np.minimum.reduceat(bits_PQ, starts[:-1] - starts[0], axis=0)
    return np.minimum.reduceat(by_row, items.starts[:-1], axis=1)


def _owners(starts: np.ndarray) -> np.ndarray:
    """Return which row each place belongs to, from where the rows start."""
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))
