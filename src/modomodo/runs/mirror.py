"""A run's folder on a node, and its copy on storage that every node reaches (a mounted folder, or any fsspec URL).

A node may die at any moment. Files are copied when they have changed, JSON ones whole or not at all. The trained model
and each checkpoint are units: they are copied once, and count when their last file (DECISIVE) is there.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast

from modomodo.core.errors import ModomodoError
from modomodo.runs.store import SIGNATURE

TRAINED = "model"
CHECKPOINTS = "checkpoints"
DECISIVE = {TRAINED: "config.json", CHECKPOINTS: "trainer_state.json"}
ENDS = ("result.json", "failure.json")
OURS = ("lock", SIGNATURE)  # of the launcher, on either side

MEND = (
    "free space or mend access, then run the same command again, which resumes from the last checkpoint that was copied"
)
PATIENCE = (1, 4, 16, 64)  # seconds between attempts to reach the storage

Stamp = tuple[int, int]
WHOLE: Stamp = (0, 0)
Found = TypeVar("Found")


class StorageError(ModomodoError):
    """The storage cannot be reached or written."""


class SupersededError(ModomodoError):
    """Another attempt has signed the copy."""


@dataclass(frozen=True)
class Mirror:
    """The folder of a run here, and its copy at `remote` on the file system `fs`.

    `attempt` is the name of who writes the copy: nothing of it is changed where another name, or none, is in its
    attempt.json. `copied` has what the copy holds: of each file its size and time here, of each folder WHOLE.
    """

    local: Path
    fs: Any
    remote: str
    attempt: str = ""
    copied: dict[str, Stamp] = field(default_factory=dict[str, Stamp])

    def pull(self, *, light: bool = False, begun: bool = True) -> None:
        """Make the folder here what the copy is; `light` leaves out model and checkpoints.

        Parts of folders and of files that were not copied whole are deleted from the copy. Raises StorageError when a
        copy that was `begun` is not there.
        """
        listed = self._listed()
        if begun and SIGNATURE not in listed:
            raise StorageError(f"{self.remote} is not there, or cannot be listed: {MEND}")
        broken = {folder for name in listed if (folder := _folder(name))} - {
            folder for name in listed if (folder := _folder(name)) and name == _decisive(folder)
        }
        for name in sorted(listed, key=lambda name: (name in ENDS, name)):
            folder = _folder(name)
            if folder in broken or name.endswith(".partial") or name in OURS or (light and folder):
                continue
            (self.local / name).parent.mkdir(parents=True, exist_ok=True)
            self._get(name)
            self.copied[folder or name] = WHOLE if folder else _stamp(self.local / name)
        if "failure.json" not in listed:
            (self.local / "failure.json").unlink(missing_ok=True)
        if not light:
            for name in (name for name in sorted(listed) if name.endswith(".partial")):
                self._remove(name)
            for name in sorted(broken):
                self._remove_folder(name)

    def push(self) -> None:
        """Make the copy what the folder here is: checkpoints after the logs of their steps, result.json last.

        Raises SupersededError when another attempt has signed it, FileNotFoundError when it was deleted.
        """
        self._check()
        # What is last here is listed first, so that whatever it rests on is seen.
        ends = [name for name in ENDS if (self.local / name).is_file()]
        folders = dict(self._folders())
        files = {name: path for name, path in self._files() if name not in ENDS}
        self._put_changed(files)
        for name, path in folders.items():
            if name not in self.copied:
                self._put_whole(name, path)
        self._put_changed({name: self.local / name for name in ends})
        for name in sorted(set(self.copied) - {*files, *folders, *ends}):
            if self.copied[name] != WHOLE:
                self._remove(name)
            elif any(folder in self.copied for folder in folders):  # else it is all that there is to continue from
                self._remove_folder(name)
            else:
                continue
            del self.copied[name]

    def get(self, name: str) -> None:
        """Copy one file to here, if there is one."""
        self.local.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            self._get(name)

    def sign(self, node: str) -> None:
        """Write who writes the copy from now on, and where."""
        target = f"{self.remote}/{SIGNATURE}"
        self.fs.makedirs(self.remote, exist_ok=True)
        self.fs.pipe_file(self._partial(target), json.dumps({"attempt": self.attempt, "node": node}).encode())
        self.fs.mv(self._partial(target), target)

    def _check(self) -> None:
        try:
            signed = json.loads(self.fs.cat_file(f"{self.remote}/{SIGNATURE}"))
        except FileNotFoundError:
            if not self.fs.exists(self.remote):
                raise  # the storage may be back in a while
            signed = {"attempt": "", "node": "of the study's own machine"}  # which takes the signature away
        if signed["attempt"] != self.attempt:
            raise SupersededError(
                f"another launcher took the run over, on node {signed['node']}: "
                "let one launcher at a time work on a storage"
            )

    def _partial(self, target: str) -> str:
        return f"{target}.{self.attempt}.partial"

    def _listed(self) -> list[str]:
        self.fs.invalidate_cache()  # other nodes write here
        try:
            # Without `on_error` a folder that cannot be read would pass for an empty one.
            paths = cast(list[str], self.fs.find(self.remote, on_error="raise"))
        except FileNotFoundError:
            return []
        return [name.removeprefix(f"{self.remote}/") for name in paths]

    def _files(self) -> Iterator[tuple[str, Path]]:
        """Yield the files here that may still change."""
        for path in sorted(self.local.rglob("*")):
            name = path.relative_to(self.local).as_posix()
            passing = name in OURS or name.endswith(".partial") or ".partial/" in name or name.startswith("model-")
            if not passing and not _folder(name) and path.is_file():
                yield name, path

    def _folders(self) -> Iterator[tuple[str, Path]]:
        """Yield the folders here that are units and are finished: the model, and the newest checkpoint.

        The trainer deletes an older checkpoint once a newer one is whole, so that it may lack files at any moment.
        """
        if _parses(self.local / _decisive(TRAINED)):
            yield TRAINED, self.local / TRAINED
        newest = self._newest()
        if newest is not None:
            yield newest, self.local / newest

    def _newest(self) -> str | None:
        """Return the newest checkpoint that is whole."""
        whole = [path for path in self.local.glob(f"{CHECKPOINTS}/*-*") if _parses(path / DECISIVE[CHECKPOINTS])]
        steps = {int(step): path.name for path in whole if (step := path.name.rpartition("-")[2]).isdecimal()}
        return f"{CHECKPOINTS}/{steps[max(steps)]}" if steps else None

    def _put_changed(self, files: Mapping[str, Path]) -> None:
        for name, path in files.items():
            stamp = _stamp(path)
            if self.copied.get(name) != stamp:
                self._put(name, path)
                self.copied[name] = stamp

    def _put(self, name: str, path: Path) -> None:
        """Copy a file whole or not at all: a checkpoint must never find a log that is shorter than it."""
        target = f"{self.remote}/{name}"
        self.fs.makedirs(target.rpartition("/")[0], exist_ok=True)
        self.fs.put_file(str(path), self._partial(target))
        self._check()  # a node that was frozen meanwhile must not write over its successor
        self.fs.mv(self._partial(target), target)

    def _put_whole(self, name: str, path: Path) -> None:
        still = self.local.parent / "still" / name
        shutil.rmtree(still, ignore_errors=True)
        try:
            # Links, because the trainer deletes a checkpoint when the next one is there, and a copy can take longer.
            shutil.copytree(path, still, copy_function=_link)
            if name != TRAINED and name != self._newest():
                return  # files of it may have gone before they were linked
            files = {f"{name}/{one.relative_to(still).as_posix()}": one for one in still.rglob("*") if one.is_file()}
            last = _decisive(name)
            for file in (*sorted(set(files) - {last}), last):
                self._put(file, files[file])
            self.copied[name] = WHOLE
        except (FileNotFoundError, shutil.Error):
            if path.exists():
                raise
            # The trainer has just deleted it.
        finally:
            shutil.rmtree(still, ignore_errors=True)

    def _get(self, name: str) -> None:
        target = self.local / name
        partial = target.with_name(target.name + ".partial")
        try:
            self.fs.get_file(f"{self.remote}/{name}", str(partial))
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)

    def _remove_folder(self, name: str) -> None:
        # Without its last file a folder no longer counts, whenever this is interrupted.
        self._remove(_decisive(name))
        self._remove(name)

    def _remove(self, name: str) -> None:
        self._check()
        with suppress(FileNotFoundError):
            self.fs.rm(f"{self.remote}/{name}", recursive=True)


def mirror(storage: str, folder: Path, *, attempt: str = "") -> Mirror:
    """Return a run's folder with its copy in `runs/` of the storage, which only a named attempt may write.

    Raises ModomodoError for a URL of an unknown kind, or one whose package is missing.
    """
    core: Any = import_module("fsspec.core")
    try:
        fs, root = cast(tuple[Any, str], core.url_to_fs(storage))
    except (ValueError, ImportError) as error:
        raise ModomodoError(f"launcher.storage {storage!r} cannot be used: {error}") from error
    return Mirror(folder, fs, f"{root.rstrip('/')}/runs/{folder.name}", attempt)


def check_writable(storage: str) -> None:
    """Raise StorageError where nothing can be written to the storage."""
    probe = mirror(storage, Path(f"probe-{os.getpid()}"), attempt="probe")
    reached(lambda: probe.sign("here"))
    reached(lambda: probe.fs.rm(probe.remote, recursive=True))


def reached(work: Callable[[], Found]) -> Found:
    """Return what `work` makes of the storage.

    Raises StorageError, whatever its file system raises.
    """
    try:
        return work()
    except ModomodoError:
        raise
    # The boundary around foreign file systems, whose errors have no type in common.
    except Exception as error:
        raise StorageError(
            f"the storage of the runs cannot be used ({type(error).__name__}: {error}): {MEND}"
        ) from error


def patiently(work: Callable[[], Found]) -> Found:
    """Return what `work` makes of the storage, tried again for a minute or so where it fails.

    Raises StorageError when it still does.
    """
    for seconds in PATIENCE:
        with suppress(StorageError):
            return reached(work)
        time.sleep(seconds)
    return reached(work)


def _folder(name: str) -> str:
    """Return the unit that a file belongs to, "" where there is none."""
    parts = name.split("/")
    if parts[0] == TRAINED and len(parts) > 1:
        return TRAINED
    if parts[0] == CHECKPOINTS and len(parts) > 2:
        return "/".join(parts[:2])
    return ""


def _decisive(folder: str) -> str:
    """Return the file of a folder that is written last."""
    return f"{folder}/{DECISIVE[folder.split('/')[0]]}"


def _link(source: str, target: str) -> None:
    """Link a file, or copy it where the file system does not link."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copy2(source, target)


def _parses(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except (OSError, ValueError):
        return False
    return True


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
