"""Plain numbers: what is one, and which are the same."""

from fractions import Fraction

import pytest

from modomodo.verifiers.quantity import read_quantity, same


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("5", 5, ""),
        ("-5.50", Fraction(-11, 2), ""),
        (".5", Fraction(1, 2), ""),
        ("5{,}000", 5000, ""),
        (r"5\,000", 5000, ""),
        ("１２", 12, ""),
        (r"\dfrac{1}{2}", Fraction(1, 2), ""),
        (r"\frac12", Fraction(1, 2), ""),
        (r"2\frac{1}{2}", Fraction(5, 2), ""),
        ("2 1/2", Fraction(5, 2), ""),
        ("2½", Fraction(5, 2), ""),
        ("1/3", Fraction(1, 3), ""),
        (r"0.1\overline{6}", Fraction(1, 6), ""),
        ("0.333...", Fraction(1, 3), ""),
        (r"1.6\times 10^{-19}", Fraction(16, 10**20), ""),
        ("1.6×10⁻¹⁹", Fraction(16, 10**20), ""),
        ("10^{3}", 1000, ""),
        ("2e3 J", 2000, "J"),
        (r"\$5.00", 5, "$"),
        ("-$5", -5, "$"),
        ("5 dollars", 5, "$"),
        (r"30^\circ", 30, "deg"),
        (r"\left(5\right)", 5, ""),
        (r"\{5\}", 5, ""),
        ("5m", 5, "m"),
    ],
)
def test_a_plain_number(text, value, unit):
    quantity = read_quantity(text)
    assert quantity is not None
    assert (quantity.value, quantity.unit) == (value, unit)


@pytest.mark.parametrize(
    "text",
    [
        *[
            "",
            "cm",
            "x",
            "5x",
            "2+3",
            "10/2",
            r"\frac{10}{2}",
            "1/0",
            r"3\frac{4}{2}",
            r"\sqrt{25}",
            "5!",
            "5^2",
            "5_6",
        ],
        *[
            "5'",
            "5^T",
            "1,1",
            "5 6",
            "0.5.5",
            "1,5",
            "~5",
            "5 million",
            "--5",
            "+-5",
            "1/2/3",
            "5 or 6",
            "5(1)",
            "9" * 200,
        ],
        *["nan", r"\infty", "٥", "⑤", "5⁰", r"5\cdot", r"10^{9999}", "5 cm 6", r"\$5 million", "5% cm"],
    ],
)
def test_no_plain_number(text):
    assert read_quantity(text) is None


@pytest.mark.parametrize(
    ("said", "gold", "equal"),
    [
        ("5.0", "5", True),
        ("5.0000001", "5", False),
        ("0.333333", "1/3", True),
        ("0.3333", "1/3", False),
        ("2/4", "0.5", True),
        (r"50\%", "0.5", True),
        (r"50\%", "50", True),
        (r"50\%", "5", False),
        (r"30\%", r"30^\circ", False),
        ("1e-9", "0", False),
        ("-0", "0", True),
        ("1.600001e-19", "1.6e-19", True),
        ("1.7e-19", "1.6e-19", False),
        ("5 km", "5 m", False),
        ("5", "5 m", True),
    ],
)
def test_the_same_number(said, gold, equal):
    quantities = [read_quantity(text) for text in (said, gold)]
    assert None not in quantities
    assert same(*quantities) == equal
