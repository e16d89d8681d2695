from typing import Any

import numpy as np
import pytest
from fake_study import make_study, write_pilots

from modomodo.config.recipe import Recipe
from modomodo.core.mixture import Mixture
from modomodo.mixing.validation import quantile
from modomodo.reports import effects_figure, leave_one_out_effects, predicted_figure, response_slices, slice_figure
from modomodo.reports.evidence import Evidence, read_evidence
from modomodo.study.results import aggregate
from modomodo.training.step_log import read_lines

DOMAINS = ("count", "colour", "detect")
BENCHMARKS = ("charts", "maths", "general", "plans")


@pytest.fixture(scope="module")
def evidence(tmp_path_factory) -> Evidence:
    study = make_study(
        tmp_path_factory.mktemp("study"),
        recipe=Recipe(domains=DOMAINS, steps=5),
        benchmarks=BENCHMARKS,
        held_out=(),
        in_distribution=(),
        items=80,
        replicates=2,
    )
    write_pilots(study)
    return read_evidence(study)


def test_effect_is_the_score_without_the_domain_minus_the_equal_one(evidence):
    found = leave_one_out_effects(evidence.of_kind("pilot"), domains=DOMAINS, benchmarks=BENCHMARKS)
    runs = {label: run for run in evidence.runs for label in run.labels}
    assert found is not None
    assert found.seeds_D == (2, 2, 2)
    pairs = [("exclude:colour", "equal"), ("exclude:colour#2", "equal#2")]
    differences = [runs[one].scores["plans"].mean - runs[other].scores["plans"].mean for one, other in pairs]
    assert found.difference_DB[1, 3] == pytest.approx(np.mean(differences))
    items_SI = [
        [
            one["reward"] - other["reward"]
            for one, other in zip(
                *(read_lines(runs[label].folder / "items/plans.jsonl") for label in pair), strict=True
            )
        ]
        for pair in pairs
    ]
    per_item_I = np.mean(items_SI, axis=0)
    assert found.paired_DB.all()
    assert found.se_DB[1, 3] == pytest.approx(per_item_I.std(ddof=1) / np.sqrt(80))


def test_effect_without_items_is_not_paired(evidence):
    for run in evidence.of_kind("pilot"):
        path = run.folder / "items" / "maths.jsonl"
        path.rename(path.with_suffix(".away"))
    try:
        found = leave_one_out_effects(evidence.of_kind("pilot"), domains=DOMAINS, benchmarks=("maths",))
    finally:
        for run in evidence.of_kind("pilot"):
            path = run.folder / "items" / "maths.jsonl"
            path.with_suffix(".away").rename(path)
    runs = {label: run for run in evidence.runs for label in run.labels}
    assert found is not None
    assert not found.paired_DB.any()
    labels = ("exclude:count", "equal", "exclude:count#2", "equal#2")
    assert found.se_DB[0, 0] == pytest.approx(sum(runs[label].scores["maths"].se ** 2 for label in labels) ** 0.5 / 2)


def test_effects_need_equal_shares_and_more_than_one_domain(evidence):
    runs = evidence.of_kind("pilot")
    without = [run for run in runs if not run.labels[0].startswith("equal")]
    assert leave_one_out_effects(without, domains=DOMAINS, benchmarks=BENCHMARKS) is None
    assert leave_one_out_effects(runs, domains=("count",), benchmarks=BENCHMARKS) is None


def test_effects_figure_shows_differences_with_their_errors(evidence):
    found = leave_one_out_effects(evidence.of_kind("pilot"), domains=DOMAINS, benchmarks=BENCHMARKS)
    assert found is not None
    figure: Any = effects_figure(found)
    heat = figure.data[0]
    assert np.asarray(heat.z) == pytest.approx(found.difference_DB)
    assert heat.text[2][1] == f"{found.difference_DB[2, 1]:+.3f}<br>±{found.se_DB[2, 1]:.3f}"
    assert (
        f"standard error over items {found.se_DB[2, 1]:.3f} (paired by item)<br>2 matched seeds"
        in heat.customdata[2][1]
    )


def test_slices_go_through_the_mixture_and_stay_on_the_simplex(evidence):
    assert evidence.fitted is not None
    through = Mixture(DOMAINS, (0.5, 0.2, 0.3))
    found = response_slices(evidence.fitted, through)
    expected = evidence.fitted.predict(np.array([[0.5, 0.2, 0.3], [0.4, 0.36, 0.24]]))
    for d, share in enumerate(through.weights):
        at = int(np.argmin(np.abs(found.share_DP[d] - share)))
        assert found.mean_DPK[d, at] == pytest.approx(expected.mean_NK[0])
    # The first domain at 0.4: the others keep their ratio 2 : 3.
    at = int(np.argmin(np.abs(found.share_DP[0] - 0.4)))
    assert found.share_DP[0, at] == pytest.approx(0.4)
    assert found.mean_DPK[0, at] == pytest.approx(
        evidence.fitted.predict(np.array([[0.4, 0.24, 0.36]])).mean_NK[0], abs=1e-6
    )
    half_K = quantile(0.9) * expected.sd_mean_NK[0]
    at = int(np.argmin(np.abs(found.share_DP[2] - 0.3)))
    assert found.low_DPK[2, at] == pytest.approx(expected.mean_NK[0] - half_K)
    assert found.high_DPK[2, at] == pytest.approx(expected.mean_NK[0] + half_K)


def test_slices_through_a_single_domain(evidence):
    assert evidence.fitted is not None
    found = response_slices(evidence.fitted, Mixture.single("colour", DOMAINS))
    halves = evidence.fitted.predict(np.array([[0.5, 0.0, 0.5]])).mean_NK[0]
    assert found.share_DP[1, 0] == 0
    assert found.mean_DPK[1, 0] == pytest.approx(halves)


def test_slice_figure_marks_mixture_and_caps(evidence):
    assert evidence.fitted is not None
    found = response_slices(evidence.fitted, Mixture(DOMAINS, (0.5, 0.2, 0.3)))
    figure: Any = slice_figure(found, domain="detect", name="out", caps=(0.1, 0.6))
    assert figure.data[2].x == (0.3,)
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(0, 0.1), (0.6, 1), (0.3, 0.3)]


def test_predicted_figure_holds_the_left_out_predictions(evidence):
    fitted = evidence.fitted
    assert fitted is not None
    figure: Any = predicted_figure(fitted, name="out")
    drawn = sorted((x, y) for trace in figure.data[1:] for x, y in zip(trace.x, trace.y, strict=True))
    observed_N = fitted.runs.y_NB.mean(axis=1)  # all benchmarks have 80 items
    predicted_N = fitted.left_out.mean_NK[:, fitted.index("out")]
    assert np.array(drawn) == pytest.approx(np.array(sorted(zip(observed_N, predicted_N, strict=True))))


def test_aggregate_weighs_by_items(evidence):
    run = evidence.of_kind("pilot")[0]
    found = aggregate(run, BENCHMARKS)
    assert found is not None
    assert found.mean == pytest.approx(np.mean([run.scores[name].mean for name in BENCHMARKS]))
    assert found.se == pytest.approx(np.sqrt(sum(run.scores[name].se ** 2 for name in BENCHMARKS)) / 4)
    assert aggregate(run, ("charts", "unknown")) is None
