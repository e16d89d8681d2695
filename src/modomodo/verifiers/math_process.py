"""The processes of math-verify, started by math_workers.py: a script without modomodo, so that it starts fast.

The first process imports math-verify and then only forks: each byte on its socket brings one end of a socket pair, and
asks for a child that serves it. So a fresh worker takes milliseconds. A worker answers one JSON request [gold, answer,
seconds, backstop, within] after another with ["same" | "different" | "unread" | "deep" | "failed", detail].

The kernel ends a worker that has used its seconds of CPU time (SIGPROF with its default action), or that is not done
when the backstop of wall time is over (SIGALRM): that also works while C code holds the interpreter, and when the
process that asked is long dead. The first process says on the worker's socket how it ended: ["late" | "stalled" |
"lost" | "dead", detail].
"""

import json
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any, cast

MEMORY_BYTES = 2 << 30  # of one worker; more is a MemoryError, and so a verdict
RELATIVE = 1e-5  # of the gold: 0.33333 is 1/3 where math-verify says so
LARGE = 0.1  # numbers from here on are as near as that where six decimals agree


ENDS: dict[int, str] = {
    signal.SIGPROF: "late",
    signal.SIGALRM: "stalled",
    # By somebody else, such as the kernel when memory is short: no fault of the question.
    signal.SIGKILL: "lost",
    signal.SIGTERM: "lost",
}


def main(descriptor: int) -> None:
    """Say whether math-verify is there, then fork a worker for every byte, until the other end closes."""
    control = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
    try:
        _judge("$\\frac{1}{2}$", "$0.5$", None)
    except ImportError as error:
        control.sendall(json.dumps(["missing", str(error)]).encode() + b"\n")
        return
    workers: dict[int, socket.socket] = {}
    signal.signal(signal.SIGCHLD, lambda number, frame: _bury(workers))
    control.sendall(json.dumps(["ready", ""]).encode() + b"\n")
    while True:
        byte, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not byte:
            return
        end = socket.socket(fileno=descriptors[0])
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        pid = os.fork()
        if pid == 0:
            control.close()
            for other in workers.values():
                other.close()
            _serve(end)
            os._exit(0)
        workers[pid] = end
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


def _bury(workers: dict[int, socket.socket]) -> None:
    """Tell whoever asked how each ended worker ended, unless it went because nobody asks any more."""
    while workers:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with workers.pop(pid) as end, suppress(OSError):
            if os.WIFSIGNALED(status):
                number = os.WTERMSIG(status)
                told = [ENDS.get(number, "dead"), f"ended by signal {number}"]
                end.send(json.dumps(told).encode() + b"\n", socket.MSG_DONTWAIT)


def _serve(asked: socket.socket) -> None:
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    requests = asked.makefile("rb")
    for line in requests:
        gold, answer, seconds, backstop, within = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, backstop)
        reply = _guarded(gold, answer, within)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        asked.sendall(json.dumps(reply).encode() + b"\n")


def _guarded(gold: str, answer: str, within: float | None) -> tuple[str, str]:
    """Return the judgement and what it raised, if it did."""
    judgement, failure = _tried(gold, answer, within)
    if judgement != "failed":
        return judgement, failure
    # (0, 0/0) fails against any gold: what fails against itself or against 1 is the answer's fault, not math-verify's.
    sound = _tried(answer, answer, None) == ("same", "") and not _tried("$1$", answer, None)[1]
    return ("failed" if sound else "unread"), failure


def _tried(gold: str, answer: str, within: float | None) -> tuple[str, str]:
    """Return the judgement, exceptions included: the process boundary, where their tracebacks travel as text."""
    try:
        return _judge(gold, answer, within), ""
    except (RecursionError, MemoryError) as error:
        return "deep", type(error).__name__
    except Exception:  # noqa: BLE001
        return "failed", traceback.format_exc(limit=-3)


def _judge(gold: str, answer: str, within: float | None) -> str:
    """Return same, different, or unread when one of the two is no mathematics.

    With `within` two numbers are the same that are no further apart.
    """
    meant, said = _parse(gold), _parse(answer)
    if not meant or not said:
        return "unread"
    if within is not None:
        numbers = all(getattr(one, "is_number", False) for one in (meant[0], said[0]))
        return "same" if numbers and abs(_value(meant[0]) - _value(said[0])) <= within else "different"
    return "same" if _verify(meant, said) and _alike(meant[0], said[0]) else "different"


def _parse(text: str) -> list[Any]:
    """Return the SymPy objects that math-verify reads in the text: one or none.

    LaTeX only: the other reader of math-verify takes any number out of prose, and the last one of a list. Units stay:
    it would drop the c of 2c, and all words at the end.
    """
    import math_verify  # pyright: ignore[reportMissingTypeStubs]

    parse = cast(Callable[..., list[object]], math_verify.parse)
    # No timeouts of its own, here or below: they use SIGALRM, and this whole process is killed instead.
    found = parse(text, _reading(), parsing_timeout=None)
    # It adds the normalised text, which would make anything unreadable equal to itself.
    return [one for one in found if not isinstance(one, str)]


@cache
def _reading() -> list[Any]:
    import math_verify  # pyright: ignore[reportMissingTypeStubs]
    from latex2sympy2_extended import NormalizationConfig  # pyright: ignore[reportMissingTypeStubs]

    normal = NormalizationConfig(basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="all")
    return [math_verify.LatexExtractionConfig(boxed_match_priority=0, normalization_config=normal)]


def _verify(gold: list[object], answer: list[object]) -> bool:
    import math_verify  # pyright: ignore[reportMissingTypeStubs]

    verify = cast(Callable[..., Any], math_verify.verify)
    return bool(verify(gold, answer, timeout_seconds=None, raise_on_error=True))


def _alike(gold: Any, answer: Any) -> bool:
    """Return whether what math-verify calls equal is so relatively too: it rounds to six decimals, and chops.

    Sets, tuples and matrices by their parts, in an order of size; relations and sums by the coefficients of the terms
    that they share; numbers by a share of the gold.
    """
    sympy = _sympy()
    relational = sympy.core.relational.Relational
    if isinstance(gold, relational) and isinstance(answer, relational) and gold.lhs != answer.lhs:
        return _related(gold, answer)
    gold, answer = (one.rhs if isinstance(one, relational) else one for one in (gold, answer))
    parts = [_parts(one) for one in (gold, answer)]
    if parts[0] and parts[1]:
        return len(parts[0]) != len(parts[1]) or all(map(_alike, *parts))
    if gold == answer or not (isinstance(gold, sympy.Expr) and isinstance(answer, sympy.Expr)):
        return True
    if not any(map(_may_be_rough, sympy.preorder_traversal(gold))):
        return True
    if gold.is_number and answer.is_number:
        size = abs(_value(gold))
        return size >= LARGE or abs(_value(gold) - _value(answer)) <= RELATIVE * size
    terms = [sympy.expand(one.doit()).as_coefficients_dict() for one in (gold, answer)]
    return all(_alike(terms[0][term], terms[1][term]) for term in terms[0].keys() & terms[1].keys())


def _related(gold: Any, answer: Any) -> bool:
    """Return whether two relations of other sides (x > 2, x - 2 > 0) have the same coefficients, up to a factor."""
    sympy = _sympy()
    if not all(isinstance(side, sympy.Expr) for one in (gold, answer) for side in (one.lhs, one.rhs)):
        return True
    terms = [sympy.expand((one.lhs - one.rhs).doit()).as_coefficients_dict() for one in (gold, answer)]
    shared = sorted(terms[0].keys() & terms[1].keys(), key=lambda term: (not term.free_symbols, str(term)))
    if len(shared) < max(map(len, terms)):
        return True
    factor = terms[0][shared[0]] / terms[1][shared[0]]
    return all(_alike(terms[0][term], terms[1][term] * factor) for term in shared)


def _parts(one: Any) -> list[Any]:
    """Return the parts of a set, tuple, interval or matrix; those without order by their size."""
    sympy = _sympy()
    if isinstance(one, sympy.MatrixBase):
        return list(one)
    if isinstance(one, sympy.Interval):
        one = sympy.Tuple(one.start, one.end)
    if not isinstance(one, sympy.FiniteSet | sympy.Tuple):
        return []
    values = [part.rhs if isinstance(part, sympy.Eq) else part for part in one.args]
    numbers = [part for part in values if getattr(part, "is_number", False)]
    return sorted(numbers, key=lambda part: float(sympy.re(part.doit()))) if len(numbers) == len(values) else []


def _sympy() -> Any:
    return import_module("sympy")


def _may_be_rough(one: Any) -> bool:
    """Return whether a part of a gold makes it one that math-verify may round away: a decimal, or what may be small."""
    if getattr(one, "is_Pow", False):
        return bool(one.exp.is_negative)
    return bool(getattr(one, "is_Float", False) or (getattr(one, "is_Rational", False) and abs(one) < LARGE))


def _value(number: Any) -> complex:
    return complex(_sympy().N(number.doit()))


if __name__ == "__main__":
    main(int(sys.argv[1]))
