"""Runs of several lengths: short runs tell of long ones as far as the data say so."""

from dataclasses import replace

import numpy as np
import pytest

from modomodo.core.errors import ModomodoError
from modomodo.mixing import Runs, fit
from modomodo.mixing.validation import spearman

GAIN_D, OTHER_D = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.05, 0.1, 0.25, 0.6])


def runs_of_two_lengths(agreement: float) -> Runs:
    """8 long runs and 24 short ones, which score lower and see `agreement` of what the long ones see."""
    rng = np.random.default_rng(5)
    X_ND = rng.dirichlet(np.full(4, 0.7), 32)
    long_N, short_N = np.sqrt(X_ND) @ GAIN_D, np.sqrt(X_ND) @ (agreement * GAIN_D + (1 - agreement) * OTHER_D)
    y_N = np.where(np.arange(32) < 8, long_N, short_N - 0.3) + 0.01 * rng.normal(size=32)
    return replace(Runs.of(X_ND, y_NB=y_N[:, None]), steps_N=(2000,) * 8 + (500,) * 24)


def quality(runs: Runs) -> float:
    new_ND = np.random.default_rng(6).dirichlet(np.full(4, 0.7), 200)
    return spearman(fit(runs).mean(new_ND, name="b1"), np.sqrt(new_ND) @ GAIN_D)


def long_ones(runs: Runs) -> Runs:
    return Runs.of(runs.X_ND[:8], y_NB=runs.y_NB[:8])


def test_short_runs_help_where_they_agree_and_do_little_harm_where_not():
    alike, unlike = runs_of_two_lengths(0.95), runs_of_two_lengths(0.0)
    assert quality(alike) > max(quality(long_ones(alike)) + 0.02, 0.93)
    assert quality(unlike) > quality(long_ones(unlike)) - 0.1


def test_predictions_are_for_the_longest_or_the_steps_asked_for():
    runs = runs_of_two_lengths(0.95)
    long, short = fit(runs), fit(runs, steps=500)
    assert any("predictions are for 2000 steps" in note for note in long.notes)
    drop = np.mean(long.mean(runs.X_ND, name="b1") - short.mean(runs.X_ND, name="b1"))
    assert 0.2 < drop < 0.4


def test_other_methods_say_that_they_ignore_length():
    with pytest.warns(UserWarning, match="runs have 500 to 2000 steps: the fit ignores length"):
        fit(runs_of_two_lengths(0.95), surrogate="linear")


def test_steps_need_a_column():
    with pytest.raises(ModomodoError, match="add a column steps"):
        fit(long_ones(runs_of_two_lengths(0.5)), steps=500)
