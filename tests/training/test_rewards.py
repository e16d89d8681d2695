import json

import pytest

from modomodo.config.sections import Rewards
from modomodo.core.rows import Row, Target, Verdict
from modomodo.data.domain import Domain
from modomodo.training.rewards import RewardFunctions
from modomodo.training.row_table import RowTable

RIGHT = "<think>x</think><answer>B</answer>"
WRONG = "<think>x</think><answer>A</answer>"
MALFORMED = "B"
ROW = Row("r1", "toy", "?", Target("choice", "B", options=("x", "y")))


def domain(verify=None) -> Domain:
    return Domain("toy", lambda split: [ROW], lambda row, view: [], **({"verify": verify} if verify else {}))


def rewards(verify=None, **options) -> RewardFunctions:
    return RewardFunctions(RowTable({"toy": domain(verify)}, {"toy": {"r1": ROW}}), generations=2, **options)


def broken(row, reply, view):
    raise RuntimeError("verifier fell over")


def columns(count: int) -> dict[str, list]:
    return {"domain": ["toy"] * count, "row_id": ["r1"] * count, "completion_ids": [[1, 2, 3]] * count}


def test_both_rewards_are_zero_when_the_format_does_not_parse():
    toy, replies = rewards(), [RIGHT, WRONG, MALFORMED]
    assert toy.accuracy(replies, **columns(3)) == [1.0, 0.0, 0.0]
    assert toy.format(replies, **columns(3)) == [1.0, 1.0, 0.0]
    assert toy.weights == [2.0, 1.0]


def test_messages_and_plain_strings_are_the_same_completion():
    assert rewards().accuracy([[{"role": "assistant", "content": RIGHT}]], **columns(1)) == [1.0]


def test_step_reports_each_domain_and_forgets():
    toy = rewards()
    toy.accuracy([RIGHT, WRONG, RIGHT, RIGHT, MALFORMED, MALFORMED], **columns(6))
    step = toy.step()["toy"]
    assert (step.prompts, step.completions, step.tokens) == (3, 6, 18)
    assert step.reward == pytest.approx((3 + 1 + 3 + 3) / 6)
    assert step.accuracy == pytest.approx(0.5)
    assert step.format == pytest.approx(4 / 6)
    assert step.zero_advantage == pytest.approx(2 / 3)
    assert toy.step() == {}


def test_a_sample_says_what_was_asked_and_what_is_right():
    toy = rewards()
    toy.accuracy([WRONG, RIGHT], **columns(2))
    (line,) = json.loads(json.dumps(toy.samples(7)))
    assert (line["step"], line["domain"], line["completion"]) == (7, "toy", WRONG)
    assert (line["question"], line["gold"], line["options"]) == ("?", "B", ["x", "y"])
    assert line["verdict"]["status"] == "wrong"


def test_an_ungradable_reply_earns_none_from_both_and_is_kept_with_its_traceback(tmp_path):
    toy, replies = rewards(broken, keep=tmp_path / "ungradable.jsonl"), [RIGHT, WRONG]
    assert toy.accuracy(replies, **columns(2)) == [None, None]
    assert toy.format(replies, **columns(2)) == [None, None]
    kept = [json.loads(line) for line in (tmp_path / "ungradable.jsonl").read_text().splitlines()]
    assert [line["row_id"] for line in kept] == ["r1", "r1"]
    assert "verifier fell over" in kept[0]["reason"]
    assert toy.step()["toy"].ungradable == 2


def test_the_trainer_sums_none_as_nothing():
    # TRL's own arithmetic (grpo_trainer.py): rows where every function says None become NaN, not 0.
    import torch

    toy = rewards(
        lambda row, reply, view: broken(row, reply, view) if reply == WRONG else Verdict.right("B"),
        weights=Rewards(accuracy=2, format=1),
    )
    replies = [RIGHT, WRONG]
    table = torch.tensor(
        [[float("nan") if r is None else r for r in function(replies, **columns(2))] for function in toy.functions]
    ).T
    assert torch.isnan(table).all(dim=1).tolist() == [False, True]
    assert (table[0] * torch.tensor(toy.weights)).nansum() == 3
