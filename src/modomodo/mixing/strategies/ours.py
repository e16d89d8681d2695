"""Our own strategy: one surrogate per benchmark, the mixture that `recommend` gives."""

from dataclasses import dataclass, replace

from modomodo.core.mixture import Mixture
from modomodo.mixing.aggregates import directions_of
from modomodo.mixing.fitted import Fitted, fit
from modomodo.mixing.recommendation import predicted_gain, recommend
from modomodo.mixing.runs import Runs
from modomodo.mixing.strategies.base import Choice, Goal, Source, arranged, mixture_of
from modomodo.mixing.surrogates.base import Array


@dataclass(frozen=True)
class Ours:
    """The goal's surrogate on each benchmark that counts, aggregated after, maximised within the caps."""

    learns_from: Source = "any runs"

    def choose(self, runs: Runs, *, goal: Goal, seed: int) -> Choice:
        fitted, name = self.fitted(runs, goal=goal, seed=seed)
        better = 1.0 if fitted.direction(name) == "higher" else -1.0

        def pick() -> Mixture:
            return recommend(fitted, objective=name, caps=goal.caps, seed=seed).mixture

        def score(X_ND: Array) -> Array:
            return better * fitted.mean(X_ND, name=name)

        def gain(x_D: Array) -> tuple[float, float, float]:
            return predicted_gain(fitted, mixture_of(x_D, runs), objective=name)

        return Choice(pick, score, gain, greedy=True)

    def fitted(self, runs: Runs, *, goal: Goal, seed: int) -> tuple[Fitted, str]:
        """Return the surrogate of the benchmarks that count, and what it calls the objective."""
        objective = goal.aggregate(runs, goal.objective)
        directions = directions_of(goal.direction, benchmarks=runs.benchmarks)
        benchmarks = [name for name in runs.benchmarks if name in objective.weights]
        whole = objective.name in runs.benchmarks
        # The sign of a lower-is-better benchmark comes back from its direction.
        weights = {name: abs(weight) for name, weight in objective.weights.items()}
        fitted = fit(
            arranged(
                replace(runs, scale={}), domains=runs.domains, benchmarks=benchmarks
            ),  # weights have the scales in
            surrogate=goal.surrogate,
            aggregates=None if whole else {objective.name: weights},
            direction={name: directions[name] for name in benchmarks},
            bounds={name: ends for name, ends in goal.bounds.items() if name in benchmarks},
            seed=seed,
        )
        return fitted, objective.name
