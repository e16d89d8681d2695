"""What is kept of an image: the digest of its file, and of each of its views a perceptual hash and a small image.

Axes: C colours, S side of a small image, H and W height and width of an image in pixels.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from modomodo.core.children import SAFE_PATH, environment
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import open_image, opened, picture_bytes

if TYPE_CHECKING:
    from PIL import Image

Picture = bytes | Path

HASH_SIDE = 16
SIDE = 32
BLANK = 0.5
"""A view whose grey levels (of 255) spread less than this in every colour is blank: it looks like nothing."""
PLAIN = 16
"""Lines of pixels that spread at most so many grey levels (of 255) are a bar, as JPEG leaves it."""
BAR, REST = 0.02, 0.2
"""The share of a side that bars must take at least, and leave at least, to be cut off."""


@dataclass(frozen=True)
class View:
    """One way to see an image: its hash as 256 signs of one, and 3 x 32 x 32 grey levels."""

    signs: np.ndarray
    small: np.ndarray

    @property
    def blank(self) -> bool:
        return bool(self.small.std(axis=(1, 2)).max() < BLANK)


@dataclass(frozen=True)
class Look:
    """A digest of an image's file, and its views.

    They are the image as a model sees it, and, where it has them, as it looks without transparency and without bars.
    """

    digest: bytes
    views: tuple[View, ...]


def look(picture: Picture, where: str) -> Look:
    """Return what an image looks like.

    Raises ModomodoError, which says `where` it stands, when it cannot be read.
    """
    try:
        import imagehash as _  # noqa: F401  # said here once, not for each image below
    except ImportError as error:
        raise ModomodoError("images are compared by the package ImageHash: pip install 'modomodo[data]'") from error
    try:
        seen = [open_image(picture), *_uncovered(picture)]
    except ModomodoError as error:
        raise ModomodoError(f"{where}: {error}") from error
    digest = hashlib.blake2b(picture_bytes(picture), digest_size=16).digest()
    return Look(digest, tuple(_view(one) for whole in seen for one in (whole, *_without_bars(whole))))


def _view(picture: "Image.Image") -> View:
    import imagehash
    from PIL import Image

    side = 4 * HASH_SIDE  # the size that phash works on
    reduced = picture.resize((side, side), Image.Resampling.LANCZOS)
    bits = cast(Any, imagehash).phash(reduced, hash_size=HASH_SIDE).hash
    small = np.asarray(reduced.resize((SIDE, SIDE), Image.Resampling.BOX)).transpose(2, 0, 1)
    return View(np.where(bits, 1, -1).astype(np.int8).ravel(), small)


def _uncovered(picture: Picture) -> "list[Image.Image]":
    """Return an image without its transparency, as many programs save it; none where nothing shines through."""
    with opened(picture) as found:
        # Modes of 16 bits cannot be laid over anything.
        if not found.has_transparency_data or found.mode.startswith("I"):
            return []
        layer = found.convert("RGBA")
    if cast(tuple[int, int], layer.getchannel("A").getextrema())[0] == 255:
        return []
    return [layer.convert("RGB")]


def _without_bars(picture: "Image.Image") -> "list[Image.Image]":
    """Return the image less the bars that made it wider or higher, none where it has no such bars.

    Bars are plain and stand on one or both ends of one axis; an image that is plain all around keeps its margin.
    """
    pixels_HWC = np.asarray(picture)
    (top, bottom), (left, right) = _bars(pixels_HWC), _bars(pixels_HWC.transpose(1, 0, 2))
    if bool(top or bottom) == bool(left or right):
        return []
    height, width = pixels_HWC.shape[:2]
    side, cut = (height, top + bottom) if top or bottom else (width, left + right)
    if not BAR * side <= cut <= (1 - REST) * side:
        return []
    return [picture.crop((left, top, width - right, height - bottom))]


def _bars(pixels_HWC: np.ndarray) -> tuple[int, int]:
    """Return how many lines at the start and at the end are plain, of the colour of the outermost one."""
    return _bar(pixels_HWC), _bar(pixels_HWC[::-1])


def _bar(pixels_HWC: np.ndarray) -> int:
    if np.ptp(pixels_HWC[0], axis=0).max() > PLAIN:
        return 0
    colour_C = np.median(pixels_HWC[0], axis=0)
    other_H = np.abs(pixels_HWC - colour_C).max(axis=(1, 2)) > PLAIN
    return int(other_H.argmax()) if other_H.any() else len(other_H)


def look_all(
    wheres: Mapping[Picture, str], *, progress: Callable[[int, int], None] | None = None, processes: int = 1
) -> dict[Picture, Look]:
    """Return the look of every image, given with where it stands; `progress` is told how many of how many are done.

    Raises ModomodoError when one cannot be read.
    """
    if processes > 1:
        # Spawned, not forked: a fork beside the threads of torch may hang.
        with environment(SAFE_PATH), ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
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
