"""What the command line prints: consoles, tables and sentences. Names and texts of others are escaped.

Everything that reaches the terminal is made printable in one place: what the consoles render by `Terminal`, and what
others write, as libraries do and Python where it fails, by `Plain`.
"""

import os
import re
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO, cast, get_args

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from modomodo.core.errors import count, printable
from modomodo.core.rows import Status
from modomodo.data.domain import Problem
from modomodo.runs.board import spell
from modomodo.study.watch import seconds_left, standings

if TYPE_CHECKING:
    from modomodo.cli.doctor import Finding
    from modomodo.cli.init.start import Started
    from modomodo.data.contamination import Audit
    from modomodo.data.prepared import Prepared
    from modomodo.study.results import StudyRuns
    from modomodo.study.watch import Standing

LOOK_SECONDS = 2.0
BARS = "▁▂▃▄▅▆▇█"
WIDTH = 32  # bars of a row of shares, at most
ALIKE = 3  # rows with one cause that are said one by one


class Terminal(Console):
    """A console that styles texts, and shows of them only what a terminal does not obey."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of a renderable, its texts made printable."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


class Plain:
    """A stream for whatever else is written, made printable; `rich_proxied_file` is where consoles write past it."""

    def __init__(self, stream: TextIO) -> None:
        self.rich_proxied_file = stream

    def write(self, text: str) -> int:
        """Write a text; bars of tqdm may move up, and to the start of their line."""
        moves = re.match(r"(\n|\x1b\[A)*$|\r?", text)
        start = moves[0] if moves else ""
        return self.rich_proxied_file.write(start + printable(text[len(start) :]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


@contextmanager
def plain_streams() -> Generator[None]:
    """Make printable what is written meanwhile, by whomever; streams that are closed stay so."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, stream and Plain(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def show_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print a traceback, which has words of files in it, where Python would print it as it is."""
    Plain(sys.stderr).write("".join(traceback.format_exception(kind, error, trace)))


out = Terminal(emoji=False)
err = Terminal(stderr=True, emoji=False)


def say(line: str, *, console: Console = out) -> None:
    """Print a line as it is: no markup, no colours, unbroken where it is long."""
    console.print(escape(line), highlight=False, soft_wrap=True)


def show_problems(file: Path, problems: Sequence[Problem]) -> int:
    """Print what a check found, and return how many of it are errors; rows with one cause are one line after three."""
    causes: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        place, row, _ = problem.where.partition(", row ")
        causes.setdefault((problem.level, place, _cause(problem.what) if row else problem.what), []).append(problem)
    for (level, place, _), alike in causes.items():
        start = f"[{'red' if level == 'error' else 'yellow'}]{level}:[/] "
        lines = [str(problem) for problem in alike[:ALIKE]]
        if len(alike) > ALIKE:
            rows = [problem.where.removeprefix(f"{place}, row ") for problem in alike[ALIKE:]]
            some = f"{', '.join(rows[:10])}{', …' if len(rows) > 10 else ''}"
            lines.append(f"{place}: the same of {count(len(rows), 'more row')}: {some}")
        for line in lines:
            out.print(start + escape(line), highlight=False, soft_wrap=True)
    errors = sum(problem.level == "error" for problem in problems)
    notes = len(problems) - errors
    say(f"{file}: {count(errors, 'error')}, {count(notes, 'note')}" if problems else f"{file}: all is well")
    return errors


def _cause(what: str) -> str:
    """Return a problem of a row without what is the row's own: values in quotes, and numbers."""
    return re.sub(r"""'[^']*'|"[^"]*"|\d+""", "", what)


def show_machine(findings: "Iterable[Finding]") -> int:
    """Print what was found of the machine, and return how many of it are errors."""
    colours = {"good": "green", "note": "yellow", "error": "red"}
    errors = 0
    for finding in findings:
        errors += finding.level == "error"
        out.print(
            f"[{colours[finding.level]}]{finding.level:>5}[/]  {escape(f'{finding.what}: {finding.how}')}",
            highlight=False,
            soft_wrap=True,
        )
    return errors


def watched(runs: "Sequence[Standing]") -> Group:
    """Return how far runs are, as a table with what failed under it."""
    table = Table("run", "state", "step", "s a step", "reward of each domain, last steps", box=box.SIMPLE)
    colours = {"finished": "green", "failed": "red", "stopped": "yellow", "running": "cyan", "scoring": "cyan"}
    for run in runs:
        rewards = "  ".join(f"{name} {reward:.2f}" for name, reward in (run.rewards or {}).items())
        step = f"{run.step}/{run.steps}" if run.steps else ""
        pace = f"{run.pace:.1f}" if run.pace and run.state == "running" else ""
        table.add_row(
            escape(run.label), f"[{colours.get(run.state, 'dim')}]{run.state}[/]", step, pace, escape(rewards)
        )
    counts = Counter(run.state for run in runs)
    left = seconds_left(runs)
    said = ", ".join(f"{number} {state}" for state, number in counts.items())
    line = f"{said}{f'; about {spell(left)} left' if left else ''}"
    moving = [Text(printable(_moving(run))) for run in runs if run.shares and run.state in ("running", "scoring")]
    troubles = [Text(printable(f"{run.label} failed: {run.trouble}"), style="red") for run in runs if run.trouble]
    return Group(table, *moving, Text(line), *troubles)


def _moving(run: "Standing") -> str:
    """Return the shares of a run whose mixture moves: over its blocks, and what became of them lately."""
    assert run.shares is not None
    kinds = (run.shares.requested, run.shares.realised, run.shares.effective)
    lines = [f"{run.label}: share of each domain over the blocks; lately requested / realised / effective"]
    for name, asked in run.shares.blocks.items():
        shown = " / ".join(f"{kind.get(name, 0.0):.0%}" for kind in kinds)
        lines.append(f"  {name:<14} {_sparkline(asked)}  {shown}")
    return "\n".join(lines)


def _sparkline(shares: Sequence[float]) -> str:
    """Return shares as a row of bars, of the whole where they are 1; of many the means of as many as there is room."""
    size = -(-len(shares) // WIDTH)
    means = [sum(few) / len(few) for few in (shares[i : i + size] for i in range(0, len(shares), size))]
    return "".join(BARS[min(int(mean * len(BARS)), len(BARS) - 1)] for mean in means)


def show_watched(folder: Path, *, once: bool) -> None:
    """Show how far the runs of a study are until all have ended, or once where nobody looks on."""
    if once or not out.is_interactive:
        out.print(watched(standings(folder)))
        return
    with Live(watched(standings(folder)), console=out, auto_refresh=False) as live:
        while True:
            runs = standings(folder)
            live.update(watched(runs), refresh=True)
            if all(run.state in ("finished", "failed") for run in runs):
                return
            time.sleep(LOOK_SECONDS)


def show_prepared(prepared_sets: "Sequence[Prepared]") -> None:
    """Print what each prepared set holds, and what was dropped from it."""
    table = Table("set", "rows", "dropped", "state", box=box.SIMPLE)
    for prepared in prepared_sets:
        counts = ", ".join(f"{number:,} {split}" for split, number in prepared.counts.items())
        table.add_row(escape(prepared.name), counts, str(len(prepared.dropped)), escape(prepared.state))
    out.print(table)
    for prepared in prepared_sets:
        for note in prepared.notes:
            say(f"note: {prepared.name}: {note}")
    if any(prepared.dropped for prepared in prepared_sets):
        out.print("What was dropped, and why, is in each set's dropped.csv.")


def show_audit(audit: "Audit", path: Path, *, beside: Path) -> None:
    """Print how many training rows are in a benchmark, and how a recipe in the folder `beside` names the list."""
    table = Table("domain", "benchmark", "rows in it", box=box.SIMPLE)
    for (domain, benchmark), number in audit.counts.items():
        table.add_row(escape(domain), escape(benchmark), str(number))
    out.print(table)
    drawn = [name for name, alike in audit.alike.items() if alike.drawn]
    for name in drawn:
        alike = audit.alike[name]
        say(
            f"{name}: {alike.doubles} of {alike.looked} images look like another of its own, as drawings do, so a "
            "row counts where image and question both match"
        )
    others = [name for name, alike in audit.alike.items() if alike.pictures and not alike.drawn]
    if others:
        say(f"{', '.join(others)}: a row counts where its image matches one of the benchmark")
    rows = len({(match.domain, match.row_id) for match in audit.matches})
    if not rows:
        say(f"No training row is in a benchmark; {path} lists none.")
        return
    say(f"{count(rows, 'training row')} {'is' if rows == 1 else 'are'} in a benchmark; {path} lists which.")
    say(f'To train without them, add exclude = "{os.path.relpath(path, beside)}" to the recipe.')


def show_scores(runs: "StudyRuns") -> None:
    """Print the scores of the planned runs that are finished."""
    from modomodo.study.results import aggregate

    study = runs.study
    names = (*study.benchmarks, *study.in_distribution)
    table = Table(Column("run", no_wrap=True), *map(escape, names), "out (s.e.)", box=box.SIMPLE)
    for label, run in runs.finished.items():
        scores = [run.scores[name] for name in names if name in run.scores]
        whole = aggregate(run, study.benchmarks)
        if whole is not None and len(scores) == len(names):
            cells = (f"{score.mean:.3f}" for score in scores)
            table.add_row(escape(label), *cells, f"{whole.mean:.3f} ({whole.se:.3f})")
    out.print(table)


@contextmanager
def progress_bar(what: str) -> Generator[Callable[[int, int], None]]:
    """Yield what is to be called with (done, total); the bar is drawn on standard error, and only on a terminal."""
    columns = (*Progress.get_default_columns()[:-1], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield progress


def show_started(started: "Started") -> None:
    """Print what `init` wrote, what to look at in it, and the commands to run next."""
    width = sorted(len(command) for command, _ in started.commands)[-2]  # the longest stands out alone
    lines = [f"written: {', '.join(map(str, started.files))}; each line says why it is as it is"]
    lines += [*(f"note: {note}" for note in started.notes), "next:"]
    lines += [f"    modomodo {command:{width}}  # {what}" for command, what in started.commands]
    for line in lines:
        say(line)
    if started.missing is not None:
        err.print(f"[red]error:[/] {escape(started.missing)}", highlight=False, soft_wrap=True)


def show_step(number: int, what: str) -> None:
    """Print the heading of a step of the demo."""
    out.rule(f"{number} of 5  {what}", align="left")


def show_warning(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    """Print a warning as a note: a user needs the sentence, not the line of our code that said it."""
    if issubclass(category, UserWarning):
        err.print(f"[yellow]note:[/] {escape(str(message))}", highlight=False, soft_wrap=True)


def show_grades(tally: Mapping[tuple[str, str], int], rewards: Mapping[str, float]) -> None:
    """Print a summary of graded completions by verifier on standard error.

    `tally` is (verifier, status) -> completions, with ("malformed", "") for lines that could not be read; `rewards` is
    verifier -> sum of rewards.
    """
    statuses: tuple[str, ...] = get_args(Status)
    heads = ("verifier", "completions", "reward", *statuses)
    table = Table(*(Column(head, no_wrap=True) for head in heads), box=box.SIMPLE, padding=(0, 0, 0, 1))
    for name in sorted({verifier for verifier, status in tally if status}):
        counts = [tally.get((name, status), 0) for status in statuses]
        graded = sum(counts) - tally.get((name, "ungradable"), 0)
        mean = f"{rewards[name] / graded:.3f}" if graded else "-"
        table.add_row(escape(name), str(sum(counts)), mean, *map(str, counts))
    err.print(table)
    malformed = tally.get(("malformed", ""), 0)
    if malformed:
        err.print(f"[red]{malformed} malformed line{'s' if malformed > 1 else ''}[/], named above and left out")
