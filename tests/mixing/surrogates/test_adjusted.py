"""Permuted domains, permuted answers; and spreads that left-out errors bear out."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from modomodo.mixing import SURROGATES, Runs, fit
from modomodo.mixing.recommendation import recommend
from modomodo.mixing.surrogates.adjusted import PSEUDO_RUNS, canonical_order, spread_factor

NAMES = [name for name in sorted(SURROGATES) if name != "trees"]  # LightGBM is an extra


def test_canonical_order_does_not_depend_on_the_order():
    X_ND = np.random.default_rng(0).dirichlet(np.ones(4), 6)
    shuffled = np.array([2, 0, 3, 1])
    np.testing.assert_array_equal(
        X_ND[:, canonical_order(X_ND)], X_ND[:, shuffled][:, canonical_order(X_ND[:, shuffled])]
    )


@pytest.mark.parametrize("name", NAMES)
def test_permuted_domains_give_the_permuted_answer_to_the_last_digit(name: str, make_runs: Callable[..., Runs]):
    runs, order = make_runs(), [2, 0, 1]
    shuffled = replace(runs, domains=tuple(runs.domains[d] for d in order), X_ND=runs.X_ND[:, order])
    caps = {"b": (0.05, 0.5)}
    plain, permuted = (recommend(fit(one, surrogate=name), caps=caps) for one in (runs, shuffled))
    assert permuted.mixture.vector(runs.domains).tolist() == plain.mixture.vector(runs.domains).tolist()
    assert permuted.gain == plain.gain
    assert permuted.forecasts == plain.forecasts


def test_spread_factor_is_the_size_of_left_out_errors_held_to_one():
    assert spread_factor(np.array([[2.0, -2.0], [np.nan, 2.0], [np.nan, np.nan]])) == pytest.approx(
        np.sqrt((4 + 4 + PSEUDO_RUNS) / (2 + PSEUDO_RUNS))
    )
    many = np.full((4000, 1), 0.5)
    assert spread_factor(many) == pytest.approx(0.5, rel=0.01)


def test_spreads_fit_left_out_errors_and_a_note_says_so(make_runs: Callable[..., Runs]):
    runs = make_runs(30, 0.03)
    fitted = fit(runs)
    z_NB = (runs.y_NB - fitted.left_out.mean_NK[:, :2]) / fitted.left_out.sd_NK[:, :2]
    assert np.sqrt(np.mean(z_NB**2)) == pytest.approx(1, abs=0.1)
    assert any("spreads are multiplied by" in note for note in fitted.notes)


def test_intervals_of_one_run_hold_what_they_promise_on_unlike_landscapes():
    rng, inside = np.random.default_rng(3), list[float]()
    for trial in range(6):
        gain_D, power = rng.dirichlet(np.ones(4)), (0.3, 1.0)[trial % 2]
        X_ND, new_ND = rng.dirichlet(np.ones(4), 16), rng.dirichlet(np.ones(4), 100)
        y_N, new_N = (points**power @ gain_D + 0.03 * rng.normal(size=len(points)) for points in (X_ND, new_ND))
        low_NK, high_NK = fit(Runs.of(X_ND, y_NB=y_N[:, None])).predict(new_ND).interval(0.9)
        inside.append(float(np.mean((new_N >= low_NK[:, 0]) & (new_N <= high_NK[:, 0]))))
    assert 0.8 < np.mean(inside) < 0.97
