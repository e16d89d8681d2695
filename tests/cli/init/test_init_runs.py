"""init on a table of runs says that it is one, and what to type; on rows of numbers it says nothing."""

from pathlib import Path

import pytest

from modomodo.cli.init.start import start
from modomodo.core.errors import ModomodoError

WANDB = """Name,State,Runtime,mixture.rec,mixture.geo,eval/chart,eval/chart__MIN
run-0,finished,3600,1,0,0.6013,0.5
run-1,crashed,3600,0,1,0.5564,0.5
run-2,finished,3600,0.5,0.5,0.3946,0.3
"""
MIXTURES = "index,train_arxiv,train_books\n1,0.25,0.75\n2,1,0\n3,0.5,0.5\n"
LOSSES = "index,metric/arxiv_val_loss,metric/github_val_loss\n3,2.5,1.3\n1,2.1,1.1\n2,2.2,1.2\n"
JSONL = """{"rec": 1.0, "geo": 0.0, "chart": 0.6}
{"rec": 0.0, "geo": 1.0, "chart": 0.5}
{"rec": 0.5, "geo": 0.5, "chart": 0.4}
"""


@pytest.mark.parametrize(
    ("name", "text", "typed"),
    [
        ("runs.csv", "w.a,w.b,score.c\n0.5,0.5,0.1\n", "modomodo recommend runs.csv"),
        ("wandb.csv", WANDB, """recommend wandb.csv --set 'weights=["mixture.*"]' --set 'scores=["eval/chart"]'"""),
        (
            "config.csv",
            WANDB.replace("Runtime", "model").replace("3600", "qwen"),
            "modomodo recommend config.csv --set",
        ),
        ("wandb.tsv", WANDB.replace(",", "\t"), "modomodo recommend wandb.tsv --set"),
        ("ratios.csv", MIXTURES, "modomodo recommend ratios.csv SCORES.csv"),
        ("percent.csv", "name,a,b\nx,25,75\ny,100,0\nz,50,50\n", "modomodo recommend percent.csv SCORES.csv"),
        (
            "german.csv",
            "name;a;b;c\nx;0,25;0,75;1,5\ny;1;0;1,6\nz;0,5;0,5;1,7\n",
            "modomodo recommend german.csv --set",
        ),
        ("losses.csv", LOSSES, "modomodo recommend MIXTURES.csv losses.csv"),
        ("scores.csv", "run,a,b\nx,0.6,0.5\ny,0.7,0.4\nz,0.2,0.1\n", "modomodo recommend MIXTURES.csv scores.csv"),
        ("runs.jsonl", JSONL, "save it as CSV, then modomodo recommend runs.csv --set"),
    ],
)
def test_a_table_of_runs_is_told_with_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, typed: str
):
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text)
    with pytest.raises(ModomodoError) as error:
        start(Path(name), Path("out"))
    assert f"{name} is a table of runs (columns " in str(error.value)
    assert typed in str(error.value)
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "text",
    [
        "question,answer\nWhat is 1 + 1?,2\nWhat is 1 + 2?,3\nWhat is 1 + 3?,4\n",
        "question,p_yes,p_no,answer\nA?,0.2,0.8,no\nB?,0.7,0.3,yes\nC?,0.5,0.5,no\n",  # soft labels
        "first,second,answer\n1,2,3\n3,4,7\n5,6,11\n",
        "index,x,y\n1,0.2,5\n2,0.4,6\n3,0.1,7\n",
    ],
)
def test_rows_are_rows(tmp_path: Path, text: str):
    (tmp_path / "rows.csv").write_text(text)
    assert start(tmp_path / "rows.csv", tmp_path / "out").files
