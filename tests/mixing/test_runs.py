"""Runs from arrays."""

import numpy as np
import pytest

from modomodo.core.errors import ModomodoError
from modomodo.mixing import Runs, fit
from modomodo.mixing.recommendation import recommend

X_ND = np.random.default_rng(0).dirichlet(np.ones(3), 9)
Y_NB = np.stack([X_ND[:, 0], 2 + X_ND[:, 1]], axis=1)


def test_arrays_are_enough():
    runs = Runs.of(X_ND, y_NB=Y_NB, se_NB=np.full((9, 2), 0.01))
    assert runs.domains == ("d1", "d2", "d3")
    assert runs.benchmarks == ("b1", "b2")
    assert runs.labels_N[8] == "run 9"
    assert recommend(fit(runs), objective="b1").mixture.as_dict()["d1"] > 0.5


def test_names_may_be_given():
    runs = Runs.of(X_ND, y_NB=Y_NB, domains=["x", "y", "z"], benchmarks=["p", "q"])
    assert (runs.domains, runs.benchmarks) == (("x", "y", "z"), ("p", "q"))


def test_scores_that_do_not_go_with_the_others_are_said():
    y_NB = Y_NB.copy()
    y_NB[4, 1] = 0
    notes = fit(Runs.of(X_ND, y_NB=y_NB), surrogate="mean").notes
    assert notes[0].startswith("b2 of run 5 is 0 among scores of 2")
    assert not Runs.of(X_ND, y_NB=Y_NB).notes


def test_wrong_shapes_are_refused():
    with pytest.raises(ModomodoError, match=r"scores \(9,\).*y\[:, None\]"):
        Runs.of(X_ND, y_NB=Y_NB[:, 0])
    with pytest.raises(ModomodoError, match="se_NB"):
        Runs.of(X_ND, y_NB=Y_NB, se_NB=np.ones((9, 1)))
