"""Digests of the rows and the model that a run depends on; they go into its key. Imports no torch."""

from collections.abc import Sequence

from modomodo.config import Recipe
from modomodo.domains import find_domain
from modomodo.models import model_digest
from modomodo.rows import digest_rows


def run_digests(recipes: Sequence[Recipe]) -> dict[str, str]:
    """Return the digests of the model, and of the rows of every domain and benchmark that the recipes use."""
    models = dict.fromkeys(recipe.model for recipe in recipes)
    domains = dict.fromkeys(name for recipe in recipes for name in recipe.domains)
    benchmarks = dict.fromkeys(name for recipe in recipes for name in recipe.evaluation.benchmarks)
    return {
        **{f"model:{name}": model_digest(name) for name in models},
        **{f"domain:{name}": digest_rows(find_domain(name).load("train")) for name in domains},
        **{f"benchmark:{name}": digest_rows(find_domain(name).load("test")) for name in benchmarks},
    }
