"""Recipes of the engine verl, and a folder of a run, for tests in both environments."""

import json
from dataclasses import replace
from pathlib import Path

from modomodo.config.recipe import Recipe, load_recipe
from modomodo.core.rows import Row, Target, Verdict
from modomodo.core.schedules import Schedule, write_schedule
from modomodo.core.toml import parse
from modomodo.data.domain import Domain

ROOT = Path(__file__).parents[2]
TABLE = {
    "model": "Qwen/Qwen2.5-VL-3B-Instruct",
    "engine": "verl",
    "domains": ["spatial", "science"],
    "steps": 4,
    "prompts_per_step": 2,
    "num_generations": 4,
    "freeze_vision": False,
    "precision": "bfloat16",
    "vllm": {"mode": "colocate"},
    "verl": {"gpus_per_node": 4},
}
FILES = sorted((ROOT / "recipes").glob("*/*.toml"))


def recipe(**changes) -> Recipe:
    return parse(Recipe, {**TABLE, **changes}, where="test")


def as_verl(file: Path) -> Recipe:
    """Return the recipe of a file with what the engine verl asks for changed."""
    found = load_recipe(file)
    sets = ["engine=verl", "vllm.mode=colocate", "evaluation.at=[]"]
    sets += ["decay=cosine"] if found.decay == "linear" else []
    sets += [] if found.lora else ["freeze_vision=false", "freeze_projector=false"]
    sets += ["verl.gpus_per_node=4"] if found.prompts_per_step * found.num_generations % 8 else []
    return load_recipe(file, sets)


def broken(row: Row, reply: str, view: object) -> Verdict:
    raise RuntimeError("verifier fell over")


def third(row: Row, reply: str, view: object) -> Verdict:
    return Verdict.partial(1 / 3, reply) if "<answer>" in reply else Verdict.unparsed("no answer")


def domains() -> dict[str, Domain]:
    """Return made-up domains: by verifiers of ours, by a function of its own, and a broken one."""
    choice = [Row(f"c{i}", "choice", f"{i}?", Target("choice", "AB"[i % 2], options=("x", "y"))) for i in range(4)]
    box = [Row(f"b{i}", "box", "?", Target("box", (0, 0, 10, 10 + i), image_size=(20, 40))) for i in range(4)]
    count = [Row(f"n{i}", "count", f"{i}?", Target("count", i)) for i in range(4)]

    def made(name: str, rows: list[Row], **options) -> Domain:
        named = [replace(row, domain=name) for row in rows]
        return Domain(name, lambda split: named, _ask, **options)

    return {
        "choice": made("choice", choice),
        "box": made("box", box),
        "own": made("own", count, verify=third),
        "broken": made("broken", count, verify=broken),
    }


REPLIES = (
    "<think>x</think><answer>A</answer>",
    "<think>x</think><answer>B</answer>",
    "<think>x</think><answer>[0, 0, 10, 5]</answer>",
    "<think>x</think><answer>[0, 0, 250, 250]</answer>",
    "A",
    "<think>x</think><answer></answer>",
    "<answer>B</answer>",
)


def _ask(row: Row, view: object) -> list:
    return [{"role": "user", "content": [{"type": "text", "text": row.question}]}]


def run_folder(folder: Path, found: Recipe, plan: Schedule) -> Path:
    """Write what the processes of verl read of a run, but for the rows."""
    write_schedule(plan, folder / "schedule.csv")
    (folder / "verl").mkdir(parents=True, exist_ok=True)
    (folder / "verl" / "recipe.json").write_text(found.model_dump_json())
    return folder


def gold_of(plan: Schedule, position: int) -> str:
    domain, row_id = plan.entries[position]
    return json.dumps({"domain": domain, "row_id": row_id, "position": position})
