import json
import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import fake_study
import pytest
from typer.testing import CliRunner

from modomodo.cli import main
from modomodo.config.recipe import Recipe
from modomodo.config.sections import Evaluation
from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError
from modomodo.reports import read_evidence, report
from modomodo.reports.sections.repeat import to_toml
from modomodo.runs.planned import PlannedRun
from modomodo.study import pipeline

SECTIONS = ("answer", "scores", "prediction", "training", "domains", "confirmation", "samples", "repeat")
HOSTILE = "</script><script>alert(1)</script><b>bold</b>"
SMALL = {
    "recipe": Recipe(domains=("count", "colour", "detect"), steps=7, num_generations=4),
    "benchmarks": ("charts", "maths"),
    "held_out": ("general",),
    "in_distribution": ("colour",),
    "items": 60,
}


class Page(HTMLParser):
    """What a browser would make of a page: elements, their attributes, text, and what stands in script elements."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[str | None, str]] = []
        self.text = ""
        self._in: str | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in = tag
        if tag == "script":
            self.scripts.append((dict(attrs).get("type"), ""))

    def handle_endtag(self, tag: str) -> None:
        self._in = None

    def handle_data(self, data: str) -> None:
        if self._in == "script":
            kind, text = self.scripts[-1]
            self.scripts[-1] = (kind, text + data)
        elif self._in != "style":
            self.text += data

    @property
    def figures(self) -> list[dict[str, object]]:
        return [json.loads(text) for kind, text in self.scripts if kind == "application/json"]

    def section(self, name: str) -> bool:
        return any(tag == "section" and attributes.get("id") == name for tag, attributes in self.elements)


def read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Study:
    study = fake_study.make_study(tmp_path_factory.mktemp("study"))
    with pytest.MonkeyPatch.context() as patch:
        fake_study.write_whole(study, patch)
    return study


@pytest.fixture(scope="module")
def page(whole) -> Page:
    return Page(report(whole).read_text())


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Page:
    recipe = Recipe(domains=(HOSTILE, "<img src=x onerror=alert(2)>", "%{x}"), steps=4, num_generations=4)
    changes = {"recipe": recipe, "benchmarks": ("<i>charts", "maths"), "in_distribution": (), "items": 50}
    study = fake_study.make_study(tmp_path_factory.mktemp("hostile"), **{**SMALL, **changes})
    with pytest.MonkeyPatch.context() as patch:
        fake_study.write_whole(study, patch, words=HOSTILE + "\x07 \ud800 \u202e reversed")
    return Page(report(study).read_text())


def test_page_has_every_section_and_a_link_to_each(page):
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    for name in SECTIONS:
        assert page.section(name), name
        assert f"#{name}" in links


def test_page_is_small(whole):
    path = report(whole)
    assert path == whole.folder / "report.html"
    assert path.stat().st_size < 8_000_000
    assert not (whole.folder / "report.partial").exists()


@pytest.mark.parametrize("which", ["page", "hostile"])
def test_page_loads_nothing(which, request):
    found = request.getfixturevalue(which)
    for tag, attributes in found.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form"), tag
        assert attributes.get("src", "data:image/").startswith("data:image/")
        assert tag == "img" or "src" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("href", "#").startswith(("#", "runs/"))
    policy = next(a["content"] for _, a in found.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert sum(kind is None for kind, _ in found.scripts) == 2  # plotly's and ours


def test_style_and_our_script_name_no_address(page, whole):
    style = re.search(r"<style>(.*?)</style>", (whole.folder / "report.html").read_text(), re.DOTALL)
    assert style is not None
    ours = [text for kind, text in page.scripts if kind is None][1]
    for text in (style[1], ours):
        assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttp", text)


def test_links_lead_to_runs(page, whole):
    runs = {attributes["href"] for tag, attributes in page.elements if tag == "a" and "runs/" in attributes["href"]}
    assert len(runs) == 21
    assert all((whole.folder / run / "result.json").exists() for run in runs)


def test_a_page_elsewhere_links_to_the_same_runs(whole, tmp_path):
    path = report(whole, path=tmp_path / "for the meeting" / "page.html")
    found = Page(path.read_text())
    links = {attributes["href"] for tag, attributes in found.elements if tag == "a" and "runs/" in attributes["href"]}
    assert len(links) == 21
    assert all((path.parent / unquote(link) / "result.json").exists() for link in links)


def test_out_says_where_the_page_goes(tmp_path, monkeypatch):
    text = '[recipe]\ndomains = ["spatial"]\n'
    (tmp_path / "study.toml").write_text(f'name = "x"\nbenchmarks = ["charts"]\n{text}')
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main.app, ["report", "study.toml", "--out", "page.html"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert [path.name for path in tmp_path.rglob("*.html")] == ["page.html"]


def test_answer_says_what_the_files_say(page, whole):
    recommendation = read_json(whole.folder / "recommendation.json")
    confirmation = read_json(whole.folder / "confirmation.json")
    assert recommendation["sentence"] in page.text
    assert confirmation["objective"]["sentence"] in page.text
    assert confirmation["held_out"]["sentence"] in page.text
    gain = confirmation["held_out"]["benchmarks"][0]["gain"]
    assert f"{gain:+.3f}" in page.text


def test_cost_counts_all_runs(page):
    assert "21runs11 pilots, 8 of the confirmation, 2 of the model as it was" in page.text
    assert "1,140steps" in page.text  # 19 trained runs of 60
    assert "9,120prompts72,960 completions" in page.text
    assert "2.1process-hours" in page.text  # 19 x 360 s and 2 x 300 s


def test_names_and_completions_are_text_in_html(hostile):
    assert HOSTILE in hostile.text
    assert "<img src=x onerror=alert(2)>" in hostile.text
    # Characters that nobody sees, and half a surrogate, are shown.
    assert "␇ \ufffd ⟨U+202E⟩ reversed" in hostile.text


def test_names_are_text_in_figures(hostile):
    # Plotly reads a kind of HTML in every string: of tags, only ours may be there.
    strings = [text for figure in hostile.figures for text in _strings(figure)]
    assert any("&lt;script&gt;" in text for text in strings)
    for text in strings:
        assert not re.search(r"<(?!/?b>|br>|extra></extra>|/extra>)", text), text
        assert "<b>bold" not in text
    templates = {text for figure in hostile.figures for text in _values(figure, "hovertemplate", "texttemplate")}
    assert templates
    assert not [text for text in templates if "script" in text or "onerror" in text]


def test_page_of_a_planned_study_says_what_is_missing(tmp_path):
    study = fake_study.make_study(tmp_path / "new", **SMALL)
    found = Page(report(study).read_text())
    for sentence in (
        "Nothing is trained yet.Next, modomodo pilot runs the pilots",
        "There is no confirmation yet: modomodo confirm makes it.",
        "Scores of every run. No run has finished.",
        "Predicted against observed, What each domain does. No pilot has finished, so nothing can be fitted",
        "No finished run has kept a steps.jsonl.",
        "No finished run has kept a samples.jsonl.",
    ):
        assert sentence in found.text
    assert [attributes["id"] for tag, attributes in found.elements if tag == "section"] == [
        "answer",
        "lacking",
        "repeat",
    ]
    assert "What it cost" not in found.text
    assert len(found.figures) == 1  # the template


def test_page_between_pilots_and_recommendation(tmp_path):
    study = fake_study.make_study(tmp_path, **SMALL)
    fake_study.write_pilots(study)
    found = Page(report(study).read_text())
    pilots = len(read_evidence(study).of_kind("pilot"))
    assert (
        f"Not confirmed yet. {pilots} pilots finished."
        "There is no recommendation yet: modomodo recommend makes it." in found.text
    )
    assert "Expected scores through equal shares (There is no recommendation yet" in found.text
    assert "general; modomodo confirm scores them, and has not done so yet." in found.text
    assert "Predicted against observed" in found.text


def test_too_few_pilots_leave_the_surrogate_out(tmp_path):
    study = fake_study.make_study(tmp_path, **SMALL)
    fake_study.write_runs(study, [one for one in pipeline.pilot_runs(study) if one.label in ("base", "equal")])
    found = Page(report(study).read_text())
    assert "No surrogate could be fitted:" in found.text
    assert "1 matched seed" not in found.text


def test_failed_and_missing_runs_are_named(tmp_path):
    study = fake_study.make_study(tmp_path, **SMALL)
    fake_study.write_pilots(study)
    labels = read_json(tmp_path / "labels.json")
    store = pipeline.Store(tmp_path)
    (store.path(labels["single:count"]) / "result.json").unlink()
    store.write_failure(labels["single:count"], "CUDA out of <memory>\nmore")
    (store.path(labels["single:colour"]) / "result.json").unlink()
    text = Page(report(study).read_text()).text
    assert "single:count is planned and failed: CUDA out of <memory>." in text
    assert "single:colour is planned and not finished." in text
    with store.claim(labels["single:colour"]):
        assert "single:colour is planned and running now." in Page(report(study).read_text()).text


def test_another_mixture_than_the_one_confirmed_is_said(tmp_path, monkeypatch):
    study = fake_study.make_study(tmp_path, **SMALL)
    fake_study.write_whole(study, monkeypatch)
    table = read_json(tmp_path / "recommendation.json")
    table["mixture"] = {"count": 0.1, "colour": 0.1, "detect": 0.8}
    pipeline.write_json(tmp_path / "recommendation.json", table)
    assert "The confirmation tested another mixture" in Page(report(study).read_text()).text


def test_a_single_run_is_shown_and_no_pilot(tmp_path):
    study = fake_study.make_study(tmp_path, **SMALL)
    recipe = study.recipe.model_copy(update={"evaluation": Evaluation(benchmarks=("charts",), items=8)})
    fake_study.write_runs(study, [PlannedRun("equal", recipe)])
    pipeline.write_json(tmp_path / "labels.json", {})
    (run,) = read_evidence(study).runs
    assert (run.kind, run.labels) == ("single", ())
    page = Page(report(study).read_text())
    assert "1 run of modomodo train is shown with the others and counted as cost" in page.text
    assert "belongs to no present plan" not in page.text
    assert "1 run of modomodo train finished.Next, modomodo pilot runs the pilots" in page.text
    assert "No pilot has finished, so nothing can be fitted" in page.text
    assert "Pilots are scored" not in page.text
    assert page.section("samples")
    assert not page.section("prediction")
    assert f"{run.label}: seed 0" in " ".join(page.text.split())  # its curves


def test_files_of_another_version_are_left_out(tmp_path):
    study = fake_study.make_study(tmp_path, **SMALL)
    fake_study.write_pilots(study)
    pipeline.write_json(tmp_path / "recommendation.json", {"version": 99})
    assert "recommendation.json has version 99, and this modomodo reads 1" in Page(report(study).read_text()).text


def test_damaged_file_is_named(tmp_path):
    study = fake_study.make_study(tmp_path, **SMALL)
    (tmp_path / "recommendation.json").write_text("{")
    with pytest.raises(ModomodoError, match=r"recommendation\.json is damaged"):
        report(study)
    assert not (tmp_path / "report.html").exists()


def test_toml_reads_back_as_the_same_study(tmp_path):
    names = ("plain", "two words", 'quo"te\\', "über\x7f")
    recipe = Recipe(domains=names, learning_rate=3e-6)
    caps = {"two words": {"min": 0.0, "max": 0.5}}
    study = fake_study.make_study(Path("some where"), recipe=recipe, caps=caps, held_out=(), processes=2)
    assert Study.model_validate(tomllib.loads(to_toml(study))) == study


def test_reporting_needs_no_torch():
    code = "import sys, modomodo.reports; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _strings(one)]


def _values(value: object, *keys: str) -> list[str]:
    if isinstance(value, dict):
        found = [text for key in keys for text in _strings(value.get(key))]
        return found + [text for one in value.values() for text in _values(one, *keys)]
    return [text for one in value for text in _values(one, *keys)] if isinstance(value, list) else []
