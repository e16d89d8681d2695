"""Finished runs are read once and passed on, damaged ones are named."""

import json
from collections import Counter
from pathlib import Path

import fake_study
import pytest

from modomodo.cli import study_verbs
from modomodo.cli.main import NANO
from modomodo.config.sections import Confirming
from modomodo.config.study import load_study
from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.mixing.confirmation import Confirmation, confirm
from modomodo.runs.store import Store
from modomodo.study import pipeline, results
from modomodo.study.answer import StudyConfirmation
from modomodo.study.pipeline import read_study
from modomodo.study.plan import pilot_row_caps, within_rows

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


def test_a_recommendation_keeps_to_what_rows_last_for(tmp_path):
    uneven = load_study(NANO / "uneven" / "study.toml", [f"out={tmp_path}", 'held_out=["easy_vqa"]'])
    fake_study.write_pilots(uneven)
    recommendation = pipeline.study_recommendation(read_study(uneven))
    lasting = pilot_row_caps(uneven)["circuits"][1]
    assert recommendation.caps == {"circuits": (0.0, lasting)}
    assert recommendation.mixture.as_dict()["circuits"] <= lasting + 1e-9
    (said,) = [note for note in recommendation.notes if "equal shares end" in note]
    assert "after step 19 of 30, when the rows of circuits are used up" in said


def test_a_mixture_within_the_rows_keeps_what_they_last_for(tmp_path):
    uneven = load_study(NANO / "uneven" / "study.toml", [f"out={tmp_path}"])
    domains, lasting = uneven.recipe.domains, 44 / (30 * 16)
    equal = within_rows(uneven, Mixture.uniform(domains)).as_dict()
    assert equal == pytest.approx({**dict.fromkeys(domains, (1 - lasting) / 6), "circuits": lasting})
    few = Mixture.of({"detect": 0.95, "circuits": 0.05})
    assert within_rows(uneven, few) is few


def test_a_confirmation_comes_back(study, monkeypatch):
    pipeline.study_recommendation(read_study(study))
    fake_study.write_confirmation(study, monkeypatch)
    data = json.loads((study.folder / "confirmation.json").read_text())
    whole = StudyConfirmation.from_dict(data, where="confirmation.json")
    assert whole.as_dict() == data
    assert whole.held_out is not None
    with pytest.raises(ModomodoError, match="version 2"):
        Confirmation.from_dict(data["objective"] | {"version": 2})


@pytest.mark.parametrize(("gain", "seeds"), [(0.2, 2), (0.0, 5)])
def test_a_confirmation_ends_as_soon_as_it_can_tell(study, monkeypatch, gain, seeds):
    study = study.model_copy(update={"confirm": Confirming(seeds=2, max_seeds=5)})
    pipeline.study_recommendation(read_study(study))
    plan = pipeline.plan_confirmation(read_study(study))
    launched: list[int] = []
    monkeypatch.setattr(pipeline, "_launch", lambda study, planned, *, console: launched.append(len(planned)) or ())
    monkeypatch.setattr(pipeline, "planned_runs", lambda study, planned: {})
    monkeypatch.setattr(pipeline, "finished_of", lambda planned, runs: {})

    def matched(study, runs, benchmarks, seeds):
        recommended = [[0.5 + gain + 0.0001 * (-1) ** seed] for seed in range(seeds)]
        return confirm(
            recommended, equal_SB=[[0.5]] * seeds, seeds=range(seeds), benchmarks=["out"], looks=study.confirm.looks
        )

    monkeypatch.setattr(pipeline, "_matched", matched)
    confirmation = pipeline.study_confirmation(plan)
    assert confirmation is not None
    assert launched == [1 + 2 * look for look in (2, 4, 5) if look <= seeds]
    assert confirmation.objective.looks == (2, 4, 5)
    assert confirmation.objective.sentence.count(f"{seeds} matched seeds of at most 5") == (seeds < 5)
    assert len((study.folder / "confirmations.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize("lacking", ["objective", "mixture"])
def test_a_confirmation_without_a_part_is_named(study, monkeypatch, lacking):
    pipeline.study_recommendation(read_study(study))
    fake_study.write_confirmation(study, monkeypatch)
    data = json.loads((study.folder / "confirmation.json").read_text())
    del data[lacking]
    with pytest.raises(ModomodoError, match=rf"confirmation\.json.*{lacking}|{lacking}.*confirmation\.json"):
        StudyConfirmation.from_dict(data, where="confirmation.json")


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


def test_a_plan_says_what_more_seeds_would_find_and_runs_nothing(study, monkeypatch, capsys):
    pipeline.study_recommendation(read_study(study))
    monkeypatch.setattr(pipeline, "_launch", lambda *_, **__: pytest.fail("a plan ran something"))
    study_verbs.show_confirmation_plan(study)
    said = capsys.readouterr().out
    plan = pipeline.plan_confirmation(read_study(study))
    assert f"{plan.finds(8):.3f}" in said
    assert f"The predicted gain, {plan.gain:+.3f} if the mixture matters," in said
    needed = plan.seeds_for(plan.gain)
    assert needed is None or plan.finds(needed) <= plan.gain
    assert plan.seeds_for(0.0) is None
