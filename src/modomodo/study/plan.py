"""The runs of a study: its pilots, and the fresh ones of confirmation."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from modomodo.config.sections import limits
from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.core.schedules import row_caps
from modomodo.core.simplex import cut_to, limits_of
from modomodo.mixing.design import Labelled, d_optimal, seed_design, space_filling
from modomodo.runs.inputs import pool
from modomodo.runs.planned import PlannedRun
from modomodo.study.proposed import read_proposed


def pilot_runs(study: Study) -> tuple[PlannedRun, ...]:
    """Return the base run and every mixture of the study's design with its replicates; labels are unique.

    Run 1 of a mixture bears the label of the mixture, run n adds `#n`. Without a budget every mixture has as many runs;
    with one, its last `replicate_share` are second runs of the first mixtures, one each: equal shares, then those
    farthest apart. The mixtures of `extra` follow as `extra:1` and so on, then those of `pilot --most` as
    `next:1`; one that ran before runs at its next seed.

    Raises:
        ModomodoError: for caps, or too few training rows, that leave no mixture or too few.
    """
    if study.budget is None:
        repeated = [seed_design(study.recipe.domains)] * study.replicates
    else:
        seconds = min(round(study.budget * study.replicate_share), study.budget // 2)
        mixtures = _mixtures(study, study.budget - seconds)
        repeated = [mixtures, mixtures[:seconds]]
    pilots = [
        PlannedRun(
            label if replicate == 0 else f"{label}#{replicate + 1}", study.pilot_recipe(mixture, replicate=replicate)
        )
        for replicate, mixtures in enumerate(repeated)
        for label, mixture in mixtures
    ]
    return (PlannedRun("base", study.base_recipe()), *pilots, *_extra_runs(study, pilots))


def confirmation_runs(study: Study, recommended: Mixture, *, seeds: int) -> tuple[PlannedRun, ...]:
    """Return the base run and `seeds` matched pairs of the recommended and the equal mixture, on the `confirm` part.

    Labels are `confirm:base`, `confirm:recommended#1`, `confirm:equal#1`, ...: no pilot's label begins so.
    """
    equal = Mixture.uniform(study.recipe.domains)
    base = study.confirming_recipe(equal, index=0).model_copy(update={"steps": 0, "seed": 0})
    pairs = [
        PlannedRun(f"confirm:{name}#{index + 1}", study.confirming_recipe(mixture, index=index))
        for index in range(seeds)
        for name, mixture in (("recommended", recommended), ("equal", equal))
    ]
    return (PlannedRun("confirm:base", base), *pairs)


def pilot_row_caps(study: Study) -> dict[str, tuple[float, float]]:
    """Return domain -> (0, the share of a pilot's prompts that its training rows last for)."""
    recipe = study.recipe
    return row_caps(
        {name: len(pool(recipe, name)) for name in recipe.domains},
        steps=recipe.steps,
        prompts_per_step=recipe.prompts_per_step,
        epochs=recipe.epochs,
    )


def caps_with_rows(study: Study) -> dict[str, tuple[float, float]]:
    """Return the study's caps, tightened to what its training rows last for."""
    own = limits(study.caps)
    pairs = {name: (*own.get(name, (0.0, 1.0)), lasting) for name, (_, lasting) in pilot_row_caps(study).items()}
    return {name: (least, min(most, lasting)) for name, (least, most, lasting) in pairs.items()}


def recommended_caps(study: Study) -> dict[str, tuple[float, float]]:
    """Return the limits of a recommendation: the study's caps, and what rows last for where its pilots keep to that.

    A budgeted design keeps its pilots to it, so no pilot says what a run is worth that ends early.
    """
    caps = limits(study.caps) if study.budget is None else caps_with_rows(study)
    return {name: ends for name, ends in caps.items() if ends != (0.0, 1.0)}


def within_rows(study: Study, mixture: Mixture) -> Mixture:
    """Return a mixture with what training rows last for of each domain, and the others in proportion."""
    domains, caps = study.recipe.domains, pilot_row_caps(study)
    x_D, most_D = mixture.vector(domains), np.array([caps[name][1] for name in domains])
    if (x_D <= most_D + 1e-9).all():
        return mixture
    return Mixture.of(dict(zip(domains, cut_to(x_D, most_D).tolist(), strict=True)))


def added_label(label: str) -> bool:
    """Return whether a pilot was added by `pilot --most`, as the design's and the file's were not."""
    return label.startswith("next:")


def _extra_runs(study: Study, pilots: Sequence[PlannedRun]) -> Iterator[PlannedRun]:
    """Yield the runs of the study's extra mixtures and of those added since, which come after `pilots`."""
    runs = Counter(key for key, _ in {(one.recipe.requested.key, one.recipe.seed) for one in pilots})
    extra = [(f"extra:{number}", weights) for number, weights in enumerate(study.extra, start=1)]
    added = [(f"next:{number}", one.mixture) for number, one in enumerate(read_proposed(study), start=1)]
    for label, weights in (*extra, *added):
        mixture = Mixture.of(weights)
        yield PlannedRun(label, study.pilot_recipe(mixture, replicate=runs[mixture.key]))
        runs[mixture.key] += 1


def _mixtures(study: Study, count: int) -> Sequence[Labelled]:
    """Return the mixtures of a budgeted design, within the study's caps and what the training rows allow."""
    own, rows, domains = limits(study.caps), pilot_row_caps(study), study.recipe.domains
    limits_of(own, domains)
    pairs = [(*own.get(name, (0.0, 1.0)), rows[name][1]) for name in domains]
    for name, (least, _, lasting) in zip(domains, pairs, strict=True):
        if least > lasting:
            raise ModomodoError(
                f"caps.{name}.min is {least:.4g}, but its training rows last only for a share of {lasting:.4g} of a "
                "run: lower it, raise recipe.epochs or lower recipe.steps"
            )
    bounds = tuple((least, min(most, lasting)) for least, most, lasting in pairs)
    reach = sum(most for _, most in bounds)
    if reach < 1 - 1e-9:
        raise ModomodoError(
            f"caps and training rows together leave shares that sum to {reach:.4g} at most, 1 is needed: "
            "widen the caps, raise recipe.epochs or lower recipe.steps"
        )
    return _designed(study.design, domains, count, bounds, study.seed)


@cache
def _designed(
    kind: str, domains: tuple[str, ...], count: int, bounds: tuple[tuple[float, float], ...], seed: int
) -> tuple[Labelled, ...]:
    # A command asks for its study's runs many times, and a design takes a second.
    make = space_filling if kind == "space-filling" else d_optimal
    return make(domains, count=count, limits_2D=np.array(bounds).T, seed=seed)
