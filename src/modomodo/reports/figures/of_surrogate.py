"""Figures of what was observed: against predictions, and effects of single domains.

Axes: N runs, D domains, B benchmarks, K columns (benchmarks, then aggregates).
"""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from modomodo.mixing import Fitted
from modomodo.mixing.predictions import weighted
from modomodo.reports.figures.of_runs import NO_NAME, TINY, new_figure
from modomodo.reports.figures.style import DIVERGING, INK, MUTED, shade
from modomodo.reports.html.markup import plot_label, plot_text
from modomodo.reports.numbers.effects import Effects
from modomodo.reports.numbers.formats import number, number_format, signed, tick_format

SAME = "same"  # means a difference of 0 without any error


def predicted_figure(fitted: Fitted, *, name: str) -> go.Figure:
    """Return left-out predictions of one benchmark or aggregate against what was observed, with 90 % intervals.

    Each run is predicted from the runs of all other mixtures; a run outside its interval is drawn as an open mark.
    """
    k = fitted.index(name)
    y_N = weighted(fitted.runs.y_NB, fitted.weights_of(name))
    mean_N = fitted.left_out.mean_NK[:, k]
    low_N, high_N = (end_NK[:, k] for end_NK in fitted.left_out.interval(0.9))
    used_N = np.isfinite(y_N) & np.isfinite(mean_N)
    inside_N = (y_N >= low_N) & (y_N <= high_N)
    figure = new_figure(plot_text(name), height=320, showlegend=False)
    values = np.concatenate([y_N[used_N], low_N[used_N], high_N[used_N]])
    shown, ticks = number_format(values), tick_format(values)
    _diagonal(figure, values)
    for inside, symbol in ((True, "circle"), (False, "diamond-open")):
        rows = np.flatnonzero(used_N & (inside_N == inside))
        figure.add_scatter(
            x=y_N[rows],
            y=mean_N[rows],
            mode="markers",
            marker={"color": INK, "size": 8 if inside else 11, "symbol": symbol, "line": {"width": 2, "color": INK}},
            error_y={
                "array": (high_N - mean_N)[rows],
                "arrayminus": (mean_N - low_N)[rows],
                "color": shade(MUTED, 0.7),
                "thickness": 1.5,
                "width": 3,
            },
            customdata=[[*_run_texts(fitted, int(row)), float(low_N[row]), float(high_N[row])] for row in rows],
            hovertemplate=f"<b>%{{customdata[0]}}</b><br>observed %{{x:{shown}}}<br>predicted %{{y:{shown}}}, "
            f"90 % interval %{{customdata[2]:{shown}}} to %{{customdata[3]:{shown}}}<br>%{{customdata[1]}}{NO_NAME}",
        )
    figure.update_xaxes(title_text="observed", tickformat=ticks, nticks=6)
    figure.update_yaxes(title_text="predicted without it", tickformat=ticks, nticks=6)
    return figure


def effects_figure(effects: Effects) -> go.Figure:
    """Return a heat map: the score without a domain minus the score of equal shares; purple: it is missed."""
    largest = np.nanmax(np.abs(effects.difference_DB), initial=TINY)
    shown = number_format([0.0, *effects.difference_DB.flat, *effects.se_DB.flat])
    cells = [
        [_cell_text(effects, d, b, shown) for b in range(len(effects.benchmarks))] for d in range(len(effects.domains))
    ]
    figure = new_figure("Score without a domain minus score at equal shares", height=46 * len(effects.domains) + 90)
    figure.add_heatmap(
        z=effects.difference_DB,
        x=list(range(len(effects.benchmarks))),
        y=list(range(len(effects.domains))),
        colorscale=[list(stop) for stop in DIVERGING],
        zmin=-largest,
        zmax=largest,
        text=_cell_numbers(effects, shown),
        texttemplate="%{text}",
        textfont={"color": INK},
        customdata=cells,
        hovertemplate="%{customdata}" + NO_NAME,
        hoverongaps=False,
        xgap=3,
        ygap=3,
        showscale=False,
    )
    _name_cells(figure, effects)
    return figure


def _name_cells(figure: go.Figure, effects: Effects) -> None:
    columns = [plot_label(name, width=14) for name in effects.benchmarks]
    rows = [f"without {plot_label(name)}" for name in effects.domains]
    plain: dict[str, Any] = {"tickmode": "array", "showgrid": False, "zeroline": False}
    figure.update_xaxes(tickvals=list(range(len(columns))), ticktext=columns, side="top", **plain)
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=rows,
        autorange="reversed",
        ticks="",
        ticklabelstandoff=6,
        **plain,
    )


def _run_texts(fitted: Fitted, row: int) -> tuple[str, str]:
    return plot_text(fitted.runs.labels_N[row]), plot_text(str(fitted.runs.mixture(row)), limit=110)


def _cell_numbers(effects: Effects, shown: str) -> list[list[str]]:
    return [
        [
            SAME if same else f"{signed(value, shown)}<br>±{number(se, shown)}" if np.isfinite(value) else ""
            for value, se, same in zip(*rows, strict=True)
        ]
        for rows in zip(effects.difference_DB, effects.se_DB, effects.same, strict=True)
    ]


def _diagonal(figure: go.Figure, values: np.ndarray) -> None:
    """Draw predicted = observed, and take the same range on both axes."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    room = 0.05 * (high - low) or 0.01
    ends = [low - room, high + room]
    figure.add_scatter(
        x=ends, y=ends, mode="lines", line={"color": MUTED, "width": 1, "dash": "dash"}, hoverinfo="skip"
    )
    figure.update_xaxes(range=ends)
    figure.update_yaxes(range=ends)


def _cell_text(effects: Effects, d: int, b: int, shown: str) -> str:
    difference, se = float(effects.difference_DB[d, b]), float(effects.se_DB[d, b])
    if not np.isfinite(difference):
        return "no matched runs"
    how = "paired by item" if effects.paired_DB[d, b] else "items of the two runs not paired"
    seeds = effects.seeds_D[d]
    return (
        f"{plot_text(effects.benchmarks[b])} without {plot_text(effects.domains[d])}: {signed(difference, shown)}"
        f"<br>standard error over items {number(se, shown)} ({how})<br>{seeds} matched seed{'s' if seeds > 1 else ''}"
    )
