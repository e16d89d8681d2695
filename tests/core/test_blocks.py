from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modomodo.core.blocks import Block, Rows, draw_block
from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.core.schedules import schedule

NAMES = ("a", "b", "c", "d")
shares = st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any)


def rows(size: int = 500, *, epochs: int = 1) -> Rows:
    return Rows.of({name: [f"{name}{index}" for index in range(size)] for name in NAMES}, seed=3, epochs=epochs)


def weights(parts: list[int]) -> dict[str, float]:
    return {name: part / sum(parts) for name, part in zip(NAMES, parts, strict=True)}


def drawn(asked: list[dict[str, float]], of: Rows, *, steps: int, per_step: int = 3, order="quota") -> list[Block]:
    blocks: list[Block] = []
    for one in asked:
        blocks.append(draw_block(one, of, blocks, steps=steps, prompts_per_step=per_step, order=order))
    return blocks


def counts(block: Block) -> Counter[str]:
    return Counter(name for name, _ in block.entries)


@given(st.lists(shares, min_size=1, max_size=8), st.integers(1, 6), st.integers(1, 12))
def test_each_block_has_its_shares_to_less_than_a_prompt(asked, steps, per_step):
    blocks = drawn([weights(parts) for parts in asked], rows(), steps=steps, per_step=per_step)
    for index, (parts, block) in enumerate(zip(asked, blocks, strict=True)):
        assert block.first == index * steps + 1
        assert len(block.entries) == steps * per_step
        assert block.weights == pytest.approx(weights(parts))
        for name, share in weights(parts).items():
            assert abs(counts(block)[name] - share * len(block.entries)) < 1 - 1e-9
            for k in range(1, len(block.entries) + 1):
                so_far = sum(domain == name for domain, _ in block.entries[:k])
                assert abs(so_far - share * k) < 2


@given(shares, st.integers(1, 3))
def test_small_shares_get_their_turn_over_many_small_blocks(parts, per_step):
    blocks = drawn([weights(parts)] * 40, rows(), steps=1, per_step=per_step)
    total = sum((counts(block) for block in blocks), Counter())
    assert all(abs(total[name] - 40 * per_step * share) <= 1.5 for name, share in weights(parts).items())


@given(st.lists(shares, min_size=2, max_size=5), st.sampled_from(["quota", "iid"]), st.integers(1, 3))
def test_the_kth_draw_of_a_domain_is_that_of_a_schedule(asked, order, epochs):
    of = rows(30, epochs=epochs)
    blocks = drawn([weights(parts) for parts in asked], of, steps=2, order=order)
    plan = schedule(
        Mixture.uniform(NAMES),
        of.ids,
        steps=30 * epochs,
        prompts_per_step=4,
        seed=of.seed,
        order="quota",
        epochs=epochs,
    )
    for name in NAMES:
        mine = [row for block in blocks for domain, row in block.entries if domain == name]
        theirs = [row for domain, row in plan.entries if domain == name]
        assert mine == theirs[: len(mine)]


@given(st.lists(shares, min_size=4, max_size=4), st.sampled_from(["quota", "iid"]), st.integers(1, 2))
def test_rows_hold_for_the_whole_run_and_what_is_missing_goes_to_the_others(asked, order, epochs):
    blocks = drawn([weights(parts) for parts in asked], rows(9, epochs=epochs), steps=3 * epochs, order=order)
    used = Counter(entry for block in blocks for entry in block.entries)
    assert max(used.values()) <= epochs
    assert used.total() == 36 * epochs  # all rows, since four blocks ask for as many
    assert all(sum(block.weights.values()) == pytest.approx(1) for block in blocks)


def test_a_domain_whose_rows_do_not_last_has_these_and_the_others_the_rest_in_proportion():
    of = Rows.of({"a": ["a0", "a1"], "b": [f"b{i}" for i in range(40)], "c": [f"c{i}" for i in range(40)]}, seed=0)
    first, second = drawn([{"a": 0.5, "b": 0.3, "c": 0.2}] * 2, of, steps=5, per_step=4)
    assert first.weights == pytest.approx({"a": 0.1, "b": 0.54, "c": 0.36})
    assert second.weights == pytest.approx({"a": 0.0, "b": 0.6, "c": 0.4})


def test_a_block_beyond_all_rows_and_unknown_domains_are_refused():
    with pytest.raises(ModomodoError, match="has 8 rows left"):
        draw_block({"a": 1.0}, rows(2), [], steps=3, prompts_per_step=3)
    with pytest.raises(ModomodoError, match="unknown domain 'bb'"):
        draw_block({"bb": 1.0}, rows(2), [], steps=1, prompts_per_step=3)
    with pytest.raises(ModomodoError, match="domain 'b' has no rows"):
        Rows.of({"a": ["a0"], "b": []}, seed=0)
