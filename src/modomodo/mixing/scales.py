"""What a full score is: benchmarks in shares, in percent and in points are made alike before they are averaged.

Axes: N runs, B benchmarks.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.names import words_in
from modomodo.mixing.surrogates.base import Array

Kind = Literal["share", "percent", "small", "points", "signed"]
"""Of scores: all in [0, 1]; in [0, 100] and mostly above 10; in [0, 100] otherwise; beyond 100; some below 0."""

FULL: dict[Kind, float] = {"share": 1.0, "percent": 100.0}
ALIKE: dict[frozenset[Kind], float] = {
    frozenset({"share"}): math.inf,
    frozenset({"percent"}): math.inf,
    frozenset({"percent", "small"}): math.inf,  # a hard benchmark beside easy ones
    frozenset({"small"}): 20.0,
    frozenset({"share", "small"}): 3.0,
    frozenset({"points"}): 3.0,
}
"""How many times as large the typical score of one benchmark may be as that of another on the same scale."""
WIDEST = 20.0  # the same for losses and for scores below 0, which have no full score
LOW = 10.0  # percent whose median is lower may be a rating from 1 to 5, or a loss
ONE_DECIDES = 0.9  # share of an aggregate's variance that is worth a word

LOWER = frozenset(
    {"loss", "losses", "nll", "nlls", "logloss", "ppl", "ppls", "perplexity", "bpb", "bpc", "bits", "entropy", "ce"}
    | {"xent", "crossentropy", "kl", "error", "errors", "err", "errs", "mistakes", "wer", "cer", "ter", "der", "eer"}
    | {"mae", "mse", "rmse", "nrmse", "rmsle", "mape", "smape", "brier", "ece", "fid", "kid", "fvd", "lpips", "regret"}
    | {"distance", "divergence", "deviation", "hallucination", "hallucinations", "toxicity", "latency"}
    | {"fpr", "fnr", "frr", "levenshtein", "hausdorff", "chamfer", "surprisal", "msle"}
)
"""Words in names of benchmarks that say that lower scores are better, in small letters."""


@dataclass(frozen=True)
class Divisors:
    """What the scores of each benchmark are divided by before they are averaged, and on what ground.

    `ground` is "alike" (all by 1), "stated" (by the full scores that the user gave, the others by their own), "percent"
    (percent by 100 beside shares) or "spread" (each by its standard deviation among the runs, for want of a unit).
    """

    values: dict[str, float]
    ground: Literal["alike", "stated", "percent", "spread"]


def says_lower(name: str) -> bool:
    """Return whether a whole word of a name says that lower scores are better, as in val_loss, WER or testError."""
    return not LOWER.isdisjoint(words_in(name))


def check_scale(scale: Mapping[str, float], *, benchmarks: Sequence[str], y_NB: Array) -> None:
    """Raise a ModomodoError for full scores of unknown benchmarks, below some score, or not positive."""
    for name, full in scale.items():
        if name not in benchmarks:
            raise ModomodoError(f"scale of unknown benchmark {name!r}; {closest(name, benchmarks)}")
        if not 0 < full < math.inf:
            raise ModomodoError(f"scale of {name} is {full:g}: it is a full score, so greater than 0")
        most = np.nanmax(np.append(y_NB[:, list(benchmarks).index(name)], -np.inf))
        if most > full:
            raise ModomodoError(f"scale of {name} is {full:g}, but its scores go up to {most:g}: give its full score")


def kind_of(y_N: Array, name: str = "") -> Kind | None:
    """Return the kind of scale that scores lie on, None where all are 0 or missing; `name` may say percent."""
    y_N = y_N[np.isfinite(y_N)]
    if not y_N.any():
        return None
    if y_N.min() < 0:
        return "signed"
    if y_N.max() <= 1:
        return "share"
    if y_N.max() > 100:
        return "points"
    named = "%" in name or "percent" in name.lower()
    return "percent" if named or np.median(y_N) >= LOW else "small"


def full_score(y_N: Array, name: str) -> float:
    """Return what a full score is, as far as scores show it: 100 where they are percent, else 1."""
    return FULL.get(kind_of(y_N, name) or "share", 1.0)


def divisors(
    y_NB: Array, *, benchmarks: Sequence[str], scale: Mapping[str, float], lower: Sequence[str] = ()
) -> Divisors:
    """Return what scores [N, B] are divided by, so that they can be averaged.

    `scale` are full scores that the user gave, `lower` the benchmarks whose lower scores are better.
    """
    plain = Divisors(dict.fromkeys(benchmarks, 1.0), "alike")
    kinds = _kinds(y_NB, benchmarks)
    stated = {name: scale[name] for name in benchmarks if name in scale}
    if not stated and _alike(kinds, _levels(y_NB, benchmarks), lower):
        return plain
    assumed = {name: FULL[kind] for name, kind in kinds.items() if kind in FULL and not (name in lower and not stated)}
    full = assumed | stated
    if set(kinds) <= set(full):
        if len(set(full.values())) < 2:
            return plain
        return Divisors(plain.values | full, "stated" if stated else "percent")
    spreads = {name: _spread(y_N) for name, y_N in zip(benchmarks, y_NB.T, strict=True)}
    return Divisors(spreads, "spread")


def scale_note(name: str, found: Divisors, *, y_NB: Array, benchmarks: Sequence[str]) -> str | None:
    """Return what was done to the scores of an aggregate called `name`; None where nothing was."""
    if found.ground == "alike":
        return None
    by = ", ".join(f"{one} by {value:.3g}" for one, value in found.values.items())
    if found.ground == "stated":
        return f"{name} averages scores divided by their scale: {by}"
    ranges = _ranges(y_NB, benchmarks)
    if found.ground == "percent":
        return (
            f"scores are on unlike scales ({ranges}): {name} averages shares, percent divided by 100 (set "
            f"scale.BENCHMARK to a full score if that is wrong, or {name}.BENCHMARK to weights)"
        )
    return (
        f"scores are on unlike scales ({ranges}): {name} averages scores divided by their standard deviation among the "
        f"runs ({by}); set scale.BENCHMARK to the full score of each, or {name}.BENCHMARK to weights"
    )


def decided_note(name: str, weights: Mapping[str, float], *, y_NB: Array, benchmarks: Sequence[str]) -> str | None:
    """Return a word about the one benchmark that decides an aggregate because its scale is larger, if one does."""
    used = [b for b, benchmark in enumerate(benchmarks) if weights.get(benchmark, 0.0)]
    y_NU, names = y_NB[:, used], [benchmarks[b] for b in used]
    if divisors(y_NU, benchmarks=names, scale={}).ground == "alike":
        return None
    spread_U = np.array([abs(weights[one]) * _deviation(y_N) for one, y_N in zip(names, y_NU.T, strict=True)])
    share_U = spread_U**2 / max(float(np.sum(spread_U**2)), 1e-300)
    most = int(share_U.argmax())
    if share_U[most] < ONE_DECIDES:
        return None
    return (
        f"{names[most]} makes {share_U[most]:.0%} of the variance of {name}: the weights count scores on unlike scales "
        f"({_ranges(y_NU, names)}); set scale.BENCHMARK to full scores if that is not meant"
    )


def _kinds(y_NB: Array, benchmarks: Sequence[str]) -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    for name, y_N in zip(benchmarks, y_NB.T, strict=True):
        if (kind := kind_of(y_N, name)) is not None:
            found[name] = kind
    return found


def _alike(kinds: Mapping[str, Kind], levels: Mapping[str, float], lower: Sequence[str]) -> bool:
    """Return whether scores may be averaged as they are."""
    found = frozenset(kinds.values())
    sizes = [levels[name] for name in kinds]
    ratio = max(sizes) / min(sizes) if sizes else 1.0
    losses = [name in lower for name in kinds]
    if found <= {"share"}:
        return True
    if any(losses):
        return all(losses) and ratio <= WIDEST
    return ratio <= (WIDEST if "signed" in found else ALIKE.get(found, 0.0))


def _levels(y_NB: Array, benchmarks: Sequence[str]) -> dict[str, float]:
    """Return the typical size of the scores of each benchmark that has any besides 0."""
    sizes = {name: np.abs(y_N[np.isfinite(y_N) & (y_N != 0)]) for name, y_N in zip(benchmarks, y_NB.T, strict=True)}
    return {name: float(np.median(size_N)) for name, size_N in sizes.items() if size_N.size}


def _deviation(y_N: Array) -> float:
    y_N = y_N[np.isfinite(y_N)]
    return float(np.std(y_N, ddof=1)) if len(y_N) > 1 else 0.0


def _spread(y_N: Array) -> float:
    """Return the standard deviation of scores; of equal ones their size, as they decide nothing."""
    return _deviation(y_N) or float(np.nanmax(np.abs(np.append(y_N, 0.0)))) or 1.0


def _ranges(y_NB: Array, benchmarks: Sequence[str]) -> str:
    shown = [
        f"{name} {np.nanmin(y_N):.3g} to {np.nanmax(y_N):.4g}" for name, y_N in zip(benchmarks, y_NB.T, strict=True)
    ]
    return ", ".join(shown[:6]) + (f" and {len(shown) - 6} more" if len(shown) > 6 else "")
