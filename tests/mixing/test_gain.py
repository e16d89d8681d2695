"""gain: several judges, each as much as it foresaw left-out runs; N = 14, D = 3, B = 2."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from modomodo.mixing import SURROGATES, Runs, fit, recommend
from modomodo.mixing.gain import UNTOLD, Gain, gain_of, judges_weights

PAIR_ND = np.array([[0.15, 0.6, 0.25], [1 / 3, 1 / 3, 1 / 3]])


def noise(rng: np.random.Generator, count: int = 12) -> Runs:
    return Runs.of(rng.dirichlet(np.ones(4), count), y_NB=0.5 + 0.02 * rng.normal(size=(count, 2)))


def test_a_gain_is_found_and_turns_with_direction_and_order(make_runs: Callable[..., Runs]):
    runs = make_runs(20)
    fitted = fit(runs)
    gain = gain_of(fitted, PAIR_ND, name="chart")
    assert gain.low < 0.3 * np.square(np.sqrt(PAIR_ND[1]) - np.sqrt(PAIR_ND[0])).sum() < gain.high
    assert 0 < gain.low < gain.mean < gain.high
    assert gain.probability > 0.95
    back = gain_of(fitted, PAIR_ND[::-1], name="chart")
    lower = gain_of(fit(replace(runs, y_NB=-runs.y_NB), direction="lower"), PAIR_ND, name="chart")
    assert (back.mean, back.low, back.high) == pytest.approx((-gain.mean, -gain.high, -gain.low))
    assert (lower.mean, lower.low, lower.high) == pytest.approx((gain.mean, gain.low, gain.high), rel=0.05)


def test_a_mixture_beside_itself_gains_nothing(make_runs: Callable[..., Runs]):
    assert gain_of(fit(make_runs()), PAIR_ND[[0, 0]], name="info") == Gain(0.0, 0.0, 0.0, 0.5, 0.0)


@pytest.mark.parametrize(("surrogate", "judges"), [("ensemble", 5), ("gp", 4), ("quadratic", 2), ("mean", 2)])
def test_judges_are_the_members_others_beside_a_process_and_the_mean(
    surrogate: str, judges: int, make_runs: Callable[..., Runs]
):
    fitted = fit(make_runs(), surrogate=surrogate)
    assert len(fitted.judges) == judges
    assert fitted.judges is fitted.judges
    mean, sd = fitted.judges[-1].difference(PAIR_ND, name="chart")
    assert (mean, sd) == (0.0, pytest.approx(fitted.runs.y_NB[:, 0].std(ddof=1), rel=0.3))  # half the variance, twice
    weights_M = judges_weights(fitted, name="chart")
    assert weights_M.sum() == pytest.approx(1)
    assert (weights_M[-1] < 0.05) == (surrogate != "mean")


def test_judges_see_lengths_and_missing_scores(make_runs: Callable[..., Runs]):
    runs = make_runs(16)
    y_NB = runs.y_NB.copy()
    y_NB[2, 0] = np.nan
    with pytest.warns(UserWarning, match="1 score is missing"):
        fitted = fit(replace(runs, y_NB=y_NB, steps_N=(500,) * 8 + (1000,) * 8))
    assert len(fitted.judges) == 4
    gain = gain_of(fitted, PAIR_ND, name="aggregate")
    assert gain.low < gain.mean < gain.high


def test_without_evidence_no_gain_is_expected_and_none_ruled_out():
    fitted = fit(noise(np.random.default_rng(0), 3), surrogate="mean")
    np.testing.assert_allclose(judges_weights(fitted, name="b1"), [1 - UNTOLD, UNTOLD])
    found = gain_of(fitted, np.eye(4)[:2], name="b1")
    assert (found.mean, found.probability, found.if_any) == (0.0, pytest.approx(0.5), 0.0)
    assert found.high == pytest.approx(-found.low) != 0


def test_a_gain_that_weights_do_not_tell_is_not_ruled_out():
    """One mixture is better than all others, in a way that no surrogate can know before it runs."""
    rng = np.random.default_rng(0)
    runs = Runs.of(rng.dirichlet(np.ones(4), 12), y_NB=0.5 + 0.1 * rng.normal(size=(12, 1)))
    found = gain_of(fit(runs), np.vstack([np.full(4, 0.25), [0.4, 0.3, 0.2, 0.1]]), name="b1")
    assert found.low < -0.1 < 0.1 < found.high


def test_equal_scores_tell_nothing():
    runs = Runs.of(np.random.default_rng(0).dirichlet(np.ones(3), 8), y_NB=np.full((8, 1), 0.4))
    gain = gain_of(fit(runs), PAIR_ND, name="b1")
    assert gain.low <= 0 <= gain.high
    assert abs(gain.mean) < 1e-6


def test_every_surrogate_has_a_gain(make_runs: Callable[..., Runs]):
    for surrogate in set(SURROGATES) - {"trees"}:  # LightGBM is an extra
        gain = gain_of(fit(make_runs(), surrogate=surrogate), PAIR_ND, name="aggregate")
        assert gain.low <= gain.mean <= gain.high
        assert 0 <= gain.probability <= 1


def test_noise_is_seldom_called_a_gain():
    """The best of many mixtures is chosen for its luck: the interval of its gain has to hold 0 all the same."""
    rng, found = np.random.default_rng(1), [recommend(fit(noise(np.random.default_rng(0)), surrogate="gp"))]
    found += [recommend(fit(noise(rng), surrogate="gp")) for _ in range(9)]
    assert sum(one.distinguishable for one in found) <= 1
    assert np.mean([one.gain for one in found]) < 0.02 / np.sqrt(2) / 2
