"""Benchmarks on unlike scales: what is done to them, said of it, and left alone."""

import csv
from pathlib import Path

import landscapes
import numpy as np
import pytest

from modomodo.core.errors import ModomodoError
from modomodo.mixing import Runs, fit
from modomodo.mixing.recommendation import recommend
from modomodo.mixing.scales import divisors, kind_of
from modomodo.mixing.strategies import Goal
from modomodo.mixing.tables.odd_scores import many_zeros, odd_scores

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
SHARES, PERCENT, MME = (0.39, 0.60, 0.68, 0.56), (39.0, 60.0, 68.0, 56.0), (1432.0, 1683.0, 1550.0, 1601.0)
HARD, RATING = (3.1, 5.2, 4.0, 6.6), (3.2, 4.1, 3.8, 4.4)
LOSS, LOW_LOSS = (2.9, 3.1, 3.0, 2.8), (0.9, 1.1, 1.0, 0.8)


@pytest.mark.parametrize(
    ("name", "scores", "kind"),
    [
        ("chart", SHARES, "share"),
        ("chart", PERCENT, "percent"),
        ("chart", HARD, "small"),
        ("chart (%)", HARD, "percent"),
        ("chart_percent", SHARES, "share"),
        ("MME", MME, "points"),
        ("reward", (-0.5, 0.5), "signed"),
        ("chart", (0.0, 0.0), None),
        ("chart", (np.nan,), None),
    ],
)
def test_kinds(name: str, scores: tuple[float, ...], kind: str | None):
    assert kind_of(np.array(scores), name) == kind


@pytest.mark.parametrize(
    ("scores", "lower", "ground", "values"),
    [
        ((SHARES, SHARES), (), "alike", (1, 1)),
        ((PERCENT, PERCENT), (), "alike", (1, 1)),
        ((PERCENT, HARD), (), "alike", (1, 1)),
        ((MME, MME), (), "alike", (1, 1)),
        ((LOSS, LOW_LOSS), ("a", "b"), "alike", (1, 1)),
        ((LOSS, LOSS), (), "alike", (1, 1)),
        ((SHARES, (0.0,) * 4), (), "alike", (1, 1)),
        ((SHARES, (-0.5, 0.2, 0.4, -0.1)), (), "alike", (1, 1)),
        ((SHARES, (0.9, 1.1, 1.0, 1.2)), (), "alike", (1, 1)),  # CIDEr goes a little beyond 1
        ((SHARES, PERCENT), (), "percent", (1, 100)),
        ((SHARES, SHARES), ("a",), "alike", (1, 1)),
        ((SHARES, MME), (), "spread", None),
        ((PERCENT, MME), (), "spread", None),
        ((SHARES, RATING), (), "spread", None),
        ((SHARES, LOSS), ("b",), "spread", None),
        ((SHARES, PERCENT), ("a", "b"), "spread", None),
        (((-210.0, -190.0, -250.0, -240.0), SHARES), (), "spread", None),
    ],
)
def test_unlike_scales_are_told_from_like_ones(
    scores: tuple[tuple[float, ...], ...], lower: tuple[str, ...], ground: str, values: tuple[float, ...] | None
):
    y_NB = np.array(scores).T
    found = divisors(y_NB, benchmarks=("a", "b"), scale={}, lower=lower)
    assert found.ground == ground
    wanted = values or np.std(y_NB, axis=0, ddof=1)
    np.testing.assert_allclose(list(found.values.values()), wanted)


@pytest.mark.parametrize(
    ("scale", "ground", "values"),
    [
        ({"MME": 2800.0}, "stated", (1, 100, 2800)),
        ({"a": 1.0, "b": 100.0, "MME": 2000.0}, "stated", (1, 100, 2000)),
        ({"a": 1.0}, "spread", None),  # what a full score of MME is, nobody said
    ],
)
def test_full_scores_that_the_user_gives(scale: dict[str, float], ground: str, values: tuple[float, ...] | None):
    y_NB = np.array((SHARES, PERCENT, MME)).T
    found = divisors(y_NB, benchmarks=("a", "b", "MME"), scale=scale)
    assert found.ground == ground
    if values is not None:
        assert tuple(found.values.values()) == values


X_ND = np.random.default_rng(0).dirichlet(np.ones(3), 16)
# The first domain helps the first benchmark and costs the second as much; the third domain helps both.
Y_NB = np.stack([0.3 + 0.2 * X_ND[:, 0] + 0.3 * X_ND[:, 2], 0.5 - 0.2 * X_ND[:, 0] + 0.3 * X_ND[:, 2]], axis=1)
Y_NB = Y_NB + np.random.default_rng(1).normal(0, 0.002, Y_NB.shape)


def best(y_NB: np.ndarray, scale: dict[str, float] | None = None) -> tuple[np.ndarray, str]:
    fitted = fit(Runs.of(X_ND, y_NB=y_NB, scale=scale), surrogate="gp")
    found = recommend(fitted)
    return np.array(found.mixture.weights), " ".join(found.notes)


def test_the_unit_of_a_column_does_not_change_the_answer():
    wanted_D, notes = best(Y_NB)
    assert "unlike" not in notes
    for factors, says in (((1, 100), "percent divided by 100"), ((1, 2000), "divided by their standard deviation")):
        found_D, notes = best(Y_NB * factors)
        assert says in notes
        assert "b2 by " in notes or "b2 " in notes
        np.testing.assert_allclose(found_D, wanted_D, atol=0.06)
    found_D, notes = best(Y_NB * (1, 2000), scale={"b2": 2000.0})
    assert "aggregate averages scores divided by their scale: b1 by 1, b2 by 2e+03" in notes
    np.testing.assert_allclose(found_D, wanted_D, atol=0.02)


def test_the_aggregate_of_shares_and_percent_is_in_shares():
    fitted = fit(Runs.of(X_ND, y_NB=Y_NB * (1, 100)), surrogate="mean")
    np.testing.assert_allclose(
        fitted.predict(X_ND[:1]).mean_NK[0], [*Y_NB.mean(axis=0) * (1, 100), Y_NB.mean()], rtol=1e-9
    )


def test_weights_of_the_user_count_scores_as_they_stand_and_a_word_says_what_decides():
    runs = Runs.of(X_ND, y_NB=Y_NB * (1, 100))
    fitted = fit(runs, surrogate="mean", aggregates={"mine": {"b1": 1, "b2": 1}})
    assert fitted.aggregates[0].weights == {"b1": 0.5, "b2": 0.5}
    assert any("b2 makes 100% of the variance of mine" in note for note in fitted.notes)
    fitted = fit(runs, surrogate="mean", aggregates={"mine": {"b1": 100, "b2": 1}})
    assert not any("variance" in note for note in fitted.notes)
    stated = Runs.of(X_ND, y_NB=Y_NB * (1, 100), scale={"b2": 100.0})
    fitted = fit(stated, surrogate="mean", aggregates={"mine": {"b1": 1, "b2": 3}})
    assert fitted.aggregates[0].weights == {"b1": 0.25, "b2": 0.0075}


def test_strategies_judge_by_the_same_aggregate():
    runs = Runs.of(X_ND, y_NB=Y_NB * (1, 100))
    weights = Goal().settled(runs).aggregates["aggregate"]
    assert weights["b1"] / weights["b2"] == pytest.approx(100)
    (note,) = Goal().comparable(runs)[1]
    assert "percent divided by 100" in note


@pytest.mark.parametrize(
    ("scale", "says"),
    [
        ({"b3": 1.0}, "scale of unknown benchmark 'b3'; known: b1, b2"),
        ({"b2": 20.0}, r"scale of b2 is 20, but its scores go up to \d"),
        ({"b1": -1.0}, "greater than 0"),
    ],
)
def test_full_scores_that_cannot_be(scale: dict[str, float], says: str):
    with pytest.raises(ModomodoError, match=says):
        Runs.of(X_ND, y_NB=Y_NB * (1, 100), scale=scale)


def test_a_full_score_bounds_predictions():
    fitted = fit(Runs.of(X_ND, y_NB=Y_NB * (1, 100), scale={"b2": 100.0}), surrogate="mean")
    assert fitted.columns.bounds_K2[1].tolist() == [0.0, 100.0]
    assert any("b2 stay inside [0, 100]" in note for note in fitted.notes)


def columns(path: Path, names: tuple[str, ...] | None = None) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the names and the scores [N, B] of a CSV: those of `names`, or all but the first column."""
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    names = names or tuple(lines[0])[1:]
    return names, np.array([[float(line[name]) for name in names] for line in lines])


REAL = {
    "regmix train": (DATA / "regmix/1m_train/outcomes.csv", None),
    "regmix test": (DATA / "regmix/1m_test/outcomes.csv", None),
    "paper": (DATA / "modomodo_table2.csv", ("LISA", "SAT", "ScienceQA", "ChartQA", "InfoVQA", "MathVista", "MMMU")),
    "nano": (ROOT / "benchmarks/results/nano_world.csv", ("charts", "infographic", "maths", "general")),
    "example": (ROOT / "examples/runs.csv", tuple(f"score.{name}" for name in ("charts", "infographic", "maths"))),
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("percent", [False, True])
def test_no_alarm_on_real_tables(name: str, percent: bool):
    path, names = REAL[name]
    if not path.is_file():
        pytest.skip(f"no published tables at {DATA}")
    names, y_NB = columns(path, names)
    y_NB = y_NB * 100 if percent else y_NB
    for lower in ((), names) if "regmix" in name else ((),):
        assert divisors(y_NB, benchmarks=names, scale={}, lower=lower).ground == "alike"
    rng = np.random.default_rng(0)
    for rows in (range(len(y_NB)), *(rng.choice(len(y_NB), 10, replace=False) for _ in range(30))):
        for y_N in y_NB[list(rows)].T:
            assert odd_scores(y_N) == {}
            assert not many_zeros(y_N).any()


def test_no_alarm_on_made_up_landscapes():
    for kind in landscapes.KINDS:
        for seed in range(10):
            rng = np.random.default_rng(seed)
            one = landscapes.landscape(kind, domains=5, benchmarks=3, seed=seed)
            y_NB = one.observe(rng.dirichlet(np.full(5, 0.7), 16), rng)
            assert divisors(y_NB, benchmarks=("a", "b", "c"), scale={}).ground == "alike"
