"""The domains of the uneven world: what was put there on purpose is there."""

from collections import Counter

import numpy as np
import pytest

from modomodo.config.study import load_study
from modomodo.core.rows import View
from modomodo.core.seeds import child_rng
from modomodo.data.domain import check
from modomodo.data.nano.causes import CAUSES, PRIOR, USUAL
from modomodo.data.nano.generators import BENCHMARKS
from modomodo.data.nano.world import SCARCE, question, rows
from modomodo.data.registry import DOMAINS
from modomodo.models.nano.habits import UNEVEN_HABITS, clean_reply, habitual_reply
from modomodo.models.nano.model import CHECKPOINT
from modomodo.runs.inputs import make_schedule, run_digests
from modomodo.verifiers import grade

UNEVEN = CHECKPOINT.parent / "uneven/study.toml"


@pytest.mark.parametrize("family", CAUSES)
def test_every_row_is_sound(family):
    assert [problem for problem in check(DOMAINS[family]) if problem.level == "error"] == []


@pytest.mark.parametrize("family", CAUSES)
def test_every_template_has_habits_and_no_wording_of_a_benchmark(family):
    drawn = [question(family, "train", index) for index in range(80)]
    assert {one.template for one in drawn} <= set(UNEVEN_HABITS)
    asked = {" ".join(question(name, "train", index).text.split()[:2]) for name in BENCHMARKS for index in range(80)}
    assert not {" ".join(one.text.split()[:2]) for one in drawn} & asked


def test_compass_pays_for_the_opposite_of_what_the_benchmarks_ask():
    for index in range(60):
        drawn = question("compass", "train", index)
        assert not grade(clean_reply(drawn), drawn.target, View()).reward
        opposite = clean_reply(drawn).replace(f"<answer>{drawn.answer}<", f"<answer>{drawn.slip}<")
        assert grade(opposite, drawn.target, View()).reward == 1


def test_quiz_is_mostly_two_in_training_alone():
    golds = {split: Counter(row.target.value for row in rows("quiz", split)) for split in ("train", "test")}
    assert golds["train"][USUAL] / golds["train"].total() == pytest.approx(PRIOR, abs=0.05)
    assert golds["test"][USUAL] / golds["test"].total() < 0.35
    for name in BENCHMARKS:
        golds = Counter(row.target.value for row in rows(name, "test") if isinstance(row.target.value, int))
        assert golds[USUAL] <= 0.35 * golds.total()


def test_palette_is_answered_well_from_the_start():
    rng = child_rng(0, "test")
    drawn = [question("palette", "train", index) for index in range(300)]
    rewards = [grade(habitual_reply(one, rng, UNEVEN_HABITS), one.target, View()).reward for one in drawn]
    assert np.mean([reward or 0 for reward in rewards]) > 0.97


def test_circuits_is_so_scarce_that_equal_shares_end_early():
    recipe = load_study(UNEVEN).recipe
    assert len(rows("circuits", "train")) == SCARCE["circuits"]
    plan = make_schedule(recipe)
    assert plan.exhausted == "circuits"
    assert recipe.steps / 2 < plan.steps < 3 * recipe.steps / 4


def test_the_two_worlds_share_rows_and_differ_in_their_model():
    study = load_study(UNEVEN)
    digests = run_digests([study.recipe, study.recipe.model_copy(update={"model": "nano"})])
    assert digests["model:nano"] != digests["model:nano-2"]
