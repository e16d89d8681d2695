"""Training curves of one run, from its steps.jsonl: per domain, in bins of steps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from modomodo.training.step_log import DomainStep, Step, read_steps

POINTS = 24  # of a curve, at most

MEASURES = {
    "reward": "Reward",
    "format": "Replies in the right format",
    "zero_advantage": "Groups with zero advantage",
    "effective": "Effective shares",
}
"""Measure -> what a reader calls it."""


@dataclass(frozen=True)
class Point:
    """Means over a bin of steps, weighted by completions (reward, format) or prompts (zero_advantage).

    They are None where the bin has no prompt of the domain. `effective` is the domain's share of the prompts of the bin
    that taught something; None where none did.
    """

    step: float
    reward: float | None
    format: float | None
    zero_advantage: float | None
    effective: float | None


@dataclass(frozen=True)
class Curves:
    """Domain -> points of a run; every point is over `bin_steps` steps."""

    bin_steps: int
    points: Mapping[str, tuple[Point, ...]]


def read_curves(folder: Path) -> Curves | None:
    """Return the curves of a run's steps.jsonl, None when it has no step."""
    steps = read_steps(folder)
    if not steps:
        return None
    bin_steps = -(-len(steps) // POINTS)
    bins = [steps[start : start + bin_steps] for start in range(0, len(steps), bin_steps)]
    names = dict.fromkeys(name for step in steps for name in step.domains)
    points = [_points(few, names) for few in bins]
    return Curves(bin_steps, {name: tuple(found[name] for found in points) for name in names})


def _points(steps: Sequence[Step], names: Iterable[str]) -> dict[str, Point]:
    parts = {name: [step.domains[name] for step in steps if name in step.domains] for name in names}
    taught = {name: sum(done.prompts * (1 - done.zero_advantage) for done in part) for name, part in parts.items()}
    total = sum(taught.values())
    middle = (steps[0].step + steps[-1].step) / 2
    return {
        name: Point(
            step=middle,
            reward=_mean(found, "reward", "completions"),
            format=_mean(found, "format", "completions"),
            zero_advantage=_mean(found, "zero_advantage", "prompts"),
            effective=taught[name] / total if total else None,
        )
        for name, found in parts.items()
    }


def _mean(parts: Sequence[DomainStep], field: str, weight: str) -> float | None:
    total = sum(getattr(part, weight) for part in parts)
    return sum(getattr(part, field) * getattr(part, weight) for part in parts) / total if total else None
