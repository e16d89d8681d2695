"""The processes in which math-verify runs, started by worker.py: a script without modomodo, so that it starts fast.

The first process imports math-verify and then only forks: each byte on its socket brings one end of a socket pair, and
asks for a child that serves it. So a fresh worker takes milliseconds. A worker answers one JSON request [gold, answer,
seconds] after another with ["same" | "different" | "unread" | "deep" | "failed", detail].

The kernel ends a worker that passes its deadline (SIGALRM with its default action): that also works while C code holds
the interpreter, and when the process that asked is long dead.
"""

import json
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any, cast

MEMORY_BYTES = 2 << 30  # of one worker; more is a MemoryError, and so a verdict


def main(descriptor: int) -> None:
    """Say whether math-verify is there, then fork a worker for every byte, until the other end closes."""
    control = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    try:
        _judge("$\\frac{1}{2}$", "$0.5$")
    except ImportError as error:
        control.sendall(json.dumps(["missing", str(error)]).encode() + b"\n")
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the children
    control.sendall(json.dumps(["ready", ""]).encode() + b"\n")
    while True:
        byte, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not byte:
            return
        if os.fork() == 0:
            control.close()
            _serve(socket.socket(fileno=descriptors[0]))
            os._exit(0)
        os.close(descriptors[0])


def _serve(asked: socket.socket) -> None:
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    requests = asked.makefile("rb")
    for line in requests:
        gold, answer, seconds = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        reply = _guarded(gold, answer)
        signal.setitimer(signal.ITIMER_REAL, 0)
        asked.sendall(json.dumps(reply).encode() + b"\n")


def _guarded(gold: str, answer: str) -> tuple[str, str]:
    """Return the judgement, exceptions included: the process boundary, where their tracebacks travel as text."""
    try:
        return _judge(gold, answer), ""
    except (RecursionError, MemoryError) as error:
        return "deep", type(error).__name__
    except Exception:  # noqa: BLE001
        failure = traceback.format_exc(limit=-3)
    # (0, 0/0) fails against any gold: what fails against itself or against 1 is the answer's fault, not math-verify's.
    try:
        sound = _judge(answer, answer) == "same" and bool(_judge("$1$", answer))
    except Exception:  # noqa: BLE001
        sound = False
    return ("failed" if sound else "unread"), failure


def _judge(gold: str, answer: str) -> str:
    """Return same, different, or unread when one of the two is no mathematics."""
    meant, said = _parse(gold), _parse(answer)
    if not meant or not said:
        return "unread"
    return "same" if _verify(meant, said) else "different"


def _parse(text: str) -> list[object]:
    """Return the SymPy objects that math-verify reads in the text: one or none.

    LaTeX only: the other reader of math-verify takes any number out of prose, and the last one of a list.
    """
    import math_verify  # pyright: ignore[reportMissingTypeStubs]

    parse = cast(Callable[..., list[object]], math_verify.parse)
    # No timeouts of its own, here or below: they use SIGALRM, and this whole process is killed instead.
    found = parse(text, [math_verify.LatexExtractionConfig(boxed_match_priority=0)], parsing_timeout=None)
    # It adds the normalised text, which would make anything unreadable equal to itself.
    return [one for one in found if not isinstance(one, str)]


def _verify(gold: list[object], answer: list[object]) -> bool:
    import math_verify  # pyright: ignore[reportMissingTypeStubs]

    verify = cast(Callable[..., Any], math_verify.verify)
    return bool(verify(gold, answer, timeout_seconds=None, raise_on_error=True))


if __name__ == "__main__":
    main(int(sys.argv[1]))
