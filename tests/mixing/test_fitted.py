"""fit: benchmarks, aggregates, directions, bounds; N = 14, D = 3, B = 2."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from modomodo.core.errors import ModomodoError
from modomodo.mixing import Runs, fit
from modomodo.mixing.aggregates import directions_of
from modomodo.mixing.validation import validation

QUERY_ND = np.random.default_rng(1).dirichlet(np.ones(3), 5)


def test_columns_of_benchmarks_and_aggregates(make_runs: Callable[..., Runs]):
    fitted = fit(make_runs(), aggregates={"mix": {"chart": 3, "info": 1}, "only": {"info": 2}})
    table = fitted.predict(QUERY_ND)
    assert table.names == ("chart", "info", "mix", "only")
    np.testing.assert_allclose(table.mean_NK[:, 2], 0.75 * table.mean_NK[:, 0] + 0.25 * table.mean_NK[:, 1])
    np.testing.assert_allclose(table.sd_NK[:, 3], table.sd_NK[:, 1])
    columns = table.columns()
    assert set(columns) == {
        f"{kind}.{name}" for kind in ("mean", "sd", "lo90", "hi90", "sd_mean") for name in table.names
    }
    np.testing.assert_allclose(columns["hi90.chart"], columns["mean.chart"] + 1.6448536 * columns["sd.chart"])
    np.testing.assert_allclose(fitted.mean(QUERY_ND, name="mix"), columns["mean.mix"], rtol=1e-9)


def test_default_aggregate_weighs_by_items_where_all_have_them(make_runs: Callable[..., Runs]):
    runs = make_runs()
    assert fit(runs, surrogate="mean").aggregates[0].weights == {"chart": 0.5, "info": 0.5}
    counted = replace(runs, n_NB=np.tile([300.0, 100.0], (14, 1)))
    assert fit(counted, surrogate="mean").aggregates[0].weights == {"chart": 0.75, "info": 0.25}


def test_shared_noise_widens_the_aggregate(make_runs: Callable[..., Runs]):
    rng = np.random.default_rng(5)
    runs = make_runs(30)
    noisy = replace(runs, y_NB=0.5 + 0.05 * rng.normal(size=(30, 1)) + 0.005 * rng.normal(size=(30, 2)))
    fitted = fit(noisy, surrogate="mean")
    assert fitted.columns.correlation_BB[0, 1] > 0.9
    table = fitted.predict(QUERY_ND)
    assert table.sd_NK[0, 2] > 0.95 * table.sd_NK[0, :2].mean()  # independence would give 0.71


def test_direction_of_aggregates(make_runs: Callable[..., Runs]):
    runs = make_runs()
    assert fit(runs, surrogate="mean", direction="lower").direction("aggregate") == "lower"
    with pytest.warns(UserWarning, match="mixes directions: info"):
        mixed = fit(runs, surrogate="mean", direction={"info": "lower"})
    assert mixed.direction("aggregate") == "higher"
    table = mixed.predict(QUERY_ND)
    np.testing.assert_allclose(table.mean_NK[:, 2], 0.5 * table.mean_NK[:, 0] - 0.5 * table.mean_NK[:, 1])


@pytest.mark.parametrize("surrogate", ["gp", "paper", "mean"])
def test_predictions_and_intervals_stay_inside_bounds(surrogate: str, make_runs: Callable[..., Runs]):
    runs = make_runs(12, 0.3)
    inside = replace(runs, y_NB=np.clip(runs.y_NB + 0.25, 0, 1))
    fitted = fit(inside, surrogate=surrogate)
    table = fitted.predict(np.vstack([np.eye(3), QUERY_ND]))
    assert any("stay inside [0, 1]" in note for note in fitted.notes)
    for values_NK in (table.mean_NK, *table.interval(0.9), *table.interval(0.5)):
        assert values_NK.min() >= 0
        assert values_NK.max() <= 1
    given = fit(inside, surrogate=surrogate, bounds={"chart": (0, 1), "info": (-np.inf, np.inf)})
    assert given.notes[0] == "aggregate weights the benchmarks equally"
    assert not any("stay inside" in note for note in given.notes)
    assert given.columns.bounds_K2.tolist() == [[0, 1], [-np.inf, np.inf], [-np.inf, np.inf]]


def test_difference_cancels_shared_error(make_runs: Callable[..., Runs]):
    fitted = fit(make_runs(14, 0.02))
    pair_ND = np.array([[0.3, 0.4, 0.3], [0.33, 0.36, 0.31]])
    mean, sd = fitted.difference(pair_ND, name="aggregate")
    table = fitted.predict(pair_ND)
    assert mean == pytest.approx(table.mean_NK[0, 2] - table.mean_NK[1, 2])
    assert 0 < sd < 0.5 * np.hypot(*table.sd_mean_NK[:, 2])
    assert fitted.difference(pair_ND[[0, 0]], name="chart")[1] == pytest.approx(0, abs=1e-6)


def test_missing_scores_and_thin_benchmarks(make_runs: Callable[..., Runs]):
    runs = make_runs()
    y_NB = np.column_stack([runs.y_NB, np.full(14, np.nan)])
    y_NB[3:6, 1], y_NB[0, 2] = np.nan, 0.5
    unknown = np.full((14, 3), np.nan)
    partial = replace(runs, benchmarks=("chart", "info", "thin"), y_NB=y_NB, se_NB=unknown, n_NB=unknown)
    with pytest.warns(UserWarning, match="thin is left out|missing") as caught:
        fitted = fit(partial)
    said = [str(warning.message) for warning in caught]
    assert any("thin is left out" in text for text in said)
    assert any("3 scores are missing" in text for text in said)
    assert fitted.names == ("chart", "info", "aggregate")
    assert [figures.n for figures in fitted.validation()] == [14, 11, 11]
    assert np.isfinite(fitted.predict(QUERY_ND).mean_NK).all()


def test_different_lengths_are_said(make_runs: Callable[..., Runs]):
    with pytest.warns(UserWarning, match="663 to 2000 steps"):
        fit(replace(make_runs(), steps_N=(663,) + (2000,) * 13), surrogate="mean")


def test_refuses_one_run_and_one_mixture(make_runs: Callable[..., Runs]):
    runs = make_runs()
    with pytest.raises(ModomodoError, match=r"at least 3 different mixtures.*runs: 1, different mixtures: 1"):
        fit(rows_of(runs, [0]))
    with pytest.raises(ModomodoError, match="runs: 4, different mixtures: 1"):
        fit(rows_of(runs, [0, 0, 0, 0]))


def test_refuses_unknown_names_and_odd_settings(make_runs: Callable[..., Runs]):
    runs = make_runs()
    cases: list[tuple[dict[str, Any], str]] = [
        ({"surrogate": "pg"}, "unknown surrogate 'pg'; known: .*gp, .*paper"),
        ({"aggregates": {"mix": {"chrt": 1}}}, "unknown benchmark 'chrt'; did you mean chart"),
        ({"aggregates": {"chart": {"info": 1}}}, "name of a benchmark"),
        ({"aggregates": {"mix": {"info": 0}}}, "no benchmark a positive weight"),
        ({"aggregates": {"mix": {"info": -1}}}, "finite and not negative"),
        ({"direction": {"charts": "lower"}}, "did you mean chart"),
        ({"direction": "up"}, "write 'higher' or 'lower'"),
        ({"bounds": {"info": (0.0, 0.2)}}, "outside its bounds"),
        ({"bounds": {"info": (1.0, 0.0)}}, "first must be smaller"),
        ({"bounds": {"inf": (0.0, 1.0)}}, "bounds of unknown benchmark 'inf'; did you mean info"),
    ]
    for settings, says in cases:
        with pytest.raises(ModomodoError, match=says):
            fit(runs, **settings)


def test_validation_figures():
    y_N = np.array([1.0, 2.0, 3.0, 5.0, np.nan])
    figures = validation("x", y_N=y_N, mean_N=np.array([1.5, 1.5, 2.0, 5.0, 9.0]), sd_N=np.full(5, 0.9))
    assert figures.n == 4
    assert figures.r2 == pytest.approx(1 - 1.5 / 8.75)
    assert figures.rho == pytest.approx(0.9486833)
    assert (figures.cover50, figures.cover90) == (0.75, 1.0)


def rows_of(runs: Runs, rows: list[int]) -> Runs:
    tables = {field: getattr(runs, field)[rows] for field in ("X_ND", "y_NB", "se_NB", "n_NB")}
    names = {field: tuple(getattr(runs, field)[row] for row in rows) for field in ("seeds_N", "steps_N", "labels_N")}
    return replace(runs, **tables, **names)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("val_loss", "--set direction.val_loss=lower"),
        ("WER", "--set direction.WER=lower"),
        ("testError", "--set direction.testError=lower"),
        ("edit distance", "--set 'direction.edit distance=lower'"),
        ("eval.ppl", """--set 'direction={"eval.ppl" = "lower"}'"""),
        ("glossary", None),
        ("ocr_accuracy", None),
        ("per_class_acc", None),
    ],
)
def test_a_name_that_says_lower_needs_a_direction(name: str, typed: str | None):
    if typed is None:
        assert directions_of("higher", benchmarks=(name, "acc")) == {name: "higher", "acc": "higher"}
        return
    with pytest.raises(ModomodoError) as error:
        directions_of({"acc": "higher"}, benchmarks=(name, "acc"))
    assert f"write {typed} (or =higher" in str(error.value)
    assert directions_of({name: "higher"}, benchmarks=(name, "acc"))[name] == "higher"
    assert directions_of("lower", benchmarks=(name,))[name] == "lower"


def test_a_benchmark_on_which_all_runs_score_the_same_is_said():
    X_ND = np.vstack([np.eye(3), np.full((1, 3), 1 / 3), [[0.2, 0.3, 0.5]]])
    y_NB = np.stack([np.linspace(0.3, 0.5, len(X_ND)), np.zeros(len(X_ND))], axis=1)
    (said,) = [note for note in fit(Runs.of(X_ND, y_NB=y_NB), surrogate="linear").notes if "score the same" in note]
    assert said == "all runs score the same on b2 (0), which tells nothing of mixtures: did it go wrong?"
