"""The fitted response surface: along one domain's share, over three domains, and what pairs of domains do together.

Axes: D domains, P points, K columns (benchmarks, then aggregates), R rows and C columns of a grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from modomodo.core.mixture import Mixture
from modomodo.mixing import Fitted
from modomodo.mixing.surrogates.base import Array
from modomodo.mixing.validation import quantile

# The response is steep where a domain begins and where it crowds out the others.
ENDS = np.array([0.0, 0.002, 0.005, 0.01, 0.02, 0.035])
SHARES = np.concatenate([ENDS, np.linspace(0.05, 0.95, 37), 1 - ENDS[::-1]])
HEIGHT = float(np.sqrt(0.75))  # of a triangle whose sides are 1
GRID = (30, 35)  # rows and columns of the colours of a triangle
DOTS = 16  # steps along a side, of the points that a triangle tells about
MIXED = 5  # domains, at most, whose triples are drawn
Corners = tuple[str, str, str]
LEAST = 0.15  # share of the prompts that three domains must have between them


@dataclass(frozen=True, eq=False)
class Slices:
    """Expected scores along lines through a mixture: one domain's share goes from 0 to 1, the others keep their ratio.

    Shares and scores have shapes [D, P] and [D, P, K]; the band is the surrogate's 90 % interval of the expected score.
    """

    domains: tuple[str, ...]
    names: tuple[str, ...]
    through: Mixture
    share_DP: Array
    mean_DPK: Array
    low_DPK: Array
    high_DPK: Array


@dataclass(frozen=True, eq=False)
class Triangle:
    """Expected scores where three domains share `total` of the prompts, all others as in the mixture `through`.

    A corner is all of `total` on one of the three. `x_C`, `y_R` and `mean_RC` are an image of it, the corners at
    (0, 0), (1, 0) and (1/2, HEIGHT); beyond its sides the nearest mixture. The P points have shares [P, 3] and the
    surrogate's 90 % interval of the expected score.
    """

    corners: Corners
    total: float
    at_3: Array
    x_C: Array
    y_R: Array
    mean_RC: Array
    share_P3: Array
    mean_P: Array
    low_P: Array
    high_P: Array


@dataclass(frozen=True, eq=False)
class Interactions:
    """What two domains half and half gain over the mean of both alone, [D, D]; the diagonal is NaN.

    Positive is better, also where lower scores are. `half_DD` is half the 90 % interval, from the surrogate's joint
    posterior of the three mixtures; where no run lies near them it is too narrow, see docs/surrogates.md.
    """

    name: str
    domains: tuple[str, ...]
    gain_DD: Array
    half_DD: Array


def response_slices(fitted: Fitted, through: Mixture) -> Slices:
    """Return the slices of all columns through a mixture, one for each domain."""
    domains = fitted.runs.domains
    at_D = through.vector(domains)
    grid_DP = np.stack([np.sort(np.append(SHARES, share)) for share in at_D])
    points = [_moved(at_D, d, share) for d, shares_P in enumerate(grid_DP) for share in shares_P]
    predicted = fitted.predict(np.array(points))
    shape = (*grid_DP.shape, len(predicted.names))
    half_NK = quantile(0.9) * predicted.sd_mean_NK
    low_K, high_K = predicted.bounds_K2.T
    return Slices(
        domains=domains,
        names=predicted.names,
        through=through,
        share_DP=grid_DP,
        mean_DPK=predicted.mean_NK.reshape(shape),
        low_DPK=np.clip(predicted.mean_NK - half_NK, low_K, high_K).reshape(shape),
        high_DPK=np.clip(predicted.mean_NK + half_NK, low_K, high_K).reshape(shape),
    )


def triples(through: Mixture) -> list[Corners]:
    """Return the triples of the domains with the largest shares, those with the most prompts between them first."""
    shares = through.as_dict()
    largest = sorted(shares, key=lambda name: -shares[name])[:MIXED]
    found = [(a, b, c) for a, b, c in combinations(largest, 3) if shares[a] + shares[b] + shares[c] >= LEAST]
    return sorted(found, key=lambda three: -sum(shares[name] for name in three))


def response_triangles(
    fitted: Fitted, through: Mixture, corners: Sequence[Corners], *, names: Sequence[str]
) -> dict[str, list[Triangle]]:
    """Return name -> the expected score over the shares of each three domains, all predicted at once."""
    at_D = through.vector(fitted.runs.domains)
    x_C, y_R = np.linspace(0, 1, GRID[1]), np.linspace(0, HEIGHT, GRID[0])
    dots_P3 = np.array([[i, j, DOTS - i - j] for i in range(DOTS + 1) for j in range(DOTS + 1 - i)]) / DOTS
    rows = [[fitted.runs.domains.index(corner) for corner in three] for three in corners]
    dots = fitted.predict(np.vstack([_moved_among(at_D, three, dots_P3) for three in rows]))
    grid_ND = np.vstack([_moved_among(at_D, three, _barycentric(x_C, y_R)) for three in rows])
    half_NK = quantile(0.9) * dots.sd_mean_NK
    low_K, high_K = dots.bounds_K2.T
    low_NK, high_NK = (np.clip(dots.mean_NK + sign * half_NK, low_K, high_K) for sign in (-1, 1))
    found: dict[str, list[Triangle]] = {}
    for name in names:
        k = fitted.index(name)
        parts = (np.split(part_NK[:, k], len(rows)) for part_NK in (dots.mean_NK, low_NK, high_NK))
        pictures = fitted.mean(grid_ND, name=name).reshape(len(rows), *GRID)
        found[name] = [
            Triangle(
                corners=three,
                total=float(at_D[of].sum()),
                at_3=at_D[of] / at_D[of].sum(),
                x_C=x_C,
                y_R=y_R,
                mean_RC=picture_RC,
                share_P3=at_D[of].sum() * dots_P3,
                mean_P=mean_P,
                low_P=low_P,
                high_P=high_P,
            )
            for three, of, picture_RC, mean_P, low_P, high_P in zip(corners, rows, pictures, *parts, strict=True)
        ]
    return found


def _moved_among(at_D: Array, rows: Sequence[int], share_P3: Array) -> Array:
    """Return mixtures where three domains divide what they have as `share_P3` says."""
    points_PD = np.repeat(at_D[None], len(share_P3), axis=0)
    points_PD[:, rows] = at_D[list(rows)].sum() * share_P3
    return points_PD


def pairwise_interactions(fitted: Fitted, *, name: str) -> Interactions:
    """Return what every two domains do together to the expected score `name`."""
    domains = fitted.runs.domains
    count = len(domains)
    pairs = list(combinations(range(count), 2))
    mixed_PD = np.array([(np.eye(count)[i] + np.eye(count)[j]) / 2 for i, j in pairs]).reshape(-1, count)
    mean_N, covariance_NN = fitted.joint(np.vstack([np.eye(count), mixed_PD]), name=name)
    gain_DD, half_DD = np.full((2, count, count), np.nan)
    better = 1.0 if fitted.direction(name) == "higher" else -1.0
    for p, (i, j) in enumerate(pairs):
        contrast_N = np.zeros(len(mean_N))
        contrast_N[[i, j, count + p]] = -0.5, -0.5, 1.0
        gain_DD[i, j] = gain_DD[j, i] = better * (contrast_N @ mean_N)
        sd = np.sqrt(max(float(contrast_N @ covariance_NN @ contrast_N), 0.0))
        half_DD[i, j] = half_DD[j, i] = quantile(0.9) * sd
    return Interactions(name, domains, gain_DD, half_DD)


def plane(share_P3: Array) -> tuple[Array, Array]:
    """Return where shares of three corners, adding up to 1, lie in the triangle: x and y, shape [P]."""
    return share_P3[:, 1] + share_P3[:, 2] / 2, share_P3[:, 2] * HEIGHT


def _barycentric(x_C: Array, y_R: Array) -> Array:
    """Return the shares of the three corners at each point of a grid, of the nearest inside beyond the sides."""
    third_RC = np.repeat(y_R[:, None] / HEIGHT, len(x_C), axis=1)
    second_RC = x_C[None] - third_RC / 2
    shares_P3 = np.stack([1 - second_RC - third_RC, second_RC, third_RC], axis=-1).reshape(-1, 3)
    inside_P3 = np.maximum(shares_P3, 0)
    return inside_P3 / inside_P3.sum(axis=1, keepdims=True)


def _moved(at_D: Array, d: int, share: float) -> Array:
    rest_D = at_D.copy()
    rest_D[d] = 0
    if rest_D.sum() <= 0:  # all weight is on d: the others share what it gives up equally
        rest_D = np.ones(len(at_D))
        rest_D[d] = 0
    total = rest_D.sum()
    moved_D = rest_D * (1 - share) / total if total > 0 else rest_D
    moved_D[d] = share if total > 0 else 1.0
    return moved_D
