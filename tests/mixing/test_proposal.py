"""next: new mixtures by noisy expected improvement, replicates where noise decides; D = 3, B = 2."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from modomodo.core.errors import ModomodoError
from modomodo.mixing import Fitted, Runs, fit
from modomodo.mixing.proposal import propose

OPTIMUM = np.array([0.1, 0.65, 0.25])
DOMAINS = ("a", "b", "c")


def table(X_ND: np.ndarray, y_NB: np.ndarray) -> Runs:
    count = len(X_ND)
    unknown, none = np.full((count, 2), np.nan), (None,) * count
    labels = tuple(f"run {n}" for n in range(count))
    return Runs(DOMAINS, ("chart", "info"), X_ND, y_NB, unknown, unknown, none, none, labels)


def scores(X_ND: np.ndarray, noise: float, rng: np.random.Generator, strength: float = 0.4) -> np.ndarray:
    bowl_N = -strength * np.square(np.sqrt(X_ND) - np.sqrt(OPTIMUM)).sum(axis=1)
    return np.stack([0.7 + bowl_N, 0.5 + 0.8 * bowl_N], axis=1) + noise * rng.normal(size=(len(X_ND), 2))


def runs_of(noise: float, strength: float = 0.4, count: int = 8, seed: int = 3) -> Runs:
    rng = np.random.default_rng(seed)
    X_ND = np.vstack([np.full((1, 3), 1 / 3), np.eye(3), rng.dirichlet(np.ones(3), count - 4)])
    return table(X_ND, scores(X_ND, noise, rng, strength))


def more(runs: Runs, X_ND: np.ndarray, y_NB: np.ndarray) -> Runs:
    return table(np.vstack([runs.X_ND, X_ND]), np.vstack([runs.y_NB, y_NB]))


@pytest.fixture(scope="module")
def clear() -> Fitted:
    return fit(runs_of(0.002))


@pytest.fixture(scope="module")
def noisy() -> Fitted:
    return fit(runs_of(0.02, strength=0.0, count=14))


def regret(pool_ND: np.ndarray, truth_N: np.ndarray, rows: list[int], ask: bool, seed: int) -> float:
    """Return what the recommended mixture of a pool lacks after two batches of 4, asked for or random."""
    rng, domains = np.random.default_rng(seed), tuple("abcdef")
    for batch in range(3):
        y_N1 = truth_N[rows, None] + 0.01 * np.random.default_rng(seed).normal(size=(len(rows), 1))
        unknown, none = np.full((len(rows), 1), np.nan), (None,) * len(rows)
        labels = tuple(map(str, rows))
        fitted = fit(Runs(domains, ("x",), pool_ND[rows], y_N1, unknown, unknown, none, none, labels))
        if batch == 2:
            break
        if ask:
            found = [one.mixture.vector(domains) for one in propose(fitted, candidates_ND=pool_ND, seed=seed).pilots]
            rows = rows + [int(np.abs(pool_ND - x_D).sum(axis=1).argmin()) for x_D in found]
        else:
            rows = rows + [int(row) for row in rng.permutation(len(pool_ND)) if row not in rows][:4]
    return float(truth_N.max() - truth_N[np.argmax(fitted.mean(pool_ND, name="x"))])


def test_finds_a_peak_in_two_batches_and_better_than_chance():
    pool_ND = np.random.default_rng(0).dirichlet(np.full(6, 0.5), 300)
    optimum_D = np.array([0.02, 0.7, 0.02, 0.22, 0.02, 0.02])
    truth_N = 0.3 + 0.5 * np.exp(-2 * np.square(np.sqrt(pool_ND) - np.sqrt(optimum_D)).sum(axis=1))
    starts = [np.argsort(truth_N)[np.random.default_rng(seed).choice(200, 8, replace=False)] for seed in range(4)]
    asked, chance = (
        np.mean([regret(pool_ND, truth_N, rows.tolist(), ask, seed) for seed, rows in enumerate(starts)])
        for ask in (True, False)
    )
    assert asked < 0.4 * truth_N.std()
    assert asked < 0.6 * chance


def test_a_batch_is_distinct_rounded_new_and_deterministic(clear: Fitted):
    found = propose(clear, batch=5, seed=1)
    assert found == propose(clear, batch=5, seed=1)
    assert found.pilots != propose(clear, batch=5, seed=2).pilots
    assert len({one.mixture.key for one in found.pilots}) == len(found.pilots) == 5
    for one in found.pilots:
        assert (one.kind, one.of) == ("new", None)
        weights_D = one.mixture.vector(DOMAINS)
        np.testing.assert_allclose(weights_D, np.round(weights_D, 4), atol=1e-12)
        assert np.abs(clear.runs.X_ND - weights_D).sum(axis=1).min() / 2 > 0.004
        assert 0 < one.sd_mean < one.sd_new
        assert one.improvement > 0
        assert one.expected == pytest.approx(clear.mean(weights_D[None], name="aggregate")[0])
    assert max(found.pilots, key=lambda one: one.improvement) == found.pilots[0]
    assert "beat the best of the runs" in found.pilots[0].reason


def test_stays_inside_caps(clear: Fitted):
    for one in propose(clear, batch=4, caps={"b": (0.0, 0.3), "a": (0.25, 1.0)}).pilots:
        weights = one.mixture.as_dict()
        assert weights["b"] <= 0.3 + 1e-9
        assert weights["a"] >= 0.25 - 1e-9
    with pytest.raises(ModomodoError, match="least weights sum to"):
        propose(clear, caps={"a": (0.6, 1.0), "b": (0.6, 1.0)})
    only = propose(clear, batch=4, caps={"a": (0.5, 0.5), "b": (0.2, 0.2)})
    assert [one.mixture.as_dict() for one in only.pilots] == [pytest.approx({"a": 0.5, "b": 0.2, "c": 0.3})]
    with pytest.raises(ModomodoError, match="the caps leave no mixture"):
        propose(clear, caps={"a": (1.0, 1.0)})


def test_lower_is_better():
    runs = runs_of(0.002)
    upside_down = fit(replace(runs, y_NB=-runs.y_NB), direction="lower")
    found, same = propose(upside_down, batch=2), propose(fit(runs, bounds={"chart": (-9, 9), "info": (-9, 9)}), batch=2)
    assert found.direction == "lower"
    for one, other in zip(found.pilots, same.pilots, strict=True):
        assert one.mixture.distance(other.mixture) < 0.05
        assert one.expected == pytest.approx(-other.expected, abs=0.01)


def test_the_order_of_domains_does_not_matter(clear: Fitted):
    runs, order = clear.runs, [2, 0, 1]
    pool_ND = np.random.default_rng(5).dirichlet(np.ones(3), 60)
    turned = fit(replace(runs, domains=tuple(DOMAINS[d] for d in order), X_ND=runs.X_ND[:, order]))
    found, other = propose(clear, candidates_ND=pool_ND), propose(turned, candidates_ND=pool_ND[:, order])
    assert found.pilots[0].mixture.key == other.pilots[0].mixture.key
    assert {name: round(x, 9) for name, x in other.pilots[0].mixture.as_dict().items()}.keys() == set(DOMAINS)


def test_noise_asks_for_replicates_of_the_best_run_and_of_equal_shares(noisy: Fitted):
    found = propose(noisy, batch=4).pilots
    assert [one.kind for one in found] == ["replicate", "replicate", "new", "new"]
    assert found[1].of == "run 0"
    for one in found[:2]:
        row = noisy.runs.labels_N.index(one.of or "")
        np.testing.assert_array_equal(one.mixture.vector(DOMAINS), noisy.runs.X_ND[row])
        assert one.improvement == 0
        assert "runs of one mixture differ more" in one.reason
    assert [one.kind for one in propose(noisy, batch=1).pilots] == ["replicate"]
    within = propose(noisy, batch=4, caps={"a": (0.5, 1.0)}).pilots
    assert "run 0" not in [one.of for one in within]


def test_replicates_stop_at_a_quarter_of_the_runs(noisy: Fitted):
    runs = noisy.runs
    repeated = fit(more(runs, runs.X_ND[:7], runs.y_NB[7:14]))
    assert {one.kind for one in propose(repeated, batch=4).pilots} == {"new"}


def test_a_pool_holds_the_new_mixtures(clear: Fitted):
    rng = np.random.default_rng(2)
    pool_ND = np.vstack([clear.runs.X_ND[:3], rng.dirichlet(np.ones(3), 30)])
    found = propose(clear, batch=3, candidates_ND=pool_ND).pilots
    rows = [int(np.abs(pool_ND - one.mixture.vector(DOMAINS)).sum(axis=1).argmin()) for one in found]
    assert min(rows) >= 3
    assert len(set(rows)) == 3
    assert len(propose(clear, batch=9, candidates_ND=pool_ND[:5]).pilots) == 2
    with pytest.raises(ModomodoError, match="the 3 candidates have no mixture that hasn't run yet"):
        propose(clear, candidates_ND=pool_ND[:3])
    with pytest.raises(ModomodoError, match="they need 3 columns"):
        propose(clear, candidates_ND=pool_ND[:, :2])


def test_what_is_under_way_is_not_proposed_again(clear: Fitted, noisy: Fitted):
    first = propose(clear, batch=2).pilots
    other = propose(clear, batch=2, pending=[one.mixture for one in first]).pilots
    assert min(one.mixture.distance(another.mixture) for one in first for another in other) > 0.004
    assert other[0].improvement < first[0].improvement
    assert "the pilots under way" in other[0].reason
    again = propose(noisy, batch=2).pilots
    pending = [one.mixture for one in again for _ in range(3)]
    assert [one.kind for one in again] == ["replicate", "replicate"]
    assert "replicate" not in [one.kind for one in propose(noisy, batch=2, pending=pending).pilots]


def test_nothing_in_doubt_promises_no_improvement():
    flat = fit(runs_of(0.02, count=8), surrogate="mean")
    assert all(one.improvement < 1e-3 for one in propose(flat, batch=2).pilots)


@pytest.mark.parametrize("surrogate", ["quadratic", "paper", "mean"])
def test_any_surrogate_will_do(surrogate: str):
    found = propose(fit(runs_of(0.01, count=10), surrogate=surrogate), batch=2)
    assert len({one.mixture.key for one in found.pilots}) == 2


def test_is_json(noisy: Fitted):
    data = json.loads(json.dumps(propose(noisy, batch=3, objective="info").as_dict(), allow_nan=False))
    assert (data["version"], data["objective"], data["direction"], data["runs"]) == (1, "info", "higher", 14)
    assert set(data["pilots"][0]) == {
        "mixture", "kind", "of", "expected", "sd_mean", "sd_new", "improvement", "reason"
    }  # fmt: skip
    assert set(data["pilots"][0]["mixture"]) == set(DOMAINS)


def test_says_what_to_install_and_what_is_unknown(clear: Fitted, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ModomodoError, match="batch is 0"):
        propose(clear, batch=0)
    with pytest.raises(ModomodoError, match="did you mean chart"):
        propose(clear, objective="cart")
    monkeypatch.setitem(sys.modules, "botorch", None)
    with pytest.raises(ModomodoError, match=r"proposing pilots needs BoTorch: pip install 'modomodo\[gp\]'"):
        propose(clear)
