"""Ask and tell, from no run at all; D = 3, B = 2."""

import math

import numpy as np
import pytest

from modomodo import Mixture, Search
from modomodo.core.errors import ModomodoError

DOMAINS = ("a", "b", "c")
EMPTY = Search(domains=DOMAINS, benchmarks=("x", "y"))


def scores(mixture: Mixture) -> dict[str, float]:
    weights = mixture.as_dict()
    return {"x": 0.3 + 0.3 * weights["a"] ** 0.5, "y": 0.2 + 0.4 * weights["b"] ** 0.5}


def after(search: Search, runs: int) -> Search:
    while len(search.told) < runs:
        for mixture in search.ask(4):
            search = search.tell(mixture, scores(mixture), se={"x": 0.01})
    return search


def test_starts_with_a_design_and_goes_on_with_proposals():
    first = EMPTY.ask(3)
    assert first[0].key == Mixture.uniform(DOMAINS).key
    assert len({mixture.key for mixture in first}) == 3
    search = after(EMPTY, 8)
    assert len({one.mixture.key for one in search.told}) == 8
    found = search.ask(2, seed=4)
    assert found == search.ask(2, seed=4)
    assert not {mixture.key for mixture in search.ask(2, pending=found)} & {mixture.key for mixture in found}
    assert EMPTY.ask(3, pending=first)[0] == EMPTY.ask(4)[3]
    assert not {mixture.key for mixture in found} & {one.mixture.key for one in search.told}
    best_D = max(after(search, 12).told, key=lambda one: sum(one.scores.values())).mixture.vector(DOMAINS)
    assert best_D[2] < 0.1


def test_tell_leaves_the_old_value_as_it_was():
    mixture = EMPTY.ask()[0]
    told = EMPTY.tell(mixture, {"x": 0.5, "y": float("nan")}, se={"x": 0.02})
    assert (len(EMPTY.told), len(told.told)) == (0, 1)
    runs = told.runs()
    assert runs.labels_N == ("run 1",)
    np.testing.assert_array_equal(runs.y_NB, [[0.5, np.nan]])
    np.testing.assert_array_equal(runs.se_NB, [[0.02, np.nan]])
    assert EMPTY.ask() == EMPTY.ask() != told.ask()
    assert EMPTY.runs().X_ND.shape == (0, 3)


def test_the_design_obeys_caps_and_the_search_its_direction():
    search = Search(
        domains=DOMAINS,
        benchmarks=("x", "y"),
        aggregates={"both": {"x": 1, "y": 3}},
        direction="lower",
        caps={"c": (0.1, 0.6), "a": (0.05, 0.5)},
        surrogate="quadratic",
    )
    for mixture in (*search.ask(20), *after(search, 8).ask(3)):
        weights = mixture.as_dict()
        assert 0.1 - 1e-9 <= weights["c"] <= 0.6 + 1e-9
        assert 0.05 - 1e-9 <= weights["a"] <= 0.5 + 1e-9
    assert after(search, 8).fit().direction("both") == "lower"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"domains": ("a", "a")}, "each named once"),
        ({"benchmarks": ()}, "name each benchmark once"),
        ({"objective": "z"}, "unknown objective 'z'; known: aggregate, x, y"),
        ({"surrogate": "gpp"}, "did you mean gp"),
        ({"aggregates": {"both": {"z": 1}}}, "unknown benchmark 'z'"),
        ({"direction": {"z": "lower"}}, "unknown benchmark 'z'"),
        ({"caps": {"a": (0.5, 0.2)}}, "min <= max"),
    ],
)
def test_a_wrong_search_is_refused_before_the_first_run(change: dict, message: str):
    with pytest.raises(ModomodoError, match=message):
        Search(**({"domains": DOMAINS, "benchmarks": ("x", "y")} | change))


def test_wrong_news_is_refused():
    mixture = Mixture.uniform(DOMAINS)
    for told, message in (({"x": 0.5}, "scores lack y"), ({"x": 0.5, "y": 0.5, "yy": 0.1}, "did you mean y")):
        with pytest.raises(ModomodoError, match=message):
            EMPTY.tell(mixture, told)
    with pytest.raises(ModomodoError, match="gives weight to d"):
        EMPTY.tell(Mixture.of({"d": 1.0}), {"x": 0.5, "y": 0.5})
    with pytest.raises(ModomodoError, match="at least 1"):
        EMPTY.ask(0)


def test_asks_for_more_of_the_design_while_all_runs_are_under_way():
    search = Search(("a", "b", "c"), ("x",))
    first = search.ask(8)
    more = search.ask(2, pending=first)
    assert len({mixture.key for mixture in (*first, *more)}) == 10


def test_what_is_told_is_checked_when_it_is_told():
    search = Search(("a", "b"), ("x",))
    mixture = Mixture.uniform(("a", "b"))
    for scores, se in (({"x": math.inf}, None), ({"x": 0.5}, {"x": -1.0})):
        with pytest.raises(ModomodoError, match=r"finite|negative"):
            search.tell(mixture, scores, se=se)
    with pytest.raises(ModomodoError, match="tell takes a Mixture"):
        search.tell({"a": 1.0}, {"x": 0.5})  # pyright: ignore[reportArgumentType]
