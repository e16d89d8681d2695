"""What `check` says of recipes for GPUs on a machine that has neither their rows nor their model."""

import json
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from modomodo.config.recipe import Recipe, load_recipe
from modomodo.config.study import Study, load_study
from modomodo.core.errors import ModomodoError
from modomodo.data.domain import Problem
from modomodo.runs.run import run_recipe
from modomodo.study.preflight import check_recipe, check_study
from modomodo.training.engines import refusals

RECIPES = Path(__file__).parents[2] / "recipes"
FILES = sorted(RECIPES.rglob("*.toml"))


def checked(file: Path, *sets: str) -> tuple[Problem, ...]:
    if "study" in file.name:
        return check_study(load_study(file, sets), say=lambda what: None)
    return check_recipe(load_recipe(file, sets), say=lambda what: None)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("check asked the network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_recipes_for_gpus_are_planned_without_network(file: Path):
    problems = checked(file)
    assert [str(problem) for problem in problems if problem.level == "error"] == []
    said = " ".join(map(str, problems))
    assert "planned with the numbers of rows that they are declared to have" in said
    assert "is not on this machine: its chat template" in said
    if file.parent.name == "cluster":
        assert "not estimated for verl" in said
    else:
        assert "hours of an H100" in said
        assert "no GPU is visible" in said


def test_the_paper_s_runs_end_where_its_domains_run_out():
    """With two prompts a step: LISA alone after 1,326 / 2 steps, GeoQAV alone after 1,969 / 2."""
    said = [str(problem) for problem in checked(RECIPES / "paper" / "study.toml")]
    assert any("domain lisa runs out after step 663 of 2000" in one for one in said)
    assert any("domain geoqav runs out after step 984 of 2000" in one for one in said)
    assert sum("runs out" in one for one in said) == 2


def test_a_recipe_that_the_trainer_does_not_take_is_found(monkeypatch: pytest.MonkeyPatch):
    def picky(*_: object, **__: object) -> None:
        raise ValueError("no such option")

    monkeypatch.setattr("modomodo.training.trl.GRPOConfig", picky)
    said = [str(problem) for problem in checked(RECIPES / "paper" / "recipe.toml")]
    assert "engine: TRL does not take this configuration: no such option" in said


def test_a_study_says_the_same_of_its_recipe_as_the_recipe_alone():
    study = load_study(RECIPES / "modern" / "study.toml")
    assert isinstance(study, Study)
    assert isinstance(study.recipe, Recipe)
    assert study.recipe.view == load_recipe(RECIPES / "modern" / "full.toml").view


def test_a_storage_of_no_known_kind_is_found():
    file = RECIPES / "one-gpu" / "study.toml"
    found = checked(file, "launcher.kind=ray", "launcher.storage=nosuch://bucket/study")
    (one,) = [problem for problem in found if problem.where == "launcher"]
    assert "launcher.storage 'nosuch://bucket/study' cannot be used" in one.what
    assert not [problem for problem in checked(file, "launcher.kind=ray") if problem.where == "launcher"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('verifier = "count"\n', "says no verifier"),
        ("holdout = 0.4", "leaves test without rows"),
        ('"answer": 7', "the answer in answer is None"),
    ],
)
def test_a_cause_in_a_set_that_is_domain_and_benchmark_is_said_once(tmp_path: Path, change: str, message: str):
    rows = "".join(f'{{"question": "{n}?", "answer": {n}}}\n' for n in range(30))
    (tmp_path / "sums.jsonl").write_text(rows.replace(change, '"answer": null'))
    table = 'path = "sums.jsonl"\nimages = []\nverifier = "count"\nholdout = 0.4\n'
    table = table.replace(change, "holdout = 0.0001" if "holdout" in change else "")
    recipe = f'domains = ["sums"]\nsteps = 1\n[data.sums]\n{table}[evaluation]\nbenchmarks = ["sums"]\n'
    (tmp_path / "recipe.toml").write_text(recipe)
    (one,) = [problem for problem in checked(tmp_path / "recipe.toml") if problem.level == "error"]
    assert message in one.what


def test_pictures_that_a_family_refuses_or_hardly_sees_are_found(tmp_path: Path):
    for number, size in enumerate([(5000, 20), (600, 20), (600, 400)]):
        Image.new("RGB", size, (number, 2, 3)).save(tmp_path / f"{number}.png")
    rows = [{"question": f"{n}?", "answer": n, "image": [f"{n}.png", "2.png"]} for n in range(3)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    table = 'domains = ["thin"]\nmodel = "Qwen/Qwen2-VL-2B-Instruct"\n[data.thin]\npath = "rows.jsonl"\n'
    (tmp_path / "recipe.toml").write_text(f'{table}verifier = "count"\n')
    said = [str(problem) for problem in checked(tmp_path / "recipe.toml")]
    assert any("thin (train), row thin-train-00000: its image is 640 x 3, over 200 times" in one for one in said)
    assert any("thin (train): 2 rows have an image with a side under 28 pixels" in one for one in said)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("tokenizer_config.json", '{"auto_map": {"AutoTokenizer": ["code.Tokenizer", null]}}', "has an auto_map"),
        ("model.safetensors", "cut off", "no whole safetensors file"),
        ("config.json", "{", "cannot be read as JSON"),
        ("tokenizer.json", "{}", "the processor of .* cannot be loaded"),
        ("chat_template.jinja", "{{ messages[0]['role'] }}", "the chat template of .* loses the text"),
        ("chat_template.jinja", "{{ 1 / 0 }}", "it fails on a question .ZeroDivisionError"),
    ],
)
def test_the_folder_of_a_stranger_s_model_is_looked_at(
    random_model: Path, tmp_path: Path, name: str, content: str, said: str
):
    shutil.copytree(random_model, tmp_path / "model")
    (tmp_path / "model" / name).write_text(content)
    (tmp_path / "recipe.toml").write_text(f'domains = ["spatial"]\nsteps = 1\nmodel = "{tmp_path / "model"}"\n')
    problems = checked(tmp_path / "recipe.toml")
    assert [problem.where for problem in problems if re.search(said, problem.what)] == ["model"], problems


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ((), True),
        (("epochs=1",), False),
        (("freeze_projector=true",), False),
        (("vllm.mode=off",), False),
    ],
)
def test_rows_that_come_again_are_seen_by_vllm_with_an_earlier_projector(sets: tuple[str, ...], said: bool):
    always = ("vllm.mode=colocate", "epochs=3", "freeze_projector=false")
    problems = checked(RECIPES / "paper" / "recipe.toml", *always, *sets)
    assert any("rows that come again" in str(problem) for problem in problems) == said


@pytest.mark.parametrize(
    ("sets", "where", "what"),
    [
        (("vllm.mode=colocate", "vllm.tensor_parallel=2"), "vllm.tensor_parallel", "has one GPU: set it to 1"),
        (("evaluation.engine=vllm", "vllm.mode=off", "vllm.tensor_parallel=2"), "vllm.tensor_parallel", "has one GPU"),
        (("vllm.mode=colocate", "temperature=0.001"), "temperature", "samples at 0.01 at least"),
    ],
)
def test_what_vllm_would_do_otherwise_is_refused(sets: tuple[str, ...], where: str, what: str, tmp_path: Path):
    found = [problem for problem in checked(RECIPES / "paper" / "recipe.toml", *sets) if problem.where == where]
    assert any(what in problem.what and problem.level == "error" for problem in found), found
    with pytest.raises(ModomodoError, match=f"engine trl: {where} .*{what}"):
        run_recipe(load_recipe(RECIPES / "paper" / "recipe.toml", sets), tmp_path / "run")


@pytest.mark.parametrize(
    ("sets", "refused"),
    [
        (("temperature=0.001", "evaluation.samples=4"), ["temperature"]),
        (("temperature=0.001", "evaluation.samples=4", "steps=0"), ["temperature"]),
        (("temperature=0.001",), []),  # greedy
        (("vllm.tensor_parallel=2", "steps=0"), ["vllm.tensor_parallel"]),
        (("vllm.tensor_parallel=2", "temperature=0.001", "evaluation.samples=4", "evaluation.benchmarks=[]"), []),
        (("vllm.tensor_parallel=2", "vllm.mode=server", "evaluation.engine=transformers"), []),
    ],
)
def test_a_recipe_is_refused_for_what_it_does(sets: tuple[str, ...], refused: list[str]):
    always = ("vllm.mode=off", "evaluation.engine=vllm")
    recipe = load_recipe(RECIPES / "paper" / "recipe.toml", [*always, *sets])
    assert [problem.where for problem in refusals(recipe)] == refused


def test_options_of_verl_are_refused_for_the_engine_trl(tmp_path: Path):
    recipe = load_recipe(RECIPES / "paper" / "recipe.toml")
    options = recipe.verl.model_copy(update={"options": {"trainer.balance_batch": False}})
    changed = recipe.model_copy(update={"verl": options})
    found = check_recipe(changed, say=lambda what: None)
    assert "leave it out" in next(problem.what for problem in found if problem.where == "verl.options")
    with pytest.raises(ModomodoError, match=r"engine trl: verl.options is for the engine verl"):
        run_recipe(changed, tmp_path / "run")


def test_a_recipe_is_planned_where_the_engine_is_not_installed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("modomodo.training.engines.is_installed", lambda package: False)
    found = [problem for problem in checked(RECIPES / "paper" / "recipe.toml") if problem.where == "engine"]
    assert [(problem.level, "engine is 'trl', which is not installed" in problem.what) for problem in found] == [
        ("note", True)
    ]
