"""`relaxed` and `anls` give the values of lmms-eval's own functions; benchmarks/lmms_values.py recorded them."""

import json
from pathlib import Path

import pytest

from modomodo.core.rows import Target, View
from modomodo.verifiers import grade

VALUES = [json.loads(line) for line in Path(__file__).with_name("lmms_values.jsonl").read_text().splitlines()]
# lmms-eval measures the answer before it collapses white space: padding would raise any score, so we do not.
PADDED = "hello  world"


@pytest.mark.parametrize("name", ["relaxed", "anls"])
def test_values_of_lmms_eval(name):
    values = [value for verifier, _, _, value in VALUES if verifier == name]
    assert len(values) > 150
    assert {0, 1} <= set(values)
    for verifier, golds, said, value in VALUES:
        if verifier == name and not (name == "anls" and said == PADDED):
            verdict = grade(said, Target(name, tuple(golds)), View(mode="standard"), raw=True)
            assert verdict.reward == pytest.approx(value), (golds, said, verdict)
