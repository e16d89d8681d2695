"""What comes after a verb: the file of a recipe, a study or a table of runs, read once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

from modomodo.config.recipe import Recipe, recipe_in
from modomodo.config.study import Study, study_in
from modomodo.config.table_settings import Fitting, load_fitting
from modomodo.config.toml_files import read_file

TABLES = frozenset({".csv", ".tsv", ".tab", ".txt", ".xlsx", ".xls", ".ods", ".parquet", ".jsonl", ".json", ".feather"})
"""Endings of files that hold a table, in a form that is read or that the reader says how to make a CSV of."""


@dataclass(frozen=True)
class RunsFile:
    """A table of runs, and what `--set` says is to be made of it."""

    path: Path
    settings: Fitting


Kind = TypeVar("Kind", bound=Recipe | Study | RunsFile)


def open_file(path: Path, sets: Sequence[str] = (), *, kinds: tuple[type[Kind], ...]) -> Kind:
    """Return what a file holds, as one of the `kinds` that are asked for, after the `key=value` changes of `sets`.

    A CSV or its like is a table of runs; a TOML file is a study where it has or names a recipe, and else a recipe.
    Of a study the recipe is returned where only that is asked for.

    Raises ModomodoError as `load_recipe`, `load_study` and `load_fitting` do.
    """
    if RunsFile in kinds and is_table(path):
        return cast(Kind, RunsFile(path, load_fitting(sets)))
    file = read_file(path)
    as_study = Study in kinds and (file.is_study or Recipe not in kinds)
    return cast(Kind, study_in(file, sets) if as_study else recipe_in(file, sets))


def is_table(path: Path) -> bool:
    """Return whether a file holds a table, by its ending."""
    return path.suffix.lower() in TABLES
