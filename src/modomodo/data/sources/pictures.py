"""Pictures as rows hold them: PNG or JPEG, upright, no longer on a side than asked; the others are encoded anew."""

import io
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modomodo.core.errors import ModomodoError
from modomodo.core.rows import DEEP_GREY, to_rgb

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 89_000_000
"""A larger picture is refused before it is decoded; here PIL begins to warn of decompression bombs."""

JPEG_QUALITY = 95
_KEPT = ("PNG", "JPEG")
_DEEP = (*DEEP_GREY, "I", "F")
_ORIENTATION = 0x0112
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, LookupError, OverflowError, struct.error)  # what PIL raises


@dataclass(frozen=True)
class Picture:
    """A picture of a row, its [width, height], and the [width, height] that it had, upright, before it was scaled."""

    data: bytes | Path
    size: tuple[int, int]
    original: tuple[int, int]


def fit(image: bytes | Path, max_side: int | None) -> Picture:
    """Return the picture with no side over `max_side`.

    One within it that is PNG or JPEG, upright and of 8 bits is untouched; it is decoded to see that it can be. Another
    is turned by its EXIF orientation, scaled by Lanczos, and written as JPEG of quality 95 where it was JPEG, as PNG
    otherwise.

    Raises ModomodoError when it is not there, unreadable or too large.
    """
    from PIL import Image, ImageOps

    where = f"the picture ({len(image)} bytes)" if isinstance(image, bytes) else f"the picture {image}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(image) if isinstance(image, bytes) else image)
        with picture:
            kind, raw = picture.format, picture.size
            if raw[0] * raw[1] > MAX_PIXELS:
                raise ModomodoError(f"{where} has {raw[0]} x {raw[1]} pixels, over the cap of {MAX_PIXELS:,}")
            turned = picture.getexif().get(_ORIENTATION, 1) != 1
            if (
                kind in _KEPT
                and not turned
                and picture.mode not in _DEEP
                and (max_side is None or max(raw) <= max_side)
            ):
                picture.draft(None, (1, 1))  # a JPEG at an eighth: a third quicker, and every byte is still read
                picture.load()
                return Picture(image, raw, raw)
            upright = to_rgb(ImageOps.exif_transpose(picture))
    except ModomodoError:
        raise
    except FileNotFoundError as error:
        folder = Path(str(image)).parent
        nor = "" if folder.is_dir() else f", nor does its folder {folder}"
        raise ModomodoError(f"{where} does not exist{nor}: put it there, or correct the path") from error
    except (*_BROKEN, Image.DecompressionBombError) as error:
        raise ModomodoError(f"{where} is unreadable: {error}; get it again, or drop the row") from error
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
