import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.mixture import Mixture
from modomodo.core.seeds import child_rng, child_seed

NAMES = ("detect", "refer", "science")


@st.composite
def points(draw, names=NAMES):
    parts = draw(st.lists(st.floats(0, 1), min_size=len(names), max_size=len(names)).filter(lambda p: sum(p) > 1e-3))
    return Mixture(names, tuple(np.array(parts) / np.sum(parts)))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((0.5, 0.4, 0.0), "sum to 0.9, not to 1"),
        ((0.5, 0.5, 2e-6), "sum to 1.000002"),
        ((1.5, -0.5, 0.0), "weight of refer is -0.5"),
        ((float("nan"), 0.5, 0.5), "weight of detect is nan"),
        ((float("inf"), 0.5, 0.5), "weight of detect is inf"),
        ((0.5, 0.5), "one weight per domain, got 3 domains and 2 weights"),
    ],
)
def test_points_off_the_simplex_are_refused_with_the_value(weights, message):
    with pytest.raises(ModomodoError, match=message):
        Mixture(NAMES, weights)


def test_duplicate_domains_and_words_for_weights_are_refused():
    with pytest.raises(ModomodoError, match="name each domain once"):
        Mixture(("a", "a"), (0.5, 0.5))
    with pytest.raises(ModomodoError, match="weight of a is '1'"):
        Mixture.of({"a": "1"})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("equal", (1 / 3, 1 / 3, 1 / 3)),
        ("single:refer", (0, 1, 0)),
        ("exclude:refer", (0.5, 0, 0.5)),
        ("detect=0.25, science=0.75", (0.25, 0, 0.75)),
    ],
)
def test_parse_reads_names_and_weights(text, weights):
    assert Mixture.parse(text, NAMES).weights == pytest.approx(weights)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("single:scence", "did you mean science"),
        ("equals", "write equal, single:NAME"),
        ("detect=a", "cannot read 'detect=a'"),
        ("detects=1.0", "did you mean detect"),
        ("detect=0.5", "sum to 0.5"),
    ],
)
def test_parse_says_what_it_could_not_read(text, message):
    with pytest.raises(ModomodoError, match=message):
        Mixture.parse(text, NAMES)


@given(points(), points())
def test_distance_is_a_metric_bounded_by_one(first, second):
    assert first.distance(first) == 0
    assert first.distance(second) == pytest.approx(second.distance(first))
    assert 0 <= first.distance(second) <= 1 + 1e-9


@given(points())
def test_key_depends_on_the_shares_alone(mixture):
    assert Mixture(NAMES[::-1], mixture.weights[::-1]).key == mixture.key
    assert Mixture((*NAMES, "absent"), (*mixture.weights, 0.0)).key == mixture.key
    assert Mixture.of(mixture.as_dict()) == mixture


def test_keys_of_the_seed_set_differ():
    seed_set = [Mixture.parse(f"{kind}:{name}", NAMES) for kind in ("single", "exclude") for name in NAMES]
    assert len({mixture.key for mixture in [*seed_set, Mixture.uniform(NAMES)]}) == 7


def test_vector_follows_the_order_asked_for():
    mixture = Mixture.of({"a": 0.2, "b": 0.8})
    assert mixture.vector(["b", "c", "a"]) == pytest.approx([0.8, 0, 0.2])
    with pytest.raises(ModomodoError, match="gives weight to b"):
        mixture.vector(["a"])


def test_child_seeds_are_stable_and_unrelated():
    assert child_seed(0, "pilot", 3, "rows") == 7240430161840090566
    assert len({child_seed(root, "pilot", index) for root in range(30) for index in range(30)}) == 900
    first, second = child_rng(1, "a").random(1000), child_rng(2, "a").random(1000)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1


def test_closest_lists_all_when_nothing_is_near():
    assert closest("zzz", ["b", "a"]) == "known: a, b"
