"""The search for the best mixture within caps.

Axes: N candidate mixtures, D domains.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from modomodo.errors import ModomodoError, closest
from modomodo.seeds import child_rng
from modomodo.surrogate.base import Array

CANDIDATES = 1024  # of each sparsity, before the best are refined
UNIT = 1e-4  # of the answer's shares
STEPS = (0.8, 0.3, 0.1)  # of the refinement, in log weights


def limits_of(caps: Mapping[str, tuple[float, float]], domains: Sequence[str]) -> Array:
    """Return least and greatest weights, shape [2, D], after checking that a mixture fits between them.

    Raises:
        ModomodoError: for an unknown domain, caps out of order, and caps that no mixture satisfies.
    """
    low_D, high_D = np.zeros(len(domains)), np.ones(len(domains))
    for name, (least, most) in caps.items():
        if name not in domains:
            raise ModomodoError(f"cap on unknown domain {name!r}; {closest(name, domains)}")
        if not 0 <= least <= most <= 1:
            raise ModomodoError(f"caps of {name} are {least} to {most}: 0 <= min <= max <= 1 is needed")
        low_D[domains.index(name)], high_D[domains.index(name)] = least, most
    if low_D.sum() > 1 + 1e-9 or high_D.sum() < 1 - 1e-9:
        raise ModomodoError(
            f"no mixture satisfies the caps: least weights sum to {low_D.sum():.6g}, greatest to {high_D.sum():.6g}; "
            "1 must lie between"
        )
    return np.vstack([low_D, high_D])


def best_mixture(value: Callable[[Array], Array], *, starts_ND: Array, limits_2D: Array, seed: int) -> Array:
    """Return the mixture of greatest `value` within the limits, shape [D]; the first start unless another beats it.

    `value` maps mixtures [N, D] to [N]. Random mixtures of several sparsities, then random steps around the best, then
    SLSQP from the best few.
    """
    low_D: Array = limits_2D[0]
    high_D: Array = limits_2D[1]
    rng = child_rng(seed, "search")
    domains = len(low_D)
    drawn = [rng.dirichlet(np.full(domains, alpha), CANDIDATES) for alpha in (0.2, 1.0, 5.0)]
    points_ND = _project(np.vstack([starts_ND, np.eye(domains), *drawn]), low_D, high_D)
    first_D, value_N = points_ND[0], value(points_ND)
    least, spread = float(value_N[0]), float(np.std(value_N))
    for step in STEPS:
        top = np.argsort(-value_N, kind="stable")[:16]
        near_ND = (points_ND[top] + 1e-3).repeat(CANDIDATES // 16, axis=0)
        near_ND = near_ND * np.exp(step * rng.normal(size=near_ND.shape))
        near_ND = _project(near_ND / near_ND.sum(axis=1, keepdims=True), low_D, high_D)
        points_ND, value_N = np.vstack([points_ND[top], near_ND]), np.r_[value_N[top], value(near_ND)]
    top = np.argsort(-value_N, kind="stable")[:4]
    polished_ND = np.vstack([_polish(value, points_ND[row], low_D, high_D, spread) for row in top])
    points_ND, value_N = np.vstack([points_ND[top], polished_ND]), np.r_[value_N[top], value(polished_ND)]
    best = int(np.argmax(value_N))
    best_D = points_ND[best] if value_N[best] > least + 1e-9 * spread + 1e-15 else first_D
    if best_D is first_D:
        return np.asarray(best_D, dtype=np.float64)
    return _rounded(best_D, low_D, high_D)


def _rounded(best_D: Array, low_D: Array, high_D: Array) -> Array:
    """Return the mixture in ten-thousandths, those of greatest remainder rounded up, still within the caps.

    Beyond that a share means nothing, and its digits depend on how many threads the machine adds with.
    """
    within_D = np.clip(np.floor(best_D / UNIT + 1e-3), np.ceil(low_D / UNIT - 1e-6), np.floor(high_D / UNIT + 1e-6))
    left = round(1 / UNIT - float(within_D.sum()))
    room_D = within_D + 1 <= high_D / UNIT + 1e-6
    order = np.argsort(-np.where(room_D, best_D / UNIT - within_D, -np.inf), kind="stable")
    if not 0 <= left <= int(room_D.sum()):
        return best_D  # caps finer than the unit
    within_D[order[:left]] += 1
    return np.clip(within_D * UNIT, low_D, high_D)


def _polish(value: Callable[[Array], Array], start_D: Array, low_D: Array, high_D: Array, spread: float) -> Array:
    """Return the local maximum that SLSQP reaches from `start_D`."""
    from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

    step = 1e-6
    scale = spread if spread > 0 else 1.0

    def loss(x_D: Array) -> tuple[float, Array]:
        x_D = np.maximum(x_D, 0)
        value_N = value(np.vstack([x_D, x_D + step * np.eye(len(x_D))])) / scale
        return -float(value_N[0]), -(value_N[1:] - value_N[0]) / step

    def excess(x_D: Array) -> float:
        return float(x_D.sum()) - 1

    found = cast(Any, optimize).minimize(
        loss,
        start_D,
        jac=True,
        method="SLSQP",
        bounds=list(zip(low_D, high_D, strict=True)),
        constraints=[{"type": "eq", "fun": excess}],
        options={"maxiter": 60, "ftol": 1e-9},
    )
    x_D = np.asarray(found.x, dtype=np.float64)
    return _project(x_D[None], low_D, high_D)[0] if np.isfinite(x_D).all() else start_D


def _project(X_ND: Array, low_D: Array, high_D: Array) -> Array:
    """Return the nearest mixtures within the caps: clip(x - t, low, high), with t such that the sum is 1."""
    below_N: Array = np.min(X_ND - high_D, axis=1)
    above_N: Array = np.max(X_ND - low_D, axis=1)
    for _ in range(100):
        middle_N = (below_N + above_N) / 2
        over_N = np.sum(np.clip(X_ND - middle_N[:, None], low_D, high_D), axis=1) > 1
        below_N = np.where(over_N, middle_N, below_N)
        above_N = np.where(over_N, above_N, middle_N)
    return np.clip(X_ND - above_N[:, None], low_D, high_D)
