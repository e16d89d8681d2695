"""The checkpoints of a run: which is the last that a killed run can go on from, of either engine."""

import json
import math
import shutil
from pathlib import Path
from zipfile import is_zipfile

CHECKPOINTS = "checkpoints"


def last_checkpoint(folder: Path, *, until: float = math.inf) -> Path | None:
    """Return the newest whole checkpoint in `folder` that is not after step `until`, or None.

    The trainer writes trainer_state.json last. A checkpoint that is ahead of the run's log cannot be gone on from:
    the steps between would be missing from it for good.
    """
    whole = {step_of(path): path for path in folder.glob("checkpoint-*") if _is_whole(path / "trainer_state.json")}
    return whole.get(max((step for step in whole if step <= until), default=-1))


def step_of(checkpoint: Path) -> int:
    """Return after which step the trainer saved a checkpoint."""
    return int(checkpoint.name.split("-")[1])


def last_step_of_verl(folder: Path, *, until: int) -> int:
    """Return the step of the last whole checkpoint that is not after step `until`; 0 where there is none.

    verl dumps the completions of a step after its checkpoint: one whose step was not dumped cannot be gone on from.
    """
    whole = [path.name.removeprefix("global_step_") for path in folder.glob("global_step_*") if _whole_of_verl(path)]
    return max((int(step) for step in whole if step.isdecimal() and int(step) <= until), default=0)


def drop_checkpoints(folder: Path, *, keep: Path | None) -> None:
    """Delete the checkpoints that a run does not go on from: trainers would keep some of them for those to come."""
    for path in folder.glob("*"):
        if path.is_dir() and path != keep:
            shutil.rmtree(path)


def _is_whole(state: Path) -> bool:
    try:
        return "global_step" in json.loads(state.read_text())
    except (OSError, ValueError):
        return False


def _whole_of_verl(checkpoint: Path) -> bool:
    # data.pt is a zip file written last, and its directory is at its end.
    return (checkpoint / "actor").is_dir() and is_zipfile(checkpoint / "data.pt")
