"""Mixtures as points between caps: the caps as arrays, the nearest mixture within them, and shares that mean something.

Axes: N mixtures, D domains.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from modomodo.core.errors import ModomodoError, closest

Array = npt.NDArray[np.float64]
UNIT = 1e-4  # of a share that is chosen rather than given


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
            raise ModomodoError(f"caps of {name} are {least} to {most}: they need 0 <= min <= max <= 1")
        low_D[domains.index(name)], high_D[domains.index(name)] = least, most
    if low_D.sum() > 1 + 1e-9 or high_D.sum() < 1 - 1e-9:
        word, side, limits_D = ("lower", "min", low_D) if low_D.sum() > 1 else ("raise", "max", high_D)
        named = [
            f"caps.{name}.{side} = {limit:.6g}" for name, limit in zip(domains, limits_D, strict=True) if name in caps
        ]
        raise ModomodoError(
            f"no mixture satisfies the caps: least weights sum to {low_D.sum():.6g}, greatest to {high_D.sum():.6g}; "
            f"1 must lie between: {word} {' or '.join(named)}"
        )
    return np.vstack([low_D, high_D])


def limits_in_words(caps: Mapping[str, tuple[float, float]]) -> str:
    """Return what caps allow, as in "a at most 0.3, b 0.1 to 0.5"."""
    return ", ".join(
        f"{name} {f'{least:.3g} to' if least else 'at most'} {most:.3g}" for name, (least, most) in caps.items()
    )


def project(X_ND: Array, low_D: Array, high_D: Array) -> Array:
    """Return the nearest mixtures within the caps: clip(x - t, low, high), with t such that the sum is 1."""
    below_N: Array = np.min(X_ND - high_D, axis=1)
    above_N: Array = np.max(X_ND - low_D, axis=1)
    for _ in range(100):
        middle_N = (below_N + above_N) / 2
        over_N = np.sum(np.clip(X_ND - middle_N[:, None], low_D, high_D), axis=1) > 1
        below_N = np.where(over_N, middle_N, below_N)
        above_N = np.where(over_N, above_N, middle_N)
    return np.clip(X_ND - above_N[:, None], low_D, high_D)


def whole_caps(low_D: Array, high_D: Array) -> tuple[Array, Array]:
    """Return the caps narrowed to whole ten-thousandths, or as they are where no mixture fits between those."""
    least_D = np.maximum(np.ceil(low_D / UNIT - 1e-6) * UNIT, low_D) + 0.0  # no -0
    most_D = np.minimum(np.floor(high_D / UNIT + 1e-6) * UNIT, high_D)
    fits = (least_D <= most_D).all() and least_D.sum() <= 1 + 1e-9 and most_D.sum() >= 1 - 1e-9
    return (least_D, most_D) if fits else (low_D, high_D)


def rounded(x_D: Array, low_D: Array, high_D: Array) -> Array:
    """Return the mixture in ten-thousandths, those of greatest remainder rounded up, still within the caps.

    Beyond that a share means nothing, and its digits depend on how many threads the machine adds with. Where caps are
    finer than that, the mixture comes back as it is.
    """
    least_D, most_D = whole_caps(low_D, high_D)
    outside = (x_D < least_D - 1e-9).any() or (x_D > most_D + 1e-9).any()
    exact_D = (project(x_D[None], least_D, most_D)[0] if outside else x_D) / UNIT
    within_D = np.floor(exact_D + 1e-3)
    left = round(1 / UNIT - float(within_D.sum()))
    within_D[np.argsort(within_D - exact_D, kind="stable")[:left]] += 1
    found_D = np.clip(within_D * UNIT, low_D, high_D)
    return found_D if abs(float(found_D.sum()) - 1) < 1e-9 else x_D


def cut_to(asked_D: Array, most_D: Array) -> Array:
    """Return the shares asked for [D], none above its most [D]; what is cut goes to the others in proportion."""
    full_D = np.zeros(len(asked_D), dtype=bool)
    while True:
        wanted_D = np.where(full_D, 0.0, asked_D if asked_D[~full_D].sum() > 0 else most_D)
        shares_D = np.where(full_D, most_D, wanted_D * (1 - most_D[full_D].sum()) / wanted_D.sum())
        over_D = ~full_D & (shares_D > most_D + 1e-12)
        if not over_D.any():
            return shares_D / shares_D.sum()
        full_D |= over_D
        if full_D.all():
            return most_D / most_D.sum()
