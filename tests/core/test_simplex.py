import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modomodo.core.errors import ModomodoError
from modomodo.core.simplex import cut_to, limits_of, project, rounded

ENDS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=7)  # of caps around a mixture


@pytest.mark.parametrize(
    ("caps", "message"),
    [
        ({"aa": (0.0, 1.0)}, "unknown domain 'aa'"),
        ({"a": (0.5, 0.4)}, r"0\.5 to 0\.4"),
        ({"a": (0.0, 0.3), "b": (0.0, 0.3)}, r"greatest to 0\.6"),
        ({"a": (0.6, 1.0), "b": (0.6, 1.0)}, r"least weights sum to 1\.2"),
    ],
)
def test_caps_that_make_no_sense_are_refused(caps: dict[str, tuple[float, float]], message: str):
    with pytest.raises(ModomodoError, match=message):
        limits_of(caps, ("a", "b"))


@settings(max_examples=200, deadline=None)
@given(ENDS, st.integers(0, 2**32))
def test_projected_and_rounded_mixtures_lie_within_the_caps(ends: list[tuple[float, float]], seed: int):
    rng = np.random.default_rng(seed)
    inside_D, x_D = rng.dirichlet(np.full(len(ends), 0.5), 2)
    low_D, high_D = inside_D * np.array(ends)[:, 0], inside_D + (1 - inside_D) * np.array(ends)[:, 1]
    near_D = project(x_D[None], low_D, high_D)[0]
    short_D = rounded(near_D, low_D, high_D)
    for found_D in (near_D, short_D):
        np.testing.assert_array_equal(found_D, np.clip(found_D, low_D, high_D))
        assert abs(found_D.sum() - 1) < 1e-9
    others = project(rng.dirichlet(np.ones(len(ends)), 50), low_D, high_D)
    assert (np.linalg.norm(others - x_D, axis=1) >= np.linalg.norm(near_D - x_D) - 1e-9).all()
    if np.ceil(low_D * 1e4).sum() <= 1e4 <= np.floor(high_D * 1e4).sum() and (high_D - low_D > 1e-3).all():
        np.testing.assert_allclose(np.round(short_D * 1e4), short_D * 1e4, atol=1e-2)
        assert np.abs(short_D - near_D).max() < (len(ends) + 1) * 1e-4


def test_greatest_remainders_are_rounded_up():
    none_D, all_D = np.zeros(3), np.ones(3)
    np.testing.assert_allclose(rounded(np.full(3, 1 / 3), none_D, all_D), [0.3334, 0.3333, 0.3333], atol=1e-12)
    np.testing.assert_allclose(
        rounded(np.array([0.00004, 0.00007, 0.99989]), none_D, all_D), [0, 0.0001, 0.9999], atol=1e-12
    )


@pytest.mark.parametrize(
    ("asked", "most", "cut"),
    [
        ((0.5, 0.3, 0.2), (1.0, 1.0, 1.0), (0.5, 0.3, 0.2)),
        ((0.5, 0.3, 0.2), (0.2, 1.0, 1.0), (0.2, 0.48, 0.32)),
        ((0.5, 0.3, 0.2), (0.2, 0.4, 1.0), (0.2, 0.4, 0.4)),  # what is cut of one takes another over its most
        ((1.0, 0.0, 0.0), (0.4, 0.9, 0.3), (0.4, 0.45, 0.15)),  # nothing is asked of the others: by their rows
        ((0.5, 0.3, 0.2), (0.1, 0.2, 0.1), (0.25, 0.5, 0.25)),  # not enough of all
    ],
)
def test_what_is_cut_goes_to_the_others(asked, most, cut):
    assert cut_to(np.array(asked), np.array(most)) == pytest.approx(cut)
