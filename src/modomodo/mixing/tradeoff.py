"""trade_off: mixtures between the best for one aggregate and the best for another, none of which beats another on both.

Axes: N candidate mixtures, D domains, P points of the front, 2 aggregates.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.core.simplex import limits_of
from modomodo.mixing.fitted import Fitted
from modomodo.mixing.optimise import best_mixture
from modomodo.mixing.surrogates.base import Array

POINTS = 9  # of the front, its ends included
SLOPE = 0.05  # what the other aggregate counts beside the one that is further behind


@dataclass(frozen=True)
class FrontPoint:
    """A mixture of the Pareto front: name -> expected score of the two aggregates, and name -> the doubt about it."""

    mixture: Mixture
    mean: dict[str, float]
    sd_mean: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values, the mixture as domain -> weight."""
        return asdict(self) | {"mixture": self.mixture.as_dict()}


def trade_off(
    fitted: Fitted, *, names: tuple[str, str], caps: Mapping[str, tuple[float, float]] | None = None, seed: int = 0
) -> tuple[FrontPoint, ...]:
    """Return the Pareto front of two benchmarks or aggregates, from the best of the first to the best of the second.

    Up to POINTS mixtures within the caps (domain -> least, greatest), each the best by posterior mean for some balance
    of the two (the augmented Chebyshev distance to their separate bests, so that hollows of the front are found too);
    those that another one beats on both are left out. Equal arguments give equal results.

    Raises:
        ModomodoError: for unknown names, one name twice, and caps that no mixture satisfies.
    """
    if len(names) != 2:
        raise ModomodoError(f"a trade-off is between two aggregates or benchmarks, got {', '.join(names)}")
    if names[0] == names[1]:
        raise ModomodoError(f"the two sides of a trade-off are both {names[0]!r}: name two aggregates or benchmarks")
    signs = [1.0 if fitted.direction(name) == "higher" else -1.0 for name in names]
    domains = fitted.runs.domains
    limits_2D = limits_of(caps or {}, domains)
    starts_ND = np.vstack([Mixture.uniform(domains).vector(domains), fitted.runs.X_ND])

    def goods(X_ND: Array) -> Array:
        return np.stack([sign * fitted.mean(X_ND, name=name) for sign, name in zip(signs, names, strict=True)], axis=1)

    def best(value: Callable[[Array], Array]) -> Array:
        return best_mixture(lambda X_ND: value(goods(X_ND)), starts_ND=starts_ND, limits_2D=limits_2D, seed=seed)

    first_D, second_D = (best(partial(_along, unit_2=unit_2)) for unit_2 in np.eye(2))
    good_22 = goods(np.vstack([first_D, second_D]))
    ideal_2, range_2 = good_22.max(axis=0), np.maximum(np.ptp(good_22, axis=0), 1e-12)

    def balanced(good_N2: Array, *, share: float) -> Array:
        behind_N2 = (ideal_2 - good_N2) / range_2 * np.array([1 - share, share])
        return -behind_N2.max(axis=1) - SLOPE * behind_N2.sum(axis=1)

    between = [best(partial(balanced, share=float(share))) for share in np.linspace(0, 1, POINTS)[1:-1]]
    X_PD = np.unique(np.vstack([first_D, *between, second_D]), axis=0)
    return _front(fitted, X_PD, names, goods(X_PD))


def _along(good_N2: Array, *, unit_2: Array) -> Array:
    return good_N2 @ unit_2


def _front(fitted: Fitted, X_PD: Array, names: tuple[str, str], good_P2: Array) -> tuple[FrontPoint, ...]:
    """Return those of the mixtures that no other beats on both, the best for the first name first."""
    beaten_P = [
        bool(np.any(np.all(good_P2 >= good_2, axis=1) & np.any(good_P2 > good_2, axis=1))) for good_2 in good_P2
    ]
    kept = [int(p) for p in np.argsort(-good_P2[:, 0], kind="stable") if not beaten_P[p]]
    table = fitted.predict(X_PD)
    columns = {name: fitted.index(name) for name in names}
    return tuple(
        FrontPoint(
            Mixture(fitted.runs.domains, tuple(float(weight) for weight in X_PD[p])),
            {name: float(table.mean_NK[p, k]) for name, k in columns.items()},
            {name: float(table.sd_mean_NK[p, k]) for name, k in columns.items()},
        )
        for p in kept
    )
