"""Greedy scores of the demo's benchmarks by vLLM and by transformers, side by side: seconds, and items that differ.

.venv-vllm/bin/python benchmarks/vllm_scores.py [--items 128] [--rounds 3]     # in the environment of `make vllm-env`

Both take turns on each benchmark while vLLM stays open; its start is timed apart. Writes benchmarks/results/.
"""

import argparse
import csv
import json
import math
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import modomodo
from modomodo import Recipe, load_recipe
from modomodo.evaluation import generate, vllm_engine
from modomodo.models import load, names

DEMO = Path(modomodo.__file__).parent / "models/nano/uneven/recipe.toml"
OUT = Path(__file__).parent / "results/vllm_scores.csv"


def main(items: int, rounds: int, out: Path) -> None:
    recipe = load_recipe(DEMO, [f"evaluation.items={items}"])
    path = names.model_path(recipe.model)
    processor = load.load_processor(path)
    model = load.load_model(path, precision=recipe.precision, freeze_vision=False)
    started = time.perf_counter()
    lines = []
    with vllm_engine.opened_engine(path, recipe) as engine:
        start = time.perf_counter() - started
        sides: dict[str, generate.Completing] = {
            "transformers": partial(generate.complete, model, processor, recipe=recipe),
            "vllm": partial(vllm_engine.complete, engine, processor, recipe=recipe),
        }
        for turn in range(rounds):
            for benchmark in recipe.evaluation.benchmarks:
                order = list(sides)[:: 1 if turn % 2 == 0 else -1]
                found = {side: scored(sides[side], processor, one_of(recipe, benchmark)) for side in order}
                lines.append(line(turn, benchmark, found))
                print(lines[-1], flush=True)
    with out.open("w", newline="") as file:
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows(lines)
    ratio = math.exp(sum(math.log(one["seconds_transformers"] / one["seconds_vllm"]) for one in lines) / len(lines))
    different = sum(one["different"] for one in lines if one["round"] == 0)
    print(f"vLLM starts in {start:.0f} s; then {ratio:.2f} times the speed of transformers; ", end="")
    print(f"{different} of {sum(one['items'] for one in lines if one['round'] == 0)} completions differ")


def one_of(recipe: Recipe, benchmark: str) -> Recipe:
    plan = recipe.evaluation.model_copy(update={"benchmarks": (benchmark,)})
    return recipe.model_copy(update={"evaluation": plan})


def scored(completing: generate.Completing, processor: Any, recipe: Recipe) -> tuple[float, list[str], float]:
    """Return the seconds, the completions and the score of the recipe's benchmark."""
    (benchmark,) = recipe.evaluation.benchmarks
    with TemporaryDirectory() as folder:
        started = time.perf_counter()
        scores = generate.score_completions(completing, processor, recipe, folder=Path(folder))
        seconds = time.perf_counter() - started
        items = (Path(folder) / f"{benchmark}.jsonl").read_text().splitlines()
    return seconds, [json.loads(item)["reply"] for item in items], scores[benchmark].mean


def line(turn: int, benchmark: str, found: dict[str, tuple[float, list[str], float]]) -> dict[str, Any]:
    ours, theirs = found["transformers"], found["vllm"]
    return {
        "round": turn,
        "benchmark": benchmark,
        "items": len(ours[1]),
        "different": sum(one != other for one, other in zip(ours[1], theirs[1], strict=True)),
        **{f"seconds_{side}": round(one[0], 3) for side, one in sorted(found.items())},
        **{f"score_{side}": one[2] for side, one in sorted(found.items())},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=128, help="of each benchmark")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    main(given.items, given.rounds, given.out)
