"""How far the images of one domain look alike, and so whether an image alone tells its row."""

from dataclasses import dataclass

import numpy as np

from modomodo.data.contamination.pictures import COPY_LIKE, COPY_NEAR, LIKE, NEAR, Album, distances, likeness

DOUBLES, DRAWN = 3, 0.02
SAMPLE, STEP = 4000, 25


@dataclass(frozen=True)
class Alike:
    """How far the different images of one domain look alike, and so whether an image alone tells its row.

    Of its `pictures` (0 where rows have texts alone; `blank` ones are not among them) a sample was taken, and of it
    those left aside that are copies of another one, coded or sized again. Of the `compared` ones that were left,
    `looked` were compared with all; `doubles` of them looked the same as another one, in `pairs_alike` of `pairs`
    pairs.
    """

    pictures: int
    blank: int
    looked: int
    compared: int
    doubles: int
    pairs: int
    pairs_alike: int

    @property
    def share(self) -> float:
        """The share of images that look the same as another one, in [0, 1]."""
        return self.doubles / max(1, self.looked)

    @property
    def drawn(self) -> bool:
        """Whether images look alike by design, so that text decides with an image that is no mere copy."""
        return self.doubles >= DOUBLES and self.share > DRAWN


def measure_alike(album: Album, blank: int) -> Alike:
    """Return how far images look alike; of more than 4,000 a sample, and no more of it than decides."""
    sample = np.unique(np.linspace(0, len(album) - 1, min(len(album), SAMPLE)).astype(int))
    # Shuffled, as neighbours in a file are often of one kind.
    order = _different(album, np.random.default_rng(0).permutation(sample))
    looked = doubles = pairs = alike = 0
    for start in range(0, len(order), STEP):
        some = order[start : start + STEP]
        at, _ = _alike(album, some, order, NEAR, LIKE)
        looked, pairs, alike = looked + len(some), pairs + len(some) * (len(order) - 1), alike + len(at)
        doubles += len(np.unique(at))
        if doubles >= DOUBLES and doubles > 2 * DRAWN * looked:
            break
    return Alike(len(album), blank, looked, len(order), doubles, pairs, alike)


def _different(album: Album, order: np.ndarray) -> np.ndarray:
    """Return the images less those that are copies of one before them: a photo coded three times is one photo."""
    kept = order[:0]
    for start in range(0, len(order), STEP):
        some = order[start : start + STEP]
        copies, _ = _alike(album, some, kept, COPY_NEAR, COPY_LIKE)
        some = np.delete(some, copies)
        at, by = _alike(album, some, some, COPY_NEAR, COPY_LIKE)
        kept = np.concatenate([kept, np.delete(some, at[by < at])])
    return kept


def _alike(album: Album, some: np.ndarray, others: np.ndarray, near: int, like: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the places in `some` and in `others` of pairs of different images so near and so like, [N] each."""
    close = distances(album.signs_PB[some], album.signs_PB[others]) <= near
    at, by = np.nonzero(close & (some[:, None] != others[None, :]))
    same = likeness(album, album, some[at], others[by], greys=False) >= like
    return at[same], by[same]
