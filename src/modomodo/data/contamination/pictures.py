"""How alike two images are: hashes find candidates, and small images confirm them.

Axes: P images, N pairs of images, B bits of a hash, K cuts (of one axis, then of both), C colours, S side of a
small image, F its values in a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from modomodo.data.contamination.fingerprints import HASH_SIDE, SIDE, View

NEAR = 92
"""Hashes at most this many of 256 bits apart make a candidate: an image cut by 3 % on each side stays within it."""
LIKE = 0.9
"""Candidates that correlate at least so much are the same image; see docs/contamination.md for both."""
COPY_NEAR, COPY_LIKE = 8, 0.99
"""Images at most so many bits apart that correlate so much are copies, coded or sized again: two drawings hardly."""
CUTS = ((0.0, 0.0), (0.03, 0.03), (0.03, 0.0), (0.0, 0.03))
GREY = 8
"""Where the colours of a small image differ by at most so many grey levels (of 255), it is grey."""
LUMINANCE = (0.299, 0.587, 0.114)
PAIRS = 256


@dataclass(frozen=True)
class Album:
    """Different views, none of them blank: `signs_PB` their hashes, `small_PCSS` their small images.

    `grey_P` says which of them are grey.
    """

    signs_PB: np.ndarray
    small_PCSS: np.ndarray
    grey_P: np.ndarray

    def __len__(self) -> int:
        return len(self.signs_PB)

    def pick(self, at_P: np.ndarray) -> "Album":
        return Album(self.signs_PB[at_P], self.small_PCSS[at_P], self.grey_P[at_P])

    @classmethod
    def of(cls, views: Sequence[View]) -> "Album":
        if not views:
            small_PCSS = np.zeros((0, 3, SIDE, SIDE), np.uint8)
            return cls(np.zeros((0, HASH_SIDE**2), np.int8), small_PCSS, np.zeros(0, bool))
        small_PCSS = np.stack([one.small for one in views])
        return cls(np.stack([one.signs for one in views]), small_PCSS, np.ptp(small_PCSS, axis=1).max((1, 2)) <= GREY)


def distances(some_PB: np.ndarray, others_PB: np.ndarray) -> np.ndarray:
    """Return the bits in which hashes differ, [some, others], 0 to 256."""
    # Of signs of one, a product of matrices counts the bits that agree less those that differ, and is fast.
    return (HASH_SIDE**2 - some_PB.astype(np.float32) @ others_PB.astype(np.float32).T) / 2


def likeness(some: Album, others: Album, at_N: np.ndarray, with_N: np.ndarray, *, greys: bool = True) -> np.ndarray:
    """Return how alike pairs of images are, [N]: the correlation of the small images in [-1, 1] at the best cut.

    Each image of a pair is cut by up to 3 % on any side, 16 ways, to meet the whole of the other one. Where one of
    them alone is grey, the greys of both are compared, if `greys`: of drawings a grey one is another one.
    """
    found_N = np.zeros(len(at_N), np.float32)
    mixed_N = greys & (some.grey_P[at_N] != others.grey_P[with_N])
    for which_N, prepare in ((~mixed_N, _same), (mixed_N, _greys)):
        (mine, at), (theirs, with_) = (np.unique(one[which_N], return_inverse=True) for one in (at_N, with_N))
        a, b = prepare(some.small_PCSS[mine]), prepare(others.small_PCSS[theirs])
        found_N[which_N] = np.maximum(_cut_likeness(a, b, at, with_), _cut_likeness(b, a, with_, at))
    return found_N


def _same(small_PCSS: np.ndarray) -> np.ndarray:
    return small_PCSS


def _greys(small_PCSS: np.ndarray) -> np.ndarray:
    """Return images without colour, [P, 1, S, S]."""
    return np.einsum("pcst,c->pst", small_PCSS, np.array(LUMINANCE, np.float32))[:, None]


def _cut_likeness(cut_PCSS: np.ndarray, whole_PCSS: np.ndarray, at_N: np.ndarray, with_N: np.ndarray) -> np.ndarray:
    found_N = np.zeros(len(at_N), np.float32)
    order = np.argsort(at_N, kind="stable")
    starts = np.flatnonzero(np.diff(at_N[order], prepend=-1))
    # An image is cut once for all its pairs, most of the work where images look alike by design.
    for pairs in np.split(order, starts[1:]) if len(order) else []:
        cuts_KF = _standard(_cuts(cut_PCSS[at_N[pairs[0]]]))
        for part in np.split(pairs, range(PAIRS, len(pairs), PAIRS)):
            found_N[part] = (_standard(whole_PCSS[with_N[part]]) @ cuts_KF.T).max(axis=1)
    return found_N


def _cuts(small_CSS: np.ndarray) -> np.ndarray:
    """Return the ways to cut an image on any sides and stretch it to its old size, [K * K, C, S, S]."""
    lines_KCSS = _windows()[:, None] @ small_CSS.astype(np.float32)
    both_KKCSS = lines_KCSS[:, None] @ _windows().transpose(0, 2, 1)[None, :, None]
    return both_KKCSS.reshape(-1, *small_CSS.shape)


@cache
def _windows() -> np.ndarray:
    """Return [K, S, S]: what stretches the window left by each cut of an axis over the whole of it."""
    from PIL import Image

    lines = Image.fromarray(np.eye(SIDE, dtype=np.float32))
    boxes = [(0, SIDE * before, SIDE, SIDE * (1 - after)) for before, after in CUTS]
    return np.stack([np.asarray(lines.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box)) for box in boxes])


def _standard(pictures: np.ndarray) -> np.ndarray:
    """Return images [N, C, S, S] as rows [N, F] of length 1, each colour around its mean."""
    rows = pictures.reshape(len(pictures), pictures.shape[1], SIDE**2).astype(np.float32)
    rows -= rows.mean(axis=-1, keepdims=True)
    rows = rows.reshape(len(rows), -1)
    return rows / np.maximum(np.sqrt(np.einsum("nf,nf->n", rows, rows)), 1e-6)[:, None]
