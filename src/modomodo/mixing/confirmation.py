"""confirm: whether fresh runs at the recommended mixture really beat runs at equal shares, seed by seed.

Axes: S matched seeds, B benchmarks, I items.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from modomodo.core.errors import ModomodoError
from modomodo.core.files import value_of
from modomodo.mixing.aggregates import Aggregate, Direction, aggregate_of, directions_of
from modomodo.mixing.repeated_looks import check_looks, error_of_each, p_over_all
from modomodo.mixing.scales import check_scale, decided_note, divisors, scale_note
from modomodo.mixing.surrogates.base import Array

VERSION = 1
KEEP_EQUAL = "So nothing here says that another mixture is better: equal shares are the answer to keep."
"""What follows from every confirmation but a real gain."""


@dataclass(frozen=True)
class Difference:
    """A paired difference over S seeds, as improvement: positive is better, whatever the direction.

    `recommended` and `equal` are mean scores as they were given; `sd` is that of the S differences; intervals are
    Student's; `p` is two-sided, `p_holm` corrected for the number of benchmarks. All hold over the looks of the test.
    """

    name: str
    recommended: float
    equal: float
    gain: float
    sd: float
    lo90: float
    hi90: float
    lo95: float
    hi95: float
    p: float
    p_holm: float


@dataclass(frozen=True)
class Confirmation:
    """The verdict of matched seeds: the aggregate, each benchmark, and one sentence.

    `real` says whether the 95 % interval of the aggregate's gain excludes 0. `looks` are the numbers of seeds after
    which the test might have ended, where there are several.
    """

    seeds: tuple[int, ...]
    aggregate: Difference
    benchmarks: tuple[Difference, ...]
    real: bool
    sentence: str
    looks: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def gained(self) -> bool:
        """Whether the gain is real and positive."""
        return self.real and self.aggregate.gain > 0

    @classmethod
    def from_dict(cls, data: Mapping[str, object], *, where: object = "the confirmation") -> "Confirmation":
        """Return a confirmation from its JSON values, read from the file `where`.

        Raises ModomodoError for those of another version, and for damaged ones.
        """
        if data.get("version") != VERSION:
            raise ModomodoError(
                f"{where} has version {data.get('version')!r}, and this modomodo reads {VERSION}: make it again "
                "with `modomodo confirm`"
            )
        return value_of(cls, data, where=where)

    def as_dict(self) -> dict[str, Any]:
        """Return the confirmation as JSON values, with its `version`."""
        fields = asdict(self)
        lists = {name: list(fields[name]) for name in ("seeds", "benchmarks", "looks", "notes")}
        return {"version": VERSION} | fields | lists


@dataclass(frozen=True)
class ItemInterval:
    """The mean paired difference over items, its standard error, and the 95 % interval."""

    difference: float
    se: float
    lo95: float
    hi95: float


def confirm(
    recommended_SB: npt.ArrayLike,
    *,
    equal_SB: npt.ArrayLike,
    seeds: Sequence[int],
    benchmarks: Sequence[str],
    weights: Mapping[str, float] | None = None,
    direction: Direction | Mapping[str, Direction] = "higher",
    looks: Sequence[int] = (),
    scale: Mapping[str, float] | None = None,
) -> Confirmation:
    """Return whether the recommended mixture beats equal shares, from runs at both with the same seeds.

    Row s of both tables, shape [S, B], is the pair of runs of `seeds[s]`. The aggregate is the mean of the benchmarks
    weighted by `weights` (equally if None). The seeds must be fresh: a seed that a pilot used flatters.

    Without `weights`, scores on unlike scales are made alike first, as `fit` does, and a note says by how much; `scale`
    is benchmark -> full score. Weights that are given count scores as they stand, unless `scale` is given too.

    A test that may end early names its `looks`, the numbers of seeds after which it is looked at (4, 8, 12): intervals
    and p-values then hold over all of them (see `modomodo.mixing.repeated_looks`).

    Raises:
        ModomodoError: for fewer than 2 seeds or repeated ones, tables of other shapes, missing scores, full scores that
            are not, and a number of seeds that is none of the looks.
    """
    tables = np.asarray(recommended_SB, dtype=np.float64), np.asarray(equal_SB, dtype=np.float64)
    _check(tables, seeds, benchmarks)
    _check_look(len(seeds), looks)
    directions = directions_of(direction, benchmarks=benchmarks)
    mixed, note = _aggregate(
        np.vstack(tables), benchmarks=benchmarks, directions=directions, weights=weights or None, scale=scale or {}
    )
    weights_B = mixed.vector(benchmarks)
    aggregate = _difference("aggregate", tables[0] @ weights_B, tables[1] @ weights_B, mixed.direction, looks)
    parts = [
        _difference(name, tables[0][:, b], tables[1][:, b], directions[name], looks)
        for b, name in enumerate(benchmarks)
    ]
    corrected = holm([part.p for part in parts])
    parts = [replace(part, p_holm=p) for part, p in zip(parts, corrected, strict=True)]
    real = bool(aggregate.sd > 0 and (aggregate.lo95 > 0 or aggregate.hi95 < 0))
    sentence = _sentence(aggregate, len(seeds), real, most=max(looks, default=0))
    notes = (note,) if note else ()
    return Confirmation(tuple(seeds), aggregate, tuple(parts), real, sentence, looks=tuple(looks), notes=notes)


def _aggregate(
    y_NB: Array,
    *,
    benchmarks: Sequence[str],
    directions: Mapping[str, Direction],
    weights: Mapping[str, float] | None,
    scale: Mapping[str, float],
) -> tuple[Aggregate, str | None]:
    """Return the aggregate of all scores [N, B], and a note on their scales; None where these are alike."""
    check_scale(scale, benchmarks=benchmarks, y_NB=y_NB)
    if weights is not None and not scale:
        made = aggregate_of("aggregate", weights=weights, directions=directions)
        return made, decided_note("aggregate", made.weights, y_NB=y_NB, benchmarks=benchmarks)
    named = dict.fromkeys(benchmarks, 1.0) if weights is None else weights
    kept = [b for b, name in enumerate(benchmarks) if named.get(name)]
    names = [benchmarks[b] for b in kept]
    lower = [name for name in names if directions[name] == "lower"]
    found = divisors(y_NB[:, kept], benchmarks=names, scale=scale, lower=lower)
    made = aggregate_of("aggregate", weights=named, directions=directions, by=found.values)
    return made, scale_note("aggregate", found, y_NB=y_NB[:, kept], benchmarks=names)


def detectable_difference(sd: float, *, seeds: int, power: float = 0.8, level: float = 0.95) -> float:
    """Return the smallest true difference that `seeds` matched pairs find with probability `power`: to say beforehand.

    `sd` is the seed noise of the score of one run; a pair differs by sqrt(2) times as much (that matched seeds may do
    better is not counted on). Exact for Student's paired test at `level` (noncentral t).

    Raises:
        ModomodoError: for fewer than 2 seeds, a negative sd, or probabilities outside (0, 1).
    """
    from scipy import stats  # pyright: ignore[reportMissingTypeStubs]

    if seeds < 2 or not sd >= 0 or not 0 < power < 1 or not 0 < level < 1:
        raise ModomodoError(
            f"a detectable difference needs 2 seeds or more, an sd of at least 0, and power and level inside (0, 1); "
            f"got {seeds} seeds, sd {sd}, power {power}, level {level}"
        )
    degrees, critical = seeds - 1, _student(0.5 + level / 2, seeds - 1)
    low, high = 0.0, 10.0 * critical + 10.0
    for _ in range(100):
        middle = (low + high) / 2
        reached = float(cast(Any, stats).nct.sf(critical, degrees, middle))
        low, high = (low, middle) if reached >= power else (middle, high)
    return high * math.sqrt(2.0 / seeds) * sd


def seeds_to_find(gain: float, sd: float, *, most: int) -> int | None:
    """Return the fewest matched seeds that find a true gain 8 times in 10, None where `most` don't.

    `sd` is the seed noise of the score of one run.
    """
    if gain <= 0 or detectable_difference(sd, seeds=most) > gain:
        return None
    return 2 + bisect_left(range(2, most), True, key=lambda seeds: detectable_difference(sd, seeds=seeds) <= gain)


def paired_items(recommended_SI: npt.ArrayLike, *, equal_SI: npt.ArrayLike) -> ItemInterval:
    """Return the difference in mean score over items, paired by item and clustered by it (an item is in every seed).

    It answers "would these very models differ on other items?"; `confirm` answers "would other trainings differ?".

    Raises:
        ModomodoError: for other shapes than [S, I] twice, fewer than 2 items, and missing scores.
    """
    tables = np.asarray(recommended_SI, dtype=np.float64), np.asarray(equal_SI, dtype=np.float64)
    if tables[0].ndim != 2 or tables[0].shape != tables[1].shape or tables[0].shape[1] < 2:
        raise ModomodoError(f"items need one shape, [seeds, items >= 2], got {tables[0].shape}, {tables[1].shape}")
    if not np.isfinite(tables).all():
        raise ModomodoError("items have missing scores: count an ungradable item as 0, or leave it out of both tables")
    difference_I = (tables[0] - tables[1]).mean(axis=0)
    mean, se = float(difference_I.mean()), float(np.std(difference_I, ddof=1)) / math.sqrt(len(difference_I))
    half = _student(0.975, len(difference_I) - 1) * se
    return ItemInterval(mean, se, mean - half, mean + half)


def _check(tables: tuple[Array, Array], seeds: Sequence[int], benchmarks: Sequence[str]) -> None:
    shape = (len(seeds), len(benchmarks))
    for what, table in zip(("recommended", "equal"), tables, strict=True):
        if table.shape != shape:
            raise ModomodoError(
                f"scores of the {what} mixture have shape {table.shape}: "
                f"{shape[0]} seeds and {shape[1]} benchmarks need {shape}"
            )
        missing = np.argwhere(~np.isfinite(table))
        if len(missing):
            row, column = (int(index) for index in missing[0])
            raise ModomodoError(
                f"score of the {what} mixture on {benchmarks[column]} with seed {seeds[row]} is {table[row, column]}: "
                "every pair must be complete; run it, or leave the seed out of both tables"
            )
    if len(seeds) < 2 or len(set(seeds)) < len(seeds):
        raise ModomodoError(f"confirmation needs 2 or more different seeds, got {list(seeds)}: one pair has no spread")


def _check_look(seeds: int, looks: Sequence[int]) -> None:
    check_looks(looks)
    if looks and seeds not in looks:
        raise ModomodoError(f"the test is looked at after {', '.join(map(str, looks))} seeds, not after {seeds}")


def _difference(
    name: str, recommended_S: Array, equal_S: Array, direction: Direction, looks: Sequence[int]
) -> Difference:
    """Return the paired difference of one score, without correction for several benchmarks."""
    gain_S = recommended_S - equal_S if direction == "higher" else equal_S - recommended_S
    count, gain, sd = len(gain_S), float(gain_S.mean()), float(np.std(gain_S, ddof=1))
    # Equal differences up to rounding have no spread to judge by.
    sd = sd if sd > 1e-12 * max(1.0, float(np.abs(gain_S).max())) else 0.0
    se = sd / math.sqrt(count)
    half90, half95 = (_student(1 - error_of_each(error, looks) / 2, count - 1) * se for error in (0.1, 0.05))
    p = p_over_all(2 * _student_below(-abs(gain) / se, count - 1), looks) if se > 0 else 1.0
    means = float(recommended_S.mean()), float(equal_S.mean())
    return Difference(name, *means, gain, sd, gain - half90, gain + half90, gain - half95, gain + half95, p, p)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, in the order given (Holm 1979, step-down)."""
    corrected, running = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda position: p_values[position])):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = running
    return corrected


def _sentence(aggregate: Difference, seeds: int, real: bool, *, most: int) -> str:
    of_most = f" of at most {most}" if most > seeds else ""
    figures = f"(95 % interval {aggregate.lo95:+.3f} to {aggregate.hi95:+.3f}, {seeds} matched seeds{of_most})"
    if aggregate.sd == 0:
        return (
            f"Recommended is not distinguishable from equal shares: all {seeds} matched seeds differ by the same "
            f"{aggregate.gain:+.3f}, so their noise can't be judged; run more seeds."
        )
    if not real:
        return f"Recommended is not distinguishable from equal shares: {aggregate.gain:+.3f} {figures}."
    return (
        f"Recommended {'beats' if aggregate.gain > 0 else 'loses to'} equal shares by {aggregate.gain:+.3f} {figures}."
    )


def _student(probability: float, degrees: int) -> float:
    """Return the quantile of Student's t."""
    from scipy import special  # pyright: ignore[reportMissingTypeStubs]

    return float(cast(Any, special).stdtrit(degrees, probability))


def _student_below(value: float, degrees: int) -> float:
    from scipy import special  # pyright: ignore[reportMissingTypeStubs]

    return float(cast(Any, special).stdtr(degrees, value))
