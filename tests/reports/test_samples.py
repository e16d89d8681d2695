"""The samples: what was asked, with its image, and what would have been right."""

import base64
import io
import json
import re
from dataclasses import replace

import fake_study
import pytest
from PIL import Image
from test_page import Page

from modomodo.config.recipe import Recipe
from modomodo.core.rows import Row, Target
from modomodo.data import registry
from modomodo.data.domain import Domain
from modomodo.reports import report
from modomodo.reports.html.pictures import SIDE, thumbnail
from modomodo.reports.sections.samples import gold_text

SCRIPT = "<script>alert(1)</script>"
LOST = "Some images are not shown: the rows of toy cannot be read here as they were."


def png(side: int = 30) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(file, "PNG")
    return file.getvalue()


def row(question: str, *images: bytes) -> Row:
    return Row("toy-train-00001", "toy", question, Target("choice", "B", options=("red", SCRIPT)), images)


def page_of(tmp_path, monkeypatch, load) -> Page:
    """The report of a run of one step on the domain `toy`, whose question was "What colour?"."""
    monkeypatch.setitem(registry.DOMAINS, "toy", Domain("toy", load, lambda row, view: []))
    monkeypatch.setattr(fake_study, "_asked", lambda found, words: _kept(row("What colour?")))
    study = fake_study.make_study(
        tmp_path, recipe=Recipe(domains=("toy",), steps=1), benchmarks=("charts",), held_out=(), in_distribution=()
    )
    fake_study.write_runs(study, [one for one in fake_study.pilot_runs(study) if one.recipe.steps])
    return Page(report(study).read_text())


def _kept(found: Row) -> dict[str, object]:
    return {"question": found.question, "gold": found.target.value, "options": found.target.options}


def images(page: Page) -> list[dict[str, str | None]]:
    return [attributes for tag, attributes in page.elements if tag == "img"]


def test_a_card_has_question_picture_and_right_answer(tmp_path, monkeypatch):
    page = page_of(tmp_path, monkeypatch, lambda split: [row("What colour?", png(), png(900))])
    assert "What colour?" in page.text
    assert f"A: red; B: {SCRIPT}" in page.text
    assert f"Right answer: B: {SCRIPT}" in page.text
    assert [one["alt"] for one in images(page)] == ["Image of the question", "Image 2 of the question"]
    assert "are not shown" not in page.text
    sizes = [Image.open(io.BytesIO(base64.b64decode(one["src"].partition(",")[2]))).size for one in images(page)]
    assert sizes == [(30, 30), (SIDE, SIDE)]


def _gone(split: str) -> list[Row]:
    raise RuntimeError("the disk is not mounted")


@pytest.mark.parametrize(
    "load",
    [
        _gone,
        lambda split: [],
        lambda split: [row("Another question?", png())],
        lambda split: [replace(row("What colour?", png()), target=Target("choice", "A", options=("red", SCRIPT)))],
        lambda split: [row("What colour?", b"no image")],
    ],
    ids=["raises", "no such row", "another row", "another answer", "unreadable"],
)
def test_pictures_that_are_not_there_leave_the_rest(tmp_path, monkeypatch, load):
    page = page_of(tmp_path, monkeypatch, load)
    assert images(page) == []
    assert LOST in page.text
    assert "What colour?" in page.text


def test_a_question_without_a_picture_lacks_none(tmp_path, monkeypatch):
    assert LOST not in page_of(tmp_path, monkeypatch, lambda split: [row("What colour?")]).text


def test_samples_of_earlier_versions_are_shown_as_they_are(tmp_path):
    study = fake_study.make_study(tmp_path, recipe=Recipe(domains=("spatial",), steps=2), held_out=())
    fake_study.write_pilots(study)
    for path in tmp_path.glob("runs/*/samples.jsonl"):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        kept = [{key: line[key] for key in line.keys() - {"question", "gold", "options"}} for line in lines]
        path.write_text("".join(json.dumps(line) + "\n" for line in kept))
    page = Page(report(study).read_text())
    assert "Questions and right answers are not shown: this run was made before they were kept." in page.text
    assert "the tall bar is red" in page.text
    assert "Right answer" not in page.text
    assert images(page) == []


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[]",
        '{"step": 1, "domain": "spatial", "row_id": "r", "completion": "c", "verdict": {}}',
        '{"step": 1, "domain": "spatial", "row_id": "r", "completion": "c", "verdict": {"status": "right"}, '
        '"question": null, "options": null}',
        "no JSON",
    ],
)
def test_damaged_samples_cost_the_report_no_more_than_themselves(tmp_path, line):
    study = fake_study.make_study(tmp_path, recipe=Recipe(domains=("spatial",), steps=2), held_out=())
    fake_study.write_pilots(study)
    for path in tmp_path.glob("runs/*/samples.jsonl"):
        path.write_text(line + "\n" + path.read_text())
    page = Page(report(study).read_text())
    assert "Scores of every run" in page.text


@pytest.mark.parametrize(
    ("gold", "options", "shown"),
    [
        ("B", ["red", "blue"], "B: blue"),
        ("B", [], "B"),
        (12.5, [], "12.5"),
        (["one", "1"], [], "one or 1"),
        ([1, 2, 3, 4], [], "[1, 2, 3, 4] in pixels of the image"),
        ([[1, 2, 3, 4], [5, 6, 7, 8]], [], "[[1, 2, 3, 4], [5, 6, 7, 8]] in pixels of the image"),
        ([], [], "[] in pixels of the image"),
        ("", [], ""),
    ],
)
def test_gold_as_a_reader_sees_it(gold, options, shown):
    assert gold_text({"gold": gold, "options": options}) == shown


def test_a_thumbnail_is_in_the_smaller_format():
    noise = Image.effect_noise((400, 200), 90)
    file = io.BytesIO()
    noise.save(file, "PNG")
    assert thumbnail(file.getvalue()).startswith("data:image/jpeg;base64,")
    assert re.match("data:image/png;base64,[A-Za-z0-9+/=]{20,400}$", thumbnail(png()))
