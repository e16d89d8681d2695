"""Scores that do not go with the rest of their column, and columns that look odd and are not."""

import numpy as np
import pytest

from modomodo.mixing.tables.odd_scores import many_zeros, odd_scores

SHARES = (0.60, 0.56, 0.39, 0.68, 0.49, 0.47, 0.53, 0.58)


@pytest.mark.parametrize(
    ("scores", "odd", "says"),
    [
        ((*SHARES, 67.55, 46.88), (8, 9), "67.55 among scores of 0.39 to 0.68: shares beside percent?"),
        ((*SHARES, 6.5), (8,), "shares beside percent?"),
        ((0.61, 61.2, 55.0, 48.1, 60.3), (0,), "0.61 among scores of 48.1 to 61.2"),
        ((*SHARES, 0.0), (8,), "0 among scores of 0.39 to 0.68: a failed evaluation?"),
        ((*SHARES, 0.001), (8,), "0.001 among scores of 0.39 to 0.68: a failed evaluation?"),
        ((61.2, 0.0, 55.0, 48.1, 60.3), (1,), "a failed evaluation?"),
        ((2.1, 0.0, 2.5, 2.3, 2.2), (1,), "a failed evaluation?"),
        ((*SHARES, -1.0), (8,), "-1 among scores of 0.39 to 0.68: no score?"),
        ((*SHARES, 999.0), (8,), "999 among"),
        ((58.3, 61.2, 55.0, 48.1, 583.0), (4,), "another scale?"),
        ((1432.0, 1683.0, 0.0, 1550.0, 1601.0), (2,), "a failed evaluation?"),
        ((1432.0, 1683.0, 155000.0, 1550.0, 1601.0), (2,), "155000 among scores of 1432 to 1683: another scale?"),
        ((*SHARES, 0.0, 67.55), (8, 9), "0 among scores of 0.39 to 0.68: a failed evaluation?"),
    ],
)
def test_odd_scores_are_found(scores: tuple[float, ...], odd: tuple[int, ...], says: str):
    found = odd_scores(np.array(scores))
    assert tuple(found) == odd
    assert says in found[odd[0]]


@pytest.mark.parametrize(
    "scores",
    [
        SHARES,
        (0.0253, 0.0258, 0.4284, 0.0486, 0.7828, 0.7209),  # a skill that some runs lack
        (0.0, 0.0333, 0.0667, 0.0333, 0.1, 0.0667),  # 30 items, hard ones
        (0.0, 0.05, 0.6, 0.5, 0.55),  # runs without it score next to nothing
        (0.95, 1.05, 1.2, 0.83, 1.4),  # losses around 1
        (0.9, 3.0, 11.0, 40.0, 62.0),  # percent of a skill with a wide range
        (-0.5, 0.2, -0.1, 0.4, -1.3),  # rewards
        (95.0, 101.0, 120.0, 88.0),  # points around 100
        (12.0, 15.0, 20.0, 40.0),
        (0.0, 0.0, 0.0, 0.0),
        (0.6, 0.0, 0.5),  # too few to tell
        (-1.0, -1.0, -1.0, -1.0),
    ],
)
def test_real_columns_are_not_odd(scores: tuple[float, ...]):
    assert odd_scores(np.array(scores)) == {}


def test_missing_scores_are_not_odd():
    assert odd_scores(np.array([*SHARES, np.nan])) == {}
    assert odd_scores(np.full(5, np.nan)) == {}


def test_a_known_full_score_tells_percent_from_shares():
    scores = np.array([0.8, 45.0, 60.0, 52.0, 48.0])
    assert tuple(odd_scores(scores)) == (0,)
    assert odd_scores(scores, full=100.0) == {}
    assert odd_scores(np.array([*SHARES, 0.0]), full=1.0) != {}


def test_zeros_of_many_runs_are_pointed_out_and_not_odd():
    scores = np.array([0.0, 0.0, 0.0, 0.61, 0.55, 0.39, 0.48])
    assert odd_scores(scores) == {}
    assert many_zeros(scores).tolist() == [True] * 3 + [False] * 4
