"""What stands in first reports: the answer to keep, what failed, what it cost, and figures of few runs."""

import json
from pathlib import Path

import fake_study
import numpy as np
import pytest
from test_page import SMALL, Page, read_json

from modomodo import Mixture, Runs, fit, recommend
from modomodo.config.sections import Evaluation
from modomodo.mixing import write_runs
from modomodo.mixing.confirmation import KEEP_EQUAL
from modomodo.reports import effects_figure, report, report_of_runs, scores_figure, triangle_figure
from modomodo.reports.evidence import read_evidence
from modomodo.reports.figures.of_runs import Dot
from modomodo.reports.html.markup import prose
from modomodo.reports.numbers.effects import leave_one_out_effects
from modomodo.reports.numbers.surface import response_triangles
from modomodo.reports.sections.scores import scores_section
from modomodo.runs.planned import PlannedRun
from modomodo.runs.store import Store
from modomodo.study import pipeline

UNTESTED_EQUAL = "Until that is tested, equal shares are the answer to keep."
EQUAL = Mixture.uniform(("a", "b"))


@pytest.fixture
def single(tmp_path):
    """A study with one run of `modomodo train`, at equal shares, all wrong and done in three seconds."""
    study = fake_study.make_study(tmp_path, **SMALL)
    recipe = study.recipe.model_copy(update={"evaluation": Evaluation(benchmarks=("charts",), items=8)})
    fake_study.write_runs(study, [PlannedRun("equal", recipe)])
    pipeline.write_json(tmp_path / "labels.json", {})
    (path,) = tmp_path.glob("runs/*/result.json")
    result = read_json(path)
    result["scores"]["charts"].update(mean=0.0, se=0.067)
    pipeline.write_json(path, {**result, "seconds": 3.0})
    return study


@pytest.mark.parametrize(("real", "gain", "kept"), [(False, 0.1, True), (True, -0.1, True), (True, 0.1, False)])
def test_the_answer_says_what_to_keep(tmp_path, monkeypatch, real, gain, kept):
    study = fake_study.make_study(tmp_path, **SMALL)
    fake_study.write_whole(study, monkeypatch)
    tests = read_json(tmp_path / "confirmation.json")
    tests["objective"]["real"] = real
    tests["objective"]["aggregate"]["gain"] = gain
    pipeline.write_json(tmp_path / "confirmation.json", tests)
    assert (KEEP_EQUAL in _page(study).text) is kept


@pytest.mark.parametrize("told_apart", [False, True])
def test_an_untested_guess_leaves_equal_shares(tmp_path, told_apart):
    study = fake_study.make_study(tmp_path, **SMALL)
    fake_study.write_pilots(study)
    pipeline.study_recommendation(pipeline.read_study(study))
    found = read_json(tmp_path / "recommendation.json")
    pipeline.write_json(tmp_path / "recommendation.json", {**found, "gain_lo90": 0.01 if told_apart else -0.01})
    assert (UNTESTED_EQUAL in _page(study).text) is not told_apart


def test_a_table_leaves_the_reference_and_shows_what_it_knows(tmp_path):
    runs = _noise()
    fitted = fit(runs)
    write_runs(runs, tmp_path / "runs.csv")
    page = _table_page(tmp_path, fitted, recommend(fitted, reference=Mixture.of({"a": 0.6, "b": 0.4})))
    assert "Until that is tested, a=0.6, b=0.4 is the answer to keep." in page.text
    page = _table_page(tmp_path, fitted, recommend(fitted))
    assert UNTESTED_EQUAL in page.text
    assert "compared with" not in page.text
    heads = page.text.split("A click on a head sorts.")[1][:60]
    assert heads.startswith("runmixtureaggregateb1b2")
    assert "steps" not in heads
    assert "seed" not in heads
    assert "±0.007" in page.text  # sqrt(0.01² + 0.01²) / 2, of the aggregate


@pytest.mark.parametrize("n", [1, 2, 12])
def test_a_figure_of_few_runs_has_room_for_its_axis(n):
    figure = scores_figure([Dot(str(i), EQUAL, 0.0, 0.067) for i in range(n)], title="charts", bounds=(0.0, 1.0))
    assert figure.layout.height >= 130
    bars = figure.data[0].error_x
    assert list(bars.arrayminus) == [0.0] * n
    assert list(bars.array) == [0.067] * n


def test_equal_shares_alone_are_compared_with_nothing(single):
    assert "dotted" not in "".join(str(part) for part in scores_section(read_evidence(single)).body)


def test_short_work_is_told_in_seconds_and_its_parts_add_up(single):
    assert "3.0process-seconds3.0 by train" in _page(single).text


def test_failed_single_runs_are_named(single):
    store = Store(single.folder)
    for key, part in (("ab" * 8, "all"), ("cd" * 8, "select")):
        recipe = single.recipe.model_copy(update={"evaluation": Evaluation(benchmarks=("charts",), part=part)})
        store.path(key).mkdir(parents=True)
        store.begin(key, recipe)
        store.write_failure(key, "CUDA out of <memory>\nmore")
    text = _page(single).text
    assert "single run ababab (modomodo train) failed: CUDA out of <memory>." in text
    assert "cdcdcd" not in text  # of an earlier plan


def test_an_interrupted_study_has_one_sentence_and_no_empty_menu(tmp_path):
    study = fake_study.make_study(tmp_path, **SMALL)
    planned = pipeline.pilot_runs(study)
    fake_study.write_runs(study, [one for one in planned if one.label == "base"])
    labels = read_json(tmp_path / "labels.json")
    pipeline.write_json(tmp_path / "labels.json", labels | {"space:1": "0" * 16, "space:2": "1" * 16})
    page = _page(study)
    assert "space:1, space:2 are planned and not finished." in page.text
    assert "select" not in [tag for tag, _ in page.elements]


def test_a_single_run_explains_no_aggregate_that_it_lacks(single):
    assert "out-of-distribution" not in _page(single).text


def test_rewards_are_told_with_their_most(single):
    assert "reward 3.00 of 3" in _page(single).text


def test_commands_are_code(single):
    assert "<code>modomodo train</code>" in report(single).read_text()
    assert prose("`<b>` and `x").text == "`&lt;b&gt;` and `x"
    assert prose("`<b>`.").text == "<code>&lt;b&gt;</code>."


def test_no_backtick_is_left_between_pilots_and_recommendation(tmp_path):
    study = fake_study.make_study(tmp_path, **SMALL)
    fake_study.write_pilots(study)
    assert "`" not in _page(study).text


def test_no_difference_at_all_is_called_the_same(tmp_path):
    study = fake_study.make_study(tmp_path, **SMALL)
    fake_study.write_pilots(study)
    runs = read_evidence(study).of_kind("pilot")
    names = {"domains": SMALL["recipe"].domains, "benchmarks": ("charts",)}
    assert "same" not in str(effects_figure(leave_one_out_effects(runs, **names)).data[0].text)
    for run in runs:
        path = run.folder / "items" / "charts.jsonl"
        lines = [json.loads(line) | {"reward": 1.0} for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        result = read_json(run.folder / "result.json")
        result["scores"]["charts"]["mean"] = 1.0
        pipeline.write_json(run.folder / "result.json", result)
    found = leave_one_out_effects(read_evidence(study).of_kind("pilot"), **names)
    assert [row[0] for row in effects_figure(found).data[0].text] == ["same"] * 3


def test_the_colours_of_a_triangle_are_named_from_end_to_end():
    runs = Runs.of(_shares(3), y_NB=_shares(3)[:, :1], domains=("a", "b", "c"))
    fitted = fit(runs)
    (three,) = response_triangles(fitted, Mixture.uniform(("a", "b", "c")), [("a", "b", "c")], names=["b1"])["b1"]
    ticks = triangle_figure(three, name="b1", span=(0.2, 0.6)).data[0].colorbar.tickvals
    assert (ticks[0], ticks[-1]) == (0.2, 0.6)


def _shares(domains: int):
    return np.random.default_rng(0).dirichlet(np.ones(domains), size=12)


def _noise() -> Runs:
    y_NB = 0.5 + 0.05 * np.random.default_rng(3).standard_normal((12, 2)) + 0.01 * _shares(2)[:, :1]
    return Runs.of(_shares(2), y_NB=y_NB, se_NB=np.full((12, 2), 0.01), domains=("a", "b"))


def _table_page(folder: Path, fitted, found) -> Page:
    report_of_runs(fitted, found, folder / "page.html", source=folder / "runs.csv")
    return Page((folder / "page.html").read_text())


def _page(study) -> Page:
    return Page(report(study).read_text())
