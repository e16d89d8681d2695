"""Prepared sets: what goes in comes out, nothing is left out silently, and a kill loses nothing."""

import csv
import errno
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Row, Target, digest_rows
from modomodo.data.domain import Domain, Origin
from modomodo.data.prepared import Dropped, prepare, prepared_counts, read_prepared, shards
from modomodo.data.prepared.sets import find_prepared
from modomodo.data.registry import DOMAINS
from modomodo.data.sources.prompts import ask
from modomodo.runs.inputs import find_rows

NANO = ("detect", "refer", "geometry", "spatial", "science", "charts", "infographic", "maths", "general")


def picture(shade: int, size: tuple[int, int] = (8, 6)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (shade, 0, 0)).save(file, "PNG")
    return file.getvalue()


TARGETS = [
    Target("format", "anything"),
    Target("choice", "B", options=("left", 'right, "or" so', "größer ☃")),
    Target("number", 3.0, tolerance=0.1),
    Target("number", 1e-7),
    Target("count", 4),
    Target("math", r"\frac{1}{2}"),
    Target("text", ("hello", "hi")),
    Target("text", "12"),
    Target("relaxed", "1,234", tolerance=0.05),
    Target("anls", ("one", "two", "three")),
    Target("box", (1.5, 2, 3, 4.25), image_size=(8, 6)),
    Target("boxes", ((0, 0, 1, 1), (2, 2, 3.5, 4)), image_size=(8, 6)),
    Target("boxes", (), image_size=(8, 6)),
    Target("point", (0, 0, 4, 4), image_size=(8, 6)),
]
TRAIN = [
    Row(f"t{number}", "made", f"What\nis {number}?", target, (picture(number),))
    for number, target in enumerate(TARGETS)
]
TEST = [
    Row("e0", "made", "No image, née ☃?", Target("count", 0)),
    Row("e1", "made", "Two?", Target("count", 2), (picture(100), picture(101, (5, 9)))),
    Row("e2", "made", "The same image?", Target("text", "yes"), (picture(100),)),
]


def domain(train=TRAIN, test=TEST, **fields) -> Domain:
    rows = {"train": train, "test": test}
    return Domain("made", lambda split: rows[split], ask, **fields)


def made(folder: Path, **fields):
    (found,) = prepare({"made": domain(**fields)}, folder)
    return found


def digest(rows) -> str:
    return digest_rows(rows, [None] * len(rows))


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def types(value) -> object:
    return tuple(map(types, value)) if isinstance(value, tuple) else type(value)


@pytest.mark.parametrize("name", NANO)
def test_embedded_families_come_back_as_they_went_in(tmp_path: Path, name: str):
    (found,) = prepare({name: DOMAINS[name]}, tmp_path)
    assert found.state == "written"
    assert not found.dropped
    assert (
        found.counts == prepared_counts(tmp_path, name) == {s: len(DOMAINS[name].load(s)) for s in DOMAINS[name].splits}
    )
    for split in DOMAINS[name].splits:
        rows = DOMAINS[name].load(split)
        assert read_prepared(tmp_path, name, split) == tuple(rows)
        assert digest(read_prepared(tmp_path, name, split)) == digest(rows)


def test_pictures_in_files_come_back_as_their_bytes(tmp_path: Path):
    few = replace(DOMAINS["easy_vqa"], load=lambda split: DOMAINS["easy_vqa"].load(split)[:300])
    prepare({"easy_vqa": few}, tmp_path)
    for split in few.splits:
        rows = few.load(split)
        found = read_prepared(tmp_path, "easy_vqa", split)
        assert digest(found) == digest(rows)
        assert found == tuple(replace(row, images=tuple(image.read_bytes() for image in row.images)) for row in rows)
        assert len({id(row.images[0]) for row in found}) == len({row.images[0] for row in found})


def test_targets_of_all_verifiers_come_back_with_their_types(tmp_path: Path):
    made(tmp_path)
    for split, rows in (("train", TRAIN), ("test", TEST)):
        found = read_prepared(tmp_path, "made", split)
        assert found == tuple(rows)
        assert digest(found) == digest(rows)
        assert [types(row.target.value) for row in found] == [types(row.target.value) for row in rows]


def test_a_second_read_is_the_first_until_the_set_changes(tmp_path: Path):
    made(tmp_path)
    first = read_prepared(tmp_path, "made", "test")
    assert read_prepared(tmp_path, "made", "test") is first
    made(tmp_path, test=TEST[:2])
    assert read_prepared(tmp_path, "made", "test") == tuple(TEST[:2])


def test_single_rows_are_read_without_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "GROUP", (4, shards.MEGABYTE))
    made(tmp_path)
    read: list[str] = []
    whole = shards._row
    monkeypatch.setattr(shards, "_row", lambda record, pictures: read.append(record["id"]) or whole(record, pictures))
    assert find_prepared(tmp_path, "made", "train", ids={"t1", "t9", "no row"}) == (TRAIN[1], TRAIN[9])
    assert read == ["t1", "t9"]


def test_rows_are_found_prepared_or_not(tmp_path):
    prepare({"spatial": DOMAINS["spatial"]}, tmp_path)
    wanted = DOMAINS["spatial"].load("train")[3]
    for recipe in (Recipe(domains=("spatial",)), Recipe(domains=("spatial",), prepared=tmp_path)):
        assert find_rows(recipe, "spatial", {wanted.id}) == (wanted,)
    assert find_rows(Recipe(domains=("chartqa",)), "chartqa", {"any"}) == ()  # on the hub: nothing is downloaded


def test_two_runs_write_the_same_bytes_and_a_third_writes_nothing(tmp_path: Path):
    made(tmp_path / "a")
    made(tmp_path / "b")
    first = tree(tmp_path / "a")
    assert first == tree(tmp_path / "b")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")}
    assert made(tmp_path / "a").state == "reused"
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")}


def test_shards_and_row_groups_keep_order_and_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from pyarrow.parquet import ParquetFile

    assert shards.spans([5, 5, 5, 20, 1, 1, 1, 1], (3, 10)) == [
        range(2),
        range(2, 3),
        range(3, 4),
        range(4, 7),
        range(7, 8),
    ]
    monkeypatch.setattr("modomodo.data.prepared.sets.SHARD", (6, 1 << 20))
    monkeypatch.setattr(shards, "GROUP", (4, 1 << 20))
    made(tmp_path)
    files = sorted(path.name for path in (tmp_path / "made").glob("train*"))
    assert files == [f"train-{number:05d}-of-00003.parquet" for number in range(3)]
    assert ParquetFile(tmp_path / "made" / files[0]).num_row_groups == 2
    assert read_prepared(tmp_path, "made", "train") == tuple(TRAIN)


def test_datasets_reads_shards_and_folder_and_decodes_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    made(tmp_path / "sets")
    files = str(tmp_path / "sets" / "made" / "test-*.parquet")
    shard = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    whole = datasets.load_dataset(str(tmp_path / "sets" / "made"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in whole.items()} == {"train": len(TRAIN), "test": len(TEST)}
    for rows in (shard, whole["test"]):
        assert [len(row["images"]) for row in rows] == [0, 2, 1]
        assert rows[1]["images"][1].size == (5, 9)
        assert rows[1]["images"][0].getpixel((0, 0)) == (100, 0, 0)


def test_duplicates_and_training_rows_of_the_test_are_dropped_and_listed(tmp_path: Path):
    again = replace(TRAIN[3], id="=again()")
    other_gold = replace(TRAIN[3], id="other-gold", target=Target("number", 5))
    leak = replace(TEST[1], id="leak", target=Target("count", 7))
    twice = replace(TEST[2], id="twice")
    found = made(tmp_path, train=[leak, *TRAIN, again, other_gold], test=[*TEST, twice])
    assert found.dropped == (
        Dropped("train", "leak", "in test", "e1"),
        Dropped("train", "=again()", "duplicate", "t3"),
        Dropped("test", "twice", "duplicate", "e2"),
    )
    assert found.counts == {"train": len(TRAIN) + 1, "test": len(TEST)}
    assert read_prepared(tmp_path, "made", "train") == (*TRAIN, other_gold)
    with (tmp_path / "made" / "dropped.csv").open(newline="") as file:
        assert [tuple(line.values()) for line in csv.DictReader(file)] == [
            ("train", "leak", "in test", "e1"),
            ("train", "'=again()", "duplicate", "t3"),  # no formula
            ("test", "twice", "duplicate", "e2"),
        ]
    text = (tmp_path / "made" / "README.md").read_text()
    assert "- 2 duplicate: the same question" in text
    assert "- 1 in test: the question and image of a row of train" in text
    assert "| train | 15 | 17 | 2 |" in text


def test_card_and_manifest_say_where_rows_come_from(tmp_path: Path):
    origin = Origin("somebody/some-set", "abc123", "CC BY 4.0 (see there)", {"train": 20, "test": 3})
    notes = {"train": ("2 rows cannot be used and are left out:\n  row 7: <b>empty</b>",), "test": ()}
    found = made(tmp_path, origin=origin, notes=lambda split: notes[split])
    assert found.notes == (f"train: {notes['train'][0]}",)
    text = (tmp_path / "made" / "README.md").read_text()
    for line in (
        "license: other",
        'license_name: "CC BY 4.0 (see there)"',
        "- Source: somebody/some-set",
        "- Revision: abc123",
    ):
        assert line in text.splitlines()
    assert "\n      row 7: <b>empty</b>\n" in text
    manifest = json.loads((tmp_path / "made" / "manifest.json").read_text())
    assert manifest["origin"] == {
        "source": "somebody/some-set",
        "revision": "abc123",
        "licence": "CC BY 4.0 (see there)",
        "sizes": {"train": 20, "test": 3},
        "declared": "",
    }
    assert manifest["splits"]["test"]["pixels"] == [[5, 6], [8, 9]]
    for shard in manifest["splits"]["train"]["shards"]:
        assert manifest["files"][shard]["sha256"] in text


def test_counts_other_than_declared_are_noted(tmp_path: Path):
    origin = Origin("here", None, "mit", {"train": 5997, "test": 3, "dev": 7})
    found = made(tmp_path, train=[*TRAIN, replace(TRAIN[0], id="again")], origin=origin)
    assert found.notes == (
        "train: has 14 rows (1 dropped), where 5,997 are declared",
        "dev: has 0 rows, where 7 are declared",
    )
    assert "license: mit" in (tmp_path / "made" / "README.md").read_text().splitlines()


def test_other_rows_replace_a_set_and_the_counts_are_told(tmp_path: Path):
    made(tmp_path)
    found = made(tmp_path, train=TRAIN[:5])
    assert found.state == "replaced"
    assert found.notes == ("replaced, its rows changed: train had 14 rows and has 5, test had 3 rows and has 3",)
    assert read_prepared(tmp_path, "made", "train") == tuple(TRAIN[:5])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "made"]
    found = made(tmp_path, train=TRAIN[:5], origin=Origin("here", None, "mit", {}))
    assert (found.state, found.notes) == (
        "replaced",
        ("replaced: its rows are the same, but its origin or notes changed",),
    )


class Killed(BaseException):
    pass


def killed(*_: object) -> None:
    raise Killed


@pytest.mark.parametrize("step", ["write_shard", "write_text", "write_json", "_put"])
def test_a_kill_leaves_whole_sets_only_and_the_next_call_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
):
    made(tmp_path / "whole")
    made(tmp_path / "sets", train=TRAIN[:5])
    sets = {"made": domain(), "other": domain()}
    with monkeypatch.context() as patch:
        patch.setattr(f"modomodo.data.prepared.sets.{step}", killed)
        patch.setattr("modomodo.data.prepared.sets.shutil.rmtree", lambda *_, **__: None)
        with pytest.raises(Killed):
            prepare(sets, tmp_path / "sets")
    assert len(read_prepared(tmp_path / "sets", "made", "train")) == 5
    with pytest.raises(ModomodoError, match=r"no prepared set 'other'; known: made \(make"):
        read_prepared(tmp_path / "sets", "other", "train")
    assert [one.state for one in prepare(sets, tmp_path / "sets")] == ["replaced", "written"]
    assert tree(tmp_path / "sets" / "made") == tree(tmp_path / "whole" / "made")
    assert sorted(path.name for path in (tmp_path / "sets").iterdir()) == [".lock", "made", "other"]


def test_a_kill_between_the_two_renames_is_mended(tmp_path: Path):
    made(tmp_path, train=TRAIN[:5])
    (tmp_path / "made").rename(tmp_path / ".made.old")
    with pytest.raises(ModomodoError, match="no prepared set 'made'; known: none"):
        read_prepared(tmp_path, "made", "train")
    assert made(tmp_path).state == "written"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "made"]
    assert read_prepared(tmp_path, "made", "train") == tuple(TRAIN)


def test_a_set_without_manifest_is_written_again(tmp_path: Path):
    made(tmp_path)
    (tmp_path / "made" / "manifest.json").unlink()
    with pytest.raises(ModomodoError, match="modomodo data prepare FILE"):
        prepared_counts(tmp_path, "made")
    assert made(tmp_path).state == "written"
    assert prepared_counts(tmp_path, "made") == {"train": 14, "test": 3}


def test_files_of_others_are_never_replaced(tmp_path: Path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "raw.jpg").write_bytes(picture(1))
    with pytest.raises(ModomodoError, match=r"holds 'raw\.jpg', which is not of a prepared set"):
        made(tmp_path)
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["raw.jpg"]
    assert not (tmp_path / ".made.partial").exists()


def test_a_damaged_shard_is_refused_by_name(tmp_path: Path):
    made(tmp_path)
    shard = tmp_path / "made" / "train-00000-of-00001.parquet"
    whole = shard.read_bytes()
    flipped = whole[:500] + bytes([whole[500] ^ 1]) + whole[501:]
    for content, problem in (
        (whole[:-9], "has .* bytes, its manifest says"),
        (flipped, "is not the file .*other SHA-256"),
        (None, "is missing"),
    ):
        shard.unlink() if content is None else shard.write_bytes(content)
        for call in (made, lambda folder: read_prepared(folder, "made", "train")):
            with pytest.raises(ModomodoError, match=rf"{shard} {problem}.*delete {tmp_path}/made and run"):
                call(tmp_path)
    shard.write_bytes(b"not Parquet")
    with pytest.raises(ModomodoError, match=rf"{shard} is damaged \(.*\): delete"):
        list(shards.read_shard(shard, {}))


def test_another_schema_is_refused_with_the_column(tmp_path: Path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    made(tmp_path)
    shard = tmp_path / "made" / "train-00000-of-00001.parquet"
    table = pq.read_table(shard)
    path = tmp_path / "other.parquet"
    pq.write_table(table.drop_columns("value"), path)
    with pytest.raises(ModomodoError, match=rf"{path} .*has no column 'value'"):
        list(shards.read_shard(path, {}))
    pq.write_table(table.set_column(4, "value", pa.array([1] * 14)), path)
    with pytest.raises(ModomodoError, match=rf"{path} .*column 'value' is int64, not string"):
        list(shards.read_shard(path, {}))


def test_a_damaged_or_newer_manifest_says_what_to_do(tmp_path: Path):
    made(tmp_path)
    path = tmp_path / "made" / "manifest.json"
    whole = json.loads(path.read_text())
    cases = {
        "is damaged .*delete it and run": "{",
        "is of version 2, this modomodo reads version 1: delete": '{"version": 2}',
        "is damaged .*'name' is missing": '{"version": 1}',
        "is damaged .*nothing of the file train-00000-of-00001": json.dumps({**whole, "files": {}}),
    }
    for problem, text in cases.items():
        path.write_text(text)
        for call in (made, lambda folder: read_prepared(folder, "made", "train")):
            with pytest.raises(ModomodoError, match=rf"(?s){path} {problem}"):
                call(tmp_path)


def test_missing_folders_sets_and_splits_come_with_help(tmp_path: Path):
    with pytest.raises(ModomodoError, match=r"nowhere does not exist: make it with `modomodo data prepare FILE`"):
        read_prepared(tmp_path / "nowhere", "made", "train")
    made(tmp_path)
    with pytest.raises(ModomodoError, match=r"no prepared set 'mode'; did you mean made\? .*data prepare"):
        read_prepared(tmp_path, "mode", "train")
    with pytest.raises(ModomodoError, match=r"no split 'tran'; did you mean train\?"):
        read_prepared(tmp_path, "made", "tran")


def test_rows_that_cannot_be_written_are_named(tmp_path: Path):
    cases = {
        "row t1: the id is in train already": [TRAIN[0], TRAIN[1], replace(TRAIN[2], id="t1")],
        r"row t0: the image \(8 bytes\) is unreadable": [replace(TRAIN[0], images=(b"no image",))],
        "row t0: an image cannot be read": [replace(TRAIN[0], images=(tmp_path / "gone.png",))],
        "row t0 cannot be written": [replace(TRAIN[0], question="half \ud83d")],
        "rows 3 to 3 do not fit": [replace(TRAIN[0], id=3)],
        r"made \(train\): has no rows": [],
        "none of its 1 rows is left": [replace(TEST[1], id="leak")],
    }
    for problem, train in cases.items():
        with pytest.raises(ModomodoError, match=problem):
            made(tmp_path, train=train)
    with pytest.raises(ModomodoError, match="cannot name a folder"):
        prepare({"../made": domain()}, tmp_path)
    assert not (tmp_path / "made").exists()


def test_a_full_disk_and_an_unwritable_folder_are_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModomodoError, match=r"cannot .*file/sets.*; free space, fix its permissions"):
        made(tmp_path / "file" / "sets")

    def full(path: Path, seen: object) -> None:
        path.write_bytes(b"some")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("modomodo.data.prepared.sets.write_shard", full)
    with pytest.raises(ModomodoError, match=r"cannot write .*made: No space left on device; free space"):
        made(tmp_path)
    assert not (tmp_path / ".made.partial").exists()


def test_parquet_on_a_full_device_is_an_error_of_the_disk():
    with pytest.raises(OSError, match="No space left"):
        shards.write_shard(Path("/dev/full"), [])


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_read_and_explained(tmp_path: Path):
    made(tmp_path)
    tmp_path.chmod(0o555)
    try:
        assert made(tmp_path).state == "reused"
        with pytest.raises(ModomodoError, match="Permission denied"):
            made(tmp_path, train=TRAIN[:5])
    finally:
        tmp_path.chmod(0o755)


def test_what_is_done_is_said(tmp_path: Path):
    said: list[str] = []
    prepare({"made": domain()}, tmp_path, say=said.append)
    assert said[0] == "reading made (train), row 0 of 14"
    assert said[-1] == "writing made/test-00000-of-00001.parquet"


def test_pyarrow_is_loaded_late_and_missed_with_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    code = "import modomodo.data.prepared, sys; print('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ModomodoError, match="pip install"):
        made(tmp_path)
    with pytest.raises(ModomodoError, match="pip install"):
        read_prepared(tmp_path, "made", "train")
