"""The tagged reply: what parses, and what each rule of the format refuses."""

import time

import pytest

from modomodo.core.rows import Target
from modomodo.verifiers import Reply, grade, parse_reply

FORMATS = [
    ("<think>a</think> <answer>b</answer>", True),
    ("\n <think>a\nb</think>\n\n<answer>\nb\n</answer>\t", True),
    ("<think></think><answer>b</answer>", True),
    ("<think>a < b > c </thin></think><answer><b>b</b></answer>", True),
    ("", False),
    ("b", False),
    ("<answer>b</answer>", False),
    ("<think>a</think>", False),
    ("<think>a<answer>b</answer>", False),
    ("<think>a</think> <answer>b", False),
    ("a</think> <answer>b</answer>", False),
    ("<think>a</think> <answer></answer>", False),
    ("<think>a</think> <answer> \n\t </answer>", False),
    ("<think>a</think> <answer>\u200b \u200b</answer>", False),
    ("<think>a</think> <answer>\x00</answer>", False),
    *[(f"<think>a</think> <answer>{blank}</answer>", False) for blank in "\u2800\u3164\u034f\ufe0f\u0301"],
    ("<think>a</think> <answer>b</answer> <answer>c</answer>", False),
    ("<think>a</think> <answer>b</answer><answer></answer>", False),
    ("<think><answer>b</answer></think>", False),
    ("<think><answer>b</answer></think> <answer>c</answer>", False),
    ("<think>a</think> <answer>b</answer> so it is b", False),
    ("Sure! <think>a</think> <answer>b</answer>", False),
    ("<think>a</think> so <answer>b</answer>", False),
    ("<answer>b</answer> <think>a</think>", False),
    ("<think>a</think> </answer>b<answer>", False),
    ("</think>a<think> <answer>b</answer>", False),
    ("<think>a</think> <answer>b<think></answer>", False),
    ("<think>a<think>b</think></think> <answer>b</answer>", False),
    ("<THINK>a</THINK> <ANSWER>b</ANSWER>", False),
    ("<think>a</think> <answer>b</answer>" * 2, False),
    ("<think>" + "a" * 70_000 + "</think> <answer>b</answer>", False),
]


@pytest.mark.parametrize(("completion", "parses"), FORMATS)
def test_format(completion, parses):
    reply = parse_reply(completion)
    assert isinstance(reply, Reply) == parses, reply
    verdict = grade(completion, Target("format", ""))
    assert (verdict.status, verdict.reward) == (("right", 1.0) if parses else ("unparsed", 0.0))
    assert verdict.answer or verdict.reason


def test_a_reply_is_stripped():
    assert parse_reply(" <think> a b </think>\n<answer>\n c \n</answer> ") == Reply("a b", "c")


def test_reasons_say_what_is_wrong():
    assert "</think>" in str(parse_reply("<think>a <answer>b</answer>"))
    assert "2 <answer>" in str(parse_reply("<think>a</think> <answer>b</answer> <answer>"))
    assert "after" in str(parse_reply("<think>a</think> <answer>b</answer> c"))


@pytest.mark.parametrize(
    "piece", ["<think>", "</think> ", "<answer>", "<", " ", "<think></think>", "<answer></answer>"]
)
def test_long_replies_take_linear_time(piece):
    start = time.process_time()
    for text in (piece, f"<think>{piece}", f"<think>a</think>{piece}", f"<think>a</think> <answer>{piece}"):
        parse_reply(text + piece * (60_000 // len(piece)))
    assert time.process_time() - start < 2.0
