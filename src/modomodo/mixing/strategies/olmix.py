"""Olmix: a log-linear law per benchmark, and the exact optimum of their sum, held near the prior.

Axes: N runs or points, D domains, B benchmarks that count.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.core.seeds import child_seed
from modomodo.mixing.aggregates import directions_of
from modomodo.mixing.runs import Runs
from modomodo.mixing.strategies.base import Choice, Goal, Source, found, prior, require, within
from modomodo.mixing.surrogates.base import Array

KL = 0.05  # of most published configurations
LEAST = 2


@dataclass(frozen=True)
class Olmix:
    """error_b = exp(log c_b) + exp(t_b . w) for each benchmark; then the convex problem

        minimise over w:  sum_b a_b exp(t_b . w) + kl * KL(w || prior),  w on the simplex and within the caps.

    The law describes losses. Of a benchmark where higher is better the error is 1 - score, if its scores lie in [0, 1];
    otherwise, and for losses that are not positive, it is the distance to a point beyond the best run, as far as the
    best run is from the worst. The prior is the mean mixture of the runs. The score leaves the KL term out.
    """

    kl: float = KL
    learns_from: Source = "any runs"

    def choose(self, runs: Runs, *, goal: Goal, seed: int) -> Choice:
        require("cvxpy", extra="convex", strategy="Olmix")
        signed_B = goal.weights(runs, goal.objective)
        used = np.flatnonzero(signed_B)
        directions = directions_of(goal.direction, benchmarks=runs.benchmarks)
        laws: list[tuple[float, Array]] = []
        for b in used:
            name = runs.benchmarks[b]
            lower = directions[name] == "lower"
            laws.append(_law(runs, int(b), lower=lower, seed=child_seed(seed, "olmix", name)))
        a_B = np.abs(signed_B[used])
        log_c_B = np.array([log_c for log_c, _ in laws])
        t_BD = np.stack([t_D for _, t_D in laws])

        def pick() -> Mixture:
            w_D = exact(a_B, t_BD=t_BD, prior_D=prior(runs.X_ND), limits_2D=goal.limits(runs), kl=self.kl)
            return found(w_D, runs=runs, goal=goal)

        def score(X_ND: Array) -> Array:
            return -(np.exp(log_c_B) + np.exp(X_ND @ t_BD.T)) @ a_B

        return Choice(pick, score)


def exact(a_B: Array, *, t_BD: Array, prior_D: Array, limits_2D: Array, kl: float = KL) -> Array:
    """Return the minimiser of sum_b a_b exp(t_b . w) + kl * KL(w || prior) within the limits, shape [D].

    Raises:
        ModomodoError: when the solver finds none.
    """
    import cvxpy  # pyright: ignore[reportMissingTypeStubs]

    cp = cast(Any, cvxpy)
    w_D = cp.Variable(len(prior_D))
    loss = cp.sum(cp.multiply(a_B, cp.exp(t_BD @ w_D)))
    constraints = [w_D >= limits_2D[0], w_D <= limits_2D[1], cp.sum(w_D) == 1]
    problem = cp.Problem(cp.Minimize(loss + kl * cp.sum(cp.rel_entr(w_D, prior_D))), constraints)
    try:
        problem.solve(solver=cp.CLARABEL)
    except cp.SolverError as error:
        raise ModomodoError(
            f"Olmix: the solver failed ({error}); the laws have exponents up to {t_BD.max():.3g}"
        ) from None
    if w_D.value is None:
        raise ModomodoError(f"Olmix: the solver ended with {problem.status}: the laws or the caps leave no solution")
    # The solver meets the constraints within its tolerance, a mixture exactly.
    found_D = np.asarray(w_D.value, dtype=np.float64)
    return within(found_D[None] / found_D.sum(), limits_2D)[0]


def errors_of(y_N: Array, *, lower: bool) -> Array:
    """Return positive errors, the less the better, from scores of one benchmark."""
    if lower and y_N.min() > 0:
        return y_N
    if not lower and y_N.min() >= 0 and y_N.max() <= 1:
        return 1 - y_N
    losses_N = y_N if lower else -y_N
    return losses_N - losses_N.min() + (float(np.ptp(losses_N)) or 1.0)


def _law(runs: Runs, b: int, *, lower: bool, seed: int) -> tuple[float, Array]:
    from modomodo.mixing.surrogates.loglinear import olmix_law

    known_N = np.isfinite(runs.y_NB[:, b])
    if known_N.sum() < LEAST:
        raise ModomodoError(
            f"Olmix needs at least {LEAST} runs with a score of {runs.benchmarks[b]}, got {int(known_N.sum())}"
        )
    log_c, t_D = olmix_law(runs.X_ND[known_N], y_N=errors_of(runs.y_NB[known_N, b], lower=lower), seed=seed)
    return float(log_c), np.asarray(t_D, dtype=np.float64)
