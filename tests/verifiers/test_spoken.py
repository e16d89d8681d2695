"""Coordinates as models speak them: what is dropped around them, and what names an object."""

import pytest

from modomodo.verifiers.spoken import denies, plain_coordinates


@pytest.mark.parametrize(
    ("answer", "kind", "plain"),
    [
        ("[1, 2, 3, 4]", "box", "[1, 2, 3, 4]"),
        ("```JSON\n[1,2,3,4]\n```", "box", "[1,2,3,4]"),
        ("<bbox>[1,2,3,4]</bbox>", "box", "<box>[1,2,3,4]</box>"),
        ("a red dog<box>[1,2,3,4]</box>", "box", " <box>[1,2,3,4]</box>"),
        ("dog: <box>[1,2,3,4]</box>", "box", " <box>[1,2,3,4]</box>"),
        ("maybe<box>[1,2,3,4]</box>", "box", "maybe<box>[1,2,3,4]</box>"),
        ('<point x="1.5" y="2" alt="a dog">a dog</point>', "point", "[1.5, 2]"),
        ("left_click(1, 2)", "point", "[1, 2]"),
        ("click(point='(1,2)')", "point", "[1, 2]"),
        ("x=1, y=2", "point", "[1, 2]"),
        ("<point>1 2</point>", "point", "[1, 2]"),
        ("click(1, 2, 3)", "point", "click(1, 2, 3)"),
        ('<point x="1" y="2" alt="not a dog">a dog</point>', "point", '<point x="1" y="2" alt="not a dog">a dog</box>'),
    ],
)
def test_plain(answer, kind, plain):
    assert plain_coordinates(answer, kind) == plain


@pytest.mark.parametrize(
    ("label", "denied"),
    [
        *[(label, True) for label in ("not this", "No object", "none", "wrong box", "this is not it", "isn't it")],
        *[(label, False) for label in ("dog", "", "man with no hat", "a nose", "guy not in white", "狗", "1")],
    ],
)
def test_what_denies(label, denied):
    assert denies(label) == denied
