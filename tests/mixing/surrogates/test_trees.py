"""Boosted trees: small leaves learn from 16 runs, RegMix's from 40."""

import sys

import numpy as np
import pytest

from modomodo.core.errors import ModomodoError
from modomodo.mixing.surrogates.trees import SmallTrees, regmix_trees
from modomodo.mixing.validation import spearman

X_ND = np.random.default_rng(0).dirichlet(np.ones(4), 80)
NEW_ND = np.random.default_rng(1).dirichlet(np.ones(4), 60)


def test_without_lightgbm_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    for regression in (SmallTrees(), regmix_trees):
        with pytest.raises(ModomodoError, match=r"surrogate trees needs LightGBM: pip install 'modomodo\[trees\]'"):
            regression(X_ND, y_N=X_ND[:, 0], seed=0)


@pytest.mark.parametrize("sign", [1, -1])
def test_small_trees_rank_new_mixtures_from_16_runs(sign: int):
    pytest.importorskip("lightgbm")
    y_N = sign * np.sqrt(X_ND[:16, 0])
    curve = SmallTrees()(X_ND[:16], y_N=y_N, seed=0)
    assert spearman(sign * NEW_ND[:, 0], curve(NEW_ND)) > 0.9
    np.testing.assert_array_equal(curve(NEW_ND), SmallTrees()(X_ND[:16], y_N=y_N, seed=2**62)(NEW_ND))


def test_two_runs_and_equal_scores_give_their_mean():
    pytest.importorskip("lightgbm")
    np.testing.assert_allclose(SmallTrees()(X_ND[:2], y_N=np.array([0.2, 0.4]), seed=0)(NEW_ND), 0.3)
    np.testing.assert_allclose(SmallTrees()(X_ND, y_N=np.full(80, 0.1), seed=0)(NEW_ND), 0.1)


def test_regmix_trees_learn_nothing_from_39_runs_and_the_law_from_80():
    pytest.importorskip("lightgbm")
    y_N = 3 - np.sqrt(X_ND[:, 2])
    np.testing.assert_allclose(regmix_trees(X_ND[:39], y_N=y_N[:39], seed=0)(NEW_ND), y_N[:39].mean(), rtol=1e-6)
    assert spearman(-NEW_ND[:, 2], regmix_trees(X_ND, y_N=y_N, seed=0)(NEW_ND)) > 0.9
