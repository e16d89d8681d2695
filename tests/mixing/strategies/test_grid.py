"""Strategies on a grid of mixtures that were trained at two seeds."""

from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest

from modomodo.core import plugins
from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.mixing.design import seed_design
from modomodo.mixing.runs import Runs
from modomodo.mixing.strategies import STRATEGIES, Choice, Goal
from modomodo.mixing.strategies.grid import Grid, GridOutcome, drawn_places, grid_of, next_on_grid, on_grid
from modomodo.mixing.strategies.registry import OfFunction, find_strategy, strategy_of

DOMAINS = ("a", "b", "c")
BEST = np.array([0.6, 0.3, 0.1])


def worth(X_ND):
    return 0.6 - np.square(np.sqrt(X_ND) - np.sqrt(BEST)).sum(axis=1)


def knowing(runs, *, goal, seed):
    """A strategy that knows the landscape."""
    return Choice(lambda: Mixture(DOMAINS, tuple(BEST)), worth)


@pytest.fixture
def grid() -> Grid:
    rng = np.random.default_rng(0)
    seeds_ND = np.stack([mixture.vector(DOMAINS) for _, mixture in seed_design(DOMAINS)])
    X_MD = np.vstack([seeds_ND, BEST, rng.dirichlet(np.ones(3), 20)])
    X_ND = np.vstack([X_MD, X_MD])
    y_NB = np.stack([worth(X_ND) + 0.01 * rng.normal(size=len(X_ND)), X_ND[:, 0]], axis=1)
    runs = Runs.of(X_ND, y_NB=y_NB, domains=DOMAINS, benchmarks=("x", "in.a"))
    runs = replace(runs, seeds_N=(1,) * len(X_MD) + (2,) * len(X_MD))
    return grid_of(runs, goal=Goal(aggregates={"out": {"x": 1.0}, "in": {"in.a": 1.0}}, objective="out", inside="in"))


def test_a_grid_knows_its_seeds_and_equal_shares(grid):
    count = len(grid.X_MD)
    assert grid.rows_M2[:, 0].tolist() == list(range(count))
    assert grid.rows_M2[:, 1].tolist() == list(range(count, 2 * count))
    assert grid.X_MD[grid.equal] == pytest.approx(np.full(3, 1 / 3))
    assert grid.others_M2[5] - grid.others_M2[1] == pytest.approx(grid.good_M2[5, ::-1] - grid.good_M2[1, ::-1])


def test_gains_are_judged_seed_against_seed(grid):
    def with_third(places, *, kind, luck):
        """Return the grid with runs of a third seed that is kind to all."""
        worth_N = grid.good_M2[places].mean(axis=1) + kind
        worth_N[0] += luck
        X_ND = np.vstack([grid.runs.X_ND, grid.X_MD[places]])
        y_NB = np.vstack([grid.runs.y_NB, np.stack([worth_N, worth_N], axis=1)])
        runs = Runs.of(X_ND, y_NB=y_NB, domains=DOMAINS, benchmarks=("x", "in.a"))
        third = replace(runs, seeds_N=(*grid.runs.seeds_N, *[3] * len(places)))
        return grid_of(third, goal=grid.goal)

    some = np.array([grid.equal, 0, 7])
    plain, kind, lucky = (with_third(some, kind=kind, luck=luck) for kind, luck in ((0, 0), (0.2, 0), (0, 0.1)))
    for place, seen in ((7, 0), (12, 1)):
        gain, noise = plain.gain(np.array([place]), seen=seen)
        assert kind.gain(np.array([place]), seen=seen) == pytest.approx((gain, noise))
        assert lucky.gain(np.array([place]), seen=seen)[0] < gain
    twice, once = (plain.gain(np.array([place]), seen=0)[1] for place in (7, 12))
    assert twice == pytest.approx(plain.noise)  # two runs of either
    assert plain.noise < once < plain.noise * 2**0.5
    alone = with_third(some[:1], kind=0, luck=0.1)  # no other mixture has this seed: it tells nothing
    assert alone.gain(np.array([7]), seen=0)[0] == pytest.approx(grid.gain(np.array([7]), seen=0)[0])


@pytest.mark.parametrize("lacking", ["y_NB", "seeds_N"])
def test_a_run_without_a_score_or_a_seed_is_refused(grid, lacking):
    y_NB = grid.runs.y_NB.copy()
    y_NB[4] = np.nan
    other = {"y_NB": y_NB, "seeds_N": (*grid.runs.seeds_N[:4], None, *grid.runs.seeds_N[5:])}
    with pytest.raises(ModomodoError, match=grid.runs.labels_N[4]):
        grid_of(replace(grid.runs, **{lacking: other[lacking]}), goal=grid.goal)


def test_a_strategy_is_judged_at_the_seed_that_it_has_not_seen(grid):
    seen = []

    def spy(runs, *, goal, seed):
        seen.append(runs)
        return knowing(runs, goal=goal, seed=seed)

    outcomes = on_grid(grid, {"spy": OfFunction(spy)}, sizes=(5,), draws=2).outcomes
    assert [set(runs.seeds_N) for runs in seen] == [{1}, {2}] * 2
    assert (seen[0].X_ND == seen[1].X_ND).all()
    best = len(seed_design(DOMAINS))
    for index, outcome in enumerate(outcomes):
        held = grid.good_M2[best, 1 - index % 2]
        assert outcome.regret == pytest.approx(grid.best - held)
        assert outcome.gain == pytest.approx(held - grid.good_M2[grid.equal, 1 - index % 2])
        assert outcome.rho > 0.8
        assert outcome.own_regret == outcome.regret


def test_what_a_strategy_holds_back_from_is_judged_too(grid):
    bold = OfFunction(
        lambda runs, *, goal, seed: Choice(lambda: Mixture(DOMAINS, tuple(BEST)), lambda X_ND: X_ND[:, 2])
    )
    replay = on_grid(grid, {"bold": bold}, sizes=(5,), draws=1)
    for outcome in replay.outcomes:
        assert outcome.own_regret < 0.05 < outcome.regret
        assert outcome.own_gain > 0
    assert "the nearest to the mixture that it recommends of all has a median regret of 0.0" in replay.notes[0]


def test_a_strategy_that_tells_nothing_apart_does_as_well_as_chance(grid):
    flat = OfFunction(lambda runs, *, goal, seed: Choice(lambda: Mixture.uniform(DOMAINS), lambda X_ND: X_ND[:, 0] * 0))
    first, second = on_grid(grid, {"flat": flat}, sizes=(5,), draws=1).outcomes
    assert first.regret == pytest.approx(grid.best - grid.good_M2[:, 1].mean())
    assert second.regret == pytest.approx(grid.best - grid.good_M2[:, 0].mean())
    assert first.rho == 0
    assert first.own_gain == second.own_gain == 0  # its own mixture is equal shares


def test_ours_says_how_sure_it_is_and_others_do_not(grid):
    replay = on_grid(grid, {name: STRATEGIES[name] for name in ("ours", "equal", "norm")}, sizes=(8,), draws=1)
    by_name = {one.strategy: one for one in replay.outcomes}
    assert by_name["ours"].lo90 < by_name["ours"].predicted < by_name["ours"].hi90
    assert np.isnan(by_name["equal"].lo90)
    assert (by_name["equal"].gain, by_name["equal"].noise) == (0, 0)
    assert by_name["norm"].n == len(seed_design(DOMAINS))
    assert any(note.startswith("ours, 8 runs: its mixture beats") and "interval" in note for note in replay.notes)


def test_next_sees_the_first_pilots_of_the_draw_and_chooses_the_others(grid):
    outcomes = list(next_on_grid(grid, sizes=(6, 10), index=1, seed=0))
    assert [one.n for one in outcomes] == [6, 10]
    assert outcomes[1].regret < 0.1
    assert len(set(drawn_places(grid, 6, index=0, seed=0)) ^ set(drawn_places(grid, 6, index=1, seed=0))) == 0


def test_what_lies_outside_the_caps_is_neither_drawn_nor_recommended(grid):
    capped = replace(grid, goal=replace(grid.goal, caps={"a": (0.0, 0.3)}))
    assert (capped.X_MD[capped.allowed, 0] <= 0.3).all()
    assert set(drawn_places(capped, 9, index=0, seed=0)) <= set(capped.allowed)
    assert capped.equal in capped.allowed
    assert (capped.equal, capped.asked) != (grid.equal, grid.asked)
    assert grid.equal == grid.asked == capped.asked
    assert capped.best == capped.good_M2[capped.allowed].mean(axis=1).max() < grid.best
    outcomes = on_grid(capped, {name: STRATEGIES[name] for name in ("ours", "equal", "single")}, sizes=(8,), draws=1)
    assert all(one.place in capped.allowed for one in outcomes.outcomes)
    assert all(one.place in capped.allowed for one in next_on_grid(capped, sizes=(6, 8), index=0, seed=0))


def test_the_interval_of_a_gain_is_widened_by_the_noise_of_the_runs_that_judge_it(grid):
    gain, noise = grid.gain(np.array([3]), seen=0)
    assert gain == pytest.approx(grid.good_M2[3, 1] - grid.good_M2[grid.equal, 1])
    assert noise == pytest.approx(grid.noise * np.sqrt(2))
    assert grid.noise == pytest.approx(0.01, rel=0.5)
    said = GridOutcome("x", 8, 0, 0.0, 0.0, gain=0.05, noise=0.0, predicted=0.02, lo90=0.01, hi90=0.03)
    assert not said.holds
    assert replace(said, noise=0.02).holds


def test_a_draw_on_which_next_proposes_nothing_new_is_a_problem_and_no_end(grid, monkeypatch):
    def nothing(*args, **settings):
        raise ModomodoError("nothing new")

    monkeypatch.setattr("modomodo.mixing.strategies.grid.propose", nothing)
    first, *others = next_on_grid(grid, sizes=(6, 8, 11), index=0, seed=0)
    assert not first.problem
    assert [one.problem for one in others] == ["nothing new"] * 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda runs: replace(runs, seeds_N=(1,) * len(runs.seeds_N)), "has no run of seed 2"),
        (lambda runs: replace(runs, X_ND=runs.X_ND * 0 + BEST), "no run at equal shares"),
    ],
)
def test_what_is_no_grid_is_refused(grid, change, says):
    with pytest.raises(ModomodoError, match=says):
        grid_of(change(grid.runs), goal=Goal(objective="x"))


def test_a_size_that_the_grid_does_not_allow_is_refused(grid):
    with pytest.raises(ModomodoError, match="the grid has 28 mixtures within the caps: draw 2 to 27 of them, not 28"):
        on_grid(grid, {"equal": STRATEGIES["equal"]}, sizes=(28,))


def test_other_packages_add_strategies(monkeypatch):
    mine = EntryPoint("mine", "test_grid:knowing", "modomodo.strategies")
    monkeypatch.setattr(plugins, "entry_points", lambda group: EntryPoints([mine]))
    plugins.plugin_names.cache_clear()
    assert find_strategy("mine").learns_from == "any runs"
    with pytest.raises(ModomodoError, match="unknown strategy 'mien'; did you mean mine"):
        find_strategy("mien")
    plugins.plugin_names.cache_clear()


def test_what_is_no_strategy_is_refused():
    with pytest.raises(ModomodoError, match="a strategy is a function or has `choose`, and this is a int"):
        strategy_of(3)
