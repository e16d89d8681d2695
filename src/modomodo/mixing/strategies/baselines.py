"""What chance alone gives, and the best run alone."""

from dataclasses import dataclass

import numpy as np

from modomodo.core.mixture import Mixture
from modomodo.core.seeds import child_rng
from modomodo.mixing.runs import Runs
from modomodo.mixing.strategies.base import Choice, Goal, Source, fixed, found, scored
from modomodo.mixing.surrogates.base import Array


@dataclass(frozen=True)
class Chance:
    """A mixture drawn evenly from the simplex; among given mixtures, a random ranking."""

    learns_from: Source = "nothing"

    def choose(self, runs: Runs, *, goal: Goal, seed: int) -> Choice:
        direction_D = child_rng(seed, "ranking").normal(scale=1e4, size=len(runs.domains))

        def pick() -> Mixture:
            return found(child_rng(seed, "mixture").dirichlet(np.ones(len(runs.domains))), runs=runs, goal=goal)

        def score(X_ND: Array) -> Array:
            return np.modf(np.abs(X_ND @ direction_D))[0]

        return Choice(pick, score)


@dataclass(frozen=True)
class BestRun:
    """The mixture whose runs score best on average: what anybody would do who predicts nothing."""

    learns_from: Source = "any runs"

    def choose(self, runs: Runs, *, goal: Goal, seed: int) -> Choice:
        X_ND, good_N = scored(runs, goal=goal, least=1, strategy="the best run")
        mixture_N = runs.groups()[np.isfinite(goal.goodness(runs))]
        mean_N = (np.bincount(mixture_N, weights=good_N) / np.bincount(mixture_N))[mixture_N]
        return fixed(X_ND[int(np.argmax(mean_N))], runs=runs, goal=goal)
