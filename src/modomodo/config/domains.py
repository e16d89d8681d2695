"""The domains and benchmarks that a recipe names, as it reads them."""

from modomodo.config.recipe import Recipe
from modomodo.data.domain import Domain
from modomodo.data.registry import find_domain


def recipe_domain(recipe: Recipe, name: str) -> Domain:
    """Return a domain or benchmark as a recipe reads it: from `data` or `prepared`, without excluded rows.

    Raises ModomodoError as `find_domain`.
    """
    return find_domain(name, sources=recipe.data, prepared=recipe.prepared, exclude=recipe.exclude)
