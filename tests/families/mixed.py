"""A domain of rows with one image, none and two, and runs on it that can be killed."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modomodo.config.recipe import Recipe
from modomodo.core.rows import Row, Target, Verdict
from modomodo.core.toml import parse
from modomodo.data.domain import Domain
from modomodo.data.sources.prompts import ask
from modomodo.training import checkpoints, trl

SIZES = ((64, 40), (27, 101), (130, 33), (30, 50))
COUNTS = (1, 0, 2, 1)
TABLE = {
    "domains": ["mixed"],
    "steps": 3,
    "prompts_per_step": 4,
    "num_generations": 2,
    "completions_per_pass": 2,
    "learning_rate": 1e-3,
    "max_completion_length": 6,
    "save_every": 1,
}


def png(size: tuple[int, int], seed: int) -> bytes:
    """Return an image of noise of [width, height]."""
    file = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


def row(split: str, index: int) -> Row:
    """Return a row of the domain."""
    pictures = tuple(png(SIZES[(index + k) % len(SIZES)], 7 * index + k) for k in range(COUNTS[index % len(COUNTS)]))
    return Row(f"{split}{index}", "mixed", f"what colour is ball {index}", Target("text", "red"), pictures)


ROWS = {split: [row(split, index) for index in range(16)] for split in ("train", "test")}

# An untrained model never earns a reward: here any reply earns one, by its letters, so that weights move.
MIXED = Domain("mixed", ROWS.__getitem__, ask, lambda row, reply, view: Verdict.partial(len(reply) % 7 / 6, reply))


def recipe(model: Path, **changes: object) -> Recipe:
    """Return the recipe of a run on the domain."""
    return parse(Recipe, {**TABLE, "model": str(model), **changes}, where="test")


def killed_and_resumed(one: Recipe, folder: Path, *, after: int = 2) -> None:
    """Run a recipe, kill it after a step, before that step's checkpoint, and run it again to its end."""
    from modomodo.runs.run import run_recipe

    original = trl.StepLog.on_step_end

    def dies(self, args, state, control, **options):
        original(self, args, state, control, **options)
        if state.global_step == after:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trl.StepLog, "on_step_end", dies)
        with pytest.raises(KeyboardInterrupt):
            run_recipe(one, folder)
    found = checkpoints.last_checkpoint(folder / checkpoints.CHECKPOINTS)
    assert found is not None
    assert found.name == f"checkpoint-{after - 1}"
    run_recipe(one, folder)
