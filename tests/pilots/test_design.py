import pytest

from modomodo.config import Confirming, Recipe, Study
from modomodo.errors import ModomodoError
from modomodo.mixture import Mixture
from modomodo.pilots.design import confirmation_runs, design, seed_design
from modomodo.pilots.store import run_key

DOMAINS = ("count", "colour", "detect")
DIGESTS = {
    "model:nano": "m",
    **{f"domain:{name}": name for name in DOMAINS},
    **{f"benchmark:{name}": name for name in ("chart", "science", "held")},
}


def study(**changes: object) -> Study:
    fields = {
        "name": "s",
        "recipe": Recipe(domains=DOMAINS, steps=7),
        "benchmarks": ("chart", "science"),
        "held_out": ("held",),
        "replicates": 2,
        "confirm": Confirming(seeds=3),
    }
    return Study.model_validate({**fields, **changes})


def test_the_seed_design_is_singles_leave_one_out_and_equal():
    found = dict(seed_design(DOMAINS))
    assert list(found) == [f"{kind}:{name}" for kind in ("single", "exclude") for name in DOMAINS] + ["equal"]
    for label, mixture in found.items():
        assert mixture == Mixture.parse(label, DOMAINS)
    assert found["exclude:colour"].as_dict() == {"count": 0.5, "colour": 0.0, "detect": 0.5}


def test_one_domain_has_no_exclude():
    assert [label for label, _ in seed_design(["count"])] == ["single:count", "equal"]


@pytest.mark.parametrize("domains", [(), ("a", "a")])
def test_a_design_needs_distinct_domains(domains: tuple[str, ...]):
    with pytest.raises(ModomodoError, match="each named once"):
        seed_design(domains)


def test_the_design_of_a_study_crosses_mixtures_and_replicates():
    runs = design(study())
    labels = [run.label for run in runs]
    assert len(set(labels)) == len(labels) == 1 + 7 * 2
    found = {run.label: run.recipe for run in runs}
    assert found["base"].steps == 0
    assert found["exclude:detect"].point().as_dict()["detect"] == 0
    assert (
        found["exclude:detect"].seed == found["equal"].seed != found["exclude:detect#2"].seed == found["equal#2"].seed
    )
    assert {recipe.evaluation.part for recipe in found.values()} == {"select"}
    assert all("held" not in recipe.evaluation.benchmarks for recipe in found.values())
    assert len({run_key(recipe, DIGESTS) for recipe in found.values()}) == len(found)


def test_confirmation_uses_fresh_matched_seeds_on_the_confirm_part():
    runs = confirmation_runs(study(), Mixture.of({"count": 0.2, "colour": 0.7, "detect": 0.1}))
    pairs = [f"confirm:{name}#{index}" for index in (1, 2, 3) for name in ("recommended", "equal")]
    assert [run.label for run in runs] == ["confirm:base", *pairs]
    found = {run.label: run.recipe for run in runs}
    assert found["confirm:base"].steps == 0
    assert {recipe.evaluation.part for recipe in found.values()} == {"confirm"}
    assert all("held" in recipe.evaluation.benchmarks for recipe in found.values())
    seeds = [found[f"confirm:equal#{index}"].seed for index in (1, 2, 3)]
    assert seeds == [found[f"confirm:recommended#{index}"].seed for index in (1, 2, 3)]
    assert len({*seeds, *(run.recipe.seed for run in design(study()))}) == 3 + 3  # 2 replicates and the base's 0


def test_a_recommendation_of_equal_shares_is_the_same_runs():
    runs = confirmation_runs(study(), Mixture.uniform(tuple(reversed(DOMAINS))))
    assert len({run_key(run.recipe, DIGESTS) for run in runs}) == 1 + 3
