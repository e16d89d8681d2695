import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

fsspec = pytest.importorskip("fsspec")

from modomodo.core.errors import ModomodoError  # noqa: E402
from modomodo.runs.mirror import Mirror, StorageError, SupersededError, mirror, reached  # noqa: E402
from modomodo.runs.store import SIGNATURE  # noqa: E402


class Recording:
    """A file system that notes what is put, and fails at the file of a name."""

    def __init__(self, fs: Any, fails_at: str = "") -> None:
        self.fs, self.fails_at, self.put = fs, fails_at, []

    def put_file(self, local: str, remote: str) -> None:
        if self.fails_at and remote.endswith(self.fails_at):
            raise OSError("connection lost")
        self.put.append(remote.partition("/run/")[2].removesuffix(".a.partial"))
        self.fs.put_file(local, remote)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.fs, name)


def listed(storage: tuple[Recording, str]) -> list[str]:
    fs, root = storage
    names = [name.removeprefix(root + "/") for name in fs.find(root)] if fs.exists(root) else []
    return [name for name in names if name != SIGNATURE]


def signed(folder: Path, storage: tuple[Any, str]) -> Mirror:
    copy = Mirror(folder, *storage, attempt="a")
    copy.sign("n1")
    return copy


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
    Mirror(folder, *storage, attempt="a").pull(light=light)
    return tree(folder)


def test_another_node_gets_what_this_one_had(storage: tuple[Recording, str], tmp_path: Path):
    here = tmp_path / "here"
    copy = signed(here, storage)
    write(here, {"recipe.json": "{}", "steps.jsonl": "1\n", "items/a.jsonl": "x", "lock": "", "half.partial": "?"})
    write(here, {"model.partial/config.json": "{}", "model-20/config.json": "{}", "checkpoints/README.md": "#"})
    checkpoint(here, 20)
    write(here / "checkpoints/checkpoint-40", {"weights": "half"})
    copy.push()
    kept = {"recipe.json": "{}", "steps.jsonl": "1\n", "items/a.jsonl": "x", "checkpoints/README.md": "#"}
    first = {"checkpoints/checkpoint-20/weights": "weights 20", "checkpoints/checkpoint-20/trainer_state.json": "{}"}
    assert pulled(storage, tmp_path / "there") == {**kept, **first}
    assert pulled(storage, tmp_path / "light", light=True) == kept

    (here / "checkpoints/checkpoint-20").rename(tmp_path / "old")
    checkpoint(here, 40)
    write(here, {"steps.jsonl": "1\n2\n", "model/config.json": "{}", "model/weights": "w", "result.json": "{}"})
    os.remove(here / "items/a.jsonl")
    os.remove(here / "checkpoints/README.md")
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


@pytest.mark.parametrize("fails_at", ["weights.a.partial", "trainer_state.json.a.partial"])
def test_a_checkpoint_that_was_not_copied_whole_does_not_count(
    storage: tuple[Recording, str], tmp_path: Path, fails_at: str
):
    here = tmp_path / "here"
    checkpoint(here, 20)
    storage[0].fails_at = f"checkpoint-20/{fails_at}"
    copy = signed(here, storage)
    with pytest.raises(OSError, match="connection lost"):
        copy.push()
    assert pulled(storage, tmp_path / "there") == {}
    assert listed(storage) == []
    storage[0].fails_at = ""
    copy.push()
    assert len(pulled(storage, tmp_path / "then")) == 2


def test_the_old_checkpoint_stays_until_the_new_one_is_whole(storage: tuple[Recording, str], tmp_path: Path):
    here = tmp_path / "here"
    copy = signed(here, storage)
    checkpoint(here, 20)
    copy.push()
    (here / "checkpoints/checkpoint-20").rename(tmp_path / "old")
    checkpoint(here, 40)
    storage[0].fails_at = "checkpoint-40/trainer_state.json.a.partial"
    with pytest.raises(OSError, match="connection lost"):
        copy.push()
    folder = "checkpoints/checkpoint-20"
    assert sorted(pulled(storage, tmp_path / "there")) == [f"{folder}/trainer_state.json", f"{folder}/weights"]


@pytest.mark.parametrize("name", ["result.json", "steps.jsonl"])
def test_no_file_is_ever_seen_in_part(tmp_path: Path, name: str):
    fs = fsspec.filesystem("file")
    seen: list[str] = []
    target = tmp_path / "storage/run" / name

    class Torn(Recording):
        """Dies in the middle of a file, as a worker does that is killed there."""

        def put_file(self, local: str, remote: str) -> None:
            Path(remote).write_text(Path(local).read_text()[:5])
            seen.append(target.read_text())
            raise OSError("killed")

    here = tmp_path / "here"
    write(here, {name: "before\n"})
    signed(here, (Recording(fs), str(target.parent))).push()
    write(here, {name: "before and after\n"})
    with pytest.raises(OSError, match="killed"):
        signed(here, (Torn(fs), str(target.parent))).push()
    assert seen == ["before\n"]
    assert pulled((Recording(fs), str(target.parent)), tmp_path / "there") == {name: "before\n"}
    assert listed((Recording(fs), str(target.parent))) == [name], "the part is deleted"


def test_an_attempt_frozen_in_the_middle_of_a_copy_does_not_write_over_its_successor(
    storage: tuple[Recording, str], tmp_path: Path
):
    here, there = tmp_path / "here", tmp_path / "there"
    write(here, {"a.jsonl": "old\n", "steps.jsonl": "1\n"})
    copy = signed(here, storage)

    class Freezing(Recording):
        def put_file(self, local: str, remote: str) -> None:
            super().put_file(local, remote)
            successor = Mirror(there, *storage, attempt="b")
            successor.sign("n2")
            write(there, {"a.jsonl": "new\n", "steps.jsonl": "1\n2\n"})
            successor.push()

    frozen = Mirror(here, Freezing(storage[0].fs), storage[1], attempt=copy.attempt)
    with pytest.raises(ModomodoError, match="another launcher took the run over, on node n2"):
        frozen.push()
    assert pulled(storage, tmp_path / "found", light=True) == {"a.jsonl": "new\n", "steps.jsonl": "1\n2\n"}


def test_a_storage_that_is_away_is_an_error_that_may_pass(tmp_path: Path):
    here = tmp_path / "here"
    write(here, {"steps.jsonl": "1\n"})
    copy = signed(here, (fsspec.filesystem("file"), str(tmp_path / "storage/run")))
    (tmp_path / "storage").rename(tmp_path / "away")
    with pytest.raises(StorageError, match="free space or mend access"):
        reached(copy.push)
    (tmp_path / "away").rename(tmp_path / "storage")
    reached(copy.push)
    assert (tmp_path / "storage/run/steps.jsonl").read_text() == "1\n"


def test_what_cannot_be_linked_is_copied(
    storage: tuple[Recording, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    here = tmp_path / "here"
    checkpoint(here, 20)
    write(here, {"model/config.json": "{}", "model/weights": "w"})
    signed(here, storage).push()
    assert len(pulled(storage, tmp_path / "there")) == 4


def test_a_checkpoint_deleted_while_it_is_copied_is_left_out_and_one_that_cannot_be_read_is_not(
    storage: tuple[Recording, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    here = tmp_path / "here"
    checkpoint(here, 20)
    copy = signed(here, storage)

    def gone(source: str, target: str) -> None:
        shutil.rmtree(here / "checkpoints/checkpoint-20")
        raise FileNotFoundError(source)

    def unreadable(source: str, target: str) -> None:
        raise PermissionError(source)

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", gone)
        copy.push()
    assert listed(storage) == []
    checkpoint(here, 40)
    monkeypatch.setattr(os, "link", unreadable)
    monkeypatch.setattr(shutil, "copy2", unreadable)
    with pytest.raises(OSError):
        copy.push()


def test_a_checkpoint_that_the_trainer_has_begun_to_delete_is_never_copied(
    storage: tuple[Recording, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It deletes one when the next is whole, file by file; optimizers that are missing would be missed by nobody."""
    here = tmp_path / "here"
    checkpoint(here, 20)
    checkpoint(here, 40)
    os.remove(here / "checkpoints/checkpoint-20/weights")
    signed(here, storage).push()
    assert sorted(listed(storage)) == [
        f"checkpoints/checkpoint-40/{name}" for name in ("trainer_state.json", "weights")
    ]

    def overtaken(source: Path, target: Path, **options: Any) -> None:
        checkpoint(here, 80)
        os.remove(here / "checkpoints/checkpoint-60/weights")
        copytree(source, target, **options)

    copytree = shutil.copytree
    checkpoint(here, 60)
    monkeypatch.setattr(shutil, "copytree", overtaken)
    copy = signed(here, storage)
    copy.pull()
    copy.push()
    assert not [name for name in listed(storage) if "checkpoint-60" in name]


def test_the_old_checkpoint_stays_where_the_new_one_is_deleted_while_it_is_copied(
    storage: tuple[Recording, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    here = tmp_path / "here"
    copy = signed(here, storage)
    checkpoint(here, 20)
    copy.push()
    (here / "checkpoints/checkpoint-20").rename(tmp_path / "old")
    checkpoint(here, 40)

    def gone(source: str, target: str) -> None:
        shutil.rmtree(here / "checkpoints/checkpoint-40")
        raise FileNotFoundError(source)

    monkeypatch.setattr(os, "link", gone)
    copy.push()
    assert len([name for name in listed(storage) if "checkpoint-20/" in name]) == 2


@pytest.mark.parametrize("listing", ["_folders", "_files"])
def test_a_result_is_never_there_before_the_model(
    storage: tuple[Recording, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listing: str
):
    """Whenever in a copy the run ends."""
    here = tmp_path / "here"
    write(here, {"steps.jsonl": "1\n"})
    copy = signed(here, storage)
    original = getattr(Mirror, listing)

    def ending(self: Mirror) -> Any:
        found = list(original(self))
        write(here, {"steps.jsonl": "1\n2\n", "model/config.json": "{}", "model/weights": "w", "result.json": "{}"})
        return iter(found)

    with monkeypatch.context() as patch:
        patch.setattr(Mirror, listing, ending)
        copy.push()
    assert "result.json" not in listed(storage)
    copy.push()
    assert {"steps.jsonl", "result.json", "model/config.json", "model/weights"} == set(listed(storage))


def test_a_copy_that_cannot_be_listed_is_not_an_empty_one(tmp_path: Path):
    storage = tmp_path / "storage/run"
    write(tmp_path / "here", {"result.json": "{}", "steps.jsonl": "1\n"})
    signed(tmp_path / "here", (fsspec.filesystem("file"), str(storage))).push()

    class Stale(Recording):
        def find(self, path: str, **options: Any) -> list[str]:
            def stale(*_: object, **__: object) -> None:
                raise OSError(errno.ESTALE, "Stale file handle")

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(type(self.fs), "ls", stale)
                return self.fs.find(path, **options)

    copy = Mirror(tmp_path / "there", Stale(fsspec.filesystem("file")), str(storage), attempt="a")
    for light in (False, True):
        with pytest.raises(StorageError, match="Stale file handle"):
            reached(lambda light=light: copy.pull(light=light))
    storage.rename(tmp_path / "away")
    copy = Mirror(tmp_path / "there", fsspec.filesystem("file"), str(storage), attempt="a")
    with pytest.raises(StorageError, match="is not there, or cannot be listed: free space or mend access"):
        reached(lambda: copy.pull(light=True))
    copy.pull(light=True, begun=False)
    assert tree(tmp_path / "there") == {}


def test_a_result_here_outlives_a_copy_without_one(storage: tuple[Recording, str], tmp_path: Path):
    write(tmp_path / "there", {"steps.jsonl": "1\n"})
    signed(tmp_path / "there", storage).push()
    write(tmp_path / "here", {"result.json": "{}"})
    assert "result.json" in pulled(storage, tmp_path / "here", light=True)


def test_an_attempt_ends_where_the_study_s_machine_has_begun_the_run(storage: tuple[Recording, str], tmp_path: Path):
    here = tmp_path / "here"
    write(here, {"steps.jsonl": "1\n", "a.jsonl": "1\n"})
    copy = signed(here, storage)
    copy.push()
    storage[0].rm(f"{storage[1]}/{SIGNATURE}")
    os.remove(here / "a.jsonl")
    with pytest.raises(SupersededError, match="on node of the study's own machine"):
        copy.push()
    with pytest.raises(SupersededError):
        copy._remove("a.jsonl")
    assert sorted(listed(storage)) == ["a.jsonl", "steps.jsonl"]


def test_a_failure_that_was_put_aside_leaves_the_copy_too(storage: tuple[Recording, str], tmp_path: Path):
    here = tmp_path / "here"
    write(here, {"failure.json": "{}"})
    signed(here, storage).push()
    copy = signed(tmp_path / "there", storage)
    copy.pull()
    os.rename(tmp_path / "there/failure.json", tmp_path / "there/failure-1.json")
    copy.push()
    assert listed(storage) == ["failure-1.json"]
    assert pulled(storage, here, light=True) == {"failure-1.json": "{}"}


def test_one_file_is_fetched_where_there_is_one(storage: tuple[Recording, str], tmp_path: Path):
    write(tmp_path / "here", {"steps.jsonl": "1\n"})
    signed(tmp_path / "here", storage).push()
    copy = Mirror(tmp_path / "there", *storage)
    copy.get("steps.jsonl")
    copy.get("samples.jsonl")
    assert tree(tmp_path / "there") == {"steps.jsonl": "1\n"}


def test_a_storage_of_an_unknown_kind_is_refused(tmp_path: Path):
    with pytest.raises(ModomodoError, match=r"launcher.storage 'nosuch://bucket' cannot be used: "):
        mirror("nosuch://bucket", tmp_path)
