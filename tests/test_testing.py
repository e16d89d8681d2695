"""The contract tests that users call find what is broken, and say so in words."""

from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import pytest

from modomodo import Domain, Row, Target, Verdict
from modomodo.mixing import Prediction, Runs, write_runs
from modomodo.mixing.surrogates.parametric import Mean
from modomodo.testing import check_domain, check_rule, check_surrogate

ROWS = {
    "train": [Row("t1", "sums", "2 + 2 = ?", Target("count", 4))],
    "test": [Row("e1", "sums", "3 + 4 = ?", Target("count", 7))],
}
NUMBERS = count()


def asked(row: Row, view: object) -> list:
    return [{"role": "user", "content": [{"type": "text", "text": row.question}]}]


SUMS = Domain("sums", load=lambda split: ROWS[split], prompt=asked)


def test_a_sound_domain_passes():
    check_domain(SUMS)


def often_right(row: Row, completion: str, view: object) -> Verdict:
    assert "9" not in completion, "no nines"
    return SUMS.verify(row, completion, view)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"load": lambda split: ROWS["train"]}, "row t1: the id is in train already"),
        ({"load": lambda split: [replace(ROWS[split][0], question=f"{next(NUMBERS)}?")]}, "other rows the second time"),
        (
            {"prompt": lambda row, view: asked(replace(row, question=str(next(NUMBERS))), view)},
            r"sums \(train\), row t1: prompt gives other messages",
        ),
        ({"verify": often_right}, "(?s)completion '9999.*return a verdict for any text.*no nines"),
    ],
)
def test_a_broken_domain_is_told_what_is_wrong(changes, says):
    with pytest.raises(AssertionError, match=says):
        check_domain(replace(SUMS, **changes))


@dataclass(frozen=True)
class Broken:
    """The mean of all runs, with one promise broken."""

    promise: str
    minimum: int = 2

    def fit(self, X_ND, *, y_N, var_N, seed):
        if self.promise == "seed":
            y_N = y_N + np.random.default_rng().normal(size=len(y_N))
        if self.promise == "units":
            y_N = np.clip(y_N, 0, 1)
        return BrokenFit(self.promise, Mean().fit(X_ND, y_N=y_N, var_N=var_N, seed=seed), y_N)


@dataclass(frozen=True)
class BrokenFit:
    promise: str
    whole: object
    y_N: np.ndarray

    def mean(self, X_ND):
        return self.whole.mean(X_ND) + (self.promise == "mean")

    def predict(self, X_ND):
        found = self.whole.predict(X_ND)
        return replace(found, sd_new_N=found.sd_mean_N / 2) if self.promise == "spread" else found

    def covariance(self, X_ND):
        return self.whole.covariance(X_ND) * (4 if self.promise == "covariance" else 1)

    def leave_out(self, groups_N):
        found = self.whole.leave_out(groups_N)
        return Prediction(self.y_N, found.sd_mean_N, found.sd_new_N) if self.promise == "left out" else found


@pytest.mark.parametrize(
    ("promise", "says"),
    [
        ("seed", "the same runs and seed give another fit"),
        ("mean", "`mean` and `predict` disagree"),
        ("spread", "sd_new_N is below sd_mean_N"),
        ("covariance", "the diagonal of `covariance`"),
        ("units", "scores in other units"),
        ("left out", "it saw its score"),
    ],
)
def test_a_broken_surrogate_is_told_what_is_wrong(promise, says):
    with pytest.raises(AssertionError, match=says):
        check_surrogate(Broken(promise))


def test_one_that_keeps_all_promises_passes():
    check_surrogate(Broken("none"))


NAMES = ["dump", "sec", "mt-grpo", "solved"]


@pytest.mark.parametrize("name", NAMES)
def test_our_own_rules_pass(name):
    check_rule(name)


def test_the_rule_that_reads_pilots_passes(tmp_path):
    X_ND = np.random.default_rng(0).dirichlet(np.ones(3), 12)
    runs = Runs.of(X_ND, y_NB=X_ND[:, 1:2], domains=("a", "b", "c"), benchmarks=("charts",))
    write_runs(runs, tmp_path / "runs.csv")
    check_rule("ours", pilots=tmp_path / "runs.csv", surrogate="linear")


def greedy(start, log, *, broken: str = ""):
    shares = dict(start)
    if broken == "sum":
        shares = {name: share / 2 for name, share in start.items()}
    elif broken == "domain":
        shares = {"a": 1.0}
    elif broken == "negative":
        shares = {name: -share for name, share in start.items()}
    elif broken == "nan":
        shares = dict.fromkeys(start, float("nan"))
    elif broken == "memory":
        shares = {name: share + next(NUMBERS) * 1e-9 for name, share in start.items()}
    elif broken == "arguments" and log:
        log.pop()
    return shares


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("sum", "the shares sum to 0.5"),
        ("domain", "return one for each domain of the start"),
        ("negative", "the share of a is -0.5"),
        ("nan", "the share of a is nan"),
        ("memory", "other shares the second time"),
        ("arguments", "it changes its arguments"),
    ],
)
def test_a_broken_rule_is_told_what_is_wrong(broken, says):
    check_rule(greedy)
    with pytest.raises(AssertionError, match=says):
        check_rule(greedy, broken=broken)
