"""What goes into a run: its schedule, and the digests of rows and model that its key is made of. Imports no torch."""

import warnings
from collections.abc import Mapping, Sequence, Set
from hashlib import sha256
from pathlib import Path

from modomodo.config.domains import recipe_domain
from modomodo.config.policies import Online, Piecewise
from modomodo.config.recipe import Recipe
from modomodo.core.blocks import Rows
from modomodo.core.errors import ModomodoError
from modomodo.core.files import explained
from modomodo.core.rows import Row, digest_rows
from modomodo.core.schedules import Schedule, piecewise
from modomodo.data.domain import Domain
from modomodo.data.prepared.manifest import read_manifest
from modomodo.data.prepared.sets import find_prepared
from modomodo.models.names import model_digest


def make_schedule(recipe: Recipe, pools: Mapping[str, Sequence[str]] | None = None) -> Schedule:
    """Return the schedule of a recipe, over the train split of its domains or over the row ids of `pools`.

    Raises ModomodoError as `schedule`, and for a mixture that a rule moves: `make_rows` is what is known beforehand.
    """
    if isinstance(recipe.mixture, Online):
        raise ModomodoError(
            f"the rule {recipe.mixture.rule!r} moves the mixture: its schedule comes as the run goes on"
        )
    mixture = recipe.mixture
    return piecewise(
        mixture.lengths(recipe.steps) if isinstance(mixture, Piecewise) else [(recipe.steps, mixture)],
        pools or _pools(recipe),
        prompts_per_step=recipe.prompts_per_step,
        seed=recipe.seed,
        order=recipe.order,
        epochs=recipe.epochs,
    )


def make_rows(recipe: Recipe, pools: Mapping[str, Sequence[str]] | None = None) -> Rows:
    """Return the rows that a recipe draws from, of its train splits or of `pools`, where a rule moves its mixture.

    Raises ModomodoError for a domain without rows.
    """
    return Rows.of(pools or _pools(recipe), seed=recipe.seed, epochs=recipe.epochs)


def _pools(recipe: Recipe) -> dict[str, list[str]]:
    names = [name for name, weight in recipe.requested.as_dict().items() if weight > 0]
    return {name: [row.id for row in recipe_domain(recipe, name).load("train")] for name in names}


def is_prepared(recipe: Recipe, name: str) -> bool:
    """Return whether the recipe's folder `prepared` holds the set."""
    return recipe.prepared is not None and read_manifest(recipe.prepared / name) is not None


def here(recipe: Recipe, name: str) -> Domain | None:
    """Return the domain as it can be read without the hub: prepared, or from its own files; None where it cannot."""
    if is_prepared(recipe, name):
        return recipe_domain(recipe, name)
    plain = declared(recipe, name)
    return None if plain.origin is not None and plain.origin.remote else plain


def declared(recipe: Recipe, name: str) -> Domain:
    """Return the domain as its source has it, prepared or not."""
    return recipe_domain(recipe.model_copy(update={"prepared": None}), name)


def pool(recipe: Recipe, name: str) -> list[str]:
    """Return the ids of the rows to train on in a domain; made-up ones, as many as declared, where it is not here.

    Raises ModomodoError when it is not here and declares no number.
    """
    domain = here(recipe, name)
    if domain is not None:
        return [row.id for row in domain.load("train")]
    origin = declared(recipe, name).origin
    if origin is None or "train" not in origin.sizes:
        raise ModomodoError(f"{name} is not prepared and declares no rows.train: run `modomodo data prepare` first")
    return [f"{name}-{index}" for index in range(origin.sizes["train"])]


def find_rows(recipe: Recipe, name: str, ids: Set[str]) -> tuple[Row, ...]:
    """Return the training rows of these ids that can be read without the hub.

    Raises ModomodoError as the domain does.
    """
    if recipe.prepared is not None and is_prepared(recipe, name):
        return find_prepared(recipe.prepared, name, "train", ids=ids)
    domain = here(recipe, name)
    return () if domain is None else tuple(row for row in domain.load("train") if row.id in ids)


def run_digests(recipes: Sequence[Recipe]) -> dict[str, str]:
    """Return the digests of the model, of the rows of every domain and benchmark that the recipes use, and of files.

    Raises ModomodoError for a file that is not there.
    """
    models = {recipe.model: recipe.revision for recipe in recipes}
    domains = {name: recipe for recipe in reversed(recipes) for name in recipe.domains}
    benchmarks = {name: recipe for recipe in reversed(recipes) for name in recipe.evaluation.benchmarks}
    return {
        **{f"model:{name}": model_digest(name, revision) for name, revision in models.items()},
        **{f"domain:{name}": _digest(recipe, name, "train") for name, recipe in domains.items()},
        **{f"benchmark:{name}": _digest(recipe, name, "test") for name, recipe in benchmarks.items()},
        **file_digests(recipes),
    }


def file_digests(recipes: Sequence[Recipe]) -> dict[str, str]:
    """Return the digests of the files that rules read to move the recipes' mixtures.

    Raises ModomodoError for one that is not there.
    """
    rules = [recipe.mixture for recipe in recipes if isinstance(recipe.mixture, Online)]
    files = {path: name for rule in rules for name, path in rule.files.items()}
    return {f"file:{path}": _file_digest(path, name) for path, name in files.items()}


def _file_digest(path: Path, setting: str) -> str:
    if not path.is_file():
        raise ModomodoError(
            f"mixture.{setting} is {path}, which is no file: name one (`modomodo pilot` writes runs.csv to its study)"
        )
    with explained(path, to="read"):
        return sha256(path.read_bytes()).hexdigest()[:16]


def _digest(recipe: Recipe, name: str, split: str) -> str:
    """Return the digest of a split's rows and of what the model is asked with them."""
    domain = recipe_domain(recipe, name)
    rows = domain.load(split)
    for note in domain.notes(split):
        warnings.warn(f"{name} ({split}): {note}", stacklevel=2)
    return digest_rows(rows, [domain.prompt(row, recipe.view) for row in rows])
