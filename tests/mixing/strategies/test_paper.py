"""The paper's strategies: its own numbers from its own runs, and a table worked out by hand."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_tables import OPTIMUM, table

from modomodo.core.errors import ModomodoError
from modomodo.mixing.strategies import STRATEGIES, Goal
from modomodo.mixing.strategies.base import arranged, subset
from modomodo.mixing.strategies.paper import Alpha, Coli, QuadSurface

TABLE = Path(__file__).parents[3] / ".." / "shared" / "data" / "modomodo_table2.csv"
FORMULAS = ("single", "exclude-one", "equal", "norm", "coli", "alpha-in", "alpha-out", "alpha-balanced")
OUT = Goal(objective="out", inside="in")


def weights(name, runs, goal=OUT, seed=0):
    return STRATEGIES[name].choose(runs, goal=goal, seed=seed).mixture.weights


@pytest.mark.skipif(not TABLE.is_file(), reason=f"no published table at {TABLE}")
@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("norm", [0.126, 0.233, 0.201, 0.251, 0.189]),
        ("coli", [0.184, 0.183, 0.216, 0.241, 0.175]),
        ("single", [0, 0, 0, 1, 0]),
        ("exclude-one", [0, 0.25, 0.25, 0.25, 0.25]),
        ("alpha-in", [0.162, 0.223, 0, 0.109, 0.506]),
        ("alpha-out", [0, 0.237, 0.238, 0.402, 0.124]),
    ],
)
def test_published_runs_give_the_published_weights(name, wanted):
    with TABLE.open(newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["group"] in ("single", "exclude", "all")]
    domains = tuple(column[2:] for column in lines[0] if column.startswith("w_"))
    X_ND = np.array([[float(line[f"w_{domain}"]) for domain in domains] for line in lines])
    y_NB = np.array([[float(line[part]) for part in ("Out", "In")] for line in lines])
    found = weights(name, table(X_ND, y_NB, domains=domains))
    assert domains == ("COCO", "LISA", "GeoQAV", "SAT", "ScienceQA")
    np.testing.assert_allclose(found, wanted, atol=5.1e-4)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("single", [0, 1, 0]),
        ("exclude-one", [0, 1 / 2, 1 / 2]),
        ("equal", [1 / 3, 1 / 3, 1 / 3]),
        # s = 1, 0, 1/2; 0.2 - 0.1 s = 0.1, 0.2, 0.15.
        ("norm", [2 / 9, 4 / 9, 3 / 9]),
        # Sums of runs that contain the domain: 1.34, 1.58, 1.46 -> 0, 1, 1/2.
        ("alpha-out", [0, 2 / 3, 1 / 3]),
        # The other benchmark: 0.16 + 0.7 + 0.6 + 0.4, 0.12 + 0.5 + 0.6 + 0.4, 0.14 + 0.5 + 0.7 + 0.4 -> 1, 0, 1/2.
        ("alpha-in", [2 / 3, 0, 1 / 3]),
        ("alpha-balanced", [1 / 3, 1 / 3, 1 / 3]),
    ],
)
def test_weights_worked_out_by_hand(seed_runs, name, wanted):
    np.testing.assert_allclose(weights(name, seed_runs), wanted, atol=1e-12)


def test_coli_worked_out_by_hand(seed_runs):
    """X'X = 2 I + 2 J and X'y = 1.5, 1.9, 1.7, so the coefficients are 0.1125, 0.3125, 0.2125."""
    found = Coli(penalty=0.0).choose(seed_runs, goal=OUT, seed=0).mixture.weights
    np.testing.assert_allclose(found, np.array([0.1125, 0.3125, 0.2125]) / 0.6375, atol=1e-12)
    np.testing.assert_allclose(weights("coli", seed_runs), found, atol=1e-3)


@pytest.mark.parametrize("name", FORMULAS)
def test_order_of_domains_and_runs_does_not_matter(seed_runs, name):
    turned = arranged(subset(seed_runs, [6, 2, 4, 0, 1, 5, 3]), domains=("c", "a", "b"), benchmarks=("in", "out"))
    one, other = (STRATEGIES[name].choose(runs, goal=OUT, seed=0).mixture for runs in (seed_runs, turned))
    assert other.domains == ("c", "a", "b")
    assert other.as_dict() == pytest.approx(one.as_dict(), abs=1e-12)


def test_scores_of_replicates_are_averaged(seed_runs):
    doubled = subset(seed_runs, [*range(7), *range(7)])
    y_NB = np.array(doubled.y_NB)
    y_NB[:7] += 0.05
    y_NB[7:] -= 0.05
    for name in FORMULAS:
        assert weights(name, replace(doubled, y_NB=y_NB)) == pytest.approx(weights(name, seed_runs), abs=1e-12)


def test_lower_scores_can_be_the_better_ones(seed_runs):
    """Of 1 minus the score the least is best; sums of losses mean nothing, so Alpha and Coli refuse."""
    goal = Goal(objective="in", direction="lower", inside="out")
    for name in ("single", "exclude-one", "norm"):
        assert weights(name, seed_runs, goal) == pytest.approx(weights(name, seed_runs), abs=1e-12)
    for name in ("coli", "alpha-out"):
        with pytest.raises(ModomodoError, match="better when higher"):
            weights(name, seed_runs, goal)


def test_alpha_blends(seed_runs):
    found = Alpha(0.25).choose(seed_runs, goal=OUT, seed=0).mixture.weights
    np.testing.assert_allclose(found, np.array([0.25, 0.75, 0.5]) / 1.5, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "rows", "goal", "message"),
    [
        ("norm", [0, 1, 2, 6], OUT, "exclude:a, exclude:b, exclude:c"),
        ("single", [0, 2, 3, 4, 5, 6], OUT, "single:b"),
        ("coli", [0, 1], OUT, "single:c, exclude:a, exclude:b, exclude:c and 1 more"),
        ("alpha-in", list(range(7)), Goal(objective="out"), "`inside`"),
        ("quadsurface", [0, 1, 2], OUT, "at least 5 runs"),
    ],
)
def test_what_is_lacking_is_named(seed_runs, name, rows, goal, message):
    with pytest.raises(ModomodoError) as error:
        weights(name, subset(seed_runs, rows), goal)
    assert message in str(error.value)


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_keep_inside_the_caps(seed_runs, name):
    caps = {"b": (0.05, 0.3), "a": (0.2, 1.0)}
    a, b, _ = weights(name, seed_runs, replace(OUT, caps=caps))
    assert a >= 0.2
    assert 0.05 <= b <= 0.3


def test_quadsurface_finds_the_top_of_a_quadratic(make_pool):
    runs = make_pool(count=60, noise=0.0)
    y_NB = -np.square(runs.X_ND - OPTIMUM).sum(axis=1, keepdims=True) * [1.0, 0.0]
    runs = replace(runs, y_NB=y_NB)
    choice = QuadSurface().choose(runs, goal=OUT, seed=3)
    np.testing.assert_allclose(choice.mixture.weights, OPTIMUM, atol=0.02)
    assert choice.score is not None
    np.testing.assert_allclose(choice.score(runs.X_ND), y_NB[:, 0], atol=1e-9)
    assert weights("quadsurface", runs, seed=3) == choice.mixture.weights
    assert weights("quadsurface", runs, seed=4) != choice.mixture.weights
    assert weights("quadsurface", runs, replace(OUT, caps={"b": (0.0, 0.4)}))[1] <= 0.4
