"""IoU against the reference implementation, and its edges."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask

from modomodo.verifiers.box import iou
from modomodo.verifiers.coordinates import read_found

SIDES = st.floats(0.001, 1e6)
BOXES = st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), SIDES, SIDES).map(
    lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
)


@given(BOXES, BOXES)
def test_iou_is_symmetric_and_between_0_and_1(a, b):
    assert 0.0 <= iou(a, b) <= 1.0
    assert iou(a, b) == pytest.approx(iou(b, a))
    assert iou(a, a) == 1.0


def test_iou_by_hand():
    assert iou((0, 0, 2, 2), (1, 1, 3, 3)) == pytest.approx(1 / 7)
    assert iou((0, 0, 2, 2), (2, 0, 4, 2)) == 0.0
    assert iou((0, 0, 4, 4), (1, 1, 2, 2)) == pytest.approx(1 / 16)


@given(BOXES, BOXES)
def test_iou_agrees_with_pycocotools(a, b):
    a_wh, b_wh = ([box[0], box[1], box[2] - box[0], box[3] - box[1]] for box in (a, b))
    assert iou(a, b) == pytest.approx(mask.iou([a_wh], [b_wh], [0])[0][0], abs=1e-6)


@pytest.mark.parametrize("answer", ["[" + "1" * 32_000, "[1, 1, 1, " + "1" * 32_000 + "x", "[" * 32_000, "{" * 32_000])
def test_a_long_box_list_is_refused_in_linear_time(answer):
    start = time.process_time()
    assert isinstance(read_found(answer, "boxes"), str)
    assert time.process_time() - start < 1.0
