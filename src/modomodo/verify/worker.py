"""One warm math-verify process: started when first asked, killed at a deadline, started again when next asked."""

import atexit
import json
import os
import subprocess
import sys
import threading
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from modomodo.errors import ModomodoError

Outcome = Literal["same", "different", "unread", "deep", "late", "dead", "failed"]

_SCRIPT = Path(__file__).with_name("math_process.py")
_START_SECONDS = 120.0


class MathWorker:
    """The handle on the process; `ask` may be called from any thread, one request at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection[Any, Any] | None = None

    def ask(self, gold: str, answer: str, seconds: float) -> tuple[Outcome, str]:
        """Return what math-verify says of two LaTeX texts, and a detail; `late` or `dead` when it had to be given up.

        Raises ModomodoError when math-verify is not installed.
        """
        with self._lock:
            pipe = self._living() or self._start()
            try:
                pipe.send_bytes(json.dumps([gold, answer]).encode())
                if pipe.poll(seconds):
                    outcome, detail = json.loads(pipe.recv_bytes())
                    return outcome, detail
            except (EOFError, OSError) as error:
                self._stop()
                return "dead", f"the process of math-verify died ({type(error).__name__})"
            except BaseException:
                # Interrupted between question and answer: a later question must not read this one's answer.
                self._stop()
                raise
            self._stop()
            return "late", f"math-verify took over {seconds:g} s"

    def stop(self) -> None:
        """Kill the process, if there is one; the next `ask` starts another."""
        with self._lock:
            self._stop()

    def _living(self) -> "Connection[Any, Any] | None":
        # One that something else ended since the last question must not count against this one.
        if self._process is not None and self._process.poll() is not None:
            self._stop()
        return self._pipe

    def _start(self) -> "Connection[Any, Any]":
        self._stop()
        ours, theirs = Pipe()
        # -P: the folder of the script must not lead sys.path, where its neighbours would shadow other modules.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_SCRIPT), str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        theirs.close()
        try:
            state, detail = json.loads(ours.recv_bytes()) if ours.poll(_START_SECONDS) else ("late", "")
        except (EOFError, OSError) as error:
            state, detail = "dead", type(error).__name__
        if state == "ready":
            self._pipe = ours
            return ours
        self._stop()
        if state == "missing":
            raise ModomodoError(f"the verifier math needs math-verify ({detail}); install modomodo[verify]")
        raise ModomodoError(
            f"the process of math-verify did not start ({state} {detail}); see what `import math_verify` says"
        )

    def _stop(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._pipe = self._process = None

    def forget(self) -> None:
        """Let go of a process that belongs to the parent of this fork, without killing it."""
        self._lock = threading.Lock()
        self._pipe = self._process = None


MATH_WORKER = MathWorker()
atexit.register(MATH_WORKER.stop)
os.register_at_fork(after_in_child=MATH_WORKER.forget)
