"""The runs of a study: its pilots, and the fresh ones of confirmation."""

from collections.abc import Sequence
from dataclasses import dataclass

from modomodo.config import Recipe, Study
from modomodo.errors import ModomodoError
from modomodo.mixture import Mixture


@dataclass(frozen=True)
class PlannedRun:
    """A run and what the study calls it; two labels may name the same run, which then runs once."""

    label: str
    recipe: Recipe


def seed_design(domains: Sequence[str]) -> tuple[tuple[str, Mixture], ...]:
    """Return the paper's seed set as (label, mixture): each domain alone, each left out, and equal shares.

    A label is what `Mixture.parse` reads. One domain cannot be left out of itself and has no `exclude`.
    Raises ModomodoError without a domain, or when one is named twice.
    """
    if not domains or len(set(domains)) < len(domains):
        raise ModomodoError(f"a design needs domains, each named once, got {', '.join(domains) or 'none'}")
    labels = [f"single:{name}" for name in domains]
    if len(domains) > 1:
        labels += [f"exclude:{name}" for name in domains]
    return tuple((label, Mixture.parse(label, domains)) for label in (*labels, "equal"))


def design(study: Study) -> tuple[PlannedRun, ...]:
    """Return the base run and every mixture of the study's design at every replicate; labels are unique.

    Replicate 1 bears the label of its mixture, replicate n adds `#n`.
    """
    pilots = [
        PlannedRun(
            label if replicate == 0 else f"{label}#{replicate + 1}", study.pilot_recipe(mixture, replicate=replicate)
        )
        for replicate in range(study.replicates)
        for label, mixture in seed_design(study.recipe.domains)
    ]
    return (PlannedRun("base", study.base_recipe()), *pilots)


def confirmation_runs(study: Study, recommended: Mixture) -> tuple[PlannedRun, ...]:
    """Return the base run and matched seeds of the recommended and the equal mixture, on the `confirm` part.

    Labels are `confirm:base`, `confirm:recommended#1`, `confirm:equal#1`, ...: no pilot's label begins so.
    """
    equal = Mixture.uniform(study.recipe.domains)
    base = study.confirming_recipe(equal, index=0).model_copy(update={"steps": 0, "seed": 0})
    pairs = [
        PlannedRun(f"confirm:{name}#{index + 1}", study.confirming_recipe(mixture, index=index))
        for index in range(study.confirm.seeds)
        for name, mixture in (("recommended", recommended), ("equal", equal))
    ]
    return (PlannedRun("confirm:base", base), *pairs)
