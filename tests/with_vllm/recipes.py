"""Three steps of the demo's recipe, at a rate at which three steps show."""

from pathlib import Path

import modomodo
from modomodo.config.recipe import Recipe, load_recipe

DEMO = Path(modomodo.__file__).parent / "models/nano/uneven/recipe.toml"
SETS = ("steps=3", "save_every=1", "learning_rate=5e-4", "evaluation.items=4")


def recipe(*sets: str) -> Recipe:
    return load_recipe(DEMO, [*SETS, *sets])
