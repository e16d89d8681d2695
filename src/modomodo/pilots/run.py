"""One run from its recipe: schedule, train, score. The function that a launcher sends to a fresh process."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from modomodo.config import Recipe
from modomodo.domains import find_domain
from modomodo.engines.loading import load_model, load_processor
from modomodo.engines.trl import CHECKPOINTS, train
from modomodo.evals.run import evaluate
from modomodo.models import model_path
from modomodo.rows import Row
from modomodo.schedules import Schedule, schedule, write_schedule

PACKAGES = ("modomodo", "torch", "transformers", "trl", "accelerate", "datasets", "numpy")


def run_recipe(recipe: Recipe, folder: Path) -> dict[str, object]:
    """Return the result of a run, JSON-able: scores, realised and effective mixture, steps, versions.

    Everything the run writes goes to `folder`: schedule.csv, steps.jsonl, samples.jsonl, items/, model/. Run again
    after a kill, it goes on from the last checkpoint.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trained = folder / "model"
    plan = make_schedule(recipe) if recipe.steps else None
    if plan is not None:
        write_schedule(plan, folder / "schedule.csv")
    if plan is not None and not trained.exists():
        _train(recipe, plan, folder, trained)
    model = load_model(
        str(trained) if plan is not None else model_path(recipe.model), precision=recipe.precision, freeze_vision=False
    )
    scores = evaluate(
        model,
        load_processor(model_path(recipe.model)),
        recipe.evaluation,
        view=recipe.view,
        max_completion_length=recipe.max_completion_length,
        folder=folder / "items",
    )
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    return {
        "scores": {name: asdict(found) for name, found in scores.items()},
        "steps": plan.steps if plan else 0,
        "exhausted": plan.exhausted if plan else None,
        **shares(folder / "steps.jsonl"),
        "versions": versions(),
    }


def make_schedule(recipe: Recipe) -> Schedule:
    """Return the schedule of a recipe, over the train split of its domains."""
    pools = {name: [row.id for row in _train_rows(name)] for name in _weighted(recipe)}
    return schedule(
        recipe.point(),
        pools,
        steps=recipe.steps,
        prompts_per_step=recipe.prompts_per_step,
        seed=recipe.seed,
        order=recipe.order,
        epochs=recipe.epochs,
    )


def shares(path: Path) -> dict[str, dict[str, float]]:
    """Return what a run's steps.jsonl says of the mixture.

    `realised`: share of the prompts; `effective`: share of the prompts whose completions did not all earn the same, the
    only ones that teach; `tokens`: share of the completions' tokens.
    """
    prompts: dict[str, float] = {}
    taught: dict[str, float] = {}
    tokens: dict[str, float] = {}
    lines = path.read_text().splitlines() if path.exists() else []
    for line in lines:
        for name, step in json.loads(line)["domains"].items():
            prompts[name] = prompts.get(name, 0) + step["prompts"]
            taught[name] = taught.get(name, 0) + step["prompts"] * (1 - step["zero_advantage"])
            tokens[name] = tokens.get(name, 0) + step["tokens"]
    return {"realised": _normalised(prompts), "effective": _normalised(taught), "tokens": _normalised(tokens)}


def versions() -> dict[str, str]:
    """Return the versions of the packages that a result may depend on."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _train(recipe: Recipe, plan: Schedule, folder: Path, trained: Path) -> None:
    names = _weighted(recipe)
    rows: dict[str, dict[str, Row]] = {name: {row.id: row for row in _train_rows(name)} for name in names}
    model, _ = train(
        recipe, plan, domains={name: find_domain(name) for name in names}, rows=rows, folder=folder
    )
    # Renamed when whole: a kill while saving must not leave half a model behind that name.
    partial = folder / "model.partial"
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    load_processor(model_path(recipe.model)).save_pretrained(partial)
    os.replace(partial, trained)


def _train_rows(name: str) -> Sequence[Row]:
    return find_domain(name).load("train")


def _weighted(recipe: Recipe) -> list[str]:
    return [name for name, weight in recipe.point().as_dict().items() if weight > 0]


def _normalised(counts: dict[str, Any]) -> dict[str, float]:
    total = sum(counts.values())
    return {name: count / total for name, count in counts.items()} if total else {}
