"""fit: one surrogate per benchmark, and the aggregates over them.

Axes: N runs or points, D domains, B benchmarks, K columns (benchmarks, then aggregates).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.seeds import child_seed
from modomodo.mixing.aggregates import (
    DEFAULT,
    Aggregate,
    Direction,
    comparable_aggregates,
    directions_of,
    residual_correlation,
)
from modomodo.mixing.predictions import Columns, Predictions, column_bounds, combine, weight_table, weighted
from modomodo.mixing.runs import Runs
from modomodo.mixing.surrogates.adjusted import (
    OF_AN_AGGREGATE,
    Adjusted,
    canonical_order,
    residuals,
    scaled,
    small_sample,
    spread_factor,
)
from modomodo.mixing.surrogates.base import Array, Prediction, Surrogate
from modomodo.mixing.surrogates.ensemble import Ensemble, FittedEnsemble
from modomodo.mixing.surrogates.gp import GaussianProcess
from modomodo.mixing.surrogates.linear import PowerLaw, RidgeOn
from modomodo.mixing.surrogates.loglinear import LogLinear
from modomodo.mixing.surrogates.parametric import Mean, PaperQuadratic
from modomodo.mixing.surrogates.resampled import Resampled
from modomodo.mixing.surrogates.trees import SmallTrees
from modomodo.mixing.usable import bounds_of, direction_notes, flat_notes, lateness, length_notes, usable_runs
from modomodo.mixing.validation import Validation, validation

SURROGATES: dict[str, Surrogate] = {
    "ensemble": Ensemble((GaussianProcess(), Resampled(LogLinear())), pseudo_runs=(4.0, 1.0)),
    "gp": GaussianProcess(),
    "power": Resampled(PowerLaw()),
    "log-linear": Resampled(LogLinear()),
    "trees": Resampled(SmallTrees()),
    "quadratic": Resampled(RidgeOn("log", 2)),
    "linear": Resampled(RidgeOn("weights", 1)),
    "paper": PaperQuadratic(),
    "mean": Mean(),
}
# Beside the surrogate, these judge what it recommends (docs/surrogates.md).
JUDGES: tuple[Surrogate, ...] = (GaussianProcess(1.0), GaussianProcess(0.5, alike=True))
BY_CHANCE = Mean(effects=0.5)  # nothing tells what mixtures do from luck: half and half


@dataclass(frozen=True, eq=False)
class Fitted:
    """One fitted surrogate per benchmark of `runs`, the aggregates, and the leave-one-mixture-out predictions.

    `runs` holds only benchmarks that could be fitted. `notes` are sentences about choices made for the user. `steps`
    and `seed` are those that `fit` was given.
    """

    runs: Runs
    surrogate: str
    models: tuple[Adjusted, ...]
    aggregates: tuple[Aggregate, ...]
    directions: dict[str, Direction]
    columns: Columns
    left_out: Predictions
    notes: tuple[str, ...]
    steps: int | None = None
    seed: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Benchmarks, then aggregates."""
        return self.columns.names

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
        return self.columns.weights_KB[self.index(name)]

    def predict(self, X_ND: Array) -> Predictions:
        """Return predictions of every benchmark and aggregate at the mixtures `X_ND`, domains as in `runs`."""
        return combine([model.predict(X_ND) for model in self.models], self.columns)

    def mean(self, X_ND: Array, *, name: str) -> Array:
        """Return the expected score of one column, shape [N], and nothing else (quick, for optimisers)."""
        weights_B = self.weights_of(name)
        total_N = np.zeros(len(X_ND))
        for b in np.flatnonzero(weights_B):
            total_N += weights_B[b] * np.clip(self.models[b].mean(X_ND), *self.columns.bounds_K2[b])
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
        return float(contrast_N @ mean_N), float(self.columns.spread(sd_B[None])[0, self.index(name)])

    @cached_property
    def judges(self) -> tuple["Fitted", ...]:
        """Return the same runs as each of several methods sees them, each alone; the last is the mean, to which
        weights say nothing.

        The others are the members of an ensemble, or else the surrogate itself, and beside a Gaussian process those of
        JUDGES. What is not fitted yet is fitted at the first use.
        """
        order_D = self.models[0].order_D
        ensembles = [model.model for model in self.models if isinstance(model.model, FittedEnsemble)]
        members = zip(*(one.members for one in ensembles), strict=True)
        own = [self._seen_by(tuple(Adjusted(one.model, order_D) for one in member)) for member in members] or [self]
        others = (*(JUDGES if _process_of(SURROGATES[self.surrogate]) is not None else ()), BY_CHANCE)
        return (*own, *(self._seen_by(_fit_each(self.runs, one, self.steps, self.seed)) for one in others))

    def _seen_by(self, models: tuple[Adjusted, ...]) -> "Fitted":
        models, columns, left_out, _ = _calibrated(self.runs, self.aggregates, self.columns.bounds_K2, models)
        return replace(self, models=models, columns=columns, left_out=left_out)

    def joint(self, X_ND: Array, *, name: str) -> tuple[Array, Array]:
        """Return mean [N] and covariance [N, N] of the expected scores of one column at many mixtures at once.

        The diagonal is that of `predict`. Between mixtures, benchmarks go together as in `correlation_BB`: the
        cross-covariance of two benchmarks is their correlation times the product of their covariances' square roots.
        """
        weights_B = self.weights_of(name)
        used = np.flatnonzero(weights_B)
        root_BNN = np.stack([_square_root(self.models[b].covariance(X_ND)) for b in used])
        pair_BB = self.columns.correlation_BB[np.ix_(used, used)] * np.outer(weights_B[used], weights_B[used])
        covariance_NN = np.sum(root_BNN @ np.tensordot(pair_BB, root_BNN, 1), axis=0)
        sd_N = np.sqrt(np.maximum(np.diag(covariance_NN), 0))
        # The roots of unlike benchmarks differ, and so do their errors: the spread at a mixture stays as predicted.
        wanted_N = self.predict(X_ND).sd_mean_NK[:, self.index(name)]
        ratio_N = np.divide(wanted_N, sd_N, out=np.zeros_like(sd_N), where=sd_N > 0)
        return self.mean(X_ND, name=name), np.outer(ratio_N, ratio_N) * (covariance_NN + covariance_NN.T) / 2

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


def check_surrogate(name: str) -> None:
    """Raise a ModomodoError for a name that no surrogate has."""
    if name not in SURROGATES:
        raise ModomodoError(f"unknown surrogate {name!r}; {closest(name, SURROGATES)}")


def fit(
    runs: Runs,
    *,
    surrogate: str = "ensemble",
    aggregates: Mapping[str, Mapping[str, float]] | None = None,
    direction: Direction | Mapping[str, Direction] = "higher",
    bounds: Mapping[str, tuple[float, float]] | None = None,
    steps: int | None = None,
    seed: int = 0,
) -> Fitted:
    """Return one surrogate per benchmark, and aggregates whose spread counts that benchmarks err together.

    `surrogate` is a name of SURROGATES. `aggregates` are name -> benchmark -> weight; without any there is one, called
    `aggregate`, weighted by items (`n_NB`) where all benchmarks have them, else equally, of scores that are put on one
    scale where they are not, with a note that says by how much (`runs.scale`). `direction` says which scores are
    better, for all or by benchmark. `bounds` are benchmark -> (low, high): predictions and intervals stay inside. A
    benchmark without bounds gets (0, 1) if its scores lie in [0, 1] and are shares (items known) or higher-is-better; a
    note says so. One with too few scores is left out with a warning. Where runs differ in length, predictions are for
    runs of `steps` (the longest if None): a Gaussian process learns how much shorter runs tell of them (it then stands
    alone, without the rest of an ensemble), other methods ignore length. Equal arguments give equal results.

    Raises:
        ModomodoError: for unknown names, bounds that scores leave, and tables with too few different mixtures.
    """
    check_surrogate(surrogate)
    method = SURROGATES[surrogate]
    directions = directions_of(direction, benchmarks=runs.benchmarks)
    limits, notes = bounds_of(runs, directions, dict(bounds or {}))
    notes, runs = [*runs.notes, *notes], usable_runs(runs, minimum=method.minimum, surrogate=surrogate)
    made, scale_notes = comparable_aggregates(runs, aggregates, directions=directions)
    notes += [*([] if aggregates else [_default_note(runs)]), *scale_notes, *direction_notes(runs, directions)]
    notes += flat_notes(runs) + length_notes(runs, used=_process_of(method) is not None, steps=steps)
    bounds_B2 = np.array([limits[name] for name in runs.benchmarks])
    models, columns, left_out, factor = _calibrated(runs, made, bounds_B2, _fit_each(runs, method, steps, seed))
    notes.append(f"spreads are multiplied by {factor:.2f} to fit the errors on left-out runs")
    directions |= {aggregate.name: aggregate.direction for aggregate in made}
    return Fitted(runs, surrogate, models, made, directions, columns, left_out, tuple(notes), steps, seed)


def _calibrated(
    runs: Runs, made: Sequence[Aggregate], bounds_B2: Array, models: Sequence[Adjusted]
) -> tuple[tuple[Adjusted, ...], Columns, Predictions, float]:
    """Return the models with spreads that fit their errors on left-out runs, the columns, the predictions of left-out
    runs, and what the spreads were multiplied by."""
    left_out = [_left_out(runs, b, model) for b, model in enumerate(models)]
    factor = spread_factor(_residuals(runs, left_out)) * small_sample(len(runs.labels_N))
    left_out = [scaled(found, factor) for found in left_out]
    columns = _columns(runs, made, left_out, bounds_B2[: len(models)])
    return tuple(replace(model, factor=factor) for model in models), columns, combine(left_out, columns), factor


def _default_note(runs: Runs) -> str:
    by_items = bool(np.isfinite(runs.n_NB).any(axis=0).all())
    return f"{DEFAULT} weights the benchmarks {'by their number of items' if by_items else 'equally'}"


def _columns(runs: Runs, made: Sequence[Aggregate], left_out: Sequence[Prediction], bounds_B2: Array) -> Columns:
    """Return how columns come from benchmarks; the spreads of aggregates, too, are made to fit left-out errors."""
    weights_KB = weight_table(runs.benchmarks, made)
    names = (*runs.benchmarks, *(aggregate.name for aggregate in made))
    correlation_BB = residual_correlation(_residuals(runs, left_out))
    plain = Columns(names, weights_KB, correlation_BB, column_bounds(bounds_B2, weights_KB), np.ones(len(names)))
    found = combine(left_out, plain)
    factors_K = np.ones(len(names))
    for k in np.flatnonzero(np.count_nonzero(weights_KB, axis=1) > 1):
        column = Prediction(found.mean_NK[:, k], found.sd_mean_NK[:, k], found.sd_NK[:, k])
        errors_N1 = residuals(weighted(runs.y_NB, weights_KB[k]), column)[:, None]
        factors_K[k] = spread_factor(errors_N1, pseudo_runs=OF_AN_AGGREGATE)
    return replace(plain, factors_K=factors_K)


def _square_root(covariance_NN: Array) -> Array:
    """Return the symmetric square root."""
    values_N, vectors_NN = np.linalg.eigh((covariance_NN + covariance_NN.T) / 2)
    return (vectors_NN * np.sqrt(np.maximum(values_N, 0))) @ vectors_NN.T


def _fit_each(runs: Runs, method: Surrogate, steps: int | None, seed: int) -> tuple[Adjusted, ...]:
    """Return a model per benchmark."""
    models: list[Adjusted] = []
    order_D, late_N, process = canonical_order(runs.X_ND), lateness(runs, steps), _process_of(method)
    for b, name in enumerate(runs.benchmarks):
        rows = np.flatnonzero(np.isfinite(runs.y_NB[:, b]))
        X_ND, var_N = runs.X_ND[np.ix_(rows, order_D)], np.square(runs.se_NB[rows, b])
        learn = method.fit
        if process is not None and late_N is not None:
            learn = partial(process.fit, late_N=late_N[rows])
        fitted = learn(X_ND, y_N=runs.y_NB[rows, b], var_N=var_N, seed=child_seed(seed, "fit", name))
        models.append(Adjusted(fitted, order_D))
    return tuple(models)


def _left_out(runs: Runs, b: int, model: Adjusted) -> Prediction:
    """Return leave-one-mixture-out predictions of one benchmark, NaN for runs without its score."""
    rows = np.flatnonzero(np.isfinite(runs.y_NB[:, b]))
    found = model.leave_out(runs.groups()[rows])
    full = np.full((3, len(runs.y_NB)), np.nan)
    full[:, rows] = found.mean_N, found.sd_mean_N, found.sd_new_N
    return Prediction(full[0], full[1], full[2])


def _process_of(method: Surrogate) -> GaussianProcess | None:
    """Return the member that can use the lengths of runs, None where there is none."""
    members = method.members if isinstance(method, Ensemble) else (method,)
    return next((one for one in members if isinstance(one, GaussianProcess)), None)


def _residuals(runs: Runs, left_out: Sequence[Prediction]) -> Array:
    """Return the errors on left-out runs over their predicted spreads, shape [N, B]."""
    return np.stack([residuals(y_N, found) for y_N, found in zip(runs.y_NB.T, left_out, strict=True)], axis=1)
