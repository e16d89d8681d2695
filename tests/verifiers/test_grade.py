"""Properties of `grade`, `parse_gold` and `gold_reply` over all verifiers."""

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Target, View
from modomodo.verifiers import VERIFIERS, Reply, gold_reply, grade, parse_gold, parse_reply
from modomodo.verifiers.symbolic import MAX_MATH_CHARS

GOLDS = {
    "format": Target("format", "anything"),
    "choice": Target("choice", "B", ("a cat", "a dog")),
    "number": Target("number", -1234.5),
    "count": Target("count", 7),
    "math": Target("math", "seven"),
    "text": Target("text", ("Red ball", "ball")),
    "box": Target("box", (10.5, 20.25, 31.0, 61.125), image_size=(641, 239)),
    "boxes": Target("boxes", ((0, 0, 10, 10), (100, 0, 110, 20)), image_size=(641, 239)),
    "point": Target("point", (10, 20, 30, 60), image_size=(641, 239)),
    "relaxed": Target("relaxed", "12%"),
    "anls": Target("anls", ("hello world", "hi")),
}
VIEWS = [
    View(frame, (336, 252) if frame == "resized" else None, mode)
    for frame in ("pixels", "normalised1000", "unit", "resized")
    for mode in ("paper", "standard")
]
# Fragments that reach the insides of every parser far more often than random letters do.
FRAGMENTS = st.sampled_from(
    ["[", "]", "{", "}", "(", ")", ",", ":", '"', "'", "1", "12.5", "-", "1e999", "nan", "B", "**", "the answer is ",
     "%", "Position", "Confidence", "bbox", "no objects", ".", " ", "\n", "\\frac", "^", "$", "²", "½", "\ud800", "\0"]
)  # fmt: skip
ANSWERS = st.one_of(st.text(st.characters()), st.lists(FRAGMENTS, max_size=40).map("".join))
COORDINATES = st.one_of(st.integers(0, 4000), st.floats(0, 4000).map(lambda x: round(x, 3)))


@st.composite
def box(draw):
    x, y = draw(COORDINATES), draw(COORDINATES)
    return x, y, x + draw(st.floats(0.01, 4000)), y + draw(st.floats(0.01, 4000))


def test_every_verifier_has_a_gold_here():
    assert GOLDS.keys() == VERIFIERS.keys()


@pytest.mark.parametrize("name", sorted(VERIFIERS))
@pytest.mark.parametrize("view", VIEWS)
def test_gold_earns_1_and_junk_0(name, view):
    target = GOLDS[name]
    assert parse_gold(target) is None
    assert grade(gold_reply(target, view), target, view).reward == 1.0
    if name != "format":
        assert grade("<think>a</think> <answer>%%junk%%</answer>", target, view).reward == 0.0


@pytest.mark.parametrize("name", sorted(VERIFIERS))
@settings(max_examples=150, deadline=None)
@given(answer=ANSWERS, view=st.sampled_from(VIEWS), raw=st.booleans())
def test_no_text_raises_or_leaves_0_to_1(name, answer, view, raw):
    completion = answer if raw else f"<think>a</think> <answer>{answer}</answer>"
    verdict = grade(completion, GOLDS[name], view, raw=raw)
    assert verdict.reward is not None
    assert 0.0 <= verdict.reward <= 1.0


@given(completion=st.one_of(st.text(), st.lists(st.sampled_from(
    ["<think>", "</think>", "<answer>", "</answer>", "a", " ", "\n"]), max_size=12).map("".join)))  # fmt: skip
def test_a_parsed_reply_can_be_written_again(completion):
    reply = parse_reply(completion)
    if isinstance(reply, Reply):
        assert parse_reply(f"<think>{reply.think}</think> <answer>{reply.answer}</answer>") == reply
        assert all(completion.count(tag) == 1 for tag in ("<think>", "</think>", "<answer>", "</answer>"))


@given(boxes=st.lists(box(), max_size=6), size=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
       resized=st.tuples(st.integers(28, 5000), st.integers(28, 5000)))  # fmt: skip
def test_gold_boxes_earn_1_in_every_frame(boxes, size, resized):
    targets = [Target("boxes", tuple(boxes), image_size=size)]
    targets += [Target(kind, one, image_size=size) for one in boxes[:1] for kind in ("box", "point")]
    for target in targets:
        assert parse_gold(target) is None
        for frame in ("pixels", "normalised1000", "unit", "resized"):
            view = View(frame, resized)
            assert grade(gold_reply(target, view), target, view).reward == 1.0


@given(value=st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(10**30), 10**30)))
def test_gold_numbers_earn_1(value):
    target = Target("number", value)
    assert grade(gold_reply(target), target).reward == 1.0


@pytest.mark.parametrize(
    "target",
    [
        Target("choice", "C", ("a", "b")),
        Target("number", "1,5"),
        Target("number", math.nan),
        Target("count", 2.5),
        Target("math", ""),
        Target("math", "9^{9^{9}}"),
        Target("math", "x+" * MAX_MATH_CHARS + "x"),
        Target("text", ()),
        Target("text", "."),
        Target("text", "a </answer>"),
        Target("box", (3, 2, 1, 4)),
        Target("boxes", ((1, 2, 3, 4), (1, 2, 3))),  # type: ignore[arg-type]
        Target("boxes", ((1, 2, 3, 4),) * 300),
        Target("point", (1, 2)),  # type: ignore[arg-type]
        Target("relaxed", "nan"),
        Target("anls", ("a", "")),
    ],
)
def test_malformed_golds_have_a_reason(target):
    assert parse_gold(target)


def test_malformed_golds_are_ungradable_whatever_the_reply():
    for name in VERIFIERS.keys() - {"format", "math", "text", "relaxed", "anls"}:
        verdict = grade("<think>a</think> <answer>1</answer>", Target(name, "x y z"))
        assert (verdict.status, verdict.reward) == ("ungradable", None)


def test_unknown_names_get_the_closest():
    with pytest.raises(ModomodoError, match="did you mean choice"):
        grade("", Target("choise", "B"))
    with pytest.raises(ModomodoError, match="did you mean boxes"):
        gold_reply(Target("boxs", ()))
    with pytest.raises(ModomodoError, match="normalised1000"):
        grade("[1, 2, 3, 4]", GOLDS["box"], View(frame="normalized1000"), raw=True)  # type: ignore[arg-type]


def test_gold_reply_says_which_size_is_missing():
    with pytest.raises(ModomodoError, match="image size"):
        gold_reply(Target("box", (1, 2, 3, 4)), View("unit"))


def test_raw_takes_the_bare_answer():
    assert grade(" B ", GOLDS["choice"], raw=True).reward == 1.0
    assert grade("<think>a</think> <answer>B</answer>", GOLDS["choice"], raw=True).reward == 0.0
    assert grade("", GOLDS["choice"], raw=True).status == "unparsed"
    assert grade("B" * 70_000, GOLDS["choice"], raw=True).status == "unparsed"


@pytest.mark.parametrize("name", sorted(set(GOLDS) - {"math"}))
@pytest.mark.parametrize(
    "piece", ["1", "1,", "[", "[1", "{a:", '"', "'\\\\", " ", "**", "B ", "answer is ", "\u0301\u0323", "a.", "ﷺ"]
)
def test_long_answers_take_linear_time(name, piece):
    start = time.process_time()
    for length in (64, 1_000, 2_000, 32_768, 60_000):
        answer = piece * (length // len(piece))
        assert grade(f"<think>a</think> <answer>{answer}</answer>", GOLDS[name], View(mode="standard")).reward in (
            0.0,
            1.0,
        )
    assert time.process_time() - start < 2.0
