"""Benchmarks: a domain's test split, cut once into items for choosing and items for proving; and Scores."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from modomodo.config.sections import Part
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Mode, Row, Verdict
from modomodo.data.domain import Domain


@dataclass(frozen=True)
class Score:
    """The mean reward of a benchmark's items, in [0, 1].

    `se` is the standard error of the mean over items; `unparsed` a share of the completions. Ungradable ones are left
    out of `mean` and count as 0 in `worst_case`.
    """

    benchmark: str
    part: Part
    mode: Mode
    mean: float
    se: float
    n: int
    unparsed: float
    ungradable: int
    worst_case: float


def part_of(row_id: str) -> Part:
    """Return which half of a benchmark an item belongs to, by its hashed id: choosing and proving never share one."""
    return "confirm" if hashlib.blake2b(row_id.encode()).digest()[0] % 2 else "select"


def benchmark_rows(domain: Domain, *, part: Part, items: int) -> list[Row]:
    """Return the first `items` rows of that part of the domain's test split, in the order of their hashed ids.

    Raises ModomodoError when the part has fewer than two rows.
    """
    rows = [row for row in domain.load("test") if part in ("all", part_of(row.id))]
    if len(rows) < 2:
        raise ModomodoError(
            f"benchmark {domain.name}: {len(rows)} test rows in part {part!r}; at least 2 are needed: give it more "
            "(for a set of your own, raise holdout)"
        )
    return sorted(rows, key=lambda row: hashlib.blake2b(row.id.encode(), digest_size=8).digest())[:items]


def score(benchmark: str, verdicts: Sequence[Verdict], *, part: Part, mode: Mode, samples: int = 1) -> Score:
    """Return the Score of a benchmark's verdicts, `samples` of each item in a row; an item's reward is their mean."""
    graded = [
        [verdict.reward for verdict in verdicts[start : start + samples] if verdict.reward is not None]
        for start in range(0, len(verdicts), samples)
    ]
    rewards = [sum(of_item) / len(of_item) for of_item in graded if of_item]
    if not rewards:
        raise ModomodoError(
            f"benchmark {benchmark}: all {len(graded)} items are ungradable: {verdicts[0].reason if verdicts else ''}"
        )
    mean = sum(rewards) / len(rewards)
    variance = sum((reward - mean) ** 2 for reward in rewards) / max(1, len(rewards) - 1)
    # All right or all wrong is not known without error: not less than half an item among n (Jeffreys).
    variance = max(variance, 0.5 / (len(rewards) + 1))
    return Score(
        benchmark=benchmark,
        part=part,
        mode=mode,
        mean=mean,
        se=math.sqrt(variance / len(rewards)),
        n=len(rewards),
        unparsed=sum(verdict.status == "unparsed" for verdict in verdicts) / len(verdicts),
        ungradable=len(graded) - len(rewards),
        worst_case=sum(map(sum, graded)) / len(verdicts),
    )
