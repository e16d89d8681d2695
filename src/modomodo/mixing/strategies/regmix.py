"""RegMix (arXiv 2407.01492): boosted trees on the aggregate, and the mean of the mixtures that they like best.

Axes: N runs or points, D domains.
"""

from dataclasses import dataclass

import numpy as np

from modomodo.core.mixture import Mixture
from modomodo.core.seeds import child_rng
from modomodo.mixing.runs import Runs
from modomodo.mixing.strategies.base import Choice, Goal, Source, found, prior, require, scored, within


@dataclass(frozen=True)
class RegMix:
    """LightGBM with RegMix's settings on the goodness of the runs; no held-out run stops its boosting.

    Then `candidates` mixtures from a Dirichlet whose parameters are the mean mixture of the runs, and the mean of the
    `best` of greatest prediction. These numbers are those of RegMix's notebook; its paper says 1,000,000 and 100.
    Candidates outside the caps are moved to the nearest mixture inside.
    """

    candidates: int = 100_000
    best: int = 128
    learns_from: Source = "any runs"

    def choose(self, runs: Runs, *, goal: Goal, seed: int) -> Choice:
        require("lightgbm", extra="trees", strategy="RegMix")
        from modomodo.mixing.surrogates.trees import regmix_trees

        X_ND, good_N = scored(runs, goal=goal, least=2, strategy="RegMix")
        curve = regmix_trees(X_ND, y_N=good_N, seed=seed)

        def pick() -> Mixture:
            drawn_ND = child_rng(seed, "regmix").dirichlet(prior(X_ND), self.candidates)
            drawn_ND = within(drawn_ND, goal.limits(runs))
            top = np.argsort(-curve(drawn_ND), kind="stable")[: self.best]
            return found(drawn_ND[top].mean(axis=0), runs=runs, goal=goal)

        return Choice(pick, curve)
