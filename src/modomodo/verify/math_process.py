"""The process in which math-verify runs, started by worker.py: a script without modomodo, so that it starts fast.

It answers one JSON request [gold, answer] after another on the pipe whose file descriptor is its only argument, after a
first "ready" or "missing". Its replies are ["same" | "different" | "unread" | "deep" | "failed", detail].
"""

import json
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, cast

_LAST_RESORT_SECONDS = 60


def main(descriptor: int) -> None:
    pipe: Connection[Any, Any] = Connection(descriptor)
    try:
        _judge("$\\frac{1}{2}$", "$0.5$")
    except ImportError as error:
        pipe.send_bytes(json.dumps(["missing", str(error)]).encode())
        return
    pipe.send_bytes(json.dumps(["ready", ""]).encode())
    while True:
        try:
            gold, answer = json.loads(pipe.recv_bytes())
        except EOFError:
            return
        # If the parent dies, nobody kills a hopeless computation: the unhandled signal then ends this process.
        signal.alarm(_LAST_RESORT_SECONDS)
        reply = _guarded(gold, answer)
        signal.alarm(0)
        pipe.send_bytes(json.dumps(reply).encode())


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

    verify = cast(Callable[..., bool], math_verify.verify)
    return verify(gold, answer, timeout_seconds=None, raise_on_error=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
