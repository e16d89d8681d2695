"""recommend: the maximum of the posterior mean within caps, and what is said of it; D = 3, B = 2."""

import json

import numpy as np
import pytest

from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.mixing import Fitted, Runs, fit
from modomodo.mixing.confirmation import detectable_difference, seeds_to_find
from modomodo.mixing.recommendation import Recommendation, recommend

OPTIMUM = np.array([0.15, 0.6, 0.25])


def runs_of(
    noise: float, strength: float = 0.3, sign: float = 1.0, count: int = 20, optimum: np.ndarray = OPTIMUM
) -> Runs:
    rng = np.random.default_rng(3)
    X_ND = np.vstack([np.full((1, 3), 1 / 3), np.eye(3), rng.dirichlet(np.ones(3), count - 4)])
    bowl_N = -strength * np.square(np.sqrt(X_ND) - np.sqrt(optimum)).sum(axis=1)
    y_NB = np.stack([0.7 + bowl_N, 0.5 + 0.8 * bowl_N], axis=1) * sign + noise * rng.normal(size=(count, 2))
    unknown, none = np.full((count, 2), np.nan), (None,) * count
    labels = tuple(f"run {n}" for n in range(count))
    return Runs(("a", "b", "c"), ("chart", "info"), X_ND, y_NB, unknown, unknown, none, none, labels)


@pytest.fixture(scope="module")
def clear() -> Fitted:
    return fit(runs_of(0.001))


def grid() -> np.ndarray:
    first, second = np.meshgrid(np.linspace(0, 1, 61), np.linspace(0, 1, 61))
    X_ND = np.stack([first.ravel(), second.ravel(), 1 - first.ravel() - second.ravel()], axis=1)
    return X_ND[X_ND[:, 2] >= 0]


def test_finds_the_optimum_off_the_centre(clear: Fitted):
    found = recommend(clear)
    best_D = found.mixture.vector(("a", "b", "c"))
    assert np.abs(best_D - OPTIMUM).max() < 0.06
    assert found.forecasts["aggregate"].mean >= clear.mean(grid(), name="aggregate").max() - 1e-9
    assert found.distinguishable
    assert found.probability > 0.95
    assert found.gain_lo90 < 0.3 * 0.9 * _bowl(np.full(3, 1 / 3)) < found.gain_hi90
    assert found.sentence.startswith("Train on a=0.1")
    assert 0 <= found.distance < 0.3


def _bowl(x_D: np.ndarray) -> float:
    return float(np.square(np.sqrt(x_D) - np.sqrt(OPTIMUM)).sum())


def test_is_deterministic_and_nearly_free_of_the_seed(clear: Fitted):
    assert recommend(clear) == recommend(clear)
    assert recommend(clear, seed=1).mixture.distance(recommend(clear, seed=2).mixture) < 1e-3


def test_stays_inside_caps(clear: Fitted):
    found = recommend(clear, caps={"b": (0.0, 0.35), "a": (0.25, 1.0)})
    weights = found.mixture.as_dict()
    assert weights["b"] <= 0.35
    assert weights["a"] >= 0.25
    assert weights["b"] == pytest.approx(0.35, abs=1e-3)
    assert sum(weights.values()) == pytest.approx(1, abs=1e-9)
    fixed = recommend(clear, caps={"a": (0.5, 0.5), "b": (0.5, 0.5)})
    assert fixed.mixture.as_dict() == pytest.approx({"a": 0.5, "b": 0.5, "c": 0.0}, abs=1e-9)
    assert fixed.sentence.startswith("No mixture within the caps is expected to beat equal shares")


def test_parsimony_gives_the_simplest_mixture_within_the_loss():
    """Leaving `a` out costs about .01; equal shares cost about .07."""
    fitted = fit(runs_of(0.001, optimum=np.array([0.03, 0.72, 0.25])))
    best = recommend(fitted)
    assert recommend(fitted, parsimony=1e-9).mixture == best.mixture
    assert min(best.mixture.weights) > 0
    simple = recommend(fitted, parsimony=0.03)
    assert [weight > 0 for weight in simple.mixture.weights] == [False, True, True]
    assert best.gain - 0.03 <= simple.gain < best.gain
    assert simple.given_up == 0.03
    equal = recommend(fitted, parsimony=0.1)
    assert equal.mixture.distance(Mixture.uniform(("a", "b", "c"))) < 1e-9
    assert "by more than the 0.1 that you give up" in equal.sentence
    capped = recommend(fitted, parsimony=0.03, caps={"a": (0.02, 1.0)})
    assert min(capped.mixture.weights) >= 0.02
    with pytest.raises(ModomodoError, match="parsimony is -1"):
        recommend(fitted, parsimony=-1)


def test_says_how_many_more_runs_find_the_gain():
    runs = runs_of(0.03, strength=0.2, count=10)
    fitted = fit(runs, surrogate="gp")
    found = recommend(fitted)
    assert not found.distinguishable
    assert found.more_runs is not None
    assert f"{found.more_runs} further runs" in found.sentence
    table = fitted.predict(np.vstack([m.vector(fitted.runs.domains) for m in (found.mixture, found.reference)]))
    column = fitted.index(found.objective)
    noise = float(np.sqrt(np.mean(table.sd_NK[:, column] ** 2 - table.sd_mean_NK[:, column] ** 2)))
    seeds = found.more_runs // 2
    assert detectable_difference(noise, seeds=seeds) <= found.to_find < detectable_difference(noise, seeds=seeds - 1)
    assert recommend(fit(runs_of(0.001))).more_runs == 0
    assert recommend(fit(runs, surrogate="mean")).more_runs is None


@pytest.mark.parametrize("gain", [0.2, 0.1, 0.06, 0.02])
def test_seeds_that_find_a_gain_are_the_fewest(gain):
    seeds = seeds_to_find(gain, 0.02, most=64)
    assert seeds == next(few for few in range(2, 65) if detectable_difference(0.02, seeds=few) <= gain)


@pytest.mark.parametrize("gain", [0.001, 0.0, -0.1])
def test_no_seeds_find_what_is_too_small_or_no_gain(gain):
    assert seeds_to_find(gain, 0.02, most=64) is None


def test_lower_is_better():
    found = recommend(fit(runs_of(0.001, sign=-1.0), direction="lower"))
    assert np.abs(found.mixture.vector(("a", "b", "c")) - OPTIMUM).max() < 0.06
    assert found.gain > 0
    assert "lower scores are better" in found.sentence


def test_pure_noise_is_not_distinguishable():
    found = recommend(fit(runs_of(0.02, strength=0.0, count=12)))
    assert not found.distinguishable
    assert found.gain >= 0
    assert found.sentence.startswith("Not distinguishable from equal shares")


def test_a_flat_surrogate_keeps_the_reference(clear: Fitted):
    fitted = fit(runs_of(0.01), surrogate="mean")
    found = recommend(fitted)
    assert found.mixture.distance(Mixture.uniform(("a", "b", "c"))) < 1e-9
    assert (found.gain, found.probability) == (0, 0.5)
    assert found.sentence.endswith("keep it.")
    other = Mixture.of({"a": 0.2, "b": 0.2, "c": 0.6})
    assert recommend(fitted, reference=other).mixture.distance(other) < 1e-9


def test_objective_may_be_a_benchmark_and_the_reference_any_mixture(clear: Fitted):
    single = Mixture.single("a", ("a", "b", "c"))
    found = recommend(clear, objective="info", reference=single)
    assert found.objective == "info"
    assert found.gain > recommend(clear, objective="info").gain
    assert "the reference (a=1, b=0, c=0)" in found.sentence
    alone = recommend(clear, reference=Mixture.of({"a": 1.0}))  # equal weights, but not equal shares
    assert "equal shares" not in alone.sentence


def test_is_json_and_comes_back(clear: Fitted):
    found = recommend(clear, caps={"a": (0.1, 0.5)})
    data = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert data["version"] == 1
    assert data["caps"] == {"a": [0.1, 0.5]}
    assert set(data["forecasts"]) == {"chart", "info", "aggregate"}
    assert Recommendation.from_dict(data) == found
    with pytest.raises(ModomodoError, match="version 2"):
        Recommendation.from_dict(data | {"version": 2})
    with pytest.raises(ModomodoError, match=r"here\.json is damaged \(gain: .*delete it"):
        Recommendation.from_dict(data | {"gain": "much"}, where="here.json")


def test_refuses_caps_that_cannot_be(clear: Fitted):
    for caps, says in (
        ({"d": (0.0, 1.0)}, "unknown domain 'd'"),
        ({"a": (0.5, 0.2)}, "min <= max"),
        ({"a": (0.6, 1.0), "b": (0.6, 1.0)}, "least weights sum to 1.2"),
        ({"a": (0.0, 0.3), "b": (0.0, 0.3), "c": (0.0, 0.3)}, "greatest to 0.9"),
    ):
        with pytest.raises(ModomodoError, match=says):
            recommend(clear, caps=caps)
    with pytest.raises(ModomodoError, match="unknown benchmark or aggregate 'cart'; did you mean chart"):
        recommend(clear, objective="cart")
