"""The table of runs and its CSV: N = 3 or 4 runs, D = 3 domains, B = 2 benchmarks."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from modomodo.core.errors import ModomodoError
from modomodo.mixing import Runs, read_runs, write_runs

HEADER = "w.coco,w.sat,w.geo,score.chart,n.chart,score.info,se.info,seed,steps\n"
LINES = (
    "0.5,0.3,0.2,0.40,100,0.61,0.02,7,2000\n",
    "0.1,0.2,0.7,0.55,100,,,8,2000\n",
    "1,0,0,0.30,100,0.5,nan,9007199254740993,2000\n",
)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "runs.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_columns_missing_scores_and_large_seeds(tmp_path: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runs = read_runs(written(tmp_path, "\ufeff" + HEADER + "\n".join(LINES)))
    assert runs.domains == ("coco", "sat", "geo")
    assert runs.benchmarks == ("chart", "info")
    np.testing.assert_allclose(runs.X_ND[1], [0.1, 0.2, 0.7])
    assert np.isnan(runs.y_NB[1, 1])
    assert runs.seeds_N == (7, 8, 9007199254740993)
    assert runs.steps_N == (2000, 2000, 2000)
    assert runs.labels_N == ("line 2", "line 4", "line 6")  # blank lines count


def test_se_wins_over_n(tmp_path: Path):
    text = "w.a,w.b,score.x,se.x,n.x\n.5,.5,.4,.03,96\n.2,.8,.4,,96\n"
    runs = read_runs(written(tmp_path, text))
    share = (0.4 * 96 + 2) / 100
    np.testing.assert_allclose(runs.se_NB[:, 0], [0.03, np.sqrt(share * (1 - share) / 100)])


def test_round_trip_is_exact(tmp_path: Path):
    runs = read_runs(written(tmp_path, HEADER + "".join(LINES)))
    write_runs(runs, tmp_path / "again.csv")
    again = read_runs(tmp_path / "again.csv")
    for field in ("X_ND", "y_NB", "se_NB", "n_NB"):
        np.testing.assert_array_equal(getattr(again, field), getattr(runs, field))
    assert (again.seeds_N, again.steps_N, again.labels_N) == (runs.seeds_N, runs.steps_N, runs.labels_N)


def test_rounded_weights_are_renormalised_with_one_warning(tmp_path: Path):
    text = "w.a,w.b,score.x\n.333,.663,1.5\n.5,.5,2\n.2,.807,3\n"
    with pytest.warns(UserWarning, match=r"2 of 3 runs sum to 1 only within 0\.007") as caught:
        runs = read_runs(written(tmp_path, text))
    assert len(caught) == 1
    np.testing.assert_allclose(runs.X_ND.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(runs.X_ND[0, 0], 0.333 / 0.996)


def test_unread_columns_are_named_once_with_the_near_miss(tmp_path: Path):
    text = "w.a,w.b,score.x,note,sore.y,se.z\n.5,.5,1,hello,2,.1\n"
    with pytest.warns(UserWarning, match="columns not read") as caught:
        read_runs(written(tmp_path, text))
    assert len(caught) == 1
    said = str(caught[0].message)
    assert "columns not read: sore.y (did you mean score.y" in said
    assert "se.z" in said
    assert said.endswith(", note")  # what may be a mistake comes first


def test_counts_of_scores_beyond_one_give_no_standard_error(tmp_path: Path):
    with pytest.warns(UserWarning, match="which loss leaves"):
        runs = read_runs(written(tmp_path, "w.a,w.b,score.loss,n.loss\n.5,.5,2.5,100\n1,0,.9,100\n"))
    assert np.isnan(runs.se_NB).all()
    assert (runs.n_NB == 100).all()


def test_repeated_seeds_are_named(tmp_path: Path):
    with pytest.warns(UserWarning, match="1 run with mixture, seed and steps of an earlier line, .*: line 4"):
        runs = read_runs(written(tmp_path, "w.a,w.b,score.x,seed\n.5,.5,1,3\n.5,.5,2,4\n.5,.5,3,3\n"))
    assert runs.groups().tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("w.a,w.b,score.x\n", "no runs"),
        ("a,b,score.x\n.5,.5,1\n", r"no column w\.<domain>; its columns: a, b, score.x"),
        ("w.a,w.b,x\n.5,.5,1\n", r"no column score\.<benchmark>"),
        ("w.a,w.b,score.x\n.5,.5,1\n.5,.6,1\n0,0,1\n", "weights sum to 1.1 on lines 3, 4"),
        ("w.a,w.b,score.x\n-.1,1.1,1\n", "negative weights on line 2"),
        ("w.a,w.b,score.x\n.5,,1\n", "line 2: w.b is ''"),
        ("w.a,w.b,score.x\n.5,.5,good\n", "line 2: score.x is 'good', not a number"),
        ("w.a,w.b,score.x\n.5,.5,inf\n", "line 2: score.x is inf"),
        ("w.a,w.b,score.x,se.x\n.5,.5,1,-1\n", "line 2: se.x is -1"),
        ("w.a,w.b,score.x,seed\n.5,.5,1,1.5\n", "line 2: seed is 1.5"),
        ("w.a,w.b,score.x\n.5,.5,1e200\n", "line 2: score.x is 1e200; it must lie between"),
        ("w.a,w.b,score.\x1b[31mx\n.5,.5,1\n", r"line 1: 'score.\\x1b\[31mx' has characters that cannot be printed"),
        ("w.a,w.b,score.x\n.5,.5\n", "line 2 has 2 cells, the header 3"),
        ("w.a,w.a,score.x\n.5,.5,1\n", "2 columns called w.a"),
    ],
)
def test_refuses_with_the_line(tmp_path: Path, text: str, says: str):
    with pytest.raises(ModomodoError, match=says):
        read_runs(written(tmp_path, text))


def test_missing_file(tmp_path: Path):
    with pytest.raises(ModomodoError, match="no table of runs at"):
        read_runs(tmp_path / "absent.csv")


def test_runs_check_their_shapes_and_weights():
    good = {"y_NB": [[1.0]], "se_NB": [[np.nan]], "n_NB": [[np.nan]]}
    with pytest.raises(ModomodoError, match=r"X_ND of the runs has shape \(1, 3\), not \(1, 2\)"):
        Runs(("a", "b"), ("x",), np.ones((1, 3)), **_arrays(good), seeds_N=(1,), steps_N=(1,), labels_N=("r",))
    with pytest.raises(ModomodoError, match="sum to 2"):
        Runs(("a", "b"), ("x",), np.ones((1, 2)), **_arrays(good), seeds_N=(1,), steps_N=(1,), labels_N=("r",))


def _arrays(lists: dict[str, list[list[float]]]) -> dict[str, np.ndarray]:
    return {name: np.array(values) for name, values in lists.items()}


def test_weights_rounded_to_six_decimals_are_divided_by_their_sum(tmp_path: Path):
    path = tmp_path / "runs.csv"
    path.write_text("w.a,w.b,w.c,score.x\n0.333333,0.333333,0.333333,0.5\n0.333334,0.333334,0.333333,0.4\n")
    np.testing.assert_allclose(read_runs(path).X_ND.sum(axis=1), 1, atol=1e-12)


def test_runs_without_training_are_refused(tmp_path: Path):
    path = tmp_path / "runs.csv"
    path.write_text("w.a,w.b,score.x,steps\n0.5,0.5,0.5,100\n1,0,0.4,0\n")
    with pytest.raises(ModomodoError, match="line 3: steps is 0"):
        read_runs(path)


def test_a_table_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    write_runs(read_runs(written(tmp_path, "w.a,w.b,score.x\n1,0,0.5\n0,1,0.25\n")), tmp_path / "out.csv")
    before = (tmp_path / "out.csv").read_text()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(ModomodoError, match="cannot write"):
        write_runs(read_runs(tmp_path / "out.csv"), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == before


@pytest.mark.parametrize("mark", [";", "\t"])
def test_other_separators_are_read(tmp_path: Path, mark: str):
    lines = [["label", "w.a", "w.b", "score.x"], ['"one, two; three"', "0.25", "0.75", "0.5"]]
    runs = read_runs(written(tmp_path, "\n".join(mark.join(line) for line in lines)))
    assert (runs.labels_N, runs.domains, runs.y_NB.tolist()) == (("one, two; three",), ("a", "b"), [[0.5]])
    named = written(tmp_path, "\n".join([f"sep={mark}", *(mark.join(line) for line in lines)]))
    assert read_runs(named).labels_N == runs.labels_N


def test_another_coding_is_named(tmp_path: Path):
    path = tmp_path / "runs.csv"
    path.write_text("w.a,w.b,score.x\n0.5,0.5,1\n", encoding="utf-16")
    with pytest.raises(ModomodoError, match=r"runs.csv is UTF-16 .*: save it as UTF-8"):
        read_runs(path)
