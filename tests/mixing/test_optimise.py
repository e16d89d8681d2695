"""The search within caps, and how benchmarks err together."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from modomodo.core.simplex import limits_of
from modomodo.mixing.aggregates import residual_correlation
from modomodo.mixing.optimise import best_mixture

DOMAINS = ("a", "b", "c", "d")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 0.25), st.floats(0.25, 1)), min_size=4, max_size=4), st.integers(0, 3))
def test_a_linear_value_goes_to_the_corner_of_the_caps(caps: list[tuple[float, float]], wanted: int):
    limits_2D = limits_of(dict(zip(DOMAINS, caps, strict=True)), DOMAINS)
    found_D = best_mixture(lambda X_ND: X_ND[:, wanted], starts_ND=np.full((1, 4), 0.25), limits_2D=limits_2D, seed=0)
    assert (found_D >= limits_2D[0]).all()
    assert (found_D <= limits_2D[1]).all()
    assert abs(found_D.sum() - 1) < 1e-7
    best = min(limits_2D[1][wanted], 1 - (limits_2D[0].sum() - limits_2D[0][wanted]))
    assert found_D[wanted] >= best - 3e-4  # shares come in ten-thousandths


def test_the_answer_does_not_hang_on_the_last_digits_of_the_values():
    def value(X_ND: np.ndarray, wobble: float) -> np.ndarray:
        return -np.square(X_ND - [0.12342, 0.40003, 0.3, 0.17655]).sum(axis=1) + wobble * np.sin(1e6 * X_ND[:, 0])

    found = [
        best_mixture(
            lambda X_ND, wobble=wobble: value(X_ND, wobble),
            starts_ND=np.full((1, 4), 0.25), limits_2D=limits_of({}, DOMAINS), seed=0,
        )
        for wobble in (0.0, 1e-14)
    ]  # fmt: skip
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_allclose(np.round(found[0] * 1e4), found[0] * 1e4, atol=1e-9)
    assert abs(found[0].sum() - 1) < 1e-12


def test_the_better_of_two_peaks_is_found_at_an_edge():
    def value(X_ND: np.ndarray) -> np.ndarray:
        broad = 0.5 * np.exp(-np.square(X_ND - 0.25).sum(axis=1) / 0.1)
        return broad + np.exp(-np.square(X_ND - [0.0, 0.7, 0.0, 0.3]).sum(axis=1) / 0.01)

    found_D = best_mixture(value, starts_ND=np.full((1, 4), 0.25), limits_2D=limits_of({}, DOMAINS), seed=0)
    np.testing.assert_allclose(found_D, [0, 0.7, 0, 0.3], atol=2e-3)


def test_residual_correlation_is_shrunk_and_survives_gaps():
    rng = np.random.default_rng(0)
    residuals_NB = rng.normal(size=(40, 1)) + 0.5 * rng.normal(size=(40, 3))
    found_BB = residual_correlation(residuals_NB)
    np.testing.assert_allclose(np.diag(found_BB), 1)
    assert (found_BB > 0.6).all()
    residuals_NB[:38, 2] = np.nan  # too few common runs: takes the mean of the others
    gaps_BB = residual_correlation(residuals_NB)
    np.testing.assert_allclose(gaps_BB[0, 2], gaps_BB[0, 1], rtol=1e-6)
    assert np.linalg.eigvalsh(gaps_BB).min() >= 0
    np.testing.assert_array_equal(residual_correlation(residuals_NB[:2]), np.eye(3))
    np.testing.assert_allclose(residual_correlation(residuals_NB[:, :1]), [[1]])
