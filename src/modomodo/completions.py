"""Completions (JSONL): one graded line for each, in their order. What `modomodo grade` reads and writes.

In: `id, verifier, completion, target`, and where they matter `options, frame, image_size, resized_size, tolerance, raw,
mode`. Out: the same with `status, reward, answer, reason`; other keys pass through.
"""

import json
import sys
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast, get_args

from rich.console import Console
from rich.progress import Progress, TimeRemainingColumn

from modomodo.errors import ModomodoError, closest
from modomodo.rows import Frame, Mode, Target, Verdict, View
from modomodo.verify import VERIFIERS, grade

NEEDED = ("id", "verifier", "completion", "target")
OPTIONAL = ("options", "frame", "image_size", "resized_size", "tolerance", "raw", "mode")
RESULT = ("status", "reward", "answer", "reason")
THREADS = 4  # each waits for a process of `math`; all else is done at once
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
        near = closest(path.name, [file.name for file in path.parent.glob("*.jsonl")])
        raise ModomodoError(f"cannot read {path}: {error.strerror}; {near}") from None


def grade_lines(lines: Iterable[bytes], *, mode: Mode = "standard") -> Generator[Graded]:
    """Yield each line of a JSONL file of completions graded, in order, a few ahead of the reader.

    `mode` serves lines that name none. A malformed line is yielded with its problem, and the next ones go on; blank
    ones are skipped.
    Raises ModomodoError for `math` without the package math-verify.
    """
    under_way: deque[Future[Graded]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            under_way.append(pool.submit(_grade_line, number, line, mode))
            if len(under_way) == WINDOW:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


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
        raise ModomodoError(f"{word} is not JSON")

    try:
        line = json.loads(text, parse_constant=refuse)
    except ModomodoError:
        raise
    except (ValueError, RecursionError) as error:
        raise ModomodoError(f"not a line of JSON ({error})") from None
    if not isinstance(line, dict):
        raise ModomodoError(f"a JSON {type(line).__name__}, where an object is asked")
    found = cast(dict[str, Any], line)
    for name in NEEDED:
        if name not in found:
            raise ModomodoError(f"the key {name!r} is missing")
    for name in found.keys() - {*NEEDED, *OPTIONAL, *RESULT}:
        near = get_close_matches(name, OPTIONAL, n=1, cutoff=0.75)
        if near and name != "model":  # of which many files tell
            raise ModomodoError(f"the key {name!r} is unknown; did you mean {near[0]}?")
    return found


def _target(line: dict[str, Any]) -> Target:
    verifier = _typed(line, "verifier", str)
    if verifier not in VERIFIERS:
        raise ModomodoError(f"unknown verifier {verifier!r}; {closest(verifier, VERIFIERS)}")
    value = line["target"]
    if value is None or isinstance(value, dict):
        raise ModomodoError(f"target is {value!r}: a text, a number, a box, or a list of boxes or of texts is needed")
    options = _typed(line, "options", list, default=[])
    if not all(isinstance(option, str) for option in options):
        raise ModomodoError(f"options are {options!r}: a list of texts is needed")
    tolerance = _typed(line, "tolerance", float, default=None)
    return Target(verifier, _frozen(value), tuple(options), _size(line, "image_size"), tolerance)


def _view(line: dict[str, Any], mode: Mode) -> View:
    return View(_one_of(line, "frame", Frame, "pixels"), _size(line, "resized_size"), _one_of(line, "mode", Mode, mode))


def _frozen(value: Any) -> Any:
    """Return JSON lists as tuples; whether they suit the verifier is for the verifier to say."""
    return tuple(_frozen(one) for one in cast(list[Any], value)) if isinstance(value, list) else value


def _typed(line: dict[str, Any], name: str, kind: type, **default: Any) -> Any:
    """Return a value of the line; an absent or null one is the default, where there is one."""
    value = line.get(name)
    if value is None and "default" in default:
        return default["default"]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
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
    if len(sides) != 2 or not all(isinstance(one, int | float) and one > 0 and one % 1 == 0 for one in sides):
        raise ModomodoError(f"{name} is {value!r}: [width, height] in pixels is needed")
    return int(value[0]), int(value[1])
