"""What a family draws (a Question) and the scenes that several families share."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from modomodo.core.rows import Target
from modomodo.data.nano.scenes import CELL, COLOURS, SHAPES, SIZE, BoxInts, Mark, Scene, in_cell, pastel, pick

OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}


@dataclass(frozen=True)
class Question:
    """A picture, a question about it, its gold, and the answer that somebody who does not look closely would give.

    `evidence` is what somebody who does look sees first; the answer follows from it. `skill` is what looking takes;
    `template` names the wording, the unit of the base model's habits.
    """

    scene: Scene
    text: str
    target: Target
    answer: str
    slip: str
    evidence: str
    skill: str
    template: str


Family = Callable[[np.random.Generator], Question]


@dataclass(frozen=True)
class Asking:
    """What is asked of a scene: wording, the answer, the slip, the evidence, and the habits it falls under."""

    text: str
    answer: str
    slip: str
    evidence: str
    skill: str
    template: str


def letter_question(scene: Scene, asking: Asking, side: str) -> Question:
    """Return a multiple choice question whose options are four places, counted from the "top" or the "left"."""
    options = tuple(f"{place} from the {side}" for place in ("first", "second", "third", "fourth"))
    text = f"A, B, C, D from the {side}. {asking.text}"
    target = Target("choice", asking.answer, options=options)
    return Question(scene, target=target, **vars(replace(asking, text=text)))


def text_question(scene: Scene, asking: Asking) -> Question:
    """Return a question with a short text as its answer."""
    return Question(scene, target=Target("text", asking.answer), **vars(asking))


def count_question(scene: Scene, asking: Asking) -> Question:
    """Return a question with a whole number as its answer."""
    return Question(scene, target=Target("count", int(asking.answer)), **vars(asking))


def box_question(scene: Scene, asking: Asking, boxes: Sequence[BoxInts], *, one: bool) -> Question:
    """Return a question with one box, or a list of boxes, as its answer."""
    value, verifier = (boxes[0], "box") if one else (tuple(boxes), "boxes")
    return Question(scene, target=Target(verifier, value, image_size=(SIZE, SIZE)), **vars(asking))


def cell_of(mark: Mark) -> str:
    """Return the column and row of a mark's middle, each 1 to 4: "3,1" is third from the left on top."""
    column, row = ((mark.box[i] + mark.box[i + 2]) // 2 // CELL + 1 for i in (0, 1))
    return f"{column},{row}"


def listing(marks: Iterable[Mark]) -> str:
    """Return each mark's colour, kind and cell, in reading order."""
    return " ".join(f"{mark.name} {cell_of(mark)}" for mark in reading_order(marks))


def reading_order(marks: Iterable[Mark]) -> list[Mark]:
    """Return the marks row by row of cells, from the left."""
    return sorted(marks, key=lambda mark: cell_of(mark)[::-1])


def scatter(rng: np.random.Generator, names: Sequence[tuple[str, str]], sizes: Sequence[int]) -> Scene:
    """Return a scene with one mark of each (kind, colour) and size, in different cells."""
    cells = pick(rng, range(16), len(names))
    marks = [
        in_cell(rng, cell, kind, colour, size) for cell, (kind, colour), size in zip(cells, names, sizes, strict=True)
    ]
    return Scene(pastel(rng), tuple(marks))


def crowd(rng: np.random.Generator, *, wanted: str, count: int) -> Scene:
    """Return a scene with `count` marks of the wanted shape or colour among two to four others."""
    others = int(rng.integers(2, 5))
    kinds = [kind for kind in SHAPES if kind != wanted]
    colours = [colour for colour in COLOURS if colour != wanted]
    names: list[tuple[str, str]] = []
    for index in range(count + others):
        kind = wanted if index < count and wanted in SHAPES else pick(rng, kinds, 1)[0]
        colour = wanted if index < count and wanted in COLOURS else pick(rng, colours, 1)[0]
        names.append((kind, colour))
    return scatter(rng, names, [int(size) for size in rng.integers(8, 15, size=len(names))])


def bars(rng: np.random.Generator, *, count: int, upright: bool) -> tuple[Scene, list[Mark]]:
    """Return a scene of `count` bars of different colours and lengths of 1 to 4 cells, and its bars in order."""
    colours = pick(rng, list(COLOURS), count)
    lengths = [int(n) for n in rng.permutation([1, 2, 3, 4])[:count]]
    marks: list[Mark] = []
    for index, (colour, length) in enumerate(zip(colours, lengths, strict=True)):
        across = CELL * index + 3 + int(rng.integers(-1, 2))
        along = CELL * length - 4 + int(rng.integers(-2, 3))
        box = (across, 63 - along, across + 9, 63) if upright else (0, across, along, across + 9)
        marks.append(Mark("rectangle", colour, box))
    return Scene(pastel(rng), tuple(marks)), marks


def lengths(marks: Sequence[Mark]) -> list[int]:
    """Return the length of each bar in cells of 16 pixels."""
    return [round((max(mark.width, mark.height) + 4) / CELL) for mark in marks]


def chain(rng: np.random.Generator, *, kinds: Sequence[str], across: bool) -> tuple[Scene, list[Mark]]:
    """Return four marks joined by arrowheads that all point one way, and the marks in the order of the arrows."""
    colours = pick(rng, list(COLOURS), 4)
    line = int(rng.integers(0, 4))
    backwards = bool(rng.integers(0, 2))
    head = {(True, False): "right", (True, True): "left", (False, False): "down", (False, True): "up"}[
        across, backwards
    ]
    arrow_colour = "black" if "black" not in colours else "gray" if "gray" not in colours else "brown"
    marks: list[Mark] = []
    arrows: list[Mark] = []
    for index, colour in enumerate(colours):
        x, y = (CELL * index, CELL * line) if across else (CELL * line, CELL * index)
        x1, y1 = x + 3, y + 3
        marks.append(Mark(kinds[index], colour, (x1, y1, x1 + 8, y1 + 8)))
        if index < 3:
            box = (x + 13, y + 5, x + 18, y + 10) if across else (x + 5, y + 13, x + 10, y + 18)
            arrows.append(Mark(head, arrow_colour, box))
    scene = Scene(pastel(rng), (*marks, *arrows))
    return scene, marks[::-1] if backwards else marks


def box_text(boxes: Sequence[BoxInts]) -> str:
    """Return the boxes as the JSON the model writes."""
    return str([list(box) for box in boxes])
