"""Completions (JSONL): one graded line for each, in their order. What `modomodo grade` reads and writes.

In: `id, verifier, completion, target`, and where they matter `options, frame, image_size, resized_size, tolerance, raw,
mode`. Out: the same with `status, reward, answer, reason`; other keys pass through.
"""

import json
import math
import sys
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast, get_args

from rich.console import Console
from rich.progress import Progress, TimeRemainingColumn

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.rows import Frame, Mode, Target, Verdict, View
from modomodo.verifiers import VERIFIERS, grade

NEEDED = ("id", "verifier", "completion", "target")
EXAMPLE = '{"id": 1, "verifier": "number", "completion": "<think>3 + 4</think> <answer>7</answer>", "target": 7}'
OPTIONAL = ("options", "frame", "image_size", "resized_size", "tolerance", "raw", "mode")
EASILY_MISSPELT = ("options", "frame", "image_size", "resized_size", "tolerance")
RESULT = ("status", "reward", "answer", "reason")
THREADS = 4  # each waits for a process of `math`; all else is done at once
DEEPEST = 2  # a list of boxes
LONGEST_SIDE = 1_000_000  # pixels
WINDOW = 64  # lines under way


@dataclass(frozen=True)
class Graded:
    """A line of the file: its number from 1, and the same line with its verdict, or what is wrong with it."""

    number: int
    line: dict[str, Any] | None
    verdict: Verdict | None
    problem: str = ""


@contextmanager
def open_lines(path: Path, *, console: Console) -> Generator[Iterable[bytes]]:
    """Yield the lines of a file, or of standard input for "-", with a progress bar on `console` where somebody watches.

    Raises ModomodoError when there is no such file.
    """
    if str(path) == "-":
        if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison]
            raise ModomodoError("standard input is closed: name a file")
        yield sys.stdin.buffer
        return
    columns = (*Progress.get_default_columns()[:-1], TimeRemainingColumn())
    try:
        with (
            Progress(*columns, console=console, disable=not console.is_terminal) as bar,
            bar.open(path, "rb", description="grading") as file,
        ):
            yield file
    except OSError as error:
        if error.filename is None or Path(error.filename) != path:
            raise
        files = [file.name for file in path.parent.glob("*.jsonl")]
        near = f"; {closest(path.name, files)}" if files else ": give the path of a JSONL file"
        raise ModomodoError(f"cannot read {path}: {error.strerror}{near}") from None


def grade_lines(lines: Iterable[bytes], *, mode: Mode = "paper") -> Generator[Graded]:
    """Yield each line of a JSONL file of completions graded, in order, a few ahead of the reader.

    `mode` serves lines that name none. A malformed line is yielded with its problem, and the next ones go on; blank
    ones are skipped.
    Raises ModomodoError for `math` without the package math-verify.
    """
    under_way: deque[Future[Graded]] = deque()
    said: dict[str, int] = {}
    pool = ThreadPoolExecutor(THREADS)
    try:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            under_way.append(pool.submit(_grade_line, number, line, mode))
            if len(under_way) == WINDOW:
                yield _once(under_way.popleft().result(), said)
        while under_way:
            yield _once(under_way.popleft().result(), said)
    finally:
        pool.shutdown(cancel_futures=True)  # at Ctrl-C, or when the reader has gone


def _once(graded: Graded, said: dict[str, int]) -> Graded:
    """Return a line whose problem is told in full where it is the first of its kind."""
    first = said.setdefault(graded.problem, graded.number)
    return (
        graded if not graded.problem or first == graded.number else replace(graded, problem=f"the same as line {first}")
    )


def _grade_line(number: int, text: bytes, mode: Mode) -> Graded:
    try:
        line = _read(text)
        target, view = _target(line), _view(line, mode)
        completion, raw = _typed(line, "completion", str), _typed(line, "raw", bool, default=False)
    except ModomodoError as error:
        return Graded(number, None, None, str(error))
    verdict = grade(completion, target, view, raw=raw)
    return Graded(number, {**line, **{name: getattr(verdict, name) for name in RESULT}}, verdict)


def _read(text: bytes) -> dict[str, Any]:
    """Return the object of a line, with the keys it needs and no near miss of one."""

    def refuse(word: str) -> None:
        raise ModomodoError(f"{word} is no finite number")

    def finite(word: str) -> float:
        if not math.isfinite(float(word)):
            refuse(word)
        return float(word)

    try:
        line = json.loads(text.rstrip(b"\r\n"), parse_constant=refuse, parse_float=finite)
    except ModomodoError:
        raise
    except (ValueError, RecursionError) as error:
        start = text[:40].decode(errors="replace").strip()
        raise ModomodoError(f"not a line of JSON ({error}), found {start!r}: write one object a line") from None
    if not isinstance(line, dict):
        raise ModomodoError(f"a JSON {type(line).__name__}, where an object is asked")
    found = cast(dict[str, Any], line)
    needed = NEEDED[:-1] if found.get("verifier") == "format" else NEEDED
    missing = [name for name in needed if name not in found]
    if missing:
        what = f"no {', '.join(map(repr, missing))} among its keys ({', '.join(map(repr, found)):.100})"
        raise ModomodoError(f"{what}; a line is like {EXAMPLE} (docs/formats.md)")
    for name in found.keys() - {*NEEDED, *OPTIONAL, *RESULT}:
        near = get_close_matches(name, EASILY_MISSPELT, n=1, cutoff=0.8)
        if near:
            raise ModomodoError(f"the key {name!r} is unknown; did you mean {near[0]}?")
    return found


def _target(line: dict[str, Any]) -> Target:
    verifier = _typed(line, "verifier", str)
    if verifier not in VERIFIERS:
        raise ModomodoError(f"unknown verifier {verifier!r}; {closest(verifier, VERIFIERS)}")
    value = line.get("target", "")
    if verifier != "format" and (value is None or isinstance(value, dict)):
        raise ModomodoError(f"target is {value!r}: a text, a number, a box, or a list of boxes or of texts is needed")
    options = _typed(line, "options", list, default=[])
    if not all(isinstance(option, str) for option in options):
        raise ModomodoError(f"options are {options!r}: a list of texts is needed")
    tolerance = _typed(line, "tolerance", float, default=None)
    _refuse_nests(value, depth=0)
    return Target(verifier, value, tuple(options), _size(line, "image_size"), tolerance)


def _view(line: dict[str, Any], mode: Mode) -> View:
    return View(_one_of(line, "frame", Frame, "pixels"), _size(line, "resized_size"), _one_of(line, "mode", Mode, mode))


def _refuse_nests(value: Any, *, depth: int) -> None:
    """Refuse lists too deep for any verifier; whether the others suit it is for the verifier to say."""
    if depth > DEEPEST:
        raise ModomodoError(f"target is a list nested over {DEEPEST} deep")
    for one in cast(list[Any], value) if isinstance(value, list) else ():
        _refuse_nests(one, depth=depth + 1)


def _typed(line: dict[str, Any], name: str, kind: type, **default: Any) -> Any:
    """Return a value of the line; an absent or null one is the default, where there is one."""
    value = line.get(name)
    if value is None and "default" in default:
        return default["default"]
    if kind is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LONGEST_SIDE:
        return float(value)
    if not isinstance(value, kind):
        raise ModomodoError(f"{name} is {value!r}: a {WORDS[kind]} is needed")
    return value


WORDS = {str: "text", bool: "true or false", list: "list", float: "number"}


def _one_of(line: dict[str, Any], name: str, kind: Any, default: Any) -> Any:
    value = _typed(line, name, str, default=default)
    if value not in get_args(kind):
        raise ModomodoError(f"unknown {name} {value!r}; {closest(value, get_args(kind))}")
    return value


def _size(line: dict[str, Any], name: str) -> tuple[int, int] | None:
    value = _typed(line, name, list, default=None)
    if value is None:
        return None
    sides = cast(list[object], value)
    if len(sides) != 2 or not all(
        isinstance(one, int | float) and 0 < one <= LONGEST_SIDE and one % 1 == 0 for one in sides
    ):
        raise ModomodoError(f"{name} is {value!r}: [width, height] in pixels is needed")
    return int(value[0]), int(value[1])
