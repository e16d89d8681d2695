"""Designs: what every one of them keeps to, and what each is better at than chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.core.simplex import limits_of
from modomodo.mixing.design import d_optimal, seed_design, space_filling

DOMAINS = ("count", "colour", "detect")
NEW = [(space_filling, "space"), (d_optimal, "d-optimal")]


def free(count: int) -> tuple[list[str], np.ndarray]:
    names = [f"d{index}" for index in range(count)]
    return names, limits_of({}, names)


def points(design) -> np.ndarray:
    return np.array([mixture.weights for _, mixture in design])


def least_distance(X_ND: np.ndarray) -> float:
    root_ND = np.sqrt(X_ND)
    apart_NN = np.linalg.norm(root_ND[:, None] - root_ND[None], axis=2)
    return float(apart_NN[~np.eye(len(X_ND), dtype=bool)].min())


def log_det(X_ND: np.ndarray, *, squares: bool) -> float:
    log_ND = np.log(X_ND + 1e-3)
    terms_NP = np.hstack([np.ones((len(X_ND), 1)), log_ND, *([log_ND**2] if squares else [])])
    return float(np.linalg.slogdet(terms_NP.T @ terms_NP)[1])


def test_the_seed_design_is_singles_leave_one_out_and_equal():
    found = dict(seed_design(DOMAINS))
    assert list(found) == [f"{kind}:{name}" for kind in ("single", "exclude") for name in DOMAINS] + ["equal"]
    for label, mixture in found.items():
        assert mixture == Mixture.parse(label, DOMAINS)
    assert found["exclude:colour"].as_dict() == {"count": 0.5, "colour": 0.0, "detect": 0.5}


def test_one_domain_has_no_exclude():
    assert [label for label, _ in seed_design(["count"])] == ["single:count", "equal"]


@pytest.mark.parametrize("domains", [(), ("a", "a")])
def test_a_design_needs_distinct_domains(domains: tuple[str, ...]):
    with pytest.raises(ModomodoError, match="each named once"):
        seed_design(domains)
    for design, _ in NEW:
        with pytest.raises(ModomodoError, match="each named once"):
            design(domains, count=2, limits_2D=np.array([[0.0] * 2, [1.0] * 2]), seed=0)


@pytest.mark.parametrize(("design", "word"), NEW)
@settings(max_examples=10, deadline=None)
@given(
    ends=st.lists(st.tuples(st.floats(0, 0.8), st.floats(0.2, 1)), min_size=2, max_size=6),
    count=st.integers(1, 12),
    seed=st.integers(0, 2**32),
)
def test_mixtures_are_different_and_within_the_caps(design, word: str, ends, count: int, seed: int):
    inside_D = np.random.default_rng(seed).dirichlet(np.ones(len(ends)))
    low_D, high_D = inside_D * np.array(ends)[:, 0], inside_D + (1 - inside_D) * np.array(ends)[:, 1]
    names, limits_2D = [f"d{index}" for index in range(len(ends))], np.vstack([low_D, high_D])
    found = design(names, count=count, limits_2D=limits_2D, seed=seed)
    X_ND = points(found)
    assert X_ND.shape == (count, len(ends))
    np.testing.assert_array_equal(X_ND, np.clip(X_ND, low_D, high_D))
    assert len({mixture.key for _, mixture in found}) == count
    equal = Mixture.uniform(names)
    fits = bool((low_D <= 1 / len(ends)).all() and (high_D >= 1 / len(ends)).all())
    assert (found[0] == ("equal", equal)) == fits
    assert [label for label, _ in found[fits:]] == [f"{word}:{index + 1}" for index in range(count - fits)]
    np.testing.assert_allclose(np.round(X_ND * 1e4)[fits:], X_ND[fits:] * 1e4, atol=1e-2)
    again = design(names, count=count, limits_2D=limits_2D, seed=seed)
    assert found == again


def test_a_space_filling_design_is_spread_wider_than_chance_and_than_even_points():
    for domains, count in ((3, 8), (5, 18), (17, 20)):
        names, limits_2D = free(domains)
        found = least_distance(points(space_filling(names, count=count, limits_2D=limits_2D, seed=1)))
        rng = np.random.default_rng(0)
        random = [least_distance(rng.dirichlet(np.ones(domains), count)) for _ in range(200)]
        assert found > 1.2 * max(random)


@pytest.mark.parametrize(("domains", "count", "squares"), [(3, 6, False), (3, 9, True), (5, 18, True), (8, 12, False)])
def test_a_d_optimal_design_informs_more_than_chance_and_than_a_spread_one(domains: int, count: int, squares: bool):
    names, limits_2D = free(domains)
    found = log_det(points(d_optimal(names, count=count, limits_2D=limits_2D, seed=1)), squares=squares)
    rng = np.random.default_rng(0)
    assert found > max(log_det(rng.dirichlet(np.ones(domains), count), squares=squares) for _ in range(500))
    assert found > log_det(points(space_filling(names, count=count, limits_2D=limits_2D, seed=1)), squares=squares)


@pytest.mark.parametrize(("design", "word"), NEW)
def test_early_mixtures_are_the_spread_ones(design, word: str):
    names, limits_2D = free(4)
    root_ND = np.sqrt(points(design(names, count=10, limits_2D=limits_2D, seed=0)))
    near = [min(np.linalg.norm(root_ND[n] - root_ND[m]) for m in range(n)) for n in range(1, 10)]
    assert near == sorted(near, reverse=True)


@pytest.mark.parametrize(("design", "word"), NEW)
def test_candidates_are_taken_as_they_are(design, word: str):
    rng = np.random.default_rng(3)
    names = ["a", "b", "c"]
    pool_ND = rng.dirichlet(np.ones(3), 60)
    limits_2D = limits_of({"a": (0.0, 0.5)}, names)
    X_ND = points(design(names, count=9, limits_2D=limits_2D, seed=0, candidates_ND=pool_ND))
    assert {tuple(x) for x in X_ND} <= {tuple(x) for x in pool_ND[pool_ND[:, 0] <= 0.5]}
    inside_ND = pool_ND[pool_ND[:, 0] <= 0.5]
    np.testing.assert_array_equal(X_ND[0], inside_ND[np.argmin(np.abs(inside_ND - 1 / 3).sum(axis=1))])
    with pytest.raises(ModomodoError, match="9 different mixtures are wanted, but only 0 candidates"):
        design(names, count=9, limits_2D=limits_of({"a": (0.0, 0.0)}, names), seed=0, candidates_ND=pool_ND)
    with pytest.raises(ModomodoError, match=r"\(60, 3\): they need 2 columns"):
        design(names[:2], count=9, limits_2D=limits_2D[:, :2], seed=0, candidates_ND=pool_ND)
    with pytest.raises(ModomodoError, match="0 mixtures"):
        design(names, count=0, limits_2D=limits_2D, seed=0)


def test_a_domain_held_fixed_does_not_upset_a_design():
    names = ["a", "b", "c"]
    limits_2D = limits_of({"b": (0.25, 0.25)}, names)
    for design, _ in NEW:
        X_ND = points(design(names, count=7, limits_2D=limits_2D, seed=0))
        np.testing.assert_array_equal(X_ND[:, 1], 0.25)
