"""Replicates: the scatter of runs of one mixture; D = 2, B = 1."""

import numpy as np
import pytest

from modomodo.mixing import Fitted, Runs, fit, recommend
from modomodo.mixing.replicates import PSEUDO_DIFFERENCES, replicates_of


def fitted_to(repeats: dict[float, list[float]]) -> Fitted:
    X_ND = np.array([[share, 1 - share] for share, scores in repeats.items() for _ in scores])
    return fit(Runs.of(X_ND, y_NB=np.array([[y] for scores in repeats.values() for y in scores])), surrogate="mean")


def test_spreads_are_drawn_to_the_common_one():
    with pytest.warns(UserWarning, match="1 score is missing"):
        fitted = fitted_to({0.2: [0.5, 0.7], 0.5: [0.6, 0.61, 0.62, np.nan], 0.9: [0.4]})
    calm, wild = replicates_of(fitted, name="b1")
    common = (0.02 + 0.0002) / 3
    assert (calm.label, calm.runs, calm.mean) == ("run 3", 3, pytest.approx(0.61))
    assert calm.sd == pytest.approx(((0.0002 + PSEUDO_DIFFERENCES * common) / (2 + PSEUDO_DIFFERENCES)) ** 0.5)
    assert (wild.label, wild.runs, wild.mean) == ("run 1", 2, pytest.approx(0.6))
    assert calm.sd < common**0.5 < wild.sd < 0.1 * 2**0.5


def test_a_recommendation_says_how_runs_scatter():
    fitted = fitted_to({0.2: [0.5, 0.7], 0.5: [0.6, 0.61], 0.7: [0.6, 0.65], 0.9: [0.4]})
    note = recommend(fitted).notes[-1]
    assert note.startswith(
        "runs of one mixture on aggregate: the least and the most of 3 mixtures, run 3 0.605, sd 0.0"
    )
    assert "run 1 0.6, sd 0.0" in note
    alone = fitted_to({0.2: [0.5], 0.5: [0.6], 0.9: [0.4]})
    assert replicates_of(alone, name="aggregate") == ()
    assert not any("runs of one mixture" in one for one in recommend(alone).notes)
