"""Sets as public projects publish them: init and check give the rows that they mean, or a refusal; none is silent."""

import json
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
from modomodo.core.schedules import read_schedule
from modomodo.data.domain import Domain, check
from modomodo.runs.run import run_recipe
from modomodo.verifiers.number import number_text

FILES = 60
STEP = (
    "steps=1", "prompts_per_step=2", "num_generations=2", "max_completion_length=8", "completions_per_pass=4",
    "evaluation.benchmarks=[]", "mixture=equal",
)  # fmt: skip


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


SEEDS = pytest.mark.parametrize("seed", range(FILES), ids=lambda seed: f"{SHAPES[seed % len(SHAPES)].__name__}-{seed}")


def made_of(seed: int, folder: Path) -> tuple[Set, Path]:
    """Return a set of one shape, its columns renamed and reordered, and the path of its data."""
    made = Set(folder, random.Random(f"shapes {seed}"))
    folder.mkdir()
    return made, SHAPES[seed % len(SHAPES)](made)


@SEEDS
def test_a_published_shape_is_read_as_it_is_meant_or_refused(seed: int, tmp_path: Path):
    made, data = made_of(seed, tmp_path / "set")
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


@pytest.mark.slow
@SEEDS
def test_a_published_shape_trains_a_step_on_its_own_rows(seed: int, tmp_path: Path):
    """One step of the embedded model on two of the rows that are meant, four completions, none ungradable."""
    made, data = made_of(seed, tmp_path / "set")
    if refusal(data, tmp_path / "out") is not None:
        assert made.meant is None
        return
    assert made.meant is not None, "taken, though it must be refused"
    recipe = load_recipe(tmp_path / "out/recipe.toml", STEP)
    (name,) = recipe.data
    recipe = load_recipe(tmp_path / "out/recipe.toml", [*STEP, f'domains=["{name}"]'])
    run_recipe(recipe, tmp_path / "run")
    (step,) = map(json.loads, (tmp_path / "run/steps.jsonl").read_text().splitlines())
    assert step["step"] == 1
    assert not (tmp_path / "run/ungradable.jsonl").exists()
    domain = recipe_domain(recipe, name)
    rows = {row.id: row for row in domain.load("train")}
    asked = [rows[row_id] for _, row_id in read_schedule(tmp_path / "run/schedule.csv").entries]
    assert len(asked) == 2
    meant = [(one.shown, one.gold, one.pictures) for one in made.meant]
    found = [
        (shown(recipe_domain(recipe, name), row), gold(row), tuple(map(picture_bytes, row.images))) for row in asked
    ]
    assert all(one in meant for one in found)
