"""The joint posterior of many mixtures, and noisy expected improvement on it; D = 3, B = 2."""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest

from modomodo.mixing import Runs, fit
from modomodo.mixing.improvement import most_improving

QUERY_ND = np.random.default_rng(1).dirichlet(np.ones(3), 6)
ROWS = np.arange(4)


@pytest.mark.parametrize("surrogate", ["gp", "quadratic", "ensemble", "paper", "mean"])
def test_joint_agrees_with_predict_and_with_difference(surrogate: str, make_runs: Callable[..., Runs]):
    fitted = fit(make_runs(14, 0.02), surrogate=surrogate, aggregates={"mix": {"chart": 3, "info": 1}})
    table = fitted.predict(QUERY_ND)
    for name in ("chart", "mix"):
        mean_N, covariance_NN = fitted.joint(QUERY_ND, name=name)
        column = fitted.index(name)
        np.testing.assert_allclose(mean_N, table.mean_NK[:, column])
        np.testing.assert_allclose(np.sqrt(np.diag(covariance_NN)), table.sd_mean_NK[:, column], rtol=1e-6)
        assert np.linalg.eigvalsh(covariance_NN)[0] > -1e-9 * covariance_NN.max()
        contrast_N = np.array([1.0, 0, -1.0, 0, 0, 0])
        _, sd = fitted.difference(QUERY_ND[[0, 2]], name=name)
        assert np.sqrt(max(contrast_N @ covariance_NN @ contrast_N, 0)) == pytest.approx(sd, rel=0.1, abs=1e-5)


def test_improvement_has_its_closed_form_where_the_best_is_known():
    mean_N, sd_N = np.array([0.5, 0.4, 0.45, 0.2]), np.array([0.0, 0.2, 0.05, 0.01])
    picks = most_improving(mean_N, covariance_NN=np.diag(sd_N**2), known=ROWS[:1], choices=ROWS[1:], batch=3, seed=0)
    assert [row for row, _ in picks] == [1, 2, 3]
    u = (0.4 - 0.5) / 0.2
    expected = 0.2 * (u * NormalDist().cdf(u) + NormalDist().pdf(u))
    assert picks[0][1] == pytest.approx(expected, rel=0.02)
    assert picks[1][1] < picks[0][1]


def test_a_lucky_run_is_no_bar_and_a_twin_adds_nothing():
    """What is known of the known row matters, not the score it had; a choice that goes with the first pick waits."""
    covariance_NN = np.array([[0.04, 0, 0, 0], [0, 0.04, 0.0399, 0], [0, 0.0399, 0.04, 0], [0, 0, 0, 0.01]])
    mean_N = np.array([0.5, 0.5, 0.499, 0.5])
    picks = most_improving(mean_N, covariance_NN=covariance_NN, known=ROWS[:1], choices=ROWS[1:], batch=2, seed=0)
    assert [row for row, _ in picks] == [1, 3]
    assert picks[0][1] == pytest.approx(np.sqrt(0.08) * NormalDist().pdf(0), rel=0.02)


def test_is_deterministic_and_bounded_by_the_choices():
    ask = {"covariance_NN": np.eye(4), "known": ROWS[:2], "choices": ROWS[2:], "batch": 5, "seed": 3}
    first = most_improving(np.zeros(4), **ask)
    assert first == most_improving(np.zeros(4), **ask)
    assert sorted(row for row, _ in first) == [2, 3]
    assert most_improving(np.zeros(4), **(ask | {"covariance_NN": np.zeros((4, 4))}))[0][1] < 1e-2
