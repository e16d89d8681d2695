"""The engine: whether the trainer, the sampler and the tracker take what the recipe says."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.packages import is_installed
from modomodo.data.domain import Problem
from modomodo.evaluation.vllm_engine import check_vllm_installed
from modomodo.runs.hardware import gpus
from modomodo.study.checks.subject import Subject
from modomodo.training.engines import check_trl_installed, refusals
from modomodo.training.trackers import check_tracker
from modomodo.training.verl import limits
from modomodo.training.verl.options import overrides


def check_tracking(subject: Subject) -> Iterator[Problem]:
    """Yield that the tracker is not installed."""
    try:
        check_tracker(subject.recipe.tracker)
    except ModomodoError as error:
        # verl has an environment of its own, which may have the tracker; a study for it is planned in this one.
        elsewhere = subject.recipe.engine == "verl" and not is_installed("verl")
        yield Problem("tracker", str(error), level="note" if elsewhere else "error")


def check_engine(subject: Subject) -> Iterator[Problem]:
    """Yield what keeps the trainer from taking the recipe's configuration."""
    recipe = subject.recipe
    yield from refusals(recipe)
    yield from _verl_problems(recipe) if recipe.engine == "verl" else _trl_problems(recipe)
    if recipe.evaluation.engine == "vllm":
        try:
            check_vllm_installed("evaluation.engine")
        except ModomodoError as error:
            yield Problem("evaluation.engine", str(error), level=_level(recipe))


def _verl_problems(recipe: Recipe) -> Iterator[Problem]:
    if not is_installed("verl"):
        if recipe.verl.options:
            yield Problem("verl.options", "are looked up where verl is installed: check there as well", level="note")
        return
    from modomodo.training.verl.run import check_installed, check_options

    try:
        if not any(limits.refusals(recipe)):
            check_options(overrides(recipe, steps=max(1, recipe.steps), folder=Path("run")))
    except ModomodoError as error:
        yield Problem("verl.options", str(error))
    try:
        check_installed(recipe)
    except ModomodoError as error:
        yield Problem("engine", str(error), level=_level(recipe))


def _trl_problems(recipe: Recipe) -> Iterator[Problem]:
    try:
        check_trl_installed()
    except ModomodoError as error:
        yield Problem("engine", str(error), level="note")
        return
    from modomodo.training.trl import check_vllm, grpo_config

    try:
        check_vllm(recipe.vllm)
    except ModomodoError as error:
        yield Problem("vllm", str(error), level=_level(recipe))
    if recipe.vllm.mode != "off" and recipe.epochs > 1 and _sees_with_new_weights(recipe):
        yield Problem(
            "vllm",
            "vLLM keeps what an earlier step's tower and projector made of an image, so rows that come again "
            "are sampled with those; set freeze_projector = true, train adapters ([lora]), or set epochs = 1",
            level="note",
        )

    with tempfile.TemporaryDirectory() as folder:
        try:
            grpo_config(recipe, steps=max(1, recipe.steps), folder=Path(folder), weights=(1.0, 1.0))
        except (ValueError, TypeError, ImportError) as error:
            yield Problem("engine", f"TRL does not take this configuration: {error}")


def _sees_with_new_weights(recipe: Recipe) -> bool:
    return recipe.lora is None and not (recipe.freeze_vision and recipe.freeze_projector)


def _level(recipe: Recipe) -> Literal["error", "note"]:
    """Return how much it matters that this environment lacks vLLM: a study for GPUs, or for verl, is planned in it."""
    here = recipe.engine == "trl" or is_installed("verl")
    return "error" if gpus() and here else "note"
