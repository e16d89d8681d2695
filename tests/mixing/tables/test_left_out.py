"""Exports of W&B: unfinished runs, running minima and maxima, names and prefixes of their own."""

from pathlib import Path

import numpy as np
import pytest

from modomodo.core.errors import ModomodoError
from modomodo.mixing import read_runs

EXPORT = """Name,State,Runtime,mixture.rec,mixture.geo,eval/chart,eval/chart__MIN,eval/chart__MAX,eval/math
run-0,finished,3600,1,0,0.6013,0.5,0.7,0.3987
run-1,finished,3600,0,1,0.5564,0.5,0.7,0.5010
run-2,crashed,12,0.5,0.5,0.3946,0.3,0.4,
run-3,finished,3600,0.5,0.5,0.6755,0.5,0.7,0.4595
run-4,running,60,,,,,,
"""
PREFIXED = EXPORT.replace("mixture.", "w.").replace("eval/", "score.")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "wandb.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "how"),
    [
        (PREFIXED, {}),
        (EXPORT, {"weights": ["mixture.*"], "scores": ["eval/*"]}),
        (EXPORT, {"weights": ["mixture.rec", "mixture.geo"], "scores": ["eval/chart", "eval/math"]}),
        (EXPORT.replace("mixture.", "").replace("eval/", ""), {"weights": ["rec", "geo"], "scores": ["chart", "math"]}),
        (EXPORT.replace("State", "state"), {"weights": ["mixture.*"], "scores": ["eval/*"]}),
        (PREFIXED.replace("__M", "__m"), {}),
    ],
)
def test_finished_runs_alone_are_read(tmp_path: Path, text: str, how: dict[str, list[str]]):
    with pytest.warns(UserWarning, match="."):
        runs = read_runs(written(tmp_path, text), **how)
    assert (runs.domains, runs.benchmarks) == (("rec", "geo"), ("chart", "math"))
    assert runs.labels_N == ("run-0", "run-1", "run-3")
    np.testing.assert_allclose(runs.y_NB, [[0.6013, 0.3987], [0.5564, 0.5010], [0.6755, 0.4595]])
    notes = "\n".join(runs.notes)
    assert "left out 2 lines whose" in notes
    assert "run-2 (line 4, crashed), run-4 (line 6, running)" in notes
    assert "running minima and maxima are not read:" in notes
    assert "columns not read: Runtime" in notes


def test_a_table_of_another_tracker_says_what_to_type(tmp_path: Path):
    with pytest.raises(ModomodoError) as error:
        read_runs(written(tmp_path, EXPORT))
    assert """--set 'weights=["mixture.*"]' --set 'scores=["eval/*"]'""" in str(error.value)


def test_a_column_state_of_something_else_is_not_read(tmp_path: Path):
    with pytest.warns(UserWarning, match="columns not read: Runtime"):
        runs = read_runs(written(tmp_path, PREFIXED.replace("crashed", "Texas").replace("running", "Ohio").replace(
            "run-4,Ohio,60,,,,,,\n", "")))  # fmt: skip
    assert len(runs.labels_N) == 4


@pytest.mark.parametrize(
    ("patterns", "says"),
    [
        ({"weights": ["mixtures.*"]}, r"wandb.csv line 1 has no column 'mixtures\.\*'; did you mean mixture.rec"),
        ({"weights": ["mixture.*"], "scores": ["eval/chrt"]}, "no column 'eval/chrt'; did you mean eval/chart"),
        ({"weights": ["Name", "mixture.*"]}, "Name is 'run-0', not a number"),
    ],
)
def test_patterns_that_match_nothing(tmp_path: Path, patterns: dict[str, list[str]], says: str):
    with pytest.raises(ModomodoError, match=says):
        read_runs(written(tmp_path, EXPORT), **({"scores": ["eval/*"]} | patterns))
