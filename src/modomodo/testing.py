"""Contract tests for your own domains, surrogates, strategies and rules: call them from your test suite.

def test_my_domain():
    check_domain(my_domain)
"""

from collections.abc import Callable, Mapping
from copy import deepcopy

import numpy as np

from modomodo.core.mixture import Mixture
from modomodo.core.rows import View
from modomodo.core.simplex import Array
from modomodo.data.domain import Domain, check, verdict_on
from modomodo.mixing import SURROGATES, FittedSurrogate, Prediction, Runs, Surrogate
from modomodo.mixing.online import Log, Rule, Seen, find_rule, settings_of
from modomodo.mixing.strategies import Choice, Goal, Strategy
from modomodo.mixing.strategies.registry import find_strategy, strategy_of
from modomodo.models.nano.grid import nano_grid, nano_grid_table

__all__ = ["check_domain", "check_rule", "check_strategy", "check_surrogate", "nano_grid", "nano_grid_table"]

ODD_COMPLETIONS = ("", "\x00", "\ud800", "<answer>", "</answer><answer>", "<answer>" * 50, "9" * 5_000, "½ ∞ NaN 1e999")
"""What models write when training goes wrong: no verifier may raise."""

QUERY_ND = np.random.default_rng(1).dirichlet(np.ones(3), 7)


def check_domain(domain: Domain, *, view: View | None = None) -> None:
    """Assert that a domain keeps its contract: what `modomodo.check` asks for, and the same answers when asked twice.

    Raises AssertionError with a line for each error, with its row and what to do.
    """
    view = view or View()
    errors = [str(problem) for problem in check(domain, view) if problem.level == "error"]
    assert not errors, "\n".join(errors)
    for split in domain.splits:
        rows = domain.load(split)
        where = f"{domain.name} ({split})"
        assert list(rows) == list(domain.load(split)), f"{where}: load gives other rows the second time: fix its seed"
        for row in rows:
            assert domain.prompt(row, view) == domain.prompt(row, view), (
                f"{where}, row {row.id}: prompt gives other messages the second time: make it depend on the row alone"
            )
        _check_verdicts(domain, split, view)


def _check_verdicts(domain: Domain, split: str, view: View) -> None:
    row = domain.load(split)[0]
    for completion in ODD_COMPLETIONS:
        where = f"{domain.name} ({split}), row {row.id}, completion {completion!r:.40}"
        verdict = verdict_on(row, completion, domain=domain, view=view)
        assert verdict.status != "ungradable", f"{where}: return a verdict for any text\n{verdict.reason}"
        assert verdict == domain.verify(row, completion, view), f"{where}: verify changes its mind the second time"


START = {"a": 0.5, "b": 0.3, "c": 0.2}


def check_rule(rule: Rule | str, **settings: object) -> None:
    """Assert that a rule, or the one of that name, keeps its contract on made-up logs of the domains a, b and c.

    `settings` are those that it has no default for. Raises AssertionError that says which promise is broken.
    """
    name, rule = (rule, find_rule(rule)) if isinstance(rule, str) else (getattr(rule, "__name__", "rule"), rule)
    settings = settings_of(rule, name, settings)
    for start in (START, {"a": 0.6, "c": 0.4}, {"b": 1.0}):
        for log in _logs(start):
            where = f"{name} from {start}, after {len(log)} steps"
            before = deepcopy((start, log))
            shares = rule(start, log, **settings)
            assert before == (start, log), f"{where}: it changes its arguments: copy them"
            _check_shares(shares, start, where)
            again = rule(deepcopy(start), deepcopy(log), **settings)
            assert again == shares, f"{where}: other shares the second time: no clock, no memory, draws from a seed"


def _check_shares(shares: Mapping[str, float], start: Mapping[str, float], where: str) -> None:
    assert set(shares) == set(start), f"{where}: shares of {sorted(shares)}: return one for each domain of the start"
    for domain, share in shares.items():
        assert 0 <= share < np.inf, f"{where}: the share of {domain} is {share}"
    total = sum(shares.values())
    assert abs(total - 1) <= 1e-6, f"{where}: the shares sum to {total}, not to 1"


def _logs(start: Mapping[str, float]) -> list[Log]:
    """Return logs: none, a usual one in which steps lack domains, and ones in which nothing or all is right."""
    rng = np.random.default_rng(2)
    usual: Log = [
        {
            name: Seen(int(prompts), 4 * int(prompts), *rng.uniform(size=3).tolist())
            for name, prompts in zip(start, rng.integers(0, 4, len(start)), strict=True)
            if prompts
        }
        for _ in range(30)
    ]
    flat = [[{name: Seen(2, 8, right, 0.0, 1.0) for name in start}] * 9 for right in (0.0, 1.0)]
    return [[], usual[:1], usual, [{}, *usual], *flat]


def check_surrogate(surrogate: Surrogate | str) -> None:
    """Assert that a surrogate, or the one of that name, keeps its contract on made-up runs of three domains.

    Raises AssertionError that says which promise is broken.
    """
    method = SURROGATES[surrogate] if isinstance(surrogate, str) else surrogate
    X_ND, y_N = _runs(14)
    fitted = _fit(method, X_ND, y_N)
    _check_spreads(fitted)
    again = _fit(method, X_ND, y_N).predict(QUERY_ND)
    _same(again.mean_N, fitted.predict(QUERY_ND).mean_N, "the same runs and seed give another fit: draw from the seed")
    _check_units(method, X_ND, y_N)
    _check_equal_scores(method, X_ND)
    _check_left_out(method)
    few = _fit(method, X_ND[-method.minimum :], y_N[-method.minimum :]).predict(QUERY_ND)
    assert np.isfinite(few.mean_N).all(), f"a fit on {method.minimum} mixtures, its `minimum`, predicts no number"


def check_strategy(strategy: Strategy | Callable[..., Choice | Mixture] | str) -> None:
    """Assert that a strategy, a function that is one, or the one of that name, keeps its contract on made-up runs.

    Raises AssertionError that says which promise is broken.
    """
    method = find_strategy(strategy) if isinstance(strategy, str) else strategy_of(strategy)
    X_ND, y_N = _runs(14)
    caps = {"d1": (0.0, 0.3)}
    goal, runs = Goal(caps=caps), Runs.of(X_ND, y_NB=y_N[:, None])
    goal = goal.settled(runs)
    choice = method.choose(runs, goal=goal, seed=3)
    again = method.choose(runs, goal=goal, seed=3)
    weights = choice.mixture.vector(runs.domains)
    assert weights[0] <= 0.3 + 1e-9, f"the mixture {choice.mixture} breaks the goal's caps: keep to goal.limits(runs)"
    assert again.mixture == choice.mixture, "the same runs and seed give another mixture: draw from the seed"
    if choice.score is not None:
        worth = choice.score(QUERY_ND)
        assert worth.shape == (len(QUERY_ND),), f"score gives shape {worth.shape}: one number a mixture, [N]"
        assert np.isfinite(worth).all(), "score gives what is no number"


def _runs(count: int) -> tuple[Array, Array]:
    """Return mixtures and scores of runs whose best mixture lies off the centre."""
    rng = np.random.default_rng(0)
    X_ND = np.vstack([np.full((1, 3), 1 / 3), np.eye(3), rng.dirichlet(np.ones(3), count - 4)])
    distance_N = np.square(np.sqrt(X_ND) - np.sqrt([0.15, 0.6, 0.25])).sum(axis=1)
    return X_ND, 0.7 - 0.3 * distance_N + 0.02 * rng.normal(size=count)


def _fit(method: Surrogate, X_ND: Array, y_N: Array, *, var: float = np.nan) -> FittedSurrogate:
    return method.fit(X_ND, y_N=y_N, var_N=np.full(len(y_N), var), seed=3)


def _same(found: Array, expected: Array, says: str, *, rtol: float = 1e-9, atol: float = 0.0) -> None:
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol, err_msg=says)


def _check_spreads(fitted: FittedSurrogate) -> None:
    predicted = fitted.predict(QUERY_ND)
    parts: dict[str, Array] = {name: getattr(predicted, name) for name in ("mean_N", "sd_mean_N", "sd_new_N")}
    for name, part in parts.items():
        assert part.shape == (7,), f"{name} has shape {part.shape} for 7 mixtures"
        assert np.isfinite(part).all(), f"{name} is not finite: {part}"
    _same(fitted.mean(QUERY_ND), predicted.mean_N, "`mean` and `predict` disagree on the expected score")
    assert (predicted.sd_mean_N >= 0).all(), "sd_mean_N is negative"
    assert (predicted.sd_new_N >= predicted.sd_mean_N).all(), "sd_new_N is below sd_mean_N: a new run adds noise"
    covariance_NN = fitted.covariance(QUERY_ND)
    says = "the diagonal of `covariance` is not sd_mean_N ** 2"
    _same(np.sqrt(np.diag(covariance_NN)), predicted.sd_mean_N, says, rtol=1e-4)
    _same(covariance_NN, covariance_NN.T, "`covariance` is not symmetric", rtol=1e-6, atol=1e-12)
    least = np.linalg.eigvalsh(covariance_NN).min()
    assert least > -1e-6 * np.trace(covariance_NN), f"`covariance` has the negative eigenvalue {least}"


def _check_units(method: Surrogate, X_ND: Array, y_N: Array) -> None:
    """Losses in per cent instead of scores from 0 to 1 must change nothing but the units."""
    plain = _fit(method, X_ND, y_N, var=1e-4).predict(QUERY_ND)
    scaled = _fit(method, X_ND, 5 - 100 * y_N, var=1.0).predict(QUERY_ND)
    _same(scaled.mean_N, 5 - 100 * plain.mean_N, "scores in other units move the predictions: scale inside", rtol=1e-2)
    _same(scaled.sd_new_N, 100 * plain.sd_new_N, "scores in other units change the spreads: scale inside", rtol=1e-2)


def _check_equal_scores(method: Surrogate, X_ND: Array) -> None:
    flat = _fit(method, X_ND, np.full(len(X_ND), 0.25)).predict(QUERY_ND)
    _same(flat.mean_N, np.full(7, 0.25), "runs that all score 0.25 lead to other predictions", atol=1e-3)
    assert np.isfinite(flat.sd_new_N).all(), "runs that all score the same have no finite sd_new_N"


def _check_left_out(method: Surrogate) -> None:
    """A left-out prediction comes from the other runs: about what a fit without the run's group says."""
    X_ND, y_N = _runs(12)
    groups_N = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 11])  # two runs leave together
    left_out = _fit(method, X_ND, y_N).leave_out(groups_N)
    for row in (0, 5, 9):
        others = groups_N != groups_N[row]
        without = _fit(method, X_ND[others], y_N[others]).predict(X_ND[row : row + 1])
        _check_as_without(row, left_out, without)


def _check_as_without(row: int, left_out: Prediction, without: Prediction) -> None:
    far = abs(left_out.mean_N[row] - without.mean_N[0]) / without.sd_new_N[0]
    assert far <= 0.5, f"`leave_out` of run {row} is {far:.2f} sd_new from a fit without its group: it saw its score"
    ratio = left_out.sd_new_N[row] / without.sd_new_N[0]
    assert 0.2 < ratio < 5, f"`leave_out` of run {row} has {ratio:.2f} times the sd_new of a fit without its group"
