"""A test that may end early: how often it errs, and what it spends."""

import numpy as np
import pytest

from modomodo.core.errors import ModomodoError
from modomodo.mixing.confirmation import Confirmation, confirm
from modomodo.mixing.repeated_looks import error_of_each, p_over_all

LOOKS = (4, 8, 12, 16)
NOISE = 0.03


def studied(rng: np.random.Generator, gain: float) -> Confirmation:
    """Return the confirmation of a study whose recommended mixture is better by `gain`, as the pipeline ends it."""
    equal_S, recommended_S = rng.normal(0.5, NOISE, size=(2, LOOKS[-1]))
    for seeds in LOOKS:
        confirmation = confirm(
            recommended_S[:seeds, None] + gain,
            equal_SB=equal_S[:seeds, None],
            seeds=range(seeds),
            benchmarks=["out"],
            looks=LOOKS,
        )
        if confirmation.real:
            break
    return confirmation


def test_it_errs_no_more_often_than_a_test_with_one_look():
    rng = np.random.default_rng(1)
    claims = sum(studied(rng, 0.0).real for _ in range(2000))
    assert claims / 2000 <= 0.055  # 5 %, and the error of counting


def test_it_spends_at_most_six_in_ten_of_the_seeds_and_finds_what_the_fixed_test_finds():
    rng = np.random.default_rng(2)
    ended = [studied(rng, 0.05) for _ in range(500)]
    assert np.mean([len(one.seeds) for one in ended]) / LOOKS[-1] <= 0.6
    assert np.mean([one.gained for one in ended]) >= 0.95


def test_its_intervals_hold_whenever_it_ends():
    rng = np.random.default_rng(3)
    aggregates = [studied(rng, 0.05).aggregate for _ in range(500)]
    assert np.mean([one.lo95 <= 0.05 <= one.hi95 for one in aggregates]) >= 0.94


@pytest.mark.parametrize(("looks", "error"), [((12,), 0.05), ((), 0.05), ((4, 8), 0.0277), (LOOKS, 0.0166)])
def test_the_level_of_each_look(looks: tuple[int, ...], error: float):
    assert error_of_each(0.05, looks) == pytest.approx(error, abs=0.001)
    assert p_over_all(error_of_each(0.05, looks), looks) == pytest.approx(0.05, abs=0.001)


def test_rare_p_values_are_bounded_by_the_number_of_looks():
    assert p_over_all(1e-9, LOOKS) == pytest.approx(4e-9)


@pytest.mark.parametrize("looks", [(1, 4), (4, 4), (8, 4)])
def test_looks_grow(looks: tuple[int, ...]):
    with pytest.raises(ModomodoError, match="growing numbers of seeds"):
        error_of_each(0.05, looks)


def test_the_number_of_seeds_is_one_of_the_looks():
    with pytest.raises(ModomodoError, match="after 4, 8 seeds, not after 3"):
        confirm([[1.0], [2.0], [4.0]], equal_SB=[[0.0]] * 3, seeds=range(3), benchmarks=["out"], looks=(4, 8))
