"""fit: one surrogate per benchmark, and the aggregates over them.

Axes: N runs or points, D domains, B benchmarks, K columns (benchmarks, then aggregates).
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from modomodo.errors import ModomodoError, closest
from modomodo.seeds import child_seed
from modomodo.surrogate.aggregates import (
    DEFAULT,
    Aggregate,
    Direction,
    aggregate_of,
    default_weights,
    directions_of,
    residual_correlation,
)
from modomodo.surrogate.base import Array, FittedSurrogate, Prediction, Surrogate
from modomodo.surrogate.ensemble import Ensemble
from modomodo.surrogate.gp import GaussianProcess
from modomodo.surrogate.linear import PowerLaw, RidgeOn
from modomodo.surrogate.parametric import Mean, PaperQuadratic
from modomodo.surrogate.predictions import Predictions, column_bounds, combine, weight_table, weighted
from modomodo.surrogate.resampled import Resampled
from modomodo.surrogate.table import Runs
from modomodo.surrogate.validation import Validation, validation

SURROGATES: dict[str, Surrogate] = {
    "gp": GaussianProcess(),
    "ensemble": Ensemble(tuple(GaussianProcess(floor=floor) for floor in (1e-2, 1e-3, 1e-4))),
    "power": Resampled(PowerLaw()),
    "quadratic": Resampled(RidgeOn("log", 2)),
    "linear": Resampled(RidgeOn("weights", 1)),
    "paper": PaperQuadratic(),
    "mean": Mean(),
}


@dataclass(frozen=True, eq=False)
class Fitted:
    """One fitted surrogate per benchmark of `runs`, the aggregates, and the leave-one-mixture-out predictions.

    `runs` holds only benchmarks that could be fitted. `correlation_BB` is how the benchmarks' errors go together.
    `notes` are sentences about choices made for the user.
    """

    runs: Runs
    surrogate: str
    models: tuple[FittedSurrogate, ...]
    aggregates: tuple[Aggregate, ...]
    directions: dict[str, Direction]
    bounds_K2: Array
    correlation_BB: Array
    left_out: Predictions
    notes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Benchmarks, then aggregates."""
        return (*self.runs.benchmarks, *(aggregate.name for aggregate in self.aggregates))

    def direction(self, name: str) -> Direction:
        """Return which scores of a benchmark or aggregate are better."""
        return self.directions[self.names[self.index(name)]]

    def index(self, name: str) -> int:
        """Return the column of a benchmark or aggregate."""
        if name not in self.names:
            raise ModomodoError(f"unknown benchmark or aggregate {name!r}; {closest(name, self.names)}")
        return self.names.index(name)

    def weights_of(self, name: str) -> Array:
        """Return what each benchmark counts in a column: 1 for a benchmark itself, shape [B]."""
        return self._table[self.index(name)]

    @property
    def _table(self) -> Array:
        return weight_table(self.runs.benchmarks, self.aggregates)

    def predict(self, X_ND: Array) -> Predictions:
        """Return predictions of every benchmark and aggregate at the mixtures `X_ND`, domains as in `runs`."""
        found = [model.predict(X_ND) for model in self.models]
        return combine(found, self.names, self._table, self.correlation_BB, self.bounds_K2)

    def mean(self, X_ND: Array, *, name: str) -> Array:
        """Return the expected score of one column, shape [N], and nothing else (quick, for optimisers)."""
        weights_B = self.weights_of(name)
        total_N = np.zeros(len(X_ND))
        for b in np.flatnonzero(weights_B):
            total_N += weights_B[b] * np.clip(self.models[b].mean(X_ND), *self.bounds_K2[b])
        return total_N

    def difference(self, X_ND: Array, *, name: str) -> tuple[float, float]:
        """Return mean and standard deviation of the expected score at the first of two mixtures minus the second.

        Taken from the joint posterior of both: error that the two share cancels.
        """
        assert len(X_ND) == 2
        mean_N = self.mean(X_ND, name=name)
        contrast_N = np.array([1.0, -1.0])
        weights_B = self.weights_of(name)
        sd_B = np.zeros(len(weights_B))
        for b in np.flatnonzero(weights_B):
            sd_B[b] = np.sqrt(max(float(contrast_N @ self.models[b].covariance(X_ND) @ contrast_N), 0.0))
        part_B = weights_B * sd_B
        return float(contrast_N @ mean_N), float(np.sqrt(max(float(part_B @ self.correlation_BB @ part_B), 0.0)))

    def validation(self) -> tuple[Validation, ...]:
        """Return the leave-one-mixture-out figures of every benchmark and aggregate."""
        predicted = self.left_out
        return tuple(
            validation(
                name,
                y_N=weighted(self.runs.y_NB, self.weights_of(name)),
                mean_N=predicted.mean_NK[:, k],
                sd_N=predicted.sd_NK[:, k],
            )
            for k, name in enumerate(self.names)
        )


def fit(
    runs: Runs,
    *,
    surrogate: str = "gp",
    aggregates: Mapping[str, Mapping[str, float]] | None = None,
    direction: Direction | Mapping[str, Direction] = "higher",
    bounds: Mapping[str, tuple[float, float]] | None = None,
    seed: int = 0,
) -> Fitted:
    """Return one surrogate per benchmark, and aggregates whose spread counts that benchmarks err together.

    `surrogate` is a name of SURROGATES. `aggregates` are name -> benchmark -> weight; without any there is one, called
    `aggregate`, weighted by items (`n_NB`) where all benchmarks have them, else equally. `direction` says which scores
    are better, for all or by benchmark. `bounds` are benchmark -> (low, high): predictions and intervals stay inside. A
    benchmark without bounds gets (0, 1) if its scores lie in [0, 1] and are shares (items known) or higher-is-better; a
    note says so. One with too few scores is left out with a warning. Equal arguments give equal results.

    Raises:
        ModomodoError: for unknown names, bounds that scores leave, and tables with too few different mixtures.
    """
    if surrogate not in SURROGATES:
        raise ModomodoError(f"unknown surrogate {surrogate!r}; {closest(surrogate, SURROGATES)}")
    method = SURROGATES[surrogate]
    directions = directions_of(direction, benchmarks=runs.benchmarks)
    limits, notes = _bounds(runs, directions, dict(bounds or {}))
    runs = _usable(runs, method.minimum, surrogate)
    made = _aggregates(runs, aggregates, directions)
    if not aggregates:
        by_items = bool(np.isfinite(runs.n_NB).any(axis=0).all())
        notes.append(f"{DEFAULT} weights the benchmarks {'by their number of items' if by_items else 'equally'}")
    models, left_out = _fit_each(runs, method, seed)
    weights_KB = weight_table(runs.benchmarks, made)
    bounds_K2 = column_bounds(np.array([limits[name] for name in runs.benchmarks]), weights_KB)
    residuals_NB = np.stack(
        [(runs.y_NB[:, b] - found.mean_N) / found.sd_new_N for b, found in enumerate(left_out)], axis=1
    )
    correlation_BB = residual_correlation(residuals_NB)
    names = (*runs.benchmarks, *(aggregate.name for aggregate in made))
    directions |= {aggregate.name: aggregate.direction for aggregate in made}
    predicted = combine(left_out, names, weights_KB, correlation_BB, bounds_K2)
    return Fitted(runs, surrogate, models, made, directions, bounds_K2, correlation_BB, predicted, tuple(notes))


def _aggregates(
    runs: Runs, given: Mapping[str, Mapping[str, float]] | None, directions: Mapping[str, Direction]
) -> tuple[Aggregate, ...]:
    """Return the given aggregates over the benchmarks that are left, or the default one."""
    named = given or {DEFAULT: default_weights(runs.n_NB, benchmarks=runs.benchmarks)}
    for name in named:
        if name in runs.benchmarks:
            raise ModomodoError(f"aggregate {name} bears the name of a benchmark: choose another")
    used: dict[str, Direction] = {benchmark: directions[benchmark] for benchmark in runs.benchmarks}
    return tuple(aggregate_of(name, weights=weights, directions=used) for name, weights in named.items())


def _usable(runs: Runs, minimum: int, surrogate: str) -> Runs:
    """Return the runs with those benchmarks that have scores at `minimum` different mixtures; warn of the others."""
    groups_N = runs.groups()
    mixtures_B = [len(np.unique(groups_N[np.isfinite(y_N)])) for y_N in runs.y_NB.T]
    kept = [b for b, mixtures in enumerate(mixtures_B) if mixtures >= minimum]
    need = f"{surrogate} learns from at least {minimum} different mixtures"
    if not kept:
        raise ModomodoError(
            f"{need}, and no benchmark has scores at as many "
            f"({len(groups_N)} runs of {len(np.unique(groups_N))} mixtures; "
            f"{', '.join(f'{name}: {count}' for name, count in zip(runs.benchmarks, mixtures_B, strict=True))}); "
            "run more pilots at other mixtures"
        )
    for b in sorted(set(range(len(mixtures_B))) - set(kept)):
        warnings.warn(f"{runs.benchmarks[b]} is left out: {need}, it has scores at {mixtures_B[b]}", stacklevel=3)
    missing = int(np.isnan(runs.y_NB[:, kept]).sum())
    if missing:
        what = "1 score is missing" if missing == 1 else f"{missing} scores are missing"
        warnings.warn(f"{what}: each benchmark is fitted on the runs that have it", stacklevel=3)
    steps = sorted({steps for steps in runs.steps_N if steps is not None})
    if len(steps) > 1:
        warnings.warn(
            f"runs have {steps[0]} to {steps[-1]} steps: the fit ignores length, which may pass for a mixture's effect",
            stacklevel=3,
        )
    tables = {field: getattr(runs, field)[:, kept] for field in ("y_NB", "se_NB", "n_NB")}
    return replace(runs, benchmarks=tuple(runs.benchmarks[b] for b in kept), **tables)


def _bounds(
    runs: Runs, directions: Mapping[str, Direction], given: Mapping[str, tuple[float, float]]
) -> tuple[dict[str, tuple[float, float]], list[str]]:
    """Return benchmark -> limits, and notes about those that the user did not give."""
    for name in given:
        if name not in runs.benchmarks:
            raise ModomodoError(f"bounds of unknown benchmark {name!r}; {closest(name, runs.benchmarks)}")
    limits: dict[str, tuple[float, float]] = {}
    assumed: list[str] = []
    for b, name in enumerate(runs.benchmarks):
        scores = runs.y_NB[np.isfinite(runs.y_NB[:, b]), b]
        low, high = given.get(name, (-np.inf, np.inf))
        is_share = bool(np.isfinite(runs.n_NB[:, b]).any()) or directions[name] == "higher"
        if name not in given and scores.size and is_share and scores.min() >= 0 and scores.max() <= 1:
            low, high = 0.0, 1.0
            assumed.append(name)
        if not low < high:
            raise ModomodoError(f"bounds of {name} are [{low}, {high}]: the first must be the smaller")
        if scores.size and (scores.min() < low or scores.max() > high):
            raise ModomodoError(
                f"scores of {name} go from {scores.min():g} to {scores.max():g}, outside its bounds [{low}, {high}]"
            )
        limits[name] = (float(low), float(high))
    note = f"predictions of {', '.join(assumed)} stay inside [0, 1], as their scores do (set bounds to change it)"
    return limits, [note] if assumed else []


def _fit_each(runs: Runs, method: Surrogate, seed: int) -> tuple[tuple[FittedSurrogate, ...], list[Prediction]]:
    """Return a model per benchmark, and its leave-one-mixture-out predictions (NaN for runs without the score)."""
    models: list[FittedSurrogate] = []
    left_out: list[Prediction] = []
    for b, name in enumerate(runs.benchmarks):
        rows = np.flatnonzero(np.isfinite(runs.y_NB[:, b]))
        var_N = np.square(runs.se_NB[rows, b])
        model = method.fit(runs.X_ND[rows], y_N=runs.y_NB[rows, b], var_N=var_N, seed=child_seed(seed, "fit", name))
        found = model.leave_out(runs.groups()[rows])
        full = np.full((3, len(runs.y_NB)), np.nan)
        full[:, rows] = found.mean_N, found.sd_mean_N, found.sd_new_N
        models.append(model)
        left_out.append(Prediction(full[0], full[1], full[2]))
    return tuple(models), left_out
