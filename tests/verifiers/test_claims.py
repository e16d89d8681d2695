"""Claims: the sides of a chain, what it names, and the values of a list."""

import pytest

from modomodo.verifiers.claims import Claim, foreign, how_many, is_name, items, read_claim


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("5", Claim("", ("5",))),
        ("= 5", Claim("", ("5",))),
        ("x = 2+3 = 5", Claim("x", ("2+3", "5"))),
        ("x=6=5", Claim("x", ("6", "5"))),
        ("6=5", Claim("", ("6", "5"))),
        (r"x \approx 3.14", Claim("x", (), "3.14")),
        (r"x = \frac{22}{7} \approx 3.14", Claim("x", (r"\frac{22}{7}",), "3.14")),
        ("f(a=1) = 5", Claim("f(a=1)", ("5",))),
        ("x=1, x=2", Claim("", ("x=1, x=2",))),
        ("x <= 5", Claim("", ("x <= 5",))),
    ],
)
def test_the_sides_of_a_chain(text, claim):
    assert read_claim(text, "") == claim


@pytest.mark.parametrize("text", ["5 = ", r"6 \approx 5 = 5", "1=" * 7 + "1", "= = 5"])
def test_no_claim(text):
    assert isinstance(read_claim(text, ""), str)


@pytest.mark.parametrize(
    ("side", "named"),
    [
        *[
            (side, True)
            for side in ("x", "x_1", "f(2)", "f'(x)", "AB", "Area", r"\text{Area}", "a+b", r"\overline{AB}")
        ],
        *[(side, True) for side in (r"\angle ABC", r"P(A \mid B)", r"\sin 30^\circ", "|AB|", r"\frac{dy}{dx}", "e")],
        *[
            (side, False)
            for side in ("6", "x+1", "2x", "x^2", "-x", "1/x", r"\pi", "6 cm", "not x", r"\lnot x", "6 or x")
        ],
        *[(side, False) for side in (r"x \ne y", "x<y", r"\forall x", "answer 6")],
    ],
)
def test_a_name_is_what_needs_no_solving(side, named):
    assert is_name(side, frozenset()) == named


def test_a_side_in_the_symbols_of_the_gold_is_a_value():
    assert read_claim("a-b = 2a+3b", "2a+3b") == Claim("", ("a-b", "2a+3b"))
    assert read_claim("c = 2a+3b", "2a+3b") == Claim("c", ("2a+3b",))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5", ["5"]),
        ("1, 2", ["1", " 2"]),
        (r"\{1,2\}", ["1", "2"]),
        (r"x \in \{1,2\}", ["1", "2"]),
        ("f(a,b)", ["f(a,b)"]),
        ("(x,y) = (1,2)", ["(x,y) = (1,2)"]),
        (r"x=1 \text{ or } x=2", ["x=1 ", " x=2"]),
        (r"3,\,4", ["3", r"\,4"]),
    ],
)
def test_the_values_of_a_list(text, values):
    assert items(text) == values


def test_either_sign_is_two_values_and_a_comma_may_be_one_for_thousands():
    assert how_many(r"\pm 3") == {2}
    assert how_many("1,000") == {1, 2}


@pytest.mark.parametrize(
    ("said", "gold", "strange"),
    [
        (r"\sqrt{2}'", r"\sqrt{2}", True),
        ("f'(x)", "f'(x)", False),
        ("A^T", "A", True),
        ("A^T", "A^T", False),
        (r"\cancel{5}", "5", True),
        (r"\lim_{x\to 0} x", "0", False),
        (r"x \to 0", "0", True),
        (r"1,2,\ldots", "1,2", True),
        (r"\alpha + \sqrt{2}", "x", False),
    ],
)
def test_what_the_gold_has_not(said, gold, strange):
    assert bool(foreign(said, gold)) == strange
