"""Predictions: a table of benchmarks and aggregates at many mixtures, and how the aggregates come from the benchmarks.

Axes: N points, B benchmarks, K columns (benchmarks, then aggregates).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modomodo.mixing.aggregates import Aggregate
from modomodo.mixing.surrogates.base import Array, Prediction
from modomodo.mixing.validation import quantile


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


@dataclass(frozen=True, eq=False)
class Columns:
    """How K columns come from B benchmarks: their `names`, what each benchmark counts in each (`weights_KB`), how the
    benchmarks' errors go together, the limits of each column, and what its spread is multiplied by."""

    names: tuple[str, ...]
    weights_KB: Array
    correlation_BB: Array
    bounds_K2: Array
    factors_K: Array

    def spread(self, sd_NB: Array) -> Array:
        """Return the spreads of the columns, shape [N, K], from those of the benchmarks; unused ones may be NaN."""
        return np.stack([self._spread(sd_NB, k) for k in range(len(self.names))], axis=1)

    def _spread(self, sd_NB: Array, k: int) -> Array:
        used = np.flatnonzero(self.weights_KB[k])
        part_NB = sd_NB[:, used] * self.weights_KB[k, used]
        square_N = np.einsum("nb,bc,nc->n", part_NB, self.correlation_BB[np.ix_(used, used)], part_NB)
        return self.factors_K[k] * np.sqrt(np.maximum(square_N, 0))


def combine(found: Sequence[Prediction], columns: Columns) -> Predictions:
    """Return the predictions of all columns from those of the benchmarks."""
    low_B, high_B = columns.bounds_K2[: len(found)].T
    mean_NB = np.clip(np.stack([prediction.mean_N for prediction in found], axis=1), low_B, high_B)
    mean_NK = np.stack([weighted(mean_NB, weights_B) for weights_B in columns.weights_KB], axis=1)
    sd_mean_NK = columns.spread(np.stack([prediction.sd_mean_N for prediction in found], axis=1))
    sd_NK = columns.spread(np.stack([prediction.sd_new_N for prediction in found], axis=1))
    return Predictions(columns.names, mean_NK, sd_mean_NK, sd_NK, columns.bounds_K2)


def column_bounds(bounds_B2: Array, weights_KB: Array) -> Array:
    """Return each column's limits, shape [K, 2]: those of a weighted sum, unlimited where a part is."""
    limits: list[tuple[float, float]] = []
    for weights_B in weights_KB:
        used = weights_B != 0
        ends_B2 = np.sort(weights_B[used, None] * bounds_B2[used], axis=1)
        limits.append((float(ends_B2[:, 0].sum()), float(ends_B2[:, 1].sum())))
    return np.array(limits)
