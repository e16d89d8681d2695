"""Where a run alone goes and what it trains on; tests/cli/test_main.py carries one out."""

from pathlib import Path

import pytest

from modomodo.config.recipe import digest
from modomodo.core.errors import ModomodoError
from modomodo.core.files import write_json
from modomodo.study.single import read_single

RECIPE = 'domains = ["spatial", "science"]\n'


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "recipe.toml").write_text(RECIPE)
    path = tmp_path / "study.toml"
    path.write_text(f'name = "s"\nout = "{tmp_path / "out"}"\nbenchmarks = ["charts"]\nrecipe = "recipe.toml"\n')
    return path


def test_a_run_of_a_study_goes_to_its_folder_and_one_of_a_recipe_here(study: Path, tmp_path: Path):
    assert read_single(study).folder == tmp_path / "out"
    assert read_single(study, out=tmp_path / "elsewhere").folder == tmp_path / "elsewhere"
    assert read_single(tmp_path / "recipe.toml").folder == Path()
    assert read_single(study, ["steps=7"]).recipe.steps == 7
    assert read_single(study).untrained().recipe.steps == 0


def test_it_trains_on_what_the_study_recommends(study: Path, tmp_path: Path):
    wanted = ["mixture=recommended", "steps=7"]
    with pytest.raises(ModomodoError, match="has no recommendation yet"):
        read_single(study, wanted)
    mixture = {"spatial": 0.75, "science": 0.25}
    write_json(tmp_path / "out" / "recommendation.json", {"version": 1, "mixture": mixture, "pilots": digest([])})
    single = read_single(study, wanted, out=tmp_path)
    assert single.recipe.mixture.as_dict() == mixture
    assert (single.recipe.steps, single.folder) == (7, tmp_path)
    with pytest.raises(ModomodoError, match=r"recipe\.toml is a recipe, and this needs a study"):
        read_single(tmp_path / "recipe.toml", wanted)
