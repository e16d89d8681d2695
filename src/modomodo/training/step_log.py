"""The files of a run that have a line a step: appended to, and cut back to the checkpoint that a run goes on from."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modomodo.core.errors import ModomodoError
from modomodo.core.files import write_text

CHECKPOINTS = "checkpoints"
"""Folder of a run's checkpoints, gone when the run is finished."""


def append_lines(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Write each table as a line of JSON at the end of the file."""
    with path.open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the tables of a file's lines; none of a file that is not there, nor of a last line that a kill cut.

    Raises ModomodoError for a line before it that is no JSON.
    """
    if not path.exists():
        return []
    # Bytes, because a kill may cut a character; not by splitlines, because a JSON string may hold U+2028 as it is.
    *whole, _ = path.read_bytes().split(b"\n")
    try:
        return [json.loads(line) for line in whole]
    except ValueError as error:
        raise ModomodoError(f"{path} is damaged ({error}): delete the run's folder and run the study again") from error


def logged_steps(folder: Path) -> int:
    """Return up to which step a run's steps.jsonl has every one."""
    steps = [line["step"] for line in read_lines(folder / "steps.jsonl")]
    return next((index for index, step in enumerate(steps) if step != index + 1), len(steps))


def drop_checkpoints(folder: Path, *, keep: Path | None) -> None:
    """Delete the checkpoints that a run does not go on from: trainers would keep some of them for those to come."""
    for path in folder.glob("*"):
        if path.is_dir() and path != keep:
            shutil.rmtree(path)


def keep_until(path: Path, step: int) -> list[dict[str, Any]]:
    """Drop the lines of later steps from a file, and return the others, read."""
    kept = [line for line in read_lines(path) if line["step"] <= step]
    if path.exists():
        write_text(path, "".join(json.dumps(line) + "\n" for line in kept))
    return kept
