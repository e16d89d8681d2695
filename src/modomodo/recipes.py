"""Recipes and studies from their TOML files, after `--set key=value`."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from modomodo.config import Recipe, Study
from modomodo.errors import ModomodoError
from modomodo.strict import parse, read_toml, with_changes

OF_ONE_RUN = ("seed", "mixture", "evaluation")  # fields of a recipe that a study decides for each of its runs


def load_recipe(path: Path, sets: Sequence[str] = ()) -> Recipe:
    """Return the recipe of a TOML file, or of a study's, after the `key=value` changes of `sets`.

    Raises ModomodoError that names the file, the key, the value found and the closest known key.
    """
    table = read_toml(path)
    file = _recipe_file(path, table)
    table = _recipe_table(path, table) if "recipe" in table else with_data(table, path.parent)
    return parse(Recipe, with_changes(table, sets), where=str(file), sets=sets)


def load_study(path: Path, sets: Sequence[str] = ()) -> Study:
    """Return the study of a TOML file; `recipe` is a table or the path of a recipe file beside it.

    Raises ModomodoError as `load_recipe`, and for a seed, mixture or evaluation in the recipe, which a study decides
    for each of its runs; those of a recipe file serve its single runs and are left out.
    """
    table = read_toml(path)
    recipe = table.get("recipe")
    if "recipe" not in table and "domains" in table:
        raise ModomodoError(
            f'{path} is a recipe, and this needs a study: a file with recipe = "{path.name}", see README'
        )
    if isinstance(recipe, str):
        table["recipe"] = {k: v for k, v in _recipe_table(path, table).items() if k not in OF_ONE_RUN}
    elif isinstance(recipe, dict):
        table["recipe"] = with_data(cast(dict[str, Any], recipe), path.parent)
    table = with_changes(table, sets)
    decided = [key for key in OF_ONE_RUN if isinstance(table.get("recipe"), dict) and key in table["recipe"]]
    if decided:
        raise ModomodoError(
            f"{path}: recipe.{decided[0]} is {table['recipe'][decided[0]]!r}, but a study gives each of its runs a "
            f"{decided[0]} of its own: leave it out (`seed`, `replicates`, `benchmarks` and `items` are the study's)"
        )
    return parse(
        Study, table, where=str(path), sets=sets, parts={"recipe": str(_recipe_file(path, {"recipe": recipe}))}
    )


def _recipe_file(path: Path, table: Mapping[str, Any]) -> Path:
    """Return the file that the recipe stands in: the study's own, or one beside it."""
    recipe = table.get("recipe")
    return path.parent / recipe if isinstance(recipe, str) else path


def _recipe_table(path: Path, study: Mapping[str, Any]) -> dict[str, Any]:
    recipe = study["recipe"]
    if not isinstance(recipe, str):
        return with_data(dict(recipe), path.parent)
    file = _recipe_file(path, study)
    return with_data(read_toml(file), file.parent)


def with_data(recipe: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the table of a recipe with its `data` whole.

    An entry of `data` is a table, or the name of a TOML file with one; its `path` is relative to the file it stands in,
    and so is the recipe's `exclude`.
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
    path = table.get("path")
    return {**table, "path": str(_from(folder, path))} if isinstance(path, str) else table


def _from(folder: Path, path: str) -> Path:
    """Return a path as seen from a folder, without `..` where it leads to the same place: through links it may not."""
    whole = folder / path
    short = Path(os.path.normpath(whole))
    return short if short.resolve() == whole.resolve() else whole
