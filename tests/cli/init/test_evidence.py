"""What rows say of their columns, whatever these are called: right rows, a refusal, or a note."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modomodo.cli.init.start import Started, start
from modomodo.config.domains import recipe_domain
from modomodo.config.recipe import load_recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Row

COUNT = 24
TEXTS = ("runs", "sits", "sleeps", "eats")
PAIR = {"images": ["p/{}.png", "p/{}b.png"]}
Make = Callable[[int], dict[str, Any]]


def images(folder: Path, pattern: str, size: tuple[int, int]) -> None:
    for k in range(COUNT):
        for name, blue in ((str(k), 77), (f"{k}b", 99)):
            path = folder / pattern.format(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", size, (k * 9, k, blue)).save(path, "PNG")


def written(folder: Path, make: Make, *, pattern: str = "p/{}.png", size: tuple[int, int] = (40, 30)) -> Path:
    """Write 24 rows and two images for each; a row without a question of its own is asked "Row 3?"."""
    images(folder, pattern, size)
    rows = [{"question": f"Row {k}?", "image": f"p/{k}.png", **make(k)} for k in range(COUNT)]
    rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
    path = folder / "own.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def read(folder: Path, make: Make, **how: Any) -> tuple[Started, list[Row]]:
    """Return what init says, and all rows as its recipe reads them."""
    started = start(written(folder, make, **how), folder / "out")
    recipe = load_recipe(folder / "out/recipe.toml")
    domain = recipe_domain(recipe, "own")
    return started, sorted((row for split in domain.splits for row in domain.load(split)), key=lambda row: row.question)


def numbered(stem: str, first: int) -> dict[str, str]:
    return {f"{stem}{first + k}": text for k, text in enumerate(TEXTS)}


@pytest.mark.parametrize(
    "make",
    [
        lambda k: {"answer_choices": TEXTS, "answer": k % 4},
        lambda k: {"answer_choices": TEXTS, "answer_label": k % 4},
        lambda k: {"answerChoices": TEXTS, "answerKey": "ABCD"[k % 4]},
        lambda k: {"mc_options": TEXTS, "correct_answer": k % 4},
        lambda k: {"multi-choice options": TEXTS, "answer": "ABCD"[k % 4]},
        lambda k: {**numbered("ending", 0), "label": k % 4},
        lambda k: {
            **dict(zip(("answerA", "answerB", "answerC", "answerD"), TEXTS, strict=True)),
            "label": str(k % 4 + 1),
        },
        lambda k: {"endings": TEXTS, "label": str(k % 4)},
        lambda k: {"things": TEXTS, "answer": TEXTS[k % 4]},
        lambda k: {"things": " | ".join(TEXTS), "answer": TEXTS[k % 4]},
        lambda k: {"possibilities": TEXTS, "answer": k % 4},
        lambda k: {"choices": TEXTS, "correct_choice_idx": k % 4, "rationales": [f"as {k}", "b", "c"]},
        # counted from 1, as the labels say or as the last of them is named
        lambda k: {**numbered("option", 1), "answer": k % 4 + 1},
        lambda k: {"options": {str(j + 1): text for j, text in enumerate(TEXTS)}, "answer": str(k % 4 + 1)},
        lambda k: {"options": [f"({j + 1}) {text}" for j, text in enumerate(TEXTS)], "answer": k % 4 + 1},
        lambda k: {"options": TEXTS, "answer": k % 4 + 1},
        # letters with what they stand for
        lambda k: {"options": TEXTS, "answer": f"({'ABCD'[k % 4]}) {TEXTS[k % 4]}"},
        lambda k: {"options": TEXTS, "answer": f"The answer is {'ABCD'[k % 4]}."},
    ],
)
def test_options_are_what_the_answers_name(tmp_path: Path, make: Make):
    _, rows = read(tmp_path, make)
    assert len(rows) == COUNT
    for row in rows:
        number = int(re.findall(r"\d+", row.question)[0])
        assert (row.target.verifier, row.target.options) == ("choice", TEXTS)
        assert row.target.value == "ABCD"[number % 4]


@pytest.mark.parametrize(
    "gold",
    [
        "Answer:{}",
        "The answer is {}.",
        "{}. 18 cm",
        "({}) 18 cm",
        "{}: 18 cm",
        "Option {}",
        "\\boxed{{\\text{{{}}}}}",
        "**{}**",
    ],
)
def test_letters_of_options_in_the_question(tmp_path: Path, gold: str):
    started, rows = read(tmp_path, lambda k: {"answer": gold.format("ABC"[k % 3])})
    assert {row.target.verifier for row in rows} == {"choice"}
    assert {row.target.value for row in rows} == set("ABC")
    assert "does the question hold its options?" in "\n".join(started.notes)


@pytest.mark.parametrize(
    ("other", "verifiers"),
    [
        (lambda k: str(k), {"choice", "count"}),
        (lambda k: f"\\frac{{{k}}}{{2}}", {"choice", "math"}),
        (
            lambda k: ("\\frac{1}{2}", str(k), "Tuesday", "2.5")[k // 3 % 4],
            {"choice", "count", "number", "math", "text"},
        ),
    ],
)
def test_letters_beside_other_answers(tmp_path: Path, other: Callable[[int], str], verifiers: set[str]):
    _, rows = read(tmp_path, lambda k: {"answer": "ABC"[k % 3] if k % 3 else other(k)})
    assert {row.target.verifier for row in rows} == verifiers
    assert all((row.target.verifier == "choice") == (row.target.value in ("B", "C")) for row in rows)
    assert all(row.target.value == "Tuesday" for row in rows if row.target.verifier == "text")


@pytest.mark.parametrize(
    ("answer", "verifier"),
    [
        (lambda k: f"The answer is {k}.", "count"),
        (lambda k: "2:3" if k == 5 else ("2 \\sqrt{2}", "\\frac{25}{9}", str(k))[k % 3], "math"),
        (lambda k: f"{k:04d}", "text"),
        (lambda k: [f"w{k}"] if k % 2 else [f"w{k}", f"W {k}"], "anls"),
        (lambda k: [{"answer": f"w{k}", "answer_id": 1}, {"answer": f"v{k}", "answer_id": 2}], "anls"),
        (lambda k: ("J. Smith", "M. Curie", "A. Lincoln")[k % 3], "text"),
    ],
)
def test_one_verifier_for_all(tmp_path: Path, answer: Callable[[int], Any], verifier: str):
    assert {row.target.verifier for row in read(tmp_path, lambda k: {"answer": answer(k)})[1]} == {verifier}


@pytest.mark.parametrize(
    ("name", "value", "pattern"),
    [
        ("imageId", lambda k: str(k), "images/{}.jpg"),
        ("image_id", lambda k: k, "images/{}.jpg"),
        ("id", lambda k: f"{k}", "{}.png"),
        *((name, lambda k: f"p/{k}", "p/{}.png") for name in ("diagram", "chart", "media", "img_fn", "where_it_is")),
    ],
)
def test_images_are_found_by_what_names_their_files(
    tmp_path: Path, name: str, value: Callable[[int], Any], pattern: str
):
    home = tmp_path / "alone/set"
    _, rows = read(home, lambda k: {name: value(k), "image": None, "answer": ("yes", "no")[k % 2]}, pattern=pattern)
    assert [Path(str(row.images[0])).stem for row in rows] == [re.findall(r"\d+", row.question)[0] for row in rows]


@pytest.mark.parametrize(
    "mark",
    [
        *("[image1]", "[IMAGE]", "<image-1>", "<image#1>", "{image}", "{image_1}", "<img1>", "<image/>", "< image >"),
        *("<Picture 1>", "<image_placeholder>", "<photo>", "<figure 1>"),
    ],
)
def test_marks_in_other_spellings_keep_their_place(tmp_path: Path, mark: str):
    _, rows = read(tmp_path, lambda k: {"question": f"On {mark}, {k}?", "answer": k})
    assert [row.question for row in rows] == sorted(f"On <image>, {k}?" for k in range(COUNT))


def test_no_mark_of_latex(tmp_path: Path):
    _, rows = read(tmp_path, lambda k: {"question": f"The $\\text{{image}}$ of {k}?", "answer": k})
    assert rows[0].question == "The $\\text{image}$ of 0?"


@pytest.mark.parametrize(
    ("boxes", "frame"),
    [
        (lambda k: [10 + k, 20, 300 if k != 7 else 640.3, 400], "pixels"),  # rounding
        (lambda k: [300 + k, 300, 900, 990], "normalised1000"),
        (lambda k: [0.1, 0.2, 0.5, 0.9 + k / 1000], "unit"),
    ],
)
def test_the_frame_is_that_of_nearly_all_boxes(tmp_path: Path, boxes: Callable[[int], list[float]], frame: str):
    read(tmp_path, lambda k: {"question": f"Where is {k}?", "bbox": boxes(k)}, size=(640, 480))
    assert load_recipe(tmp_path / "out/recipe.toml").data["own"].gold_frame == frame


def test_a_frame_may_stand_beside_the_boxes(tmp_path: Path):
    objects = {"ref": ["it"], "bbox": [[100, 100, 500, 600]], "bbox_type": "norm1000"}
    _, rows = read(tmp_path, lambda k: {"question": f"Find <ref-object> {k}", "answer": "<bbox>", "objects": objects})
    assert rows[0].target.value == (4.0, 3.0, 20.0, 18.0)


def at(box: list[float], **beside: Any) -> dict[str, Any]:
    return {"question": "Where is it?", "bbox": box, **beside}


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda k: {"multiple_choices": TEXTS, "answer": f"cat {k}"}, "in most rows.*the wrong ones alone"),
        (lambda k: {"distractors": TEXTS, "answer": f"cat {k}"}, "'distractors' is by name"),
        (lambda k: {**numbered("distractor", 1), "correct_answer": f"c{k}"}, "'distractor4' are by name the options"),
        (lambda k: {"incorrect_answers": TEXTS, "correct_answer": f"c{k}"}, "'incorrect_answers' is by name"),
        (lambda k: {**numbered("option", 1), "answer": k + 40}, "does not name one of the options in 'option1'"),
        (lambda k: {"answer": f"<loc0100><loc0200><loc0300><loc{k:04d}>"}, "'<loc0100>' inside, a place as one model"),
        (lambda k: {"answer": f"<loc_1><loc_2><loc_3><loc_{k}>"}, "a place as one model writes it"),
        (lambda k: {"answer": f'<point x="{k}" y="4" alt="cat">cat</point>'}, "a place as one model writes it"),
        (lambda k: {"box_2d": [1 + k, 2, 30, 39]}, "'box_2d' is by its name y1, x1, y2, x2"),
        (lambda k: {"answer": json.dumps([{"box_2d": [1, 2, 3, 4 + k], "label": "a"}])}, "is an object"),
        (lambda k: {"bbox_xywh": [1, 2, 20, 18 + k % 3]}, "'bbox_xywh' is by its name x, y, width, height"),
        (lambda k: {"bbox_yxyx": [1, 2, 20, 18 + k % 3]}, "y1, x1, y2, x2"),
        (lambda k: at([1 + k % 3, 2, 20, 18], bbox_format="XYWH"), "'bbox_format' says that boxes are x, y, width"),
        (lambda k: at([1 + k % 3, 2, 20, 18], area=360.0), "'area' is width \\* height"),
        (lambda k: at([1 + k % 3, 2, 20, 18], area=345.5), "'area' is width \\* height"),  # of an outline
        (lambda k: {**PAIR, "question": "Is <image0> as <image1>?", "answer": k}, "counts images from 0"),
        (lambda k: {"options": ["<image0>", "<image1>"], "answer": "AB"[k % 2]}, "counts images from 0"),
        (lambda k: {"question": '<img src="p/0.png"> is?', "answer": k}, "put the path into a column of images"),
        (lambda k: {"question": "![](p/0.png) is?", "answer": k}, "put the path into a column of images"),
        (lambda k: {"answer": {"text": str(k), "unit": "cm"}, "reading": None}, "is no answer"),
        (lambda k: {"question": "On <the 1st image>?", "answer": k}, "which is no mark of an image"),
        (lambda k: {"question": '[{"role":"user","role":"user","content":"a"}]', "answer": k}, "'role' occurs twice"),
        (lambda k: {"question": "[{'role':'user','content':'a','content':3}]", "answer": k}, "'content' occurs twice"),
    ],
)  # fmt: skip
def test_what_is_read_in_another_way_is_refused(tmp_path: Path, make: Make, why: str):
    path = written(tmp_path, make)
    with pytest.raises(ModomodoError, match=f"(?s)own.jsonl.*({why})"):
        start(path, tmp_path / "out")


def test_percent_is_no_frame(tmp_path: Path):
    path = written(tmp_path, lambda k: at([10.5 + k, 20, 60, 80.5]), size=(640, 480))
    with pytest.raises(ModomodoError, match=r"own.jsonl: no coordinate of 24 boxes goes over 80.5.*like percent"):
        start(path, tmp_path / "out")


@pytest.mark.parametrize(
    ("make", "note"),
    [
        (lambda k: {"aliases": [TEXTS[k % 4], "it"], "answer": TEXTS[k % 4]}, "name one of the texts in 'aliases'"),
        (lambda k: {"things": TEXTS, "answer": TEXTS[k % 4]}, "'things' holds the options of a choice"),
        (lambda k: {"sentence1": f"a{k}", "sentence2": f"b{k}", "label": k % 2}, "in 'sentence1', 'sentence2'"),
        (
            lambda k: {"question": f"How many on {k}?", "seen": TEXTS, "answer": k % 4},
            "name one of the texts in 'seen'",
        ),
        (lambda k: {"options": TEXTS, "answer": k % 4 + 1}, "answers count the options from 1"),
        (
            lambda k: {"options": TEXTS, "answer": "ABCD"[k % 4], "answer_text": TEXTS[k % 4 if k != 3 else 0]},
            "'answer_text' names another option than 'answer' in 1 of 24 rows",
        ),
        (lambda k: {"answer": k, "Answer": k + 1}, "is it rather 'Answer'?"),
        (lambda k: {"answer": ("cat|kitten", "dog")[k % 2]}, "12 golds look like several texts in one"),
        (lambda k: {"answer": f"{k} cm"}, "24 golds look like numbers with a unit"),
        (lambda k: {"answer": ("\\frac{1}{2}", "half", "red")[k % 3]}, "8 golds look like LaTeX"),
        (
            lambda k: {"answer": [0, 0, 4, 5 + k % 3]},
            "are taken for boxes, which neither its name",
        ),
        (lambda k: at([1, 2, 20, 18 + k % 3]), "all would also lie inside their images as x, y, width, height"),
        (lambda k: {"image": None, "answer": k}, "no row has an image, and there are images in"),
        (lambda k: {"image": None, "picture_id": k, "answer": k + 1}, "'picture_id' names an image in every row"),
        (lambda k: {"table": f"| {k} |", "answer": k}, "not asked: 'table'"),
        *(
            (lambda k, name=name: {name: f"p/{k}b.png", "answer": k}, f"'{name}' may show the answer, by its name")
            for name in ("answer_image", "solution_image", "depth_image", "mask", "gt_image")
        ),
    ],
)
def test_what_could_be_read_in_two_ways_is_told(tmp_path: Path, make: Make, note: str):
    assert note in "\n".join(start(written(tmp_path, make), tmp_path / "out").notes)
