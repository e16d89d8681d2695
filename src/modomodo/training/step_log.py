"""The files of a run that have a line a step: written, read, and cut back to the checkpoint that a run goes on from."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from modomodo.core.errors import ModomodoError
from modomodo.core.files import explained, write_text

STEPS = "steps.jsonl"
"""Folder of a run's checkpoints, gone when the run is finished."""

TAIL = 1 << 16  # bytes that hold the last steps of a log


@dataclass(frozen=True)
class DomainStep:
    """What one step did with one domain.

    `reward` is the weighted sum the trainer sees, averaged; `zero_advantage` is the share of groups whose completions
    all earned the same and so teach nothing; `tokens` counts the completions' tokens. `advantage` is the mean absolute
    advantage of the completions, None in logs older than the number.
    """

    prompts: int
    completions: int
    tokens: int
    reward: float
    accuracy: float
    format: float
    unparsed: float
    ungradable: int
    zero_advantage: float
    advantage: float | None = None


Shares = Mapping[str, float]
Requested = Shares | Callable[[int], Shares]
"""The shares asked for, at every step or by its number."""


@dataclass(frozen=True)
class Step:
    """A line of steps.jsonl: the number of the step from 1, its seconds, the shares asked for, and what was done."""

    step: int
    seconds: float
    requested: Mapping[str, float]
    domains: Mapping[str, DomainStep]


def requested_at(requested: Requested, step: int) -> dict[str, float]:
    """Return the positive ones of the shares asked for at a step, counted from 1."""
    shares = requested(step) if callable(requested) else requested
    return {name: share for name, share in shares.items() if share > 0}


def read_steps(folder: Path) -> list[Step]:
    """Return the steps of a run; none where it has no steps.jsonl.

    Raises ModomodoError as `read_lines`, and for a line that is no step.
    """
    return _steps(folder / STEPS, read_lines(folder / STEPS))


def last_steps(folder: Path, count: int) -> list[Step]:
    """Return the last `count` steps of a run, fewer where it has not as many; reads no more than the end of the file.

    Raises ModomodoError as `read_steps`.
    """
    path = folder / STEPS
    if not path.exists():
        return []
    with explained(path, to="read"), path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - TAIL))
        lines = _whole(file.read())
    cut = size > TAIL  # the first line, by where reading began
    return _steps(path, _parsed(path, lines[cut:][-count:]))


def shares(steps: Sequence[Step]) -> dict[str, dict[str, float]]:
    """Return what the steps of a run say of the mixture.

    `requested`: mean of the shares asked for; `realised`: share of the prompts; `effective`: share of the prompts whose
    completions did not all earn the same, the only ones that teach; `tokens`: share of the completions' tokens.
    """
    requested: dict[str, float] = {}
    prompts: dict[str, float] = {}
    taught: dict[str, float] = {}
    tokens: dict[str, float] = {}
    for name, share in (item for step in steps for item in step.requested.items()):
        requested[name] = requested.get(name, 0) + share
    for name, done in (item for step in steps for item in step.domains.items()):
        prompts[name] = prompts.get(name, 0) + done.prompts
        taught[name] = taught.get(name, 0) + done.prompts * (1 - done.zero_advantage)
        tokens[name] = tokens.get(name, 0) + done.tokens
    totals = {"requested": requested, "realised": prompts, "effective": taught, "tokens": tokens}
    return {name: _normalised(counts) for name, counts in totals.items()}


def append_step(folder: Path, step: Step) -> None:
    """Write a step at the end of a run's log."""
    append_lines(folder / STEPS, [asdict(step)])


def append_lines(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Write each table as a line of JSON at the end of the file."""
    with path.open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the tables of a file's lines; none of a file that is not there, nor of a last line that a kill cut.

    Raises ModomodoError for a line before it that is no JSON.
    """
    return _parsed(path, _whole(path.read_bytes())) if path.exists() else []


def keep_steps(folder: Path, until: int) -> list[Step]:
    """Drop the steps after this one from a run's log, and return the others."""
    return _steps(folder / STEPS, keep_until(folder / STEPS, until))


def logged_steps(folder: Path) -> int:
    """Return up to which step a run's steps.jsonl has every one."""
    steps = [line["step"] for line in read_lines(folder / STEPS)]
    return next((index for index, step in enumerate(steps) if step != index + 1), len(steps))


def count_steps(folder: Path) -> int:
    """Return how many steps a run has logged, without reading what is in them.

    Raises OSError where there is no log.
    """
    return len(_whole((folder / STEPS).read_bytes()))


def keep_until(path: Path, step: int) -> list[dict[str, Any]]:
    """Drop the lines of later steps from a file, and return the others, read."""
    kept = [line for line in read_lines(path) if line["step"] <= step]
    if path.exists():
        write_text(path, "".join(json.dumps(line) + "\n" for line in kept))
    return kept


def _whole(content: bytes) -> list[bytes]:
    """Return the lines that end, without the last where a kill or a writer at work left it open."""
    # Bytes, because a kill may cut a character; not by splitlines, because a JSON string may hold U+2028 as it is.
    return content.split(b"\n")[:-1]


def _parsed(path: Path, lines: Iterable[bytes]) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in lines]
    except ValueError as error:
        raise _damaged(path, error) from error


def _steps(path: Path, lines: Iterable[Mapping[str, Any]]) -> list[Step]:
    try:
        return [_step(line) for line in lines]
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, f"a line is no step: {error!r}") from error


def _step(line: Mapping[str, Any]) -> Step:
    tables = {name: {"advantage": None, **table} for name, table in line["domains"].items()}
    domains = {
        name: DomainStep(**{field: table[field] for field in DomainStep.__dataclass_fields__})
        for name, table in tables.items()
    }
    return Step(line["step"], line["seconds"], line["requested"], domains)


def _damaged(path: Path, why: object) -> ModomodoError:
    return ModomodoError(f"{path} is damaged ({why}): delete the run's folder and run the study again")


def _normalised(counts: Mapping[str, float]) -> dict[str, float]:
    total = sum(counts.values())
    return {name: count / total for name, count in counts.items()} if total else {}
