"""What a picture looks like: a perceptual hash that finds candidates, and a small picture that confirms them.

Axes: P pictures, N pairs of pictures, K cuts (of one axis, then of both), C colours, S side of a small picture, F its
values in a row.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

import numpy as np

from modomodo.errors import ModomodoError
from modomodo.rows import open_image, picture_bytes

Picture = bytes | Path

HASH_SIDE = 16
NEAR = 92
"""Hashes at most this many of 256 bits apart make a candidate: a picture cut by 3 % on each side stays within it."""
LIKE = 0.9
"""Candidates that correlate at least so much are the same picture; see docs/contamination.md for both."""
SIDE = 32
CUTS = ((0.0, 0.0), (0.03, 0.03), (0.03, 0.0), (0.0, 0.03))
BLANK = 0.5
"""A picture whose grey levels (of 255) spread less than this in every colour is blank: it looks like nothing."""
DOUBLES, DRAWN = 3, 0.02
SAMPLE, STEP = 4000, 25
PAIRS = 256


@dataclass(frozen=True)
class Look:
    """What is kept of a picture: a digest of its file, its hash as 256 signs of one, and 3 x 32 x 32 grey levels."""

    digest: bytes
    signs: np.ndarray
    small: np.ndarray

    @property
    def blank(self) -> bool:
        return bool(self.small.std(axis=(1, 2)).max() < BLANK)


def look(picture: Picture, where: str) -> Look:
    """Return what a picture looks like.

    Raises ModomodoError, which says `where` it stands, when it cannot be read.
    """
    try:
        import imagehash
    except ImportError as error:
        raise ModomodoError("pictures are compared by the package ImageHash: pip install 'modomodo[data]'") from error
    from PIL import Image

    side = 4 * HASH_SIDE  # the size that phash works on
    try:
        reduced = open_image(picture).resize((side, side), Image.Resampling.LANCZOS)
    except ModomodoError as error:
        raise ModomodoError(f"{where}: {error}") from error
    bits = cast(Any, imagehash).phash(reduced, hash_size=HASH_SIDE).hash
    small = np.asarray(reduced.resize((SIDE, SIDE), Image.Resampling.BOX)).transpose(2, 0, 1)
    digest = hashlib.blake2b(picture_bytes(picture), digest_size=16).digest()
    return Look(digest, np.where(bits, 1, -1).astype(np.int8).ravel(), small)


def look_all(
    wheres: Mapping[Picture, str], *, progress: Callable[[int, int], None] | None = None, processes: int = 1
) -> dict[Picture, Look]:
    """Return the look of every picture, given with where it stands; `progress` is told how many of how many are done.

    Raises ModomodoError when one cannot be read.
    """
    if processes > 1:
        # Spawned, not forked: a fork beside the threads of torch may hang.
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            return _collect(wheres, pool.map(look, wheres.keys(), wheres.values(), chunksize=32), progress)
    return _collect(wheres, map(look, wheres.keys(), wheres.values()), progress)


def _collect(
    pictures: Collection[Picture], looks: Iterable[Look], progress: Callable[[int, int], None] | None
) -> dict[Picture, Look]:
    found: dict[Picture, Look] = {}
    for picture, one in zip(pictures, looks, strict=True):
        found[picture] = one
        if progress is not None:
            progress(len(found), len(pictures))
    return found


@dataclass(frozen=True)
class Album:
    """Different pictures, none of them blank: `signs_PB` their hashes (B bits), `small_PCSS` their small pictures."""

    signs_PB: np.ndarray
    small_PCSS: np.ndarray

    def __len__(self) -> int:
        return len(self.signs_PB)

    @classmethod
    def of(cls, looks: Sequence[Look]) -> "Album":
        if not looks:
            return cls(np.zeros((0, HASH_SIDE**2), np.int8), np.zeros((0, 3, SIDE, SIDE), np.uint8))
        return cls(np.stack([one.signs for one in looks]), np.stack([one.small for one in looks]))


def distances(some_PB: np.ndarray, others_PB: np.ndarray) -> np.ndarray:
    """Return the bits in which hashes differ, [some, others], 0 to 256."""
    # Of signs of one, a product of matrices counts the bits that agree less those that differ, and is fast.
    return (HASH_SIDE**2 - some_PB.astype(np.float32) @ others_PB.astype(np.float32).T) / 2


def likeness(some: Album, others: Album, at_N: np.ndarray, with_N: np.ndarray) -> np.ndarray:
    """Return how alike pairs of pictures are, [N]: the correlation of the small pictures in [-1, 1] at the best cut.

    Each picture of a pair is cut by up to 3 % on any side, 16 ways, to meet the whole of the other one.
    """
    return np.maximum(_cut_likeness(some, others, at_N, with_N), _cut_likeness(others, some, with_N, at_N))


def _cut_likeness(cut: Album, whole: Album, at_N: np.ndarray, with_N: np.ndarray) -> np.ndarray:
    found_N = np.zeros(len(at_N), np.float32)
    order = np.argsort(at_N, kind="stable")
    starts = np.flatnonzero(np.diff(at_N[order], prepend=-1))
    # A picture is cut once for all its pairs, most of the work where pictures look alike by design.
    for pairs in np.split(order, starts[1:]) if len(order) else []:
        cuts_KF = _standard(_cuts(cut.small_PCSS[at_N[pairs[0]]]))
        for part in np.split(pairs, range(PAIRS, len(pairs), PAIRS)):
            found_N[part] = (_standard(whole.small_PCSS[with_N[part]]) @ cuts_KF.T).max(axis=1)
    return found_N


def _cuts(small_CSS: np.ndarray) -> np.ndarray:
    """Return the ways to cut a picture on any sides and stretch it to its old size, [K * K, C, S, S]."""
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
    """Return pictures [N, C, S, S] as rows [N, F] of length 1, each colour around its mean."""
    rows = pictures.reshape(len(pictures), pictures.shape[1], SIDE**2).astype(np.float32)
    rows -= rows.mean(axis=-1, keepdims=True)
    rows = rows.reshape(len(rows), -1)
    return rows / np.maximum(np.sqrt(np.einsum("nf,nf->n", rows, rows)), 1e-6)[:, None]


@dataclass(frozen=True)
class Alike:
    """How far the different pictures of one domain look alike, and so whether a picture alone tells its row.

    `looked` pictures were compared with `compared` different ones of the domain (a sample of its `pictures`; `blank`
    ones are not among them); `doubles` of them looked the same as another one, in `pairs_alike` of `pairs` pairs.
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
        """The share of pictures that look the same as another one, in [0, 1]."""
        return self.doubles / max(1, self.looked)

    @property
    def drawn(self) -> bool:
        """Whether pictures look alike by design, so that only picture and text together tell a row."""
        return self.doubles >= DOUBLES and self.share > DRAWN


def measure_alike(album: Album, blank: int) -> Alike:
    """Return how far pictures look alike; of more than 4,000 a sample, and no more of it than decides."""
    sample = np.unique(np.linspace(0, len(album) - 1, min(len(album), SAMPLE)).astype(int))
    # Shuffled, as neighbours in a file are often of one kind.
    order = np.random.default_rng(0).permutation(sample)
    looked = doubles = pairs = alike = 0
    for start in range(0, len(order), STEP):
        some = order[start : start + STEP]
        near = distances(album.signs_PB[some], album.signs_PB[order]) <= NEAR
        at, by = np.nonzero(near & (some[:, None] != order[None, :]))
        same = likeness(album, album, some[at], order[by]) >= LIKE
        looked, pairs, alike = looked + len(some), pairs + len(some) * (len(order) - 1), alike + int(same.sum())
        doubles += len(np.unique(at[same]))
        if doubles >= DOUBLES and doubles > 2 * DRAWN * looked:
            break
    return Alike(len(album), blank, looked, len(order), doubles, pairs, alike)
