"""`fit`, `recommend` and `next` on nothing but a table of runs; the first two without torch."""

import json
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from modomodo.cli import main
from modomodo.core.errors import ModomodoError


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    lines = ["w.a,w.b,w.c,score.x,score.y,n.x,n.y"]
    for weights in rng.dirichlet([1, 1, 1], size=14):
        x = 0.4 + 0.4 * np.sqrt(weights[0]) + rng.normal(0, 0.01)
        y = 0.3 + 0.5 * np.sqrt(weights[1]) + rng.normal(0, 0.01)
        lines.append(",".join(map(str, [*weights, x, y, 500, 500])))
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def run(*arguments):
    result = CliRunner().invoke(main.app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_fit_validates_and_predicts_a_grid(table, tmp_path):
    grid, out = tmp_path / "grid.csv", tmp_path / "predictions.csv"
    grid.write_text("w.c,w.a,w.b\n0,1,0\n0.2,0.4,0.4\n")
    assert "each mixture predicted from the others" in run("fit", table, "--predict", grid, "--out", out)
    header, *rows = [line.split(",") for line in out.read_text().splitlines()]
    found = [dict(zip(header, map(float, row), strict=True)) for row in rows]
    assert header[:3] == ["w.a", "w.b", "w.c"]
    assert [row["w.c"] for row in found] == [0, 0.2]
    for row in found:
        for name in ("x", "y", "aggregate"):
            assert row[f"lo90.{name}"] < row[f"mean.{name}"] < row[f"hi90.{name}"]
            assert 0 < row[f"sd_mean.{name}"] <= row[f"sd.{name}"]
    assert found[0]["mean.x"] > found[1]["mean.x"] + 0.02


def test_recommend_obeys_caps_objective_and_direction(table, tmp_path):
    out = tmp_path / "recommendation.json"
    printed = run(
        "recommend", table, "--out", out, "--set", "objective=x", "--set", "caps.a.max=0.5", "--set", "caps.c.min=0.1"
    )
    assert "Predicted, not tested" in printed
    assert printed.endswith(f"written: {out}")
    found = json.loads(out.read_text())
    assert found["mixture"]["a"] == pytest.approx(0.5, abs=0.02)
    assert found["mixture"]["c"] >= 0.1 - 1e-9
    run("recommend", table, "--out", out, "--set", "objective=x", "--set", "direction=lower")
    assert json.loads(out.read_text())["mixture"]["a"] < 0.1
    run("recommend", table, "--out", out, "--set", "aggregates.mine.y=1", "--set", "objective=mine")
    assert json.loads(out.read_text())["mixture"]["b"] > 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "objective=z"], "unknown benchmark or aggregate 'z'"),
        (["--set", "surrogate=gpp"], "did you mean gp?"),
        (["--set", "caps.d.max=0.5"], "cap on unknown domain 'd'"),
        (["--set", "caps.a.max=1.5"], "caps.a.max"),
        (["--set", "direction=up"], "direction"),
        (["--set", "objectiv=x"], "did you mean objective?"),
    ],
)
def test_mistakes_say_what_to_do(table, arguments, message):
    with pytest.raises(ModomodoError) as error:
        run("recommend", table, *arguments)
    assert message in str(error.value)


def test_a_report_is_written_over_nothing_but_a_report(table):
    runs = table.read_text()
    with pytest.raises(ModomodoError, match="so its name ends with"):
        run("report", table, "--out", table.parent / "page.htm")
    (table.parent / "link.html").symlink_to(table)
    (table.parent / "mine.html").write_text("mine")
    for name in ("link.html", "mine.html", table.name):
        with pytest.raises(ModomodoError, match=r"would overwrite the file it reads|no report of modomodo"):
            run("report", table, "--out", table.parent / name)
    assert table.read_text() == runs


@pytest.mark.parametrize("verb", ["recommend", "next", "fit"])
def test_no_answer_takes_the_place_of_its_table(table, verb):
    runs = table.read_text()
    more = ["--predict", table] if verb == "fit" else []
    with pytest.raises(ModomodoError, match="would overwrite the file it reads"):
        run(verb, table, *more, "--out", table)
    assert table.read_text() == runs


def test_next_proposes_a_batch_within_caps_and_writes_it(table, tmp_path):
    out = tmp_path / "next.json"
    said = run("next", table, "--out", out, "--set", "batch=2", "--set", "objective=x", "--set", "caps.a.max=0.5")
    assert "x (± sd)" in said
    assert "expected improvement" in said
    assert "[[extra]]" not in said
    found = json.loads(out.read_text())
    assert (found["version"], found["objective"], found["direction"], found["runs"]) == (1, "x", "higher", 14)
    assert len(found["pilots"]) == 2
    assert all(pilot["mixture"]["a"] <= 0.5 + 1e-9 for pilot in found["pilots"])
    with pytest.raises(ModomodoError, match=r"batch: write a whole number, 1 or more"):
        run("next", table, "--set", "batch=0")


def test_next_without_botorch_says_what_to_install(table, monkeypatch):
    monkeypatch.setitem(sys.modules, "botorch", None)
    with pytest.raises(ModomodoError, match="pip install"):
        run("next", table)


def test_predict_needs_both_files(table, tmp_path):
    with pytest.raises(ModomodoError, match="go together"):
        run("fit", table, "--predict", tmp_path / "grid.csv")


def test_a_grid_of_other_domains_is_refused(table, tmp_path):
    grid = tmp_path / "grid.csv"
    grid.write_text("w.a,w.b\n1,0\n")
    with pytest.raises(ModomodoError, match="at least one mixture of a, b, c is needed"):
        run("fit", table, "--predict", grid, "--out", tmp_path / "p.csv")


def test_what_was_done_to_a_table_is_said_wherever_it_is_used(table, tmp_path):
    """One benchmark in percent, one line that is no run: the notes stand in the terminal, the JSON and the report."""
    header, *lines = table.read_text().splitlines()
    rows = [line.split(",") for line in lines]
    percent = [",".join([*row[:4], f"{float(row[4]) * 100:.4f}", *row[5:]]) for row in rows]
    state = [f"{line},finished" for line in percent] + [f"{percent[0]},crashed"]
    table.write_text("\n".join([f"{header},State", *state]) + "\n")
    done = ("percent divided by 100", "left out 1 line whose State is not finished")
    out = tmp_path / "answer.json"
    for verb in ("fit", "recommend", "report", "next"):
        more = ["--out", out] if verb == "recommend" else []
        printed = run(verb, table, *more, "--set", "surrogate=gp")
        assert all(what in printed for what in done), verb
    notes = " ".join(json.loads(out.read_text())["notes"])
    page = table.with_suffix(".html").read_text()
    assert all(what in notes and what in page for what in done)
    printed = run("strategies", table, "--set", "sizes=[6]", "--set", "seeds=2", "--set", 'strategies=["equal","ours"]')
    assert all(what in printed for what in done)


def test_mixtures_and_scores_in_two_files_are_one_table(table, tmp_path):
    header, *lines = table.read_text().splitlines()
    cells = [line.split(",") for line in lines]
    mixtures, scores = tmp_path / "ratios.csv", tmp_path / "metrics.csv"
    mixtures.write_text("\n".join(["run,a,b,c", *(f"{n},{','.join(row[:3])}" for n, row in enumerate(cells))]))
    scores.write_text(
        "\n".join(["run,x,y", *(f"{n},{','.join(row[3:5])}" for n, row in reversed(list(enumerate(cells))))])
    )
    table.write_text("\n".join([header, *lines]).replace(",n.x,n.y", "").replace(",500,500", ""))
    whole, parts = tmp_path / "whole.json", tmp_path / "parts.json"
    run("recommend", table, "--out", whole)
    run("recommend", mixtures, scores, "--out", parts)
    one, other = json.loads(whole.read_text()), json.loads(parts.read_text())
    assert (one["mixture"], one["gain"]) == (other["mixture"], other["gain"])
    grid = tmp_path / "grid.csv"
    grid.write_text("a,b,c\n0.2,0.3,0.5\n")
    run("fit", mixtures, scores, "--predict", grid, "--out", tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_text().startswith("w.a,w.b,w.c,mean.x")
    run("report", mixtures, scores)
    page = mixtures.with_suffix(".html").read_text()
    assert "SHA-256 of ratios.csv" in page
    assert "SHA-256 of metrics.csv" in page
    assert f"modomodo recommend ratios.csv --set 'metrics=&quot;{scores}&quot;'".replace("&quot;", '"') in page.replace(
        "&quot;", '"'
    ).replace("&#x27;", "'")
    with pytest.raises(ModomodoError, match="would overwrite the file it reads"):
        run("recommend", mixtures, scores, "--out", scores)
    with pytest.raises(ModomodoError, match=r"a second file goes with a CSV of mixtures"):
        run("recommend", tmp_path / "study.toml", scores)


def test_names_that_a_spreadsheet_would_run_are_made_harmless(table, tmp_path):
    text = table.read_text().replace("score.x", "score.x;=HYPERLINK(1)").replace("n.x", "n.x;=HYPERLINK(1)")
    table.write_text(text)
    grid, out = tmp_path / "grid.csv", tmp_path / "predictions.csv"
    grid.write_text("w.a,w.b,w.c\n0,1,0\n")
    run("fit", table, "--predict", grid, "--out", out, "--set", "surrogate=mean")
    header = out.read_text().splitlines()[0]
    assert "mean.x;'=HYPERLINK(1)" in header
    assert ";=" not in header
