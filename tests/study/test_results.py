"""Finished runs are read once and passed on, damaged ones are named."""

import json
from collections import Counter
from pathlib import Path

import fake_study
import pytest

from modomodo.cli import study_verbs
from modomodo.core.errors import ModomodoError
from modomodo.mixing.confirmation import Confirmation
from modomodo.runs.store import Store
from modomodo.study import pipeline, results
from modomodo.study.answer import StudyConfirmation
from modomodo.study.pipeline import read_study

SMALL = {"benchmarks": ("charts",), "in_distribution": (), "held_out": ("general",), "items": 20}


@pytest.fixture
def study(tmp_path: Path):
    made = fake_study.make_study(tmp_path, **SMALL)  # 11 pilots
    fake_study.write_pilots(made)
    return made


@pytest.fixture
def counted(monkeypatch):
    """How often the study is planned and fitted, and how often each result is read."""
    times: Counter[str] = Counter()

    def count(owner: object, name: str, what):
        function = getattr(owner, name)

        def counting(*args, **options):
            times[what(*args)] += 1
            return function(*args, **options)

        monkeypatch.setattr(owner, name, counting)

    count(pipeline, "pilot_runs", lambda study: "plans")
    count(results, "fit", lambda runs: "fits")
    count(Store, "result", lambda store, key: f"result {key}")
    return times


def reads(times: Counter[str]) -> list[int]:
    return [number for what, number in times.items() if what.startswith("result ")]


def test_recommend_plans_and_fits_once_and_reads_each_result_once(study, counted):
    study_verbs.recommend_for_study(study)
    assert (counted["plans"], counted["fits"]) == (1, 1)
    assert reads(counted) == [1] * 12  # the base run, and 11 pilots


def test_confirm_plans_and_fits_once_and_reads_each_result_once(study, counted, monkeypatch):
    study_verbs.recommend_for_study(study)
    counted.clear()
    monkeypatch.setattr(pipeline, "_launch", fake_study.launch)
    study_verbs.run_confirmation(study)
    assert (counted["plans"], counted["fits"]) == (1, 1)
    assert reads(counted) == [1] * (12 + 1 + 2 * study.confirm.seeds)


def test_a_confirmation_comes_back(study, monkeypatch):
    pipeline.study_recommendation(read_study(study))
    fake_study.write_confirmation(study, monkeypatch)
    data = json.loads((study.folder / "confirmation.json").read_text())
    whole = StudyConfirmation.from_dict(data, where="confirmation.json")
    assert whole.as_dict() == data
    assert whole.held_out is not None
    with pytest.raises(ModomodoError, match="version 2"):
        Confirmation.from_dict(data["objective"] | {"version": 2})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"scores": {}}, "has no score of charts"),
        ({"scores": {"charts": {"mean": "good"}}}, r"damaged \(scores\.charts"),
        ({"scores": "high"}, r"damaged \(scores"),
        ({"mixture": [1.0]}, r"damaged \(mixture"),
        ({"mixture": {"detect": 2.0}}, r"damaged \(mixture: weights sum to 2"),
        ({"seed": None}, r"damaged \(seed"),
        ({"steps": "many"}, r"damaged \(steps"),
    ],
)
def test_a_damaged_result_is_named(study, change, says):
    runs = read_study(study)
    path = runs.finished["equal"].folder / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModomodoError, match=rf"result\.json .*{says}"):
        read_study(study).table()


@pytest.mark.parametrize("key", [["0"], None, 3])
def test_damaged_labels_are_named(study, key):
    path = study.folder / "labels.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"equal": key}))
    with pytest.raises(ModomodoError, match=r"labels\.json is damaged \(\'equal\'"):
        read_study(study)
