"""The command line as a person types it, on an untrained model: every step of the road, and every mistake."""

import json
import shutil
import tomllib
from collections import Counter
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from modomodo.cli import main
from modomodo.cli.console import show_problems
from modomodo.config.study import load_study
from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.data.domain import Problem
from modomodo.data.registry import DOMAINS
from modomodo.study.answer import is_tested

EQUAL = Mixture.uniform(("spatial", "science", "refer"))
SMALL = """
name = "small"
benchmarks = ["charts", "maths"]
held_out = ["easy_vqa"]
items = 6
processes = 2
[confirm]
seeds = 2
[recipe]
model = "{model}"
domains = ["spatial", "science", "refer"]
steps = 1
prompts_per_step = 2
num_generations = 2
max_completion_length = 6
"""


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main.app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def study(random_model, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    path = folder / "study.toml"
    path.write_text(f'out = "{folder / "out"}"\n' + SMALL.format(model=random_model))
    run("pilot", str(path))
    return path


def test_pilot_runs_the_seed_design_and_writes_the_table(study):
    lines = (study.parent / "out" / "runs.csv").read_text().splitlines()
    assert lines[0].startswith("label,w.spatial,w.science,w.refer,score.charts,score.maths,se.charts")
    assert len(lines) == 1 + 7
    again = run("pilot", str(study))
    assert "equal" in again


def test_recommend_confirm_and_report_follow(study):
    out = study.parent / "out"
    assert "equal shares" in run("recommend", str(study))
    recommendation = json.loads((out / "recommendation.json").read_text())
    # An untrained model earns nothing anywhere, so equal shares is the answer; put another to the test.
    assert "nothing to confirm" in run("confirm", str(study))
    recommendation["mixture"] = {"spatial": 0.5, "science": 0.25, "refer": 0.25}
    (out / "recommendation.json").write_text(json.dumps(recommendation))
    text = run("confirm", str(study))
    assert "With 2 matched seeds a true gain of" in text
    assert "not distinguishable from equal shares" in " ".join(text.split())
    found = json.loads((out / "confirmation.json").read_text())
    tested = [is_tested(load_study(study), mixture) for mixture in (Mixture.of(recommendation["mixture"]), EQUAL)]
    assert tested == [True, False]
    assert found["objective"]["seeds"] != found["detectable"]
    assert found["held_out"]["benchmarks"][0]["name"] == "easy_vqa"
    earlier = json.loads((out / "confirmations.jsonl").read_text())
    earlier["detectable"] += 1e-12  # another number of threads
    (out / "confirmations.jsonl").write_text(json.dumps(earlier) + "\n")
    assert "note: this is confirmation" not in run("confirm", str(study))
    recommendation["mixture"] = {"spatial": 0.25, "science": 0.5, "refer": 0.25}
    (out / "recommendation.json").write_text(json.dumps(recommendation))
    assert "note: this is confirmation 2 of this study on the same items" in " ".join(
        run("confirm", str(study)).split()
    )
    run("report", str(study))
    assert (out / "report.html").stat().st_size > 10_000
    assert "this is confirmation 2" in (out / "report.html").read_text()
    (out / "recommendation.json").write_text(json.dumps({**recommendation, "pilots": "others"}))
    with pytest.raises(ModomodoError, match="not made from the pilots that are finished now"):
        run("confirm", str(study))


def test_train_and_eval_are_single_runs(study, tmp_path):
    text = run("train", str(study), "--set", "mixture=single:refer", "--set", "steps=1", "--out", str(tmp_path))
    (folder,) = (tmp_path / "runs").iterdir()
    assert f"single run {folder.name[:6]}" in text
    assert f"run: {folder}" in text
    assert (folder / "model" / "model.safetensors").exists()
    assert json.loads((folder / "result.json").read_text())["mixture"] == {"spatial": 0, "science": 0, "refer": 1}
    wanted = ["--set", f"model={folder / 'model'}", "--set", 'evaluation.benchmarks=["maths"]']
    assert "maths" in run("eval", str(study), *wanted, "--set", "evaluation.items=4", "--out", str(tmp_path / "e"))


def test_every_verb_reads_its_files_once(study, tmp_path, monkeypatch):
    """A file that is read again may have changed meanwhile."""
    recipe = tmp_path / "recipe.toml"
    table = tomllib.loads(study.read_text())
    named = {"model": table["recipe"]["model"], "domains": ["spatial", "science", "refer"], "steps": 1}
    sizes = {"prompts_per_step": 2, "num_generations": 2, "max_completion_length": 6}
    recipe.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in {**named, **sizes}.items()))
    lines = study.read_text().partition("[recipe]")[0]
    file = tmp_path / "study.toml"
    file.write_text(lines.replace("[confirm]", 'recipe = "recipe.toml"\n[confirm]'))
    contents = {file.read_text(): "study.toml", recipe.read_text(): "recipe.toml"}
    parsed, loads = Counter(), tomllib.loads

    def counted(text, **options):
        parsed.update([contents[text]] if text in contents else [])
        return loads(text, **options)

    monkeypatch.setattr(tomllib, "loads", counted)
    monkeypatch.setattr(main, "show_single", lambda single: None)
    verbs = ["pilot", "watch --once", "fit", "recommend", "next", "confirm", "report", "check", "eval"]
    for verb, *options in map(str.split, [*verbs, "train --set mixture=recommended"]):
        parsed.clear()
        CliRunner().invoke(main.app, [verb, str(file), *options], catch_exceptions=False)
        assert parsed == {"study.toml": 1, "recipe.toml": 1}, verb


def test_the_version_is_the_package_s():
    assert run("--version") == f"modomodo {version('modomodo')}\n"


def test_rows_with_one_cause_are_said_once_after_three(capsys):
    found = [Problem(f"dials (train), row {i}", f"the image 'p{i}.png' cannot be read") for i in range(20)]
    found += [Problem("dials (train), row x", "has no gold"), Problem("dials", "is small", level="note")]
    assert show_problems(Path("study.toml"), found) == 21
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 + 1 + 1 + 1 + 1
    assert lines[2] == "error: dials (train), row 2: the image 'p2.png' cannot be read"
    assert lines[3] == "error: dials (train): the same of 17 more rows: 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, …"
    assert lines[-1] == "study.toml: 21 errors, 1 note"


@pytest.fixture
def few_rows(monkeypatch):
    for name in ("spatial", "science", "refer", "charts", "maths", "easy_vqa"):
        few = replace(DOMAINS[name], load=lambda split, load=DOMAINS[name].load: load(split)[:40])
        monkeypatch.setitem(DOMAINS, name, few)


def test_check_passes_a_sound_study_and_names_what_is_wrong(study, few_rows):
    long = ["--set", "recipe.max_completion_length=48"]
    assert "all is well" in run("check", str(study), *long)
    changes = {
        "recipe.steps=60": "runs out after step",
        "recipe.max_completion_length=2": "completions would be cut before </answer>",
        'recipe.domains=["spatial","sciense"]': "did you mean science",
        'benchmarks=["chart"]': "did you mean charts",
        'recipe.domains=["spatial","charts"]': "has no train split",
        "recipe.model=nowhere": "there is no such folder",
        "items=50": "fewer than items = 50",
        "surrogate=papr": "did you mean paper?",
        "caps.spatial.min=1.0": "all is well",
        "caps={spatial={min=0.7},refer={min=0.7}}": "no mixture satisfies the caps",
    }
    for change, message in changes.items():
        result = CliRunner().invoke(main.app, ["check", str(study), *long, "--set", change])
        assert message in " ".join(result.output.split()), result.output
        assert result.exit_code == (1 if "error:" in result.output else 0)


def test_a_model_without_a_chat_template_is_found(study, few_rows, random_model, tmp_path):
    shutil.copytree(random_model, tmp_path / "mute")
    for name in ("chat_template.jinja", "tokenizer_config.json", "processor_config.json"):
        file = tmp_path / "mute" / name
        if name.endswith("jinja"):
            file.unlink()
        elif file.exists():
            table = json.loads(file.read_text())
            table.pop("chat_template", None)
            file.write_text(json.dumps(table))
    result = CliRunner().invoke(main.app, ["check", str(study), "--set", f"recipe.model={tmp_path / 'mute'}"])
    assert "has no chat template" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pilot", "nowhere.toml"], "nowhere.toml does not exist"),
        (["grade"], "Missing argument"),
        (["grade", "--bogus", "x"], "No such option"),
        (["nosuch"], "No such command"),
        (["pilot", "STUDY", "--set", "recipe.stepz=1"], "did you mean steps?"),
        (["train", "STUDY", "--set", "mixture=recommended", "--set", "seed=x"], "seed: "),
        (["recommend", "STUDY", "--set", "name=other", "--set", "out=OTHER"], "has no finished pilot"),
        (["confirm", "STUDY", "--set", "out=OTHER"], "has no recommendation yet"),
        (["pilot", "STUDY", "--set", "recipe.mixture={spatial=0.9}"], "its own mixture: leave it out"),
        (["train", "STUDY", "--set", "mixture={spatial=0.9}"], "weights sum to 0.9"),
    ],
)
def test_mistakes_are_one_sentence_and_no_traceback(study, tmp_path, arguments, message, monkeypatch, capsys):
    words = [word.replace("STUDY", str(study)).replace("OTHER", str(tmp_path / "x")) for word in arguments]
    monkeypatch.setattr("sys.argv", ["modomodo", *words])
    with pytest.raises(SystemExit) as stop:
        main.main()
    assert stop.value.code == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert message in shown
    assert "Traceback" not in shown


def test_a_damaged_recommendation_is_said_so(study, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "recommendation.json").write_text("{")
    with pytest.raises(ModomodoError, match="is damaged"):
        run("confirm", str(study), "--set", f"out={out}")


def test_the_demo_shortened(random_model, tmp_path):
    changes = [
        f"out={tmp_path / 'out'}",
        f"recipe.model={random_model}",
        'recipe.domains=["spatial","science"]',
        "recipe.steps=1",
        "recipe.prompts_per_step=2",
        "recipe.num_generations=2",
        "recipe.max_completion_length=6",
        "items=4",
        "confirm.seeds=2",
    ]
    text = run("demo", "--world", "control", *(word for change in changes for word in ("--set", change)))
    for step in ("1 of 5", "2 of 5", "3 of 5", "4 of 5", "report:", "5 of 5  The answer"):
        assert step in text
    assert (tmp_path / "out" / "report.html").exists()
