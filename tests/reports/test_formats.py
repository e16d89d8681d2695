import math
from typing import Any

import numpy as np
import pytest

from modomodo import Runs, fit
from modomodo.core.mixture import Mixture
from modomodo.reports import (
    Dot,
    Gain,
    gains_figure,
    interactions_figure,
    pairwise_interactions,
    response_triangles,
    scores_figure,
    triangle_figure,
)
from modomodo.reports.numbers.formats import number, number_format, signed, tick_format


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((0.412, 0.503), ["0.412", "0.503"]),
        ((0.0, 0.011), ["0.000", "0.011"]),
        ((0.4121, 0.4183), ["0.4121", "0.4183"]),
        ((0.00042, 0.00091), ["0.00042", "0.00091"]),
        ((41.23, 62.7), ["41.23", "62.70"]),
        ((1234.5, 4321.5), ["1,234", "4,322"]),
        ((2.5e-6,), ["0.0000025"]),
        ((5.0,), ["5.000"]),
        ((0.3, 0.1 + 0.2), ["0.300", "0.300"]),
        ((0.0, 0.0), ["0.000", "0.000"]),
        ((math.nan, 0.25), ["–", "0.250"]),
    ],
)
def test_as_many_digits_as_tell_values_apart(values, shown):
    assert [number(value, number_format(values)) for value in values] == shown


def test_a_difference_has_its_sign():
    assert signed(0.0004, number_format([0, 0.0004])) == "+0.00040"
    assert signed(math.nan, ",.3f") == "–"
    assert tick_format([0.0, 0.3]) == ",.3~f"


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_figures_tell_scores_of_any_scale_apart(scale):
    X_ND = np.random.default_rng(0).dirichlet(np.ones(3), size=14)
    fitted = fit(Runs.of(X_ND, y_NB=scale * (0.3 + X_ND[:, :1] * X_ND[:, 1:2])))
    through = Mixture(fitted.runs.domains, (0.5, 0.2, 0.3))
    (three,) = response_triangles(fitted, through, [fitted.runs.domains], names=["b1"])["b1"]
    figure: Any = triangle_figure(three, name="b1")
    assert len(np.unique(figure.data[0].z)) > 100
    assert len(np.unique(np.asarray(figure.data[4].customdata)[:, 3])) > 20
    (heat,) = interactions_figure(pairwise_interactions(fitted, name="b1")).data
    assert heat.text[0][0].strip("<b>")[:8] not in ("+0.0<br>±", "+0.000<b")


def test_hovers_use_the_digits_of_their_figure():
    mixture = Mixture.uniform(("a", "b"))
    scores: Any = scores_figure([Dot("x", mixture, 1500.5, 10.0), Dot("y", mixture, 4500.5, 20.0)], title="loss")
    assert "%{x:,.0f}" in scores.data[0].hovertemplate
    assert scores.data[0].customdata[0][2].startswith(", standard error 20")
    gains: Any = gains_figure([Gain("one", 0.0002, -0.0001, 0.0005)])
    assert gains.data[-1].customdata[0][1] == "90 % interval -0.00010 to +0.00050"
    assert "%{x:+,.5f}" in gains.data[-1].hovertemplate
