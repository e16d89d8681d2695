"""The strategies of MoDoMoDo (arXiv 2505.24871): baselines, Alpha, Coli, Norm, and the quadratic surface.

Axes: N runs or points, D domains, S mixtures of the seed set.
"""

from dataclasses import dataclass

import numpy as np

from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.core.seeds import child_rng
from modomodo.mixing.runs import Runs
from modomodo.mixing.strategies.base import Choice, Goal, Source, fixed, found, scored, within
from modomodo.mixing.strategies.seedset import labels_of, seed_scores
from modomodo.mixing.surrogates.base import Array
from modomodo.mixing.surrogates.parametric import PaperQuadratic

CANDIDATES = 100_000  # of QuadSurface; the paper does not say how many


@dataclass(frozen=True)
class Equal:
    """Equal shares of all domains."""

    learns_from: Source = "nothing"

    def choose(self, runs: Runs, *, goal: Goal, seed: int) -> Choice:
        return fixed(np.full(len(runs.domains), 1 / len(runs.domains)), runs=runs, goal=goal)


@dataclass(frozen=True)
class BestOf:
    """The best run of one kind: the best single domain, or the best of the mixtures that leave one out."""

    kind: str
    learns_from: Source = "seed set"

    def choose(self, runs: Runs, *, goal: Goal, seed: int) -> Choice:
        labels = labels_of(runs, self.kind)
        weights_B = goal.weights(runs, goal.objective)
        good_S = seed_scores(runs, labels, weights_B=weights_B, strategy=f"the best of {self.kind}")
        best = Mixture.parse(labels[int(np.argmax(good_S))], runs.domains)
        return fixed(best.vector(runs.domains), runs=runs, goal=goal)


@dataclass(frozen=True)
class Alpha:
    """The Alpha family: domains whose seed runs score well inside (`alpha` = 1) or outside (0) get more.

    Scores of the seed runs that contain a domain are summed, those of single runs times `alpha_single`; each sum is
    scaled to [0, 1] over the domains, the two are blended and normalised. The paper does not give `alpha_single`: its
    scores contradict 0.5 and more, 0 to 0.3 fit.
    """

    alpha: float
    alpha_single: float = 0.2
    learns_from: Source = "seed set"

    def choose(self, runs: Runs, *, goal: Goal, seed: int) -> Choice:
        w_D = np.zeros(len(runs.domains))
        if self.alpha > 0:
            if goal.inside is None:
                raise ModomodoError(
                    "Alpha needs in-distribution scores besides the objective: name their benchmark or aggregate "
                    "with `inside`"
                )
            w_D += self.alpha * self._scaled(runs, goal, goal.inside)
        if self.alpha < 1:
            w_D += (1 - self.alpha) * self._scaled(runs, goal, goal.objective)
        # Domains that score the same say nothing.
        w_D = w_D / w_D.sum() if w_D.sum() > 0 else np.full(len(w_D), 1 / len(w_D))
        return fixed(w_D, runs=runs, goal=goal)

    def _scaled(self, runs: Runs, goal: Goal, name: str | None) -> Array:
        weights_B = goal.weights(runs, name)
        count = len(runs.domains)
        labels = labels_of(runs, "single", "exclude", "equal")
        good_S = _shares(seed_scores(runs, labels, weights_B=weights_B, strategy="Alpha"), strategy="Alpha")
        single_D, exclude_D, equal = good_S[:count], good_S[count:-1], good_S[-1]
        return _unit(self.alpha_single * single_D + exclude_D.sum() - exclude_D + equal)


@dataclass(frozen=True)
class Coli:
    """Collinearity-corrected coefficients: ridge of the seed scores on which domains a run contains, no intercept.

    Each coefficient is divided by the matching diagonal entry of (X'X + penalty I)^-1, cut at 0, and normalised.
    """

    penalty: float = 1e-3
    learns_from: Source = "seed set"

    def choose(self, runs: Runs, *, goal: Goal, seed: int) -> Choice:
        labels = labels_of(runs, "single", "exclude", "equal")
        weights_B = goal.weights(runs, goal.objective)
        good_S = _shares(seed_scores(runs, labels, weights_B=weights_B, strategy="Coli"), strategy="Coli")
        inside_SD = np.array([Mixture.parse(label, runs.domains).vector(runs.domains) > 0 for label in labels], float)
        inverse_DD = np.linalg.inv(inside_SD.T @ inside_SD + self.penalty * np.eye(len(runs.domains)))
        w_D = np.maximum(inverse_DD @ inside_SD.T @ good_S / np.diag(inverse_DD), 0)
        if w_D.sum() <= 0:
            raise ModomodoError("Coli finds no domain with a positive coefficient: the seed runs all score 0")
        return fixed(w_D / w_D.sum(), runs=runs, goal=goal)


@dataclass(frozen=True)
class Norm:
    """Domains that are missed get more: 0.2 - 0.1 s, with s the score without the domain scaled to [0, 1]."""

    learns_from: Source = "seed set"

    def choose(self, runs: Runs, *, goal: Goal, seed: int) -> Choice:
        weights_B = goal.weights(runs, goal.objective)
        good_D = seed_scores(runs, labels_of(runs, "exclude"), weights_B=weights_B, strategy="Norm")
        if not good_D.size:
            raise ModomodoError("Norm needs at least two domains: a single one can't be left out")
        raw_D = 0.2 - 0.1 * _unit(good_D)
        return fixed(raw_D / raw_D.sum(), runs=runs, goal=goal)


@dataclass(frozen=True)
class QuadSurface:
    """The model-based procedure as published: the paper's quadratic on the aggregate, maximised over a sample.

    Candidates come from one Gaussian with the mean and covariance of the runs' mixtures; those with a negative weight
    are dropped, the others divided by their sum, and moved to the nearest mixture within the caps (which the paper does
    not have). The one of greatest prediction is the answer.
    """

    learns_from: Source = "any runs"

    def choose(self, runs: Runs, *, goal: Goal, seed: int) -> Choice:
        method = PaperQuadratic()
        X_ND, good_N = scored(runs, goal=goal, least=method.minimum, strategy="QuadSurface")
        fitted = method.fit(X_ND, y_N=good_N, var_N=np.full(len(good_N), np.nan), seed=seed)

        def pick() -> Mixture:
            candidates_ND = within(_candidates(X_ND, seed), goal.limits(runs))
            return found(candidates_ND[int(np.argmax(fitted.mean(candidates_ND)))], runs=runs, goal=goal)

        return Choice(pick, fitted.mean)


def _candidates(X_ND: Array, seed: int) -> Array:
    """Return mixtures drawn around those of the runs."""
    # What a one-component Gaussian mixture is after fitting; the ridge is scikit-learn's.
    covariance_DD = np.cov(X_ND.T, bias=True).reshape(X_ND.shape[1], -1) + 1e-6 * np.eye(X_ND.shape[1])
    rng = child_rng(seed, "quadsurface")
    drawn_ND = rng.multivariate_normal(X_ND.mean(axis=0), covariance_DD, CANDIDATES, method="eigh")
    kept_ND = drawn_ND[(drawn_ND >= 0).all(axis=1) & (drawn_ND.sum(axis=1) > 0)]
    if not len(kept_ND):
        raise ModomodoError(
            f"QuadSurface: each of {CANDIDATES} draws of the Gaussian has a negative weight "
            f"({X_ND.shape[1]} domains); it suits few domains that all runs use"
        )
    return kept_ND / kept_ND.sum(axis=1, keepdims=True)


def _shares(good_S: Array, *, strategy: str) -> Array:
    """Return scores whose zero means nothing gained, or refuse them: sums of losses would reward absence."""
    if (good_S < 0).any():
        raise ModomodoError(f"{strategy} needs scores that are not negative and better when higher, like accuracies")
    return good_S


def _unit(values_D: Array) -> Array:
    """Return values scaled to [0, 1]; zeros where all are equal."""
    spread = float(np.ptp(values_D))
    return (values_D - values_D.min()) / spread if spread > 0 else np.zeros_like(values_D)
