"""What the launcher shows: a bar where somebody watches, a plain line per ended run where not."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from modomodo.core.errors import printable

EARLY = 0.05  # of the steps, before the pace means anything


@dataclass(frozen=True)
class Count:
    """How far a launch is: runs ended of all, steps done of those that are or will be done here."""

    runs: int
    of_runs: int
    steps: int
    of_steps: int


@dataclass(frozen=True)
class Board:
    """Shows the counts and the lines it is given; `bar` is None on output that nobody watches."""

    console: Console
    started: float
    steps_before: int
    bar: Progress | None
    task: TaskID

    def show(self, count: Count) -> None:
        """Move the bar."""
        if self.bar is not None:
            left = self._left(count)
            runs = f"{count.runs}/{count.of_runs} runs"
            self.bar.update(self.task, completed=count.steps, total=count.of_steps, description=runs, left=left)

    def ended(self, line: str, count: Count) -> None:
        """Print the line of an ended run."""
        if self.bar is None:
            left = self._left(count)
            line = f"[{count.runs}/{count.of_runs}{', ' if left else ''}{left}] {line}"
        self.say(line)

    def say(self, line: str) -> None:
        """Print a line as it is, without markup and control characters."""
        say_on(self.console, line)

    def _left(self, count: Count) -> str:
        if count.steps - self.steps_before < EARLY * count.of_steps:
            return ""  # the first runs have only started, or trained nothing
        seconds = time_left(
            time.monotonic() - self.started,
            done=count.steps - self.steps_before,
            to_do=count.of_steps - count.steps,
        )
        return "" if seconds is None else f"about {spell(seconds)} left"


def say_on(console: Console, line: str) -> None:
    """Print a line as it is, without markup and control characters."""
    console.print(printable(line), markup=False, highlight=False, emoji=False, soft_wrap=True)


@contextmanager
def board(console: Console, *, steps_before: int) -> Generator[Board]:
    """Yield a board on `console`; `steps_before` are steps that earlier launches did."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} steps"),
        TextColumn("{task.fields[left]}"),
        console=console,
    )
    task = bar.add_task("", total=1, left="")
    if not console.is_interactive:
        yield Board(console, time.monotonic(), steps_before, None, task)
        return
    with bar:
        yield Board(console, time.monotonic(), steps_before, bar, task)


def time_left(elapsed: float, *, done: int, to_do: int) -> float | None:
    """Return the seconds that `to_do` steps take at the pace of the `done` ones; None when either is none."""
    return elapsed * to_do / done if done > 0 and to_do > 0 else None


def spell(seconds: float) -> str:
    """Return a duration as a person says it.

    >>> spell(8), spell(100), spell(7300)
    ('8 s', '2 min', '2 h 2 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
