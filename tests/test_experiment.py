"""The arithmetic of the experiment's benchmarks: who is behind whom, what is merged, which pilots pay."""

import math

import numpy as np
import pandas as pd
import pytest
from cheaper import against, ties, weighted_sum
from confirmed import CHOSEN, WORLDS, chosen_rows
from experiment import at_most, behind, regrets_of, stopped
from online import pays

from modomodo.mixing.strategies import NEXT
from modomodo.mixing.strategies.grid import GridOutcome


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
    assert behind(np.array([[0.04, 0.06]]), {"olmix": regrets(0.02)}).startswith("+0.031 (")


def test_one_finished_draw_is_compared_all_the_same():
    assert behind(regrets(0.05, draws=1), {"norm": np.array([[0.01, 0.03]])}).count("+0.0") == 3


def test_published_strategies_of_n_runs_and_of_smaller_seed_sets_are_compared():
    outcomes = [
        GridOutcome(name, n, 0, 0.0, 0.1, own_regret=0.1 if name == "norm" else 0.3)
        for name, n in (("regmix", 16), ("regmix", 8), ("norm", 15))
    ]
    outcomes += [GridOutcome("ours", 16, 0, 0.0, 0.1), GridOutcome("norm", 15, 1, 0.0, 0.2, own_regret=0.2)]
    of_8 = {"regmix from 8", "regmix from 8, own mixture"}
    assert set(at_most(outcomes, 8)) == of_8
    assert set(at_most(outcomes, 16)) == {*of_8, "regmix from 16", "regmix from 16, own mixture", "norm from 15"}
    assert at_most(outcomes, 8)["regmix from 8, own mixture"][0, 0] == 0.3
    assert regrets_of(outcomes)["norm", 15].tolist() == [[0.1, 0.2]]
    assert math.isnan(regrets_of(outcomes)["ours", 16][0, 1])


def test_next_stops_where_its_gain_is_clear():
    sizes = ((6, -0.1), (8, 0.01), (11, 0.02))
    outcomes = [
        GridOutcome(NEXT, n, 0, 0.0, regret=1 / n, gain=0.1, predicted=0.1, lo90=low, hi90=0.2) for n, low in sizes
    ]
    text = stopped(outcomes, none_gains=False)
    assert "8 pilots on average (8 to 8), clear in 100%, wrongly in 0%" in text
    assert "median regret 0.125, which is +0.034 (+0.034 to +0.034) behind that without stopping" in text
    assert "clear in 100%, wrongly in 100%" in stopped(outcomes, none_gains=True)


def test_ways_are_compared_at_the_replays_that_both_have():
    one_seed_K2 = np.array([[0.1, np.nan], [0.2, np.nan]])
    assert against(one_seed_K2, {"full": np.array([[0.1, 9.0], [0.2, 9.0]])}).startswith("+0.000 ")
    assert against(one_seed_K2, {"norm": np.array([[0.05, 9.0]])}).startswith("+0.100 ")
    assert against(np.full((2, 2), np.nan), {"norm": np.array([[0.05, 9.0]])}) == ""


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
        # 28 pilots x .009 a third of a run's steps x 3, over .06, .09 and .03
        ((-0.06, -0.09, -0.03, 0.01), "13 runs (9 to 26)"),
        ((-0.06, -0.09, -0.03, 0.01), "1 runs (1 to 1)"),
        ((-0.06, -0.09, -0.03, 0.01), "not known"),
    ],
)
def test_pilots_pay_where_they_are_ahead_of_what_their_steps_would_bring(over, says):
    # A score that falls brings nothing, and one that is missing tells nothing.
    early = {"1 runs (1 to 1)": 0.5, "not known": math.nan}.get(says, 0.391)
    runs = pd.DataFrame({"steps": [30.0], "pilots": [28], "early": [early], "score.a": [0.4]})
    assert pays("dump from equal", runs, over, benchmarks=["a"]) == says


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
def test_the_mixtures_that_were_trained_are_those_that_strategies_recommend(world):
    written = pd.read_csv(CHOSEN).query("world == @world").dropna(axis="columns", how="all").reset_index(drop=True)
    written = written.drop(columns=["predicted", "lo90", "hi90"])  # said before intervals changed (docs/experiment.md)
    pd.testing.assert_frame_equal(pd.DataFrame(chosen_rows(world))[written.columns], written)
