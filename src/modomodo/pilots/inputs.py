"""What goes into a run: its schedule, and the digests of rows and model that its key is made of. Imports no torch."""

from collections.abc import Sequence

from modomodo.config import Recipe
from modomodo.domains import find_domain
from modomodo.models import model_digest
from modomodo.rows import digest_rows
from modomodo.schedules import Schedule, schedule


def make_schedule(recipe: Recipe) -> Schedule:
    """Return the schedule of a recipe, over the train split of its domains."""
    names = [name for name, weight in recipe.point().as_dict().items() if weight > 0]
    pools = {name: [row.id for row in find_domain(name).load("train")] for name in names}
    return schedule(
        recipe.point(),
        pools,
        steps=recipe.steps,
        prompts_per_step=recipe.prompts_per_step,
        seed=recipe.seed,
        order=recipe.order,
        epochs=recipe.epochs,
    )


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
