"""A run that a study plans."""

from dataclasses import dataclass

from modomodo.config.recipe import Recipe


@dataclass(frozen=True)
class PlannedRun:
    """A run and what the study calls it; two labels may name the same run, which then runs once."""

    label: str
    recipe: Recipe
