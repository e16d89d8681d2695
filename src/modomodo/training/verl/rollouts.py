"""From the completions that verl dumps, a file a step, to the files that a run of TRL writes. Imports no verl."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modomodo.core.errors import ModomodoError
from modomodo.core.schedules import Schedule
from modomodo.training.rewards import RewardFunctions
from modomodo.training.step_log import (
    Requested,
    Step,
    append_lines,
    append_step,
    keep_steps,
    keep_until,
    logged_steps,
    read_lines,
    requested_at,
)
from modomodo.training.trackers import NoTracker, Tracker, step_values, trainer_values

TOLERANCE = 1e-3  # of rewards that went through float32


@dataclass(frozen=True)
class Completion:
    """One completion of a dump: the prompt's position in the schedule, and the reward that verl trained on."""

    position: int
    text: str
    score: float


@dataclass(frozen=True)
class Reader:
    """What reading a run's dumps needs: its folder, schedule, rewards, the counter of tokens, and tracker."""

    folder: Path
    plan: Schedule
    rewards: RewardFunctions
    generations: int
    lengths: Callable[[Sequence[str]], Sequence[int]]
    requested: Requested
    tracker: Tracker = field(default_factory=NoTracker)


def cut_back(folder: Path, step: int) -> list[Step]:
    """Drop what a run wrote after its last checkpoint, and return the steps of its log that stay."""
    for path in (folder / "verl" / "rollouts").glob("*.jsonl"):
        if path.stem.isdecimal() and int(path.stem) > step:
            path.unlink()
    kept = keep_steps(folder, min(step, logged_steps(folder)))
    # Steps that are dumped and not in it are taken in anew, and must not stand in the others already.
    for name in ("samples.jsonl", "trainer.jsonl"):
        keep_until(folder / name, len(kept))
    for path in (folder / "verl").glob("metrics-*.jsonl"):
        keep_until(path, step)
    return kept


def dumped(reader: Reader) -> int:
    """Return the number of the last step up to which every one is in steps.jsonl or dumped whole."""
    step = logged_steps(reader.folder)
    while step < reader.plan.steps and read_step(reader, step + 1) is not None:
        step += 1
    return step


def take_in(reader: Reader, *, last: bool) -> int:
    """Append the steps that are dumped and not yet in steps.jsonl; return the number of the last one there.

    A step is whole with its dump and verl's own numbers; at the `last` call those may be missing.
    """
    done = logged_steps(reader.folder)
    numbers = read_metrics(reader.folder / "verl")
    for step in range(done + 1, reader.plan.steps + 1):
        completions = read_step(reader, step)
        if completions is None or (step not in numbers and not last):
            return step - 1
        _append(reader, step, completions, numbers.get(step, {}))
    return reader.plan.steps


def read_step(reader: Reader, step: int) -> list[Completion] | None:
    """Return the completions of a step in the order of the schedule; None where its dump is not whole yet.

    Raises ModomodoError for a completion of another schedule.
    """
    lines = read_lines(reader.folder / "verl" / "rollouts" / f"{step}.jsonl")
    real = [line for line in lines if not line["uid"].startswith("pad")]  # verl fills up steps that GPUs cannot share
    if len(real) != reader.plan.prompts_per_step * reader.generations:
        return None
    completions: list[Completion] = []
    for line in real:
        key = json.loads(line["gts"])
        position = key["position"]
        planned = position < len(reader.plan.entries) and reader.plan.entries[position]
        if planned != (key["domain"], key["row_id"]) or position // reader.plan.prompts_per_step + 1 != step:
            raise ModomodoError(
                f"step {step} was dumped with {key['domain']}, row {key['row_id']} at {position}, which is not the "
                f"schedule's: delete {reader.folder} and run again"
            )
        completions.append(Completion(position, line["output"], line["score"]))
    if set(Counter(completion.position for completion in completions).values()) != {reader.generations}:
        return None
    return sorted(completions, key=lambda completion: completion.position)


def read_metrics(folder: Path) -> dict[int, dict[str, Any]]:
    """Return verl's own numbers by step, of its last attempt at each."""
    paths = sorted(folder.glob("metrics-*.jsonl"), key=lambda path: int(path.stem.split("-")[1]))
    return {line["step"]: line["data"] for path in paths for line in read_lines(path)}


def _append(reader: Reader, step: int, completions: Sequence[Completion], numbers: Mapping[str, Any]) -> None:
    rewards, texts = reader.rewards, [completion.text for completion in completions]
    names, ids = zip(*(reader.plan.entries[completion.position] for completion in completions), strict=True)
    rewards.accuracy(texts, domain=names, row_id=ids, completion_ids=[range(count) for count in reader.lengths(texts)])
    pairs = zip(rewards.graded, completions, strict=True)
    other = sum(abs((graded.reward or 0.0) - completion.score) > TOLERANCE for graded, completion in pairs)
    if other:
        print(f"step {step}: {other} completions earn another reward than the one trained on", flush=True)
    samples = rewards.samples(step)
    requested = requested_at(reader.requested, step)
    logged = Step(step, round(numbers.get("timing_s/step", 0.0), 4), requested, rewards.step())
    append_lines(reader.folder / "samples.jsonl", samples)
    if numbers:
        append_lines(reader.folder / "trainer.jsonl", [{"step": step, **numbers}])
    append_step(reader.folder, logged)
    reader.tracker.log(step, {**step_values(logged), **trainer_values(numbers)})
