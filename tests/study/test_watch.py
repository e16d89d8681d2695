from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from modomodo.cli import main
from modomodo.cli.console import watched
from modomodo.core.errors import ModomodoError
from modomodo.core.files import write_json
from modomodo.runs.store import Store
from modomodo.study.watch import Standing, seconds_left, standings
from modomodo.training.step_log import DomainStep, Step, append_lines, append_step

STEPS = 8


def logged(step: int, **rewards: float) -> Step:
    domains = {name: DomainStep(2, 4, 9, reward, 0.0, 0.0, 0.0, 0, 0.0) for name, reward in rewards.items()}
    return Step(step, 2.0 + step, {}, domains)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study of which one run has finished, one trains, one is scored, one failed, one was left and one is to come."""
    labels = {"equal": "a", "again": "a", "b": "b", "c": "c", "d": "d", "e": "e", "later": "f"}
    write_json(tmp_path / "labels.json", labels)
    for key, steps in {"a": 8, "b": 6, "c": 8, "d": 1, "e": 3}.items():
        run = tmp_path / "runs" / key
        write_json(run / "recipe.json", {"steps": STEPS})
        for step in range(1, steps + 1):
            append_step(run, logged(step, charts=step / 10, maths=1.0))
        (run / "steps.jsonl").open("a").write('{"step": 9, "dom')
    write_json(tmp_path / "runs/a/result.json", {})
    write_json(tmp_path / "runs/d/failure.json", {"message": "KeyError: no \x1b[31mlayer"})
    (tmp_path / "runs/d/log.txt").write_text("first\n" + "line\n" * 9 + "[red]last[/]\n")
    return tmp_path


def test_each_run_has_its_state_steps_and_recent_rewards(folder: Path):
    store = Store(folder)
    with store.claim("b"), store.claim("c"):
        found = {one.label: one for one in standings(folder)}
    assert {label: one.state for label, one in found.items()} == {
        "equal": "finished",
        "b": "running",
        "c": "scoring",
        "d": "failed",
        "e": "stopped",
        "later": "waiting",
    }
    assert (found["b"].step, found["b"].steps) == (6, STEPS)
    assert found["b"].rewards == pytest.approx({"charts": 0.4, "maths": 1.0})
    assert found["b"].pace == pytest.approx(2.0 + 4)
    assert found["d"].trouble.startswith("KeyError")
    assert found["d"].trouble.endswith("[red]last[/]")
    assert found["later"] == Standing("later", "waiting")


def test_a_damaged_log_is_said_beside_the_other_runs(folder: Path):
    (folder / "runs/e/steps.jsonl").write_text("{}\n")
    found = {run.label: run.trouble for run in standings(folder)}
    assert "e/steps.jsonl is damaged" in found["e"]
    assert found["b"] == ""


def test_single_runs_stand_with_the_planned_ones_but_no_pilot_of_an_earlier_plan(folder: Path, tmp_path: Path):
    for key, part in {"single-1": "all", "dropped": "select"}.items():
        write_json(folder / "runs" / key / "recipe.json", {"steps": STEPS, "evaluation": {"part": part}})
    assert [one.label for one in standings(folder)][-2:] == ["later", "single run single"]
    write_json(tmp_path / "alone/runs/abcdefgh/recipe.json", {"steps": STEPS, "evaluation": None})
    assert [one.label for one in standings(tmp_path / "alone")] == ["single run abcdef"]


def test_the_time_left_is_that_of_all_steps_at_the_pace_of_those_that_train():
    training = [Standing(name, "running", 5, 10, pace=3.0) for name in "ab"]
    assert seconds_left([*training, Standing("c", "waiting")]) == pytest.approx((5 + 5 + 10) * 3.0 / 2)
    assert seconds_left([Standing("c", "waiting")]) is None
    assert seconds_left([Standing("c", "finished", 10, 10)]) is None


def test_the_command_prints_what_stands_and_what_failed_without_markup_of_others(folder: Path, tmp_path: Path):
    path = tmp_path / "study.toml"
    path.write_text(
        f'name = "s"\nout = "{folder}"\nbenchmarks = ["charts"]\nheld_out = ["easy_vqa"]\n'
        '[recipe]\nmodel = "nano"\ndomains = ["spatial", "science"]\n'
    )
    printed = CliRunner().invoke(main.app, ["watch", str(path)], catch_exceptions=False).output
    assert "1 finished" in printed
    assert "d failed: KeyError: no " in printed
    assert "\x1b" not in printed
    assert "[red]last[/]" in printed


def test_a_study_without_runs_says_how_to_begin(tmp_path: Path):
    with pytest.raises(ModomodoError, match="has no runs yet: `modomodo pilot`"):
        standings(tmp_path)


def test_a_mixture_that_moves_is_shown_with_what_became_of_it(folder: Path):
    run = folder / "runs/b"
    (run / "steps.jsonl").unlink()
    for step, share in enumerate((0.5, 0.5, 0.25, 0.25), start=1):
        domains = {
            "charts": DomainStep(1, 4, 9, 0.5, 0.0, 0.0, 0.0, 0, zero_advantage=0.0),
            "maths": DomainStep(3, 12, 9, 0.5, 0.0, 0.0, 0.0, 0, zero_advantage=2 / 3),
        }
        append_step(run, Step(step, 2.0, {"charts": share, "maths": 1 - share}, domains))
    lines = [{"step": 0, "first": 1, "weights": {"charts": 0.5, "maths": 0.5}}]
    lines += [{"step": 2, "first": 3, "weights": {"charts": 0.25, "maths": 0.75}}]
    append_lines(run / "mixture.jsonl", lines)
    with Store(folder).claim("b"):
        found = {one.label: one for one in standings(folder)}
        console = Console(width=120, file=StringIO())
        console.print(watched([found["b"]]))
    shares = found["b"].shares
    assert shares is not None
    assert shares.blocks == {"charts": [0.5, 0.25], "maths": [0.5, 0.75]}
    assert shares.requested == pytest.approx({"charts": 0.375, "maths": 0.625})
    assert shares.realised == pytest.approx({"charts": 0.25, "maths": 0.75})
    assert shares.effective == pytest.approx({"charts": 0.5, "maths": 0.5})
    assert found["e"].shares is None
    assert "charts         ▅▃  38% / 25% / 50%" in console.file.getvalue()
