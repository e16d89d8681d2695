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


def test_what_moves_a_mixture_may_begin_at_what_the_study_recommends(study: Path, tmp_path: Path):
    mixture = {"spatial": 0.75, "science": 0.25}
    write_json(tmp_path / "out" / "recommendation.json", {"version": 1, "mixture": mixture, "pilots": digest([])})
    moved = read_single(study, ['mixture={rule="dump", start="recommended"}']).recipe.mixture
    assert moved.start.as_dict() == mixture
    parts = read_single(study, ['mixture=[{until=0.5, mixture="recommended"}, {mixture="equal"}]']).recipe.mixture
    assert [part.mixture.as_dict() for part in parts.parts] == [mixture, dict.fromkeys(mixture, 0.5)]


def test_our_rule_takes_the_pilots_of_the_study(study: Path, tmp_path: Path):
    for change in ("mixture=ours", 'mixture={rule="ours", window=9}'):
        settings = read_single(study, [change]).recipe.mixture.settings
        assert settings["pilots"] == tmp_path / "out/runs.csv"
        assert (settings["benchmarks"], settings["surrogate"]) == (("charts",), "ensemble")
    own = read_single(study, ['mixture={rule="ours", pilots="mine.csv"}']).recipe.mixture.settings
    assert (own["pilots"], own["benchmarks"]) == (Path("mine.csv"), ())
    with pytest.raises(ModomodoError, match="the rule 'ours' needs pilots"):
        read_single(tmp_path / "recipe.toml", ["mixture=ours"])
