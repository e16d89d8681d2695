import numpy as np
import pytest

from modomodo.core.errors import ModomodoError
from modomodo.mixing import Runs, fit, write_runs
from modomodo.mixing.online import RULES, Seen, settings_of

START = {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}


@pytest.fixture(scope="module")
def pilots(tmp_path_factory):
    """A table in which `charts` rises with the share of b and falls with that of c, and `other` says the opposite."""
    rng = np.random.default_rng(0)
    X_ND = np.vstack([np.full((1, 3), 1 / 3), np.eye(3), rng.dirichlet(np.ones(3), 16)])
    rising_N = 0.4 + 0.3 * X_ND[:, 1] - 0.2 * X_ND[:, 2] + 0.005 * rng.normal(size=len(X_ND))
    path = tmp_path_factory.mktemp("ours") / "runs.csv"
    runs = Runs.of(
        X_ND, y_NB=np.stack([rising_N, 1 - rising_N], axis=1), domains=("a", "b", "c"), benchmarks=("charts", "other")
    )
    write_runs(runs, path)
    return path


def ours(log, pilots, **settings):
    return RULES["ours"](START, log, pilots=pilots, benchmarks=("charts",), surrogate="linear", **settings)


def test_it_asks_for_what_the_surrogate_expects_to_gain(pilots):
    found = ours([], pilots)
    assert found["b"] > found["a"] > found["c"]
    assert sum(found.values()) == pytest.approx(1)


def test_a_domain_that_teaches_no_more_loses_what_it_was_expected_to_gain(pilots):
    log = [{name: Seen(64, 256, 0.5, 0.4, 1.0 if name == "b" else 0.0) for name in START}]
    taught = [{name: Seen(64, 256, 0.5, 0.4, 0.0) for name in START}]
    assert ours(log, pilots)["b"] < ours(taught, pilots)["b"]


def test_its_weights_are_those_of_its_formula(pilots):
    from modomodo.mixing import read_runs

    log = [{"a": Seen(6, 24, 0.5, 0.4, 0.5), "b": Seen(2, 8, 0.5, 0.4, 0.0)}]
    fitted = fit(read_runs(pilots), surrogate="linear", aggregates={"out": {"charts": 1.0}})
    now = np.array([0.75, 0.25, 0.0])
    scores = []
    for index, teaches in enumerate([(3 + 1) / (6 + 1), 1.0, 1.0]):
        toward = 0.9 * now + 0.1 * np.eye(3)[index]
        gain, sd = fitted.difference(np.array([toward, now]), name="out")
        scores.append(teaches * gain / sd / 2.0)
    weights = np.exp(scores) / np.exp(scores).sum()
    assert list(ours(log, pilots, temperature=2.0).values()) == pytest.approx(list(weights))


def test_it_says_what_its_table_lacks(pilots, tmp_path):
    with pytest.raises(ModomodoError, match="no scores of 'chart'; did you mean charts"):
        RULES["ours"](START, [], pilots=pilots, benchmarks=("chart",), surrogate="linear")
    with pytest.raises(ModomodoError, match="no runs of the domain 'd'"):
        RULES["ours"]({"a": 0.5, "d": 0.5}, [], pilots=pilots, surrogate="linear")
    with pytest.raises(ModomodoError, match="the rule 'ours' needs pilots: add it, a path in quotes"):
        settings_of(RULES["ours"], "ours", {})
