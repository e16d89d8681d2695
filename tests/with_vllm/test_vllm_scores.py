"""`evaluation.engine = "vllm"`, as `modomodo eval` carries it out: vLLM in processes of its own."""

import json
from pathlib import Path

from recipes import recipe

from modomodo.runs.run import run_recipe

BENCHMARKS = 'evaluation.benchmarks=["charts", "maths"]'


def items(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for path in sorted(folder.glob("items/*.jsonl")) for line in path.read_text().splitlines()]


def test_scores_and_items_are_those_of_transformers(tmp_path):
    sets = ("steps=0", "evaluation.items=24", BENCHMARKS)
    found = {
        engine: run_recipe(recipe(*sets, f"evaluation.engine={engine}"), tmp_path / engine)["scores"]
        for engine in ("vllm", "transformers")
    }
    assert found["vllm"] == found["transformers"]
    assert items(tmp_path / "vllm") == items(tmp_path / "transformers")
    assert len(items(tmp_path / "vllm")) == 48
