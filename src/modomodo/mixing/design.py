"""Designs: the mixtures that pilots run at.

Axes: N candidate mixtures, D domains, P terms of a model, C chosen mixtures.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast

import numpy as np

from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.core.seeds import child_rng
from modomodo.core.simplex import Array, project, rounded, whole_caps

Labelled = tuple[str, Mixture]
Gain = Callable[[Sequence[int]], Array]
CANDIDATES = 11  # as a power of 2
FLOOR = 1e-3  # added to a weight before its logarithm, as the default surrogate does
RIDGE = 0.1  # of the information matrix, in standardised terms: with fewer mixtures than terms it has no other inverse
PASSES = 20  # of the exchange; a few are enough
SLACK = 1e-9  # within which two candidates are equally good, so that no machine's rounding makes another design


def seed_design(domains: Sequence[str]) -> tuple[Labelled, ...]:
    """Return the paper's seed set as (label, mixture): each domain alone, each left out, and equal shares.

    A label is what `Mixture.parse` reads. One domain cannot be left out of itself and has no `exclude`.
    Raises ModomodoError without a domain, or when one is named twice.
    """
    _check_domains(domains)
    labels = [f"single:{name}" for name in domains]
    if len(domains) > 1:
        labels += [f"exclude:{name}" for name in domains]
    return tuple((label, Mixture.parse(label, domains)) for label in (*labels, "equal"))


def space_filling(
    domains: Sequence[str], *, count: int, limits_2D: Array, seed: int, candidates_ND: Array | None = None
) -> tuple[Labelled, ...]:
    """Return `count` mixtures as far from each other as an exchange gets them (maximin), as (label, mixture).

    Equal shares stand first, or the nearest to them; the others, `space:1` and so on, each farthest from those before.
    The distance is Euclidean between square roots of the weights (Hellinger's). Measured with the default surrogate,
    these beat logarithms on 11 noisy runs of 5 domains (logarithms push nearly all mixtures to where domains vanish)
    and plain weights on 18 runs of RegMix's 17 domains (plain weights hardly tell 0 from a little).

    Args:
        domains: names, in the order of the arrays.
        count: mixtures wanted.
        limits_2D: least and greatest weights, as `simplex.limits_of` returns them.
        seed: draws the candidates: scrambled Sobol points, spread evenly over the simplex.
        candidates_ND: mixtures to choose from instead, taken as they are; those outside the limits are not chosen.

    Raises:
        ModomodoError: for wrong names or candidates, and when fewer than `count` mixtures lie within the limits.
    """
    pool_ND = _pool(domains, count, limits_2D, seed, candidates_ND)
    return _designed("space", domains, pool_ND, _chosen(_apart(np.sqrt(pool_ND)), count))


def d_optimal(
    domains: Sequence[str], *, count: int, limits_2D: Array, seed: int, candidates_ND: Array | None = None
) -> tuple[Labelled, ...]:
    """Return `count` mixtures that determine a model best: greatest log det of its information, by greedy exchange.

    The model is linear in log(w + 1e-3), with squares where there are mixtures enough for all its terms. Order,
    arguments and errors are those of `space_filling`; labels are `d-optimal:1` and so on. (Fedorov 1972.)
    """
    pool_ND = _pool(domains, count, limits_2D, seed, candidates_ND)
    log_ND = np.log(pool_ND + FLOOR)
    spread_D = log_ND.std(axis=0)
    # A domain that the caps hold fixed has no spread and says nothing.
    z_ND = (log_ND - log_ND.mean(axis=0)) / np.where(spread_D > SLACK, spread_D, 1.0)
    squares = [z_ND**2] if count >= 2 * len(domains) + 1 else []
    terms_NP = np.hstack([np.ones((len(z_ND), 1)), z_ND, *squares])
    return _designed("d-optimal", domains, pool_ND, _chosen(_informative(terms_NP), count))


def _check_domains(domains: Sequence[str]) -> None:
    if not domains or len(set(domains)) < len(domains):
        raise ModomodoError(f"a design needs domains, each named once, got {', '.join(domains) or 'none'}")


def _pool(domains: Sequence[str], count: int, limits_2D: Array, seed: int, candidates_ND: Array | None) -> Array:
    """Return the different mixtures to choose from, equal shares or the nearest to them first."""
    _check_domains(domains)
    if count < 1:
        raise ModomodoError(f"a design of {count} mixtures: ask for at least 1")
    low_D: Array = limits_2D[0]
    high_D: Array = limits_2D[1]
    equal_D = np.full(len(domains), 1 / len(domains))
    if candidates_ND is None:
        pool_ND = np.vstack([_nearest(equal_D, low_D, high_D), _drawn(low_D, high_D, seed)])
    elif candidates_ND.ndim != 2 or candidates_ND.shape[1] != len(domains):
        raise ModomodoError(f"candidates have shape {candidates_ND.shape}: they need {len(domains)} columns, by domain")
    else:
        inside_N = ((candidates_ND >= low_D - SLACK) & (candidates_ND <= high_D + SLACK)).all(axis=1)
        pool_ND = candidates_ND[inside_N]
        apart_N = np.abs(pool_ND - equal_D).sum(axis=1)
        pool_ND = pool_ND[np.argsort(apart_N > apart_N.min(initial=2.0) + SLACK, kind="stable")]
    firsts = np.unique(np.round(pool_ND, 9), axis=0, return_index=True)[1]
    if len(firsts) < count:
        raise ModomodoError(
            f"{count} different mixtures are wanted, but only {len(firsts)} candidates lie within the caps: "
            "widen the caps or ask for fewer"
        )
    return pool_ND[np.sort(firsts)]


def _nearest(x_D: Array, low_D: Array, high_D: Array) -> Array:
    """Return the mixture itself if it lies within the caps, else the nearest that does, in ten-thousandths."""
    if ((x_D >= low_D) & (x_D <= high_D)).all():
        return x_D
    return rounded(project(x_D[None], low_D, high_D)[0], low_D, high_D)


def _drawn(low_D: Array, high_D: Array, seed: int) -> Array:
    """Return mixtures spread evenly between the caps, in ten-thousandths, shape [N, D]."""
    from scipy.stats import qmc  # pyright: ignore[reportMissingTypeStubs]

    low_D, high_D = whole_caps(low_D, high_D)
    sobol = cast(Any, qmc).Sobol(len(low_D), scramble=True, seed=child_rng(seed, "design", "candidates"))
    # Even in the cube, then even in the simplex: gammas of shape 1, which are exponentials, make Dirichlet(1, ..., 1).
    gamma_ND = np.maximum(-np.log1p(-np.asarray(sobol.random_base2(CANDIDATES), dtype=np.float64)), 1e-12)
    drawn_ND = low_D + (1 - low_D.sum()) * gamma_ND / gamma_ND.sum(axis=1, keepdims=True)
    return np.array([rounded(x_D, low_D, high_D) for x_D in project(drawn_ND, low_D, high_D)])


def _designed(word: str, domains: Sequence[str], pool_ND: Array, chosen: Sequence[int]) -> tuple[Labelled, ...]:
    """Return the chosen mixtures with labels: the first first, then always the one farthest from those before it."""
    chosen_CD = pool_ND[chosen]
    chosen_CD = chosen_CD[_chosen(_apart(np.sqrt(chosen_CD)), len(chosen), passes=0)]
    mixtures = [Mixture(tuple(domains), tuple(float(weight) for weight in x_D)) for x_D in chosen_CD]
    equal = int(np.ptp(chosen_CD[0]) < SLACK)
    labels = ["equal"] * equal + [f"{word}:{index + 1}" for index in range(len(mixtures) - equal)]
    return tuple(zip(labels, mixtures, strict=True))


def _chosen(gain: Gain, count: int, *, passes: int = PASSES) -> list[int]:
    """Return `count` candidates, 0 first: greedily those of greatest gain, then exchanged one by one while that gains.

    `gain` maps chosen candidates to what each candidate would add to them, shape [N].
    """
    chosen = [0]
    while len(chosen) < count:
        chosen.append(_best(gain(chosen), taken=chosen))
    for _ in range(passes):
        before = list(chosen)
        for place in range(1, count):
            rest = chosen[:place] + chosen[place + 1 :]
            chosen[place] = _best(gain(rest), taken=rest, kept=chosen[place])
        if chosen == before:
            break
    return chosen


def _best(gain_N: Array, *, taken: Sequence[int], kept: int | None = None) -> int:
    """Return the candidate of greatest gain, not among those taken: `kept` if none is better, else the first such."""
    free_N = gain_N.copy()
    free_N[list(taken)] = -np.inf
    best_N = free_N >= free_N.max() * (1 - SLACK)
    return kept if kept is not None and best_N[kept] else int(np.argmax(best_N))


def _apart(z_ND: Array) -> Gain:
    """Return what maximin gains by a candidate: its distance from the nearest of those chosen."""

    @cache
    def distance(row: int) -> Array:
        return np.linalg.norm(z_ND - z_ND[row], axis=1)

    return lambda chosen: np.min([distance(row) for row in chosen], axis=0)


def _informative(terms_NP: Array) -> Gain:
    """Return what D-optimality gains by a candidate with terms f: f' M^-1 f, M the information of those chosen."""

    def gain(chosen: Sequence[int]) -> Array:
        chosen_CP = terms_NP[list(chosen)]
        information_PP = chosen_CP.T @ chosen_CP + RIDGE * np.eye(terms_NP.shape[1])
        return np.sum(terms_NP * np.linalg.solve(information_PP, terms_NP.T).T, axis=1)

    return gain
