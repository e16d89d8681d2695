"""The verifier that answers suggest, and why."""

import pytest

from modomodo.cli.init.verifier import suggest
from modomodo.core.rows import Target
from modomodo.verifiers import VERIFIERS, parse_gold


@pytest.mark.parametrize(
    ("answers", "verifier", "why"),
    [
        ([7, 12, 3, 7], "count", "answers seen: 7, 12, 3; all whole numbers from 0 in 4 rows"),
        (["7", "1,200"], "count", "all whole numbers"),
        ([7.0, 2.0], "count", "all whole numbers"),
        ([-3, 4], "number", "some below 0"),
        ([0.5, 4], "number", "some with decimals"),
        (["45%", "$3.20"], "number", "some with decimals"),
        ([12, "red", 3.5, "14"], "relaxed", "plain numbers (3 of 4, 2 of them whole), which may be 5 %"),
        ([12, "red", 60], "text", "(2 of 3, 2 of them whole) and other texts, which all must match exactly"),
        ([60, 61], "count", "all whole numbers"),
        (['```json\n[{"bbox_2d": [1, 2, 3, 4], "label": "car"}]\n```'], "boxes", "lists of boxes"),
        (["<|box_start|>(40, 30), (200, 150)<|box_end|>"], "box", "one box"),
        ([{"x1": 1, "y1": 2, "x2": 3, "y2": 4}], "box", "one box"),
        (["red", "a red ball", "blue"], "text", "3 different ones in 3 rows"),
        (["A", "c", "(B)"], "choice", "single letters in 3 rows"),
        ([["New York", "NYC"], ["Rome"]], "anls", "lists of accepted texts"),
        (["\\frac{1}{2}", "x^2 + 1", 3], "math", "2 of 3 are LaTeX or expressions"),
        (["2*x + 3", "12"], "math", "1 of 2"),
        (["(3, 4)", "(1/2, -5)"], "math", "2 of 2"),
        ([[10, 20, 30, 40], [0, 0, 5, 5]], "box", "one box"),
        (["[10, 20, 30, 40]"], "box", "one box"),
        ([[[10, 20, 30, 40]], []], "boxes", "lists of boxes"),
        ([[[10, 20, 30, 40], [0, 0, 5, 5]]], "boxes", "lists of boxes"),
        (["one\ntwo"], None, "no verifier fits them all. There are format, choice"),
        (["w" * 61], None, "no verifier fits"),
        ([[1, 2]], None, "no verifier fits"),
        ([[1, 2, 3], "a"], None, "no verifier fits"),
        ([None, "", 5], "count", "in 1 rows"),
    ],
)
def test_the_strictest_that_fits_all(answers, verifier, why):
    found = suggest(answers)
    assert found.verifier == verifier
    assert why in found.why
    assert verifier is None or verifier in VERIFIERS


@pytest.mark.parametrize(
    "answers", [[7, 12], [-3], [0.5], [12, "red", 3], ["red"], [["Rome", "Roma"]], ["1,200"], ["(0, 1)"]]
)
def test_every_answer_is_a_gold_of_it(answers):
    found = suggest(answers)
    assert found.verifier
    assert [parse_gold(Target(found.verifier, answer)) for answer in answers] == [None] * len(answers)


@pytest.mark.parametrize(
    ("answers", "options", "answer_as"),
    [
        (["A", "B"], [["red", "blue"]] * 2, "letter"),
        (["blue", "Red"], [["red", "blue"]] * 2, "text"),
        ([4, 2], [["2", "4"]] * 2, "text"),  # their texts, where they could also be numbers of options
        ([0, 1], [["red", "blue"]] * 2, "index"),
        (["B", "A"], [["B", "A"]] * 2, "text"),
        (["MW", "mW"], [["mW", "MW"]] * 2, "text"),  # as training tells them apart
    ],
)
def test_options_make_a_choice(answers, options, answer_as):
    found = suggest(answers, options=options)
    assert found.verifier == "choice"
    assert found.fields["answer_as"][0] == answer_as


def test_answers_that_name_no_option_are_no_choice():
    assert suggest([1, 2], options=[["red", "blue"]] * 2).verifier == "count"  # from 1: not an index
    assert suggest(["red", "green"], options=[("red", "blue")] * 2).verifier == "text"
    assert suggest([0, 1], options=[["red", "blue"]] * 2, indices=False).verifier == "count"


@pytest.mark.parametrize(
    ("box", "size", "frame"),
    [
        ([0.1, 0.2, 0.5, 1.0], (640, 480), "unit"),
        ([10, 20, 600, 470], (640, 480), "pixels"),
        ([10, 20, 900, 990], (640, 480), "normalised1000"),
        ([10, 20, 1900, 990], (640, 480), "pixels"),
        ([10, 20, 900, 990], None, "pixels"),
    ],
)
def test_the_frame_of_boxes_is_seen_from_the_pictures(box, size, frame):
    assert suggest([box], sizes=[size]).fields["gold_frame"][0] == frame


@pytest.mark.parametrize("box", [[100, 100, 50, 140], [100, 100, 140, 40], [9, 9, 9, 20], [9, 9, 20, 9]])
def test_each_box_that_ends_before_it_begins_is_counted(box):
    assert suggest([box, [0, 0, 5, 5]]).notes[0].startswith("1 of 2 boxes end before they begin")


def test_odd_boxes_are_noted():
    assert "x, y, width, height" in suggest([[100, 100, 50, 40]], sizes=[(640, 480)]).notes[0]
    assert "thousandths" in suggest([[100, 100, 500, 400]], sizes=[(4000, 3000)]).notes[0]
    assert not suggest([[100, 100, 500, 400]], sizes=[(640, 480)]).notes


@pytest.mark.parametrize(
    ("answers", "verifier"),
    [
        (["6/10/2020", "3/5/2020"], "text"),
        (["2020/21", "2019/20"], "text"),
        (["1/2 cup of milk", "1/3 of it"], "text"),
        (["1/2", "3/4"], "math"),
        ([float("nan"), 1.0, 2.0], "count"),
        (["$1,200", "50%", "three", "1.5"], "relaxed"),
        (["$1,200", "50%", "three", "12"], "text"),
    ],
)
def test_what_only_looks_like_something_is_not_taken_for_it(answers, verifier):
    found = suggest(answers)
    assert found.verifier == verifier
    if verifier == "relaxed":
        assert "plain numbers (1 of 4, 0 of them whole)" in found.why


def test_an_answer_that_could_be_two_things_is_a_note():
    options = [["3", "1", "2", "0"]] * 4
    assert "text or index" in suggest(["3", "1", "2", "0"], options=options).notes[0]
    assert "count from 1" in suggest([1, 2, 3, 4], options=[["a", "b", "c", "d", "e"]] * 4).notes[0]


def test_rows_without_options_are_judged_by_a_verifier_of_their_own():
    options = [("red", "blue"), (), ("red", "blue"), ()]
    found = suggest(["blue", "1.5", "red", "2"], options=options)
    assert (found.verifier, found.fields["answer_as"][0], found.fields["free_form"][0]) == ("choice", "text", "number")
    found = suggest(["B", "7", "A", "2"], options=options)
    assert (found.fields["answer_as"][0], found.fields["free_form"][0]) == ("letter", "count")
    found = suggest(["B", "a\nb", "A", "c\nd"], options=options)
    assert "free_form" not in found.fields
    assert "2 rows have no options, and no verifier fits their answers" in found.notes[0]


def test_rows_without_options_may_be_judged_by_several_verifiers():
    """MathVista: an answer_type a row."""
    options = [("red", "blue"), (), (), (), ()]
    found = suggest(["blue", "1.5", "2", "[1, 2]", "yes"], options=options)
    assert found.fields["free_form"][0] == ("count", "number", "text")
    assert suggest(["blue", "3", "2", "no", "yes"], options=options).fields["free_form"][0] == ("count", "text")
    assert suggest(["blue", "-3", "2.5", "1", "0"], options=options).fields["free_form"][0] == "number"


def test_a_few_answers_that_name_no_option_are_mistakes():
    found = suggest(["red"] * 19 + ["green"], options=[("red", "blue")] * 20)
    assert (found.verifier, found.fields["answer_as"][0]) == ("choice", "text")
