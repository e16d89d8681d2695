"""Verifiers: `grade` a completion, and prove that a gold can be graded."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.rows import Target, Verdict, View
from modomodo.verifiers.box import gold_coordinates, grade_box, grade_boxes, grade_point
from modomodo.verifiers.choice import grade_choice
from modomodo.verifiers.math_workers import MAX_WORKERS
from modomodo.verifiers.number import grade_count, grade_number, number_text
from modomodo.verifiers.symbolic import DEADLINE_SECONDS, grade_math
from modomodo.verifiers.tags import MAX_REPLY_CHARS, Reply, parse_bare, parse_reply
from modomodo.verifiers.text import grade_anls, grade_relaxed, grade_text

__all__ = [
    "DEADLINE_SECONDS",
    "VERIFIERS",
    "Reply",
    "Verifier",
    "gold_reply",
    "grade",
    "grade_async",
    "parse_gold",
    "parse_reply",
]

Verifier = Callable[[str, Target, View], Verdict]
"""Judges the inner answer of a reply that already parsed."""


def grade_format(answer: str, target: Target, view: View) -> Verdict:
    """Return right: the reply parsed, and nothing more is asked."""
    return Verdict.right(answer)


VERIFIERS: dict[str, Verifier] = {
    "format": grade_format,
    "choice": grade_choice,
    "number": grade_number,
    "count": grade_count,
    "math": grade_math,
    "text": grade_text,
    "box": grade_box,
    "boxes": grade_boxes,
    "point": grade_point,
    "relaxed": grade_relaxed,
    "anls": grade_anls,
}

_DEFAULT_VIEW = View()
# Over every cap, so that each verifier judges its gold and stops there.
_NO_ANSWER = "\0" * MAX_REPLY_CHARS


def grade(completion: str, target: Target, view: View = _DEFAULT_VIEW, *, raw: bool = False) -> Verdict:
    """Return the verdict on a tagged reply (`raw`: on a bare answer) by the verifier that the target names.

    Raises ModomodoError for an unknown verifier, and for `math` without the package math-verify.
    """
    verifier = _find_verifier(target)
    reply = parse_bare(completion) if raw else parse_reply(completion)
    if isinstance(reply, str):
        return Verdict.unparsed(reply)
    return verifier(reply.answer, target, view)


async def grade_async(completion: str, target: Target, view: View = _DEFAULT_VIEW, *, raw: bool = False) -> Verdict:
    """Return what `grade` returns, without holding up the event loop while a `math` answer is worked out."""
    if target.verifier != "math":
        return grade(completion, target, view, raw=raw)
    # Not the loop's own threads: they are few, and a verdict would wait for other work.
    wait = partial(grade, completion, target, view, raw=raw)
    return await asyncio.get_running_loop().run_in_executor(_threads(), wait)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MAX_WORKERS, thread_name_prefix="modomodo-math")


os.register_at_fork(after_in_child=_threads.cache_clear)  # threads do not survive a fork


def parse_gold(target: Target) -> str | None:
    """Return None when the gold is well-formed for its verifier and earns 1, otherwise the reason."""
    verdict = _find_verifier(target)(_NO_ANSWER, target, _DEFAULT_VIEW)
    if verdict.status == "ungradable":
        return verdict.reason
    reply = gold_reply(target)
    for view in (View(mode="paper"), View(mode="standard")):
        verdict = grade(reply, target, view)
        if verdict.reward != 1.0:
            return f"the gold answer itself is {verdict.status} in mode {view.mode}: {verdict.reason}"
    return None


def gold_reply(target: Target, view: View = _DEFAULT_VIEW) -> str:
    """Return the tagged reply that gives the gold answer, boxes in the frame of the view; it earns 1.

    Raises ModomodoError when the gold has no such reply (`parse_gold` says why), or without a size the frame needs.
    """
    _find_verifier(target)
    return f"<think>gold</think><answer>{_gold_answer(target, view)}</answer>"


def _gold_answer(target: Target, view: View) -> str:
    if target.verifier == "format":
        return "anything"
    if target.verifier in ("box", "boxes", "point"):
        return gold_coordinates(target, view)
    value = target.value[0] if isinstance(target.value, tuple) and target.value else target.value
    if isinstance(value, tuple):
        raise ModomodoError(f"the gold of {target.verifier} is {target.value!r}, not a text or a number")
    return number_text(value)


def _find_verifier(target: Target) -> Verifier:
    verifier = VERIFIERS.get(target.verifier)
    if verifier is None:
        raise ModomodoError(f"unknown verifier {target.verifier!r}; {closest(target.verifier, VERIFIERS)}")
    return verifier
