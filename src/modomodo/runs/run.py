"""One run from its recipe: schedule, train, score. The function that a launcher sends to a fresh process."""

import gc
import json
import shutil
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modomodo.config.policies import Online, Piecewise
from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.packages import installed_version
from modomodo.core.schedules import Schedule, write_schedule
from modomodo.evaluation.vllm_engine import check_vllm_installed
from modomodo.models.load import save
from modomodo.models.names import model_path
from modomodo.runs.inputs import make_rows, make_schedule
from modomodo.training.checkpoints import CHECKPOINTS
from modomodo.training.engines import check_engine_takes, check_trl_installed
from modomodo.training.online import OnlineSchedule, write_parts
from modomodo.training.step_log import logged_steps, read_steps, shares
from modomodo.training.trackers import Tracker, check_tracker, open_tracker, score_values
from modomodo.training.weights import score_saved

if TYPE_CHECKING:
    from transformers import PreTrainedModel, ProcessorMixin

PACKAGES = ("modomodo", "torch", "transformers", "trl", "verl", "vllm", "accelerate", "datasets", "numpy", "peft")


def run_recipe(recipe: Recipe, folder: Path) -> dict[str, object]:
    """Return the result of a run, JSON-able: scores, realised and effective mixture, steps, versions.

    `earlier` has the scores of the steps of `evaluation.at`. Everything the run writes goes to `folder`: schedule.csv,
    steps.jsonl, samples.jsonl, items/, model/. Run again after a kill, it continues from the last checkpoint.

    Raises ModomodoError, before anything is loaded, where the engine does not take the recipe, or where the recipe's
    tracker is not installed, or vLLM to score it.
    """
    check_tracker(recipe.tracker)
    check_engine_takes(recipe)
    if recipe.evaluation.engine == "vllm":
        check_vllm_installed("evaluation.engine")
    folder.mkdir(parents=True, exist_ok=True)
    with closing(open_tracker(recipe, folder)) as tracker:
        return _carried_out(recipe, folder, tracker)


def _carried_out(recipe: Recipe, folder: Path, tracker: Tracker) -> dict[str, object]:
    trained, processor = folder / "model", None
    plan = _planned(recipe, folder) if recipe.steps else None
    # A copied folder gets its config.json last; a log that is shorter than the training is that of another attempt.
    whole = plan is not None and (trained / "config.json").exists() and logged_steps(folder) == plan.steps
    if plan is not None and not whole:
        model, processor = _trained(recipe, plan, folder, tracker)
        save(model, processor, trained, frame=recipe.view.frame)
        del model
        gc.collect()  # the trainer, its optimizer and its reference hold on to one another
    start, revision = (str(trained), None) if plan is not None else (model_path(recipe.model), recipe.revision)
    scores = score_saved(start, recipe, processor, items=folder / "items", revision=revision)
    if plan is not None and logged_steps(folder) != plan.steps:
        raise ModomodoError(f"{folder}/steps.jsonl lacks steps, so something else wrote there: run it again")
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    tables = {name: asdict(score) for name, score in scores.items()}
    tracker.log(plan.steps if plan else 0, score_values(tables))
    return {
        "scores": tables,
        "earlier": earlier_scores(recipe, folder),
        "steps": plan.steps if plan else 0,
        "exhausted": plan.exhausted if plan else None,
        **shares(read_steps(folder)),
        "versions": versions(),
    }


def _planned(recipe: Recipe, folder: Path) -> Schedule | OnlineSchedule:
    """Return the run's schedule, written to its folder; where a rule moves the mixture it is written as it comes."""
    if isinstance(recipe.mixture, Online):
        return OnlineSchedule(recipe, make_rows(recipe), folder)
    plan = make_schedule(recipe)
    write_schedule(plan, folder / "schedule.csv")
    if isinstance(recipe.mixture, Piecewise):
        write_parts(recipe.mixture, recipe.steps, folder)
    return plan


def _trained(
    recipe: Recipe, plan: Schedule | OnlineSchedule, folder: Path, tracker: Tracker
) -> "tuple[PreTrainedModel, ProcessorMixin]":
    # Each engine has an environment of its own, without the other.
    if recipe.engine == "verl":
        from modomodo.training.verl.run import train as train_by_verl

        assert isinstance(plan, Schedule)
        return train_by_verl(recipe, plan, folder=folder, tracker=tracker)
    check_trl_installed()
    from modomodo.training.trl import train

    return train(recipe, plan, folder=folder, tracker=tracker)


def earlier_scores(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Return step -> benchmark -> score of the steps of `evaluation.at` that the run came to."""
    paths = {str(step): folder / f"scores-{step}.json" for step in recipe.evaluation.at}
    return {step: json.loads(path.read_text()) for step, path in paths.items() if path.exists()}


def versions() -> dict[str, str]:
    """Return the versions of the packages that a result may depend on."""
    return {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str:
    # vLLM's build for CPUs is called so.
    return installed_version(name) or installed_version(f"{name}-cpu") or "not installed"
