import json

import pytest

from modomodo.config.recipe import Recipe
from modomodo.config.sections import Evaluation
from modomodo.core.rows import Row, Target
from modomodo.data.domain import Domain
from modomodo.data.registry import DOMAINS
from modomodo.evaluation import greedy
from modomodo.verifiers import grade

ROWS = [Row(f"r{index}", "toy", "?", Target("choice", "B", options=("x", "y"))) for index in range(6)]


def fragile(row, reply, view):
    if row.id == "r3":
        raise RuntimeError("verifier fell over")
    return grade(reply, row.target, view)


def test_a_verifier_that_raises_costs_one_item_and_not_the_run(monkeypatch, tmp_path):
    monkeypatch.setitem(DOMAINS, "toy", Domain("toy", lambda split: ROWS, lambda row, view: [], fragile))
    reply = "<think>x</think><answer>B</answer>"
    monkeypatch.setattr(greedy, "generate", lambda model, processor, domain, rows, **_: [reply] * len(rows))
    recipe = Recipe(domains=("toy",), evaluation=Evaluation(benchmarks=("toy",), items=6))
    scores = greedy.evaluate(None, None, recipe, folder=tmp_path)
    assert (scores["toy"].n, scores["toy"].ungradable, scores["toy"].mean) == (5, 1, 1.0)
    assert scores["toy"].worst_case == pytest.approx(5 / 6)
    items = {item["row_id"]: item for item in map(json.loads, (tmp_path / "toy.jsonl").read_text().splitlines())}
    assert "verifier fell over" in items["r3"]["reason"]
