"""Numbers as people and spreadsheets write them."""

import pytest

from modomodo.core.errors import ModomodoError
from modomodo.mixing.tables.cells import decimal_commas, is_missing, to_number


@pytest.mark.parametrize(
    ("cell", "comma", "number"),
    [
        ("0.612", False, 0.612),
        (".5", False, 0.5),
        ("+1e-3", False, 0.001),
        ("\N{MINUS SIGN}0.5", False, -0.5),
        ("61.2%", False, 0.612),
        ("61.2 %", False, 0.612),
        ("1,683", False, 1683),
        ("1,234,567.5", False, 1234567.5),
        ("1 683", False, 1683),
        ("1'683.5", False, 1683.5),
        ("0,612", True, 0.612),
        ("61,2%", True, 0.612),
        ("1.683,5", True, 1683.5),
        ("1.683", True, 1683),
        ("1 683,5", True, 1683.5),
        ("7", True, 7),
    ],
)
def test_numbers(cell: str, comma: bool, number: float):
    assert to_number(cell, decimal_comma=comma) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize(
    ("cell", "comma"),
    [
        *(
            (text, False)
            for text in ("0,5", "1,68", "0,612", "12,3456", "good", "0.61 pts", "0.61±0.01", "62 of 100", "%")
        ),
        *((text, False) for text in ("=1+1", "**0.5**", "1.683,5", "+nan", "5/8", "0.5*")),
        *((text, True) for text in ("0.5", "1.23", "1,2,3", "1,683.5")),
    ],
)
def test_anything_else_is_no_number(cell: str, comma: bool):
    with pytest.raises(ValueError, match=r"."):
        to_number(cell, decimal_comma=comma)


@pytest.mark.parametrize(
    ("cells", "comma"),
    [
        (["0.5", "1"], False),
        (["0,5", "1"], True),
        (["0,333", "1"], True),
        (["61,2%", "1"], True),
        (["1.683,5", "1"], True),
        (["0,5", "1.683"], True),
        (["0.5", "1,683"], False),
        (["1,683.5", "2,500"], False),
        (["1.683", "2"], False),
        (["2", "3"], False),
    ],
)
def test_what_a_comma_means_in_a_file(cells: list[str], comma: bool):
    assert decimal_commas((f"line {number}", cell) for number, cell in enumerate(cells)) is comma


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["0,5", "0.5"], "line 0: '0,5' has a decimal comma, and line 1: '0.5' a decimal point"),
        (["1,683", "2"], "line 0: '1,683' can be read in two ways"),
    ],
)
def test_what_a_comma_means_must_be_clear(cells: list[str], says: str):
    with pytest.raises(ModomodoError, match=says):
        decimal_commas((f"line {number}", cell) for number, cell in enumerate(cells))


@pytest.mark.parametrize(
    "cell", ["", "NaN", "N/A", "n.a.", "-", "\N{EM DASH}", "None", "NULL", "<NA>", "#DIV/0!", "#N/A"]
)
def test_spellings_of_no_number(cell: str):
    assert is_missing(cell)
