"""What the report says of its numbers: scales, intervals, aggregates, and one of a thing."""

import html
import re

import fake_study
import pytest

from modomodo.config.recipe import Recipe
from modomodo.config.sections import Rewards
from modomodo.core.errors import count
from modomodo.mixing.strategies import Replay, Spread, Summary
from modomodo.reports import report
from modomodo.reports.sections.training import reward_scale
from modomodo.reports.strategies_page import strategies_page
from modomodo.study import pipeline

SMALL = {"benchmarks": ("charts", "maths"), "held_out": ("general",), "in_distribution": ("colour",), "items": 60}


def text(path) -> str:
    """Return the words of a page, without its scripts and tags."""
    page = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", path.read_text(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split())


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> str:
    recipe = Recipe(domains=("count", "colour", "detect"), steps=7, num_generations=4, rewards=Rewards(format=0.5))
    study = fake_study.make_study(tmp_path_factory.mktemp("study"), recipe=recipe, **SMALL)
    with pytest.MonkeyPatch.context() as patch:
        fake_study.write_whole(study, patch)
    return text(report(study))


def test_rewards_have_a_scale_where_they_are_shown(whole):
    sentence = reward_scale(Rewards(format=0.5))
    assert sentence.startswith("Rewards run from 0 to 2.5: 2 times what the verifier gives")
    assert whole.count(sentence) == 2


def test_aggregates_are_explained_where_they_are_first_named(whole):
    out = "out is the out-of-distribution score, which the study maximises: the mean over the benchmarks charts, maths"
    assert whole.count(out) == 4
    assert whole.index(out) < whole.index("Share of each domain")
    assert (
        "in is the in-distribution score, of benchmarks like the training: the mean over the benchmark colour" in whole
    )


def test_intervals_are_no_scores_and_errors_are_of_items(whole):
    assert whole.count("The bars are not scores: they span where the true gain is likely to be") == 2
    assert "± is the standard error over the benchmark's items" in whole
    assert "Each cell rests on one matched seed, and the noise of the training is not in it" in whole


def test_one_of_a_thing_is_not_many(tmp_path):
    recipe = Recipe(domains=("count",), steps=1, prompts_per_step=1, num_generations=2)
    study = fake_study.make_study(tmp_path, recipe=recipe, **{**SMALL, "benchmarks": ("charts",)})
    fake_study.write_runs(study, [one for one in pipeline.pilot_runs(study) if one.recipe.steps][:1])
    found = text(report(study))
    assert "1run1 pilot1step" in found
    assert "1 step" in found
    many = "runs|pilots|steps|prompts|completions|domains|seeds|items|rows|benchmarks|draws"
    assert not re.findall(rf"(?<![\d.,])1 ?(?:{many})\b", found)
    assert [count(n, "row") for n in (0, 1, 1200)] == ["0 rows", "1 row", "1,200 rows"]


def test_strategies_say_what_their_axes_are_and_who_is_missing():
    point = Spread(1, 0.5, 0.5, float("nan"), float("nan"))
    none = Spread(0, *[float("nan")] * 4)
    summaries = (
        Summary("ours", 8, 1, point, point, None, ""),
        Summary("alpha", 8, 0, none, none, None, "needs <inside>"),
    )
    page = strategies_page(Replay((), summaries, ("few runs",)), title="<runs>")
    assert "rank correlation between the strategy&#x27;s order of the unseen runs" in page
    assert "regret, by how much the run that it would choose scores less than the best" in page
    assert "Each point is the mean of 1 draw;" in page
    assert "<li>few runs</li><li>alpha: needs &lt;inside&gt;</li>" in page
    assert "<runs>" not in page
