"""The Pareto front of two aggregates."""

import numpy as np
import pytest

from modomodo.core.errors import ModomodoError
from modomodo.mixing import Fitted, Runs, fit
from modomodo.mixing.tradeoff import trade_off


@pytest.fixture(scope="module")
def rivals() -> Fitted:
    """One benchmark wants the first domain, the other the second; nobody wants the third."""
    X_ND = np.random.default_rng(0).dirichlet(np.ones(3), 24)
    y_NB = np.stack([np.sqrt(X_ND[:, 0]), 3 - np.sqrt(X_ND[:, 1])], axis=1)
    return fit(Runs.of(X_ND, y_NB=y_NB), direction={"b2": "lower"}, aggregates={"first": {"b1": 1.0}}, surrogate="gp")


def test_front_goes_from_one_best_to_the_other_and_nothing_on_it_is_beaten(rivals: Fitted):
    front = trade_off(rivals, names=("b1", "b2"))
    assert len(front) >= 5
    first, second = ([point.mean[name] for point in front] for name in ("b1", "b2"))
    assert first == sorted(first, reverse=True)
    assert second == sorted(second, reverse=True)  # lower is better, and better comes last
    assert front[0].mixture.as_dict()["d1"] > 0.8
    assert front[-1].mixture.as_dict()["d2"] > 0.8
    assert max(point.mixture.as_dict()["d3"] for point in front) < 0.1
    assert all(sd > 0 for point in front for sd in point.sd_mean.values())
    assert front == trade_off(rivals, names=("b1", "b2"))


def test_front_stays_inside_caps(rivals: Fitted):
    for point in trade_off(rivals, names=("b1", "b2"), caps={"d3": (0.2, 1.0), "d1": (0.0, 0.5)}):
        weights = point.mixture.as_dict()
        assert weights["d3"] >= 0.2 - 1e-9
        assert weights["d1"] <= 0.5 + 1e-9


def test_two_sides_are_needed(rivals: Fitted):
    with pytest.raises(ModomodoError, match="both 'b1'"):
        trade_off(rivals, names=("b1", "b1"))
    with pytest.raises(ModomodoError, match="unknown benchmark or aggregate 'b9'"):
        trade_off(rivals, names=("b1", "b9"))
