"""Pilots that are added as others finish, until the answer is clear or enough have run."""

import json
from pathlib import Path

import fake_study
import pytest
from typer.testing import CliRunner

from modomodo.cli.main import app
from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError
from modomodo.study.pipeline import read_study
from modomodo.study.plan import pilot_runs
from modomodo.study.proposed import proposed_path, read_proposed
from modomodo.study.until_clear import UntilClear

pytest.importorskip("botorch")

SMALL = {"benchmarks": ("charts",), "in_distribution": (), "held_out": (), "items": 20}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    made = fake_study.make_study(tmp_path, **SMALL)  # 11 pilots
    fake_study.write_pilots(made)
    return made


def test_pilots_are_added_one_by_one_and_join_the_plan(study: Study):
    lines: list[str] = []
    added = UntilClear(study, 13, lines.append)
    for number in (1, 2):
        (one,) = added.more(())
        assert one.label == f"next:{number}"
        assert pilot_runs(study)[-1] == one
        fake_study.write_runs(study, [one])
    assert added.more(()) == ()
    assert "13 are planned or have run" in added.why
    assert [line.split(": ")[0] for line in lines] == ["next:1 is added", "next:2 is added"]
    assert len({one.recipe.requested.key for one in pilot_runs(study)[-2:]}) == 2
    assert read_study(study).pending == ()
    assert UntilClear(study, 13, lines.append).more(()) == ()  # as after a kill


def test_a_pilot_under_way_counts_and_one_that_failed_does_not_wait(study: Study):
    added = UntilClear(study, 20, print)
    (first,) = added.more(())
    (second,) = added.more(())
    assert first.recipe.requested != second.recipe.requested
    (third,) = added.more((first.label, second.label))
    assert third.label == "next:3"


def test_a_clear_answer_ends_it(study: Study, monkeypatch):
    monkeypatch.setattr("modomodo.mixing.recommendation.Recommendation.distinguishable", True)
    added = UntilClear(study, 13, print)
    assert added.more(()) == ()
    assert "told from equal shares" in added.why
    assert read_proposed(study) == ()


def test_nothing_is_added_before_enough_has_finished(tmp_path: Path):
    study = fake_study.make_study(tmp_path, **SMALL)
    added = UntilClear(study, 13, print)
    study.folder.mkdir(exist_ok=True)
    assert added.more(()) == ()
    assert "no finished pilot" in added.why


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is damaged"),
        (
            '{"version": 1, "pilots": [{"mixture": {"detect": 1.0}}]}',
            r"pilots.0.reason: Field required\): move it away",
        ),
        ('{"version": 2, "pilots": []}', "has version 2, and this modomodo reads 1"),
        ('{"version": 1, "pilots": [{"mixture": {"maths": 1.0}, "reason": ""}]}', "pilot 1 of .*maths.*another name"),
        ('{"version": 1, "pilots": [{"mixture": {"detect": 0.9}, "reason": ""}]}', "weights sum to 0.9"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(study: Study, text: str, message: str):
    proposed_path(study).write_text(text)
    with pytest.raises(ModomodoError, match=message):
        pilot_runs(study)


def test_the_command_says_why_it_stops(tmp_path: Path, monkeypatch):
    study = fake_study.make_study(tmp_path / "out", **SMALL)
    path = tmp_path / "study.toml"
    path.write_text(
        f'name = "nano-demo"\nout = "{tmp_path / "out"}"\nbenchmarks = ["charts"]\nitems = 20\n'
        f"[recipe]\ndomains = {json.dumps(study.recipe.domains)}\nsteps = 60\n"
    )

    def launch(study, planned, *, console, added=None):
        fake_study.write_runs(study, planned)
        while added is not None and (runs := added.more(())):
            fake_study.write_runs(study, runs)
        return ()

    monkeypatch.setattr("modomodo.study.pipeline._launch", launch)
    found = CliRunner().invoke(app, ["pilot", str(path), "--most", "12"])
    assert found.exit_code == 0, found.output
    assert "next:1 is added: " in found.output
    assert "No more pilots: 12 are planned or have run" in found.output
