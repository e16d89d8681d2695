"""The table of `check --audit`, and what it found under it."""

from rich import box
from rich.markup import escape
from rich.table import Column, Table

from modomodo.cli.console import out, say
from modomodo.core.errors import count
from modomodo.data.audit.measure import Audited
from modomodo.study.checks.audit import AuditOfFile, Worth

COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


def show_worth(audited: AuditOfFile) -> int:
    """Print what the sets of a file would pay for, worst first, and return how many errors were found."""
    asked = any(worth.asked is not None for worth in audited.sets)
    heads = ["rows", "top\ngold", "blind", "shuf-\nfled", "spel-\nled", "J\n(95 %)", "re-\npeats"]
    heads += ["all\nright", "all\nwrong", "image\nchanges"] if asked else []
    columns = (Column(head, no_wrap=True) for head in heads)
    # Eleven columns in 80 characters: two lines a set, and one space between columns.
    table = Table(Column("set", overflow="fold"), *columns, box=box.SIMPLE, padding=0)
    for worth in audited.sets:
        table.add_row(*_cells(worth, asked=asked))
    out.print(table)
    for finding in audited.findings:
        start = f"[{COLOURS[finding.level]}]{finding.level}:[/] "
        out.print(start + escape(str(finding)), highlight=False, soft_wrap=True)
    levels = [finding.level for finding in audited.findings]
    counts = [count(levels.count(level), level) for level in COLOURS]
    say(f"audit: {', '.join(counts)}" if levels else "audit: all is well")
    return levels.count("error")


def _cells(worth: Worth, *, asked: bool) -> list[str]:
    audited = worth.audited
    j = audited.informedness
    repeats = audited.repeats.exact + audited.repeats.copies + audited.repeats.alike + audited.repeats.shared
    cells = [
        escape(audited.where.replace(" (", "\n(")),
        f"{audited.rows:,}",
        "-" if audited.commonest is None else f"{audited.share:.0%}",
        _blind(audited),
        f"{audited.shuffled.mean:.2f}",
        f"{audited.spelled.mean:.2f}",
        f"{j.mean:.2f}\n{j.low:.2f}–{j.high:.2f}",
        str(repeats or "-"),
    ]
    if not asked:
        return cells
    if worth.asked is None:
        return [*cells, "-", "-", "-"]
    changes = [share for share in (worth.asked.blank, worth.asked.swapped) if share is not None]
    return [*cells, f"{worth.asked.right:.0%}", f"{worth.asked.wrong:.0%}", f"{max(changes):.0%}" if changes else "-"]


def _blind(audited: Audited) -> str:
    best = max(audited.earned, key=lambda one: one.rate.mean if one.kind != "wrong" else -1.0)
    return f"{best.rate.mean:.2f}"
