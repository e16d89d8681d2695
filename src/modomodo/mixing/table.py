"""The CSV of runs.

Axes: N runs, D domains, B benchmarks.
"""

import csv
import io
import math
import shlex
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from modomodo.core.errors import ModomodoError, begun, count
from modomodo.core.files import csv_cell, write_text
from modomodo.mixing.runs import Runs
from modomodo.mixing.scales import check_scale, full_score
from modomodo.mixing.surrogates.base import Array
from modomodo.mixing.tables.cells import is_percent
from modomodo.mixing.tables.columns import (
    KEYS,
    KINDS,
    STATES,
    bare_columns,
    column_called,
    columns_of,
    label_column,
    lower_note,
    settings,
    unread_note,
    without_prefix,
)
from modomodo.mixing.tables.join import Joined, alone, joined
from modomodo.mixing.tables.left_out import runs_alone
from modomodo.mixing.tables.numbers import check_percent, integers, numbers, on_simplex, with_notation
from modomodo.mixing.tables.odd_scores import OnOdd, checked_scores
from modomodo.mixing.tables.repeats import benchmark_notes, refuse_mean, repeat_notes
from modomodo.mixing.tables.sheet import Sheet, read_sheet

SHOWN = 12  # columns that a message names


@dataclass(frozen=True)
class TableForm:
    """What a table of runs looks like, and how it is read.

    `metrics` is a second file, with the scores; `weights` and `scores` name the columns of shares and of scores where
    they have no prefix, with a * for any letters; `scale` is a full score (1 for shares, 100 for percent), for all or
    by benchmark; `odd_scores` says what becomes of a score that does not go with the rest of its column.
    """

    metrics: Path | None = None
    weights: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    scale: float | Mapping[str, float] | None = None
    odd_scores: OnOdd = "refuse"


def read_runs(
    path: str | Path,
    *,
    metrics: str | Path | None = None,
    weights: Sequence[str] = (),
    scores: Sequence[str] = (),
    scale: float | Mapping[str, float] | None = None,
    odd_scores: OnOdd = "refuse",
) -> Runs:
    """Return the runs of a CSV file, or of two: mixtures and scores, joined by the column that names the runs.

    Columns: `w.<domain>`, `score.<benchmark>`, and where known `se.<benchmark>` (the standard error of a score), which
    wins over `n.<benchmark>` (items; gives a binomial standard error for shares and percent), `seed`, `steps`, `label`
    (or name, run, index, ...). The keywords are those of `TableForm`; of two files all columns of numbers are taken
    where none is named. An empty cell, nan, na, null, none or - is a missing score. What was done on the way, such as
    lines left out and columns not read, is in the `notes` of the runs, and a warning each.

    Raises:
        ModomodoError: with the line, for weights that sum to something else than 1 or 100, cells that are no numbers,
            odd scores, and tables without a weight, a score or a row.
    """
    other = None if metrics is None else Path(metrics)
    runs = runs_in(Path(path), TableForm(other, tuple(weights), tuple(scores), scale, odd_scores))
    for note in runs.notes:
        warnings.warn(note, stacklevel=2)
    return runs


def runs_in(path: Path, form: TableForm) -> Runs:
    """Return the runs of a table as `read_runs` does, without warnings: whoever calls shows their notes."""
    lines, notes = _lines(path, form)
    weights, scores = _columns(lines, form)
    benchmarks = tuple(scores)
    notes += [*_unread(lines, weights, scores), *lower_note(lines.metrics, scores)]
    lines = _with_notation(lines, weights, scores)
    columns = list(weights.values())
    weights_ND = numbers(lines.mixtures, columns, required=True)
    X_ND, sum_notes = on_simplex(lines.mixtures, columns, weights_ND)
    y_NB = _scores(lines.metrics, scores)
    refuse_mean(lines.metrics, weights_ND=weights_ND, y_NB=y_NB)
    signed = _signed(lines.metrics, scores)
    scale = _scale(form, benchmarks, signed=signed)
    source = " and ".join(str(sheet.path) for sheet in lines.sheets)
    with begun(f"{source}, --set scale"):
        check_scale(scale, benchmarks=benchmarks, y_NB=y_NB)
    y_NB, odd_notes = checked_scores(lines.metrics, scores, y_NB, scale=scale, on_odd=form.odd_scores)
    se_NB, n_NB, se_notes = _noise(lines.metrics, scores, y_NB, scale)
    runs = Runs(
        tuple(weights),
        benchmarks,
        X_ND,
        y_NB,
        se_NB,
        n_NB,
        *(_whole(lines, key) for key in KEYS),
        labels_N=lines.labels,
        source=source,
        scale=scale,
    )
    notes += [*_percent_notes(signed, lines.metrics), *sum_notes, *odd_notes, *se_notes]
    notes += [*repeat_notes(runs), *benchmark_notes(runs)]
    return replace(runs, notes=tuple(notes))


def read_mixtures(path: str | Path, domains: Sequence[str]) -> Array:
    """Return the mixtures of a CSV file, shape [N, D] in the order of `domains`.

    Read are its `w.` columns, else those that bear the names of the domains, with whatever all names begin with.

    Raises:
        ModomodoError: for other domains than those, and as `read_runs` for weights.
    """
    sheet = read_sheet(Path(path))
    found = columns_of(sheet.header, "w", (), where=sheet.path)
    if not found:
        bare = _bare(sheet)
        found = {name: bare.get(name, name) for name in domains if name in (*bare, *sheet.header)}
    if set(found) != set(domains) or not sheet.rows:
        odd = [column for name, column in found.items() if name not in domains]
        lacking = [f"w.{name}" for name in domains if name not in found]
        remedy = [f"drop {', '.join(odd)}"] * bool(odd) + [f"add {', '.join(lacking)}"] * bool(lacking)
        raise ModomodoError(
            f"{path} line 1: {count(len(sheet.rows), 'mixture')} of {', '.join(found) or 'no domain'}; at least one "
            f"mixture of {', '.join(domains)} is needed (columns w.<domain>): {' and '.join(remedy) or 'add a line'}"
        )
    columns = [found[name] for name in domains]
    sheet = with_notation(sheet, columns)
    X_ND, notes = on_simplex(sheet, columns, numbers(sheet, columns, required=True))
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return X_ND


def write_runs(runs: Runs, path: str | Path) -> None:
    """Write the runs as a CSV file that `read_runs` gives back exactly; columns that nobody knows are left out.

    Texts that a spreadsheet would run as formulas are made harmless.
    """
    columns: dict[str, list[str]] = {"label": [csv_cell(label) for label in runs.labels_N]}
    for index, name in enumerate(runs.domains):
        columns[f"w.{name}"] = [_text(value) for value in runs.X_ND[:, index]]
    for kind, table_NB in (("score", runs.y_NB), ("se", runs.se_NB), ("n", runs.n_NB)):
        for index, name in enumerate(runs.benchmarks):
            if kind == "score" or not np.isnan(table_NB[:, index]).all():
                columns[f"{kind}.{name}"] = [_text(value) for value in table_NB[:, index]]
    for name, values in (("seed", runs.seeds_N), ("steps", runs.steps_N)):
        if any(value is not None for value in values):
            columns[name] = ["" if value is None else str(value) for value in values]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([list(columns), *zip(*columns.values(), strict=True)])
    write_text(Path(path), text.getvalue())


def _text(value: float) -> str:
    return "" if math.isnan(value) else repr(float(value)).removesuffix(".0")


def _lines(path: Path, form: TableForm) -> tuple[Joined, list[str]]:
    """Return the lines that are runs, of one file or of two, and what was done to find them."""
    sheets: list[Sheet] = []
    notes: list[str] = []
    for file in filter(None, (path, form.metrics)):
        sheet, said = runs_alone(read_sheet(file))
        if not sheet.rows:
            why = "; ".join(said) or "one line per run is needed"
            raise ModomodoError(f"{file} has a header and no runs: {why}")
        sheets.append(sheet)
        notes += said
    if len(sheets) == 1:
        taken = [one for kind in (form.weights, form.scores) for one in kind]
        return alone(sheets[0], taken=taken), notes
    lines = joined(*sheets, weights=form.weights)
    return lines, [*notes, *lines.notes]


def _columns(lines: Joined, form: TableForm) -> tuple[dict[str, str], dict[str, str]]:
    """Return domain -> column and benchmark -> column.

    Raises ModomodoError where there are none, with what to set so that columns without a prefix are read.
    """
    here, there = lines.mixtures, lines.metrics
    weights = columns_of(here.header, "w", form.weights, where=here.path)
    scores = columns_of(there.header, "score", form.scores, where=there.path)
    if here is not there:
        weights = weights or _bare(here)
        scores = scores or _bare(there)
    scores = {name: column for name, column in scores.items() if here is not there or column not in weights.values()}
    for found, sheet, kind, what in ((weights, here, "w", "domain"), (scores, there, "score", "benchmark")):
        if not found:
            raise ModomodoError(_lacking(sheet, kind, what))
    return weights, scores


def _bare(sheet: Sheet) -> dict[str, str]:
    columns = bare_columns(sheet)
    return dict(zip(without_prefix(columns), columns, strict=True))


def _lacking(sheet: Sheet, kind: str, what: str) -> str:
    """Return what to do about a table without a column of a kind."""
    shown = f"{', '.join(sheet.header[:SHOWN])}{', ...' if len(sheet.header) > SHOWN else ''}"
    message = f"{sheet.path} line 1 has no column {kind}.<{what}>; its columns: {shown}: "
    message += f"put {kind}. before the names of {what}s"
    if len(sheet.header) == 1:
        return f"{message}; if these are several, write commas, semicolons or tabs between them"
    keys = ("weights", "scores") if kind == "w" else ("scores",)
    sets = " ".join(f"--set {shlex.quote(one)}" for one in settings(sheet, kinds=keys))
    if sets:
        return f"{message}, or name them: {sets}"
    other = "scores" if kind == "score" else "mixtures"
    return f"{message}, or give a second file with the {other}, joined by a column run"


def _unread(lines: Joined, weights: Mapping[str, str], scores: Mapping[str, str]) -> list[str]:
    known = [f"{kind}.{name}" for name in scores for kind in KINDS[1:]]
    used = {*known, *weights.values(), *scores.values()}
    notes: list[str] = []
    for sheet in lines.sheets:
        own = [column_called(sheet.header, (key,)) for key in (*KEYS, *STATES)]
        mine = [*used, *(name for name in (label_column(sheet, tuple(used)), *own) if name is not None)]
        notes += unread_note(sheet, mine, [*known, *KEYS, "label", *(f"w.{name}" for name in weights)])
    return notes


def _with_notation(lines: Joined, weights: Mapping[str, str], scores: Mapping[str, str]) -> Joined:
    """Return the lines with what commas mean in their numbers."""
    used = {*weights.values(), *scores.values(), *(f"{kind}.{name}" for name in scores for kind in KINDS[2:])}
    mixtures, metrics = (
        with_notation(sheet, [name for name in sheet.header if name in used])
        for sheet in (lines.mixtures, lines.metrics)
    )
    return replace(lines, mixtures=mixtures, metrics=mixtures if lines.mixtures is lines.metrics else metrics)


def _scores(sheet: Sheet, scores: Mapping[str, str]) -> Array:
    check_percent(sheet, [*scores.values(), *(f"se.{name}" for name in scores if f"se.{name}" in sheet.header)])
    return numbers(sheet, list(scores.values()))


def _signed(sheet: Sheet, scores: Mapping[str, str]) -> list[str]:
    """Return the benchmarks whose scores have % signs."""
    return [name for name, column in scores.items() if any(map(is_percent, sheet.column(column)))]


def _percent_notes(signed: Sequence[str], sheet: Sheet) -> list[str]:
    return (
        [f"{sheet.path}: read as shares, as they have % signs (61.2% is 0.612): {', '.join(signed)}"] if signed else []
    )


def _scale(form: TableForm, benchmarks: Sequence[str], *, signed: Sequence[str]) -> dict[str, float]:
    """Return benchmark -> full score, where the user gave one; 100 is 1 where % signs have made shares of scores."""
    given = form.scale
    scale = dict.fromkeys(benchmarks, float(given)) if isinstance(given, int | float) else dict(given or {})
    return {name: 1.0 if name in signed and full == 100 else full for name, full in scale.items()}


def _whole(lines: Joined, key: str) -> tuple[int | None, ...]:
    """Return the seeds or the steps of the runs, from whichever file has them."""
    sheet = next((one for one in reversed(lines.sheets) if column_called(one.header, (key,))), lines.metrics)
    values = integers(sheet, column_called(sheet.header, (key,)))
    for row, value in enumerate(values):
        if key == "steps" and value is not None and value < 1:
            raise ModomodoError(f"{sheet.place(row)}: steps is {value}: leave out runs without training")
    return values


def _noise(
    sheet: Sheet, scores: Mapping[str, str], y_NB: Array, scale: Mapping[str, float]
) -> tuple[Array, Array, list[str]]:
    """Return the standard errors [N, B], binomial where only the items [N, B] are known, and a note where neither does.

    Raises ModomodoError for the standard error of a share that no share can have.
    """
    se_NB = numbers(sheet, [f"se.{name}" for name in scores], low=0.0)
    n_NB = numbers(sheet, [f"n.{name}" for name in scores], low=1.0)
    full_B = np.array([scale.get(name) or full_score(y_N, name) for name, y_N in zip(scores, y_NB.T, strict=True)])
    for row, b in np.argwhere((se_NB > 0.5 * full_B) & (full_B <= 1)):
        name = list(scores)[int(b)]
        raise ModomodoError(
            f"{sheet.place(int(row))}: se.{name} is {se_NB[row, b]:g}, but scores up to {full_B[b]:g} have standard "
            f"errors up to {full_B[b] / 2:g}: write it on the scale of score.{name}"
        )
    # Two successes and two failures are added (Agresti and Coull 1998): a score of 0 or 1 is not known exactly.
    share_NB = (y_NB / full_B * n_NB + 2) / (n_NB + 4)
    outside_B = np.any((y_NB < 0) | (y_NB > full_B), axis=0)
    odd = [name for name, out, n_N in zip(scores, outside_B, n_NB.T, strict=True) if out and np.isfinite(n_N).any()]
    note = (
        f"{sheet.path}: n. gives a standard error only for shares and percent, which {', '.join(odd)} leaves; give se. "
        "instead, or scale, a full score (n. still weights the default aggregate)"
    )
    with np.errstate(invalid="ignore"):
        binomial_NB = np.where(outside_B, np.nan, full_B * np.sqrt(share_NB * (1 - share_NB) / (n_NB + 4)))
    return np.where(np.isnan(se_NB), binomial_NB, se_NB), n_NB, [note] if odd else []
