"""The figures of docs/experiment.md, as plotly figures; `python benchmarks/pages.py` writes them."""

from collections.abc import Mapping, Sequence

import cheaper
import confirmed
import numpy as np
import plotly.graph_objects as go
from experiment import GRIDS, OF_SEED_SET, ORACLE, SIZES, outcomes_of
from paired import Gain, gain, where

from modomodo import load_study
from modomodo.mixing.strategies import NEXT, STRATEGIES, GridOutcome
from modomodo.models.nano.grid import World
from modomodo.reports.figures.of_runs import new_figure
from modomodo.reports.figures.style import INK, MUTED, PAPER, domain_colours, domain_dash

WORLDS: tuple[World, ...] = confirmed.WORLDS
ROW, TOP = 34, 110  # pixels of a row, and of what is above and below all rows
LEGEND = {"orientation": "v", "x": 1.01, "y": 1, "xanchor": "left", "yanchor": "top"}
HEAD = {"showarrow": False, "xanchor": "left", "yanchor": "bottom", "font": {"color": MUTED}}
COLOUR = {"ours": INK, NEXT: INK, "full pilots": INK, ORACLE: MUTED}
DASH = {NEXT: "dash", ORACLE: "dot"}
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon", "hexagon")


def gains_figure() -> go.Figure:
    """Return what each mixture gains on equal shares within the rows at matched seeds, at both lengths and worlds."""
    gains = {of: gains_of(*of) for of, _ in confirmed.parts()}
    names = list(dict.fromkeys(name for found in gains.values() for name in found))
    seeds = min(part.seed.nunique() for _, part in confirmed.parts())
    figure = panels(
        f"Gain over equal shares within the rows, {seeds} matched seeds, 95 % intervals", height=ROW * len(names) + TOP
    )
    for (world, times), found in gains.items():
        mean_K, low_K, high_K = np.array([found[name][:3] for name in found]).T
        trace = go.Scatter(
            x=mean_K,
            y=[names.index(name) + (0.14 if times > 1 else -0.14) for name in found],
            error_x={"array": high_K - mean_K, "arrayminus": mean_K - low_K, "thickness": 1.5, "width": 3},
            mode="markers",
            marker={"size": 9, "color": INK if times == 1 else PAPER, "line": {"color": INK, "width": 1.5}},
            name="at the pilots' length" if times == 1 else "at twice that length",
            showlegend=world == next(of for of, length in gains if length == times),
        )
        figure.add_trace(trace.update(error_x_color=INK), row=1, col=1 + WORLDS.index(world))
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.5])
    figure.add_vline(x=0, line={"color": MUTED, "width": 1})
    return figure.update_xaxes(matches="x")


def gains_of(world: World, times: int) -> Mapping[str, Gain]:
    """Return what each mixture gains at one length on equal shares within the rows, whose runs are as long."""
    runs = dict(confirmed.parts())[world, times]
    benchmarks = load_study(confirmed.NANO / world / "study.toml").benchmarks
    within = where(runs, strategy=confirmed.WITHIN)
    others = (confirmed.EQUAL, confirmed.WITHIN, confirmed.AGAIN, confirmed.BASE)
    compared = [name for name in dict.fromkeys(runs.strategy) if name not in others]
    return {name: gain(where(runs, strategy=name), within, benchmarks) for name in compared}


def regret_figure() -> go.Figure:
    """Return the mean regret of each strategy over the number of pilots, in both worlds.

    Means, as medians jump between the few mixtures of the grid that are good. Of a strategy that is judged in two ways,
    the better one.
    """
    figure = panels("Regret on the grid: mean of the replays", height=620)
    names = [*STRATEGIES, NEXT]
    for column, world in enumerate(GRIDS[:2], start=1):
        outcomes = outcomes_of(world)
        for name in names:
            sizes = sorted({one.n for one in outcomes if one.strategy == name})
            means = [better_mean([one for one in outcomes if (one.strategy, one.n) == (name, n)]) for n in sizes]
            figure.add_trace(line(name, names, sizes, means, legend=column == 1), row=1, col=column)
        least = better_mean([one for one in outcomes if one.strategy == ORACLE])
        ends = [SIZES[0], SIZES[-1]]
        figure.add_trace(line(ORACLE, [ORACLE], ends, [least, least], legend=column == 1), row=1, col=column)
    return over_costs(figure, "pilots", SIZES)


def better_mean(outcomes: Sequence[GridOutcome]) -> float:
    """Return the mean regret of the mixtures predicted to be best, or of those recommended by rules of their own."""
    both_K2 = np.array([[one.regret, one.own_regret] for one in outcomes])
    kinds = both_K2[:, ~np.isnan(both_K2).all(axis=0)]
    return float(np.nanmean(kinds, axis=0).min())


def cost_figure() -> go.Figure:
    """Return the median regret of each way to save over its cost, in both worlds."""
    figure = panels("Cheaper pilots: median regret at equal cost", height=420)
    names = list(cheaper.WAYS)
    for column, world in enumerate(cheaper.worlds(), start=1):
        for name, values in cheaper.medians_of(world).items():
            figure.add_trace(line(name, names, cheaper.COSTS, values, legend=column == 1), row=1, col=column)
    return over_costs(figure, "cost, in full pilots", cheaper.COSTS)


def panels(title: str, *, height: int) -> go.Figure:
    """Return an empty figure with a panel for each world, side by side."""
    figure = new_figure(title, height=height, margin={"t": 64, "l": 20, "b": 20}, legend=LEGEND)
    figure.update_layout(title_x=0.02)
    figure.set_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.04)
    for column, world in enumerate(WORLDS, start=1):
        figure.add_annotation(text=world, x=0, y=1, xref="x domain", yref="y domain", row=1, col=column, **HEAD)
    return figure


def line(name: str, names: Sequence[str], x: Sequence[int], y: Sequence[float], *, legend: bool) -> go.Scatter:
    """Return one line; ours are ink, and strategies of the seed set are marks."""
    colour = COLOUR.get(name) or domain_colours(names)[name]
    return go.Scatter(
        x=list(x),
        y=list(y),
        name=name,
        mode="markers" if name in OF_SEED_SET else "lines+markers",
        marker={"symbol": SYMBOLS[names.index(name) % len(SYMBOLS)], "size": 8, "color": colour},
        line={"color": colour, "dash": DASH.get(name) or domain_dash(names)[name], "width": 2},
        legendgroup=name,
        showlegend=legend,
    )


def over_costs(figure: go.Figure, title: str, costs: Sequence[int]) -> go.Figure:
    figure.update_xaxes(type="log", tickvals=list(costs), ticktext=[str(n) for n in costs], title_text=title)
    return figure.update_yaxes(title_text="regret", rangemode="tozero", col=1)
