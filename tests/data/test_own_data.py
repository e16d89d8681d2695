"""A user's own table as a domain, by the commands: prepared, changed, listed, scored."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from modomodo.cli import main
from modomodo.config.domains import recipe_domain
from modomodo.config.recipe import load_recipe
from modomodo.core.errors import ModomodoError
from modomodo.runs.inputs import run_digests
from modomodo.runs.store import run_key

RECIPE = """
domains = ["meters"]
steps = 2
prompts_per_step = 2
num_generations = 2
max_completion_length = 64
exclude = "list.csv"

[data.meters]
path = "meters.jsonl"
id = "id"
question = "What does the {kind} read?"
answer = "reading"
images = ["photo"]
verifier = "number"
holdout = 0.3

[evaluation]
benchmarks = ["meters"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    lines = []
    for number in range(24):
        photo = f"{number}.png"
        Image.radial_gradient("L").resize((40 + number, 30)).rotate(7 * number).save(tmp_path / photo)
        lines.append({"id": f"m{number}", "photo": photo, "kind": f"meter {number}", "reading": number})
    (tmp_path / "meters.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "list.csv").write_text("domain,row_id,reason\n")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path / "recipe.toml"


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main.app, [*map(str, arguments)])
    said = str(result.exception) if isinstance(result.exception, ModomodoError) else result.output
    return result.exit_code, " ".join(said.split())


def key(file: Path, *sets: str) -> str:
    recipe = load_recipe(file, sets)
    return run_key(recipe, run_digests([recipe]))


def test_a_prepared_set_is_the_same_run_and_one_prepared_otherwise_is_refused(file: Path, tmp_path: Path):
    prepared = f"prepared={tmp_path / 'data'}"
    assert "not yet in" in run("check", file, "--set", prepared)[1]
    assert run("data", "prepare", file, "--set", prepared)[0] == 0
    assert "0 errors" in run("check", file, "--set", prepared)[1]
    assert key(file, prepared) == key(file)
    for change in ('question="{kind}?"', "holdout=0.5", "verifier=anls", "max_side=20", 'where={kind=["meter 1"]}'):
        with pytest.raises(ModomodoError, match=r"is not what .* was prepared from"):
            key(file, prepared, f"data.meters.{change}")
        assert "is not what" in run("check", file, "--set", prepared, "--set", f"data.meters.{change}")[1]


def test_a_set_that_an_earlier_reader_prepared_is_refused(file: Path, tmp_path: Path, monkeypatch):
    prepared = f"prepared={tmp_path / 'data'}"
    with monkeypatch.context() as before:
        before.setattr("modomodo.data.sources.source.READER", 1)
        assert run("data", "prepare", file, "--set", prepared)[0] == 0
    assert "or how modomodo reads them): run `modomodo data prepare`" in run("check", file, "--set", prepared)[1]


def test_what_the_model_is_asked_is_in_the_key_and_where_rows_lie_is_not(file: Path, tmp_path: Path):
    own = key(file)
    for change in ('question="{kind}?"', "holdout=0.5", "max_side=20", "instruction=Be brief."):
        assert key(file, f"data.meters.{change}") != own
    moved = tmp_path / "moved"
    moved.mkdir()
    for one in tmp_path.glob("*.*"):
        one.rename(moved / one.name)
    assert key(moved / "recipe.toml") == own


def test_excluded_rows_are_in_no_schedule(file: Path, tmp_path: Path):
    recipe = load_recipe(file)
    rows = [row.id for row in recipe_domain(recipe, "meters").load("train")]
    (tmp_path / "list.csv").write_text(f"domain,row_id,reason\nmeters,{rows[0]},seen\n")
    again = recipe_domain(load_recipe(file), "meters")
    assert [row.id for row in again.load("train")] == rows[1:]
    assert len(again.load("test")) == 24 - len(rows)


def test_a_list_of_rows_that_are_not_there_is_refused(file: Path, tmp_path: Path):
    (tmp_path / "list.csv").write_text("domain,row_id,reason\nmeters,M1,seen\nmetres,m1,seen\n")
    code, said = run("check", file)
    assert code == 1
    assert "M1" in said
    assert "names the domain 'metres', which is not trained on; did you mean meters?" in said


@pytest.mark.parametrize("name", ["../../escaped", "a/b", "", "x" * 65, "two words"])
def test_names_that_folders_cannot_bear_are_refused(file: Path, name: str):
    file.write_text(file.read_text().replace("[data.meters]", f'[data."{name}"]').replace('"meters"', f'"{name}"'))
    code, said = run("check", file)
    assert code != 0
    assert "at most 64" in said


def test_a_family_that_the_model_is_not_of_is_found(file: Path):
    assert "says 'llava': leave family out" in run("check", file, "--set", "family=gemma3")[1]
    code, said = run("check", file, "--set", "family=qwen2_vl", "--set", "min_pixels=4000", "--set", "max_pixels=100")
    assert (code != 0, "swap them" in said) == (True, True)


def test_an_audit_without_a_benchmark_says_so(file: Path, tmp_path: Path):
    code, said = run("check", file, "--contamination", tmp_path / "new.csv", "--set", "evaluation.benchmarks=[]")
    assert code != 0
    assert "no benchmark to look in" in said
