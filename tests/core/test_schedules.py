import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.core.schedules import Schedule, piecewise, read_schedule, row_caps, schedule, write_schedule

NAMES = ("a", "b", "c", "d")


@st.composite
def mixtures(draw):
    parts = draw(st.lists(st.integers(0, 50), min_size=2, max_size=4).filter(sum))
    return Mixture(NAMES[: len(parts)], tuple(part / sum(parts) for part in parts))


def pools(size: int) -> dict[str, list[str]]:
    return {name: [f"{name}{index}" for index in range(size)] for name in NAMES}


@given(mixtures(), st.integers(1, 40), st.integers(1, 12), st.integers(0, 2**40))
def test_quota_is_never_a_prompt_off_at_any_point(mixture, steps, per_step, seed):
    plan = schedule(mixture, pools(500), steps=steps, prompts_per_step=per_step, seed=seed)
    used = dict.fromkeys(mixture.domains, 0)
    for k, (domain, _) in enumerate(plan.entries, start=1):
        used[domain] += 1
        assert all(abs(used[name] - weight * k) < 1 for name, weight in mixture.as_dict().items())
    assert plan.steps == steps
    assert plan.exhausted is None


@given(mixtures(), mixtures(), st.sampled_from(["quota", "iid"]), st.integers(1, 3), st.integers(0, 2**40))
def test_kth_draw_of_a_domain_is_the_same_row_at_every_mixture(first, second, order, epochs, seed):
    plans = [
        schedule(mixture, pools(30), steps=12, prompts_per_step=2, seed=seed, order=order, epochs=epochs)
        for mixture in (first, second)
    ]
    for name in NAMES:
        draws = [[row for domain, row in plan.entries if domain == name] for plan in plans]
        shared = min(map(len, draws))
        assert draws[0][:shared] == draws[1][:shared]


@given(mixtures(), st.sampled_from(["quota", "iid"]), st.integers(0, 2**40))
def test_equal_arguments_give_equal_schedules_whatever_the_order_of_pools_and_domains(mixture, order, seed):
    plan = schedule(mixture, pools(40), steps=8, prompts_per_step=3, seed=seed, order=order)
    shuffled = {name: ids[::-1] for name, ids in pools(40).items()}
    turned = Mixture(mixture.domains[::-1], mixture.weights[::-1])
    assert plan == schedule(turned, shuffled, steps=8, prompts_per_step=3, seed=seed, order=order)


@given(mixtures(), st.integers(1, 3), st.sampled_from(["quota", "iid"]), st.integers(0, 2**40))
def test_no_row_is_used_more_often_than_the_epochs_allow(mixture, epochs, order, seed):
    plan = schedule(mixture, pools(7), steps=60, prompts_per_step=2, seed=seed, order=order, epochs=epochs)
    used = [row for _, row in plan.entries]
    assert max(map(used.count, used)) <= epochs
    assert len(plan.entries) % 2 == 0
    if plan.steps < 60:
        assert plan.exhausted in mixture.domains


def test_a_single_domain_stops_at_the_last_whole_step_of_its_rows():
    mixture = Mixture.single("b", NAMES)
    plan = schedule(mixture, pools(7), steps=60, prompts_per_step=2, seed=1)
    assert (plan.steps, plan.exhausted) == (3, "b")
    assert plan.counts() == {"b": 6}
    assert schedule(mixture, pools(7), steps=60, prompts_per_step=2, seed=1, epochs=3).steps == 10


def test_rows_that_last_for_whole_steps_are_used_to_the_last():
    mixture = Mixture.single("b", NAMES)
    plan = schedule(mixture, pools(12), steps=60, prompts_per_step=3, seed=1)
    assert (plan.steps, plan.counts(), plan.exhausted) == (4, {"b": 12}, "b")
    enough = schedule(mixture, pools(12), steps=4, prompts_per_step=3, seed=1)
    assert (enough.entries, enough.exhausted) == (plan.entries, None)


def test_iid_shares_come_near_the_weights():
    mixture = Mixture.of({"a": 0.7, "b": 0.2, "c": 0.1})
    plan = schedule(mixture, pools(4000), steps=4000, prompts_per_step=1, seed=3, order="iid")
    shares = [plan.counts()[name] / 4000 for name in "abc"]
    np.testing.assert_allclose(shares, [0.7, 0.2, 0.1], atol=0.03)


def test_neighbouring_seeds_share_no_order():
    plans = [
        schedule(Mixture.single("a", NAMES), pools(100), steps=50, prompts_per_step=1, seed=seed) for seed in (42, 43)
    ]
    assert sum(x == y for x, y in zip(plans[0].entries, plans[1].entries, strict=True)) < 8


@given(mixtures(), st.integers(1, 5), st.integers(0, 2**40))
def test_written_schedule_reads_back(tmp_path_factory, mixture, per_step, seed):
    path = tmp_path_factory.mktemp("plan") / "schedule.csv"
    plan = schedule(mixture, pools(9), steps=40, prompts_per_step=per_step, seed=seed)
    write_schedule(plan, path)
    assert read_schedule(path) == plan
    assert len(path.read_text().splitlines()[0].split(",")) == (3 if plan.exhausted is None else 4)


def test_steps_are_slices():
    plan = Schedule((("a", "1"), ("a", "2"), ("b", "3"), ("b", "4")), 2)
    assert plan.step(1) == (("b", "3"), ("b", "4"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pools": {"a": ["1"]}}, "no rows for domain 'b'"),
        ({"pools": {"a": ["1"], "b": []}}, "no rows: give it weight 0"),
        ({"pools": {"a": ["1", "1"], "b": ["2"]}}, "duplicate row ids"),
        ({"steps": 0}, "steps is 0"),
        ({"prompts_per_step": 9}, "runs out of rows before the first step"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    arguments = {"pools": {"a": ["1"], "b": ["2"]}, "steps": 1, "prompts_per_step": 1, "seed": 0, **change}
    mixture = Mixture.of({"a": 0.5, "b": 0.5})
    with pytest.raises(ModomodoError, match=message):
        schedule(mixture, arguments.pop("pools"), **arguments)


def test_a_file_that_is_no_schedule_is_refused(tmp_path):
    path = tmp_path / "schedule.csv"
    path.write_text("step,domain\n1,a\n")
    with pytest.raises(ModomodoError, match="is not a schedule"):
        read_schedule(path)


@pytest.mark.parametrize(("steps", "epochs"), [(10**15, 1), (10**15, 3), (10**9, 10**3)])
def test_absurd_lengths_end_where_the_rows_do(steps, epochs):
    plan = schedule(Mixture(("a", "b"), (0.5, 0.5)), pools(20), steps=steps, prompts_per_step=2, seed=0, epochs=epochs)
    assert plan.exhausted is not None
    assert plan.steps == 20 * epochs
    long = schedule(Mixture(("a", "b"), (0.5, 0.5)), pools(20), steps=5000, prompts_per_step=2, seed=0, epochs=epochs)
    assert plan.entries[:10000] == long.entries[:10000]


def test_more_prompts_than_memory_holds_are_refused():
    with pytest.raises(ModomodoError, match="over the 5,000,000 that a run may have: lower steps or epochs"):
        schedule(Mixture(("a",), (1.0,)), pools(20), steps=10**15, prompts_per_step=2, seed=0, epochs=10**15)


# Of the version before blocks: the schedule of a fixed mixture must never change.
FIXED = {
    "d6ff7cffe6ee0d28": ({"a": 0.5, "b": 0.3, "c": 0.2, "d": 0.0}, 12, 8, 3, "quota", 1),
    "3cd84e2fb9ea2e50": ({"a": 0.5, "b": 0.3, "c": 0.2, "d": 0.0}, 12, 8, 3, "iid", 1),
    "331e5f1fd608e8d1": (dict.fromkeys(NAMES, 0.25), 60, 5, 7, "quota", 2),
    "d6337bb8648ba30e": ({"a": 0.0, "b": 1.0}, 60, 4, 7, "quota", 1),
}


@pytest.mark.parametrize("digest", FIXED)
def test_the_schedule_of_a_fixed_mixture_is_what_it_always_was(digest):
    weights, steps, per_step, seed, order, epochs = FIXED[digest]
    plan = schedule(
        Mixture.of(weights), pools(50), steps=steps, prompts_per_step=per_step, seed=seed, order=order, epochs=epochs
    )
    text = json.dumps([plan.entries, plan.prompts_per_step, plan.exhausted])
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == digest


@given(st.lists(mixtures(), min_size=1, max_size=3), st.sampled_from(["quota", "iid"]), st.integers(0, 2**40))
def test_parts_of_a_schedule_have_their_own_quotas_and_the_rows_of_any_other(parts, order, seed):
    plan = piecewise([(4, one) for one in parts], pools(100), prompts_per_step=3, seed=seed, order=order)
    assert plan.steps == 4 * len(parts)
    for index, one in enumerate(parts):
        used = [domain for domain, _ in plan.entries[12 * index : 12 * (index + 1)]]
        assert all(weight > 0 for name, weight in one.as_dict().items() if name in used)
        if order == "quota":
            assert all(abs(used.count(name) - 12 * weight) < 1 for name, weight in one.as_dict().items())
    whole = schedule(parts[0], pools(100), steps=4 * len(parts), prompts_per_step=3, seed=seed, order=order)
    assert plan.entries[:12] == whole.entries[:12]


def test_row_caps_are_how_far_the_rows_last():
    found = row_caps({"a": 30, "b": 7, "c": 0, "d": 500}, steps=10, prompts_per_step=12, epochs=2)
    assert found == {"a": (0.0, 0.5), "b": (0.0, 14 / 120), "c": (0.0, 0.0), "d": (0.0, 1.0)}
    with pytest.raises(ModomodoError, match=r"100 prompts .* 30 training rows for 3 epochs: 4 rows are missing"):
        row_caps({"a": 20, "b": 10}, steps=10, prompts_per_step=10, epochs=3)
    assert row_caps({"a": 20, "b": 10}, steps=9, prompts_per_step=10, epochs=3)["b"] == (0.0, 1 / 3)
