"""One attempt at a run on a node of a cluster: a process here, as the launcher of one machine starts it, and its folder
kept on storage all along, so that another node can continue where this one dies."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from multiprocessing.connection import wait
from pathlib import Path

from modomodo.core.errors import ModomodoError
from modomodo.runs.attempt import Job, Report
from modomodo.runs.local import report_of, start, stop
from modomodo.runs.mirror import Mirror, StorageError, mirror, patiently, reached
from modomodo.runs.store import Store

SCRATCH = "modomodo-run-"
COPY_SECONDS = 2.0


@dataclass(frozen=True)
class Order:
    """What a node is asked to do.

    storage: URL of the folder that has `runs/KEY`. attempt: a name that no other attempt has. folder: where relative
    paths start. needed: paths that must be seen from the node. version: modomodo's, of whoever asks.
    """

    job: Job
    storage: str
    attempt: str
    folder: Path
    needed: tuple[Path, ...]
    version: str


def carry_out(order: Order) -> Report:
    """Return how the run ended, its folder then being on the storage; never raises for what the run does."""
    try:
        _check(order)
        with _scratch() as folder:
            return _attempt(order, folder)
    except ModomodoError as error:
        return Report("failed", message=str(error))
    except OSError as error:
        message = f"node {os.uname().nodename} cannot keep a run in {tempfile.gettempdir()} ({error}): set TMPDIR there"
        return Report("failed", message=message)


@contextmanager
def _scratch() -> Generator[Path]:
    """Yield a new folder for the run, and delete those that killed attempts left on this node."""
    for left in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        with suppress(OSError):
            handle = os.open(left / "lock", os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # free once the process that held it is gone
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(handle)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, ignore_cleanup_errors=True) as folder:
        handle = os.open(Path(folder, "lock.new"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            os.rename(Path(folder, "lock.new"), Path(folder, "lock"))  # seen by others only once it is held
            yield Path(folder)
        finally:
            os.close(handle)


def _check(order: Order) -> None:
    """Raise ModomodoError where this node cannot do the run as the launcher's machine would."""
    name = os.uname().nodename
    here = version("modomodo")
    if here != order.version:
        raise ModomodoError(
            f"node {name} has modomodo {here}, the launcher {order.version}: install the same on every node"
        )
    if order.folder.is_dir():
        os.chdir(order.folder)
    unseen = [path for path in order.needed if not path.exists()]
    if unseen:
        raise ModomodoError(
            f"node {name} does not see {unseen[0]}: put it on a file system that every node mounts at the same place "
            "(for results, set launcher.storage)"
        )


def _attempt(order: Order, scratch: Path) -> Report:
    job = replace(order.job, store=Store(scratch))
    copy = mirror(order.storage, job.store.path(job.key), attempt=order.attempt)
    patiently(lambda: copy.sign(os.uname().nodename))
    patiently(copy.pull)
    if job.store.finished(job.key):
        _check_result(job, copy)
        return Report("elsewhere")
    running = start(job, gpu=os.environ.get("CUDA_VISIBLE_DEVICES"))
    try:
        while not wait([running.process.sentinel], timeout=COPY_SECONDS):
            # The storage may be back at the next round, and files may go while they are looked at.
            with suppress(StorageError):
                reached(copy.push)
    finally:
        stop([running])
    report = report_of(running)
    patiently(copy.push)
    return report


def _check_result(job: Job, copy: Mirror) -> None:
    try:
        job.store.result_data(job.key)
    except ModomodoError as error:
        raise ModomodoError(f"{copy.remote}/result.json is damaged: delete it there, and run again") from error
