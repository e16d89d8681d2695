"""The paper's seed set in a table of runs: each domain alone, each left out, and equal shares, known by their weights.

Axes: N runs, D domains, B benchmarks, S mixtures of the seed set.
"""

from collections.abc import Sequence

import numpy as np

from modomodo.core.errors import ModomodoError
from modomodo.mixing.design import seed_design
from modomodo.mixing.predictions import weighted
from modomodo.mixing.runs import Runs
from modomodo.mixing.surrogates.base import Array, IntArray

ROUNDING = 2e-3  # tables give 1/3 as .333
SHOWN = 4


def seed_rows(runs: Runs) -> dict[str, IntArray]:
    """Return label -> rows for each mixture of the seed set; none where the table lacks it.

    Labels are those of `seed_design`: `single:NAME`, `exclude:NAME`, `equal`.
    """
    return {
        label: np.flatnonzero(np.abs(runs.X_ND - mixture.vector(runs.domains)).max(axis=1, initial=0) < ROUNDING)
        for label, mixture in seed_design(runs.domains)
    }


def labels_of(runs: Runs, *kinds: str) -> list[str]:
    """Return the labels of `kinds` (single, exclude, equal), in the order of the domains."""
    return [label for label, _ in seed_design(runs.domains) if label.partition(":")[0] in kinds]


def seed_scores(runs: Runs, labels: Sequence[str], *, weights_B: Array, strategy: str) -> Array:
    """Return the weighted score of each mixture in `labels`, the mean over its replicates, shape [S].

    Raises:
        ModomodoError: naming the mixtures that have no run with all scores that count.
    """
    rows = seed_rows(runs)
    good_N = weighted(runs.y_NB, weights_B)
    scores = {label: good_N[rows[label]] for label in labels}
    means = {label: float(some[np.isfinite(some)].mean()) for label, some in scores.items() if np.isfinite(some).any()}
    missing = [label for label in labels if label not in means]
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise ModomodoError(
            f"{strategy} needs runs of the seed set that the table lacks: {', '.join(missing[:SHOWN])}{more} "
            "(each domain alone, each left out, equal shares; `modomodo pilot` runs them)"
        )
    return np.array([means[label] for label in labels])
