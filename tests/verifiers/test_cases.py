"""The adversarial table: what each rule rewards, and each hole it closes, one case a line."""

import pytest

from modomodo.core.rows import Target, View
from modomodo.verifiers import grade

PIXELS = View()
STANDARD = View(mode="standard")
THOUSAND = View(frame="normalised1000")
UNIT = View(frame="unit")
RESIZED = View(frame="resized", resized_size=(320, 120))

ANIMALS = Target("choice", "B", ("a cat", "a dog", "the cat and the dog", "none"))
LETTERS = Target("choice", "B")
TWINS = Target("choice", "B", ("red", "blue", "Blue"))
VARIABLES = Target("choice", "B", ("x", "y"))
SWAPPED = Target("choice", "B", ("B", "A"))
TWELVE = Target("number", 12.0)
PRICE = Target("number", "$1,234.50")
ZERO = Target("number", 0)
LOOSE = Target("number", 200.0, tolerance=0.01)
FIVE = Target("count", 5)
RED = Target("text", "Red Ball")
NO = Target("text", "no")
EITHER = Target("text", ("colour", "color"))
BOX = Target("box", (10, 20, 30, 60), image_size=(640, 240))
NO_SIZE = Target("box", (10, 20, 30, 60))
PAIR = Target("boxes", ((0, 0, 10, 10), (100, 0, 110, 20)), image_size=(640, 240))
NONE_THERE = Target("boxes", ())
POINT = Target("point", (10, 20, 30, 60), image_size=(640, 240))
CHART = Target("relaxed", "200")
SHARE = Target("relaxed", "50%")
NOUGHT = Target("relaxed", "0")
WORD = Target("anls", ("hello world", "hi"))

RIGHT, WRONG, UNPARSED, UNGRADABLE = ("right", 1.0), ("wrong", 0.0), ("unparsed", 0.0), ("ungradable", None)


def say(answer: str) -> str:
    return f"<think>hm</think> <answer>{answer}</answer>"


CHOICES = [
    *[
        (ANIMALS, said, RIGHT)
        for said in ("B", "(B)", "B.", "B)", "B:", "**B**", "**B.**", "**(B)**", "(B).", "b", "(b)")
    ],
    *[
        (ANIMALS, said, RIGHT)
        for said in ("B: a dog", "B. A dog.", "(B) a dog", "B) a dog", "**B**: a dog", "**B. a dog**")
    ],
    *[
        (ANIMALS, said, RIGHT)
        for said in ("the answer is B", "The answer is (B).", "The correct answer is: **B**", "Answer: B")
    ],
    *[(ANIMALS, said, RIGHT) for said in ("a dog", "A  DOG.", '"a dog"', "Ｂ", "The answer is B: a dog")],
    (ANIMALS, "A", WRONG),
    (ANIMALS, "a", WRONG),
    (ANIMALS, "a cat", WRONG),
    (ANIMALS, "the cat and the dog", WRONG),
    *[
        (ANIMALS, said, UNPARSED)
        for said in ("A or B", "A, B", "AB", "A and B", "B B", "B/A", "(A) (B)", "B. A", "A|B")
    ],
    *[
        (ANIMALS, said, UNPARSED)
        for said in ("B: a cat", "A: a dog", "a cat or a dog", "dog", "a dog, not a cat", "B, not A")
    ],
    *[
        (ANIMALS, said, UNPARSED)
        for said in ("E", "I do not know", "not B", "the answer is A or B", "**B", "(B", "1", "ABCD")
    ],
    (ANIMALS, "B" * 3_000, UNPARSED),
    (LETTERS, "B", RIGHT),
    (LETTERS, "Z", WRONG),
    (LETTERS, "B: anything", UNPARSED),
    (TWINS, "BLUE", UNPARSED),
    (TWINS, "blue", RIGHT),
    (TWINS, "Blue", WRONG),
    (Target("choice", "A", ("10²", "102")), "10²", RIGHT),
    (Target("choice", "A", ("", "x")), ".", UNPARSED),
    *[
        (ANIMALS, said, RIGHT)
        for said in ("**a dog**", "The answer is a dog", "**Answer: B**", "the answer is b", "b: a dog", "(b) a dog")
    ],
    *[(ANIMALS, said, UNPARSED) for said in ("the answer is a", "B..", "b: a cat", "The answer is a cat or a dog")],
    (TWINS, "B: blue", RIGHT),
    (VARIABLES, "y", RIGHT),
    (VARIABLES, "x", WRONG),
    (SWAPPED, "B", RIGHT),
    (SWAPPED, "A", WRONG),
    (SWAPPED, "B: A", RIGHT),
    (Target("choice", "E", ("a", "b")), "E", UNGRADABLE),
    (Target("choice", "AB"), "A", UNGRADABLE),
    (Target("choice", ""), "A", UNGRADABLE),
    (Target("choice", 1), "A", UNGRADABLE),
]

NUMBERS = [
    *[
        (TWELVE, said, PIXELS, RIGHT)
        for said in ("12", "12.0", "+12", "12.", "$12", "12%", "12 %", "12°", "１２", "1.2e1", "12$")
    ],
    *[(TWELVE, said, PIXELS, WRONG) for said in ("-12", "−12", "12.0000001", "1,200", "0", "1e-400")],
    *[
        (TWELVE, said, PIXELS, UNPARSED)
        for said in ("3 12", "12 3", "12 or 13", "1,2", "12,0", "twelve", "$1$2", "1①", "1²", "1½")
    ],
    *[
        (TWELVE, said, PIXELS, UNPARSED)
        for said in ("nan", "inf", "-inf", "1e999", "1_2", "0x0c", "12 apples", "--12", "١٢", "12/1")
    ],
    (TWELVE, "1" * 65, PIXELS, UNPARSED),
    (TWELVE, "12.00001", STANDARD, RIGHT),
    (TWELVE, "12.001", STANDARD, WRONG),
    (PRICE, "1234.5", PIXELS, RIGHT),
    (PRICE, "-$1,234.50", PIXELS, WRONG),
    (PRICE, "12,34.50", PIXELS, UNPARSED),
    (PRICE, "0,001,234.50", PIXELS, UNPARSED),
    (ZERO, "0.0", PIXELS, RIGHT),
    (ZERO, "-0", PIXELS, RIGHT),
    (ZERO, "1e-400", PIXELS, WRONG),
    (ZERO, "0.000001", STANDARD, WRONG),
    (Target("number", 0, tolerance=0.05), "0.001", STANDARD, WRONG),
    (Target("number", 0, tolerance=0.05), "0.0", STANDARD, RIGHT),
    (ZERO, "0.5", STANDARD, WRONG),
    (LOOSE, "201.9", PIXELS, RIGHT),
    (LOOSE, "202", PIXELS, RIGHT),
    (Target("number", 1, tolerance=0.05), "1.05", PIXELS, RIGHT),
    (Target("number", 0.5, tolerance=0.05), "0.525", PIXELS, RIGHT),
    (Target("number", 100), "99.999", STANDARD, RIGHT),
    (Target("number", -12), "﹣12", PIXELS, RIGHT),
    (TWELVE, "12..", PIXELS, UNPARSED),
    (LOOSE, "202.1", PIXELS, WRONG),
    (LOOSE, "-200", PIXELS, WRONG),
    (Target("number", -45.0), "−45°", PIXELS, RIGHT),
    (Target("number", -5.0), "-$5", PIXELS, RIGHT),
    (Target("number", -5.0), "$-5", PIXELS, RIGHT),
    (Target("number", "about 5"), "5", PIXELS, UNGRADABLE),
    (Target("number", float("nan")), "5", PIXELS, UNGRADABLE),
    (Target("number", float("inf")), "5", PIXELS, UNGRADABLE),
    (Target("number", True), "1", PIXELS, UNGRADABLE),
    (Target("number", 5.0, tolerance=float("nan")), "5", PIXELS, UNGRADABLE),
    *[(FIVE, said, STANDARD, RIGHT) for said in ("5", "5.0", "05", "+5")],
    *[(FIVE, said, STANDARD, WRONG) for said in ("5.9", "4.99999999", "5.00000001", "-5", "50")],
    *[(FIVE, said, STANDARD, UNPARSED) for said in ("five", "5 5", "4 5", "5 or 6", "there are 5", "5!", "[5]")],
    (Target("count", 5.5), "5", PIXELS, UNGRADABLE),
    (Target("count", -1), "-1", PIXELS, UNGRADABLE),
]

TEXTS = [
    *[
        (RED, said, PIXELS, RIGHT)
        for said in ("red ball", "RED  BALL.", "“Red Ball”", '"red ball."', "'red ball'.", "ｒｅｄ ball")
    ],
    *[
        (RED, said, PIXELS, WRONG)
        for said in ("red", "a red ball", "red ball or blue ball", "redball", "red ball..", "red, ball")
    ],
    (RED, "x" * 3_000, PIXELS, UNPARSED),
    *[(NO, said, PIXELS, WRONG) for said in ("I do not know", "no yes", "not", "none", "yes", "unknown", "on")],
    (EITHER, "Color", PIXELS, RIGHT),
    (Target("text", "dog's"), "Dog’s", PIXELS, RIGHT),
    (EITHER, "colour color", PIXELS, WRONG),
    (Target("text", "STRASSE"), "straße", PIXELS, RIGHT),
    (Target("text", ""), "a", PIXELS, UNGRADABLE),
    (Target("text", ()), "a", PIXELS, UNGRADABLE),
    (Target("text", (1.0, 2.0, 3.0, 4.0)), "a", PIXELS, UNGRADABLE),
    *[(CHART, said, STANDARD, RIGHT) for said in ("200", "190", "210", "200.0", "2e2")],
    *[
        (CHART, said, STANDARD, WRONG)
        for said in ("189.9", "210.1", "-200", "200%", "1,90", "nan", "inf", "190 or 210")
    ],
    *[(CHART, said, PIXELS, RIGHT) for said in ("200", "200.0", "$200")],
    *[(CHART, said, PIXELS, WRONG) for said in ("190", "201", "two hundred")],
    *[(SHARE, said, STANDARD, RIGHT) for said in ("50%", "0.5", "0.49", "51%")],
    (SHARE, "50", STANDARD, WRONG),
    (NOUGHT, "0", STANDARD, RIGHT),
    (NOUGHT, "0.0", STANDARD, WRONG),
    (NOUGHT, "0.0001", STANDARD, WRONG),
    (Target("relaxed", "Yes"), "yes", STANDARD, RIGHT),
    (Target("relaxed", "Yes"), "yes.", STANDARD, WRONG),
    (Target("relaxed", "Yes"), "yes.", PIXELS, RIGHT),
    (Target("relaxed", 200, tolerance=0.2), "170", STANDARD, RIGHT),
    (WORD, "Hello  World", STANDARD, RIGHT),
    (WORD, "HI", STANDARD, RIGHT),
    (WORD, "hello worlds", STANDARD, ("partial", 1 - 1 / 12)),
    (WORD, "hello", STANDARD, WRONG),
    (WORD, "x" + " " * 900 + "y", STANDARD, WRONG),
    (WORD, "hello worlds", PIXELS, WRONG),
    (WORD, "Hello world.", PIXELS, RIGHT),
    (Target("anls", "abcd"), "abxy", STANDARD, ("partial", 0.5)),
    (Target("anls", "abcd"), "axyz", STANDARD, WRONG),
    (Target("anls", ()), "a", STANDARD, UNGRADABLE),
]

BOXES = [
    *[
        (BOX, said, PIXELS, RIGHT)
        for said in ("[10, 20, 30, 60]", "[[10,20,30,60]]", "[10.0, 2e1, +30, 60.]", "(10,20,30,60)")
    ],
    (BOX, '{"bbox_2d": [10, 20, 30, 60], "label": "a dog, [1, 2]"}', PIXELS, RIGHT),
    (BOX, "[{'Position': [10, 20, 30, 60], 'Confidence': 0.1}]", PIXELS, RIGHT),
    (BOX, "[{Position: [10, 20, 30, 60], Confidence: 0.1}]", PIXELS, RIGHT),
    (BOX, '[{"box": [10, 20, 30, 60], "score": 1}]', PIXELS, RIGHT),
    (BOX, "[10, 20, 30, 40]", PIXELS, ("partial", 0.5)),
    (BOX, "[110, 20, 130, 60]", PIXELS, WRONG),
    (BOX, "[{Position: [110, 20, 130, 60], Confidence: 1}]", PIXELS, WRONG),
    *[
        (BOX, said, PIXELS, WRONG)
        for said in ("[30, 60, 10, 20]", "[30, 20, 10, 60]", "[10, 60, 30, 20]", "[10, 20, 10, 60]")
    ],
    *[(BOX, said, PIXELS, WRONG) for said in ("[1e999, 20, 30, 60]", "[-1e999, -1e999, 1e999, 1e999]", "[]")],
    (BOX, "[[10,20,30,60],[10,20,30,60]]", PIXELS, RIGHT),
    (BOX, "[[0,0,1,1],[10,20,30,60]]", PIXELS, WRONG),
    *[
        (BOX, said, PIXELS, UNPARSED)
        for said in ("[NaN, 20, 30, 60]", "[nan,nan,nan,nan]", "[inf, 20, 30, 60]", "10, 20, 30, 60")
    ],
    *[
        (BOX, said, PIXELS, UNPARSED)
        for said in ("[10, 20, 30]", "[10, 20, 30, 60, 1]", "[10 20 30 60]", "[10, 20, 30, 60", "{")
    ],
    *[
        (BOX, said, PIXELS, UNPARSED)
        for said in ("[10, 20, 30, 60] maybe", "box [10, 20, 30, 60]", "[10,20,30,60] [1,2,3,4]", "[")
    ],
    *[
        (BOX, said, PIXELS, UNPARSED)
        for said in ("[[[10,20,30,60]]]", "[10,20,30,60)", "['10','20','30','60']", "[1_0,20,30,60]")
    ],
    *[
        (BOX, said, PIXELS, UNPARSED)
        for said in ("[__import__('os')]", "[10, 20, 30, 6*10]", "[10,20,30,٦٠]", "[" * 900, "[" * 2000)
    ],
    (BOX, "{Position: [10,20,30,60], bbox: [1,2,3,4]}", PIXELS, UNPARSED),
    (BOX, "{Confidence: 0.9}", PIXELS, UNPARSED),
    (BOX, "{Position: [10,20,30,60], Confidence: high}", PIXELS, UNPARSED),
    (BOX, "{other: [10,20,30,60]}", PIXELS, UNPARSED),
    (BOX, "no objects", PIXELS, UNPARSED),
    (BOX, "[15.625, 83.33333333333333, 46.875, 250]", THOUSAND, RIGHT),
    (BOX, "[10, 20, 30, 60]", THOUSAND, WRONG),
    (BOX, "[0.015625, 0.08333333333333333, 0.046875, 0.25]", UNIT, RIGHT),
    (BOX, "[5, 10, 15, 30]", RESIZED, RIGHT),
    (BOX, "[5, 10, 15, 30]", View(frame="resized"), UNGRADABLE),
    (NO_SIZE, "[10, 20, 30, 60]", PIXELS, RIGHT),
    (NO_SIZE, "[10, 20, 30, 60]", THOUSAND, UNGRADABLE),
    (Target("box", (30, 20, 10, 60)), "[10, 20, 30, 60]", PIXELS, UNGRADABLE),
    (Target("box", (10, 20, 30, float("nan"))), "[10, 20, 30, 60]", PIXELS, UNGRADABLE),
    (Target("box", "10 20 30 60"), "[10, 20, 30, 60]", PIXELS, UNGRADABLE),
    (Target("box", ((10, 20, 30, 60),)), "[10, 20, 30, 60]", PIXELS, UNGRADABLE),
    (PAIR, "[[0,0,10,10],[100,0,110,20]]", PIXELS, RIGHT),
    (PAIR, "[[100,0,110,20],[0,0,10,10]]", PIXELS, RIGHT),
    (PAIR, "[0,0,10,10]", PIXELS, ("partial", 0.5)),
    (PAIR, "[[0,0,10,10],[100,0,110,20],[200,0,210,20],[300,0,310,20]]", PIXELS, ("partial", 0.5)),
    (PAIR, "[[0,0,10,10],[0,0,10,10]]", PIXELS, ("partial", 0.5)),
    (PAIR, "[[0,0,10,5],[100,0,110,20]]", PIXELS, ("partial", 0.5)),
    (PAIR, "[[10,10,0,0],[100,0,110,20]]", PIXELS, ("partial", 0.5)),
    (PAIR, "[[0,0,10,8],[100,0,110,15]]", PIXELS, ("partial", (0.8 + 0.75) / 2)),
    # The more confident of two rivals chooses, though the other fits better.
    (PAIR, "[{box:[0,0,10,10],score:0.1},{box:[0,0,10,8],score:0.9}]", PIXELS, ("partial", 0.4)),
    (PAIR, "[{box:[0,0,10,10],score:0.9},{box:[0,0,10,8],score:0.1}]", PIXELS, ("partial", 0.5)),
    (PAIR, "[{box:[0,0,10,8],score:0.5},{box:[0,0,10,10],score:0.5}]", PIXELS, ("partial", 0.4)),
    (PAIR, "[]", PIXELS, WRONG),
    (PAIR, "no objects", PIXELS, WRONG),
    (PAIR, "[" + "[0,0,10,10]," * 300 + "[0,0,10,10]]", PIXELS, UNPARSED),
    (PAIR, "[[0,0,10,10],[1,2]]", PIXELS, UNPARSED),
    (NONE_THERE, "no objects" + " " * 22 + "[0,0,10,10]", PIXELS, UNPARSED),
    (NONE_THERE, "no objects." + "\n" * 21 + "just kidding, two dogs", PIXELS, UNPARSED),
    *[(NONE_THERE, said, PIXELS, RIGHT) for said in ("[]", "no objects", "No Objects.", "[ ]")],
    (NONE_THERE, "[0,0,10,10]", PIXELS, WRONG),
    (NONE_THERE, "nothing to see, no objects", PIXELS, UNPARSED),
    (Target("boxes", (1, 2, 3, 4)), "[]", PIXELS, UNGRADABLE),
    (Target("boxes", "no objects"), "[]", PIXELS, UNGRADABLE),
    *[(POINT, said, PIXELS, RIGHT) for said in ("[20, 40]", "(10, 20)", "[[30, 60]]", '{"point_2d": [20, 40]}')],
    *[
        (POINT, said, PIXELS, WRONG)
        for said in ("[9.9, 40]", "[20, 61]", "[40, 20]", "[[20, 40], [20, 41]]", "[1e999, 40]", "[]")
    ],
    *[(POINT, said, PIXELS, UNPARSED) for said in ("[10, 20, 30, 60]", "[nan, 40]", "20, 40", "inside", "[20]")],
    (POINT, "[31.25, 166.6]", THOUSAND, RIGHT),
    (Target("point", (0, 0, 243, 100), image_size=(1080, 1000)), "[225, 100]", THOUSAND, RIGHT),
    (Target("point", [10, 20, 30, 60]), "[20, 40]", PIXELS, RIGHT),
    (POINT, "[20, 40]", THOUSAND, WRONG),
]

CASES = [
    *[(say(answer), target, PIXELS, *verdict) for target, answer, verdict in CHOICES],
    *[(say(answer), target, view, *verdict) for target, answer, view, verdict in [*NUMBERS, *TEXTS, *BOXES]],
]


@pytest.mark.parametrize(("completion", "target", "view", "status", "reward"), CASES)
def test_verdict(completion, target, view, status, reward):
    verdict = grade(completion, target, view)
    assert (verdict.status, verdict.reward) == (status, reward if reward is None else pytest.approx(reward)), verdict
    assert verdict.status == "right" or verdict.reason


def test_the_table_is_large():
    assert len(CASES) >= 300
