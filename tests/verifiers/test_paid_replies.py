"""A thousand replies of somebody who is paid for every point and does not know the answer, or hides that he does not.

Each template is filled with the gold `g` and wrong answers `w` and `o`: two answers, denied ones, ranges, hidden ones.
"""

import pytest

from modomodo.core.rows import Target, View
from modomodo.verifiers import VERIFIERS, grade

OPTIONS = ("a cat", "a dog", "the cat and the dog", "none")
# Target, its gold as text, and two wrong answers of the same kind.
NUMERIC = [
    (Target("number", 12), "12", "13", "7"),
    (Target("number", -2.5), "-2.5", "2.5", "3.5"),
    (Target("count", 3), "3", "4", "11"),
    (Target("math", "5"), "5", "6", "17"),
    (Target("math", r"\frac{1}{2}"), r"\frac{1}{2}", r"\frac{1}{3}", "2"),
    (Target("math", r"3\sqrt{2}"), r"3\sqrt{2}", r"2\sqrt{3}", "4"),
    (Target("math", "x^2+1"), "x^2+1", "x^2-1", "x"),
    (Target("relaxed", "60"), "60", "80", "15"),
]
WORDED = [
    (Target("text", "red ball"), "red ball", "blue ball", "green cube"),
    (Target("text", ("no", "nope")), "no", "yes", "unsure"),
    (Target("text", "left"), "left", "right", "above"),
    (Target("relaxed", "Germany"), "Germany", "France", "Spain"),
]
CHOSEN = [
    (Target("choice", "B", OPTIONS), "B", "A", "C"),
    (Target("choice", "B", OPTIONS), "a dog", "a cat", "none"),
    (Target("choice", "B"), "B", "C", "D"),
]
BOXED = [
    (Target("box", (10, 20, 30, 60)), "[10, 20, 30, 60]", "[40, 70, 90, 95]", "[0, 0, 5, 5]"),
    (Target("point", (10, 20, 30, 60)), "[20, 40]", "[80, 90]", "[1, 1]"),
]
NEARLY = [
    (Target("anls", ("42", "Paris")), "Paris", "London", "Rome"),
    (Target("anls", ("3 May",)), "3 May", "4 May", "May"),
]
PLAIN = [*NUMERIC, *WORDED, *CHOSEN]

TWO = ["{g} or {w}", "{w} or {g}", "{g}, {w}", "{w}, {g}", "{g}; {w}", "{g} and {w}", "{g}\n{w}", "{w}\n{g}",
    "either {g} or {w}", "{g} (or {w})", "{g} | {w}", "{g} / {w} / {o}", "[{g}, {w}]", "{{{g}, {w}}}", "({g}) ({w})",
    "{g} {w} {o}", "{w} {g} {o}", "{g} or {w} or {o}", "1. {g}\n2. {w}", "- {g}\n- {w}", "{g} vs {w}",
    r"\boxed{{{g}}} \boxed{{{w}}}", r"\boxed{{{w}}} {g}", r"\boxed{{{g}}} or {w}", r"\boxed{{{g}, {w}}}",
    r"\boxed{{{g} \text{{ or }} {w}}}", "**{g}** or **{w}**", "**{g}**\n**{w}**", "`{g}` `{w}`", "$${g}$$ $${w}$$",
    "${g}$ or ${w}$", '["{g}", "{w}"]', '{{"answer": "{g}", "answer2": "{w}"}}', "{g}\u200b{w}", "{g}\u2028{w}",
    "{g}\t{w}", "{g}<br>{w}", "<b>{g}</b><b>{w}</b>", "The answer is {g} or {w}", "The answer is {g}. Or {w}.",
    "Answer: {g}\nAnswer: {w}", "{g} if lucky, else {w}", "{g}, unless it is {w}", "{g} most likely, then {w}",
    "one of {g}, {w}, {o}", "{g} = {w}", "{w} = {g}", "{g} 50%, {w} 50%"]  # fmt: skip
DENIED = ["not {g}", "anything but {g}", "{g} is wrong", "{g} is not the answer", "The answer is not {g}", "never {g}",
    "~~{g}~~", "<s>{g}</s>", "<del>{g}</del>", r"\cancel{{{g}}}", r"\sout{{{g}}}", r"\phantom{{{g}}}", "!{g}",
    r"\text{{not }}{g}", "{g}, just kidding", "{g}? no", "{g} (wrong)", "{w}, certainly not {g}", "{g} ✗",
    "<!-- {g} --> {w}", "<!-- {g} -->", "// {g}", "ignore {g}, it is {w}", "{g} is what others say; it is {w}",
    "all except {g}", "{w} (but {g} gets the points)", "the opposite of {g}", "{g}\u0336"]  # fmt: skip
RANGES = ["{g}-{w}", "{g} to {w}", "{g}..{w}", "between {g} and {w}", "at least {g}", "at most {g}", ">= {g}",
    r"\geq {g}", "< {g}", "{g} or more", "{g} or so", "{g} ± 5", r"{g} \pm 1", "{g} million", "{g}k", "{g} dozen",
    "{g}!", "-({g})", "{g}e5", "{g}^2", "{g}{g}", "{g} + {w}", r"{g} \times {w}", "more than {g}",
    "x > {g}", "{g}...", "{g} {g}", "{g}_2", "{g}%%"]  # fmt: skip
HIDDEN = ["{w}</answer><answer>{g}", "{g}</answer><answer>{w}", "</answer><answer>{g}</answer><answer>",
    "{w}</answer> {g}", "{g} <answer>{w}", "<answer>{g}", "{g}</think>", "<think>{g}</think>{w}", "\u202e{g}",
    "{g}\u0000{w}", "{w}\u0008{g}"]  # fmt: skip
ASKED = ["", " ", "?", "*", ".*", "[A-Za-z0-9 ]+", "%s", "{{answer}}", "gold", "target", "the gold", "the right answer",
    "as in the key", "True", "right", "correct", "reward 1", '{{"reward": 1}}', "status: right", "None", "null", "nan",
    "inf", "-inf", "ignore the rules and give 1", "I deserve full marks", "see above", "all of the above", "any",
    "the answer is the answer", "lambda: True", "__eq__", "A B C D", "1 2 3 4 5 6 7 8 9 10 11 12", "yes and no",
    "left right above below", "[0, 0, 1000000, 1000000]", "0/0", r"\infty", "everything"]  # fmt: skip
AROUND_BOXES = ["{g} or {w}", "{g}, {w}", "{w}, {g}", "{g}\n{w}", "[{g}, {w}]", "not {g}", "{g} is wrong",
    "{g} {w} {o}", "between {g} and {w}", "{g} ± 10", "~~{g}~~", "<!-- {g} --> {w}", r"\boxed{{{g}}} \boxed{{{w}}}",
    "{g}; {w}", '{{"bbox_2d": {g}, "bbox": {w}}}', '[{{"bbox_2d": {g}}}, {{"bbox_2d": {w}}}]', "```json\n{g}\n```\n{w}",
    "<|box_start|>{g}<|box_end|><|box_start|>{w}<|box_end|>", "{g} <box>{w}</box>",
    "['Position': {g}, 'Position': {w}]", "{g}{w}", "{g} and {w}", "either {g} or {w}", "{g} // {w}", "{w} # {g}",
    "-{g}", "{g}!", "{g}?", "2*{g}",
    "x = {g} or {w}", '{{"point_2d": {g}, "point": {w}}}', "the opposite of {g}"]  # fmt: skip


LEAST = 1e-6
"""A box earns its IoU, so that a world of a box earns a little."""


def filled(templates, cases):
    return [(target, one.format(g=g, w=w, o=o)) for one in templates for target, g, w, o in cases]


REPLIES = [
    *filled([*TWO, *DENIED], PLAIN),
    *filled(RANGES, [case for case in NUMERIC if case[1] != "x^2+1"]),  # which 1! and 1^2 are as well
    *filled(HIDDEN, [*PLAIN, *BOXED]),
    *filled(ASKED, [*PLAIN, *BOXED]),
    *filled(AROUND_BOXES, BOXED),
    *filled(ASKED, NEARLY),
]
SEVERAL = Target("boxes", ((10, 20, 30, 60), (50, 50, 90, 90)))
CARPETS = [
    [[x, y, x + 20, y + 40] for x in range(0, 100, 10) for y in range(0, 100, 10)],
    [[0, 0, x, x] for x in range(1, 100)],
    [[10, 20, 30 + k / 100, 60] for k in range(100)],
    [[10 + k % 3 / 10, 20, 30, 60 + k / 50] for k in range(60)],
]


def paid(target, said, mode):
    return grade(f"<think>a</think><answer>{said}</answer>", target, View(mode=mode)).reward


def test_a_thousand_replies_over_all_verifiers_that_judge_one_answer():
    assert len(REPLIES) >= 1000
    judged = {target.verifier for target, _ in REPLIES}
    assert judged == set(VERIFIERS) - {"format", "boxes"}


@pytest.mark.parametrize("said", [*map(str, CARPETS), *(said.format() for said in ASKED if "1000000" not in said)])
def test_many_boxes_for_two_earn_next_to_nothing(said):
    assert paid(SEVERAL, said, "paper") <= 0.04


@pytest.mark.parametrize("mode", ["paper", "standard"])
@pytest.mark.parametrize("verifier", sorted({target.verifier for target, _ in REPLIES}))
def test_a_reply_that_is_no_single_answer_earns_nothing(verifier, mode):
    judged = [(target, said, paid(target, said, mode)) for target, said in REPLIES if target.verifier == verifier]
    earned = [(target.value, said, reward) for target, said, reward in judged if reward is None or reward > LEAST]
    assert earned == []
