"""What init says beside its files, so that no column is taken or left in silence."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modomodo.cli.init.start import start
from modomodo.config.domains import recipe_domain
from modomodo.config.recipe import load_recipe
from modomodo.core.errors import ModomodoError

COUNT = 24


def set_of(folder: Path, row: Any, *, pictures: str | None = None) -> Path:
    """Write 24 rows, and images of their numbers into a folder beside the file."""
    folder.mkdir(parents=True)
    for n in range(COUNT if pictures else 0):
        path = folder / f"{pictures}/{n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (n, 2 * n, 9)).save(path)
    data = folder / "own.jsonl"
    data.write_text("".join(json.dumps(row(n)) + "\n" for n in range(COUNT)))
    return data


def notes(data: Path) -> str:
    return "\n".join(start(data, data.parent / "out").notes)


@pytest.mark.parametrize(
    ("row", "note"),
    [
        (lambda n: {"question": f"{n}?", "answer": "yes"}, "every gold is 'yes': one reply is right for all rows"),
        (
            lambda n: {"question": f"{n}?", "reading": n, "tag": "a"},
            "no column is called an answer, so 'reading' is taken",
        ),
        (
            lambda n: {"question": f"{n}?", "answer": n, "reward_model": {"ground_truth": n + 1}},
            "the answer is taken from 'answer'; is it rather 'reward_model.ground_truth'?",
        ),
        (
            lambda n: {"question": f"{n}?", "answer": n, "extra": {"solution": f"As {n + 1} less 1 it is {n}."}},
            "is it rather 'extra.solution'?",
        ),
        (lambda n: {"question": f"{n}?", "answer": n, "image": n}, "not used: 'image', by name with images"),
        (
            lambda n: {"question": f"{n}?", "answer": n, "videos": ["a.mp4"]},
            "not used: 'videos', by name with images",
        ),
        (lambda n: {"question": f"{n}?", "answer": n, "unit": "cm"}, "not asked: 'unit'; write {unit} into question"),
        (lambda n: {"question": f"{n}?", "answer": n, "context": f"See {n}."}, "asked with the question: 'context'"),
        (
            lambda n: {"question": f"{n}? In \\boxed{{}}.", "answer": n},
            "ask for \\boxed, and modomodo asks for its own",
        ),
        (
            lambda n: {"question": f"{n}?", "answer": n, "split": "ab"[n % 2]},
            "'split' holds a, b, and all rows are trained",
        ),
        (lambda n: {"question": f"{n}?", "answer": n if n > 3 else None}, "check refuses 4 of 24 rows; unusable = 4"),
        (
            lambda n: {"question": f"{n}?", "answer": ("yes", 60, 1.5)[n % 3]},
            "8 golds are whole numbers, and relaxed takes 61 for 60",
        ),
    ],
)
def test_what_is_taken_and_what_is_left_is_told(tmp_path, row, note):
    assert note in notes(set_of(tmp_path / "set", row))


@pytest.mark.parametrize(
    ("row", "note"),
    [
        (
            lambda n: {"question": f"{n}?", "answer": n, "image": f"p/{n}.png", "view": f"p/{n - n % 2}.png"},
            "all images of 'image', 'view' are shown, in this order",
        ),
        (
            lambda n: {"question": f"{n}?", "answer": n, "image": f"p/{n}.png", "url": f"https://a.b/{n}.png"},
            "'url' names images that are not there, where 'image' has them",
        ),
        (
            lambda n: {"question": f"{n}?", "answer": n, "image": f"p/{n}.png", "photo": [f"p/{n}.png"]},
            "'photo' holds the images of 'image' again",
        ),
        (
            lambda n: {"question": f"{n}?", "answer": n, "image": f"p/{n}.png", "figure": n},
            "called like images and not used: 'figure'",
        ),
        (lambda n: {"question": f"{n}?", "answer": n, "image": f"{n}.png"}, "the images are taken from"),
    ],
)
def test_pictures_that_are_taken_and_left_are_told(tmp_path, row, note):
    assert note in notes(set_of(tmp_path / "set", row, pictures="p"))


def test_pictures_in_several_folders_are_left_open(tmp_path):
    data = set_of(tmp_path / "set", lambda n: {"question": f"{n}?", "answer": n, "image": f"{n}.png"}, pictures="p")
    (data.parent / "q").mkdir()
    for path in (data.parent / "p").iterdir():
        (data.parent / "q" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ModomodoError, match=r"(?s)24 of 24 images are not there.*in each of .*p, .*q: leave one"):
        start(data, tmp_path / "out")


def test_a_declared_folder_is_seen_from_the_recipe(tmp_path):
    data = set_of(tmp_path / "a", lambda n: {"question": f"{n}?", "answer": n, "image": f"{n}.png"}, pictures="../b/p")
    start(data, tmp_path / "out")
    assert 'pictures = "../b/p"' in (tmp_path / "out/recipe.toml").read_text()
    recipe = load_recipe(tmp_path / "out/recipe.toml")
    images = {image.name for row in recipe_domain(recipe, "own").load("train") for image in row.images}
    assert images <= {f"{n}.png" for n in range(COUNT)}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (
            lambda n: {"question": f"{n}?", "answer": n % 2 == 0, "height": n},
            "the column 'answer' holds true, which is no",
        ),
        (lambda n: {"question": f"{n}?", "answer": {"value": n}, "height": n}, 'answer = "answer.KEY"'),
        (lambda n: {"question": f"<image>{n}?", "answer": n}, "check would refuse 24 of 24 rows, read with question"),
        (lambda n: {"question": f"{n}?", "answer": n, "box": [9, 9, 3, 3]}, None),
        (lambda n: {f"c{k}": 1 for k in range(600)}, "has 600 columns in 24 rows, over the cap of 500"),
        (lambda n: {"a": {f"c{k}": 1 for k in range(600)}}, "the objects in its rows have more than 500 keys"),
    ],
)
def test_nothing_is_written_that_check_would_refuse_for_most_rows(tmp_path, row, why):
    data = set_of(tmp_path / "set", row)
    if why is None:
        start(data, tmp_path / "out")
        return
    with pytest.raises(ModomodoError, match=re.escape(why)) as caught:
        start(data, tmp_path / "out")
    assert "own.jsonl" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_name_that_no_recipe_can_hold_is_refused(tmp_path):
    path = Path(f"{tmp_path}/caf\udce9.jsonl")
    path.write_text('{"question": "?", "answer": 1}\n')
    with pytest.raises(ModomodoError, match=r"caf\\udce9.jsonl' is not UTF-8, as names in recipes are: rename it"):
        start(path, tmp_path / "out")
