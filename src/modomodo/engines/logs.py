"""The files of a run that have a line a step: appended to, and cut back to the checkpoint that a run goes on from."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modomodo.files import write_text

CHECKPOINTS = "checkpoints"
"""Folder of a run's checkpoints, gone when the run is finished."""


def append_lines(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Write each table as a line of JSON at the end of the file."""
    with path.open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the tables of a file's lines; none of a file that is not there, nor of a line that a kill cut."""
    if not path.exists():
        return []
    # Not by splitlines: a JSON string may hold other line breaks, such as U+2028, as they are.
    *whole, _ = path.read_text().split("\n")
    return [json.loads(line) for line in whole]


def keep_until(path: Path, step: int) -> list[dict[str, Any]]:
    """Drop the lines of later steps from a file, and return the others, read."""
    kept = [line for line in read_lines(path) if line["step"] <= step]
    if path.exists():
        write_text(path, "".join(json.dumps(line) + "\n" for line in kept))
    return kept
