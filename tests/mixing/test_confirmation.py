"""confirm: paired statistics on matched seeds; S = 4, B = 3."""

import json
from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats

from modomodo.core.errors import ModomodoError
from modomodo.mixing.confirmation import confirm, detectable_difference, paired_items

BENCHMARKS = ("chart", "info", "math")
EQUAL_SB = np.array([[0.40, 0.50, 0.30], [0.42, 0.49, 0.31], [0.39, 0.52, 0.29], [0.41, 0.50, 0.33]])
GAIN_SB = np.array([[0.05, 0.02, 0.00], [0.06, 0.01, 0.02], [0.04, 0.03, -0.02], [0.05, 0.01, 0.01]])
stats: Any = scipy_stats
WEIGHTS = {"chart": 2.0, "info": 1.0, "math": 1.0}


def made(**changes: Any):
    given = {"equal_SB": EQUAL_SB, "seeds": (11, 12, 13, 14), "benchmarks": BENCHMARKS, "weights": WEIGHTS}
    return confirm(changes.pop("recommended_SB", EQUAL_SB + GAIN_SB), **(given | changes))


def test_agrees_with_scipy():
    found = made()
    weights_B = np.array([0.5, 0.25, 0.25])
    gain_S = GAIN_SB @ weights_B
    expected = stats.ttest_1samp(gain_S, 0)
    assert found.aggregate.gain == pytest.approx(gain_S.mean())
    assert found.aggregate.p == pytest.approx(expected.pvalue)
    low, high = expected.confidence_interval(0.95)
    assert (found.aggregate.lo95, found.aggregate.hi95) == pytest.approx((low, high))
    low, high = expected.confidence_interval(0.9)
    assert (found.aggregate.lo90, found.aggregate.hi90) == pytest.approx((low, high))
    assert found.aggregate.recommended - found.aggregate.equal == pytest.approx(gain_S.mean())


def test_holm_by_hand():
    found = made()
    p_values = [part.p for part in found.benchmarks]
    assert p_values == sorted(p_values)  # chart, info, math: so Holm multiplies by 3, 2, 1
    assert [part.p_holm for part in found.benchmarks] == pytest.approx(
        [3 * p_values[0], max(3 * p_values[0], 2 * p_values[1]), max(2 * p_values[1], p_values[2])]
    )


def test_unlike_scales_are_made_alike_and_said():
    """Percent beside shares: without it, info alone would decide."""
    factors = np.array([1.0, 100.0, 1.0])
    alike = made(weights=None)
    unlike = made(weights=None, equal_SB=EQUAL_SB * factors, recommended_SB=(EQUAL_SB + GAIN_SB) * factors)
    assert unlike.aggregate.gain == pytest.approx(alike.aggregate.gain)
    assert alike.notes == ()
    assert "percent divided by 100" in unlike.notes[0]
    assert made(weights=None, scale={"info": 10.0}).aggregate.gain < alike.aggregate.gain
    weighted = made(equal_SB=EQUAL_SB * factors, recommended_SB=(EQUAL_SB + GAIN_SB) * factors)
    assert weighted.aggregate.gain == pytest.approx((GAIN_SB @ (np.array([0.5, 25.0, 0.25]))).mean())
    with pytest.raises(ModomodoError, match="scale of unknown benchmark 'charts'"):
        made(scale={"charts": 1.0})


def test_sentences():
    assert made().real
    assert made().sentence == (
        f"Recommended beats equal shares by +0.030 (95 % interval {made().aggregate.lo95:+.3f} to "
        f"{made().aggregate.hi95:+.3f}, 4 matched seeds)."
    )
    assert made(recommended_SB=EQUAL_SB - GAIN_SB).sentence.startswith("Recommended loses to equal shares by -0.030")
    unsure = made(weights={"math": 1})
    assert not unsure.real
    assert unsure.sentence.startswith("Recommended is not distinguishable from equal shares: +0.003")


def test_lower_is_better():
    found = made(recommended_SB=EQUAL_SB - GAIN_SB, direction="lower")
    assert found.real
    assert found.aggregate.gain == pytest.approx(made().aggregate.gain)
    assert found.aggregate.recommended < found.aggregate.equal


def test_equal_differences_prove_nothing():
    found = made(recommended_SB=EQUAL_SB + 0.05)
    assert not found.real
    assert "run more seeds" in found.sentence
    assert found.aggregate.p == 1


def test_is_json():
    data = json.loads(json.dumps(made().as_dict(), allow_nan=False))
    assert data["version"] == 1
    assert data["seeds"] == [11, 12, 13, 14]
    assert [part["name"] for part in data["benchmarks"]] == list(BENCHMARKS)


def test_refuses():
    holed = EQUAL_SB.copy()
    holed[2, 1] = np.nan
    for changes, says in (
        ({"recommended_SB": EQUAL_SB[:1], "equal_SB": EQUAL_SB[:1], "seeds": (1,)}, "2 or more different seeds"),
        ({"seeds": (1, 1, 2, 3)}, "2 or more different seeds"),
        ({"equal_SB": EQUAL_SB[:3]}, r"equal mixture have shape \(3, 3\)"),
        ({"recommended_SB": EQUAL_SB.T}, r"recommended mixture have shape \(3, 4\)"),
        ({"equal_SB": holed}, "equal mixture on info with seed 13 is nan"),
        ({"weights": {"maths": 1}}, "did you mean math"),
    ):
        with pytest.raises(ModomodoError, match=says):
            made(**changes)


@pytest.mark.parametrize(("seeds", "power"), [(2, 0.8), (4, 0.8), (12, 0.9)])
def test_detectable_difference_is_detected_as_often(seeds: int, power: float):
    found = detectable_difference(0.01, seeds=seeds, power=power)
    rng = np.random.default_rng(0)
    difference_RS = found + 0.01 * np.sqrt(2) * rng.normal(size=(20000, seeds))
    detected = stats.ttest_1samp(difference_RS, 0, axis=1).pvalue < 0.05
    assert detected.mean() == pytest.approx(power, abs=0.01)


def test_detectable_difference_shrinks_with_seeds_and_refuses():
    assert detectable_difference(0.02, seeds=12) < detectable_difference(0.02, seeds=4) / 1.7
    assert detectable_difference(0.0, seeds=3) == 0
    with pytest.raises(ModomodoError, match="2 seeds or more"):
        detectable_difference(0.02, seeds=1)


def test_paired_items():
    rng = np.random.default_rng(1)
    base_I = rng.uniform(size=400)
    equal_SI = (rng.uniform(size=(3, 400)) < base_I * 0.8).astype(float)
    better_SI = (rng.uniform(size=(3, 400)) < base_I * 0.8 + 0.1).astype(float)
    found = paired_items(better_SI, equal_SI=equal_SI)
    per_item = (better_SI - equal_SI).mean(axis=0)
    assert found.difference == pytest.approx(per_item.mean())
    assert found.se == pytest.approx(per_item.std(ddof=1) / 20)
    assert found.lo95 < 0.1 < found.hi95
    with pytest.raises(ModomodoError, match="items need one shape"):
        paired_items(better_SI, equal_SI=equal_SI[:, 1:])
    with pytest.raises(ModomodoError, match="missing"):
        paired_items(better_SI, equal_SI=equal_SI * np.nan)
