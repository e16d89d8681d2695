"""Figures of the surrogate: predicted against observed, slices of the response surface, effects of single domains.

Axes: N runs, D domains, B benchmarks, P shares along a slice, K columns (benchmarks, then aggregates).
"""

import numpy as np
import plotly.graph_objects as go

from modomodo.reporting.effects import Effects, Slices
from modomodo.reporting.figures import LABEL, NO_NAME, new_figure
from modomodo.reporting.markup import plot_text
from modomodo.reporting.style import DIVERGING, INK, MUTED, domain_colours, shade
from modomodo.surrogate import Fitted
from modomodo.surrogate.predictions import weighted


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
    _diagonal(figure, np.concatenate([y_N[used_N], low_N[used_N], high_N[used_N]]))
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
            hovertemplate="<b>%{customdata[0]}</b><br>observed %{x:.3f}<br>predicted %{y:.3f}, 90 % interval "
            "%{customdata[2]:.3f} to %{customdata[3]:.3f}<br>%{customdata[1]}" + NO_NAME,
        )
    figure.update_xaxes(title_text="observed", tickformat=".2~f", nticks=6)
    figure.update_yaxes(title_text="predicted without it", tickformat=".2~f", nticks=6)
    return figure


def slice_figure(slices: Slices, *, domain: str, name: str, caps: tuple[float, float] | None = None) -> go.Figure:
    """Return the expected score of `name` over the share of `domain`, with its 90 % band; outside `caps` is grey."""
    d, k = slices.domains.index(domain), slices.names.index(name)
    share_P, colour = slices.share_DP[d], domain_colours(slices.domains)[domain]
    mean_P, low_P, high_P = (part[d, :, k] for part in (slices.mean_DPK, slices.low_DPK, slices.high_DPK))
    at = float(slices.through.vector(slices.domains)[d])
    here = int(np.argmin(np.abs(share_P - at)))
    figure = new_figure(plot_text(domain), height=240, showlegend=False)
    _shade_outside(figure, caps or (0.0, 1.0))
    figure.add_vline(x=at, line={"color": MUTED, "width": 1, "dash": "dot"})
    figure.add_scatter(
        x=np.concatenate([share_P, share_P[::-1]]),
        y=np.concatenate([high_P, low_P[::-1]]),
        fill="toself",
        fillcolor=shade(colour, 0.22),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=share_P,
        y=mean_P,
        mode="lines",
        line={"color": colour, "width": 2.5},
        customdata=np.stack([low_P, high_P], axis=1),
        hovertemplate="share %{x:.0%}: %{y:.3f}<br>90 % band %{customdata[0]:.3f} to %{customdata[1]:.3f}" + NO_NAME,
    )
    figure.add_scatter(
        x=[at],
        y=[mean_P[here]],
        mode="markers",
        marker={"color": INK, "size": 9, "symbol": "diamond"},
        hoverinfo="skip",
    )
    spread = (float(slices.low_DPK[:, :, k].min()), float(slices.high_DPK[:, :, k].max()))
    room = 0.04 * (spread[1] - spread[0]) or 0.01
    figure.update_xaxes(tickformat=".0%", range=[-0.01, 1.01], nticks=6)
    figure.update_yaxes(range=[spread[0] - room, spread[1] + room], tickformat=".2~f", nticks=6)
    return figure


def effects_figure(effects: Effects) -> go.Figure:
    """Return a heat map: the score without a domain minus that of equal shares, in hundredths; purple: it is missed."""
    largest = np.nanmax(np.abs(effects.difference_DB), initial=1e-6)
    cells = [[_cell_text(effects, d, b) for b in range(len(effects.benchmarks))] for d in range(len(effects.domains))]
    figure = new_figure("Score without a domain minus score at equal shares", height=46 * len(effects.domains) + 90)
    figure.add_heatmap(
        z=100 * effects.difference_DB,
        x=list(range(len(effects.benchmarks))),
        y=list(range(len(effects.domains))),
        colorscale=[list(stop) for stop in DIVERGING],
        zmin=-100 * largest,
        zmax=100 * largest,
        text=_cell_numbers(effects),
        texttemplate="%{text}",
        customdata=cells,
        hovertemplate="%{customdata}" + NO_NAME,
        hoverongaps=False,
        xgap=3,
        ygap=3,
        showscale=False,
    )
    shown = [plot_text(name, limit=14) for name in effects.benchmarks]
    figure.update_xaxes(
        tickmode="array", tickvals=list(range(len(shown))), ticktext=shown, side="top", showgrid=False, zeroline=False
    )
    without = [f"without {plot_text(name, limit=LABEL)}" for name in effects.domains]
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(without))),
        ticktext=without,
        autorange="reversed",
        ticks="",
        ticklabelstandoff=6,
        showgrid=False,
        zeroline=False,
    )
    return figure


def _shade_outside(figure: go.Figure, caps: tuple[float, float]) -> None:
    for low, high in ((0.0, caps[0]), (caps[1], 1.0)):
        if high > low:
            figure.add_vrect(x0=low, x1=high, fillcolor=shade(MUTED, 0.15), line_width=0, layer="below")


def _run_texts(fitted: Fitted, row: int) -> tuple[str, str]:
    return plot_text(fitted.runs.labels_N[row]), plot_text(str(fitted.runs.mixture(row)), limit=110)


def _cell_numbers(effects: Effects) -> list[list[str]]:
    return [
        [
            f"{100 * value:+.1f}<br>±{100 * se:.1f}" if np.isfinite(value) else ""
            for value, se in zip(*rows, strict=True)
        ]
        for rows in zip(effects.difference_DB, effects.se_DB, strict=True)
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


def _cell_text(effects: Effects, d: int, b: int) -> str:
    difference, se = float(effects.difference_DB[d, b]), float(effects.se_DB[d, b])
    if not np.isfinite(difference):
        return "no matched runs"
    how = "paired by item" if effects.paired_DB[d, b] else "items of the two runs not paired"
    seeds = effects.seeds_D[d]
    return (
        f"{plot_text(effects.benchmarks[b])} without {plot_text(effects.domains[d])}: {difference:+.3f}"
        f"<br>standard error over items {se:.3f} ({how})<br>{seeds} matched seed{'s' if seeds > 1 else ''}"
    )
