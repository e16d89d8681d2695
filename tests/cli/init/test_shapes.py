"""Sets as public projects publish them: init and check give the rows that they mean, or a refusal; none is silent."""

import random
import re
from pathlib import Path

import pytest
from shapes import SHAPES, Meant, Set

from modomodo.cli.init.start import start
from modomodo.config.domains import recipe_domain
from modomodo.config.recipe import load_recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Row, View, picture_bytes
from modomodo.data.domain import Domain, check
from modomodo.verifiers.number import number_text

FILES = 60


def shown(domain: Domain, row: Row) -> str:
    (message,) = domain.prompt(row, View())
    text = "".join(part["text"] if part["type"] == "text" else "[]" for part in message["content"])
    return text.split("\nFirst think about it")[0]


def gold(row: Row) -> object:
    value = row.target.value
    if row.target.verifier == "boxes" and isinstance(value, tuple) and len(value) == 1:
        return value[0]
    return number_text(value) if isinstance(value, str | int | float) else value


def refusal(data: Path, out: Path) -> str | None:
    """Return what init says where it refuses; None after it wrote its files."""
    try:
        start(data, out)
    except ModomodoError as error:
        return str(error)
    return None


@pytest.mark.parametrize("seed", range(FILES), ids=lambda seed: f"{SHAPES[seed % len(SHAPES)].__name__}-{seed}")
def test_a_published_shape_is_read_as_it_is_meant_or_refused(seed: int, tmp_path: Path):
    made = Set(tmp_path / "set", random.Random(f"shapes {seed}"))
    made.folder.mkdir()
    data = SHAPES[seed % len(SHAPES)](made)
    said = refusal(data, tmp_path / "out")
    if made.meant is None:
        assert said is not None
        assert data.name in said
        assert re.search(made.refusal, said), said
        return
    assert said is None, said
    recipe = load_recipe(tmp_path / "out/recipe.toml")
    (name,) = recipe.data
    domain = recipe_domain(recipe, name)
    assert [str(problem) for problem in check(domain, recipe.view) if problem.level == "error"] == []
    rows = [row for split in domain.splits for row in domain.load(split)]
    found = [Meant(shown(domain, row), gold(row), tuple(map(picture_bytes, row.images))) for row in rows]
    wanted = [Meant(one.shown, one.gold, one.pictures) for one in made.meant]
    assert sorted(found, key=lambda one: one.shown) == sorted(wanted, key=lambda one: one.shown)
    verifiers = {one.shown: one.verifiers for one in made.meant}
    assert all(row.target.verifier in verifiers[shown(domain, row)] for row in rows)
