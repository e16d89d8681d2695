"""Before runs are fitted: the benchmarks that have enough scores, bounds of scores, lengths of runs.

Axes: N runs, B benchmarks.
"""

import warnings
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from modomodo.core.errors import ModomodoError, closest
from modomodo.mixing.aggregates import Direction
from modomodo.mixing.runs import Runs
from modomodo.mixing.surrogates.base import Array


def usable_runs(runs: Runs, *, minimum: int, surrogate: str) -> Runs:
    """Return the runs with those benchmarks that have scores at `minimum` different mixtures; warn of the others."""
    groups_N = runs.groups()
    mixtures_B = [len(np.unique(groups_N[np.isfinite(y_N)])) for y_N in runs.y_NB.T]
    kept = [b for b, mixtures in enumerate(mixtures_B) if mixtures >= minimum]
    where = f"{runs.source}: " if runs.source else ""
    need = f"{where}{surrogate} learns from at least {minimum} different mixtures"
    if not kept:
        raise ModomodoError(
            f"{need}, and no benchmark has scores at that many "
            f"(runs: {len(groups_N)}, different mixtures: {len(np.unique(groups_N))}; "
            f"{', '.join(f'{name}: {count}' for name, count in zip(runs.benchmarks, mixtures_B, strict=True))}); "
            "run more pilots at other mixtures"
        )
    for b in sorted(set(range(len(mixtures_B))) - set(kept)):
        warnings.warn(f"{runs.benchmarks[b]} is left out: {need}, and it has scores at {mixtures_B[b]}", stacklevel=3)
    missing = [f"{runs.benchmarks[b]} of {runs.labels_N[n]}" for n, b in np.argwhere(np.isnan(runs.y_NB)) if b in kept]
    if missing:
        what = "1 score is missing" if len(missing) == 1 else f"{len(missing)} scores are missing"
        some = f"{', '.join(missing[:3])}{' and others' if len(missing) > 3 else ''}"
        remedy = "fill in those you know"
        warnings.warn(
            f"{where}{what} ({some}): each benchmark is fitted on the runs that have it; {remedy}", stacklevel=3
        )
    tables = {field: getattr(runs, field)[:, kept] for field in ("y_NB", "se_NB", "n_NB")}
    return replace(runs, benchmarks=tuple(runs.benchmarks[b] for b in kept), **tables)


def bounds_of(
    runs: Runs, directions: Mapping[str, Direction], given: Mapping[str, tuple[float, float]]
) -> tuple[dict[str, tuple[float, float]], list[str]]:
    """Return benchmark -> limits, and notes about those that the user did not give."""
    for name in given:
        if name not in runs.benchmarks:
            raise ModomodoError(f"bounds of unknown benchmark {name!r}; {closest(name, runs.benchmarks)}")
    limits: dict[str, tuple[float, float]] = {}
    assumed: dict[float, list[str]] = {}
    for b, name in enumerate(runs.benchmarks):
        scores = runs.y_NB[np.isfinite(runs.y_NB[:, b]), b]
        low, high = given.get(name, (-np.inf, np.inf))
        is_share = bool(np.isfinite(runs.n_NB[:, b]).any()) or directions[name] == "higher"
        full = runs.scale.get(name, 1.0 if is_share else np.inf)
        if name not in given and np.isfinite(full) and scores.size and scores.min() >= 0 and scores.max() <= full:
            low, high = 0.0, full
            assumed.setdefault(full, []).append(name)
        if not low < high:
            raise ModomodoError(f"bounds of {name} are [{low}, {high}]: the first must be smaller")
        if scores.size and (scores.min() < low or scores.max() > high):
            raise ModomodoError(
                f"scores of {name} go from {scores.min():g} to {scores.max():g}, outside its bounds [{low}, {high}]"
            )
        limits[name] = (float(low), float(high))
    notes = [
        f"predictions of {', '.join(names)} stay inside [0, {full:g}], as their scores do (set bounds to change it)"
        for full, names in assumed.items()
    ]
    return limits, notes


def direction_notes(runs: Runs, directions: Mapping[str, Direction]) -> list[str]:
    """Return a word about benchmarks whose scores are no shares and count as better when higher: they may be losses."""
    odd = [
        name
        for name, y_N in zip(runs.benchmarks, runs.y_NB.T, strict=True)
        if directions[name] == "higher" and np.nanmax(y_N) > 1
    ]
    return [f"higher is better for {', '.join(odd)} (set direction=lower for losses)"] if odd else []


def flat_notes(runs: Runs) -> list[str]:
    """Return a word about benchmarks on which all runs score the same."""
    flat = [
        f"{name} ({y_N[np.isfinite(y_N)][0]:.4g})"
        for name, y_N in zip(runs.benchmarks, runs.y_NB.T, strict=True)
        if np.nanmin(y_N) == np.nanmax(y_N)
    ]
    if not flat:
        return []
    return [f"all runs score the same on {', '.join(flat)}, which tells nothing of mixtures: did it go wrong?"]


def lateness(runs: Runs, steps: int | None) -> Array | None:
    """Return log2(steps of each run / the steps predicted for), shape [N]; None where no length differs from them."""
    known = [float(one) for one in runs.steps_N if one is not None]
    if len(known) < len(runs.steps_N):
        return None
    late_N = np.log2(np.array(known) / (steps or max(known)))
    return late_N if np.any(late_N != 0) else None


def length_notes(runs: Runs, *, used: bool, steps: int | None) -> list[str]:
    """Return what is done about runs that differ in length, which a method uses or not; warn where it does not."""
    known = sorted({one for one in runs.steps_N if one is not None})
    if steps is not None and not known:
        raise ModomodoError(f"steps is {steps}, but no run says how long it was: add a column steps to the table")
    if len(known) < 2:
        return []
    span = f"runs have {known[0]} to {known[-1]} steps"
    if used and lateness(runs, steps) is not None:
        beyond = ", beyond any run: an extrapolation" if (steps or 0) > known[-1] else ""
        return [f"{span}: predictions are for {steps or known[-1]} steps{beyond}"]
    warnings.warn(f"{span}: the fit ignores length, which may look like an effect of the mixture", stacklevel=3)
    return []
