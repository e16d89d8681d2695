"""The engine: whether the trainer, the sampler and the tracker take what the recipe says."""

import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.data.domain import Problem
from modomodo.runs.hardware import gpus
from modomodo.study.checks.subject import Subject
from modomodo.training.trackers import check_tracker
from modomodo.training.verl.limits import refusals


def check_tracking(subject: Subject) -> Iterator[Problem]:
    """Yield that the tracker is not installed."""
    try:
        check_tracker(subject.recipe.tracker)
    except ModomodoError as error:
        # verl has an environment of its own, which may have the tracker; a study for it is planned in this one.
        elsewhere = subject.recipe.engine == "verl" and find_spec("verl") is None
        yield Problem("tracker", str(error), level="note" if elsewhere else "error")


def check_engine(subject: Subject) -> Iterator[Problem]:
    """Yield what keeps the trainer from taking the recipe's configuration."""
    yield from refusals(subject.recipe) if subject.recipe.engine == "verl" else _trl_problems(subject.recipe)


def _trl_problems(recipe: Recipe) -> Iterator[Problem]:
    from modomodo.training.trl import check_vllm, grpo_config

    try:
        check_vllm(recipe.vllm)
    except ModomodoError as error:
        # A machine without a GPU is where such runs are planned, not where they run.
        yield Problem("vllm", str(error), level="error" if gpus() else "note")

    with tempfile.TemporaryDirectory() as folder:
        try:
            grpo_config(recipe, steps=max(1, recipe.steps), folder=Path(folder), weights=(1.0, 1.0))
        except (ValueError, TypeError, ImportError) as error:
            yield Problem("engine", f"TRL does not take this configuration: {error}")
