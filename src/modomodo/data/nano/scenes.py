"""Pictures of the nano world: a Scene is a background and a list of marks, drawn at 64 x 64 pixels."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

T = TypeVar("T")

SIZE = 64
CELL = 16  # pixels: one cell of the 4 x 4 grid, and one patch of the nano model

COLOURS = {
    "black": (0, 0, 0),
    "gray": (128, 128, 128),
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "teal": (0, 128, 128),
    "brown": (165, 42, 42),
    "yellow": (255, 255, 0),
}
SHAPES = ("circle", "rectangle", "triangle", "cross")

BoxInts = tuple[int, int, int, int]


@dataclass(frozen=True)
class Mark:
    """One drawn thing; `box` is [x1, y1, x2, y2] in pixels; the kinds left, right, up, down are arrowheads."""

    kind: str
    colour: str
    box: BoxInts

    @property
    def name(self) -> str:
        return f"{self.colour} {self.kind}"

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1]


@dataclass(frozen=True)
class Scene:
    """A background colour and the marks on it, in drawing order."""

    background: tuple[int, int, int]
    marks: tuple[Mark, ...]

    @property
    def split(self) -> Literal["train", "test"]:
        """The split this content belongs to: the same picture can never stand in both."""
        return "test" if hashlib.blake2b(repr(self).encode()).digest()[0] % 4 == 0 else "train"


def pastel(rng: np.random.Generator) -> tuple[int, int, int]:
    """Return a light background colour."""
    red, green, blue = (int(value) for value in rng.integers(225, 256, size=3))
    return red, green, blue


def pick(rng: np.random.Generator, items: Sequence[T], count: int) -> list[T]:
    """Return `count` different items in random order."""
    return [items[int(i)] for i in rng.permutation(len(items))[:count]]


def in_cell(rng: np.random.Generator, cell: int, kind: str, colour: str, size: int) -> Mark:
    """Return a mark of `size` pixels somewhere inside cell 0..15 (reading order)."""
    slack = CELL - 1 - size
    x = CELL * (cell % 4) + int(rng.integers(0, slack + 1))
    y = CELL * (cell // 4) + int(rng.integers(0, slack + 1))
    return Mark(kind, colour, (x, y, x + size, y + size))


def draw(scene: Scene) -> "Image.Image":
    """Return the picture, 64 x 64 RGB."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (SIZE, SIZE), scene.background)
    canvas = ImageDraw.Draw(image)
    for mark in scene.marks:
        _draw_mark(canvas, mark)
    return image


def draw_png(scene: Scene) -> bytes:
    """Return the picture as the bytes of a PNG file."""
    buffer = io.BytesIO()
    draw(scene).save(buffer, format="PNG")
    return buffer.getvalue()


def _draw_mark(canvas: "ImageDraw.ImageDraw", mark: Mark) -> None:
    x1, y1, x2, y2 = mark.box
    fill = COLOURS[mark.colour]
    middle_x, middle_y = (x1 + x2) / 2, (y1 + y2) / 2
    match mark.kind:
        case "circle":
            canvas.ellipse(mark.box, fill=fill)
        case "rectangle":
            canvas.rectangle(mark.box, fill=fill)
        case "cross":
            third = max(1, (x2 - x1) // 3)
            canvas.rectangle((x1 + third, y1, x2 - third, y2), fill=fill)
            canvas.rectangle((x1, y1 + third, x2, y2 - third), fill=fill)
        case "triangle" | "up":
            canvas.polygon([(x1, y2), (x2, y2), (middle_x, y1)], fill=fill)
        case "down":
            canvas.polygon([(x1, y1), (x2, y1), (middle_x, y2)], fill=fill)
        case "left":
            canvas.polygon([(x2, y1), (x2, y2), (x1, middle_y)], fill=fill)
        case "right":
            canvas.polygon([(x1, y1), (x1, y2), (x2, middle_y)], fill=fill)
        case _:
            raise AssertionError(mark)
