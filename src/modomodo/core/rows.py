"""The values that travel from step to step: Row, Target, View, Verdict."""

import hashlib
import io
import json
import math
import stat
import struct
import warnings
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from pydantic import ConfigDict, with_config

from modomodo.core.errors import ModomodoError

if TYPE_CHECKING:
    from PIL import Image

Box = tuple[float, float, float, float]
"""[x1, y1, x2, y2], pixels of the original image in a Target."""

Frame = Literal["pixels", "normalised1000", "unit", "resized"]
Mode = Literal["paper", "standard"]
Status = Literal["right", "wrong", "partial", "unparsed", "ungradable"]

MARK = "<image>"
"""Marks the place of an image among the words of a question."""

IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""What is opened, by PIL's names: some of its others run programs, and some break it."""

MAX_PIXELS = 89_000_000
"""A larger image is refused before it is decoded; here PIL begins to warn of decompression bombs."""

MAX_IMAGE_BYTES = 100_000_000

BROKEN = (OSError, SyntaxError, ValueError, EOFError, LookupError, OverflowError, struct.error)
"""What PIL raises for broken images."""

DEEP_GREY = ("I;16", "I;16B", "I;16L", "I;16N")
"""PIL's modes of 16-bit grey."""


@dataclass(frozen=True)
class Target:
    """The gold of a row: what `verifier` (a key of VERIFIERS) needs to judge an answer.

    `value` is a string, a number, a box, a tuple of boxes or a tuple of accepted strings, as the verifier asks.
    `options` are the texts of a multiple choice, A first. `image_size` is [width, height] in pixels.
    `tolerance` is relative; None means the verifier's own.
    """

    verifier: str
    value: str | float | Box | tuple[Box, ...] | tuple[str, ...]
    options: tuple[str, ...] = ()
    image_size: tuple[int, int] | None = None
    tolerance: float | None = None

    def __post_init__(self) -> None:
        # Lists are natural to write and cannot be hashed.
        object.__setattr__(self, "value", _frozen(self.value))
        object.__setattr__(self, "options", _frozen(self.options))
        object.__setattr__(self, "image_size", _frozen(self.image_size))


def _frozen(value: object) -> object:
    if isinstance(value, list | tuple):
        return tuple(_frozen(one) for one in cast(Iterable[object], value))
    return value


@dataclass(frozen=True)
class Row:
    """One question with its images (PNG or JPEG bytes, or paths) and its gold; `id` is unique in its domain."""

    id: str
    domain: str
    question: str
    target: Target
    images: tuple[bytes | Path, ...] = ()


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class Resize:
    """How a model family resizes images: both sides multiples of `factor`, their product within the two limits.

    Source: smart_resize of Qwen2-VL's image processor.
    """

    factor: int
    min_pixels: int
    max_pixels: int

    def size(self, original: tuple[int, int]) -> tuple[int, int]:
        """Return [width, height] in pixels after resizing an image of that [width, height]."""
        sides = [round(side / self.factor) * self.factor for side in original]
        area = original[0] * original[1]
        if sides[0] * sides[1] > self.max_pixels:
            shrink = math.sqrt(area / self.max_pixels)
            sides = [max(self.factor, math.floor(side / shrink / self.factor) * self.factor) for side in original]
        elif sides[0] * sides[1] < self.min_pixels:
            grow = math.sqrt(self.min_pixels / area)
            sides = [math.ceil(side * grow / self.factor) * self.factor for side in original]
        return sides[0], sides[1]


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class View:
    """What the model family and the scoring mode decide about a completion.

    `frame` is the coordinate frame of its boxes. Frame "resized" means the [width, height] of `resized_size` or,
    without it, what `resize` makes of the image's own size.
    """

    frame: Frame = "pixels"
    resized_size: tuple[int, int] | None = None
    mode: Mode = "paper"
    resize: Resize | None = None

    def size_after(self, original: tuple[int, int]) -> tuple[int, int] | None:
        """Return the [width, height] that frame "resized" refers to for an image; None where it isn't known."""
        if self.resized_size is not None or self.resize is None:
            return self.resized_size
        return self.resize.size(original)


@dataclass(frozen=True)
class Verdict:
    """The judgement of one completion: `reward` in [0, 1], or None where the gold or verifier failed (ungradable)."""

    status: Status
    reward: float | None
    answer: str | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        assert (self.reward is None) == (self.status == "ungradable"), self
        assert self.reward is None or 0.0 <= self.reward <= 1.0, self

    @classmethod
    def right(cls, answer: str, reason: str = "") -> "Verdict":
        return cls("right", 1.0, answer, reason)

    @classmethod
    def wrong(cls, answer: str, reason: str = "") -> "Verdict":
        return cls("wrong", 0.0, answer, reason)

    @classmethod
    def partial(cls, reward: float, answer: str, reason: str = "") -> "Verdict":
        """Return right at 1, wrong at 0 and partial between."""
        status = "right" if reward == 1.0 else "wrong" if reward == 0.0 else "partial"
        return cls(status, reward, answer, reason)

    @classmethod
    def unparsed(cls, reason: str, answer: str | None = None) -> "Verdict":
        return cls("unparsed", 0.0, answer, reason)

    @classmethod
    def ungradable(cls, reason: str, answer: str | None = None) -> "Verdict":
        return cls("ungradable", None, answer, reason)


def open_image(image: bytes | Path) -> "Image.Image":
    """Return the image, decoded to RGB; what shines through is on white.

    Raises ModomodoError when it cannot be read.
    """
    with opened(image) as picture:
        return to_rgb(picture)


@contextmanager
def opened(image: bytes | Path) -> Generator["Image.Image"]:
    """Open an image of one of IMAGE_FORMATS, not decoded yet; of several frames the first.

    Raises ModomodoError when it is not there, no regular file, too large or broken, be it seen only inside the `with`.
    """
    from PIL import Image, UnidentifiedImageError

    where = f"the image ({len(image)} bytes)" if isinstance(image, bytes) else f"the image {image}"
    try:
        _check_file(image, where)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            source = io.BytesIO(image) if isinstance(image, bytes) else image
            picture = Image.open(source, formats=IMAGE_FORMATS)
        with picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise ModomodoError(f"{where} has {width} x {height} pixels, over the cap of {MAX_PIXELS:,}")
            yield picture
    except ModomodoError:
        raise
    except FileNotFoundError as error:
        folder = Path(str(image)).parent
        nor = "" if folder.is_dir() else f", nor does its folder {folder}"
        raise ModomodoError(f"{where} does not exist{nor}: put it there, or correct the path") from error
    except UnidentifiedImageError as error:
        what = f"it begins with {_beginning(image)!r}, which is none of {', '.join(IMAGE_FORMATS)}"
        raise ModomodoError(f"{where} is unreadable: {what}; get it again, or drop the row") from error
    except (*BROKEN, Image.DecompressionBombError) as error:
        raise ModomodoError(f"{where} is unreadable: {error}; get it again, or drop the row") from error


def _check_file(image: bytes | Path, where: str) -> None:
    """Raise ModomodoError for what would never end: pipes, devices and huge files; OSError where there is no file."""
    if isinstance(image, bytes):
        size = len(image)
    else:
        found = image.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ModomodoError(f"{where} is no regular file: put an image there")
        size = found.st_size
    if size > MAX_IMAGE_BYTES:
        raise ModomodoError(f"{where} has {size:,} bytes, over the cap of {MAX_IMAGE_BYTES:,}: save it smaller")


def _beginning(image: bytes | Path) -> bytes:
    if isinstance(image, bytes):
        return image[:12]
    with image.open("rb") as file:
        return file.read(12)


def to_rgb(picture: "Image.Image") -> "Image.Image":
    """Return the image in RGB, 8 bits a channel, where it is transparent pasted on white.

    16-bit grey is divided by 257, so that white stays white. Raises ValueError for 32-bit modes, whose black and white
    nothing says.
    """
    import numpy as np
    from PIL import Image

    if picture.mode in DEEP_GREY:
        # PIL itself would clip at 255, which turns nearly all of it white.
        picture = Image.fromarray(((np.asarray(picture).astype(np.uint32) + 128) // 257).astype(np.uint8))
    elif picture.mode in ("I", "F"):
        raise ValueError(f"it has 32 bits a pixel (mode {picture.mode}); save it with 8 or 16")
    elif picture.has_transparency_data:
        # PIL itself would show what lies under it, which drawings leave black.
        layer = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return picture.convert("RGB")


def digest_rows(rows: Sequence[Row], prompts: Sequence[object]) -> str:
    """Return a hash (16 hex digits) of rows in order: ids, questions, targets, bytes of the images, and prompts."""
    digest = hashlib.sha256()
    for row, prompt in zip(rows, prompts, strict=True):
        pictures = [hashlib.sha256(picture_bytes(image)).hexdigest() for image in row.images]
        line = [row.id, row.domain, row.question, asdict(row.target), pictures, prompt]
        digest.update(json.dumps(line, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()[:16]


def picture_bytes(image: bytes | Path) -> bytes:
    """Return the image's file as it is."""
    return image if isinstance(image, bytes) else image.read_bytes()
