"""Runs: the table of mixtures and scores that surrogates learn from.

Axes: N runs, D domains, B benchmarks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.mixing.scales import check_scale
from modomodo.mixing.surrogates.base import Array, IntArray
from modomodo.mixing.tables.odd_scores import odd_scores

LARGEST = 1e100  # squares of larger numbers overflow


@dataclass(frozen=True, eq=False)
class Runs:
    """N runs: mixtures, scores and what is known of their noise. NaN and None mean unknown.

    `X_ND` rows lie on the simplex; `y_NB` scores; `se_NB` standard errors of evaluation; `n_NB` items evaluated;
    `seeds_N`, `steps_N`, `labels_N` one per run (a label names the run for a reader); `source` is what messages call
    the table, empty where it has no file. `scale` is benchmark -> its full score, where the user gave one (1 for
    shares, 100 for percent, 2800 for MME); `notes` are sentences about what was done when the table was read.
    """

    domains: tuple[str, ...]
    benchmarks: tuple[str, ...]
    X_ND: Array
    y_NB: Array
    se_NB: Array
    n_NB: Array
    seeds_N: tuple[int | None, ...]
    steps_N: tuple[int | None, ...]
    labels_N: tuple[str, ...]
    source: str = ""
    scale: Mapping[str, float] = field(default_factory=dict[str, float])
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n, shape = len(self.labels_N), (len(self.labels_N), len(self.benchmarks))
        wanted = {"X_ND": (n, len(self.domains)), "y_NB": shape, "se_NB": shape, "n_NB": shape}
        for name, size in wanted.items():
            array = np.array(getattr(self, name), dtype=np.float64)
            if array.shape != size:
                raise ModomodoError(f"{name} of the runs has shape {array.shape}, not {size}")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if len(self.seeds_N) != n or len(self.steps_N) != n:
            raise ModomodoError(f"{n} runs need as many seeds and steps, got {len(self.seeds_N)}, {len(self.steps_N)}")
        if len(set(self.benchmarks)) < len(self.benchmarks):
            raise ModomodoError(f"name each benchmark once, got {', '.join(self.benchmarks)}")
        if any(steps is not None and steps < 1 for steps in self.steps_N):
            raise ModomodoError("steps of the runs must be positive: leave out runs without training")
        for row in range(n):
            self.mixture(row)
        if (np.abs(self.y_NB) > LARGEST).any() or (self.se_NB < 0).any() or (self.n_NB <= 0).any():
            raise ModomodoError("scores must be finite or NaN, standard errors not negative, counts positive")

    @classmethod
    def of(
        cls,
        X_ND: Array,
        *,
        y_NB: Array,
        se_NB: Array | None = None,
        domains: Sequence[str] | None = None,
        benchmarks: Sequence[str] | None = None,
        scale: Mapping[str, float] | None = None,
    ) -> "Runs":
        """Return runs from arrays: mixtures [N, D], scores [N, B], and where known their standard errors [N, B].

        Names are d1, d2, ... and b1, b2, ... unless given; runs are called by their place, from 1; `scale` is benchmark
        -> full score.
        """
        if np.ndim(X_ND) != 2 or np.ndim(y_NB) != 2:
            raise ModomodoError(
                f"mixtures have shape {np.shape(X_ND)} and scores {np.shape(y_NB)}: give [runs, domains] and "
                "[runs, benchmarks] (y[:, None] for one benchmark)"
            )
        count, unknown = len(X_ND), np.full(np.shape(y_NB), np.nan)
        scored = tuple(benchmarks if benchmarks is not None else (f"b{b + 1}" for b in range(np.shape(y_NB)[1])))
        check_scale(scale or {}, benchmarks=scored, y_NB=np.asarray(y_NB))
        return cls(
            tuple(domains if domains is not None else (f"d{d + 1}" for d in range(np.shape(X_ND)[1]))),
            scored,
            X_ND,
            y_NB,
            unknown if se_NB is None else se_NB,
            unknown,
            (None,) * count,
            (None,) * count,
            tuple(f"run {n + 1}" for n in range(count)),
            scale=scale or {},
            notes=tuple(
                f"{name} of run {n + 1} is {why} (NaN leaves a score out)"
                for name, y_N in zip(scored, np.asarray(y_NB, dtype=np.float64).T, strict=True)
                for n, why in odd_scores(y_N, full=(scale or {}).get(name)).items()
            ),
        )

    def mixture(self, row: int) -> Mixture:
        """Return the mixture of one run."""
        return Mixture(self.domains, tuple(float(weight) for weight in self.X_ND[row]))

    def groups(self) -> IntArray:
        """Return the number of each run's mixture, shape [N]: replicates, equal to 9 decimals, share it."""
        return np.unique(np.round(self.X_ND, 9), axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
