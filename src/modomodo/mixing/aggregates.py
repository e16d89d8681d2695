"""Aggregates: weighted means of benchmarks on one scale, their direction, and how benchmarks err together.

Axes: N runs, B benchmarks.
"""

import json
import shlex
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from modomodo.core.errors import ModomodoError, closest
from modomodo.mixing.runs import Runs
from modomodo.mixing.scales import decided_note, divisors, says_lower, scale_note
from modomodo.mixing.surrogates.base import Array

Direction = Literal["higher", "lower"]
DEFAULT = "aggregate"


@dataclass(frozen=True)
class Aggregate:
    """A weighted mean of benchmarks: `weights` name -> what its score is multiplied by, and the better `direction`.

    Weights are shares that sum to 1, divided by the scales of the scores where these are unlike. A lower-is-better
    benchmark beside higher-is-better ones counts negatively.
    """

    name: str
    weights: dict[str, float]
    direction: Direction

    def vector(self, benchmarks: Sequence[str]) -> Array:
        """Return the weights in the order of `benchmarks`, shape [B]."""
        return np.array([self.weights.get(name, 0.0) for name in benchmarks])


def directions_of(direction: Direction | Mapping[str, Direction], *, benchmarks: Sequence[str]) -> dict[str, Direction]:
    """Return benchmark -> direction; benchmarks that a mapping leaves out are higher-is-better.

    Raises ModomodoError for unknown benchmarks, and for those whose names say that lower is better while nothing was
    said of them: "higher" for all is what holds where nobody said anything.
    """
    common: Direction = direction if isinstance(direction, str) else "higher"
    given: Mapping[str, Direction] = {} if isinstance(direction, str) else direction
    for name in given:
        if name not in benchmarks:
            raise ModomodoError(f"direction of unknown benchmark {name!r}; {closest(name, benchmarks)}")
    for value in (common, *given.values()):
        if value not in ("higher", "lower"):
            raise ModomodoError(f"direction is {value!r}; write 'higher' or 'lower' (which scores are better)")
    unsaid = [name for name in benchmarks if name not in given and common == "higher" and says_lower(name)]
    if unsaid:
        raise ModomodoError(
            f"by their names lower scores may be better for {', '.join(unsaid)}, and nothing was said of their "
            f"direction: write {_typed(unsaid)} (or =higher where higher is better)"
        )
    return {name: given.get(name, common) for name in benchmarks}


def _typed(names: Sequence[str]) -> str:
    """Return what to type so that lower scores of these benchmarks are better."""
    if any(set(name) & set(".=") for name in names):
        table = ", ".join(f'{json.dumps(name, ensure_ascii=False)} = "lower"' for name in names)
        return f"--set {shlex.quote(f'direction={{{table}}}')}"
    return " ".join(f"--set {shlex.quote(f'direction.{name}=lower')}" for name in names)


def aggregate_of(
    name: str,
    *,
    weights: Mapping[str, float],
    directions: Mapping[str, Direction],
    by: Mapping[str, float] | None = None,
) -> Aggregate:
    """Return the aggregate with these weights, divided by their sum, of scores divided by those of `by`.

    Where all its benchmarks share a direction, that is its own; else lower-is-better benchmarks count negatively,
    higher is better, and a warning says so.

    Raises:
        ModomodoError: for a benchmark that `directions` lacks, a weight that is negative or not finite, or no weight.
    """
    for benchmark, weight in weights.items():
        if benchmark not in directions:
            raise ModomodoError(
                f"aggregate {name} weights unknown benchmark {benchmark!r}; {closest(benchmark, directions)}"
            )
        if not np.isfinite(weight) or weight < 0:
            raise ModomodoError(
                f"aggregate {name} gives {benchmark} the weight {weight}: weights must be finite and not negative"
            )
    used = {benchmark: float(weight) for benchmark, weight in weights.items() if weight > 0}
    if not used:
        raise ModomodoError(f"aggregate {name} gives no benchmark a positive weight")
    total = sum(used.values())
    shares = {one: weight / total / (by or {}).get(one, 1.0) for one, weight in used.items()}
    lower = [benchmark for benchmark in used if directions[benchmark] == "lower"]
    if len(lower) in (0, len(used)):
        return Aggregate(name, shares, "lower" if lower else "higher")
    warnings.warn(
        f"aggregate {name} mixes directions: {', '.join(lower)} (lower is better) counts negatively, higher is better",
        stacklevel=2,
    )
    signed = {benchmark: -share if benchmark in lower else share for benchmark, share in shares.items()}
    return Aggregate(name, signed, "higher")


def default_weights(n_NB: Array, *, benchmarks: Sequence[str]) -> dict[str, float]:
    """Return weights by the median number of items where every benchmark has one, else equal ones."""
    if np.isfinite(n_NB).any(axis=0).all():
        return dict(zip(benchmarks, np.nanmedian(n_NB, axis=0).tolist(), strict=True))
    return dict.fromkeys(benchmarks, 1.0)


def comparable_aggregates(
    runs: Runs, given: Mapping[str, Mapping[str, float]] | None, *, directions: Mapping[str, Direction]
) -> tuple[tuple[Aggregate, ...], tuple[str, ...]]:
    """Return the given aggregates over the benchmarks of `runs`, or the default one, and notes about their scales.

    Unlike scales are made alike for the default aggregate. Weights that the user gave count scores as they stand,
    unless full scores are given too; a note says which benchmark then decides.
    """
    named = given or {DEFAULT: default_weights(runs.n_NB, benchmarks=runs.benchmarks)}
    used: dict[str, Direction] = {benchmark: directions[benchmark] for benchmark in runs.benchmarks}
    made: list[Aggregate] = []
    notes: list[str | None] = []
    for name, weights in named.items():
        if name in runs.benchmarks:
            raise ModomodoError(f"aggregate {name} bears the name of a benchmark: choose another")
        if given and not runs.scale:
            made.append(aggregate_of(name, weights=weights, directions=used))
            notes.append(decided_note(name, made[-1].weights, y_NB=runs.y_NB, benchmarks=runs.benchmarks))
            continue
        kept = [b for b, benchmark in enumerate(runs.benchmarks) if weights.get(benchmark)]
        y_NU, names = runs.y_NB[:, kept], [runs.benchmarks[b] for b in kept]
        lower = [one for one in names if used[one] == "lower"]
        found = divisors(y_NU, benchmarks=names, scale=runs.scale, lower=lower)
        made.append(aggregate_of(name, weights=weights, directions=used, by=found.values))
        notes.append(scale_note(name, found, y_NB=y_NU, benchmarks=names))
    return tuple(made), tuple(note for note in notes if note)


def residual_correlation(residuals_NB: Array) -> Array:
    """Return the correlation of the benchmarks' residuals, shape [B, B], shrunk towards their mean correlation.

    `residuals_NB` are leave-one-out errors over their predicted spreads, NaN where a score is missing; they are
    expected to be 0, so nothing is subtracted. A pair with fewer than 3 common runs takes the mean. The target is the
    common correlation, not 0: independence would make the aggregate's interval too narrow. Intensity after Schäfer and
    Strimmer (2005), made positive semi-definite by clipping eigenvalues.
    """
    count = residuals_NB.shape[1]
    upper = np.triu_indices(count, 1)
    known_NB = np.isfinite(residuals_NB)
    filled_NB = np.where(known_NB, residuals_NB, 0.0)
    common_BB = known_NB.T.astype(float) @ known_NB
    norm_BB = np.sqrt((filled_NB**2).T @ known_NB)
    scale_BB = norm_BB * norm_BB.T
    raw_BB = np.divide(filled_NB.T @ filled_NB, scale_BB, out=np.zeros((count, count)), where=scale_BB > 0)
    raw_P, common_P = raw_BB[upper], common_BB[upper]
    usable_P = common_P >= 3
    if not usable_P.any():
        return np.eye(count)
    target = float(raw_P[usable_P].mean())
    noise = float(np.sum((1 - raw_P[usable_P] ** 2) ** 2 / (common_P[usable_P] - 1)))
    spread = float(np.sum((raw_P[usable_P] - target) ** 2))
    shrink = min(1.0, noise / spread) if spread > 0 else 1.0
    mixed_P = np.where(usable_P, shrink * target + (1 - shrink) * raw_P, target)
    correlation_BB = np.eye(count)
    correlation_BB[upper] = mixed_P
    correlation_BB.T[upper] = mixed_P
    values_B, vectors_BB = np.linalg.eigh(correlation_BB)
    clipped_BB = (vectors_BB * np.maximum(values_B, 1e-9)) @ vectors_BB.T
    size_B = np.sqrt(np.diag(clipped_BB))
    return clipped_BB / size_B[:, None] / size_B
