"""The log-linear law, ours and as published: N = 40, D = 4, direction both ways."""

import numpy as np
import pytest

from modomodo.mixing.surrogates.loglinear import LogLinear, olmix_law

T_D = np.array([-4.0, 1.0, 0.5, -1.0])
X_ND = np.random.default_rng(0).dirichlet(np.ones(4), 40)
NEW_ND = np.random.default_rng(1).dirichlet(np.full(4, 3.0), 30)


def law(X_ND: np.ndarray) -> np.ndarray:
    return 2 + np.exp(X_ND @ T_D)


@pytest.mark.parametrize("sign", [1, -1])
def test_recovers_a_planted_law_and_a_failed_run_does_not_matter(sign: int):
    y_N = sign * law(X_ND)
    clean_N = LogLinear()(X_ND, y_N=y_N, seed=0)(NEW_ND)
    y_N[3] += 8 * y_N.std()
    rough_N = LogLinear()(X_ND, y_N=y_N, seed=0)(NEW_ND)
    truth_N = sign * law(NEW_ND)
    assert np.abs(clean_N - truth_N).max() < 0.05 * truth_N.std()
    assert np.sqrt(np.mean(np.square(rough_N - truth_N))) < 0.5 * truth_N.std()


def test_the_other_direction_and_other_units_change_nothing_else():
    y_N = law(X_ND) + 0.2 * np.random.default_rng(2).normal(size=40)
    plain_N = LogLinear()(X_ND, y_N=y_N, seed=0)(NEW_ND)
    turned_N = LogLinear()(X_ND, y_N=7 - 30 * y_N, seed=1)(NEW_ND)
    np.testing.assert_allclose(turned_N, 7 - 30 * plain_N, rtol=1e-4)


def test_fewer_runs_than_parameters_give_the_same_modest_law_each_time():
    rng = np.random.default_rng(3)
    few_ND, corners_ND = rng.dirichlet(np.full(17, 0.3), 12), np.eye(17)
    y_N = few_ND[:, 0] + 0.1 * rng.normal(size=12)
    found_N = LogLinear()(few_ND, y_N=y_N, seed=0)(corners_ND)
    np.testing.assert_array_equal(found_N, LogLinear()(few_ND, y_N=y_N, seed=5)(corners_ND))
    assert np.abs(found_N - y_N.mean()).max() < 20 * y_N.std()


def test_equal_scores_and_equal_mixtures_give_finite_laws():
    np.testing.assert_allclose(LogLinear()(X_ND, y_N=np.full(40, 0.1), seed=0)(NEW_ND), 0.1, atol=1e-9)
    same_ND = np.full((3, 4), 0.25)
    assert np.isfinite(LogLinear()(same_ND, y_N=np.array([0.1, 0.2, 0.4]), seed=0)(NEW_ND)).all()


def test_olmix_law_recovers_its_parameters_and_depends_on_nothing_but_its_arguments():
    log_c, t_D = olmix_law(X_ND, y_N=law(X_ND), seed=4)
    assert log_c == pytest.approx(np.log(2), abs=0.02)
    np.testing.assert_allclose(t_D, T_D, atol=0.1)
    again_c, again_D = olmix_law(X_ND, y_N=law(X_ND), seed=4)
    assert log_c == again_c
    np.testing.assert_array_equal(t_D, again_D)


def test_olmix_law_with_one_start_and_fewer_runs_than_domains_is_finite():
    log_c, t_D = olmix_law(X_ND[:3], y_N=law(X_ND[:3]), seed=0, starts=1)
    predicted_N = np.exp(log_c) + np.exp(X_ND[:3] @ t_D)
    np.testing.assert_allclose(predicted_N, law(X_ND[:3]), atol=0.05)
