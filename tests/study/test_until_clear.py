"""Pilots that are added as others finish, until the answer is clear or enough have run."""

import json
from dataclasses import replace
from pathlib import Path

import fake_study
import pytest
from typer.testing import CliRunner

from modomodo.cli.main import app
from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.mixing.recommendation import recommend
from modomodo.runs.store import Store
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


def labels(study: Study) -> list[str]:
    return [one.label for one in pilot_runs(study)]


def test_pilots_are_added_one_by_one_and_join_the_plan(study: Study):
    lines: list[str] = []
    added = UntilClear(study, 13, lines.append)
    for number in (1, 2):
        (one,) = added.more(labels(study))
        assert one.label == f"next:{number}"
        assert pilot_runs(study)[-1] == one
        fake_study.write_runs(study, [one])
    assert added.more(labels(study)) == ()
    assert added.why.startswith("13 pilots are planned, and 13 the most you asked for; the gain of ")
    assert [line.split(" is added at ")[0].split(",")[0] for line in lines] == ["next:1", "next:2"]
    assert read_study(study).pending == ()
    assert UntilClear(study, 13, lines.append).more(labels(study)) == ()  # as after a kill


def test_what_is_under_way_or_failed_is_not_proposed_again(study: Study):
    added = UntilClear(study, 20, print)
    (first,) = added.more(labels(study))
    (second,) = added.more(labels(study))
    assert first.recipe.identity() != second.recipe.identity()


def test_what_another_launcher_added_and_left_comes_first(study: Study):
    (left,) = UntilClear(study, 20, print).more(labels(study))
    assert UntilClear(study, 20, print).more(labels(study)[:-1]) == (left,)


def test_the_design_runs_first(study: Study, monkeypatch):
    last = pilot_runs(study)[-1].label
    store = Store(study.folder)
    (store.path(store.labels()[last]) / "result.json").unlink()
    added = UntilClear(study, 20, print)
    with store.claim(store.labels()[last]):
        assert added.more(labels(study)) == ()
    assert added.why == ""
    assert added.more(labels(study))[0].label == "next:1"  # it failed, and is not waited for


@pytest.mark.parametrize(
    ("same", "message"), [(True, "equal shares are recommended"), (False, "the recommended mixture can be told")]
)
def test_it_says_why_it_ends(study: Study, monkeypatch, same: bool, message: str):
    equal = Mixture.uniform(study.recipe.domains)
    monkeypatch.setattr(
        "modomodo.mixing.recommendation.Recommendation.distinguishable", property(lambda found: not same)
    )
    if same:
        monkeypatch.setattr(
            "modomodo.study.until_clear.recommend", lambda *a, **b: replace(recommend(*a, **b), mixture=equal)
        )
    added = UntilClear(study, 11, print)
    assert added.more(labels(study)) == ()
    assert message in added.why
    assert read_proposed(study) == ()


def test_an_error_is_kept_for_later(study: Study):
    store = Store(study.folder)
    (store.path(store.labels()["equal"]) / "result.json").write_text("{")
    added = UntilClear(study, 13, print)
    assert added.more(labels(study)) == ()
    assert "damaged" in str(added.error)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is damaged"),
        (
            '{"version": 1, "pilots": [{"mixture": {"detect": 1.0}}]}',
            r"pilots.0.reason: Field required\): move it away",
        ),
        ('{"version": 2, "pilots": []}', "has version 2, and this modomodo reads 1: upgrade"),
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
        while added is not None and (runs := added.more(labels(study))):
            fake_study.write_runs(study, runs)
        return ()

    monkeypatch.setattr("modomodo.study.pipeline._launch", launch)
    found = CliRunner().invoke(app, ["pilot", str(path), "--most", "12"])
    assert found.exit_code == 0, found.output
    assert "next:1" in found.output
    assert "no more pilots: 12 pilots are planned, and 12 the most you asked for" in found.output
