import dataclasses

import pytest

from modomodo.config.recipe import Recipe
from modomodo.config.sections import Confirming
from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.core.rows import Row, Target
from modomodo.data.registry import DOMAINS as KNOWN
from modomodo.runs.planned import PlannedRun
from modomodo.runs.store import run_key
from modomodo.study import preflight
from modomodo.study.checks.design import check_design
from modomodo.study.plan import confirmation_runs, pilot_runs
from modomodo.study.preflight import check_study

DOMAINS = ("count", "colour", "detect")
DIGESTS = {
    "model:nano": "m",
    **{f"domain:{name}": name for name in DOMAINS},
    **{f"benchmark:{name}": name for name in ("chart", "science", "held")},
}
ROWS = {"count": 100, "colour": 14, "detect": 40}


@pytest.fixture(autouse=True)
def domains(monkeypatch: pytest.MonkeyPatch):
    """Three domains with few rows; 7 steps of 8 prompts take 56."""
    for name, count in ROWS.items():
        rows = tuple(Row(f"{name}-{i}", name, "?", Target("number", 1)) for i in range(count))
        monkeypatch.setitem(
            KNOWN, name, dataclasses.replace(KNOWN["detect"], name=name, load=lambda _, rows=rows: rows)
        )


def study(**changes: object) -> Study:
    fields = {
        "name": "s",
        "recipe": Recipe(domains=DOMAINS, steps=7),
        "benchmarks": ("chart", "science"),
        "held_out": ("held",),
        "confirm": Confirming(seeds=3),
    }
    return Study.model_validate({**fields, **changes})


def budgeted(**changes: object) -> Study:
    return study(**{"design": "space-filling", "budget": 13, **changes})


def pilots(planned: tuple[PlannedRun, ...]) -> dict[str, Recipe]:
    assert planned[0].label == "base"
    assert planned[0].recipe.steps == 0
    return {run.label: run.recipe for run in planned[1:]}


def test_the_seed_design_crosses_mixtures_and_replicates():
    runs = pilot_runs(study(replicates=2))
    labels = [run.label for run in runs]
    assert len(set(labels)) == len(labels) == 1 + 7 * 2
    found = pilots(runs)
    assert found["exclude:detect"].mixture.as_dict()["detect"] == 0
    assert (
        found["exclude:detect"].seed == found["equal"].seed != found["exclude:detect#2"].seed == found["equal#2"].seed
    )
    assert {recipe.evaluation.part for recipe in found.values()} == {"select"}
    assert all("held" not in recipe.evaluation.benchmarks for recipe in found.values())
    assert len({run_key(run.recipe, DIGESTS) for run in runs}) == len(runs)


@pytest.mark.parametrize("design", ["space-filling", "d-optimal"])
@pytest.mark.parametrize(
    ("budget", "share", "seconds"), [(13, 0.15, 2), (13, 0.0, 0), (3, 0.5, 1), (20, 0.2, 4), (1, 0.5, 0)]
)
def test_a_budget_is_spent_on_mixtures_and_second_runs_of_the_first(design, budget, share, seconds):
    planned = pilot_runs(budgeted(design=design, budget=budget, replicate_share=share))
    found = pilots(planned)
    assert len(found) == budget
    assert len({run_key(run.recipe, DIGESTS) for run in planned}) == 1 + budget
    firsts, again = list(found)[: budget - seconds], list(found)[budget - seconds :]
    assert again == [f"{label}#2" for label in firsts[:seconds]]
    for label in again:
        assert found[label].mixture == found[label.removesuffix("#2")].mixture
        assert found[label].seed != found[label.removesuffix("#2")].seed
    assert len({recipe.seed for recipe in found.values()}) == 1 + bool(seconds)
    assert found == pilots(pilot_runs(budgeted(design=design, budget=budget, replicate_share=share)))


def test_another_seed_of_the_study_draws_another_design():
    recipe = Recipe(domains=DOMAINS, steps=5)
    one, other = (pilots(pilot_runs(budgeted(recipe=recipe, seed=seed))) for seed in (0, 1))
    assert one["equal"].mixture == other["equal"].mixture
    assert one["space:1"].mixture != other["space:1"].mixture


def test_the_tighter_of_caps_and_rows_holds():
    caps = {"colour": {"max": 0.9}, "detect": {"min": 0.3, "max": 0.5}}
    for epochs, most in ((1, 14 / 56), (2, 28 / 56)):
        made = budgeted(recipe=Recipe(domains=DOMAINS, steps=7, epochs=epochs), caps=caps, budget=20)
        shares = [recipe.mixture.as_dict() for recipe in pilots(pilot_runs(made)).values()]
        assert max(share["colour"] for share in shares) <= most
        assert max(share["colour"] for share in shares) > 0.8 * most
        assert all(0.3 <= share["detect"] <= 0.5 for share in shares)


def test_equal_shares_that_break_the_caps_give_way_to_the_nearest():
    found = pilots(pilot_runs(budgeted(caps={"count": {"max": 0.2}})))
    assert "equal" not in found
    shares = found["space:1"].mixture.as_dict()
    assert shares == pytest.approx({"count": 0.2, "colour": 0.25, "detect": 0.55}, abs=1e-4)
    assert found["space:1#2"].mixture == found["space:1"].mixture


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"caps": {"colour": {"min": 0.3}}},
            r"caps\.colour\.min is 0\.3, but its training rows last only for .* 0\.25",
        ),
        ({"caps": {"count": {"max": 0.01}}}, r"shares that sum to 0\.974\d* at most"),
        ({"caps": {"count": {"max": 0.1}, "detect": {"max": 0.1}, "colour": {"max": 0.1}}}, "no mixture satisfies"),
        ({"recipe": Recipe(domains=DOMAINS, steps=20)}, "160 prompts .* 154 training rows .* 6 rows are missing"),
        (
            {"budget": 4, "caps": {name: {"min": 0.25, "max": 0.25 + 0.25 * (name == "count")} for name in DOMAINS}},
            "widen",
        ),
    ],
)
def test_what_leaves_no_design_says_why(changes, message):
    with pytest.raises(ModomodoError, match=message):
        pilot_runs(budgeted(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budget": 9}, "budget is 9, but the design seed has its own size"),
        ({"design": "d-optimal"}, "design d-optimal needs budget.* budget = 9"),
        ({"design": "d-optimal", "budget": 9, "replicates": 2}, "replicates is 2.*replicate_share"),
        ({"design": "space-filling", "budget": 9, "replicate_share": 0.6}, "replicate_share"),
    ],
)
def test_a_study_refuses_sizes_that_contradict_its_design(changes, message):
    with pytest.raises(ValueError, match=message):
        study(**changes)


def test_check_says_where_a_domain_runs_out_and_what_leaves_no_design(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(preflight, "CHECKS", (check_design,))

    def problems(made: Study) -> list[str]:
        return [str(problem) for problem in check_study(made, say=lambda _: None) if "rows" in problem.what]

    notes = problems(budgeted(caps={"detect": {"max": 0.5}}))
    assert len(notes) == 1
    assert "runs out of rows above a share of 0.2500 of a run" in notes[0]
    assert problems(budgeted(caps={"detect": {"max": 0.5}, "colour": {"max": 0.25}})) == []
    assert "6 rows are missing" in problems(budgeted(recipe=Recipe(domains=DOMAINS, steps=20)))[0]


def test_confirmation_uses_fresh_matched_seeds_on_the_confirm_part():
    runs = confirmation_runs(study(), Mixture.of({"count": 0.2, "colour": 0.7, "detect": 0.1}), seeds=3)
    pairs = [f"confirm:{name}#{index}" for index in (1, 2, 3) for name in ("recommended", "equal")]
    assert [run.label for run in runs] == ["confirm:base", *pairs]
    found = {run.label: run.recipe for run in runs}
    assert found["confirm:base"].steps == 0
    assert {recipe.evaluation.part for recipe in found.values()} == {"confirm"}
    assert all("held" in recipe.evaluation.benchmarks for recipe in found.values())
    seeds = [found[f"confirm:equal#{index}"].seed for index in (1, 2, 3)]
    assert seeds == [found[f"confirm:recommended#{index}"].seed for index in (1, 2, 3)]
    # 2 replicates and the base's 0
    assert len({*seeds, *(run.recipe.seed for run in pilot_runs(study(replicates=2)))}) == 3 + 3


def test_a_recommendation_of_equal_shares_is_the_same_runs():
    runs = confirmation_runs(study(), Mixture.uniform(tuple(reversed(DOMAINS))), seeds=study().confirm.seeds)
    assert len({run_key(run.recipe, DIGESTS) for run in runs}) == 1 + 3
