"""Schedule: the exact ordered list of (domain, row id) a run trains on; a pure function of its arguments."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.files import write_text
from modomodo.core.mixture import Mixture
from modomodo.core.seeds import child_rng

# Axes: D domains with a positive weight, K prompts in order.

Order = Literal["quota", "iid"]

MOST_PROMPTS = 5_000_000
"""Of one run; more would fill the memory before the first step, and take years to train on."""


@dataclass(frozen=True)
class Schedule:
    """Prompts in training order, `prompts_per_step` to a step, as (domain, row id).

    `exhausted` names the domain that ran out of rows first and so ended the run early; None when none did.
    """

    entries: tuple[tuple[str, str], ...]
    prompts_per_step: int
    exhausted: str | None = None

    @property
    def steps(self) -> int:
        return len(self.entries) // self.prompts_per_step

    def step(self, index: int) -> tuple[tuple[str, str], ...]:
        """Return the prompts of step `index`, counted from 0."""
        return self.entries[index * self.prompts_per_step : (index + 1) * self.prompts_per_step]

    def counts(self) -> dict[str, int]:
        """Return the prompts of each domain over the whole run."""
        found: dict[str, int] = {}
        for domain, _ in self.entries:
            found[domain] = found.get(domain, 0) + 1
        return found


def schedule(
    mixture: Mixture,
    pools: Mapping[str, Sequence[str]],
    *,
    steps: int,
    prompts_per_step: int,
    seed: int,
    order: Order = "quota",
    epochs: int = 1,
) -> Schedule:
    """Return the schedule of a run.

    Args:
        mixture: shares of the domains.
        pools: row ids of each domain that has weight.
        steps: requested steps; fewer come back when a domain runs out (see `exhausted`), never a part of a step.
        prompts_per_step: prompts of one optimiser step.
        seed: decides the order of rows in each domain, and the draws of `iid`. The k-th draw from a domain is
            the same row at every mixture of one seed, so that runs at two mixtures are paired.
        order: "quota" spreads each domain evenly, never a prompt off its share (Tijdeman 1980, chairman assignment);
            "iid" draws the domain of each prompt independently, as the paper does.
        epochs: how often a row may be used: 1 stops when any domain is used up, n repeats up to n times.

    Raises:
        ModomodoError: an empty or missing pool, duplicate ids, or a number that is not positive.
    """
    return piecewise(
        [(steps, mixture)], pools, prompts_per_step=prompts_per_step, seed=seed, order=order, epochs=epochs
    )


def piecewise(
    parts: Sequence[tuple[int, Mixture]],
    pools: Mapping[str, Sequence[str]],
    *,
    prompts_per_step: int,
    seed: int,
    order: Order = "quota",
    epochs: int = 1,
) -> Schedule:
    """Return the schedule of a run that follows several mixtures, each for so many steps; otherwise as `schedule`.

    Quotas hold within each part.
    """
    for steps, mixture in parts:
        _check_arguments(mixture, pools, steps=steps, prompts_per_step=prompts_per_step, epochs=epochs)
    # Sorted, so that the order in which a mixture names its domains does not matter.
    names = sorted({name for _, mixture in parts for name, weight in mixture.as_dict().items() if weight > 0})
    # A domain runs out no later than when all rows are used up, so that no more prompts need be planned.
    whole = sum(steps for steps, _ in parts)
    count = min(whole * prompts_per_step, epochs * sum(len(pools[name]) for name in names) + 1)
    if count > MOST_PROMPTS:
        raise ModomodoError(
            f"steps = {whole}, prompts_per_step = {prompts_per_step} and epochs = {epochs} make {count:,} prompts, "
            f"over the {MOST_PROMPTS:,} that a run may have: lower steps or epochs"
        )
    uniform_K = child_rng(seed, "schedule", "iid").random(count if order == "iid" else 0)
    picks: list[npt.NDArray[np.int64]] = []
    done = 0
    for steps, mixture in parts:
        weights_D = mixture.vector(names)
        weights_D = weights_D / weights_D.sum()
        part = min(steps * prompts_per_step, count - done)
        picks.append(quota(weights_D, part) if order == "quota" else independent(weights_D, uniform_K[done:][:part]))
        done += part
    return _fill(np.concatenate(picks), names, pools, prompts_per_step=prompts_per_step, seed=seed, epochs=epochs)


def write_schedule(plan: Schedule, path: Path) -> None:
    """Write the schedule as CSV (step, domain, row_id); the header also names a domain that ran out."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["step", "domain", "row_id", *([plan.exhausted] if plan.exhausted else [])])
    for index, (domain, row_id) in enumerate(plan.entries):
        writer.writerow([index // plan.prompts_per_step + 1, domain, row_id])
    write_text(path, text.getvalue())


def read_schedule(path: Path) -> Schedule:
    """Return the schedule that `write_schedule` wrote.

    Raises ModomodoError when the file is not one.
    """
    with path.open(newline="") as file:
        header, *lines = list(csv.reader(file)) or [[]]
    if header[:3] != ["step", "domain", "row_id"] or not lines or any(len(line) != 3 for line in lines):
        raise ModomodoError(f"{path} is not a schedule: it needs the columns step, domain, row_id and at least one row")
    per_step = sum(line[0] == "1" for line in lines)
    return Schedule(tuple((domain, row_id) for _, domain, row_id in lines), per_step, "".join(header[3:]) or None)


def _check_arguments(
    mixture: Mixture, pools: Mapping[str, Sequence[str]], *, steps: int, prompts_per_step: int, epochs: int
) -> None:
    for name, value in (("steps", steps), ("prompts_per_step", prompts_per_step), ("epochs", epochs)):
        if value < 1:
            raise ModomodoError(f"{name} is {value}: it must be at least 1")
    for name, weight in mixture.as_dict().items():
        if weight == 0:
            continue
        if name not in pools:
            raise ModomodoError(f"no rows for domain {name!r} of the mixture; {closest(name, pools)}")
        if not pools[name]:
            raise ModomodoError(f"domain {name!r} has weight {weight:.4g} and no rows: give it weight 0 or rows")
        if len(set(pools[name])) < len(pools[name]):
            raise ModomodoError(f"domain {name!r} has duplicate row ids; `modomodo check` lists them")


def independent(weights_D: npt.NDArray[np.float64], uniform_K: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the domain of each prompt, drawn independently by its number from 0 to 1 [K]."""
    last = int(np.flatnonzero(weights_D)[-1])
    return np.minimum(np.searchsorted(np.cumsum(weights_D), uniform_K, side="right"), last)


def quota(weights_D: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.int64]:
    """Return the domain of each prompt; after any k prompts every domain is within 1 of its share k * weight."""
    names_D = np.flatnonzero(weights_D)
    weights_D = weights_D[names_D]
    if len(weights_D) == 1:
        return np.full(count, names_D[0], dtype=np.int64)
    bound = 1 - 1 / (2 * len(weights_D) - 2)
    used_D = np.zeros(len(weights_D))
    picks_K = np.empty(count, dtype=np.int64)
    for index in range(count):
        due_D = weights_D * (index + 1) - used_D
        # Of the domains that may be served now, the one that would break its bound soonest.
        deadline_D = np.where(due_D >= 1 - bound - 1e-9, (bound - due_D) / weights_D, np.inf)
        picks_K[index] = int(np.argmin(deadline_D))
        used_D[picks_K[index]] += 1
    return names_D[picks_K]


def _fill(
    picks_K: npt.NDArray[np.int64],
    names: Sequence[str],
    pools: Mapping[str, Sequence[str]],
    *,
    prompts_per_step: int,
    seed: int,
    epochs: int,
) -> Schedule:
    entries: list[tuple[str, str]] = []
    queues: dict[str, list[str]] = {}
    for index, name in enumerate(names):
        ids = sorted(pools[name])
        needed = math.ceil(int((picks_K == index).sum()) / len(ids))
        queues[name] = _row_order(name, ids, seed=seed, epochs=min(epochs, needed))
    used = dict.fromkeys(names, 0)
    for pick in picks_K:
        name = names[int(pick)]
        if used[name] == len(queues[name]):
            return Schedule(_whole_steps(entries, prompts_per_step, name), prompts_per_step, name)
        entries.append((name, queues[name][used[name]]))
        used[name] += 1
    return Schedule(tuple(entries), prompts_per_step)


def _row_order(name: str, ids: Sequence[str], *, seed: int, epochs: int) -> list[str]:
    return [ids[place] for epoch in range(epochs) for place in epoch_order(seed, name, epoch, len(ids))]


@lru_cache(maxsize=256)
def epoch_order(seed: int, name: str, epoch: int, rows: int) -> tuple[int, ...]:
    """Return in which order an epoch takes a domain's rows, by their places among the sorted ids."""
    return tuple(int(place) for place in child_rng(seed, "schedule", "rows", name, epoch).permutation(rows))


def _whole_steps(
    entries: Sequence[tuple[str, str]], prompts_per_step: int, exhausted: str
) -> tuple[tuple[str, str], ...]:
    whole = len(entries) - len(entries) % prompts_per_step
    if whole == 0:
        raise ModomodoError(
            f"domain {exhausted!r} runs out of rows before the first step of {prompts_per_step} prompts: "
            "give it more rows, more epochs or less weight"
        )
    return tuple(entries[:whole])


def row_caps(
    rows: Mapping[str, int], *, steps: int, prompts_per_step: int, epochs: int
) -> dict[str, tuple[float, float]]:
    """Return domain -> (0, greatest share of a run's prompts that its rows last for, each used `epochs` times).

    With `order="iid"` that holds on average only. Raises ModomodoError when all rows together are too few for a run.
    """
    prompts = steps * prompts_per_step
    missing = math.ceil((prompts - sum(rows.values()) * epochs) / epochs)
    if missing > 0:
        raise ModomodoError(
            f"a run takes {prompts} prompts (steps x prompts_per_step), but the domains have {sum(rows.values())} "
            f"training rows for {epochs} epochs: {missing} rows are missing; add them, raise epochs or lower steps"
        )
    return {name: (0.0, min(1.0, count * epochs / max(prompts, 1))) for name, count in rows.items()}
