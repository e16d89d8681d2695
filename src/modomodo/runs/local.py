"""Runs on this machine: processes from a fork server that has paid the imports, which end with the launcher."""

import multiprocessing
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from types import FrameType

from modomodo.core.children import environment
from modomodo.core.errors import ModomodoError
from modomodo.runs.attempt import ENVIRONMENT, RUN, Job, Report, attempt, main, record_failure
from modomodo.runs.hardware import cores, gpus

TERMINATE_SECONDS = 5.0


class Processes:
    """Workers of this machine: as many at a time as told, by default one per GPU, or per core where there is none."""

    def __init__(self, count: int | None = None) -> None:
        """Raises ModomodoError for a count below 1."""
        if count is not None and count < 1:
            raise ModomodoError(f"processes is {count}: 1 or more")
        self._count = count
        self._running: list[Running] = []

    def open(self, say: Callable[[str], None]) -> None:
        """Look for GPUs."""
        self._devices = gpus()
        self._slots = self._count or len(self._devices) or cores()

    def room(self) -> bool:
        return len(self._running) < self._slots

    def idle(self) -> bool:
        return self.room()

    def start(self, job: Job) -> None:
        """Start a process on the run, on the GPU with the fewest runs; verl takes all that there are."""
        used = [one.gpu for one in self._running]
        gpu = None if job.recipe.engine == "verl" else min(self._devices, key=used.count, default=None)
        self._running.append(start(job, gpu=gpu))

    def ended(self, seconds: float) -> Iterator[tuple[Job, Report]]:
        wait([one.process.sentinel for one in self._running], timeout=seconds)
        for one in list(self._running):
            if one.process.exitcode is not None:
                self._running.remove(one)
                yield one.job, report_of(one)

    def close(self) -> None:
        stop(self._running)


class ThisProcess:
    """A worker that carries out runs in this process, to debug them."""

    def __init__(self) -> None:
        self._ended: list[tuple[Job, Report]] = []

    def open(self, say: Callable[[str], None]) -> None:
        """Nothing is needed."""

    def room(self) -> bool:
        return not self._ended

    def idle(self) -> bool:
        return self.room()

    def start(self, job: Job) -> None:
        self._ended.append((job, attempt(job, redirect=False)))

    def ended(self, seconds: float) -> Iterator[tuple[Job, Report]]:
        if not self._ended:
            time.sleep(seconds)
        while self._ended:
            yield self._ended.pop()

    def close(self) -> None:
        """Nothing is left."""


@dataclass(frozen=True)
class Running:
    """A process at work on a run, the GPUs that it sees alone, and the pipe on which it reports."""

    job: Job
    process: ForkServerProcess
    reports: "Connection[Report, Report]"
    started: float
    gpu: str | None


def start(job: Job, *, gpu: str | None) -> Running:
    """Start a process on the run, which sees that GPU (or several, with commas) alone.

    Raises ModomodoError when the fork server dies, as it does when a module that it imports raises.
    """
    context = multiprocessing.get_context("forkserver")
    module = job.run.partition(":")[0]
    imported = [module, *([] if gpu else _trainer(job))]
    context.set_forkserver_preload([main.__module__, *imported])
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=main, args=(job, sender, gpu), name=f"modomodo {job.label}")
    started = time.monotonic()
    try:
        with environment(ENVIRONMENT), _no_main():  # the fork server keeps the one of its start
            process.start()
    except (OSError, EOFError) as error:
        raise ModomodoError(
            f"no process could be started for {job.label} ({error!r}); "
            f"if the import of {' or '.join(imported)} failed, its error is above"
        ) from error
    sender.close()
    return Running(job, process, receiver, started, gpu)


def _trainer(job: Job) -> list[str]:
    """Return the module that a run imports late, since the environment of verl lacks it.

    Not for GPUs: CUDA does not survive a fork, and what TRL imports beside itself (vLLM) may start it.
    """
    return ["modomodo.training.trl"] if job.run == RUN and job.recipe.engine == "trl" else []


def report_of(one: Running) -> Report:
    """Return the report of a process that has ended, recording a failure where it died without one."""
    try:
        return one.reports.recv()
    except (EOFError, OSError):
        pass  # it died before its report, or while sending it
    finally:
        one.reports.close()
    seconds = time.monotonic() - one.started
    if one.job.store.finished(one.job.key):
        return Report("finished", seconds)
    message = _death(one.process.exitcode)
    try:
        with one.job.store.claim(one.job.key) as held:
            if held and not one.job.store.finished(one.job.key):
                message += record_failure(one.job, message)
    except ModomodoError as error:
        message += f"\n{error}"
    return Report("failed", seconds, message, killed=(one.process.exitcode or 0) < 0)


def _death(code: int | None) -> str:
    if code is None or code >= 0:
        return f"its process ended with exit code {code} and without a result"
    name = signal.Signals(-code).name
    hint = " (out of memory? try fewer processes)" if name == "SIGKILL" else ""
    return f"its process was killed by {name}{hint}"


def stop(running: Iterable[Running]) -> None:
    """End the processes: at once where they let it, after 5 s by force."""
    processes = [one.process for one in running]
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + TERMINATE_SECONDS
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
    for process in processes:
        process.kill()
        process.join()


@contextmanager
def _no_main() -> Generator[None]:
    """A new process would import this one's script, which it has no use for (and which may take long: Ray's does)."""
    main = sys.modules["__main__"]
    names = [name for name in ("__spec__", "__file__") if hasattr(main, name)]
    before = {name: getattr(main, name) for name in names}
    try:
        for name in names:
            setattr(main, name, None)
        yield
    finally:
        for name, value in before.items():
            setattr(main, name, value)


@contextmanager
def sigterm_raises() -> Generator[None]:
    """Turn SIGTERM into SystemExit, so that processes are ended on the way out; only a main thread may do that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
