"""The comparison of mixture strategies as files: a table for programs, a page with the figures for people."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go

from modomodo.files import write_text
from modomodo.reporting.figures import LABEL, NO_NAME, new_figure
from modomodo.reporting.markup import plot_text
from modomodo.reporting.style import MUTED, domain_colours, domain_dash
from modomodo.strategy import Replay, Spread, Summary

PARTS = ("count", "mean", "median", "lo95", "hi95")
PANELS = (("rho", "rank correlation"), ("regret", "regret, in standard deviations"))
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")
APART = 1.012  # strategies of one size stand side by side


def write_strategies(replay: Replay, folder: Path, *, title: str) -> tuple[Path, ...]:
    """Write `strategies.csv` (a line for each strategy and size) and `strategies.html`, and return their paths."""
    table, page = folder / "strategies.csv", folder / "strategies.html"
    write_text(table, strategies_csv(replay))
    figure = strategies_figure(replay, title=f"Mixture strategies on {title}")
    write_text(page, str(figure.to_html(include_plotlyjs=True, full_html=True, config={"displaylogo": False})))
    return table, page


def strategies_csv(replay: Replay) -> str:
    """Return the summaries as CSV: `rho.mean`, `regret.lo95`, ...; `behind` is the regret minus ours, draw by draw."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    kinds = ("rho", "regret", "behind")
    writer.writerow(["strategy", "n", "draws", *(f"{kind}.{part}" for kind in kinds for part in PARTS), "problem"])
    for one in replay.summaries:
        cells = [cell for kind in kinds for cell in _cells(getattr(one, kind))]
        writer.writerow([one.strategy, one.n, one.draws, *cells, one.problem])
    return text.getvalue()


def strategies_figure(replay: Replay, *, title: str) -> go.Figure:
    """Return rank correlation and regret over the number of runs, a line with 95 % intervals for each strategy."""
    figure = new_figure(plot_text(title, limit=100), height=620)
    figure.set_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06)
    names = list(dict.fromkeys(one.strategy for one in replay.summaries if one.draws))
    for index, name in enumerate(names):
        mine = [one for one in replay.summaries if one.strategy == name and one.draws]
        for row, (measure, _) in enumerate(PANELS, start=1):
            shown = [(one, getattr(one, measure)) for one in mine if getattr(one, measure).count]
            if shown:
                line = _line(shown, name=name, names=names, shift=APART ** (index - len(names) / 2))
                figure.add_trace(line.update(showlegend=measure == "regret"), row=row, col=1)
    sizes = sorted({one.n for one in replay.summaries if one.draws})
    figure.update_xaxes(type="log", tickmode="array", tickvals=sizes, ticktext=[str(n) for n in sizes])
    figure.update_xaxes(title_text="runs learned from", row=2, col=1)
    for row, (_, words) in enumerate(PANELS, start=1):
        figure.update_yaxes(title_text=words, row=row, col=1)
    figure.add_hline(y=0, line={"color": MUTED, "width": 1}, layer="below")
    legend = {"orientation": "v", "x": 1.01, "y": 1, "yanchor": "top"}
    return figure.update_layout(margin={"t": 50, "l": 20, "b": 20}, title_x=0.01, legend=legend, hovermode="closest")


def _line(shown: Sequence[tuple[Summary, Spread]], *, name: str, names: Sequence[str], shift: float) -> go.Scatter:
    half = [0.0 if found.count < 2 else found.hi95 - found.mean for _, found in shown]
    return go.Scatter(
        x=[one.n * shift for one, _ in shown],
        y=[found.mean for _, found in shown],
        error_y={"array": half, "thickness": 1.5, "width": 3},
        name=plot_text(name, limit=LABEL),
        legendgroup=name,
        mode="lines+markers",
        marker={"size": 8, "symbol": _symbol(names.index(name))},
        line={"color": domain_colours(names)[name], "dash": domain_dash(names)[name], "width": 2},
        customdata=[[plot_text(name), one.n, found.median, found.count] for one, found in shown],
        hovertemplate="%{customdata[0]}, %{customdata[1]} runs: %{y:.3f}<br>median %{customdata[2]:.3f}, "
        "%{customdata[3]} draws" + NO_NAME,
    )


def _symbol(index: int) -> str:
    """Return a symbol; strategies that share a colour have different ones."""
    return SYMBOLS[(index + index // len(SYMBOLS)) % len(SYMBOLS)]


def _cells(found: Spread | None) -> list[str]:
    """Return the numbers of a spread; what is not known is an empty cell."""
    values = [getattr(found, part) if found is not None else float("nan") for part in PARTS]
    return ["" if value != value else repr(value) for value in values]
