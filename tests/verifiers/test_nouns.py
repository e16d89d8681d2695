"""The closed list of words that may follow a number: things and what they are like, and nothing that counts."""

import pytest

from modomodo.verifiers.nouns import is_plain, singular
from modomodo.verifiers.units import read_unit


@pytest.mark.parametrize(
    "word",
    ["dog", "Dogs", "boxes", "cookies", "pies", "buses", "people", "children", "men", "potatoes", "red", "glass"],
)
def test_plain(word):
    assert is_plain(word)


@pytest.mark.parametrize(
    "word", ["zillion", "millones", "tausend", "refuted", "fails", "withdrawn", "rubbish", "seis", "sqrt", "not", "or",
             "factorials", "dozen", "half", "squared", "negated", "crossed", "wrong", "maybe"]
)  # fmt: skip
def test_not_plain(word):
    assert not is_plain(word)


@pytest.mark.parametrize(
    ("many", "one"), [("foxes", "fox"), ("movies", "movie"), ("ladies", "lady"), ("teeth", "tooth")]
)
def test_one_spelling_of_singular_and_plural(many, one):
    assert singular(many) == singular(one)


def test_a_noun_that_is_a_unit_stays_one():
    assert read_unit("feet") == "ft"
    assert read_unit("big feet") == "~big foot"
