"""The report of a bare table of runs."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from test_page import Page

from modomodo import Mixture, Runs, fit, recommend
from modomodo.cli.main import main
from modomodo.mixing.validation import quantile
from modomodo.reports import (
    Interactions,
    interactions_figure,
    pairwise_interactions,
    response_triangles,
    triangle_figure,
)
from modomodo.reports.numbers.surface import plane, triples

HOSTILE = "</script><script>alert(1)</script>"


def table(domains: int = 4, *, seed: int = 0, names: tuple[str, ...] | None = None) -> Runs:
    """Return runs where domains 1 and 2 help only together."""
    alone = np.eye(domains)
    pairs = [(alone[i] + alone[j]) / 2 for i, j in combinations(range(domains), 2)]
    X_ND = np.vstack([alone, *pairs, np.random.default_rng(seed).dirichlet(np.ones(domains), size=24)])[:24]
    y_N = 0.4 + 0.8 * X_ND[:, 0] * X_ND[:, 1]
    return Runs.of(X_ND, y_NB=np.stack([y_N, y_N / 2], axis=1), se_NB=np.full((24, 2), 0.01), domains=names)


def write(path: Path, runs: Runs) -> None:
    from modomodo.mixing import write_runs

    write_runs(runs, path)


def test_a_table_of_runs_has_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    write(tmp_path / "runs.csv", table())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["modomodo", "report", "runs.csv", "--set", "caps.d1.max=0.3"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code in (0, None)
    assert "report: runs.html" in capsys.readouterr().out
    page = Page((tmp_path / "runs.html").read_text())
    ids = [attributes["id"] for tag, attributes in page.elements if tag == "section"]
    assert ids == ["answer", "scores", "prediction", "domains", "repeat"]
    assert "Predicted, not confirmed." in page.text
    assert "modomodo report runs.csv --set caps.d1.max=0.3" in page.text
    assert "The triangles go beyond the caps (d1 at most 0.3)." in page.text
    assert len([1 for tag, attributes in page.elements if attributes.get("class") == "bar"]) == 24
    assert len(page.figures) > 20


def test_another_page_is_not_overwritten_and_out_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    def run(*arguments: str) -> object:
        monkeypatch.setattr("sys.argv", ["modomodo", "report", "runs.csv", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code

    write(tmp_path / "runs.csv", table())
    monkeypatch.chdir(tmp_path)
    Path("runs.html").write_text("<p>my own page</p>")
    assert run()
    assert "runs.html is there already" in " ".join(capsys.readouterr().err.split())
    assert Path("runs.html").read_text() == "<p>my own page</p>"
    assert not run("--out", "page.html")
    assert "report: page.html" in capsys.readouterr().out
    Path("page.html").rename("runs.html")
    before = Path("runs.html").stat().st_ino
    assert not run()  # that one is ours
    assert Path("runs.html").stat().st_ino != before
    assert "Links lead" not in Path("runs.html").read_text()


def test_the_error_of_a_mean_is_that_of_its_parts(tmp_path: Path):
    from modomodo.reports import report_of_runs

    runs = table()
    se_NB = np.stack([np.full(24, 0.03), np.full(24, 0.04)], axis=1)
    fitted = fit(Runs.of(runs.X_ND, y_NB=runs.y_NB, se_NB=se_NB))
    write(tmp_path / "runs.csv", fitted.runs)
    report_of_runs(fitted, recommend(fitted), tmp_path / "page.html", source=tmp_path / "runs.csv")
    figures = Page((tmp_path / "page.html").read_text()).figures
    errors = [trace["error_x"]["array"] for one in figures for trace in one.get("data", []) if "error_x" in trace]
    assert [one[0] for one in errors] == pytest.approx(
        [0.025, 0.03, 0.04]
    )  # the mean of both, then each: sqrt(0.03² + 0.04²) / 2


def test_runs_that_lack_a_score_are_counted(tmp_path: Path):
    from modomodo.reports import report_of_runs

    runs = table()
    y_NB = runs.y_NB.copy()
    y_NB[:2, 1] = np.nan
    with pytest.warns(UserWarning, match="missing"):
        fitted = fit(Runs.of(runs.X_ND, y_NB=y_NB))
    write(tmp_path / "runs.csv", fitted.runs)
    report_of_runs(fitted, recommend(fitted), tmp_path / "page.html", source=tmp_path / "runs.csv")
    assert "2 runs without a score of some benchmark" in Page((tmp_path / "page.html").read_text()).text


def test_names_of_a_table_are_text(tmp_path: Path):
    from modomodo.reports import report_of_runs

    runs = table(3, names=(HOSTILE, "%{x}", "a"))
    write(tmp_path / "runs.csv", runs)
    fitted = fit(runs)
    report_of_runs(fitted, recommend(fitted), tmp_path / "page.html", source=tmp_path / "runs.csv")
    page = Page((tmp_path / "page.html").read_text())
    assert not [text for kind, text in page.scripts if kind is None and text.startswith("alert")]
    templates = re.findall(r'"hovertemplate":"([^"]*)"', str(page.scripts))
    assert not [one for one in templates if "alert" in one or "%{x} %" in one]


def test_what_two_domains_do_together_is_found_with_its_interval():
    found = pairwise_interactions(fit(table()), name="b1")
    assert found.gain_DD[0, 1] - found.half_DD[0, 1] > 0
    assert found.gain_DD[0, 1] == pytest.approx(0.2, abs=0.08)
    assert abs(found.gain_DD[2, 3]) < max(found.half_DD[2, 3], 0.05)
    assert np.isnan(np.diag(found.gain_DD)).all()
    np.testing.assert_allclose(found.gain_DD, found.gain_DD.T)
    (heat,) = interactions_figure(found).data
    assert [len(row) for row in heat.z] == [3, 3, 3]
    assert heat.text[0][0].startswith("<b>+")


def test_pairs_gain_where_lower_is_better_too():
    runs = table()
    loss = Runs.of(runs.X_ND, y_NB=1 - runs.y_NB[:, :1], benchmarks=["loss"])
    high = pairwise_interactions(fit(Runs.of(runs.X_ND, y_NB=runs.y_NB[:, :1])), name="b1")
    low = pairwise_interactions(fit(loss, direction="lower"), name="loss")
    np.testing.assert_allclose(low.gain_DD, high.gain_DD, atol=0.01)
    np.testing.assert_allclose(low.half_DD, high.half_DD, atol=0.01)


def test_cells_are_bold_where_the_interval_excludes_zero():
    one = np.array([[np.nan, 0.05], [0.05, np.nan]])
    for half, bold in ((0.06, False), (0.04, True)):
        (heat,) = interactions_figure(Interactions("x", ("a", "b"), one, np.full((2, 2), half))).data
        assert heat.text[0][0].startswith("<b>") is bold
        assert heat.z[0][0] == pytest.approx(0.05)
        assert heat.zmin == -heat.zmax == pytest.approx(-0.05)


def test_a_triangle_is_the_surface_between_its_corners():
    fitted = fit(table())
    through = Mixture(fitted.runs.domains, (0.3, 0.2, 0.1, 0.4))
    corners = [("d1", "d2", "d3"), ("d4", "d1", "d2")]
    three, other = response_triangles(fitted, through, corners, names=["b1"])["b1"]
    assert other.corners == corners[1]
    assert other.total == pytest.approx(0.9)
    assert three.total == pytest.approx(0.6)
    np.testing.assert_allclose(three.share_P3.sum(axis=1), 0.6)
    np.testing.assert_allclose(three.at_3, [0.5, 1 / 3, 1 / 6])
    middle = plane(np.array([[0.2, 0.3, 0.5]]))
    np.testing.assert_allclose(np.ravel(middle), [0.55, 0.5 * np.sqrt(3) / 2])
    corner = np.array([[0.6, 0.0, 0.0, 0.4], [0.0, 0.6, 0.0, 0.4], [0.0, 0.0, 0.6, 0.4]])
    expected = fitted.mean(corner, name="b1")
    np.testing.assert_allclose([three.mean_RC[0, 0], three.mean_RC[0, -1]], expected[:2])
    top = fitted.mean(corner[2:], name="b1")
    assert three.mean_RC[-1, 17] == pytest.approx(top[0])
    band = fitted.predict(np.array([[0.6, 0.0, 0.0, 0.4]]))
    corner_of = int(np.argmax(three.share_P3[:, 0]))
    half = quantile(0.9) * band.sd_mean_NK[0, fitted.index("b1")]
    assert three.low_P[corner_of] == pytest.approx(expected[0] - half)
    assert three.high_P[corner_of] == pytest.approx(expected[0] + half)
    assert triangle_figure(three, name="b1").data[0].z.shape == three.mean_RC.shape


def test_the_triples_are_those_with_the_most_prompts():
    found = triples(Mixture(tuple("abcde"), (0.9, 0.05, 0.03, 0.02, 0.0)))
    assert found[0] == ("a", "b", "c")
    assert len(found) == 6  # those with a: the others have a tenth of the prompts between them
    assert not triples(Mixture(("a", "b"), (0.5, 0.5)))
