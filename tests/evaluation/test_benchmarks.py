import pytest

from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Verdict
from modomodo.data.registry import DOMAINS
from modomodo.evaluation.benchmarks import benchmark_rows, part_of, score


def test_halves_share_no_item_and_are_the_same_every_time():
    charts = DOMAINS["charts"]
    select, confirm = (benchmark_rows(charts, part=part, items=1000) for part in ("select", "confirm"))
    assert not {row.id for row in select} & {row.id for row in confirm}
    assert len(select) + len(confirm) == len(charts.load("test"))
    assert 0.4 < len(select) / 512 < 0.6
    few = benchmark_rows(charts, part="select", items=20)
    assert few == select[:20]
    assert {part_of(row.id) for row in few} == {"select"}


def test_score_counts_unparsed_as_wrong_and_leaves_ungradable_out():
    verdicts = [Verdict.right("a"), Verdict.partial(0.5, "b"), Verdict.unparsed("cut"), Verdict.ungradable("broken")]
    found = score("toy", verdicts, part="select", mode="paper")
    assert found.mean == pytest.approx(0.5)
    assert found.n == 3
    assert found.unparsed == 0.25
    assert found.ungradable == 1
    assert found.worst_case == pytest.approx(1.5 / 4)
    assert found.se == pytest.approx((0.25 / 3) ** 0.5)


def test_all_right_is_not_known_without_error():
    found = score("toy", [Verdict.right("a")] * 100, part="all", mode="paper")
    assert found.mean == 1
    assert 0.005 < found.se < 0.01


def test_a_benchmark_that_cannot_be_scored_is_an_error():
    with pytest.raises(ModomodoError, match="all 2 items are ungradable: broken"):
        score("toy", [Verdict.ungradable("broken")] * 2, part="all", mode="paper")
    with pytest.raises(ModomodoError, match="0 test rows"):
        benchmark_rows(DOMAINS["charts"].__class__("none", lambda split: [], lambda row, view: []), part="all", items=5)
