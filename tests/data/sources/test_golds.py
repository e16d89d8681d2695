"""Boxes as sets write them, golds of ms-swift's objects, and options as objects."""

import json

import pytest

from modomodo.data.sources.golds import read_boxes
from modomodo.data.sources.grounding import grounded, read_objects
from modomodo.data.sources.options import letter_of, no_options, option_texts
from modomodo.data.sources.values import BadRowError

BOX, OTHER = (1.0, 2.0, 30.0, 40.0), (5.0, 6.0, 7.0, 8.0)
ENTRY = {"bbox_2d": [1, 2, 30, 40], "label": "car", "sub_label": "red"}


@pytest.mark.parametrize(
    ("value", "boxes"),
    [
        ([1, 2, 30, 40], [BOX]),
        ("[1, 2, 30, 40]", [BOX]),
        ([[1, 2, 30, 40], [5, 6, 7, 8]], [BOX, OTHER]),
        ([], []),
        ("No Objects.", []),
        (ENTRY, [BOX]),
        ([ENTRY, {"box": [5, 6, 7, 8]}], [BOX, OTHER]),
        (json.dumps([ENTRY]), [BOX]),
        (str([ENTRY]), [BOX]),
        (f"```json\n{json.dumps([ENTRY])}\n```", [BOX]),
        (f"```\n{json.dumps(ENTRY)}\n```\n", [BOX]),
        ("[{'Position': [1, 2, 30, 40], 'Confidence': 1}]", [BOX]),
        ("[{Position: [1, 2, 30, 40], Confidence: 1}]", [BOX]),
        ("(1,2),(30,40)", [BOX]),
        ("<|box_start|>(1,2),(30,40)<|box_end|>", [BOX]),
        ("<|box_start|>(1, 2), (30, 40)<|box_end|><|box_start|>(5,6),(7,8)<|box_end|>", [BOX, OTHER]),
        ("<|object_ref_start|>the car<|object_ref_end|><|box_start|>(1,2),(30,40)<|box_end|>", [BOX]),
        ("<ref>the car</ref><box>(1,2),(30,40)</box>", [BOX]),
        ("<ref>the car</ref><box>[[1, 2, 30, 40], [5, 6, 7, 8]]</box>", [BOX, OTHER]),
        ({"x1": 1, "y1": 2, "x2": 30, "y2": 40}, [BOX]),
        ({"xmin": 1, "ymin": 2, "xmax": 30, "ymax": 40, "name": "car"}, [BOX]),
        ({"x": 1, "y": 2, "width": 29, "height": 38}, [BOX]),
        ("[(1, 2), (30, 40)]", [BOX]),
        ("The car is at (1,2),(30,40)", None),
        ("the car <|box_start|>(1,2),(30,40)<|box_end|>", None),
        ({"bbox": [1, 2, 30, 40], "box": [5, 6, 7, 8]}, None),
        ({"box_2d": [1, 2, 30, 40]}, None),  # y before x, as Gemini writes them
        ([1, 2, 3], None),
        ("a car", None),
        (7, None),
    ],
)
def test_boxes_are_read_or_refused(value, boxes):
    if boxes is None:
        with pytest.raises(BadRowError):
            read_boxes(value)
    else:
        assert read_boxes(value) == tuple(boxes)


OBJECTS = {"ref": ["cat", "dog"], "bbox": [[1, 2, 30, 40], [5, 6, 7, 8]]}
LISTED = [{"caption": "cat", "bbox": [1, 2, 30, 40], "bbox_type": "norm_1000", "image": 0}]


@pytest.mark.parametrize(
    ("question", "gold", "objects", "frame", "filled"),
    [
        (
            "Find <ref-object>",
            "<bbox>",
            {"ref": ["cat"], "bbox": [[1, 2, 30, 40]]},
            "pixels",
            ("Find cat", [1, 2, 30, 40]),
        ),
        (
            "Find <ref-object> and <ref-object>",
            "<bbox>, <bbox>",
            OBJECTS,
            "pixels",
            ("Find cat and dog", OBJECTS["bbox"]),
        ),
        (
            "What is there?",
            "<ref-object><bbox><ref-object><bbox>",
            OBJECTS,
            "pixels",
            ("What is there?", OBJECTS["bbox"]),
        ),
        ("Find <ref-object>", "<bbox>", json.dumps(LISTED), "normalised1000", ("Find cat", [1, 2, 30, 40])),
        (
            "Find <ref-object>",
            "<bbox>",
            [{"caption": "cats", "bbox": OBJECTS["bbox"]}],
            "pixels",
            ("Find cats", OBJECTS["bbox"]),
        ),
        ("Name it", "<ref-object>", {"ref": ["cat"], "bbox": []}, "pixels", ("Name it", "cat")),
        ("Find <ref-object>", "<bbox>", LISTED, "pixels", 'says that gold_frame is "normalised1000"'),
        ("Find <ref-object>", "<bbox>", OBJECTS, "pixels", "1 <ref-object> and 2 names"),
        ("Find both", "<bbox>", OBJECTS, "pixels", "1 <bbox> and 2 boxes"),
        ("What is at <bbox>?", "<ref-object>", OBJECTS, "pixels", "boxes are read in answers alone"),
        (
            "Find it",
            "It is at <bbox>",
            {"ref": [], "bbox": [[1, 2, 3, 4]]},
            "pixels",
            "has 'It is at' beside its boxes",
        ),
        ("Find it", "<bbox>", {"bbox": [[1, 2, 3, 4]], "image_id": [1]}, "pixels", "another image than the first"),
        ("Find it", "<bbox>", {"bbox": [[1, 2, 3, 4]], "bbox_type": "odd"}, "pixels", "bbox_type of the objects"),
        ("Find it", "<bbox>", None, "pixels", "the objects are None"),
        ("Find it", "<bbox>", "cat", "pixels", "the objects are None"),
    ],
)
def test_placeholders_are_filled_from_the_objects(question, gold, objects, frame, filled):
    if isinstance(filled, str):
        with pytest.raises(BadRowError, match=filled):
            grounded(question, gold, read_objects(objects), frame=frame)
    else:
        assert grounded(question, gold, read_objects(objects), frame=frame) == filled


@pytest.mark.parametrize(
    "value",
    [
        {"A": "red", "B": "blue"},
        {"A": "red", "B": "blue", "C": None},
        {"(a)": "red", "(b)": "blue"},
        {"label": ["A", "B"], "text": ["red", "blue"]},
        [{"label": "A", "text": "red"}, {"label": "B", "text": "blue"}],
        [{"key": "a.", "value": "red"}, {"key": "b.", "value": "blue"}],
        '{"A": "red", "B": "blue"}',
        "{'A': 'red', 'B': 'blue'}",
    ],
)
def test_options_may_be_objects_with_their_letters(value):
    assert option_texts(value, "options") == ("red", "blue")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"B": "red", "A": "blue"}, "are named B, A, where A, B, C"),
        ({"red": 1, "blue": 2}, "are named RED, BLUE"),
        ([{"label": "A", "text": "red"}, {"label": "C", "text": "blue"}], "are named A, C"),
        ([{"x": 1}, {"x": 2}], "are named NONE"),
    ],
)
def test_options_under_other_names_are_refused(value, message):
    with pytest.raises(BadRowError, match=message):
        option_texts(value, "options")


@pytest.mark.parametrize("value", [None, [], {}, "", " ", "[]", "null", "None", "nan", float("nan")])
def test_no_options(value):
    assert no_options(value)


def test_an_answer_may_be_written_as_its_option_is_shown():
    options = ("red", "blue", "B. blue")
    assert letter_of("B. blue", options[:2], "text") == "B"
    assert letter_of("B. blue", options, "text") == "C"  # the option itself
    for said in ("A. blue", "B. green"):
        with pytest.raises(BadRowError, match="is none of the options"):
            letter_of(said, options[:2], "text")
