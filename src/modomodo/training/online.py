"""The schedule of a run whose mixture a rule moves: each block is drawn when the steps before it are logged.

mixture.jsonl gets a line a block: the last `step` before it, `first` and `last` of its own, the `rule`, what was `seen`
of each domain in the block before, the shares that were `asked`, and the `weights` that rows left of them. A run that
goes on after a kill reads it back; a block that it lacks is made again from the log.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from modomodo.config.policies import Online, Piecewise
from modomodo.config.recipe import Recipe
from modomodo.core.blocks import Block, Rows, draw_block
from modomodo.core.errors import ModomodoError
from modomodo.core.files import write_text
from modomodo.core.schedules import MOST_PROMPTS, Order, Schedule, write_schedule
from modomodo.mixing.online import Seen
from modomodo.training.step_log import DomainStep, Step, append_lines, keep_until, read_lines, read_steps
from modomodo.training.trackers import kept_draws

MIXTURES = "mixture.jsonl"
EVERY = "every domain"


class OnlineSchedule:
    """Entries of a run's schedule, by their position, as far as the run's log goes."""

    def __init__(self, recipe: Recipe, rows: Rows, folder: Path) -> None:
        """Draw from `rows`, which are those of the domains that the run starts with; `folder` is the run's.

        Raises ModomodoError where no rule moves the recipe's mixture, and where rows do not last for a step.
        """
        if not isinstance(recipe.mixture, Online):
            raise ModomodoError(f"mixture is {recipe.mixture}: no rule moves it, `schedule` draws it whole")
        self.prompts_per_step = recipe.prompts_per_step
        self._policy = recipe.mixture
        self._order: Order = recipe.order
        self._rows = rows
        self._folder = folder
        lasting = sum(rows.most(name) for name in rows.ids) // recipe.prompts_per_step
        if not lasting:
            raise ModomodoError(f"all domains together have no rows for a step of {recipe.prompts_per_step} prompts")
        self.steps = min(recipe.steps, lasting)
        if self.steps * recipe.prompts_per_step > MOST_PROMPTS:
            raise ModomodoError(
                f"steps = {recipe.steps} and epochs = {recipe.epochs} make over {MOST_PROMPTS:,} prompts: lower one"
            )
        self.exhausted = EVERY if lasting < recipe.steps else None
        self._blocks: list[Block] = []
        self._entries: list[tuple[str, str]] = []

    def possible(self) -> list[tuple[str, str]]:
        """Return what may be drawn, each row once, by domain."""
        most = self.steps * self.prompts_per_step
        return [
            (name, self._rows.draw(name, index))
            for name, ids in self._rows.ids.items()
            for index in range(min(len(ids), most))
        ]

    def resume(self, done: int) -> None:
        """Take up after step `done`: drop the blocks that came from later steps, and read the others back.

        Raises ModomodoError for a file that is damaged.
        """
        self._blocks, self._entries = [], []
        path = self._folder / MIXTURES
        try:
            for line in keep_until(path, done):
                # A copy that a kill cut short may lack a line: from there on blocks are made again.
                if line["first"] == len(self._entries) // self.prompts_per_step + 1:
                    self._add(line["asked"], steps=line["last"] - line["first"] + 1)
        except (KeyError, TypeError, AttributeError) as error:
            raise _damaged(path, error) from error
        plan = Schedule(tuple(self._entries), self.prompts_per_step, self.exhausted)
        write_schedule(plan, self._folder / "schedule.csv")

    def entry(self, position: int) -> tuple[str, str]:
        """Return the domain and row id of a position of the schedule, counted from 0, once its block is drawn.

        Raises ModomodoError where the rule fails.
        """
        while position >= len(self._entries):
            self._draw()
        return self._entries[position]

    def requested(self, step: int) -> Mapping[str, float]:
        """Return the shares of a step's block, counted from 1."""
        return next(block.weights for block in reversed(self._blocks) if block.first <= step)

    def _draw(self) -> None:
        """Draw the next block by the log of all steps before it, and write both down."""
        before = len(self._entries) // self.prompts_per_step
        steps = read_steps(self._folder)[:before]
        assert len(steps) == before, (len(steps), before)
        with kept_draws():
            asked = self._policy.weights([seen_of(step) for step in steps])
        block = self._add(asked, steps=min(self._policy.block, self.steps - before))
        last = before + len(block.entries) // self.prompts_per_step
        since = steps[self._blocks[-2].first - 1 :] if before else []
        line = {"step": before, "first": before + 1, "last": last, "rule": self._policy.rule}
        line |= {"seen": seen_since(since), "asked": asked, "weights": block.weights}
        append_lines(self._folder / MIXTURES, [line])
        with (self._folder / "schedule.csv").open("a", newline="") as file:
            lines = ((before + 1 + index // self.prompts_per_step, *key) for index, key in enumerate(block.entries))
            csv.writer(file).writerows(lines)

    def _add(self, asked: Mapping[str, float], *, steps: int) -> Block:
        block = draw_block(
            asked,
            self._rows,
            self._blocks,
            steps=steps,
            prompts_per_step=self.prompts_per_step,
            order=self._order,
        )
        self._blocks.append(block)
        self._entries += block.entries
        return block


def seen_of(step: Step) -> dict[str, Seen]:
    """Return what a rule sees of a step.

    Raises ModomodoError for a log without advantages, as earlier versions wrote it.
    """
    return {name: _seen(done, step.step) for name, done in step.domains.items()}


def seen_since(steps: Sequence[Step]) -> dict[str, dict[str, float]]:
    """Return what several steps did with each domain, as one: sums of prompts and completions, means of the rest."""
    parts: dict[str, list[Seen]] = {}
    for name, seen in (item for step in steps for item in seen_of(step).items()):
        parts.setdefault(name, []).append(seen)
    return {name: asdict(_together(part)) for name, part in sorted(parts.items())}


def _together(parts: Sequence[Seen]) -> Seen:
    prompts, completions = sum(one.prompts for one in parts), sum(one.completions for one in parts)
    return Seen(
        prompts,
        completions,
        accuracy=sum(one.accuracy * one.completions for one in parts) / completions,
        advantage=sum(one.advantage * one.completions for one in parts) / completions,
        zero_advantage=sum(one.zero_advantage * one.prompts for one in parts) / prompts,
    )


def _seen(done: DomainStep, step: int) -> Seen:
    if done.advantage is None:
        raise ModomodoError(f"steps.jsonl has no advantages at step {step}: delete the run's folder and run it again")
    return Seen(done.prompts, done.completions, done.accuracy, done.advantage, done.zero_advantage)


def read_mixtures(folder: Path) -> list[tuple[int, dict[str, float]]]:
    """Return the first step of each block of a run with its weights; none where its mixture does not move.

    Raises ModomodoError for a damaged file.
    """
    path = folder / MIXTURES
    try:
        return [(line["first"], dict(line["weights"])) for line in read_lines(path)]
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> ModomodoError:
    return ModomodoError(f"{path} is damaged ({error!r}): delete the run's folder and run it again")


def write_parts(policy: Piecewise, steps: int, folder: Path) -> None:
    """Write mixture.jsonl of a piecewise mixture, which is known beforehand: a line a part."""
    lines: list[str] = []
    done = 0
    for length, mixture in policy.lengths(steps):
        weights = mixture.as_dict()
        line = {"step": done, "first": done + 1, "last": done + length, "rule": "piecewise", "seen": {}}
        lines.append(json.dumps({**line, "asked": weights, "weights": weights}) + "\n")
        done += length
    write_text(folder / MIXTURES, "".join(lines))
