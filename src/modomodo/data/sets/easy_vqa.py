"""easy-VQA: published questions about one shape on a plain background, 64 x 64 pixels, with its own train/test split.

Source: the PyPI package `easy-vqa` (MIT), 38,575 training and 9,673 test questions on 4,000 and 1,000 images.
"""

import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.rows import Row, Target

SPLITS = ("train", "test")


@cache
def rows(split: str) -> tuple[Row, ...]:
    """Return the questions of a split, in published order; ids carry the split and the position."""
    if split not in SPLITS:
        raise ModomodoError(f"easy_vqa has no split {split!r}; {closest(split, SPLITS)}")
    folder = _data() / split
    entries: list[tuple[str, str, int]] = json.loads((folder / "questions.json").read_text())
    return tuple(
        Row(
            f"easy_vqa-{split}-{index:05d}",
            "easy_vqa",
            text,
            Target("text", answer),
            (folder / "images" / f"{image}.png",),
        )
        for index, (text, answer, image) in enumerate(entries)
    )


def template(question: str) -> str:
    """Return the kind of question: easy_vqa/colour, easy_vqa/shape or easy_vqa/yes-no."""
    if re.match(r"what (is the )?color", question):
        return "easy_vqa/colour"
    return "easy_vqa/shape" if question.startswith("what") else "easy_vqa/yes-no"


def facts(row: Row) -> set[str]:
    """Return the words for colours and shapes that a row says its image shows."""
    answer = str(row.target.value)
    if answer not in ("yes", "no"):
        return {answer, *re.findall(r"\w+", row.question)}
    denied = bool(re.search(r"\b(no|not)\b", row.question))
    return set(re.findall(r"\w+", row.question)) if (answer == "yes") != denied else set()


def _data() -> Path:
    # The package imports nothing it needs, but looking it up runs none of its code.
    spec = find_spec("easy_vqa")
    if spec is None or spec.origin is None:
        raise ModomodoError("easy_vqa is not installed: pip install 'modomodo[trl]' or pip install easy-vqa")
    return Path(spec.origin).parent / "data"
