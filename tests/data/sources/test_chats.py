"""Chats and tagged replies in a column."""

from typing import Any

import pytest

from modomodo.data.sources.build import BadRowError
from modomodo.data.sources.chats import asked, gold_in, is_chat


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
            "How many?",
            "3",
        ),
    ],
)
def test_a_chat_is_a_question_and_its_reply(value, question, gold):
    assert (is_chat(value), asked(value), gold_in(value)) == (True, question, gold)


def test_a_reply_may_be_a_chat_of_its_own():
    assert gold_in([REPLY]) == "3"
    assert gold_in([turn("assistant", "Hm."), turn("assistant", "<answer>4</answer>")]) == "4"


@pytest.mark.parametrize("value", [None, 3, "3", [], [1, 2], [{"role": "critic", "content": "3"}], [{"x": 1}]])
def test_other_values_stay_as_they_are(value):
    assert (is_chat(value), asked(value), gold_in(value)) == (False, value, value)


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("<think>2?</think>\n<answer> 3 </answer>\n", "3"),
        ("<answer>2</answer> no: <answer>3</answer>", "3"),
        ("<answer>3</answer> or so", "<answer>3</answer> or so"),
        ("3</answer> ", "3</answer> "),
    ],
)
def test_the_gold_is_what_the_last_tags_hold(text, gold):
    assert gold_in(text) == gold


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([ASK, REPLY, ASK, REPLY], "has 2 turns of the user"),
        ([SYSTEM, REPLY], "has 0 turns of the user"),
        ([ASK], "ends without a reply"),
        ([turn("user", [{"type": "image", "image": "a.png"}]), REPLY], "pictures go to a column"),
    ],
)
def test_a_chat_that_is_more_or_less_is_refused(value, message):
    with pytest.raises(BadRowError, match=message):
        gold_in(value)
