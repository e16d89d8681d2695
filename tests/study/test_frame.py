import fake_study
import pandas as pd
import pytest

from modomodo import Study
from modomodo.reports.sections.repeat import to_toml

SMALL = {"benchmarks": ("charts", "maths"), "held_out": ("general",), "in_distribution": ("refer",)}


def test_the_runs_of_a_study_are_a_data_frame(tmp_path, monkeypatch):
    study = fake_study.make_study(tmp_path / "study", **SMALL)
    fake_study.write_whole(study, monkeypatch)
    (tmp_path / "study.toml").write_text(to_toml(study))
    frame = Study.load(tmp_path / "study.toml").runs
    assert isinstance(frame, pd.DataFrame)
    assert set(frame["kind"]) == {"base", "pilot", "confirmation"}
    pilots = frame[frame["kind"] == "pilot"].set_index("label")
    assert pilots.loc["single:detect", "w.detect"] == 1
    assert pilots.loc["single:detect", "w.refer"] == 0
    assert pilots["score.charts"].between(0, 1).all()
    assert pilots["score.general"].isna().all()  # held out
    assert frame[frame["kind"] == "base"]["w.detect"].isna().all()
    weights = [name for name in frame if name.startswith("w.")]
    assert pilots[weights].sum(axis=1).tolist() == pytest.approx([1.0] * len(pilots))
    assert frame["key"].is_unique


def test_a_study_without_runs_is_an_empty_one(tmp_path):
    frame = fake_study.make_study(tmp_path, **SMALL).runs
    assert frame.empty
    assert frame[frame["kind"] == "pilot"].set_index("label").filter(like="score.").columns.tolist()
