"""The search for the best mixture within caps.

Axes: N candidate mixtures, D domains.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from modomodo.core.seeds import child_rng
from modomodo.core.simplex import project, rounded
from modomodo.mixing.surrogates.adjusted import canonical_order
from modomodo.mixing.surrogates.base import Array

CANDIDATES = 1024  # of each sparsity, before the best are refined
STEPS = (0.8, 0.3, 0.1)  # of the refinement, in log weights
SMALL = (0.003, 0.01, 0.03)  # shares that may be worth nothing

Value = Callable[[Array], Array]


def best_mixture(value: Value, *, starts_ND: Array, limits_2D: Array, seed: int) -> Array:
    """Return the mixture of greatest `value` within the limits, shape [D]; the first start unless another beats it.

    `value` maps mixtures [N, D] to [N]. Random mixtures of several sparsities, then random steps around the best, then
    the same without their small shares, then SLSQP from the best few. Permuting the domains permutes the answer.
    """
    from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingTypeStubs]

    order_D = canonical_order(np.vstack([starts_ND, limits_2D]))
    back_D = np.argsort(order_D)
    low_D, high_D = limits_2D[:, order_D]
    with threadpool_limits(1):  # the order of sums, and so last digits, would depend on the machine
        return _best(lambda X_ND: value(X_ND[:, back_D]), starts_ND[:, order_D], low_D, high_D, seed)[back_D]


def simplest_mixture(value: Value, *, best_D: Array, starts_ND: Array, limits_2D: Array, loss: float) -> Array:
    """Return the simplest mixture whose `value` is at most `loss` below that of `best_D`, shape [D].

    That is the first start, where it is good enough; else the one of the fewest domains: those of least weight are left
    out one by one, as long as what the others make best stays good enough.
    """
    enough = float(value(best_D[None])[0]) - loss
    first_D = project(starts_ND[:1], *limits_2D)[0]
    if float(value(first_D[None])[0]) >= enough:
        return first_D
    kept_D, limits_2D = best_D, limits_2D.copy()
    while True:
        smaller = _without_one(value, kept_D, starts_ND, limits_2D, enough)
        if smaller is None:
            return kept_D
        kept_D, limits_2D = smaller


def _without_one(
    value: Value, kept_D: Array, starts_ND: Array, limits_2D: Array, enough: float
) -> tuple[Array, Array] | None:
    """Return the best mixture without one more domain, and limits that keep it out; None if none is good enough."""
    for d in np.argsort(kept_D, kind="stable"):
        closed_2D = np.where((np.arange(len(kept_D)) == d) | (kept_D == 0), 0.0, limits_2D)
        if kept_D[d] == 0 or limits_2D[0, d] > 0 or closed_2D[1].sum() < 1:
            continue
        found_D = best_mixture(value, starts_ND=np.vstack([kept_D, starts_ND]), limits_2D=closed_2D, seed=0)
        if float(value(found_D[None])[0]) >= enough:
            return found_D, closed_2D
    return None


def _best(value: Value, starts_ND: Array, low_D: Array, high_D: Array, seed: int) -> Array:
    rng = child_rng(seed, "search")
    domains = len(low_D)
    drawn = [rng.dirichlet(np.full(domains, alpha), CANDIDATES) for alpha in (0.2, 1.0, 5.0)]
    points_ND = project(np.vstack([starts_ND, np.eye(domains), *drawn]), low_D, high_D)
    first_D, value_N = points_ND[0], value(points_ND)
    least, spread = float(value_N[0]), float(np.std(value_N))
    for step in STEPS:
        top = np.argsort(-value_N, kind="stable")[:16]
        near_ND = (points_ND[top] + 1e-3).repeat(CANDIDATES // 16, axis=0)
        near_ND = near_ND * np.exp(step * rng.normal(size=near_ND.shape))
        near_ND = project(near_ND / near_ND.sum(axis=1, keepdims=True), low_D, high_D)
        points_ND, value_N = np.vstack([points_ND[top], near_ND]), np.r_[value_N[top], value(near_ND)]
    top = np.argsort(-value_N, kind="stable")[:4]
    sparse_ND = np.vstack([np.where(points_ND[top] < share, 0.0, points_ND[top]) for share in SMALL])
    sparse_ND = project(sparse_ND, low_D, high_D)
    points_ND, value_N = np.vstack([points_ND, sparse_ND]), np.r_[value_N, value(sparse_ND)]
    top = np.argsort(-value_N, kind="stable")[:4]
    polished_ND = np.vstack([_polish(value, points_ND[row], low_D, high_D, spread) for row in top])
    points_ND, value_N = np.vstack([points_ND[top], polished_ND]), np.r_[value_N[top], value(polished_ND)]
    best = int(np.argmax(value_N))
    best_D = points_ND[best] if value_N[best] > least + 1e-9 * spread + 1e-15 else first_D
    if best_D is first_D:
        return np.asarray(best_D, dtype=np.float64)
    return rounded(best_D, low_D, high_D)


def _polish(value: Value, start_D: Array, low_D: Array, high_D: Array, spread: float) -> Array:
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
    return project(x_D[None], low_D, high_D)[0] if np.isfinite(x_D).all() else start_D
