"""Images as columns hold them, and paths that rows may not name."""

import base64
import json
import os
from pathlib import Path

import pytest
from sets import jsonl, picture

from modomodo.data.registry import find_domain
from modomodo.data.sources.image_values import flat_pictures, is_pictorial
from modomodo.data.sources.source import Source
from modomodo.data.sources.values import BadRowError

DATA = picture()
TEXT = base64.b64encode(DATA).decode()
JPEG = base64.b64encode(picture(kind="JPEG")).decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "set"
    (home / "p").mkdir(parents=True)
    (home / "p" / "a.png").write_bytes(DATA)
    (home / "p" / "00123").write_bytes(DATA)
    (tmp_path / "secret.png").write_bytes(DATA)
    return home


@pytest.mark.parametrize(
    "value",
    [
        DATA,
        [DATA],
        TEXT,
        TEXT.rstrip("="),
        "\n".join([TEXT[:60], TEXT[60:]]),
        TEXT.replace("+", "-").replace("/", "_"),
        f"data:image/png;base64,{TEXT}",
        f"DATA:image/png;charset=utf-8;base64,{TEXT}",
        {"bytes": DATA, "path": "gone.png"},
        {"bytes": TEXT},
        {"b64_json": TEXT},
        {"image_url": {"url": f"data:image/png;base64,{TEXT}", "detail": "low"}},
        {"source": {"type": "base64", "media_type": "image/png", "data": TEXT}},
        json.dumps([TEXT]),
    ],
)
def test_pictures_inside_a_value(value, folder):
    assert list(flat_pictures(value, folder)) == [DATA]


@pytest.mark.parametrize(
    "value",
    [
        "p/a.png",
        " p/a.png\n",
        "./p/../p/a.png",
        {"bytes": None, "path": "p/a.png"},
        {"path": "p/a.png", "width": 8, "height": 6},
        {"image": "p/a.png", "max_pixels": 1000},
        {"url": "p/a.png"},
        {"file_name": "p/a.png"},
        "['p/a.png']",
        '["p/a.png"]',
        [[{"path": "p/a.png"}]],
    ],
)
def test_paths_beside_the_file(value, folder):
    assert [path.resolve() for path in flat_pictures(value, folder)] == [folder / "p/a.png"]


def test_several_stay_in_order_and_none_is_none(folder):
    assert list(flat_pictures("['p/a.png', 'p/00123']", folder)) == [folder / "p/a.png", folder / "p/00123"]
    for value in (None, "", " ", [], [None, ""], {"bytes": None, "path": None}, "[]"):
        assert list(flat_pictures(value, folder)) == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("https://a.b/c.png?x=1", r"is the address https://a.b/c.png\?x=1: nothing is downloaded; fetch it"),
        ({"url": "s3://bucket/c.png"}, "is the address s3://bucket/c.png: nothing is downloaded"),
        ("file:///etc/passwd", "is the address file:///etc/passwd"),
        ("/etc/passwd", "leads out of"),
        ("../secret.png", "leads out of .*set: image paths are relative to the file"),
        ("p/../../secret.png", "leads out of"),
        ("out.png", r"out.png is a link to .*secret.png, out of .*set: put the file there, or name its folder"),
        ("elsewhere/secret.png", "is a link to"),
        ("zero", "is a link to /dev/zero"),
        ("pipe", "pipe is no regular file"),
        ("p", "is no regular file"),
        (".", "is no regular file"),
        ("loop", "is a link"),
        ("a\0.png", "which is no path"),
        ("a\ud800.png", "has half a character: rename the file"),
        ("x" * 300 + ".png", "which is no path, nor an image in base64"),
        ("data:image/png;base64,????", "neither a path nor base64"),
        (7, "found int 7"),
        ([1, 2], "found int 1"),
        ({"id": 7}, "an object with the keys 'id', none of bytes"),
        ({"path": 7}, "found int 7"),
    ],
)
def test_what_rows_may_not_name(value, message, folder):
    (folder / "out.png").symlink_to("../secret.png")
    (folder / "elsewhere").symlink_to(folder.parent)
    (folder / "zero").symlink_to("/dev/zero")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "pipe")
    with pytest.raises(BadRowError, match=message):
        list(flat_pictures(value, folder))


def test_a_snapshot_of_the_hub_links_to_its_blobs_and_no_further(tmp_path):
    snapshot, blobs = tmp_path / "datasets--a--b/snapshots/0123", tmp_path / "datasets--a--b/blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    (blobs / "ff").write_bytes(DATA)
    (tmp_path / "secret.png").write_bytes(DATA)
    (snapshot / "a.png").symlink_to("../../blobs/ff")
    (snapshot / "b.png").symlink_to("../../../secret.png")
    assert list(flat_pictures("a.png", snapshot)) == [snapshot / "a.png"]
    with pytest.raises(BadRowError, match="is a link"):
        list(flat_pictures("b.png", snapshot))


@pytest.mark.parametrize("path", ["/etc/passwd", "a.png", "../a.png"])
def test_rows_of_the_hub_name_what_came_from_the_hub_alone(path, tmp_path, monkeypatch):
    import datasets.config

    cached = tmp_path / "cache/extracted/a.png"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(DATA)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    assert list(flat_pictures({"bytes": None, "path": str(cached)}, None)) == [cached]
    with pytest.raises(BadRowError, match="not among what came from the hub"):
        list(flat_pictures(path, None))


def test_a_declared_folder_takes_the_place_of_the_files_own(folder, tmp_path):
    path = jsonl(tmp_path / "rows/rows.jsonl", [{"question": "?", "answer": 1, "photo": "a.png"}])
    source = Source(path=path, images=("photo",), pictures=folder / "p", verifier="count")
    assert find_domain("mine", sources={"mine": source}).load("train")[0].images == (folder / "p/a.png",)
    out = jsonl(tmp_path / "rows/out.jsonl", [{"question": "?", "answer": 1, "photo": "../../secret.png"}])
    with pytest.raises(ValueError, match="leads out of"):
        find_domain("mine", sources={"mine": source.model_copy(update={"path": out})}).load("train")


@pytest.mark.parametrize(
    ("name", "like"),
    [
        *((name, True) for name in ("image", "Images", "img_path", "imgname", "image_1", "images2", "photo", "video")),
        *((name, True) for name in ("image_url", "question_image", "figure_path", "image_base64", "screenshot")),
        *((name, False) for name in ("image_id", "imagination", "height", "picturesque", "image_width", "question")),
    ],
)
def test_names_of_columns_with_pictures(name, like):
    assert is_pictorial(name) == like


def test_an_id_without_an_ending_names_the_one_image_of_that_name(tmp_path):
    for name in ("7.jpg", "a/b.PNG", "two.png", "two.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(DATA)
    assert list(flat_pictures([7, "7", "a/b", "two.png"], tmp_path)) == [
        tmp_path / name for name in ("7.jpg", "7.jpg", "a/b.PNG", "two.png")
    ]
    with pytest.raises(BadRowError, match=r"two names two.jpg and two.png: write which"):
        list(flat_pictures("two", tmp_path))
