from pathlib import Path

import pytest

from modomodo.config.open import RunsFile, open_file
from modomodo.config.recipe import Recipe, load_recipe, recipe_in
from modomodo.config.study import Study, load_study, study_in
from modomodo.config.toml_files import read_file
from modomodo.core.errors import ModomodoError

KINDS = (Recipe, Study, RunsFile)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "recipe.toml").write_text('domains = ["spatial", "science"]\nseed = 5\n')
    study = 'name = "s"\nbenchmarks = ["charts"]\nrecipe = '
    (tmp_path / "study.toml").write_text(f'{study}"recipe.toml"\n')
    (tmp_path / "whole.toml").write_text(f'{study}{{ domains = ["spatial", "science"] }}\n')
    (tmp_path / "number.toml").write_text(f"{study}3\n")
    (tmp_path / "runs.csv").write_text("w.a,w.b,score.x\n")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kinds", "kind"),
    [
        ("recipe.toml", KINDS, Recipe),
        ("study.toml", KINDS, Study),
        ("whole.toml", KINDS, Study),
        ("runs.csv", KINDS, RunsFile),
        ("study.toml", (Recipe,), Recipe),
        ("whole.toml", (Recipe, RunsFile), Recipe),
        ("study.toml", (Study,), Study),
    ],
)
def test_a_file_is_what_it_holds_and_what_is_asked_for(folder: Path, name: str, kinds, kind: type):
    assert type(open_file(folder / name, kinds=kinds)) is kind


@pytest.mark.parametrize(
    ("name", "sets", "kinds", "message"),
    [
        # A recipe has no such key: what is said is that a study is needed, not that the key is unknown.
        ("recipe.toml", ["recipe.steps=2"], (Study, RunsFile), "is a recipe, and this needs a study"),
        ("runs.csv", [], (Recipe, Study), "this needs a recipe or a study, which are TOML files"),
        ("number.toml", [], (Recipe,), "recipe is 3: name a recipe's file, or write the recipe as a table"),
        ("number.toml", [], (Study,), "recipe: write a table"),
        ("studdy.toml", [], (Study,), r"did you mean study\.toml"),
        ("runs.csv", ["surogate=gp"], (Study, RunsFile), "did you mean surrogate"),
    ],
)
def test_what_it_cannot_be_is_said(folder: Path, name: str, sets: list[str], kinds, message: str):
    with pytest.raises(ModomodoError, match=message):
        open_file(folder / name, sets, kinds=kinds)


def test_changes_of_one_reading_do_not_reach_another(folder: Path):
    file = read_file(folder / "study.toml")
    assert recipe_in(file, ["steps=3", "view.frame=unit"]).steps == 3
    assert study_in(file, ["recipe.steps=4", "launcher.kind=ray"]).recipe.steps == 4
    assert recipe_in(file) == load_recipe(folder / "study.toml")
    assert study_in(file) == load_study(folder / "study.toml")
