"""Chats and tagged replies in a column."""

import json
from typing import Any

import pytest

from modomodo.data.sources.chats import asked, gold_in, is_chat, pictures_in
from modomodo.data.sources.values import BadRowError


def turn(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


SYSTEM, ASK, REPLY = turn("system", "Be brief."), turn("user", "How many?"), turn("assistant", "3")


@pytest.mark.parametrize(
    ("value", "question", "gold"),
    [
        ([ASK, REPLY], "How many?", "3"),
        ([SYSTEM, ASK, turn("assistant", "Hm."), REPLY], "How many?", "3"),
        ([{"from": "human", "value": "How many?"}, {"from": "gpt", "value": "<answer>3</answer>"}], "How many?", "3"),
        (
            [turn("user", [{"type": "image", "text": None}, {"type": "text", "text": "How many?"}]), REPLY],
            "<image>How many?",
            "3",
        ),
        (json.dumps([ASK, REPLY]), "How many?", "3"),
        (str([ASK, REPLY]), "How many?", "3"),
        (
            [
                turn(
                    "user",
                    [
                        {"type": "text", "text": "Is "},
                        {"type": "image_url", "image_url": {"url": "a.png"}},
                        {"type": "text", "text": " larger than "},
                        {"image": "b.png"},
                        {"type": "input_text", "text": "?"},
                        {"text": "Say yes or no."},
                    ],
                ),
                turn("assistant", [{"type": "output_text", "text": "yes"}]),
            ],
            "Is <image> larger than <image>?\nSay yes or no.",
            "yes",
        ),
    ],
)
def test_a_chat_is_a_question_and_its_reply(value, question, gold):
    assert (is_chat(value), asked(value), gold_in(value)) == (True, question, gold)


def test_the_pictures_of_a_chat_are_those_of_its_parts():
    parts = [{"type": "image", "image": "a.png", "text": None}, {"type": "image_url", "image_url": {"url": "b.png"}}]
    parts += [{"type": "image", "source": {"type": "base64", "data": "iVBO"}}, {"type": "image"}, {"text": "?"}]
    held = [{"image": "a.png"}, {"image_url": {"url": "b.png"}}, {"source": {"type": "base64", "data": "iVBO"}}]
    assert pictures_in([turn("user", parts), REPLY]) == held
    assert pictures_in([ASK]) == []
    assert pictures_in("a.png") is pictures_in(["a.png"]) is pictures_in({"path": "a.png"}) is None


def test_a_reply_may_be_a_chat_of_its_own():
    assert gold_in([REPLY]) == "3"
    assert gold_in([turn("assistant", "Hm."), turn("assistant", "<answer>4</answer>")]) == "4"
    assert gold_in(REPLY) == gold_in({"from": "gpt", "value": "3"}) == "3"


@pytest.mark.parametrize("value", [None, 3, "3", [], [1, 2], [{"role": "critic", "content": "3"}], [{"x": 1}]])
def test_other_values_stay_as_they_are(value):
    assert (is_chat(value), asked(value), gold_in(value)) == (False, value, value)


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("<think>2?</think>\n<answer> 3 </answer>\n", "3"),
        ("<answer>2</answer> no: <answer>3</answer>", "3"),
        ("<answer>3</answer> or so", "<answer>3</answer> or so"),
        ("So it is $\\boxed{7}$.", "7"),
        ("\\boxed{7}, again \\boxed{ 7 }", "7"),
        ("<think>a</think><answer>\\boxed{\\frac{1}{2}}</answer>", "\\frac{1}{2}"),
        ("\\boxed{7", "\\boxed{7"),
        ("3 + 4 = 7\n#### 7\n", "7"),
        ("#### 7\nis a title", "#### 7\nis a title"),
        ("['red', 'scarlet']", ["red", "scarlet"]),
        ('["red"]', "red"),
        ("[1, 2]", "[1, 2]"),
        (["red"], "red"),
        ([3], 3),
        ([[1, 2, 3, 4]], [[1, 2, 3, 4]]),
        ("3</answer> ", "3</answer> "),
    ],
)
def test_the_gold_is_what_the_answer_ends_on(text, gold):
    assert gold_in(text) == gold


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([ASK, REPLY, ASK, REPLY], "has 2 turns of the user"),
        ([SYSTEM, REPLY], "has 0 turns of the user"),
        ([ASK], "ends without a reply"),
        ([turn("user", [{"type": "audio", "audio": "a.wav"}]), REPLY], "it may hold text and images"),
        ([turn("user", [{"type": "video", "video": "a.mp4"}]), REPLY], "it may hold text and images"),
        ([turn("user", [{"type": "image", "index": 1}, {"type": "image", "index": 0}]), REPLY], r"images \[1, 0\]"),
        ([ASK, turn("assistant", [{"type": "image", "image": "a.png"}])], "that is not the user's holds an image"),
        ("\\boxed{3} or \\boxed{4}", r"several boxed values \(3, 4\)"),
    ],
)
def test_a_chat_that_is_more_or_less_is_refused(value, message):
    with pytest.raises(BadRowError, match=message):
        (pictures_in(value), gold_in(value))
