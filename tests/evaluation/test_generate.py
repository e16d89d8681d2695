import json
import math
import statistics

import pytest

from modomodo.config.recipe import Recipe
from modomodo.config.sections import Evaluation
from modomodo.core.rows import Row, Target
from modomodo.data.domain import Domain
from modomodo.data.registry import DOMAINS
from modomodo.evaluation import generate
from modomodo.verifiers import grade

ROWS = [Row(f"r{index}", "toy", "?", Target("choice", "B", options=("x", "y"))) for index in range(6)]


@pytest.fixture(autouse=True)
def untried(monkeypatch):
    monkeypatch.setattr("modomodo.models.chat_template.try_prompts", lambda *_: None)


def fragile(row, reply, view):
    if row.id == "r3":
        raise RuntimeError("verifier fell over")
    return grade(reply, row.target, view)


def test_a_verifier_that_raises_costs_one_item_and_not_the_run(monkeypatch, tmp_path):
    monkeypatch.setitem(DOMAINS, "toy", Domain("toy", lambda split: ROWS, lambda row, view: [], fragile))
    reply = "<think>x</think><answer>B</answer>"
    monkeypatch.setattr(generate, "generate", lambda model, processor, domain, rows, **_: [reply] * len(rows))
    recipe = Recipe(domains=("toy",), evaluation=Evaluation(benchmarks=("toy",), items=6))
    scores = generate.evaluate(None, None, recipe, folder=tmp_path)
    assert (scores["toy"].n, scores["toy"].ungradable, scores["toy"].mean) == (5, 1, 1.0)
    assert scores["toy"].worst_case == pytest.approx(5 / 6)
    items = {item["row_id"]: item for item in map(json.loads, (tmp_path / "toy.jsonl").read_text().splitlines())}
    assert "verifier fell over" in items["r3"]["reason"]


def test_an_item_s_score_is_the_mean_of_its_samples(monkeypatch, tmp_path):
    monkeypatch.setitem(DOMAINS, "toy", Domain("toy", lambda split: ROWS, lambda row, view: [], fragile))
    letters = iter("BAAABBAABBBBBBBBAAAAAAAA")
    drawn: list[float | None] = []

    def reply(model, processor, domain, rows, *, temperature, **_):
        drawn.append(temperature)
        return [f"<think>x</think><answer>{next(letters)}</answer>" for _ in rows]

    monkeypatch.setattr(generate, "generate", reply)
    recipe = Recipe(domains=("toy",), temperature=0.7, evaluation=Evaluation(benchmarks=("toy",), items=6, samples=4))
    scores = generate.evaluate(None, None, recipe, folder=tmp_path)
    by_item: dict[str, list[float | None]] = {}
    for line in map(json.loads, (tmp_path / "toy.jsonl").read_text().splitlines()):
        by_item.setdefault(line["row_id"], []).append(line["reward"])
    means = [sum(rewards) / 4 for rewards in by_item.values() if None not in rewards]
    assert set(drawn) == {0.7}
    assert sorted(map(len, by_item.values())) == [4] * 6
    assert (scores["toy"].n, scores["toy"].ungradable) == (5, 1)
    assert scores["toy"].mean == pytest.approx(sum(means) / 5)
    assert scores["toy"].worst_case == pytest.approx(sum(means) / 6)
    assert scores["toy"].se == pytest.approx(statistics.stdev(means) / math.sqrt(5))
