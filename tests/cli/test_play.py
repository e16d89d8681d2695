"""play: rows on the terminal, whatever a domain in Python calls them."""

import io

import pytest
from PIL import Image

from modomodo.cli.play import play
from modomodo.config.recipe import Recipe
from modomodo.core.rows import Row, Target
from modomodo.data.domain import Domain
from modomodo.data.registry import DOMAINS
from modomodo.data.sources.prompts import ask


@pytest.mark.parametrize("row_id", ["a\0b", "../../up", "x" * 5000, "", "two words/\n", "\ud800"])
def test_pictures_of_rows_with_any_id_are_shown(row_id: str, monkeypatch: pytest.MonkeyPatch):
    data = io.BytesIO()
    Image.new("RGB", (8, 8)).save(data, "PNG")
    row = Row(row_id, "toy", "How many?", Target("count", 3), (data.getvalue(),))
    monkeypatch.setitem(DOMAINS, "toy", Domain("toy", lambda split: [row], ask, splits=("train",)))
    lines: list[str] = []
    answers = iter(["3", None])
    graded, mean = play(Recipe(domains=("toy",)), ask=lambda: next(answers), say=lines.append)
    assert (graded, mean) == (1, 1.0)
    assert any(line.startswith("image: ") for line in lines)
