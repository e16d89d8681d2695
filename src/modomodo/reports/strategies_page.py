"""The comparison of mixture strategies as files: a table for programs, a page with the figures for people."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go

from modomodo.core.errors import count
from modomodo.core.files import csv_cell, write_text
from modomodo.mixing.strategies import Replay, Spread, Summary
from modomodo.reports.figures.of_runs import NO_NAME, new_figure
from modomodo.reports.figures.style import MUTED, domain_colours, domain_dash
from modomodo.reports.html.blocks import figure_block
from modomodo.reports.html.document import document
from modomodo.reports.html.markup import el, plot_label, plot_text

PARTS = ("count", "mean", "median", "lo95", "hi95")
PANELS = (("rho", "rank correlation"), ("regret", "regret, in {unit}"))
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")
LEAD = (
    "Each strategy sees some of the runs of the table and names the mixture that it takes for the best, or puts "
    "mixtures in order; the runs that it has not seen judge it."
)
CAPTION = (
    "Above: rank correlation between the strategy's order of the unseen runs and their order by score (1 is perfect, 0 "
    "is chance; higher is better). Below: regret, by how much the run that it would choose scores less than the best, "
    "in {unit}{of} (0 is perfect; lower is better). Bars are 95 % intervals of the mean."
)
APART = 1.012  # strategies of one size are side by side


def write_strategies(replay: Replay, folder: Path, *, title: str) -> tuple[Path, ...]:
    """Write `strategies.csv` (a line for each strategy and size) and `strategies.html`, and return their paths."""
    table, page = folder / "strategies.csv", folder / "strategies.html"
    write_text(table, strategies_csv(replay))
    write_text(page, strategies_page(replay, title=title))
    return table, page


def strategies_page(replay: Replay, *, title: str) -> str:
    """Return the page: the figure, what its axes and bars are, and what a reader has to know."""
    name = f"Mixture strategies on {title}"
    head = el(
        "header",
        el("p", "modomodo strategies", cls="eyebrow"),
        el("h1", name),
        el("p", LEAD, cls="about", style="margin-bottom:1rem"),
        cls="top",
    )
    figure = strategies_figure(replay, title="What each strategy makes of some of the runs")
    problems = dict.fromkeys(f"{one.strategy}: {one.problem}" for one in replay.summaries if one.problem)
    notes = [el("li", one) for one in (*replay.notes, *problems)]
    aside = el("aside", el("h3", "Read it with this in mind"), el("ul", *notes)) if notes else None
    of = " of the unseen runs" if replay.unit == "standard deviations" else ""
    caption = f"{CAPTION.format(unit=replay.unit, of=of)} {_draws(replay)}"
    return document(name, head, el("main", el("section", figure_block(figure, note=caption), aside)))


def _draws(replay: Replay) -> str:
    draws = [one.draws for one in replay.summaries if one.draws]
    low, high = (min(draws), max(draws)) if draws else (0, 0)
    number = count(high, "draw") if low == high else f"{low:,} to {count(high, 'draw')}"
    return f"Each point is the mean of {number}; strategies of one size are drawn a little apart."


def strategies_csv(replay: Replay) -> str:
    """Return the summaries as CSV: `rho.mean`, `regret.lo95`, ...; `behind` is the regret minus ours, draw by draw."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    kinds = ("rho", "regret", "behind")
    writer.writerow(["strategy", "n", "draws", *(f"{kind}.{part}" for kind in kinds for part in PARTS), "problem"])
    for one in replay.summaries:
        cells = [cell for kind in kinds for cell in _cells(getattr(one, kind))]
        writer.writerow([one.strategy, one.n, one.draws, *cells, csv_cell(one.problem)])
    return text.getvalue()


def strategies_figure(replay: Replay, *, title: str) -> go.Figure:
    """Return rank correlation and regret over the number of runs, a line with 95 % intervals for each strategy."""
    figure = new_figure(plot_text(title, limit=100), height=680)
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
        figure.update_yaxes(title_text=words.format(unit=replay.unit), row=row, col=1)
    figure.add_hline(y=0, line={"color": MUTED, "width": 1}, layer="below")
    return figure.update_layout(margin={"l": 20, "b": 20}, hovermode="closest")


def _line(shown: Sequence[tuple[Summary, Spread]], *, name: str, names: Sequence[str], shift: float) -> go.Scatter:
    half = [0.0 if found.count < 2 else found.hi95 - found.mean for _, found in shown]
    return go.Scatter(
        x=[one.n * shift for one, _ in shown],
        y=[found.mean for _, found in shown],
        error_y={"array": half, "thickness": 1.5, "width": 3},
        name=plot_label(name),
        legendgroup=name,
        mode="lines+markers",
        marker={"size": 8, "symbol": _symbol(names.index(name))},
        line={"color": domain_colours(names)[name], "dash": domain_dash(names)[name], "width": 2},
        customdata=[
            [plot_text(name), count(one.n, "run"), found.median, count(found.count, "draw")] for one, found in shown
        ],
        hovertemplate="%{customdata[0]}, %{customdata[1]}: %{y:.3f}<br>median %{customdata[2]:.3f}, %{customdata[3]}"
        + NO_NAME,
    )


def _symbol(index: int) -> str:
    """Return a symbol; strategies that share a colour have different ones."""
    return SYMBOLS[(index + index // len(SYMBOLS)) % len(SYMBOLS)]


def _cells(found: Spread | None) -> list[str]:
    """Return the numbers of a spread; what is not known is an empty cell."""
    values = [getattr(found, part) if found is not None else float("nan") for part in PARTS]
    return ["" if value != value else repr(value) for value in values]
