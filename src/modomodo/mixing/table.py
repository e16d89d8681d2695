"""The CSV of runs.

Axes: N runs, D domains, B benchmarks.
"""

import csv
import io
import math
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.files import is_separator_line, not_utf8, separator, write_text
from modomodo.core.mixture import SUM_TOLERANCE
from modomodo.mixing.runs import LARGEST, Runs
from modomodo.mixing.surrogates.base import Array

KINDS = ("w", "score", "se", "n")
PLAIN = ("label", "seed", "steps")
MISSING = frozenset({"", "nan", "na", "n/a", "null", "none", "-"})
ROUNDING = 0.01
EXACT = 1e-9  # closer to 1, a sum is left alone, so that a table that was written comes back as it was


def read_runs(path: str | Path) -> Runs:
    """Return the runs of a CSV file.

    Columns: `w.<domain>`, `score.<benchmark>`, and where known `se.<benchmark>` (the standard error of a score), which
    wins over `n.<benchmark>` (items; gives a binomial standard error for scores in [0, 1]), `seed`, `steps`, `label`.
    An empty cell, nan, na, null, none or - is a missing score. Other columns are named in one warning; weights that sum
    to 1 within 0.01 are divided by their sum, with one warning that gives the count.

    Raises:
        ModomodoError: with the line, for weights further off, cells that are no numbers, and tables without a
            weight, a score or a row.
    """
    path = Path(path)
    header, lines = _read_lines(path)
    domains, benchmarks = _names(header, "w"), _names(header, "score")
    _check_header(path, header)
    if not lines:
        raise ModomodoError(f"{path} has a header and no runs: one line per run is needed")
    weights_ND = _numbers(path, lines, [f"w.{name}" for name in domains], required=True)
    y_NB = _numbers(path, lines, [f"score.{name}" for name in benchmarks])
    se_NB = _numbers(path, lines, [f"se.{name}" for name in benchmarks], low=0.0)
    n_NB = _numbers(path, lines, [f"n.{name}" for name in benchmarks], low=1.0)
    seeds_N, steps_N = _integers(path, lines, "seed"), _integers(path, lines, "steps")
    for steps, (number, _) in zip(steps_N, lines, strict=True):
        if steps is not None and steps < 1:
            raise ModomodoError(f"{path} line {number}: steps is {steps}: leave out runs without training")
    labels_N = tuple(cells.get("label", "") or f"line {number}" for number, cells in lines)
    X_ND = _on_simplex(path, weights_ND, [number for number, _ in lines])
    se_NB = np.where(np.isnan(se_NB), _binomial(path, benchmarks, y_NB, n_NB), se_NB)
    runs = Runs(domains, benchmarks, X_ND, y_NB, se_NB, n_NB, seeds_N, steps_N, labels_N, source=str(path))
    _warn_repeats(path, runs)
    return runs


def read_mixtures(path: str | Path, domains: Sequence[str]) -> Array:
    """Return the mixtures of a CSV file, shape [N, D] in the order of `domains`; only its `w.` columns are read.

    Raises:
        ModomodoError: for other domains than those, and as `read_runs` for weights.
    """
    path = Path(path)
    header, lines = _read_lines(path)
    found = _names(header, "w")
    if set(found) != set(domains) or not lines:
        odd = [f"w.{name}" for name in found if name not in domains]
        lacking = [f"w.{name}" for name in domains if name not in found]
        remedy = [f"drop {', '.join(odd)}"] * bool(odd) + [f"add {', '.join(lacking)}"] * bool(lacking)
        raise ModomodoError(
            f"{path} line 1: {len(lines)} mixtures of {', '.join(found) or 'no domain'}; at least one mixture of "
            f"{', '.join(domains)} is needed (columns w.<domain>): {' and '.join(remedy) or 'add a line'}"
        )
    weights_ND = _numbers(path, lines, [f"w.{name}" for name in domains], required=True)
    return _on_simplex(path, weights_ND, [number for number, _ in lines])


def write_runs(runs: Runs, path: str | Path) -> None:
    """Write the runs as a CSV file that `read_runs` gives back exactly; columns that nobody knows are left out."""
    columns: dict[str, list[str]] = {"label": list(runs.labels_N)}
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


def _read_lines(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the header and (line number, column -> cell) of each line that is not blank."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            mark = separator(file)
            reader = csv.reader(file, delimiter=mark)
            rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except FileNotFoundError:
        near = closest(path.name, [file.name for file in path.parent.glob("*.csv")])
        raise ModomodoError(f"no table of runs at {path}: it does not exist; {near}") from None
    except UnicodeDecodeError as error:
        raise not_utf8(path, error) from None
    except (OSError, csv.Error) as error:
        raise ModomodoError(f"cannot read {path} as a CSV file of runs: {error}") from None
    rows = [(number, row) for number, row in rows if any(row) and not is_separator_line(mark.join(row))]
    for number, row in rows:
        for cell in row:
            if not cell.isprintable():
                raise ModomodoError(f"{path} line {number}: {cell!r} has characters that cannot be printed")
    if not rows:
        raise ModomodoError(f"{path} is empty: a header with w.<domain> and score.<benchmark> is needed")
    header = rows[0][1]
    for name in header:
        if name and header.count(name) > 1:
            raise ModomodoError(f"{path} has {header.count(name)} columns called {name}")
    for number, row in rows[1:]:
        if len(row) != len(header):
            raise ModomodoError(
                f"{path} line {number} has {len(row)} cells, the header {len(header)}: {','.join(row)!r:.80}; write a "
                "decimal point, not a comma, and texts with commas in quotes"
            )
    return header, [(number, dict(zip(header, row, strict=True))) for number, row in rows[1:]]


def _names(header: Sequence[str], kind: str) -> tuple[str, ...]:
    return tuple(name.removeprefix(f"{kind}.") for name in header if name.startswith(f"{kind}.") and name != f"{kind}.")


def _check_header(path: Path, header: Sequence[str]) -> None:
    """Refuse a table without weights or scores; name the columns that nobody reads in one warning."""
    for kind, what in (("w", "w.<domain>"), ("score", "score.<benchmark>")):
        if not _names(header, kind):
            raise ModomodoError(
                f"{path} line 1 has no column {what}; its columns: {', '.join(header)}: put {kind}. before "
                f"the names of {what.partition('.')[2].strip('<>')}s"
            )
    scores = {f"{kind}.{name}" for name in _names(header, "score") for kind in KINDS[1:]}
    known = {*PLAIN, *scores, *(f"w.{name}" for name in _names(header, "w"))}
    unread = [_with_hint(name, known) for name in header if name not in known]
    if unread:
        warnings.warn(f"{path}: columns not read: {', '.join(unread)}", stacklevel=3)


def _with_hint(name: str, known: set[str]) -> str:
    """Return the name of an unread column, with the column that was probably meant."""
    rest = name.partition(".")[2]
    hint = closest(name, known | ({f"{kind}.{rest}" for kind in KINDS[:2]} if rest else set()))
    return f"{name or '(no name)'} ({hint})" if hint.startswith("did you mean") else name or "(no name)"


def _numbers(
    path: Path,
    lines: Sequence[tuple[int, dict[str, str]]],
    columns: Sequence[str],
    *,
    low: float = -LARGEST,
    required: bool = False,
) -> Array:
    """Return the cells of `columns`, shape [N, columns]; a missing cell or column is NaN, or refused if required."""
    found = np.full((len(lines), len(columns)), np.nan)
    for row, (number, cells) in enumerate(lines):
        for index, column in enumerate(columns):
            cell = cells.get(column, "")
            if cell.lower() in MISSING:
                if required:
                    raise ModomodoError(f"{path} line {number}: {column} is {cell!r}; write 0 for an unused domain")
                continue
            try:
                value = float(cell)
            except ValueError:
                raise ModomodoError(
                    f"{path} line {number}: {column} is {cell!r}, not a number: write digits, with a "
                    "decimal point and no unit"
                ) from None
            if not low <= value <= LARGEST:
                between = f"between {max(low, -LARGEST):g} and {LARGEST:g}"
                raise ModomodoError(
                    f"{path} line {number}: {column} is {cell}; it must lie {between}: correct it, or leave it empty"
                )
            found[row, index] = value
    return found


def _integers(path: Path, lines: Sequence[tuple[int, dict[str, str]]], column: str) -> tuple[int | None, ...]:
    values = _numbers(path, lines, [column])[:, 0]
    for value, (number, _) in zip(values, lines, strict=True):
        if not math.isnan(value) and value != int(value):
            raise ModomodoError(f"{path} line {number}: {column} is {value:g}, not a whole number")
    # float() would round seeds beyond 2**53, so whole numbers are read as such.
    texts = [cells.get(column, "") for _, cells in lines]
    return tuple(
        None if math.isnan(value) else int(text) if text.lstrip("+-").isdecimal() else int(value)
        for value, text in zip(values, texts, strict=True)
    )


def _on_simplex(path: Path, weights_ND: Array, numbers: Sequence[int]) -> Array:
    """Return the weights divided by their sums; refuse sums off by more than 0.01, and negative weights."""
    negative = [numbers[int(row)] for row in np.flatnonzero((weights_ND < 0).any(axis=1))]
    if negative:
        raise ModomodoError(f"{path}: negative weights on {_lines(negative)}")
    sums_N = weights_ND.sum(axis=1)
    off_N = np.abs(sums_N - 1)
    far = np.flatnonzero(off_N > ROUNDING + 1e-9)
    if far.size:
        where = _lines([numbers[int(row)] for row in far])
        raise ModomodoError(
            f"{path}: weights sum to {sums_N[far[0]]:.6g} on {where}; they must sum to 1 (within {ROUNDING}): "
            "leave out a run without training, divide percentages by 100"
        )
    near = off_N > SUM_TOLERANCE
    if near.any():
        warnings.warn(
            f"{path}: the weights of {int(near.sum())} of {len(near)} runs sum to 1 only within {off_N.max():.2g}; "
            "each was divided by its sum",
            stacklevel=3,
        )
    return np.where(off_N[:, None] > EXACT, weights_ND / sums_N[:, None], weights_ND)


def _lines(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:8])
    more = f" and {len(numbers) - 8} more" if len(numbers) > 8 else ""
    return f"line{'s' if len(numbers) > 1 else ''} {shown}{more}"


def _binomial(path: Path, benchmarks: Sequence[str], y_NB: Array, n_NB: Array) -> Array:
    """Return binomial standard errors, NaN where there is no count or the benchmark is no share."""
    # Two successes and two failures are added (Agresti and Coull 1998): a score of 0 or 1 is not known exactly.
    share_NB = (y_NB * n_NB + 2) / (n_NB + 4)
    outside_B = np.any((y_NB < 0) | (y_NB > 1), axis=0)
    counted_B = ~np.isnan(n_NB).all(axis=0)
    odd = [benchmarks[int(b)] for b in np.flatnonzero(outside_B & counted_B)]
    if odd:
        warnings.warn(
            f"{path}: n. gives a standard error only for scores in [0, 1], which {', '.join(odd)} leaves; "
            "give se. instead (n. still weights the default aggregate)",
            stacklevel=3,
        )
    with np.errstate(invalid="ignore"):
        se_NB = np.sqrt(share_NB * (1 - share_NB) / (n_NB + 4))
    return np.where(outside_B, np.nan, se_NB)


def _warn_repeats(path: Path, runs: Runs) -> None:
    """Say which runs repeat a mixture and a seed: they count as replicates, and may be the same run twice."""
    seen: set[tuple[int, int, int | None]] = set()
    repeats: list[str] = []
    for group, seed, steps, label in zip(runs.groups(), runs.seeds_N, runs.steps_N, runs.labels_N, strict=True):
        if seed is not None:
            key = (int(group), seed, steps)
            if key in seen:
                repeats.append(label)
            seen.add(key)
    if repeats:
        warnings.warn(
            f"{path}: {len(repeats)} runs repeat mixture, seed and steps of an earlier line and count as replicates: "
            f"{', '.join(repeats[:8])}{' ...' if len(repeats) > 8 else ''}",
            stacklevel=3,
        )
