"""Mixtures and scores in two files, as RegMix publishes them."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from modomodo.core.errors import ModomodoError
from modomodo.mixing import Runs, read_runs

MIXTURES = "run,arxiv,books\n1,0.25,0.75\n2,1,0\n3,0.5,0.5\n"
LOSSES = "run,arxiv,github\n3,2.5,1.3\n1,2.1,1.1\n2,2.2,1.2\n"


def read(tmp_path: Path, first: str, second: str, **how) -> Runs:
    (tmp_path / "one.csv").write_text(first)
    (tmp_path / "two.csv").write_text(second)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_runs(tmp_path / "one.csv", metrics=tmp_path / "two.csv", **how)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(MIXTURES, LOSSES, id="as published"),
        pytest.param(LOSSES, MIXTURES, id="the other way round"),
        pytest.param(
            MIXTURES.replace("run,arxiv,books", "index,train/arxiv,train/books"),
            LOSSES.replace("run,arxiv,github", "index,metric/arxiv,metric/github"),
            id="prefixes of their own",
        ),
        pytest.param(
            MIXTURES.replace("run,arxiv,books", "name,w.arxiv,w.books"),
            LOSSES.replace("run,arxiv,github", "name,score.arxiv,score.github"),
            id="our prefixes",
        ),
        pytest.param(MIXTURES, LOSSES.replace("\n1,", "\n1.0,").replace("\n3,", "\n3.0,"), id="an index as floats"),
        pytest.param(
            MIXTURES.replace("0.25,0.75", "25,75").replace("1,0\n", "100,0\n").replace("0.5,0.5", "50,50"), LOSSES,
            id="percent",
        ),
    ],
)  # fmt: skip
def test_two_files_are_joined(tmp_path: Path, first: str, second: str):
    runs = read(tmp_path, first, second)
    assert (runs.domains, runs.benchmarks) == (("arxiv", "books"), ("arxiv", "github"))
    order = [runs.labels_N.index(name) for name in ("1", "2", "3")]
    np.testing.assert_allclose(runs.X_ND[order], [[0.25, 0.75], [1, 0], [0.5, 0.5]])
    np.testing.assert_allclose(runs.y_NB[order], [[2.1, 1.1], [2.2, 1.2], [2.5, 1.3]])
    assert runs.source.endswith("one.csv") or " and " in runs.source


def test_names_of_columns_by_patterns(tmp_path: Path):
    mixtures = MIXTURES.replace("arxiv,books", "train_the_pile_arxiv,train_the_pile_books")
    losses = LOSSES.replace("arxiv,github", "metric/the_pile_arxiv_val_loss,metric/the_pile_github_val_loss")
    runs = read(tmp_path, mixtures, losses, weights=["train_the_pile_*"], scores=["metric/the_pile_*_val_loss"])
    assert (runs.domains, runs.benchmarks) == (("arxiv", "books"), ("arxiv", "github"))
    runs = read(tmp_path, mixtures, losses, scores=["metric/the_pile_github_val_loss"])
    assert runs.domains == ("train_the_pile_arxiv", "train_the_pile_books")
    assert runs.benchmarks == ("the_pile_github_val_loss",)


def test_runs_of_one_file_are_left_out_and_named(tmp_path: Path):
    runs = read(tmp_path, MIXTURES + "4,0,1\n", LOSSES + "9,2.4,1.4\n")
    assert runs.labels_N == ("1", "2", "3")
    notes = "\n".join(runs.notes)
    assert "one.csv: left out 1 run that" in notes
    assert "by 'run': 4" in notes
    assert "by 'run': 9" in notes


def test_seeds_steps_and_texts_beside_scores(tmp_path: Path):
    losses = "run,seed,steps,note,loss\n1,7,30,x,2.1\n2,8,30,y,2.2\n3,9,30,z,2.5\n"
    runs = read(tmp_path, MIXTURES, losses)
    assert (runs.benchmarks, runs.seeds_N, runs.steps_N) == (("loss",), (7, 8, 9), (30, 30, 30))
    assert any("columns not read: note" in note for note in runs.notes)


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        (MIXTURES, LOSSES.replace("run", "trial"), "no column in common that names the runs: add a column run to both"),
        (MIXTURES, LOSSES.replace("\n1", "\nx1").replace("\n2", "\nx2").replace("\n3", "\nx3"), "no run in common"),
        (MIXTURES + "3,0,1\n", LOSSES, "the run 3 stands on lines 4 and 5"),
        (MIXTURES, LOSSES.replace("\n1,", "\n,"), "'run' is empty"),
        (MIXTURES.replace("0.25,0.75", "0.25,0.65"), LOSSES, "one.csv: weights sum to 0.9 on line 2"),
        (MIXTURES, LOSSES.replace("2.1", "2.1 nats"), "two.csv line 3: arxiv is '2.1 nats', not a number"),
        (MIXTURES, "run,note\n1,a\n2,b\n3,c\n", "two.csv line 1 has no column score.<benchmark>"),
    ],
)
def test_files_that_do_not_go_together(tmp_path: Path, first: str, second: str, says: str):
    with pytest.raises(ModomodoError, match=says):
        read(tmp_path, first, second)


@pytest.mark.parametrize(("start", "other"), [(0, 1), (1, 0), (1, 2)])
def test_two_files_that_count_from_different_numbers_are_not_joined(tmp_path: Path, start: int, other: int):
    mixtures = "run,arxiv,books\n" + "".join(f"{start + k},{k / 11:.6f},{1 - k / 11:.6f}\n" for k in range(12))
    losses = "run,arxiv\n" + "".join(f"{other + k},{0.5 + k / 50}\n" for k in range(12))
    with pytest.raises(ModomodoError, match=rf"count their runs from {start} and from {other} in 'run'"):
        read(tmp_path, mixtures, losses)
    named = losses.replace(f"\n{other},", "\nlast,")
    assert "last" not in read(tmp_path, mixtures, named).labels_N
