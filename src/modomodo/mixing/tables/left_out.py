"""Lines of a table that are no runs of their own: unfinished ones, means, copies."""

import re

from modomodo.core.errors import count
from modomodo.mixing.tables.columns import STATES, column_called, is_extreme, label_column
from modomodo.mixing.tables.sheet import Sheet

FINISHED = frozenset({"finished", "completed", "complete", "success", "succeeded", "done"})
UNFINISHED = frozenset(
    {"crashed", "failed", "running", "killed", "pending", "queued", "preempted", "preempting", "stopped"}
    | {"canceled", "cancelled", "timeout", "oom", "error"}
)
_TOTAL = re.compile(
    r"(?:macro |micro |grand |overall |column )?(?:mean|avg|average|totals?|sum|median|min|minimum|max|maximum|"
    r"std|std\.? ?dev|stdev|sd|standard deviation|variance|count)(?:\s*[.:]|\s*\(.*\)|\s+(?:of|over|across)\b.*)?",
    re.IGNORECASE,
)
SHOWN = 8


def runs_alone(sheet: Sheet) -> tuple[Sheet, list[str]]:
    """Return the sheet without the lines that are no runs, and without running minima and maxima; and notes on them."""
    notes: list[str] = []
    extremes = [name for name in sheet.header if is_extreme(name)]
    if extremes:
        sheet = sheet.with_columns([name for name in sheet.header if name not in extremes])
        notes.append(f"{sheet.path}: running minima and maxima are not read: {_listed(extremes)}")
    for left_out in (_totals, _unfinished, _copies):
        reasons, what = left_out(sheet)
        if reasons:
            label = label_column(sheet)
            named = [_named(sheet, row, label, why) for row, why in reasons.items()]
            notes.append(f"{sheet.path}: {what.format(count(len(named), 'line'))}: {_listed(named)}")
            sheet = sheet.with_rows([row for row in range(len(sheet.rows)) if row not in reasons])
    return sheet, notes


def _totals(sheet: Sheet) -> tuple[dict[int, str], str]:
    column = label_column(sheet) or sheet.header[0]
    totals = {row: "" for row, cell in enumerate(sheet.column(column)) if _TOTAL.fullmatch(cell)}
    return totals, "left out {}, named as a summary of others (a run needs another name)"


def _unfinished(sheet: Sheet) -> tuple[dict[int, str], str]:
    column = column_called(sheet.header, STATES)
    states = [] if column is None else [cell.lower() for cell in sheet.column(column)]
    if not set(states) & UNFINISHED or set(states) - FINISHED - UNFINISHED - {""}:
        states = []
    unfinished = {row: state or "no state" for row, state in enumerate(states) if state not in FINISHED}
    return unfinished, f"left out {{}} whose {column} is not finished"


def _copies(sheet: Sheet) -> tuple[dict[int, str], str]:
    first: dict[tuple[str, ...], int] = {}
    found = {
        row: f"as line {sheet.numbers[first[cells]]}"
        for row, cells in enumerate(sheet.rows)
        if first.setdefault(cells, row) != row
    }
    return found, "left out {}, the same as an earlier one in every cell (replicates need a seed)"


def _named(sheet: Sheet, row: int, label: str | None, why: str) -> str:
    line = f"line {sheet.numbers[row]}"
    name = sheet.column(label)[row] if label is not None else ""
    inner = ", ".join(filter(None, [line if name else "", why]))
    return f"{name or line} ({inner})" if inner else name or line


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"
