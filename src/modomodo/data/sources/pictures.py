"""Images as rows hold them: PNG or JPEG, upright, no longer on a side than asked; the others are encoded again."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modomodo.core.rows import DEEP_GREY, opened, to_rgb

if TYPE_CHECKING:
    from PIL import Image

JPEG_QUALITY = 95
_KEPT = ("PNG", "JPEG")
_DEEP = (*DEEP_GREY, "I", "F")
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Picture:
    """An image of a row, its [width, height], and the [width, height] that it had, upright, before it was scaled."""

    data: bytes | Path
    size: tuple[int, int]
    original: tuple[int, int]


def fit(image: bytes | Path, max_side: int | None) -> Picture:
    """Return the image with no side over `max_side`.

    One within it that is PNG or JPEG, upright and of 8 bits is untouched; it is decoded to see that it can be. Another
    is turned by its EXIF orientation, scaled by Lanczos, and written as JPEG of quality 95 where it was JPEG, as PNG
    otherwise.

    Raises ModomodoError when it is not there, unreadable or too large.
    """
    from PIL import ImageOps

    with opened(image) as picture:
        kind, raw = picture.format, picture.size
        turned = picture.getexif().get(_ORIENTATION, 1) != 1
        within = max_side is None or max(raw) <= max_side
        if kind in _KEPT and within and not turned and picture.mode not in _DEEP:
            picture.draft(None, (1, 1))  # a JPEG at an eighth: a third quicker, and every byte is still read
            picture.load()
            return Picture(image, raw, raw)
        upright = to_rgb(ImageOps.exif_transpose(picture))
    return _written(upright, size_within(upright.size, max_side), "JPEG" if kind == "JPEG" else "PNG")


def _written(upright: "Image.Image", size: tuple[int, int], kind: str) -> Picture:
    from PIL import Image

    buffer = io.BytesIO()
    scaled = upright if size == upright.size else upright.resize(size, Image.Resampling.LANCZOS)
    if kind == "JPEG":
        scaled.save(buffer, kind, quality=JPEG_QUALITY)
    else:
        scaled.save(buffer, kind)
    return Picture(buffer.getvalue(), size, upright.size)


def size_within(size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    """Return [width, height] scaled down to no side over `max_side`, in whole pixels."""
    longest = max(size)
    if max_side is None or longest <= max_side:
        return size
    width, height = (max(1, round(side * max_side / longest)) for side in size)
    return width, height
