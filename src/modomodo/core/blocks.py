"""Blocks: a schedule that is drawn piece by piece, each from weights that are known only when it begins."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.schedules import Order, epoch_order, independent, quota
from modomodo.core.seeds import child_rng
from modomodo.core.simplex import Array, cut_to

# Axes: D domains, K prompts of a block in order.


@dataclass(frozen=True)
class Rows:
    """The rows that a run may draw: domain -> sorted ids, each used at most `epochs` times.

    The k-th draw from a domain is the row that it is in a `Schedule` of the same seed, whatever the weights.
    """

    ids: Mapping[str, tuple[str, ...]]
    seed: int
    epochs: int = 1

    @staticmethod
    def of(pools: Mapping[str, Sequence[str]], *, seed: int, epochs: int = 1) -> "Rows":
        """Return the rows of these ids, in any order.

        Raises ModomodoError for a domain without rows, and for duplicate ids.
        """
        for name, ids in pools.items():
            if not ids:
                raise ModomodoError(f"domain {name!r} has no rows: take it out of the mixture, or give it rows")
            if len(set(ids)) < len(ids):
                raise ModomodoError(f"domain {name!r} has duplicate row ids; `modomodo check` lists them")
        return Rows({name: tuple(sorted(pools[name])) for name in sorted(pools)}, seed, epochs)

    def most(self, name: str) -> int:
        """Return how many draws a domain has in all."""
        return self.epochs * len(self.ids[name])

    def draw(self, name: str, index: int) -> str:
        """Return the id of a domain's draw, counted from 0."""
        epoch, place = divmod(index, len(self.ids[name]))
        return self.ids[name][epoch_order(self.seed, name, epoch, len(self.ids[name]))[place]]


@dataclass(frozen=True)
class Block:
    """Steps of a schedule at one mixture: `first` is the first of them, counted from 1.

    `weights` are the shares that were asked for, within what rows last for.
    """

    first: int
    weights: Mapping[str, float]
    entries: tuple[tuple[str, str], ...]


def draw_block(
    asked: Mapping[str, float],
    rows: Rows,
    before: Sequence[Block],
    *,
    steps: int,
    prompts_per_step: int,
    order: Order = "quota",
) -> Block:
    """Return the block that follows those `before`, drawn at the shares `asked` for.

    Every domain gets its share of the block, to less than a prompt, spread evenly; over all blocks no domain loses by
    rounding. A domain that is asked for more than its rows last for has these, and the others the rest in
    proportion to what they were asked for; with `order="iid"` it is left out once it has no rows.

    Raises ModomodoError for a domain that has no rows, or where all rows are used up.
    """
    unknown = [name for name in asked if name not in rows.ids]
    if unknown:
        raise ModomodoError(f"a block asks for the unknown domain {unknown[0]!r}; {closest(unknown[0], rows.ids)}")
    names = list(rows.ids)
    asked_D = _vector(asked, names)
    used = Counter(name for block in before for name, _ in block.entries)
    left_D = np.array([float(rows.most(name) - used[name]) for name in names])
    count, done = steps * prompts_per_step, used.total()
    if left_D.sum() < count:
        raise ModomodoError(f"a block of {count} prompts has {int(left_D.sum())} rows left: it needs fewer steps")
    weights_D = cut_to(asked_D, left_D / count)
    if order == "quota":
        due_D = sum((len(block.entries) * _vector(block.weights, names) for block in before), np.zeros(len(names)))
        picks_K = quota(_whole(weights_D * count, due_D - _vector(used, names)) / count, count)
    else:
        uniform_K = child_rng(rows.seed, "schedule", "iid").random(done + count)[done:]
        picks_K = _independent_while_rows_last(asked_D, left_D, uniform_K)
    entries: list[tuple[str, str]] = []
    for pick in picks_K:
        name = names[int(pick)]
        entries.append((name, rows.draw(name, used[name])))
        used[name] += 1
    return Block(done // prompts_per_step + 1, dict(zip(names, weights_D.tolist(), strict=True)), tuple(entries))


def _vector(of: Mapping[str, float], names: Sequence[str]) -> Array:
    return np.array([float(of.get(name, 0.0)) for name in names])


def _whole(wanted_D: Array, owed_D: Array) -> Array:
    """Return numbers of prompts next to those wanted, rounded up where earlier rounding owes a domain the most."""
    counts_D = np.floor(wanted_D + 1e-9)
    part_D = wanted_D - counts_D
    missing = round(float(wanted_D.sum() - counts_D.sum()))
    turn_D = np.where(part_D > 1e-9, part_D + owed_D, -np.inf)
    counts_D[np.argsort(-turn_D, kind="stable")[:missing]] += 1
    return counts_D


def _independent_while_rows_last(asked_D: Array, left_D: Array, uniform_K: Array) -> npt.NDArray[np.int64]:
    left_D, picks_K = left_D.copy(), np.empty(len(uniform_K), dtype=np.int64)
    for index in range(len(uniform_K)):
        weights_D = np.where(left_D > 0, asked_D if asked_D[left_D > 0].sum() > 0 else left_D, 0.0)
        picks_K[index] = independent(weights_D / weights_D.sum(), uniform_K[index : index + 1])[0]
        left_D[picks_K[index]] -= 1
    return picks_K
