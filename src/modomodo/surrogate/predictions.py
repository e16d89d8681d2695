"""Predictions: a table of benchmarks and aggregates at many mixtures, and how the aggregates come from the benchmarks.

Axes: N points, B benchmarks, K columns (benchmarks, then aggregates).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modomodo.surrogate.aggregates import Aggregate
from modomodo.surrogate.base import Array, Prediction
from modomodo.surrogate.validation import quantile


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions at N mixtures for K `names`: benchmarks, then aggregates; `bounds_K2` holds each column's limits.

    `mean_NK` lies inside the bounds. `sd_mean_NK` is the doubt about the expected score, `sd_NK` about one new run.
    """

    names: tuple[str, ...]
    mean_NK: Array
    sd_mean_NK: Array
    sd_NK: Array
    bounds_K2: Array

    def interval(self, level: float) -> tuple[Array, Array]:
        """Return the limits, inside the bounds, that hold the score of one new run with probability `level`."""
        half_NK = quantile(level) * self.sd_NK
        low_K, high_K = self.bounds_K2.T
        return np.clip(self.mean_NK - half_NK, low_K, high_K), np.clip(self.mean_NK + half_NK, low_K, high_K)

    def columns(self) -> dict[str, Array]:
        """Return `mean.`, `sd.`, `lo90.`, `hi90.` and `sd_mean.<name>` of every name, each of shape [N]."""
        low_NK, high_NK = self.interval(0.9)
        tables = {"mean": self.mean_NK, "sd": self.sd_NK, "lo90": low_NK, "hi90": high_NK, "sd_mean": self.sd_mean_NK}
        return {
            f"{kind}.{name}": table_NK[:, k] for k, name in enumerate(self.names) for kind, table_NK in tables.items()
        }


def weight_table(benchmarks: Sequence[str], aggregates: Sequence[Aggregate]) -> Array:
    """Return what each benchmark counts in each column, shape [K, B]."""
    return np.vstack([np.eye(len(benchmarks)), *(aggregate.vector(benchmarks) for aggregate in aggregates)])


def weighted(values_NB: Array, weights_B: Array) -> Array:
    """Return weighted sums, shape [N]; a NaN counts only where its weight is not 0."""
    used = weights_B != 0
    return values_NB[:, used] @ weights_B[used]


def combine(
    found: Sequence[Prediction], names: tuple[str, ...], weights_KB: Array, correlation_BB: Array, bounds_K2: Array
) -> Predictions:
    """Return the predictions of all columns from those of the benchmarks, and how their errors correlate."""
    low_B, high_B = bounds_K2[: len(found)].T
    mean_NB = np.clip(np.stack([prediction.mean_N for prediction in found], axis=1), low_B, high_B)
    mean_NK = np.stack([weighted(mean_NB, weights_B) for weights_B in weights_KB], axis=1)

    def spread(sd_NB: Array) -> Array:
        columns: list[Array] = []
        for weights_B in weights_KB:
            used = np.flatnonzero(weights_B)
            part_NB = sd_NB[:, used] * weights_B[used]
            columns.append(np.einsum("nb,bc,nc->n", part_NB, correlation_BB[np.ix_(used, used)], part_NB))
        return np.sqrt(np.maximum(np.stack(columns, axis=1), 0))

    sd_mean_NK = spread(np.stack([prediction.sd_mean_N for prediction in found], axis=1))
    sd_NK = spread(np.stack([prediction.sd_new_N for prediction in found], axis=1))
    return Predictions(names, mean_NK, sd_mean_NK, sd_NK, bounds_K2)


def column_bounds(bounds_B2: Array, weights_KB: Array) -> Array:
    """Return each column's limits, shape [K, 2]: those of a weighted sum, unlimited where a part is."""
    limits: list[tuple[float, float]] = []
    for weights_B in weights_KB:
        used = weights_B != 0
        ends_B2 = np.sort(weights_B[used, None] * bounds_B2[used], axis=1)
        limits.append((float(ends_B2[:, 0].sum()), float(ends_B2[:, 1].sum())))
    return np.array(limits)
