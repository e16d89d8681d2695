"""Tables as people, spreadsheets and trackers write them: the right numbers, or a refusal that says what to do."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from modomodo.core.errors import ModomodoError
from modomodo.mixing import Runs, read_runs

PLAIN = """label,w.a,w.b,score.chart,score.math
run-0,1,0,0.6013,0.3987
run-1,0,1,0.5564,0.5012
run-2,0.5,0.5,0.4946,0.6036
run-3,0.25,0.75,0.6755,0.4595
run-4,0.75,0.25,0.4933,0.4873
"""
X_ND = np.array([[1, 0], [0, 1], [0.5, 0.5], [0.25, 0.75], [0.75, 0.25]])
Y_NB = np.array([[0.6013, 0.3987], [0.5564, 0.5012], [0.4946, 0.6036], [0.6755, 0.4595], [0.4933, 0.4873]])
LABELS = tuple(f"run-{number}" for number in range(5))


def read(tmp_path: Path, text: str, name: str = "runs.csv", **how) -> tuple[Runs, str]:
    """Return the runs of a text, and all that was said of it."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        runs = read_runs(path, **how)
    assert [str(one.message) for one in caught] == list(runs.notes)
    return runs, "\n".join(runs.notes)


def changed(*pairs: tuple[str, str]) -> str:
    text = PLAIN
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def rewritten(change, *, columns: range = range(1, 5), mark: str = ",") -> str:
    """Return the plain table with the cells of some columns changed, and columns split by `mark`."""
    header, *lines = [line.split(",") for line in PLAIN.splitlines()]
    rows = [[change(cell) if index in columns else cell for index, cell in enumerate(line)] for line in lines]
    return "\n".join(mark.join(line) for line in [header, *rows]) + "\n"


def percent(cell: str) -> str:
    return f"{float(cell) * 100:.6g}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(PLAIN, "", id="plain"),
        pytest.param("\ufeff" + PLAIN, "", id="byte order mark"),
        pytest.param(PLAIN.replace("\n", "\r\n"), "", id="CRLF"),
        pytest.param(PLAIN.replace("\n", "\n\n") + ",,,,\n", "", id="blank lines"),
        pytest.param(
            rewritten(percent, columns=range(1, 3)), "weights sum to 100, so they are read as percent", id="w %"
        ),
        pytest.param(rewritten(lambda cell: percent(cell) + "%", columns=range(1, 3)), "", id="weights with a % sign"),
        pytest.param(
            rewritten(lambda cell: str(round(8000 * float(cell))), columns=range(1, 3)),
            "whole numbers that sum to 8,000, so they are read as counts",
            id="counts",
        ),
        pytest.param(
            rewritten(lambda cell: percent(cell) + "%", columns=range(3, 5)),
            "read as shares, as they have % signs (61.2% is 0.612): chart, math",
            id="scores with a % sign",
        ),
        pytest.param(rewritten(lambda cell: cell.replace(".", ","), mark=";"), "", id="decimal commas, semicolons"),
        pytest.param(rewritten(lambda cell: cell.replace(".", ","), mark="\t"), "", id="decimal commas, tabs"),
        pytest.param(rewritten(lambda cell: f'"{cell.replace(".", ",")}"'), "", id="decimal commas in quotes"),
        pytest.param("sep=;\n" + PLAIN.replace(",", ";"), "", id="sep="),
        pytest.param(PLAIN + "mean,0.5,0.5,0.56422,0.49006\n", "named as a summary of others", id="mean"),
        pytest.param(
            PLAIN + "Avg.,,,0.56422,0.49006\nstd dev,,,0.1,0.1\n", "left out 2 lines, named as", id="avg, std"
        ),
        pytest.param(PLAIN + "total (n=5),2.5,2.5,2.8211,2.4503\n", "named as a summary", id="total"),
        pytest.param(PLAIN + "run-1,0,1,0.5564,0.5012\n", "run-1 (line 7, as line 3)", id="a line twice"),
        pytest.param(changed(("label,", "Name,")), "", id="Name"),
        pytest.param(changed(("label,", "run,")), "", id="run"),
        pytest.param(changed(("label,", "Run ID,")), "", id="Run ID"),
        pytest.param(changed(("label,", "index,")), "", id="index"),
        pytest.param(changed(("label,", ",")), "", id="pandas index"),
        pytest.param(changed(("label,", "Unnamed: 0,")), "", id="pandas index written twice"),
    ],
)
def test_the_same_runs_in_other_clothes(tmp_path: Path, text: str, says: str):
    runs, notes = read(tmp_path, text)
    assert (runs.domains, runs.benchmarks, runs.labels_N) == (("a", "b"), ("chart", "math"), LABELS)
    np.testing.assert_allclose(runs.X_ND, X_ND, atol=1e-12)
    np.testing.assert_allclose(runs.y_NB, Y_NB, atol=1e-12)
    assert says in notes
    assert bool(notes) == bool(says)


AMBIGUOUS = 'label,w.a,w.b,score.mme\nx,1,0,"1,683"\ny,0,1,"1,601"\n'
REFUSED = {
    "one %": (
        changed(("0.4946", "49.46%")),
        "line 4: score.chart is '49.46%', in a column with % signs on 1 of 5 numbers",
    ),
    "all but one %": (
        rewritten(lambda cell: percent(cell) + "%", columns=range(3, 4)).replace("49.46%", "0.4946"),
        "line 4: score.chart is '0.4946', in a column with % signs on 4 of 5 numbers",
    ),
    "one percent": (changed(("0.4946", "49.46")), "line 4: score.chart is 49.46 among"),
    "zero": (changed(("0.4946", "0.0")), "line 4: score.chart is 0 among scores of 0.4933 to 0.6755"),
    "minus one": (changed(("0.4946", "-1")), "line 4: score.chart is -1 among"),
    "unit": (changed(("0.4946", "0.49 pts")), "line 4: score.chart is '0.49 pts', not a number"),
    "plus-minus": (changed(("0.4946", "0.49±0.02")), "stands in a column se.<benchmark>"),
    "formula": (changed(("0.4946", "=B2")), "line 4: score.chart is '=B2', not a number: export the values"),
    "infinite": (changed(("0.4946", "inf")), "line 4: score.chart is inf; it must lie between"),
    "a decimal comma": (changed(("0.4946", "0,4946")), "line 4 has 6 cells, the header 5"),
    "a decimal comma in quotes": (
        changed(("0.4946", '"0,4946"')),
        "'0,4946' has a decimal comma, and .* a decimal point",
    ),
    "1,683": (AMBIGUOUS, "line 2: score.mme: '1,683' can be read in two ways"),
    "sum": (changed(("0.25,0.75", "0.25,0.65")), "weights sum to 0.9 on line 5"),
    "one line in percent": (changed(("0.25,0.75", "25,75")), "weights sum to 100 on line 5"),
    "negative": (changed(("0.25,0.75", "1.25,-0.25")), "negative weights on line 5"),
    "no training": (
        changed(("run-0,1,0", "run-0,0,0")),
        "weights sum to 0 on line 2.*leave out a run without training",
    ),
    "a mean without a name": (PLAIN + ",0.5,0.5,0.5642,0.4901\n", "line 7 holds the mean of the lines above"),
    "a name twice": (changed(("score.math", "score.chart")), "2 columns called score.chart"),
    "a name twice, a blank": (changed(("score.math", "score.chart ")), "2 columns called score.chart"),
    "title": ("My runs of May\n" + PLAIN, "line 1 is 'My runs of May', and line 2 has 5 cells"),
    "only a mean": ("label,w.a,w.b,score.x\nmean,1,0,1\n", "no runs: .*named as a summary"),
    "bare scores": (changed(("score.", "")), r"--set 'scores=\[\"chart\", \"math\"\]'$"),
    "bare weights": (changed(("w.a,w.b", "a,b")), r"--set 'weights=\[\"a\", \"b\"\]'$"),
    "no scores": ("label,w.a,w.b\nr,1,0\ns,0,1\n", "no column score.<benchmark>.* second file with the scores"),
    "a column of totals": (
        "w.a,w.b,w.total,score.x\n25,75,100,1\n50,50,100,2\n",
        "w.total is the sum of the other weights in every run",
    ),
    "another separator": (PLAIN.replace(",", "|"), "if these are several, write commas, semicolons or tabs"),
    "se in percent": ("w.a,w.b,score.x,se.x\n1,0,0.61,1.2\n", "se.x is 1.2, but .* up to 0.5"),
    "JSONL": ('{"w.a": 1, "w.b": 0, "score.x": 1}\n', "is a JSONL file, .* save it as one"),
    "a page": ("<html><body>Not found</body></html>\n", "is an HTML page"),
    "Git LFS": ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "pointer of Git LFS"),
}


@pytest.mark.parametrize(("text", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused(tmp_path: Path, text: str, says: str):
    with pytest.raises(ModomodoError, match=f"(?s){says}") as error:
        read(tmp_path, text)
    assert "runs.csv" in str(error.value)


@pytest.mark.parametrize(
    ("cell", "number"),
    [(spelling, np.nan) for spelling in ("", "nan", "None", "-", "n/a", "N/A", "NULL", "#DIV/0!", "\N{EN DASH}")]
    + [("0.4946", 0.4946), (".4946", 0.4946), ("4.946e-1", 0.4946)],
)
def test_spellings_of_a_score(tmp_path: Path, cell: str, number: float):
    runs, notes = read(tmp_path, changed(("0.4946", cell)))
    np.testing.assert_equal(runs.y_NB[2, 0], number)
    assert not notes


@pytest.mark.parametrize("name", ["runs.xlsx", "runs.xls", "runs.parquet", "runs.jsonl", "runs.ods", "runs.json"])
def test_files_of_other_kinds_are_named(tmp_path: Path, name: str):
    with pytest.raises(ModomodoError, match=rf"{name} is an? .*, and runs are read from CSV: .*to_csv"):
        read_runs(tmp_path / name)
    (tmp_path / "runs.csv").write_bytes({"x": b"PK\x03\x04\x14", "p": b"PAR1\x15"}.get(name[5], b"{}"))
    with pytest.raises(ModomodoError, match="runs are read from CSV"):
        read_runs(tmp_path / "runs.csv")


@pytest.mark.parametrize(("on_odd", "kept"), [("drop", np.nan), ("keep", 0.0)])
def test_odd_scores_as_the_user_says(tmp_path: Path, on_odd: str, kept: float):
    runs, notes = read(tmp_path, changed(("0.4946", "0")), odd_scores=on_odd)
    np.testing.assert_equal(runs.y_NB[2, 0], kept)
    assert "line 4: score.chart is 0 among scores of 0.4933 to 0.6755: a failed evaluation?" in notes


@pytest.mark.parametrize("scale", [100, {"chart": 100.0, "math": 1.0}])
def test_a_full_score_of_100_and_a_percent_sign_mean_the_same(tmp_path: Path, scale: float | dict[str, float]):
    runs, _ = read(tmp_path, rewritten(lambda cell: percent(cell) + "%", columns=range(3, 4)), scale=scale)
    assert runs.scale["chart"] == 1
    np.testing.assert_allclose(runs.y_NB, Y_NB)


def test_thousands_of_points_and_items(tmp_path: Path):
    text = 'label,w.a,w.b,score.mme,n.mme\nx,0.5,0.5,"1,683","2,500"\ny,1,0,"1,601.5","2,500"\n'
    runs, _ = read(tmp_path, text)
    assert runs.y_NB[:, 0].tolist() == [1683, 1601.5]
    assert runs.n_NB[:, 0].tolist() == [2500, 2500]


def test_items_give_the_standard_error_of_percent(tmp_path: Path):
    shares, _ = read(tmp_path, "w.a,w.b,score.x,n.x\n1,0,0.612,100\n0,1,0.55,100\n")
    percents, notes = read(tmp_path, "w.a,w.b,score.x,n.x\n1,0,61.2,100\n0,1,55,100\n")
    np.testing.assert_allclose(percents.se_NB, 100 * shares.se_NB)
    assert not notes
    points, notes = read(tmp_path, "w.a,w.b,score.x,n.x\n1,0,1612,100\n0,1,1550,100\n", scale=2000)
    np.testing.assert_allclose(points.se_NB[0, 0], 2000 * np.sqrt(0.7942307 * 0.2057692 / 104), rtol=1e-6)
    assert not notes


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (PLAIN.replace("score.math", "score.chart.1"), "chart.1 is read as a benchmark beside chart"),
        ("w.a,w.b,score.x,score.y\n1,0,.5,.5\n0,1,.6,.6\n", "y and x have the same scores"),
        (
            "w.a,w.b,score.x,score.y,score.avg\n1,0,.5,.6,.55\n0,1,.3,.9,.6\n.5,.5,.2,.4,.3\n.2,.8,.1,.5,.3\n.1,.9,.6,.6,.6\n",
            "avg is the mean of the other scores in every run",
        ),
        (
            "label,w.a,w.b,score.x,score.y\np,1,0,.512,.648\nq,1,0,.512,.648\n",
            "1 run with the mixture and all scores .* q",
        ),
    ],
)
def test_what_counts_twice_is_pointed_out(tmp_path: Path, text: str, says: str):
    with pytest.warns(UserWarning, match=says):
        read_runs(_written(tmp_path, text))


def _written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "runs.csv"
    path.write_text(text)
    return path
