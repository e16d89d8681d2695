"""Mathematics without its delimiters, its unit, and what would cost too much."""

import pytest

from modomodo.verifiers.latex import inner, over_cap, split_unit, to_latex


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("$5$", "5"),
        ("The area is $5$.", "5"),
        ("Answer: 5", "5"),
        ("The final answer is 5.", "5"),
        (r"x = \boxed{5}", "x = 5"),
        (r"2+3 = $5$", "2+3 = 5"),
        ("$5$ cm", "5 cm"),
        (r"\boxed{50}\%", r"50 \%"),
        ("$1$ and $2$", "1, 2"),
        ("$1,234", "$1,234"),
    ],
)
def test_inner(text, inside):
    assert inner(text) == inside


@pytest.mark.parametrize(
    "text",
    ["$5$ or 6", "6 or $5$", "not $5$", "$5$ million", "$5$ cm, $6$", r"\boxed{5}'", r"-\boxed{5}", "$5$ is wrong"],
)
def test_text_beside_a_formula_is_refused(text):
    assert inner(text) is None


@pytest.mark.parametrize(
    ("text", "parted"),
    [
        (r"2\sqrt{3}\text{ cm}", (r"2\sqrt{3}", "cm")),
        (r"25\pi cm^2", (r"25\pi", "cm^2")),
        (r"\sqrt{2}\,\mathrm{m}", (r"\sqrt{2}", "m")),
        (r"\sqrt{2}\text{ apples}", (r"\sqrt{2}", "~apple")),
        *[(text, (text, "")) for text in (r"\sqrt{2} xyz", "x^2c", r"\sqrt{2}\text{ million}", "x^2+1", r"\text{cm}")],
    ],
)
def test_the_unit_after_an_expression(text, parted):
    assert split_unit(text) == parted


def test_a_plain_number_is_written_without_an_exponent():
    assert to_latex("1.6e-19") == r"$1.6 \times 10^{-19}$"
    assert to_latex("1,000") == "$1000$"


@pytest.mark.parametrize("text", ["9^{9^{9}}", "2^{99999}", "99999!", "(" * 9 + "5" + ")" * 9, "5 6", "x" * 5_000])
def test_what_costs_too_much(text):
    assert over_cap(text)
