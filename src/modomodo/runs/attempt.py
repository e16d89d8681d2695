"""One attempt at one run: in a child process of the launcher, or in this process."""

import gc
import importlib
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal, cast

from modomodo.config.recipe import Recipe
from modomodo.core.children import SAFE_PATH
from modomodo.core.errors import ModomodoError
from modomodo.runs.store import Store

Run = Callable[[Recipe, Path], dict[str, object]]
"""Carries out a recipe in a folder and returns what belongs in its `result.json`."""

RUN = "modomodo.runs.run:run_recipe"
"""The run of a recipe, as a fresh process finds it."""

# One process per core, so one thread per process: more would only fight for the cores, and the number of threads
# changes the order of floating-point sums. Idle OpenMP threads must not spin; the tokenizers' threads do not survive
# a fork. Nothing is imported from the working folder.
ENVIRONMENT = {
    **SAFE_PATH,
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
}


NO_ROOM = 64 << 20  # bytes


@dataclass(frozen=True)
class Job:
    """A missing run: what the study calls it, its folder's name, its recipe, and `run` as "module:name"."""

    label: str
    key: str
    recipe: Recipe
    digests: Mapping[str, str]
    run: str
    store: Store


@dataclass(frozen=True)
class Report:
    """How an attempt ended: `claimed` when another process holds the run, `elsewhere` when another had finished it.

    killed: its process was ended by a signal, which says nothing against the run.
    """

    status: Literal["finished", "failed", "elsewhere", "claimed"]
    seconds: float = 0.0
    message: str = ""
    killed: bool = False


def name_of(run: Run | str) -> str:
    """Return "module:name" of `run`, which a fresh process can import.

    Raises ModomodoError for a function that it cannot.
    """
    if isinstance(run, str):
        module, _, name = run.partition(":")
    else:
        module, name = run.__module__, str(getattr(run, "__qualname__", ""))
    if not module or not name.isidentifier() or module == "__main__":
        raise ModomodoError(
            f"run is {module}:{name}, which a fresh process cannot import: "
            "give a function that has its name in a module, not in __main__ and not in another function"
        )
    return f"{module}:{name}"


def attempt(job: Job, *, redirect: bool) -> Report:
    """Carry out a run unless it is finished or claimed, and return how that ended; never raises for what `run` does.

    `redirect` sends standard output and error of this process, also what C code writes, to the run's `log.txt`.
    """
    try:
        with job.store.claim(job.key) as held:
            if not held:
                return Report("claimed")
            if job.store.finished(job.key):
                return Report("elsewhere")
            return _attempt(job, redirect=redirect)
    except ModomodoError as error:
        return Report("failed", message=str(error))


def main(job: Job, reports: "Connection[Report, Report]", gpu: str | None) -> None:
    """Attempt the run in this process, which lives no longer than the launcher, and send the report."""
    threading.Thread(target=_end_with_launcher, daemon=True).start()
    # Ctrl-C reaches every process of the terminal; the launcher alone decides, and terminates this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(ENVIRONMENT)
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    gc.freeze()  # what the fork server imported is never garbage
    reports.send(attempt(job, redirect=True))


def _attempt(job: Job, *, redirect: bool) -> Report:
    started = time.monotonic()
    try:
        job.store.begin(job.key, job.recipe)
        if redirect:
            _redirect(job.store.path(job.key) / "log.txt")
        result = _function(job.run)(job.recipe, job.store.path(job.key))
        seconds = time.monotonic() - started
        job.store.write_result(job.key, _whole(job, result, seconds))
    # The boundary around foreign code: whatever one run raises, it is recorded and the other runs continue.
    except Exception as error:  # noqa: BLE001
        trace = traceback.format_exc()
        explained = isinstance(error, ModomodoError)
        message = str(error) if explained else f"{type(error).__name__}: {error}"
        with suppress(OSError):  # the disk of the log may be what is full
            sys.stderr.write(f"error: {message}\n" if explained else trace)
        message += _full_disk(job.store.folder)
        message += record_failure(job, message, traceback="\n".join(trace.splitlines()[-40:]))
        return Report("failed", time.monotonic() - started, message)
    return Report("finished", seconds)


def _full_disk(folder: Path) -> str:
    """Return a hint where there is hardly room left, which libraries report in words of their own, and else ""."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return ""
    return f"\n(the disk of {folder} has {free >> 20} MiB left: free space and run again)" if free < NO_ROOM else ""


def record_failure(job: Job, message: str, *, traceback: str = "") -> str:
    """Write `failure.json`; return "", or why it could not be written, to be added to the message."""
    try:
        job.store.write_failure(job.key, message, traceback=traceback)
    except ModomodoError as error:
        return f"\n(and failure.json is not written: {error})"
    return ""


def _whole(job: Job, found: dict[str, object], seconds: float) -> dict[str, object]:
    ours: dict[str, object] = {
        "seconds": round(seconds, 3),
        "mixture": job.recipe.requested.as_dict(),
        "seed": job.recipe.seed,
        "digests": dict(job.digests),
    }
    taken = sorted({"version", "key", *ours} & set(found))
    if taken:
        raise ModomodoError(f"{job.run} returned {', '.join(taken)}, which the store writes itself: leave it out")
    return {**ours, **found}


def _function(name: str) -> Run:
    module, _, attribute = name.partition(":")
    return cast(Run, getattr(importlib.import_module(module), attribute))


def _redirect(path: Path) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
    for stream in (sys.stdout, sys.stderr):
        # By the line, so that the log of a killed process has its last words.
        getattr(stream, "reconfigure")(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # noqa: B009
    print(f"--- {datetime.now(UTC).isoformat(timespec='seconds')}, process {os.getpid()}")


def _end_with_launcher() -> None:
    launcher = multiprocessing.parent_process()
    assert launcher is not None
    # The launcher holds the other end of a pipe, which the kernel closes even at kill -9. PR_SET_PDEATHSIG would watch
    # the fork server, which outlives the launcher as long as one of its children does.
    launcher.join()
    os._exit(1)
