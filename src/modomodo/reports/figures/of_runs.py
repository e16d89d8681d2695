"""Figures of runs, shares and gains, as plotly figures; all names in them are escaped.

from modomodo.reports import mixture_figure
mixture_figure(Mixture.parse("a=0.7,b=0.3", ["a", "b"]), reference=Mixture.uniform(["a", "b"])).show()
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from modomodo.core.mixture import Mixture
from modomodo.mixing.confirmation import Difference
from modomodo.reports.figures.style import INK, MUTED, PAPER, domain_colours, domain_dash, template
from modomodo.reports.html.markup import plot_label, plot_text
from modomodo.reports.numbers.curves import Curves
from modomodo.reports.numbers.formats import number, number_format, signed, tick_format
from modomodo.study.results import FinishedRun

ROW = 28  # pixels of a row
LEAST = 130  # pixels of a figure of rows: of a lower one plotly cuts the margins, and names run into each other
NO_NAME = "<extra></extra>"
TINY = 1e-12  # a range of colours must have a width


@dataclass(frozen=True)
class Gain:
    """A gain over equal shares with its intervals, in the units of the score; `seeds` are single matched seeds.

    `lo95` and `hi95` are None where only the 90 % interval is known.
    """

    name: str
    gain: float
    lo90: float
    hi90: float
    lo95: float | None = None
    hi95: float | None = None
    seeds: tuple[tuple[str, float], ...] = ()

    @property
    def widest(self) -> tuple[float, float]:
        """The 95 % interval where it is known, else the 90 % one: what the sentence about the gain goes by."""
        return (self.lo90, self.hi90) if self.lo95 is None or self.hi95 is None else (self.lo95, self.hi95)

    @property
    def decided(self) -> bool:
        """Whether the widest interval excludes 0; one without a width has no spread to judge by."""
        low, high = self.widest
        return low < high and (low > 0 or high < 0)


def measured_gain(difference: Difference, *, seeds: tuple[tuple[str, float], ...] = ()) -> Gain:
    """Return a measured difference as a Gain."""
    ends = {key: getattr(difference, key) for key in ("gain", "lo90", "hi90", "lo95", "hi95")}
    return Gain(difference.name, seeds=seeds, **ends)


def gain_format(difference: Difference) -> str:
    """Return the format of a measured difference, of its intervals and of the scores that it is made of."""
    return number_format([difference.gain, difference.lo95, difference.hi95])


@dataclass(frozen=True)
class Dot:
    """A run in a figure of scores: its name and mixture, its score and standard error (NaN: not known), what else a
    reader is told, and its symbol."""

    label: str
    mixture: Mixture
    mean: float
    se: float
    detail: str = ""
    symbol: str = "circle"


def new_figure(title: str, *, height: int, **layout: Any) -> go.Figure:
    """Return an empty figure in the style of all."""
    return go.Figure(layout={"template": template(), "title": {"text": title}, "height": height, **layout})


def mixture_figure(mixture: Mixture, *, reference: Mixture | None = None) -> go.Figure:
    """Return the shares of a mixture as bars; `reference` shows as a mark on each bar."""
    names = mixture.domains
    colours = domain_colours(names)
    shown = [f"{plot_label(name)}<br><b>{weight:.1%}</b>" for name, weight in mixture.as_dict().items()]
    figure = new_figure("Share of each domain", height=(ROW + 10) * len(names) + 70, showlegend=False, bargap=0.35)
    figure.add_bar(
        x=mixture.weights,
        y=list(range(len(names))),
        orientation="h",
        marker={"color": [colours[name] for name in names]},
        customdata=[plot_text(name) for name in names],
        hovertemplate="%{customdata}: %{x:.2%}" + NO_NAME,
    )
    if reference is not None:
        figure.add_scatter(
            x=reference.vector(names),
            y=list(range(len(names))),
            mode="markers",
            marker={"symbol": "line-ns", "size": 17, "line": {"width": 2, "color": INK}},
            hovertemplate="compared with: %{x:.2%}" + NO_NAME,
        )
    _rows(figure, shown)
    figure.update_xaxes(tickformat=".0%", nticks=5, rangemode="tozero", title_text="share of the prompts")
    return figure


def gains_figure(gains: Sequence[Gain], *, title: str = "Gain over equal shares") -> go.Figure:
    """Return gains with their intervals: thick 90 %, thin 95 %, and the single seeds as dots.

    Where nothing is decided they are grey.
    """
    ends = [0.0, *(end for gain in gains for end in (*gain.widest, *(value for _, value in gain.seeds)))]
    shown = f":+{number_format(ends)}}}"
    figure = new_figure(title, height=max((ROW + 8) * len(gains) + 78, 141), showlegend=False)
    figure.add_vline(x=0, line={"color": MUTED, "width": 1})
    for row, gain in enumerate(gains):
        colour = INK if gain.decided else MUTED
        if gain.lo95 is not None:
            _segment(figure, [gain.lo95, gain.hi95], row, colour, 1.5)
        _segment(figure, [gain.lo90, gain.hi90], row, colour, 6)
        figure.add_scatter(
            x=[value for _, value in gain.seeds],
            y=[row + 0.28] * len(gain.seeds),
            mode="markers",
            marker={"size": 6, "color": PAPER, "line": {"color": MUTED, "width": 1.5}},
            customdata=[plot_text(name) for name, _ in gain.seeds],
            hovertemplate="%{customdata}: %{x" + shown + NO_NAME,
        )
        figure.add_scatter(
            x=[gain.gain],
            y=[row],
            mode="markers",
            marker={"symbol": "diamond", "size": 12, "color": PAPER, "line": {"width": 2, "color": INK}},
            customdata=[[plot_text(gain.name), _interval(gain, number_format(ends))]],
            hovertemplate="%{customdata[0]}: %{x" + shown + "<br>%{customdata[1]}" + NO_NAME,
        )
    _rows(figure, [plot_label(gain.name) for gain in gains])
    room = 0.05 * (max(ends) - min(ends)) or 0.01
    figure.update_xaxes(range=[min(ends) - room, max(ends) + room])
    figure.update_xaxes(
        tickformat=f"+{tick_format(ends)}", nticks=6, title_text="difference in score<br>(positive is better)"
    )
    return figure


def scores_figure(
    dots: Sequence[Dot], *, title: str, equal: float | None = None, bounds: tuple[float, float] = (-np.inf, np.inf)
) -> go.Figure:
    """Return the scores of runs, the best on top, with one standard error either side; `equal` is drawn as a line.

    The standard errors end at the `bounds` of the score.
    """
    ordered = sorted(dots, key=lambda dot: -dot.mean)
    means = [dot.mean for dot in ordered]
    shown = number_format(means)
    figure = new_figure(title, height=max((ROW - 6) * len(ordered) + 66, LEAST), showlegend=False)
    if equal is not None:
        figure.add_vline(x=equal, line={"color": MUTED, "width": 1.5, "dash": "dot"}, layer="below")
    figure.add_scatter(
        x=means,
        y=list(range(len(ordered))),
        mode="markers",
        marker={"symbol": [dot.symbol for dot in ordered], "size": 9, "color": INK, "line": {"color": INK}},
        error_x={
            "array": [min(dot.se, bounds[1] - dot.mean) for dot in ordered],
            "arrayminus": [min(dot.se, dot.mean - bounds[0]) for dot in ordered],
            "color": MUTED,
            "thickness": 1.5,
            "width": 3,
        },
        customdata=[
            [plot_text(dot.label), plot_text(str(dot.mixture), limit=110), _spread(dot, shown)] for dot in ordered
        ],
        hovertemplate="<b>%{customdata[0]}</b><br>%{x:" + shown + "}%{customdata[2]}<br>%{customdata[1]}" + NO_NAME,
    )
    _rows(figure, [plot_label(dot.label) for dot in ordered])
    known = any(dot.se == dot.se for dot in ordered)
    figure.update_xaxes(title_text="score ± one standard error" if known else "score", tickformat=tick_format(means))
    return figure


def curve_figure(curves: Curves, *, measure: str, domains: Sequence[str]) -> go.Figure:
    """Return one of the curves' measures over the steps of a run, a line for each domain."""
    percent = {"range": [-0.02, 1.02], "tickformat": ".0%"}
    figure = new_figure(
        curves.measures[measure],
        height=270,
        xaxis={"title": {"text": "step"}, "rangemode": "tozero"},
        yaxis={"rangemode": "tozero", "tickformat": ".2~f"} if measure == "reward" else percent,
    )
    colours, dashes = domain_colours(domains), domain_dash(domains)
    lines = [
        {
            "type": "scatter",
            "x": [point.step for point in points],
            "y": [getattr(point, measure) for point in points],
            "name": plot_label(name),
            "mode": "lines+markers" if len(points) < 3 else "lines",
            "line": {"color": colours[name], "width": 2, "dash": dashes[name]},
            "connectgaps": True,
            "customdata": [plot_text(name)] * len(points),
            "hovertemplate": "%{customdata}, step %{x}: %{y:.3f}" + NO_NAME,
        }
        for name in domains
        if (points := curves.points.get(name))
    ]
    return figure.add_traces(lines)  # at once: plotly takes its time for each call


def shares_figure(run: FinishedRun, *, domains: Sequence[str]) -> go.Figure:
    """Return what became of a run's mixture: its requested, realised and effective shares, and those of tokens."""
    colours = domain_colours(domains)
    kinds = (
        ("requested", run.requested or run.mixture.as_dict(), "line-ns"),
        ("realised", run.realised, "circle"),
        ("effective", run.effective, "diamond"),
        ("tokens", run.tokens, "square-open"),
    )
    figure = new_figure("Shares over the whole run", height=max(270, 24 * len(domains) + 120))
    for index, (kind, shares, symbol) in enumerate(kinds):
        line = {"width": 2, "color": INK} if symbol == "line-ns" else {"width": 1.5}
        figure.add_scatter(
            x=[shares.get(name, 0.0) for name in domains],
            y=[row + 0.2 * (index - 1.5) for row in range(len(domains))],
            name=kind,
            mode="markers",
            marker={"symbol": symbol, "size": 10, "color": [colours[name] for name in domains], "line": line},
            cliponaxis=False,
            customdata=[plot_text(name) for name in domains],
            hovertemplate="%{customdata}, " + kind + ": %{x:.1%}" + NO_NAME,
            legendrank=index,
        )
    _rows(figure, [plot_label(name) for name in domains])
    figure.update_xaxes(tickformat=".0%", rangemode="tozero", title_text="share")
    return figure


def _rows(figure: go.Figure, names: Sequence[str]) -> None:
    """Name the rows of a figure from the top; numbers underneath, so that names never become positions or dates."""
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(names))),
        ticktext=list(names),
        range=[len(names) - 0.4, -0.6],
        ticks="",
        ticklabelstandoff=6,
        zeroline=False,
    )


def _segment(figure: go.Figure, ends: Sequence[float | None], row: int, colour: str, width: float) -> None:
    figure.add_scatter(
        x=list(ends), y=[row, row], mode="lines", line={"color": colour, "width": width}, hoverinfo="skip"
    )


def _interval(gain: Gain, shown: str) -> str:
    known = [("90 %", gain.lo90, gain.hi90)]
    if gain.lo95 is not None and gain.hi95 is not None:
        known.append(("95 %", gain.lo95, gain.hi95))
    return ", ".join(f"{level} interval {signed(low, shown)} to {signed(high, shown)}" for level, low, high in known)


def _spread(dot: Dot, shown: str) -> str:
    se = f", standard error {number(dot.se, shown)}" if dot.se == dot.se else ""
    return f"{se}<br>{plot_text(dot.detail)}" if dot.detail else se
