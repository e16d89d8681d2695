"""How far a study is, read from the files its runs write: in another terminal, or on a machine that sees them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from modomodo.core.errors import ModomodoError
from modomodo.core.files import read_json
from modomodo.runs.store import Store, single_name
from modomodo.training.online import read_mixtures
from modomodo.training.step_log import Step, last_steps, shares

State = Literal["running", "scoring", "begun", "finished", "failed", "stopped", "waiting"]

RECENT = 5  # steps that rewards and pace are averaged over
TAIL = 1 << 16  # bytes of a file that are read
LOG_LINES = 5


@dataclass(frozen=True)
class MovingShares:
    """The mixture of a run that moves: domain -> share that its blocks asked for, in order; and what became of it.

    `requested`, `realised` and `effective` (of the prompts that taught something) are over the last steps.
    """

    blocks: Mapping[str, Sequence[float]]
    requested: Mapping[str, float]
    realised: Mapping[str, float]
    effective: Mapping[str, float]


@dataclass(frozen=True)
class Standing:
    """How far one run is.

    state: `begun` before its first step, `scoring` after its last, `stopped` where nobody works on it. `rewards` are by
    domain, averaged over the last steps; `pace` is seconds a step; `trouble` is why it failed, with the end of its log.
    `shares` are those of a run whose mixture moves, None for others.
    """

    label: str
    state: State
    step: int = 0
    steps: int = 0
    rewards: Mapping[str, float] | None = None
    pace: float = 0.0
    trouble: str = ""
    shares: MovingShares | None = None


def standings(folder: Path) -> tuple[Standing, ...]:
    """Return how far each run is that was last planned in a study's folder, and then each run of `modomodo train`.

    Two labels of one run give one. Raises ModomodoError where no run was ever planned or begun.
    """
    store = Store(folder)
    runs: dict[str, str] = {}
    for label, key in store.labels().items():
        runs.setdefault(key, label)
    runs |= {key: single_name(key) for key in store.singles(runs)}
    if not runs:
        raise ModomodoError(f"{folder} has no runs yet: `modomodo pilot` on the study's file begins them")
    return tuple(_standing(store, key, label) for key, label in runs.items())


def seconds_left(found: Sequence[Standing]) -> float | None:
    """Return how long the runs that train still take, as many at a time as now; None while that cannot be said."""
    paces = [one.pace for one in found if one.state == "running" and one.pace > 0]
    left = [one for one in found if one.state in ("running", "begun", "waiting", "stopped")]
    known = max((one.steps for one in found), default=0)
    if not paces or not left:
        return None
    steps = sum((one.steps or known) - one.step for one in left)
    return steps * sum(paces) / len(paces) ** 2


def _standing(store: Store, key: str, label: str) -> Standing:
    folder = store.path(key)
    steps = _steps(folder)
    try:
        recent, damage = last_steps(folder, RECENT), ""
        shares = _shares(folder, recent)
    except ModomodoError as error:  # the other runs are shown all the same
        recent, damage, shares = [], str(error), None
    step = recent[-1].step if recent else 0
    state = _state(store, key, step=step, steps=steps)
    trouble = _trouble(store, key) if state == "failed" else damage
    if not recent:
        return Standing(label, state, 0, steps, trouble=trouble)
    return Standing(
        label,
        state,
        step,
        steps,
        rewards=_rewards(recent),
        pace=sum(done.seconds for done in recent) / len(recent),
        trouble=trouble,
        shares=shares,
    )


def _shares(folder: Path, recent: Sequence[Step]) -> MovingShares | None:
    """Return the shares of a run that a rule moves.

    Raises ModomodoError for a damaged file.
    """
    blocks = [weights for _, weights in read_mixtures(folder)]
    if not blocks or not recent:
        return None
    asked = {name: [block.get(name, 0.0) for block in blocks] for name in blocks[0]}
    totals = shares(recent)
    return MovingShares(asked, totals["requested"], totals["realised"], totals["effective"])


def _state(store: Store, key: str, *, step: int, steps: int) -> State:
    if store.finished(key):
        return "finished"
    if store.claimed(key):
        return "begun" if not step else "running" if step < steps else "scoring"
    if (store.path(key) / "failure.json").exists():
        return "failed"
    return "stopped" if step else "waiting"


def _steps(folder: Path) -> int:
    """Return the steps of a run that has begun, 0 of others."""
    recipe = read_json(folder / "recipe.json")
    steps = (recipe or {}).get("steps")
    return steps if isinstance(steps, int) else 0


def _rewards(steps: Sequence[Step]) -> dict[str, float]:
    """Return each domain's reward, averaged over its prompts."""
    total: dict[str, float] = {}
    prompts: dict[str, int] = {}
    for name, done in (item for step in steps for item in step.domains.items()):
        total[name] = total.get(name, 0.0) + done.reward * done.prompts
        prompts[name] = prompts.get(name, 0) + done.prompts
    return {name: total[name] / prompts[name] for name in sorted(total) if prompts[name]}


def _trouble(store: Store, key: str) -> str:
    failure = store.failure(key) or {}
    log = store.path(key) / "log.txt"
    tail = [line for line in _tail(log).splitlines() if line.strip()][-LOG_LINES:]
    return "\n".join([str(failure.get("message")), *([f"the end of {log}:", *tail] if tail else [])])


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
