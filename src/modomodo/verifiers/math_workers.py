"""Warm math-verify processes: as many as there are callers at once, each ended by the kernel at its deadline.

The deadline is CPU time of the worker, so that a busy machine changes no verdict. A backstop of wall time, many times
as long, ends what does not even run; its hit says nothing of the answer.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Literal, NamedTuple

from modomodo.core.errors import ModomodoError

Outcome = Literal["same", "different", "unread", "deep", "late", "dead", "failed", "stalled", "lost"]
"""`late`: its CPU time was over; `dead`: it crashed. `stalled`: the backstop; `lost`: ended from outside."""

MAX_WORKERS = 32  # at once; a caller beyond them waits
MAX_IDLE = 4  # kept warm
MAX_QUESTIONS = 2_000  # of one worker, before a fresh one takes its place: SymPy's caches only grow
BACKSTOP = 300  # wall time of a question, in deadlines: a crowded machine may give a worker a hundredth of a core
GRACE_SECONDS = 0.2  # for the kernel to end a worker whose time is up

_SCRIPT = Path(__file__).with_name("math_process.py")
_START_SECONDS = 120.0


class _Worker:
    """The end of a socket at whose other end a process serves; closing it lets the process go."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._lines = end.makefile("rb")
        self.questions = 0

    def ask(self, gold: str, answer: str, seconds: float, within: float | None) -> tuple[Outcome, str]:
        """Return the reply, or what ended the worker and when: then it is of no more use."""
        self.questions += 1
        backstop = seconds * BACKSTOP
        self._end.settimeout(backstop + GRACE_SECONDS)
        try:
            self._end.sendall(json.dumps([gold, answer, seconds, backstop, within]).encode() + b"\n")
            line = self._lines.readline()
        except TimeoutError:
            return "stalled", f"math-verify was not done after {backstop:g} s"
        except OSError as error:
            return "lost", f"the process of math-verify went away ({error})"
        if not line:
            return "lost", "the process of math-verify went away"
        outcome, detail = json.loads(line)
        return outcome, f"math-verify took over {seconds:g} s of CPU time" if outcome == "late" else detail

    def alive(self) -> bool:
        """Return whether a process still waits at the other end: one that ended has said so, or closed it."""
        self._end.settimeout(0)
        try:
            self._end.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        self._lines.close()
        self._end.close()


class _Source(NamedTuple):
    """The process that forks workers, and the socket on which it is told to."""

    process: subprocess.Popen[bytes]
    control: socket.socket


class MathWorkers:
    """The handle on the processes; `ask` may be called from any thread, also of an event loop's executor."""

    def __init__(self) -> None:
        self.forget()

    def ask(self, gold: str, answer: str, seconds: float, *, within: float | None = None) -> tuple[Outcome, str]:
        """Return what math-verify says of two LaTeX texts in so many seconds of CPU time, and a detail.

        With `within`, whether they are numbers no further apart.
        Raises ModomodoError when math-verify is not installed.
        """
        with self._room:
            outcome, detail = self._ask_one(gold, answer, seconds, within)
            if outcome == "lost":
                # Perhaps with the process that forks: what a fresh one says, counts.
                self.stop()
                outcome, detail = self._ask_one(gold, answer, seconds, within)
        return outcome, detail

    def _ask_one(self, gold: str, answer: str, seconds: float, within: float | None) -> tuple[Outcome, str]:
        try:
            worker = self._take()
        except OSError as error:
            return "lost", f"no process of math-verify could be forked ({error})"
        try:
            outcome, detail = worker.ask(gold, answer, seconds, within)
        except BaseException:
            # Interrupted between question and answer: a later question must not read this one's answer.
            worker.close()
            raise
        self._give_back(worker, usable=outcome not in ("late", "dead", "stalled", "lost"))
        return outcome, detail

    def stop(self) -> None:
        """End all processes; the next `ask` starts others."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()
            if self._source is not None:
                self._source.control.close()
                self._source.process.kill()
                self._source.process.wait()
            self._source = None

    def forget(self) -> None:
        """Begin without processes: those of a fork's parent are the parent's, and stay as they are."""
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(MAX_WORKERS)
        self._idle: list[_Worker] = []
        self._source: _Source | None = None

    def _take(self) -> _Worker:
        with self._lock:
            while self._idle:
                # One that something else ended since its last question must not count against the next.
                if (worker := self._idle.pop()).alive():
                    return worker
                worker.close()
            return self._fork()

    def _give_back(self, worker: _Worker, *, usable: bool) -> None:
        with self._lock:
            if usable and worker.questions < MAX_QUESTIONS and len(self._idle) < MAX_IDLE:
                self._idle.append(worker)
                return
        worker.close()

    def _fork(self) -> _Worker:
        if self._source is None or self._source.process.poll() is not None:
            self._source = _start()
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._source.control, [b"f"], [theirs.fileno()])
        return _Worker(ours)


def _start() -> _Source:
    ours, theirs = socket.socketpair()
    with theirs:
        # -P: the folder of the script must not lead sys.path, where its neighbours would shadow other modules.
        process = subprocess.Popen(
            [sys.executable, "-P", str(_SCRIPT), str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    ours.settimeout(_START_SECONDS)
    try:
        with ours.makefile("rb") as lines:
            line = lines.readline()
        state, detail = json.loads(line) if line else ("dead", "")
    except OSError as error:
        state, detail = "dead", type(error).__name__
    if state == "ready":
        return _Source(process, ours)
    ours.close()
    process.kill()
    process.wait()
    if state == "missing":
        raise ModomodoError(f"the verifier math needs math-verify ({detail}); install modomodo[verify]")
    raise ModomodoError(
        f"the process of math-verify did not start ({state} {detail}); see what `import math_verify` says"
    )


MATH_WORKERS = MathWorkers()
atexit.register(MATH_WORKERS.stop)
os.register_at_fork(after_in_child=MATH_WORKERS.forget)
