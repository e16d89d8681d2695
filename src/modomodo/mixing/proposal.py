"""next: the mixtures to run now, and why.

Axes: N mixtures, D domains.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.core.seeds import child_rng, child_seed
from modomodo.core.simplex import limits_of, project, rounded
from modomodo.mixing.aggregates import Direction
from modomodo.mixing.fitted import Fitted
from modomodo.mixing.gain import gain_of
from modomodo.mixing.improvement import most_improving, need_botorch
from modomodo.mixing.optimise import best_mixture
from modomodo.mixing.surrogates.base import Array

VERSION = 1
DRAWS = 512  # random mixtures of each sparsity, and of each step around the best
STEPS = (0.8, 0.3, 0.1)  # around the best, in log weights
SHORT = 192  # of the random ones, and of those around the best, enter the joint posterior
APART = 0.005  # closer to a run (total variation), a new mixture would be that run's in all but name
SAME = 1e-6  # closer, it is the same mixture
SHARE = 0.25  # of all runs that may be replicates

Kind = Literal["new", "replicate"]


@dataclass(frozen=True)
class Proposal:
    """A pilot worth running, and why.

    A `replicate` repeats, with another seed, the mixture of the run labelled `of`. `expected` is the posterior mean of
    the objective, `sd_mean` the doubt about it, `sd_new` that about the score of one run. `improvement` is what the
    expected score is expected to gain on the best of the runs and of the proposals before it (in units of the score;
    0 for a replicate, which sharpens what is known).
    """

    mixture: Mixture
    kind: Kind
    of: str | None
    expected: float
    sd_mean: float
    sd_new: float
    improvement: float
    reason: str


@dataclass(frozen=True)
class Proposals:
    """The next batch of pilots for `objective`, from `runs` runs."""

    objective: str
    direction: Direction
    surrogate: str
    runs: int
    pilots: tuple[Proposal, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the batch as JSON values: the fields, `version`, and mixtures as domain -> weight."""
        pilots = [asdict(one) | {"mixture": one.mixture.as_dict()} for one in self.pilots]
        return {"version": VERSION} | asdict(self) | {"pilots": pilots}


def study_lines(found: Proposals) -> str:
    """Return the TOML lines that add the pilots to a study, at the end of its file."""
    lines: list[str] = []
    for one in found.pilots:
        shares = {name: weight for name, weight in one.mixture.as_dict().items() if weight > 0}
        lines += ["[[extra]]", *(f"{_key(name)} = {weight:.12g}" for name, weight in shares.items())]
    return "\n".join(lines)


def _key(name: str) -> str:
    bare = name.replace("_", "").replace("-", "")
    return name if bare.isascii() and bare.isalnum() else json.dumps(name, ensure_ascii=False)


def propose(
    fitted: Fitted,
    *,
    batch: int = 4,
    objective: str | None = None,
    caps: Mapping[str, tuple[float, float]] | None = None,
    pending: Sequence[Mixture] = (),
    candidates_ND: Array | None = None,
    seed: int = 0,
) -> Proposals:
    """Return the `batch` pilots (fewer where candidates run out) from which the search for the best mixture gains most.

    New mixtures are those of greatest noisy expected improvement (`most_improving`) inside `caps`, on the posterior of
    `objective` (the first aggregate if None). Random mixtures of several sparsities, and steps around the recommended
    mixture and the best runs, compete; with `candidates_ND` only these do. The pilots under way (`pending`) count as
    mixtures that will be known: nothing is gained by what they will tell.

    Replicates come first where noise decides: if the mixture expected to be best cannot be told from equal shares (90 %
    interval of the gain), and the noise of one run exceeds the spread of the expected scores of the mixtures run, then
    the best of them (by posterior mean) and equal shares are run again, the one with fewer runs first. At most a
    quarter of all runs are replicates. Equal arguments give equal results.

    Raises:
        ModomodoError: without BoTorch, for unknown names, caps that no mixture satisfies, and when no mixture is left
            (NoMixtureError).
    """
    need_botorch()
    if batch < 1:
        raise ModomodoError(f"batch is {batch}: ask for at least 1 pilot")
    domains = fitted.runs.domains
    name = objective if objective is not None else fitted.aggregates[0].name
    better = 1.0 if fitted.direction(name) == "higher" else -1.0
    pending_ND = np.array([mixture.vector(domains) for mixture in pending]).reshape(-1, len(domains))
    search = _Search(fitted, name, better, limits_of(caps or {}, domains), pending_ND, candidates_ND is None, seed)
    best_D, choices_ND = _drawn(search) if candidates_ND is None else _given(search, candidates_ND)
    pilots = _replicates(search, best_D, batch)
    if len(pilots) < batch and len(choices_ND):
        pilots += _new(search, choices_ND, pilots, batch - len(pilots))
    if not pilots:
        raise _none_left(candidates_ND)
    return Proposals(name, fitted.direction(name), fitted.surrogate, len(fitted.runs.labels_N), tuple(pilots))


class NoMixtureError(ModomodoError):
    """There is no mixture to propose."""


def _none_left(candidates_ND: Array | None) -> NoMixtureError:
    whose = "the caps leave" if candidates_ND is None else f"the {len(candidates_ND)} candidates have"
    return NoMixtureError(f"{whose} no mixture that hasn't run yet, and the noise calls for no replicate")


@dataclass(frozen=True, eq=False)
class _Search:
    """What the parts of a proposal share.

    `better` times a score is to be maximised; `pending_ND` are under way; where `free`, any mixture within the limits
    may be run.
    """

    fitted: Fitted
    name: str
    better: float
    limits_2D: Array
    pending_ND: Array
    free: bool
    seed: int

    def taken(self) -> Array:
        """Return the mixtures of all runs, then those under way."""
        return np.vstack([self.fitted.runs.X_ND, self.pending_ND])

    def mean(self, X_ND: Array) -> Array:
        return self.better * self.fitted.mean(X_ND, name=self.name)

    def spreads(self, X_ND: Array) -> tuple[Array, Array]:
        """Return the doubt about the expected score, and that about the score of one run."""
        table, column = self.fitted.predict(X_ND), self.fitted.index(self.name)
        return table.sd_mean_NK[:, column], table.sd_NK[:, column]

    def inside(self, X_ND: Array) -> npt.NDArray[np.bool_]:
        """Return which mixtures satisfy the caps."""
        low_D, high_D = self.limits_2D
        return np.all((low_D - SAME <= X_ND) & (high_D + SAME >= X_ND), axis=1)

    def known(self) -> Array:
        """Return the different mixtures that were run: those within the caps, or all where none is."""
        runs_ND = self.fitted.runs.X_ND[np.unique(self.fitted.runs.groups(), return_index=True)[1]]
        inside_N = self.inside(runs_ND)
        return runs_ND[inside_N] if inside_N.any() else runs_ND


def _given(search: _Search, candidates_ND: Array) -> tuple[Array, Array]:
    """Return the best expected of the mixtures given and run, and the promising ones given that were not run."""
    domains = len(search.fitted.runs.domains)
    if candidates_ND.ndim != 2 or candidates_ND.shape[1] != domains:
        raise ModomodoError(f"candidates have shape {candidates_ND.shape}: they need {domains} columns, one per domain")
    candidates_ND = candidates_ND[search.inside(candidates_ND)]
    all_ND = np.vstack([search.known(), candidates_ND])
    left_ND = candidates_ND[_distances(candidates_ND, search.taken()).min(axis=1) > SAME]
    return all_ND[int(np.argmax(search.mean(all_ND)))], _promising(search, left_ND, 2 * SHORT) if len(
        left_ND
    ) else left_ND


def _drawn(search: _Search) -> tuple[Array, Array]:
    """Return the best expected mixture within the caps, and candidates: random ones, and ones around the best."""
    known_ND, rng = search.known(), child_rng(search.seed, "next")
    domains = known_ND.shape[1]
    plain_ND = np.vstack([np.full((1, domains), 1 / domains), np.eye(domains)])
    starts_ND = np.vstack([plain_ND[:1], known_ND])
    best_D = best_mixture(search.mean, starts_ND=starts_ND, limits_2D=search.limits_2D, seed=search.seed)
    leaders = np.argsort(-search.mean(known_ND), kind="stable")[:3]
    centres_ND = np.vstack([best_D, known_ND[leaders]]).repeat(DRAWS // 4, axis=0) + 1e-3
    wide_ND = np.vstack([plain_ND, *(rng.dirichlet(np.full(domains, alpha), DRAWS) for alpha in (0.2, 1.0, 5.0))])
    near_ND = np.vstack([centres_ND * np.exp(step * rng.normal(size=centres_ND.shape)) for step in STEPS])
    near_ND = near_ND / near_ND.sum(axis=1, keepdims=True)
    low_D: Array = search.limits_2D[0]
    high_D: Array = search.limits_2D[1]
    short_ND = np.vstack(
        [best_D, *(_promising(search, project(X_ND, low_D=low_D, high_D=high_D), SHORT) for X_ND in (wide_ND, near_ND))]
    )
    choices_ND = np.unique(np.stack([rounded(x_D, low_D=low_D, high_D=high_D) for x_D in short_ND]), axis=0).round(10)
    return best_D, choices_ND[_distances(choices_ND, search.taken()).min(axis=1) > APART]


def _promising(search: _Search, X_ND: Array, count: int) -> Array:
    """Return the `count` mixtures of greatest expected improvement on the best known mean, each taken alone."""
    from scipy import special  # pyright: ignore[reportMissingTypeStubs]

    sd_N = np.maximum(search.spreads(X_ND)[0], 1e-12)
    ahead_N = (search.mean(X_ND) - search.mean(search.known()).max()) / sd_N
    density_N = np.exp(-np.square(ahead_N) / 2) / np.sqrt(2 * np.pi)
    value_N = sd_N * (ahead_N * np.asarray(cast(Any, special).ndtr(ahead_N)) + density_N)
    return X_ND[np.argsort(-value_N, kind="stable")[:count]]


def _distances(X_ND: Array, runs_ND: Array) -> Array:
    """Return total variation distances, shape [N, runs]."""
    return np.abs(X_ND[:, None] - runs_ND).sum(axis=2) / 2


def _replicates(search: _Search, best_D: Array, batch: int) -> list[Proposal]:
    """Return runs of the best run's mixture and of equal shares where noise decides, as `propose` says."""
    runs, known_ND, taken_ND = search.fitted.runs, search.known(), search.taken()
    equal_D = np.full(len(best_D), 1 / len(best_D))
    mean_N, (sd_mean_N, sd_new_N) = search.mean(known_ND), search.spreads(known_ND)
    noise = float(np.sqrt(max(np.mean(sd_new_N**2 - sd_mean_N**2), 0)))
    apart = float(np.sqrt(np.var(mean_N) + np.mean(sd_mean_N**2)))
    if noise <= apart:
        return []
    gain = gain_of(search.fitted, np.vstack([best_D, equal_D]), name=search.name)  # slow: it fits every judge
    if gain.low > 0 or gain.high < 0:
        return []
    why = (
        f"no mixture can be told from equal shares yet, and runs of one mixture differ more (sd {noise:.2g}) "
        f"than mixtures do ({apart:.2g})"
    )
    leader_D = known_ND[int(np.argmax(mean_N))]
    wanted = [(equal_D, "equal shares")]
    if _distances(leader_D[None], equal_D[None])[0, 0] > SAME:
        wanted = [(leader_D, "the best of the runs"), *wanted]
    found: list[tuple[int, Proposal]] = []
    for x_D, what in wanted:
        rows = np.flatnonzero(_distances(x_D[None], taken_ND)[0] < SAME)
        if not search.inside(x_D[None])[0] or (not rows.size and not search.free):
            continue
        if rows.size and rows[0] >= len(runs.labels_N):
            continue  # its first run is under way
        of = runs.labels_N[int(rows[0])] if rows.size else None
        point_D = taken_ND[int(rows[0])] if rows.size else x_D
        found.append((rows.size, _proposal(search, point_D, of=of, improvement=0.0, reason=f"{what}: {why}")))
    repeated = len(taken_ND) - len(np.unique(taken_ND.round(9), axis=0))
    room = int(SHARE * (len(taken_ND) + batch)) - repeated
    return [one for _, one in sorted(found, key=lambda pair: pair[0])][: max(min(room, batch), 0)]


def _new(search: _Search, choices_ND: Array, before: Sequence[Proposal], batch: int) -> list[Proposal]:
    """Return the new mixtures of greatest noisy expected improvement on those run, under way and proposed before."""
    proposed = [one.mixture.vector(search.fitted.runs.domains) for one in before]
    known_ND = np.vstack([search.known(), search.pending_ND, *proposed])
    X_ND = np.vstack([known_ND, choices_ND])
    mean_N, covariance_NN = search.fitted.joint(X_ND, name=search.name)
    rows = np.arange(len(X_ND))
    picks = most_improving(
        search.better * mean_N,
        covariance_NN=covariance_NN,
        known=rows[: len(known_ND)],
        choices=rows[len(known_ND) :],
        batch=batch,
        seed=child_seed(search.seed, "next", "samples"),
    )
    known = float(search.mean(known_ND).max())
    found: list[Proposal] = []
    for row, improvement in picks:
        likely = "is expected to beat" if search.better * mean_N[row] > known else "may beat"
        others = ["the pilots under way"] * bool(len(search.pending_ND)) + ["the proposals before it"] * bool(proposed)
        reason = f"{likely} {' and '.join(['the best of the runs', *others])}: expected improvement {improvement:.2g}"
        proposed.append(X_ND[row])
        found.append(_proposal(search, X_ND[row], of=None, improvement=improvement, reason=reason))
    return found


def _proposal(search: _Search, x_D: Array, *, of: str | None, improvement: float, reason: str) -> Proposal:
    sd_mean_N, sd_new_N = search.spreads(x_D[None])
    return Proposal(
        mixture=Mixture(search.fitted.runs.domains, tuple(float(weight) for weight in x_D)),
        kind="new" if of is None else "replicate",
        of=of,
        expected=search.better * float(search.mean(x_D[None])[0]),
        sd_mean=float(sd_mean_N[0]),
        sd_new=float(sd_new_N[0]),
        improvement=improvement,
        reason=reason,
    )
