"""Units and nouns after a number: one spelling of each, and the words that are neither."""

import pytest

from modomodo.verifiers.units import agree, read_unit


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("", ""),
        ("units", ""),
        (r"\text{ square units}", ""),
        (r"\,\mathrm{cm}", "cm"),
        ("centimetres", "cm"),
        (r"\text{cm}^{2}", "cm^2"),
        ("square centimeters", "cm^2"),
        ("cm²", "cm^2"),
        (r"\mathrm{m\,s^{-2}}", "m s^-2"),
        (r"\text{m/s}^2", "m s^-2"),
        ("miles per hour", "h^-1 mi"),
        ("mph", "h^-1 mi"),
        (r"^{\circ}", "deg"),
        (r"^\circ\text{C}", "degC"),
        ("degrees Celsius", "degC"),
        (r"\mu m", "µm"),
        (r"\$", "$"),
        ("red dogs", "~red dog"),
        ("people", "~people"),
    ],
)
def test_one_spelling_of_a_unit(text, unit):
    assert read_unit(text) == unit


@pytest.mark.parametrize(
    "text",
    [
        *["million", r"\text{ million}", "dozen", "halves", "or six", r"\text{ no, 6}", "is wrong", "not", "at least"],
        *["hopefully", "squared", "k", "M", "x", "'", "^T", "_6", "?", "6", "cm 6", "cm or m", "dogs, cats"],
        *["dogs and cats", "dogs in the old image", "a" * 80],
    ],
)
def test_words_that_count_change_or_hedge_are_no_unit(text):
    assert read_unit(text) is None


@pytest.mark.parametrize(
    ("said", "gold", "together"),
    [
        ("cm", "cm", True),
        ("cm", "", True),
        ("", "cm", True),
        ("km", "m", False),
        ("cm^2", "cm", False),
        ("K", "", False),  # 5 K may be 5,000
        ("K", "K", True),
        ("~apple", "~red apple", True),
        ("~orange", "~apple", False),
        ("~apple", "cm", False),
    ],
)
def test_units_agree(said, gold, together):
    assert agree(said, gold) == together
