"""recommend: the mixture that a fitted surrogate expects to be best, and how sure it is.

Axes: N candidate mixtures, D domains, K columns (benchmarks, then aggregates).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import numpy as np

from modomodo.core.errors import ModomodoError
from modomodo.core.files import REPAIR, value_of
from modomodo.core.mixture import Mixture
from modomodo.core.simplex import limits_of
from modomodo.mixing.aggregates import Direction
from modomodo.mixing.confirmation import seeds_to_find
from modomodo.mixing.fitted import Fitted
from modomodo.mixing.gain import Gain, gain_of
from modomodo.mixing.optimise import best_mixture, simplest_mixture
from modomodo.mixing.predictions import Predictions
from modomodo.mixing.replicates import replicates_note
from modomodo.mixing.surrogates.base import Array

VERSION = 1
MANY = 200  # runs that nobody spends on one question


@dataclass(frozen=True)
class Forecast:
    """A predicted score: its mean, the doubt about the mean, and the 50 and 90 % intervals of one new run."""

    mean: float
    sd_mean: float
    sd: float
    lo50: float
    hi50: float
    lo90: float
    hi90: float


@dataclass(frozen=True)
class Recommendation:
    """A mixture, what is expected of it, and whether it can be told from the reference.

    `gain` is the expected improvement of `objective` over the reference (positive is better, whatever the direction),
    with its 90 % interval and the `probability` that it is positive, as several surrogates judge it (`gain_of`);
    `gain_if_any` is what is expected if weights tell at all how a mixture does (None in files of older versions).
    `nearest_run` is the run closest in total variation, `distance` how far. `more_runs` is how many further runs, in
    matched pairs, find that 8 times in 10 (`detectable_difference`): 0 when the two are told apart already, None when
    no gain is expected, or 200 runs are too few. `given_up` is the loss that was allowed for a
    simpler mixture.
    """

    mixture: Mixture
    reference: Mixture
    objective: str
    direction: Direction
    surrogate: str
    forecasts: dict[str, Forecast]
    reference_forecasts: dict[str, Forecast]
    gain: float
    gain_lo90: float
    gain_hi90: float
    probability: float
    nearest_run: str
    distance: float
    more_runs: int | None
    caps: dict[str, tuple[float, float]]
    given_up: float
    runs: int
    notes: tuple[str, ...]
    sentence: str
    gain_if_any: float | None = None

    @property
    def to_find(self) -> float:
        """The gain that a test should be able to find: what is expected if there is any."""
        return self.gain if self.gain_if_any is None else self.gain_if_any

    @property
    def kept(self) -> bool:
        """Whether it is the reference itself."""
        return self.mixture.distance(self.reference) < 1e-9

    @property
    def distinguishable(self) -> bool:
        """Whether the 90 % interval of the gain excludes 0."""
        return self.gain_lo90 > 0 or self.gain_hi90 < 0

    @classmethod
    def from_dict(cls, data: Mapping[str, object], *, where: object = "the recommendation") -> "Recommendation":
        """Return a recommendation from its JSON values, read from the file `where`.

        Raises ModomodoError for those of another version, and for damaged ones.
        """
        mixtures = {name: asdict(recommended_mixture(data, name, where=where)) for name in ("mixture", "reference")}
        return value_of(cls, {**data, **mixtures}, where=where)

    def as_dict(self) -> dict[str, Any]:
        """Return the recommendation as JSON values: the fields, `version`, and mixtures as domain -> weight."""
        fields = asdict(self) | {"mixture": self.mixture.as_dict(), "reference": self.reference.as_dict()}
        caps = {name: list(ends) for name, ends in self.caps.items()}
        return {"version": VERSION} | fields | {
            "caps": caps, "notes": list(self.notes), "distinguishable": self.distinguishable
        }  # fmt: skip


def recommend(
    fitted: Fitted,
    *,
    objective: str | None = None,
    caps: Mapping[str, tuple[float, float]] | None = None,
    reference: Mixture | None = None,
    parsimony: float = 0.0,
    seed: int = 0,
) -> Recommendation:
    """Return the mixture with the best posterior mean of `objective` inside `caps`, never the best observed run.

    `objective` is a benchmark or aggregate (the first aggregate if None); `caps` are domain -> (least, greatest);
    `reference` is what it is compared with (equal shares if None; it may break the caps). `seed` draws the starts of
    the search. With `parsimony` above 0 the answer is the simplest mixture whose expected score is at most so much
    worse than the best: the reference if it is one, else that of the fewest domains. Equal arguments give equal
    results. Where nothing is expected to beat the reference, that is returned.

    Raises:
        ModomodoError: for unknown names, and caps that no mixture satisfies.
    """
    domains = fitted.runs.domains
    name = objective if objective is not None else fitted.aggregates[0].name
    better = 1.0 if fitted.direction(name) == "higher" else -1.0
    reference = reference or Mixture.uniform(domains)
    if not (np.isfinite(parsimony) and parsimony >= 0):
        raise ModomodoError(f"parsimony is {parsimony}: write a loss in the units of {name}, 0 or more")
    starts_ND = np.vstack([reference.vector(domains), fitted.runs.X_ND])
    limits_2D = limits_of(caps or {}, domains)

    def value(X_ND: Array) -> Array:
        return better * fitted.mean(X_ND, name=name)

    best_D = best_mixture(value, starts_ND=starts_ND, limits_2D=limits_2D, seed=seed)
    if parsimony > 0:
        best_D = simplest_mixture(value, best_D=best_D, starts_ND=starts_ND, limits_2D=limits_2D, loss=parsimony)
    mixture = Mixture(domains, tuple(float(weight) for weight in best_D))
    ends = {key: (float(low), float(high)) for key, (low, high) in (caps or {}).items()}
    return _with_sentence(replace(_compared(fitted, mixture, reference, name), caps=ends, given_up=parsimony))


def recommended_mixture(data: Mapping[str, object], name: str = "mixture", *, where: object) -> Mixture:
    """Return a mixture of a recommendation's JSON values, read from the file `where`.

    Raises ModomodoError for those of another version, and for damaged ones.
    """
    if data.get("version") != VERSION:
        raise ModomodoError(
            f"{where} has version {data.get('version')!r}, and this modomodo reads {VERSION}: make it again "
            "with `modomodo recommend`"
        )
    weights = data.get(name)
    if not isinstance(weights, dict):
        raise ModomodoError(f"{where} is damaged ({name}: {weights!r} is no table of weights): {REPAIR}")
    return Mixture.of(cast(dict[str, float], weights))


def predicted_gain(
    fitted: Fitted, mixture: Mixture, *, objective: str, reference: Mixture | None = None
) -> tuple[float, float, float]:
    """Return what a mixture is expected to gain on the reference (equal shares if None), with its 90 % interval.

    Positive is better, whatever the direction of `objective`.
    """
    found = _compared(fitted, mixture, reference or Mixture.uniform(fitted.runs.domains), objective)
    return found.gain, found.gain_lo90, found.gain_hi90


def _compared(fitted: Fitted, mixture: Mixture, reference: Mixture, name: str) -> Recommendation:
    """Return what is expected of a mixture beside the reference, still without caps and sentence."""
    domains = fitted.runs.domains
    pair_ND = np.vstack([mixture.vector(domains), reference.vector(domains)])
    gain = gain_of(fitted, pair_ND, name=name)
    table = fitted.predict(pair_ND)
    column = fitted.index(name)
    noise = float(np.mean(table.sd_NK[:, column] ** 2 - table.sd_mean_NK[:, column] ** 2))
    widest = float(np.ptp(fitted.columns.bounds_K2[fitted.index(name)]))  # bounded scores cannot differ by more
    forecasts = _forecasts(table)
    apart_N = np.abs(fitted.runs.X_ND - pair_ND[0]).sum(axis=1) / 2
    nearest = int(np.argmin(apart_N))
    return Recommendation(
        mixture=mixture,
        reference=reference,
        objective=name,
        direction=fitted.direction(name),
        surrogate=fitted.surrogate,
        forecasts=forecasts[0],
        reference_forecasts=forecasts[1],
        gain=gain.mean,
        gain_lo90=max(gain.low, -widest),
        gain_hi90=min(gain.high, widest),
        probability=gain.probability,
        nearest_run=fitted.runs.labels_N[nearest],
        distance=float(apart_N[nearest]),
        more_runs=_more_runs(gain, noise),
        caps={},
        given_up=0.0,
        runs=len(fitted.runs.labels_N),
        notes=(*fitted.notes, *replicates_note(fitted, name=name)),
        sentence="",
        gain_if_any=min(gain.if_any, widest),
    )


def _with_sentence(found: Recommendation) -> Recommendation:
    """Return the recommendation with the sentence that a person reads."""
    equal = found.reference.distance(Mixture.uniform(found.mixture.domains)) < 1e-9
    other = "equal shares" if equal else f"the reference ({found.reference})"
    doubt = (
        f"{found.gain:+.3g} (90 % interval {found.gain_lo90:+.3g} to {found.gain_hi90:+.3g}, "
        f"probability of being better {found.probability:.2f}), from {found.runs} runs"
    )
    better = "" if found.direction == "higher" else ", as improvement (lower scores are better)"
    if found.kept and found.given_up > 0:
        sentence = f"Keep {other}: no mixture within the caps is expected to beat it on {found.objective} by more than "
        sentence += f"the {found.given_up:g} that you give up for a simpler mixture."
    elif found.kept:
        sentence = f"No mixture within the caps is expected to beat {other} on {found.objective}: keep it."
    elif found.gain < 0:
        sentence = f"No mixture within the caps is expected to beat {other} on {found.objective}: the best of them, "
        sentence += f"{found.mixture}, is expected to gain {doubt}{better}."
    elif found.distinguishable:
        sentence = f"Train on {found.mixture}: expected gain over {other} on {found.objective} {doubt}{better}."
    else:
        test = f"it takes more than {MANY} further runs, even if the mixture matters."
        if found.more_runs is not None:
            test = f"if the mixture matters, the gain is {found.to_find:+.3g}, and {found.more_runs} further runs in "
            test += "matched pairs find it 8 times in 10."
        sentence = f"Not distinguishable from {other} on {found.objective}: the best guess is {found.mixture}, "
        sentence += f"with an expected gain of {doubt}{better}. "
        sentence += f"Keep {other} until a test on fresh seeds tells them apart: {test}"
    return replace(found, sentence=sentence)


def _more_runs(gain: Gain, noise: float) -> int | None:
    """Return how many runs of `confirm` find the gain, 0 where its interval tells it already.

    `noise` is the variance of one run around its expected score.
    """
    if gain.low > 0 or gain.high < 0:
        return 0
    seeds = seeds_to_find(gain.if_any, float(np.sqrt(max(noise, 0.0))), most=MANY // 2)
    return None if seeds is None else 2 * seeds


def _forecasts(table: Predictions) -> list[dict[str, Forecast]]:
    """Return column -> forecast for each mixture."""
    lo50_NK, hi50_NK = table.interval(0.5)
    lo90_NK, hi90_NK = table.interval(0.9)
    parts = (table.mean_NK, table.sd_mean_NK, table.sd_NK, lo50_NK, hi50_NK, lo90_NK, hi90_NK)
    return [
        {name: Forecast(*(float(part_NK[n, k]) for part_NK in parts)) for k, name in enumerate(table.names)}
        for n in range(len(table.mean_NK))
    ]
