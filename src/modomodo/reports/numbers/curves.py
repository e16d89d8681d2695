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
MOVING = {"requested": "Requested shares", "realised": "Realised shares"}
"""The same of a run whose mixture moves."""


@dataclass(frozen=True)
class Point:
    """Means over a bin of steps, weighted by completions (reward, format) or prompts (zero_advantage).

    They are None where the bin has no prompt of the domain. `requested` is the mean of the shares asked for, `realised`
    the domain's share of the prompts; `effective` that of the prompts that taught something, None where none did.
    """

    step: float
    reward: float | None
    format: float | None
    zero_advantage: float | None
    effective: float | None
    requested: float = 0.0
    realised: float = 0.0


@dataclass(frozen=True)
class Curves:
    """Domain -> points of a run; every point is over `bin_steps` steps. `moving`: its requested shares change."""

    bin_steps: int
    points: Mapping[str, tuple[Point, ...]]
    moving: bool = False

    @property
    def measures(self) -> Mapping[str, str]:
        """Measure -> what a reader calls it, of those that tell something of this run."""
        return {**MEASURES, **(MOVING if self.moving else {})}


def read_curves(folder: Path) -> Curves | None:
    """Return the curves of a run's steps.jsonl, None when it has no step."""
    steps = read_steps(folder)
    if not steps:
        return None
    bin_steps = -(-len(steps) // POINTS)
    bins = [steps[start : start + bin_steps] for start in range(0, len(steps), bin_steps)]
    names = dict.fromkeys(name for step in steps for name in (*step.domains, *step.requested))
    points = [_points(few, names) for few in bins]
    moving = any(step.requested != steps[0].requested for step in steps)
    return Curves(bin_steps, {name: tuple(found[name] for found in points) for name in names}, moving)


def _points(steps: Sequence[Step], names: Iterable[str]) -> dict[str, Point]:
    parts = {name: [step.domains[name] for step in steps if name in step.domains] for name in names}
    taught = {name: sum(done.prompts * (1 - done.zero_advantage) for done in part) for name, part in parts.items()}
    total, prompts = sum(taught.values()), sum(done.prompts for part in parts.values() for done in part)
    middle = (steps[0].step + steps[-1].step) / 2
    return {
        name: Point(
            step=middle,
            reward=_mean(found, "reward", "completions"),
            format=_mean(found, "format", "completions"),
            zero_advantage=_mean(found, "zero_advantage", "prompts"),
            effective=taught[name] / total if total else None,
            requested=sum(step.requested.get(name, 0.0) for step in steps) / len(steps),
            realised=sum(done.prompts for done in found) / prompts,
        )
        for name, found in parts.items()
    }


def _mean(parts: Sequence[DomainStep], field: str, weight: str) -> float | None:
    total = sum(getattr(part, weight) for part in parts)
    return sum(getattr(part, field) * getattr(part, weight) for part in parts) / total if total else None
