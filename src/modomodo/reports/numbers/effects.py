"""What single domains do, measured: runs that leave one out, against equal shares.

Axes: D domains, B benchmarks, S seeds, I items.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modomodo.core.mixture import Mixture
from modomodo.mixing.confirmation import paired_items
from modomodo.mixing.surrogates.base import Array
from modomodo.study.results import FinishedRun
from modomodo.training.step_log import read_lines


@dataclass(frozen=True, eq=False)
class Effects:
    """Score without a domain (the others in equal shares) minus score at equal shares of all; NaN where a run lacks.

    `se_DB` is the standard error over items, paired by item where `paired_DB`; the noise of the training seed comes on
    top of it, and shows only where `seeds_D` (matched seeds that the difference is a mean of) is large.
    """

    domains: tuple[str, ...]
    benchmarks: tuple[str, ...]
    difference_DB: Array
    se_DB: Array
    paired_DB: np.ndarray
    seeds_D: tuple[int, ...]

    @property
    def same(self) -> np.ndarray:
        """Where both mixtures earned the same on every item, shape [D, B]."""
        return self.paired_DB & (self.difference_DB == 0) & (self.se_DB == 0)


def leave_one_out_effects(
    runs: Sequence[FinishedRun], *, domains: Sequence[str], benchmarks: Sequence[str]
) -> Effects | None:
    """Return what leaving each domain out does to each benchmark, from matched seeds; None without such runs."""
    by_mixture: dict[str, dict[int, FinishedRun]] = {}
    for run in runs:
        by_mixture.setdefault(run.mixture.key, {})[run.seed] = run
    equal = by_mixture.get(Mixture.uniform(domains).key, {})
    if len(domains) < 2 or not equal:
        return None
    shape = (len(domains), len(benchmarks))
    found, paired_DB = np.full((2, *shape), np.nan), np.zeros(shape, dtype=bool)
    seeds_D: list[int] = []
    for d, domain in enumerate(domains):
        without = by_mixture.get(Mixture.exclude_one(domain, domains).key, {})
        pairs = [(without[seed], equal[seed]) for seed in without if seed in equal]
        seeds_D.append(len(pairs))
        for b, name in enumerate(benchmarks):
            if pairs:
                found[0, d, b], found[1, d, b], paired_DB[d, b] = _difference(pairs, name)
    if not any(seeds_D):
        return None
    return Effects(tuple(domains), tuple(benchmarks), found[0], found[1], paired_DB, tuple(seeds_D))


def _difference(pairs: Sequence[tuple[FinishedRun, FinishedRun]], name: str) -> tuple[float, float, bool]:
    """Return difference, standard error and whether it is paired by item, the mean over matched seeds."""
    scores = [(without.scores.get(name), equal.scores.get(name)) for without, equal in pairs]
    known = [(one, other) for one, other in scores if one is not None and other is not None]
    if len(known) < len(pairs):
        return float("nan"), float("nan"), False
    difference = float(np.mean([one.mean - other.mean for one, other in known]))
    tables = [(_rewards(without, name), _rewards(equal, name)) for without, equal in pairs]
    common = sorted(set.intersection(*(set(side) for pair in tables for side in pair)))
    if len(common) < 2:
        independent = np.sqrt(sum(one.se**2 + other.se**2 for one, other in known)) / len(known)
        return difference, float(independent), False
    without_SI, equal_SI = ([[pair[side][item] for item in common] for pair in tables] for side in (0, 1))
    return difference, paired_items(without_SI, equal_SI=equal_SI).se, True


def _rewards(run: FinishedRun, name: str) -> Mapping[str, float]:
    """Return row id -> reward of a run's graded items."""
    lines = read_lines(run.folder / "items" / f"{name}.jsonl")
    return {line["row_id"]: float(line["reward"]) for line in lines if line["reward"] is not None}
