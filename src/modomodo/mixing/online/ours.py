"""Our rule: the fitted surrogate of pilots says which domain helps, and the log which domain still teaches.

Axes: D domains, in the order of the starting shares.
"""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.simplex import Array
from modomodo.mixing.fitted import Fitted, fit
from modomodo.mixing.online.base import Log, boltzmann, taught
from modomodo.mixing.online.rules import Count, Positive
from modomodo.mixing.table import read_runs

OUT = "out"
NUDGE = 0.1  # of the prompts, moved to a domain to see what it is expected to gain


def ours(
    start: Mapping[str, float],
    log: Log,
    *,
    pilots: Path,
    benchmarks: tuple[str, ...] = (),
    surrogate: str = "ensemble",
    temperature: Positive = 1.0,
    window: Count = 64,
) -> dict[str, float]:
    """Return more of the domains whose prompts are expected to raise the score most, as far as they still teach.

    In proportion to start_d * exp(t_d * gain_d / sd_d / temperature). gain_d is how much the surrogate, fitted to the
    table of runs `pilots`, expects the score to rise where a tenth of the run's prompts so far had been of the domain
    instead; sd_d how sure it is of that; t_d the share of the domain's last `window` prompts that taught something. The
    score is the mean over `benchmarks` (default: all of the table) by their items.

    Raises ModomodoError where the table lacks a benchmark or a domain, or has too few runs to fit.
    """
    fitted = _fitted(pilots, _digest(pilots), tuple(benchmarks), surrogate)
    domains = fitted.runs.domains
    for name in start:
        if name not in domains:
            raise ModomodoError(f"{pilots} has no runs of the domain {name!r}; {closest(name, domains)}")
    drawn_D = np.array([float(sum(step[name].prompts for step in log if name in step)) for name in start])
    now_D = drawn_D / drawn_D.sum() if drawn_D.sum() else np.array(list(start.values()))
    score_D = np.array([_sure_gain(fitted, start, now_D, index) for index in range(len(start))])
    score_D *= [taught(log, name, window=window) for name in start]
    return boltzmann(start, score_D, temperature=temperature)


def _sure_gain(fitted: Fitted, start: Mapping[str, float], now_D: Array, index: int) -> float:
    """Return the expected gain of a nudge towards a domain, in its own standard deviations."""
    toward_D = (1 - NUDGE) * now_D + NUDGE * np.eye(len(now_D))[index]
    shares = [dict(zip(start, shares_D.tolist(), strict=True)) for shares_D in (toward_D, now_D)]
    X_2D = np.array([[one.get(name, 0.0) for name in fitted.runs.domains] for one in shares])
    gain, sd = fitted.difference(X_2D, name=OUT)
    better = -1.0 if fitted.direction(OUT) == "lower" else 1.0
    return better * gain / sd if sd > 0 else 0.0


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


@lru_cache(maxsize=4)
def _fitted(path: Path, _digest: str, benchmarks: tuple[str, ...], surrogate: str) -> Fitted:
    runs = read_runs(path)
    for name in benchmarks:
        if name not in runs.benchmarks:
            raise ModomodoError(f"{path} has no scores of {name!r}; {closest(name, runs.benchmarks)}")
    chosen = benchmarks or runs.benchmarks
    items = {name: _items(runs.n_NB[:, runs.benchmarks.index(name)]) for name in chosen}
    known = all(items.values())
    return fit(runs, surrogate=surrogate, aggregates={OUT: items if known else dict.fromkeys(chosen, 1.0)})


def _items(n_N: Array) -> float:
    """Return the median number of a benchmark's items, 0 where no run tells it."""
    known_N = n_N[np.isfinite(n_N)]
    return float(np.median(known_N)) if known_N.size else 0.0
