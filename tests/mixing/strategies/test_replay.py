"""strategies: paired draws, honest regret, intervals, and what is said of strategies that cannot be applied."""

import math
import warnings
from dataclasses import dataclass, replace

import numpy as np
import pytest
from small_tables import table

from modomodo import strategies as public
from modomodo.core.errors import ModomodoError
from modomodo.mixing.strategies import STRATEGIES, Choice, Goal, Outcome, strategies
from modomodo.mixing.strategies.base import subset
from modomodo.mixing.strategies.replay import judged, pool_of
from modomodo.mixing.strategies.summary import spread, summaries

GOAL = Goal(objective="out", inside="in")
QUICK = ("ours", "quadsurface", "norm", "coli", "equal", "random")


@dataclass(frozen=True)
class Recorder:
    """Remembers what it was given, and predicts what it is told to."""

    seen: list
    truth: dict | None = None
    learns_from: str = "any runs"

    def choose(self, runs, *, goal, seed):
        self.seen.append((runs.labels_N, seed))
        if self.truth is None:
            raise ModomodoError("no truth")
        truth = self.truth
        return Choice(lambda: runs.mixture(0), lambda X_ND: np.array([truth[tuple(x_D)] for x_D in X_ND.tolist()]))


def test_replay_of_a_small_pool(make_pool):
    runs = make_pool()
    found = strategies(runs, goal=GOAL, names=QUICK, seeds=3)
    assert {one.n for one in found.summaries} == {7, 8, 16, 32}
    table_ = {(one.strategy, one.n): one for one in found.summaries}
    ours, equal, norm = table_["ours", 32], table_["equal", 32], table_["norm", 7]
    assert ours.draws == ours.rho.count == ours.regret.count == 3
    assert ours.rho.mean > 0.6
    assert ours.regret.lo95 <= ours.regret.mean <= ours.regret.hi95
    assert ours.behind is None
    assert equal.rho.count == 0
    assert math.isnan(equal.rho.mean)
    assert equal.behind is not None
    assert equal.behind.mean == pytest.approx(equal.regret.mean - ours.regret.mean)
    assert (norm.draws, norm.regret.count, norm.behind) == (1, 1, None)
    assert math.isnan(norm.regret.lo95)
    assert all(one.regret.mean >= 0 for one in found.summaries)
    assert any("as few as 8 runs are held out" in note for note in found.notes)
    assert any("tried once" in note for note in found.notes)
    again = strategies(runs, goal=GOAL, names=QUICK[::-1], seeds=3)
    key = {(one.strategy, one.n, one.draw): (one.rho, one.regret) for one in found.outcomes}
    for one in again.outcomes:
        np.testing.assert_array_equal(key[one.strategy, one.n, one.draw], (one.rho, one.regret))


def test_the_same_draw_for_all_and_another_for_each_seed_and_size(make_pool, monkeypatch):
    runs = make_pool()
    monkeypatch.setitem(STRATEGIES, "one", Recorder([]))
    monkeypatch.setitem(STRATEGIES, "two", Recorder([]))
    ticks = []
    found = strategies(
        runs, goal=GOAL, names=("one", "two"), sizes=(8, 10), seeds=3, progress=lambda *at: ticks.append(at)
    )
    one, two = (STRATEGIES[name].seen for name in ("one", "two"))
    assert [labels for labels, _ in one] == [labels for labels, _ in two]
    assert [len(labels) for labels, _ in one] == [8, 8, 8, 10, 10, 10]
    assert len({labels for labels, _ in one}) == 6
    assert ticks == [(n, 6) for n in range(7)]
    assert all((summary.draws, summary.problem) == (0, "no truth") for summary in found.summaries)


def test_an_oracle_has_no_regret_and_ties_count_by_their_mean(make_pool, monkeypatch):
    runs = make_pool()
    good_N = GOAL.goodness(runs)
    truth = dict(zip(map(tuple, runs.X_ND.tolist()), good_N, strict=True))
    monkeypatch.setitem(STRATEGIES, "oracle", Recorder([], truth))
    monkeypatch.setitem(STRATEGIES, "blind", Recorder([], dict.fromkeys(truth, 0.0)))
    found = strategies(runs, goal=GOAL, names=("oracle", "blind"), sizes=(8,), seeds=2)
    oracle, blind = found.summaries
    assert (oracle.rho.mean, oracle.regret.mean) == (pytest.approx(1), 0)
    assert blind.rho.mean == 0
    assert 1 < blind.regret.mean < 4


def test_regret_in_standard_deviations_worked_out_by_hand():
    """Goodness 1, 2, 6: mean 3, variance 14 / 3."""
    held = table(np.eye(3), np.array([[1.0, 0], [2, 0], [6, 0]]))
    pool = Choice(lambda: held.mixture(1))
    assert judged(pool, held, goal=Goal(objective="out"))[1] == pytest.approx(4 / math.sqrt(14 / 3))
    ranked = Choice(lambda: held.mixture(0), lambda X_ND: X_ND @ [2.0, 3.0, 1.0])
    rho, regret = judged(ranked, held, goal=Goal(objective="out"))
    assert (rho, regret) == (pytest.approx(-0.5), pytest.approx(4 / math.sqrt(14 / 3)))
    capped = Goal(objective="out", caps={"c": (0, 0.5)})
    assert judged(ranked, held, goal=capped)[1] == 0
    # The best run is outside the caps: it is neither chosen nor what the choice is measured by.
    last = Choice(lambda: held.mixture(2), lambda X_ND: X_ND @ [2.0, 1.0, 3.0])
    assert judged(last, held, goal=capped)[1] == pytest.approx(1 / math.sqrt(14 / 3))
    assert judged(ranked, held, goal=Goal(objective="out", direction="lower"))[1] == pytest.approx(
        1 / math.sqrt(14 / 3)
    )


def test_held_out_runs_are_other_mixtures_than_those_learned_from(make_pool):
    runs = make_pool(count=20)
    doubled = subset(runs, [*range(20), *range(20)])
    pool, _ = pool_of(doubled, goal=GOAL)
    train, held = pool.draw(12, seed=0)
    assert len(train.labels_N) == 12
    assert not {tuple(x_D) for x_D in train.X_ND} & {tuple(x_D) for x_D in held.X_ND}
    assert len(held.labels_N) >= 2 * (20 - 12)


def test_a_test_set_replaces_the_rest_of_the_pool(make_pool):
    runs, test = make_pool(), make_pool(seed=5, count=30)
    turned = replace(test, domains=("c", "b", "a"), X_ND=test.X_ND[:, ::-1])
    one, other = (
        strategies(runs, goal=GOAL, names=("ours", "norm"), sizes=(16,), seeds=2, test=held) for held in (test, turned)
    )
    assert repr(one.summaries) == repr(other.summaries)  # NaN differs from itself
    assert one.summaries[0].rho.mean > 0.8
    with pytest.raises(ModomodoError, match="other domains"):
        strategies(runs, goal=GOAL, test=replace(test, domains=("a", "b", "x")))


def test_strategies_without_their_runs_say_so(make_pool):
    runs = subset(make_pool(), range(7, 40))
    found = strategies(runs, goal=GOAL, names=("norm", "alpha-in", "equal"), sizes=(8,), seeds=2)
    problems = {one.strategy: one.problem for one in found.summaries}
    assert "exclude:a, exclude:b, exclude:c" in problems["norm"]
    assert "single:a" in problems["alpha-in"]
    assert problems["equal"] == ""


def test_a_table_of_the_seed_set_alone_cannot_judge_what_learns_from_it(make_pool):
    seed_set = subset(make_pool(), range(7))
    found = strategies(seed_set, goal=GOAL, names=("norm", "equal"), sizes=(2,), seeds=2)
    assert "all runs belong to the seed set" in {one.strategy: one.problem for one in found.summaries}["norm"]


def test_runs_without_a_score_are_left_out_with_a_note(make_pool):
    runs = make_pool()
    y_NB = np.array(runs.y_NB)
    y_NB[[3, 9, 20], 0] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = strategies(replace(runs, y_NB=y_NB), goal=GOAL, names=("ours",), sizes=(8,), seeds=2)
    assert "3 of 40 runs lack a score of the objective and are left out" in found.notes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": ("our",)}, "did you mean ours"),
        ({"sizes": (8, 36)}, "allow draws of 2 to 35 runs"),
        ({"seeds": 1}, "at least 2 draws"),
        ({"goal": Goal(objective="nothing")}, "unknown benchmark or aggregate 'nothing'"),
        ({"goal": Goal(inside="inn")}, "did you mean in"),
        ({"goal": Goal(caps={"b": (0.9, 1.0)})}, "loosen the caps"),
        ({"goal": Goal(caps={"d": (0, 1)})}, "cap on unknown domain"),
    ],
)
def test_mistakes_say_what_to_do(make_pool, options, message):
    with pytest.raises(ModomodoError) as error:
        public(make_pool(), **options)
    assert message in str(error.value)


def test_small_tables_are_told_so(make_pool):
    with pytest.raises(ModomodoError, match=r"12 runs of 12 mixtures allow draws of 2 to 7 runs.*set sizes = \[7\]"):
        strategies(make_pool(count=12), goal=GOAL, sizes=(8,))


def test_a_table_too_small_for_the_usual_sizes_is_drawn_from_as_far_as_it_goes(make_pool):
    found = strategies(make_pool(count=12), goal=GOAL, names=QUICK[:1], seeds=2)
    assert {one.n for one in found.summaries} == {7}


def test_spread_is_student_s():
    """Mean 2, standard deviation 1, t(0.975, 2) = 4.3027."""
    found = spread([1.0, 2.0, float("nan"), 3.0])
    assert (found.count, found.mean, found.median) == (3, 2, 2)
    assert found.hi95 - 2 == pytest.approx(4.302653 / math.sqrt(3))
    assert 2 - found.lo95 == pytest.approx(4.302653 / math.sqrt(3))


def test_differences_are_taken_draw_by_draw():
    nothing = float("nan")
    rows = [("ours", 0, 1.0), ("ours", 1, 5.0), ("other", 0, 2.0), ("other", 1, 6.0)]
    outcomes = [Outcome(name, 8, draw, nothing, regret) for name, draw, regret in rows]
    _, other = summaries(outcomes, names=("ours", "other"), against="ours")
    assert other.behind == spread([1.0, 1.0])
