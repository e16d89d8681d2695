"""The TOML files of recipes and studies, read once, with paths as the files mean them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from modomodo.core.errors import ModomodoError
from modomodo.core.toml import read_toml

OF_ONE_RUN = ("seed", "mixture", "evaluation")  # fields of a recipe that a study decides for each of its runs


@dataclass(frozen=True)
class TomlFile:
    """A recipe's or a study's file as it was read: recipes and studies are made of it without reading it again.

    `table` is what stands in it. A study has its recipe in it as a table, or the name of a file beside it.
    """

    path: Path
    table: Mapping[str, Any]

    @property
    def is_study(self) -> bool:
        return "recipe" in self.table

    @property
    def recipe_path(self) -> Path:
        """The file that the recipe stands in: this one, or one beside it."""
        recipe = self.table.get("recipe")
        return self.path.parent / recipe if isinstance(recipe, str) else self.path

    @cached_property
    def recipe(self) -> Mapping[str, Any]:
        """The table of the recipe, its `data` whole.

        Raises ModomodoError where the file that a study names cannot be read, or where it names none.
        """
        recipe = self.table["recipe"] if self.is_study else self.table
        if isinstance(recipe, str):
            recipe = read_toml(self.recipe_path)
        if not isinstance(recipe, Mapping):
            raise ModomodoError(
                f"{self.path}: recipe is {recipe!r}: name a recipe's file, or write the recipe as a table [recipe]"
            )
        return with_data(cast(Mapping[str, Any], recipe), self.recipe_path.parent)


def read_file(path: Path) -> TomlFile:
    """Return a recipe's or a study's file.

    Raises ModomodoError with the closest file name where there is none, and for what is no TOML.
    """
    return TomlFile(path, read_toml(path))


def with_data(recipe: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Return the table of a recipe with its `data` whole.

    An entry of `data` is a table, or the name of a TOML file with one; its `path` and `pictures` are relative to the
    file they stand in, and so are the recipe's `exclude` and the `pilots` of its mixture's rule.
    """
    exclude = recipe.get("exclude")
    if isinstance(exclude, str):
        recipe = {**recipe, "exclude": str(_from(folder, exclude))}
    mixture = recipe.get("mixture")
    if isinstance(mixture, dict) and isinstance(pilots := cast(dict[str, Any], mixture).get("pilots"), str):
        recipe = {**recipe, "mixture": {**cast(dict[str, Any], mixture), "pilots": str(_from(folder, pilots))}}
    data = recipe.get("data")
    if not isinstance(data, dict):
        return recipe
    sources = {name: _source_table(entry, folder) for name, entry in cast(dict[str, Any], data).items()}
    return {**recipe, "data": sources}


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
