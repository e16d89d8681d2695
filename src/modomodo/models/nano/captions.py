"""Dense captions: what stands in every cell. They teach the nano model to look before it learns to answer."""

from collections.abc import Sequence

import numpy as np

from modomodo.data.nano.questions import reading_order
from modomodo.data.nano.scenes import CELL, COLOURS, SHAPES, SIZE, Mark, Scene, pastel, pick

ARROWS = ("left", "right", "up", "down")
CELLS_PROMPT, BOXES_PROMPT = "Name every cell.", "Name and box."
LABEL_SIZES = (1 + len(SHAPES), 1 + len(COLOURS), SIZE, SIZE, SIZE, SIZE, 1 + len(ARROWS))


def caption(scene: Scene) -> str:
    """Return the name of the mark in each of the 16 cells, row by row, "-" for an empty one; then the arrows."""
    marks = [mark for mark in scene.marks if mark.kind not in ARROWS]
    rows = [" ".join(_cell(marks, row, column) for column in range(4)) for row in range(4)]
    heads = next((mark.kind for mark in scene.marks if mark.kind in ARROWS), "")
    return " / ".join(rows) + (f" arrows {heads}" if heads else "")


def lone_shape(rng: np.random.Generator) -> Scene:
    """Return a picture in the manner of easy-VQA: one shape of any size anywhere."""
    kind = pick(rng, ("circle", "rectangle", "triangle"), 1)[0]
    width = int(rng.integers(8, 34))
    height = width if kind == "circle" else int(rng.integers(8, 34))
    x, y = int(rng.integers(0, 63 - width)), int(rng.integers(0, 63 - height))
    mark = Mark(kind, pick(rng, list(COLOURS), 1)[0], (x, y, x + width, y + height))
    return Scene(pastel(rng), (mark,))


def boxes_caption(scene: Scene) -> str:
    """Return the name and the box of up to four marks, in reading order."""
    marks = reading_order(mark for mark in scene.marks if mark.kind not in ARROWS)[:4]
    return " ".join(f"{mark.name} {list(mark.box)}" for mark in marks)


def captioned(rng: np.random.Generator, scene: Scene) -> tuple[str, str]:
    """Return a request to describe the scene, cell by cell or mark by mark, and the description."""
    return (CELLS_PROMPT, caption(scene)) if rng.random() < 0.6 else (BOXES_PROMPT, boxes_caption(scene))


def _cell(marks: list[Mark], row: int, column: int) -> str:
    mark = in_view(marks, row, column)
    if mark is None:
        return "-"
    extent = max(mark.width, mark.height)
    size = "small" if extent < 9 else "middle" if extent < 12 else "large" if extent < CELL else "huge"
    return f"{size} {mark.name}"


def in_view(marks: Sequence[Mark], row: int, column: int, *, least: int = 24) -> Mark | None:
    """Return the mark that covers most of a cell, or None when none covers more than `least` pixels of it."""
    left, top = CELL * column, CELL * row
    best, best_area = None, least
    for mark in marks:
        across = min(mark.box[2], left + CELL - 1) - max(mark.box[0], left) + 1
        down = min(mark.box[3], top + CELL - 1) - max(mark.box[1], top) + 1
        if across > 0 and down > 0 and across * down > best_area:
            best, best_area = mark, across * down
    return best


def cell_labels(scene: Scene) -> list[tuple[int, ...]]:
    """Return for each cell what a vision tower should see in it, as class numbers in the order of LABEL_SIZES.

    Kind, colour and box [x1, y1, x2, y2] of the mark in view, and the direction of an arrowhead; 0 is nothing.
    """
    shapes = [mark for mark in scene.marks if mark.kind not in ARROWS]
    heads = [mark for mark in scene.marks if mark.kind in ARROWS]
    labels: list[tuple[int, ...]] = []
    for row in range(4):
        for column in range(4):
            mark, head = in_view(shapes, row, column), in_view(heads, row, column, least=8)
            arrow = 0 if head is None else 1 + ARROWS.index(head.kind)
            seen = (0,) * 6 if mark is None else (_kind(mark), 1 + list(COLOURS).index(mark.colour), *mark.box)
            labels.append((*seen, arrow))
    return labels


def _kind(mark: Mark) -> int:
    return 1 + SHAPES.index(mark.kind)
