"""`modomodo strategies` on nothing but a table of runs."""

import csv

import pytest
from typer.testing import CliRunner

from modomodo.cli import main
from modomodo.core.errors import ModomodoError
from modomodo.mixing import write_runs

SETS = ["objective=out", "inside=in", "seeds=2", "sizes=[8]", 'strategies=["ours","norm","alpha-in","equal"]']


def run(*arguments):
    result = CliRunner().invoke(main.app, ["strategies", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def options(*sets):
    return [word for item in (*SETS, *sets) for word in ("--set", item)]


def test_table_on_the_console_and_in_files(make_pool, tmp_path):
    path = tmp_path / "<runs>.csv"
    write_runs(make_pool(), path)
    text = run(path, *options(), "--out", tmp_path / "found")
    assert "regret" in text
    assert "alpha-in" in text
    assert "all draws come from one table" in text
    with (tmp_path / "found" / "strategies.csv").open(newline="") as file:
        lines = {line["strategy"]: line for line in csv.DictReader(file)}
    assert list(lines) == ["ours", "norm", "alpha-in", "equal"]
    assert float(lines["ours"]["rho.lo95"]) <= float(lines["ours"]["rho.mean"])
    assert lines["norm"]["rho.mean"] == lines["norm"]["regret.lo95"] == lines["norm"]["behind.mean"] == ""
    page = (tmp_path / "found" / "strategies.html").read_text()
    assert "<runs>" not in page
    assert "src=" not in page.split("<body>")[1].split("<script")[0]
    assert len(page) > 1_000_000  # plotly is inside


def test_inapplicable_strategies_are_named_after_the_table(make_pool, tmp_path):
    path = tmp_path / "runs.csv"
    write_runs(make_pool(), path)
    text = run(path, *options("direction=lower"))
    assert "not applicable: alpha-in (7 runs): Alpha needs scores that are not negative" in text


@pytest.mark.parametrize(
    ("item", "message"),
    [("seeds=1", "seeds"), ("size=[8]", "did you mean sizes"), ('strategies=["nrom"]', "did you mean norm")],
)
def test_mistakes_say_what_to_do(make_pool, tmp_path, item, message):
    path = tmp_path / "runs.csv"
    write_runs(make_pool(), path)
    with pytest.raises(ModomodoError) as error:
        run(path, "--set", item)
    assert message in str(error.value)


def test_a_study_is_no_table(tmp_path):
    with pytest.raises(ModomodoError, match=r"runs\.csv"):
        run(tmp_path / "study.toml")
