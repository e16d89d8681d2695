"""Rows of the nano world: each determined by (family, split, index, seed), train and test disjoint by construction."""

import functools

from modomodo.core.rows import Row
from modomodo.core.seeds import child_rng
from modomodo.data.nano.causes import CAUSES, IN_TRAINING
from modomodo.data.nano.generators import BENCHMARKS, FAMILIES
from modomodo.data.nano.questions import Question
from modomodo.data.nano.row_cache import cached_rows
from modomodo.data.nano.scenes import draw_png

WORLD_SEED = 20250530  # the day of the paper; the world everybody gets
SIZES = {"train": 768, "test": 512}
SCARCE = {"circuits": 44}  # training rows, where they are fewer
WORLD = {**FAMILIES, **CAUSES}


def question(family: str, split: str, index: int, *, seed: int = WORLD_SEED) -> Question:
    """Return question number `index` of a family's split.

    A scene belongs to the split that its own content names; draws of the other split are thrown away.
    """
    draw = IN_TRAINING.get(family, WORLD[family]) if split == "train" else WORLD[family]
    for attempt in range(1000):
        drawn = draw(child_rng(seed, "nano", family, split, index, attempt))
        if drawn.scene.split == split:
            return drawn
    raise AssertionError(f"no {split} scene for {family} {index} in 1000 draws")


@functools.cache
def rows(family: str, split: str) -> tuple[Row, ...]:
    """Return all rows of a family's split, in order; a benchmark has no "train"."""
    if split == "train" and family in BENCHMARKS:
        return ()
    count = SCARCE.get(family, SIZES[split]) if split == "train" else SIZES[split]
    return cached_rows(family, split, lambda: tuple(_row(family, split, index) for index in range(count)))


def _row(family: str, split: str, index: int) -> Row:
    drawn = question(family, split, index)
    return Row(f"{family}-{split}-{index:05d}", family, drawn.text, drawn.target, (draw_png(drawn.scene),))
