import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

fsspec = pytest.importorskip("fsspec")

from modomodo.errors import ModomodoError  # noqa: E402
from modomodo.pilots.mirror import Mirror, mirror  # noqa: E402


class Recording:
    """A file system that notes what is put, and fails at the file of a name."""

    def __init__(self, fs: Any, fails_at: str = "") -> None:
        self.fs, self.fails_at, self.put = fs, fails_at, []

    def put_file(self, local: str, remote: str) -> None:
        if self.fails_at and remote.endswith(self.fails_at):
            raise OSError("connection lost")
        self.put.append(remote.partition("/run/")[2].removesuffix(".partial"))
        self.fs.put_file(local, remote)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.fs, name)


def listed(storage: tuple[Recording, str]) -> list[str]:
    fs, root = storage
    return [name.removeprefix(root + "/") for name in fs.find(root)] if fs.exists(root) else []


@pytest.fixture(params=["file", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Recording, str]:
    fs = fsspec.filesystem(request.param)
    place = str(tmp_path / "storage") if request.param == "file" else f"/{tmp_path.name}"
    return Recording(fs), f"{place}/run"


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def checkpoint(folder: Path, step: int) -> None:
    write(folder / f"checkpoints/checkpoint-{step}", {"weights": f"weights {step}", "trainer_state.json": "{}"})


def tree(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def pulled(storage: tuple[Recording, str], folder: Path, *, light: bool = False) -> dict[str, str]:
    Mirror(folder, *storage).pull(light=light)
    return tree(folder)


def test_another_node_gets_what_this_one_had(storage: tuple[Recording, str], tmp_path: Path):
    here = tmp_path / "here"
    copy = Mirror(here, *storage)
    write(here, {"recipe.json": "{}", "steps.jsonl": "1\n", "items/a.jsonl": "x", "lock": "", "half.partial": "?"})
    write(here, {"model.partial/config.json": "{}", "model-20/config.json": "{}"})
    checkpoint(here, 20)
    write(here / "checkpoints/checkpoint-40", {"weights": "half"})
    copy.push()
    kept = {"recipe.json": "{}", "steps.jsonl": "1\n", "items/a.jsonl": "x"}
    first = {"checkpoints/checkpoint-20/weights": "weights 20", "checkpoints/checkpoint-20/trainer_state.json": "{}"}
    assert pulled(storage, tmp_path / "there") == {**kept, **first}
    assert pulled(storage, tmp_path / "light", light=True) == kept

    (here / "checkpoints/checkpoint-20").rename(tmp_path / "old")
    checkpoint(here, 40)
    write(here, {"steps.jsonl": "1\n2\n", "model/config.json": "{}", "model/weights": "w", "result.json": "{}"})
    os.remove(here / "items/a.jsonl")
    storage[0].put.clear()
    copy.push()
    assert storage[0].put[0] == "steps.jsonl"
    assert storage[0].put[-1] == "result.json"
    assert "recipe.json" not in storage[0].put
    found = pulled(storage, tmp_path / "again")
    assert found["steps.jsonl"] == "1\n2\n"
    assert {name.split("/")[0] for name in found} == {
        "recipe.json",
        "steps.jsonl",
        "result.json",
        "model",
        "checkpoints",
    }
    assert not [name for name in found if "checkpoint-20" in name]
    assert found["checkpoints/checkpoint-40/weights"] == "weights 40"


@pytest.mark.parametrize("fails_at", ["weights", "trainer_state.json.partial"])
def test_a_checkpoint_that_was_not_copied_whole_does_not_count(
    storage: tuple[Recording, str], tmp_path: Path, fails_at: str
):
    here = tmp_path / "here"
    checkpoint(here, 20)
    storage[0].fails_at = f"checkpoint-20/{fails_at}"
    copy = Mirror(here, *storage)
    with pytest.raises(OSError, match="connection lost"):
        copy.push()
    assert pulled(storage, tmp_path / "there") == {}
    assert listed(storage) == []
    storage[0].fails_at = ""
    copy.push()
    assert len(pulled(storage, tmp_path / "then")) == 2


def test_the_old_checkpoint_stays_until_the_new_one_is_whole(storage: tuple[Recording, str], tmp_path: Path):
    here = tmp_path / "here"
    copy = Mirror(here, *storage)
    checkpoint(here, 20)
    copy.push()
    (here / "checkpoints/checkpoint-20").rename(tmp_path / "old")
    checkpoint(here, 40)
    storage[0].fails_at = "checkpoint-40/trainer_state.json.partial"
    with pytest.raises(OSError, match="connection lost"):
        copy.push()
    folder = "checkpoints/checkpoint-20"
    assert sorted(pulled(storage, tmp_path / "there")) == [f"{folder}/trainer_state.json", f"{folder}/weights"]


def test_a_result_is_never_seen_in_part(tmp_path: Path):
    fs = fsspec.filesystem("file")
    seen: list[str | None] = []

    class Slow(Recording):
        def put_file(self, local: str, remote: str) -> None:
            half = Path(local).read_text()[:5]
            Path(remote).write_text(half)
            target = Path(str(remote).removesuffix(".partial"))
            seen.append(target.read_text() if target.exists() else None)
            super().put_file(local, remote)

    write(tmp_path / "here", {"result.json": json.dumps({"scores": 1})})
    Mirror(tmp_path / "here", Slow(fs), str(tmp_path / "storage/run")).push()
    assert seen == [None]
    assert json.loads((tmp_path / "storage/run/result.json").read_text()) == {"scores": 1}


def test_a_failure_that_was_put_aside_leaves_the_copy_too(storage: tuple[Recording, str], tmp_path: Path):
    here = tmp_path / "here"
    write(here, {"failure.json": "{}"})
    Mirror(here, *storage).push()
    copy = Mirror(tmp_path / "there", *storage)
    copy.pull()
    os.rename(tmp_path / "there/failure.json", tmp_path / "there/failure-1.json")
    copy.push()
    assert listed(storage) == ["failure-1.json"]
    assert pulled(storage, here, light=True) == {"failure-1.json": "{}"}


def test_an_attempt_is_read_and_written(storage: tuple[Recording, str], tmp_path: Path):
    copy = Mirror(tmp_path / "here", *storage)
    assert copy.read("attempt.json") is None
    copy.write("attempt.json", {"attempt": "a"})
    assert copy.read("attempt.json") == {"attempt": "a"}
    copy.pull()
    copy.push()
    assert listed(storage) == ["attempt.json"]
    copy.get("steps.jsonl")
    assert tree(tmp_path / "here") == {}


def test_a_storage_of_an_unknown_kind_is_refused(tmp_path: Path):
    with pytest.raises(ModomodoError, match=r"launcher.storage 'nosuch://bucket' cannot be used: "):
        mirror("nosuch://bucket", tmp_path)
