"""The arithmetic of the experiment's benchmarks: who is behind whom, what is merged, which pilots pay."""

import math

import numpy as np
import pandas as pd
import pytest
from cheaper import ties, weighted_sum
from confirmed import CHOSEN, WORLDS, chosen_rows
from experiment import at_most, behind, regrets_of, stopped
from online import pays

from modomodo.mixing.strategies import NEXT
from modomodo.mixing.strategies.grid import GridOutcome
from modomodo.models.nano.grid import TABLE as GRID


def regrets(middle, *, draws=200, seed=0):
    return middle + 0.02 * np.random.default_rng(seed).normal(size=(draws, 2))


def test_behind_is_the_difference_from_the_best_with_an_interval_over_draws():
    text = behind(regrets(0.05), {"good": regrets(0.02, seed=1), "bad": regrets(0.09, seed=2)})
    value, low, high = (float(part.strip("()")) for part in text.replace(" to ", " ").split())
    assert low < value < high
    assert value == pytest.approx(0.03, abs=0.01)
    assert low > 0


def test_a_strategy_of_the_seed_set_has_no_draws_and_is_compared_all_the_same():
    assert behind(regrets(0.05), {"norm": np.array([[0.01, 0.03]])}).startswith("+0.029 (")


def test_one_finished_draw_is_compared_all_the_same():
    assert behind(regrets(0.05, draws=1), {"norm": np.array([[0.01, 0.03]])}).count("+0.0") == 3


def test_published_strategies_of_n_runs_and_of_smaller_seed_sets_are_compared():
    outcomes = [GridOutcome(name, n, 0, 0.0, 0.1) for name, n in (("regmix", 16), ("regmix", 8), ("norm", 15))]
    outcomes += [GridOutcome("ours", 16, 0, 0.0, 0.1), GridOutcome("norm", 15, 1, 0.0, 0.2)]
    found = regrets_of(outcomes)
    assert set(at_most(found, 16)) == {"regmix", "norm"}
    assert set(at_most(found, 8)) == {"regmix"}
    assert found["norm", 15].tolist() == [[0.1, 0.2]]
    assert math.isnan(found["ours", 16][0, 1])


def test_next_stops_where_its_gain_is_clear():
    sizes = ((6, -0.1), (8, 0.01), (11, 0.02))
    outcomes = [
        GridOutcome(NEXT, n, 0, 0.0, regret=1 / n, gain=0.1, predicted=0.1, lo90=low, hi90=0.2) for n, low in sizes
    ]
    text = stopped(outcomes)
    assert "8 pilots on average, clear in 100%, wrongly in 0%" in text
    assert "median regret 0.125; without stopping 0.091" in text


def test_ties_of_one_domain_is_its_largest_part_and_agreement_does_not_shrink_it():
    torch = pytest.importorskip("torch")
    pytest.importorskip("peft")
    one = torch.arange(1.0, 11.0)
    alone = ties(torch.stack([one, -one]), torch.tensor([1.0, 0.0]))
    assert alone.tolist() == [0.0] * 8 + [9.0, 10.0]
    assert ties(torch.stack([one, one]), torch.tensor([0.5, 0.5])).tolist() == alone.tolist()
    assert ties(torch.stack([one, -2 * one]), torch.tensor([0.6, 0.4])).tolist() == (-2 * alone).tolist()
    assert weighted_sum(torch.stack([one, -one]), torch.tensor([0.75, 0.25])).tolist() == (one / 2).tolist()


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ((0.05, 0.01, 0.09, 0.01), "never"),
        ((-0.02, -0.05, 0.01, 0.2), "not told apart"),
        ((-0.06, -0.09, -0.03, 0.01), "13 runs"),  # 28 pilots x .009 a third of a run's steps x 3, over .06
        ((-0.06, -0.09, -0.03, 0.01), "1 runs"),
    ],
)
def test_pilots_pay_where_they_are_ahead_of_what_their_steps_would_bring(over, says):
    early = 0.4 - (0.009 if says != "1 runs" else -0.1)  # a score that falls brings nothing
    runs = pd.DataFrame({"steps": [30.0], "pilots": [28], "early": [early], "score.a": [0.4]})
    assert pays("dump from equal", runs, over, benchmarks=["a"]) == says


@pytest.mark.slow
@pytest.mark.skipif(not GRID.exists(), reason="the grid is not run yet")
@pytest.mark.parametrize("world", WORLDS)
def test_the_mixtures_that_were_trained_are_those_that_strategies_recommend(world):
    written = pd.read_csv(CHOSEN).query("world == @world").dropna(axis="columns", how="all").reset_index(drop=True)
    pd.testing.assert_frame_equal(pd.DataFrame(chosen_rows(world))[written.columns], written)
