"""The tables of recipes and studies, read from their TOML files, with paths as the files mean them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from modomodo.core.toml import read_toml

OF_ONE_RUN = ("seed", "mixture", "evaluation")  # fields of a recipe that a study decides for each of its runs


def recipe_file(path: Path, table: Mapping[str, Any]) -> Path:
    """Return the file that the recipe stands in: the study's own, or one beside it."""
    recipe = table.get("recipe")
    return path.parent / recipe if isinstance(recipe, str) else path


def recipe_table(path: Path, study: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table of the recipe of a study's file, its `data` whole."""
    recipe = study["recipe"]
    if not isinstance(recipe, str):
        return with_data(dict(recipe), path.parent)
    file = recipe_file(path, study)
    return with_data(read_toml(file), file.parent)


def with_data(recipe: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the table of a recipe with its `data` whole.

    An entry of `data` is a table, or the name of a TOML file with one; its `path` and `pictures` are relative to the
    file they stand in, and so is the recipe's `exclude`.
    """
    exclude = recipe.get("exclude")
    if isinstance(exclude, str):
        recipe = {**recipe, "exclude": str(_from(folder, exclude))}
    data = recipe.get("data")
    if not isinstance(data, dict):
        return recipe
    found = {name: _source_table(entry, folder) for name, entry in cast(dict[str, Any], data).items()}
    return {**recipe, "data": found}


def _source_table(entry: object, folder: Path) -> object:
    if isinstance(entry, str):
        file = folder / entry
        return _source_table(read_toml(file), file.parent)
    if not isinstance(entry, dict):
        return entry  # the model says what is wrong with it
    table = cast(dict[str, Any], entry)
    paths = {key: value for key in ("path", "pictures") if isinstance(value := table.get(key), str)}
    return {**table, **{key: str(_from(folder, path)) for key, path in paths.items()}}


def _from(folder: Path, path: str) -> Path:
    """Return a path as seen from a folder, without `..` where it leads to the same place: through links it may not."""
    whole = folder / path
    short = Path(os.path.normpath(whole))
    return short if short.resolve() == whole.resolve() else whole
