"""Two ways to write one thing: brought into one form, or left alone."""

from fractions import Fraction

import pytest

from modomodo.verifiers.forms import in_one_form, read_turn


@pytest.mark.parametrize(
    ("said", "gold", "both"),
    [
        ("y=1, x=2", "(3,4)", ("(2, 1)", "(3, 4)")),
        ("(y,x)=(1,2)", "(3,4)", ("(2, 1)", "(3, 4)")),
        ("y=1, x=2", "y=3, x=4", ("(1, 2)", "(3, 4)")),
        ("(1,2)", "y=3, x=4", ("(1,2)", "(3, 4)")),
        ("b=1, m=2", "(3,4)", ("(2, 1)", "(3, 4)")),
        (r"\theta=1, r=2", "(3,4)", ("(2, 1)", "(3, 4)")),
        ("x_2=1, x_1=2", "(3,4)", ("(2, 1)", "(3, 4)")),
        ("0<x<1", "(0,1)", ("(0, 1)", "(0,1)")),
        (r"1 \ge x>0", "(0,1)", ("(0, 1]", "(0,1)")),
        ("x>2", r"(2,\infty)", (r"(2, \infty)", r"(2,\infty)")),
        (r"x \in [2,3)", r"2 \leq x < 3", ("[2,3)", "[2, 3)")),
        ("x<1 or 2<x", r"x>2 \cup x<1", (r"(-\infty, 1) \cup (2, \infty)", r"(2, \infty) \cup (-\infty, 1)")),
        (r"\{x \mid x>2\}", "x>3", (r"(2, \infty)", r"(3, \infty)")),
    ],
)
def test_one_form(said, gold, both):
    found = in_one_form(said, gold)
    assert found is not None
    assert tuple(text.replace(", ", ",") for text in found) == tuple(text.replace(", ", ",") for text in both)


@pytest.mark.parametrize(
    ("said", "gold"),
    [
        ("5", "5"),
        ("(1,2)", "(1,2)"),
        ("x=1, x=2", "1, 2"),  # two values of one symbol
        ("0\n<x<1\n2", "(0,1)"),  # lines are no sides
        ("1 < x\n2", "(1,2)"),
        ("x_1=1, x_2=2", r"\{1,2\}"),
        ("x=1, y=2", r"\{1,2\}"),
        ("x=1, y=2, z=3", "(1,2)"),
        ("a=1, b=2", "x=1, y=2"),
        ("x>2, x<3", "x>2"),
        ("x>2>1", "x>2"),
        ("0<x>1", "(0,1)"),
        ("x>y", "x>2"),
        ("y>2", "x>2"),
        (r"x>2\text{ refuted}", "x>2"),
        ("(0,1)", "[0,1]"),
    ],
)
def test_left_alone(said, gold):
    assert in_one_form(said, gold) is None


@pytest.mark.parametrize(
    ("text", "turn"),
    [
        (r"\pi", 1),
        ("2π/3", Fraction(2, 3)),
        (r"-\frac{\pi}{6}", Fraction(-1, 6)),
        (r"\frac{3\pi}{4}\text{ rad}", Fraction(3, 4)),
        (r"\frac{3}{4}\pi", Fraction(3, 4)),
        ("0.5 pi radians", Fraction(1, 2)),
        *[(text, None) for text in ("60", r"\pi+1", r"\pi/0", r"\pi^2", r"\pi x", r"\pi cm", r"\sqrt{\pi}")],
    ],
)
def test_half_turns(text, turn):
    assert read_turn(text) == turn
