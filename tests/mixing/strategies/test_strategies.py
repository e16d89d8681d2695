"""What holds for every strategy; RegMix and Olmix on landscapes that suit them."""

from dataclasses import replace

import numpy as np
import pytest
from small_tables import OPTIMUM, table

from modomodo.core.errors import ModomodoError
from modomodo.mixing.strategies import STRATEGIES, Goal, base
from modomodo.mixing.strategies.base import subset
from modomodo.mixing.strategies.olmix import Olmix, errors_of, exact
from modomodo.mixing.strategies.regmix import RegMix

NEEDS = {"regmix": "lightgbm", "olmix": "cvxpy"}
GOAL = Goal(objective="out", inside="in")
WANTS_SEEDS = {name for name, strategy in STRATEGIES.items() if strategy.learns_from == "seed set"}


@pytest.mark.parametrize("name", STRATEGIES)
def test_contract(make_pool, name):
    pytest.importorskip(NEEDS.get(name, "numpy"))
    runs = make_pool()
    goal = replace(GOAL, caps={"b": (0.1, 0.45), "c": (0.2, 1.0)})
    one, other = (STRATEGIES[name].choose(runs, goal=goal, seed=7) for _ in range(2))
    assert one.mixture == other.mixture
    assert one.mixture.domains == runs.domains
    _, b, c = one.mixture.weights
    assert 0.1 <= b <= 0.45
    assert c >= 0.2
    if one.score is not None and other.score is not None:
        np.testing.assert_array_equal(one.score(runs.X_ND), other.score(runs.X_ND))
        # A prediction belongs to the mixture, not to its place in the table.
        np.testing.assert_allclose(one.score(runs.X_ND[::-1])[::-1], one.score(runs.X_ND), atol=1e-9)
    assert (one.score is None) == (name in {*WANTS_SEEDS, "equal", "best-run"})


@pytest.mark.parametrize("name", ["ours", "olmix", "regmix", "quadsurface"])
def test_predictions_rise_with_goodness_in_either_direction(make_pool, name):
    pytest.importorskip(NEEDS.get(name, "numpy"))
    runs = make_pool(count=60)
    flipped = replace(runs, y_NB=1 - runs.y_NB)
    for table_, goal in ((runs, GOAL), (flipped, replace(GOAL, direction="lower"))):
        choice = STRATEGIES[name].choose(table_, goal=goal, seed=0)
        assert choice.score is not None
        assert np.corrcoef(choice.score(runs.X_ND), runs.y_NB[:, 0])[0, 1] > 0.4


@pytest.mark.parametrize("name", ["ours", "regmix"])
def test_search_comes_near_the_optimum(make_pool, name):
    pytest.importorskip(NEEDS.get(name, "numpy"))
    found = STRATEGIES[name].choose(make_pool(count=80), goal=GOAL, seed=0).mixture.weights
    assert np.abs(np.array(found) - OPTIMUM).sum() / 2 < 0.2


def test_the_best_run_is_that_of_the_best_mean(make_pool):
    runs = subset(make_pool(), range(4))
    X_ND = runs.X_ND[[0, 0, 1, 1]]
    y_NB = np.repeat([[0.9], [0.1], [0.6], [0.7]], len(runs.benchmarks), axis=1)
    found = STRATEGIES["best-run"].choose(replace(runs, X_ND=X_ND, y_NB=y_NB), goal=GOAL, seed=0)
    np.testing.assert_allclose(found.mixture.weights, X_ND[2])


def test_regmix_averages_its_best_candidates(make_pool):
    pytest.importorskip("lightgbm")
    runs = make_pool(count=60)
    few = RegMix(candidates=2000, best=1).choose(runs, goal=GOAL, seed=1)
    many = RegMix(candidates=2000, best=2000).choose(runs, goal=GOAL, seed=1)
    np.testing.assert_allclose(many.mixture.weights, runs.X_ND.mean(axis=0), atol=0.03)
    assert few.score is not None
    ends_ND = np.array([few.mixture.weights, many.mixture.weights])
    assert few.score(ends_ND)[0] >= few.score(ends_ND)[1]


@pytest.mark.parametrize("limits_2D", [[[0, 0, 0], [1, 1, 1]], [[0.1, 0, 0], [1, 0.35, 0.5]]])
def test_olmix_solves_exactly(limits_2D):
    pytest.importorskip("cvxpy")
    a_B, t_BD = np.array([0.7, 0.3]), np.array([[0.5, -2.0, 0.1], [-1.0, 0.3, 0.4]])
    prior_D, limits_2D = np.array([0.5, 0.2, 0.3]), np.array(limits_2D, dtype=float)

    def value(X_ND: np.ndarray) -> np.ndarray:
        kl_N = (X_ND * np.log(np.maximum(X_ND, 1e-300) / prior_D)).sum(axis=1)
        return np.exp(X_ND @ t_BD.T) @ a_B + 0.05 * kl_N

    found_D = exact(a_B, t_BD=t_BD, prior_D=prior_D, limits_2D=limits_2D)
    steps = np.arange(401) / 400
    grid_ND = np.array([[x, y, 1 - x - y] for x in steps for y in steps if x + y <= 1 + 1e-12])
    grid_ND = grid_ND[((grid_ND >= limits_2D[0] - 1e-12) & (grid_ND <= limits_2D[1] + 1e-12)).all(axis=1)]
    best_D = grid_ND[int(np.argmin(value(np.maximum(grid_ND, 0))))]
    np.testing.assert_allclose(found_D, best_D, atol=1 / 400)
    assert value(found_D[None])[0] <= value(np.maximum(best_D, 0)[None])[0] + 1e-9
    assert (found_D >= limits_2D[0]).all()
    assert (found_D <= limits_2D[1]).all()


def test_olmix_learns_its_own_law():
    pytest.importorskip("cvxpy")
    rng = np.random.default_rng(0)
    X_ND = rng.dirichlet(np.ones(3), 40)
    t_BD = np.array([[0.2, -1.5, 0.1], [-0.8, 0.1, 0.2]])
    runs = table(X_ND, 1 - (0.1 + 0.5 * np.exp(X_ND @ t_BD.T)))
    goal = Goal(aggregates={"both": {"out": 3.0, "in": 1.0}})
    choice = Olmix(kl=1e-6).choose(runs, goal=goal, seed=0)
    wanted_D = exact(
        np.array([3 / 4, 1 / 4]), t_BD=t_BD, prior_D=np.full(3, 1 / 3), limits_2D=np.array([[0.0] * 3, [1.0] * 3]), kl=0
    )
    np.testing.assert_allclose(choice.mixture.weights, wanted_D, atol=0.03)
    assert choice.score is not None
    good_N = goal.goodness(runs)
    np.testing.assert_allclose(choice.score(X_ND) - choice.score(X_ND).mean(), good_N - good_N.mean(), atol=0.005)


def test_errors_are_positive_and_fall_with_goodness():
    assert errors_of(np.array([2.0, 3.0]), lower=True).tolist() == [2, 3]
    assert errors_of(np.array([0.25, 1.0]), lower=False).tolist() == [0.75, 0]
    assert errors_of(np.array([10.0, 30.0]), lower=False).tolist() == [40, 20]
    assert errors_of(np.array([-1.0, 2.0]), lower=True).tolist() == [3, 6]


@pytest.mark.parametrize("name", NEEDS)
def test_a_missing_package_is_named_with_its_extra(make_pool, name, monkeypatch):
    monkeypatch.setattr(base, "find_spec", lambda package: None)
    extra = {"regmix": "trees", "olmix": "convex"}[name]
    with pytest.raises(ModomodoError, match=rf"needs {NEEDS[name]}.*modomodo\[{extra}\]"):
        STRATEGIES[name].choose(make_pool(), goal=GOAL, seed=0)
