"""Figures of the response surface: along one domain, over three domains, and what pairs of domains do together.

Axes: D domains, P shares along a slice, K columns (benchmarks, then aggregates).
"""

import numpy as np
import plotly.graph_objects as go

from modomodo.mixing.surrogates.base import Array
from modomodo.reports.figures.of_runs import NO_NAME, TINY, new_figure
from modomodo.reports.figures.style import DIVERGING, INK, MUTED, PAPER, domain_colours, shade
from modomodo.reports.html.markup import plot_label, plot_text
from modomodo.reports.numbers.formats import decimals, number, number_format, signed, tick_format
from modomodo.reports.numbers.surface import HEIGHT, Interactions, Slices, Triangle, plane

ROOM = 0.16  # around a triangle, for the names of its corners
PLACE = 4  # decimals of a place in a triangle and of a share


def slice_figure(slices: Slices, *, domain: str, name: str, caps: tuple[float, float] | None = None) -> go.Figure:
    """Return the expected score of `name` over the share of `domain`, with its 90 % band; outside `caps` is grey."""
    d, k = slices.domains.index(domain), slices.names.index(name)
    share_P, colour = slices.share_DP[d], domain_colours(slices.domains)[domain]
    mean_P, low_P, high_P = (part[d, :, k] for part in (slices.mean_DPK, slices.low_DPK, slices.high_DPK))
    at = float(slices.through.vector(slices.domains)[d])
    here = int(np.argmin(np.abs(share_P - at)))
    spread = (float(slices.low_DPK[:, :, k].min()), float(slices.high_DPK[:, :, k].max()))
    shown = number_format(spread)
    figure = new_figure(plot_text(domain), height=260, showlegend=False)
    _shade_outside(figure, caps or (0.0, 1.0))
    figure.add_vline(x=at, line={"color": MUTED, "width": 1, "dash": "dot"})
    _add_band(figure, share_P, (low_P, high_P), colour)
    figure.add_scatter(
        x=share_P,
        y=mean_P,
        mode="lines",
        line={"color": colour, "width": 2.5},
        customdata=np.stack([low_P, high_P], axis=1),
        hovertemplate=f"share %{{x:.0%}}: %{{y:{shown}}}<br>"
        f"90 % band %{{customdata[0]:{shown}}} to %{{customdata[1]:{shown}}}{NO_NAME}",
    )
    figure.add_scatter(
        x=[at],
        y=[mean_P[here]],
        mode="markers",
        marker={"color": INK, "size": 9, "symbol": "diamond"},
        hoverinfo="skip",
    )
    room = 0.04 * (spread[1] - spread[0]) or 0.01
    figure.update_xaxes(tickformat=".0%", range=[-0.01, 1.01], nticks=6, title_text="share of the prompts")
    figure.update_yaxes(
        range=[spread[0] - room, spread[1] + room],
        tickformat=tick_format(spread),
        nticks=6,
        title_text="expected score",
    )
    return figure


def triangle_figure(triangle: Triangle, *, name: str, span: tuple[float, float] | None = None) -> go.Figure:
    """Return the expected score over three domains' shares; the diamond is the mixture that it goes through.

    `span` are the scores where the colours begin and end, for figures that are to be compared.
    """
    low, high = span or (float(triangle.mean_RC.min()), float(triangle.mean_RC.max()))
    figure = new_figure(plot_text(" · ".join(triangle.corners)), height=270, showlegend=False)
    _add_contours(figure, triangle, (low, high))
    _cut_out(figure)
    _add_points(figure, triangle, name, (low, high))
    x_1, y_1 = plane(triangle.at_3[None])
    figure.add_scatter(
        x=x_1,
        y=y_1,
        mode="markers",
        marker={"symbol": "diamond", "size": 12, "color": PAPER, "line": {"width": 2, "color": INK}},
        hoverinfo="skip",
    )
    _name_corners(figure, triangle)
    figure.update_xaxes(visible=False, range=[-ROOM, 1 + ROOM], fixedrange=True)
    figure.update_yaxes(
        visible=False, range=[-ROOM, HEIGHT + ROOM], fixedrange=True, scaleanchor="x", constrain="domain"
    )
    return figure


def interactions_figure(found: Interactions) -> go.Figure:
    """Return a heat map of what pairs of domains gain together; bold where the interval excludes 0."""
    names = [plot_label(name, width=14) for name in found.domains]
    below = np.tril(np.ones(found.gain_DD.shape, dtype=bool), -1)
    gain_DD = np.where(below, found.gain_DD, np.nan)
    largest = np.nanmax(np.abs(gain_DD), initial=TINY)
    shown = number_format([0.0, *gain_DD[below], *found.half_DD[below]])
    texts = [
        [_cell(gain, half, shown) for gain, half in zip(*rows, strict=True)]
        for rows in zip(gain_DD, found.half_DD, strict=True)
    ]
    title = f"{plot_text(found.name)}: gain of two domains half and half over the mean of both alone"
    figure = new_figure(title, height=46 * len(found.domains) + 70)
    figure.add_heatmap(
        z=gain_DD[1:, :-1],
        x=list(range(len(names) - 1)),
        y=list(range(1, len(names))),
        colorscale=[list(stop) for stop in DIVERGING],
        zmin=-largest,
        zmax=largest,
        text=[row[:-1] for row in texts[1:]],
        texttemplate="%{text}",
        textfont={"color": INK},
        hoverongaps=False,
        hoverinfo="skip",
        xgap=3,
        ygap=3,
        showscale=False,
    )
    figure.update_xaxes(tickmode="array", tickvals=list(range(len(names))), ticktext=names, side="bottom")
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(names))),
        ticktext=[plot_label(name) for name in found.domains],
        autorange="reversed",
        ticklabelstandoff=6,
    )
    figure.update_xaxes(showgrid=False, zeroline=False, ticks="")
    figure.update_yaxes(showgrid=False, zeroline=False, ticks="")
    return figure


def _add_band(figure: go.Figure, share_P: Array, ends: tuple[Array, Array], colour: str) -> None:
    low_P, high_P = ends
    figure.add_scatter(
        x=np.concatenate([share_P, share_P[::-1]]),
        y=np.concatenate([high_P, low_P[::-1]]),
        fill="toself",
        fillcolor=shade(colour, 0.22),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
    )


def _shade_outside(figure: go.Figure, caps: tuple[float, float]) -> None:
    for low, high in ((0.0, caps[0]), (caps[1], 1.0)):
        if high > low:
            figure.add_vrect(x0=low, x1=high, fillcolor=shade(MUTED, 0.15), line_width=0, layer="below")


def _cell(gain: float, half: float, shown: str) -> str:
    if not np.isfinite(gain):
        return ""
    text = f"{signed(gain, shown)}<br>±{number(half, shown)}"
    return f"<b>{text}</b>" if abs(gain) > half else text


def _add_contours(figure: go.Figure, triangle: Triangle, span: tuple[float, float]) -> None:
    low, high = span
    bar = {"thickness": 10, "len": 0.7, "outlinewidth": 0}
    figure.add_contour(
        x=np.round(triangle.x_C, PLACE),
        y=np.round(triangle.y_R, PLACE),
        z=np.round(triangle.mean_RC, decimals(span) + 1),
        colorscale="Cividis",
        zmin=low,
        zmax=high,
        contours={"start": low, "end": high, "size": (high - low) / 12 or 1.0},
        line={"width": 0.5, "color": PAPER},
        colorbar={**bar, "tickvals": np.linspace(low, high, 5), "tickformat": number_format(span)},
        hoverinfo="skip",
    )


def _add_points(figure: go.Figure, triangle: Triangle, name: str, span: tuple[float, float]) -> None:
    """Add invisible points that tell the score and its band where the pointer is."""
    digits, shown = decimals(span), number_format(span)
    x_P, y_P = plane(triangle.share_P3 / triangle.total)
    scores = (np.round(part_P, digits) for part_P in (triangle.mean_P, triangle.low_P, triangle.high_P))
    figure.add_scatter(
        x=np.round(x_P, PLACE),
        y=np.round(y_P, PLACE),
        mode="markers",
        marker={"size": 14, "opacity": 0},
        customdata=np.column_stack([np.round(triangle.share_P3, PLACE), *scores]),
        meta=[plot_text(one) for one in (name, *triangle.corners)],  # a template would read fields in a name
        hovertemplate=f"%{{meta[0]}} %{{customdata[3]:{shown}}}, "
        f"90 % band %{{customdata[4]:{shown}}} to %{{customdata[5]:{shown}}}"
        + "".join(f"<br>%{{meta[{i + 1}]}} %{{customdata[{i}]:.1%}}" for i in range(3))
        + NO_NAME,
    )


def _cut_out(figure: go.Figure) -> None:
    """Cover what lies beyond the sides of the triangle, and draw them."""
    for sign, corner in ((-1, 0), (1, 1)):
        far = corner + sign
        xs, ys = [far, corner, 0.5, 0.5, far], [-1, 0, HEIGHT, 2, 2]
        figure.add_scatter(x=xs, y=ys, mode="none", fill="toself", fillcolor=PAPER, hoverinfo="skip")
    sides = {"color": MUTED, "width": 1}
    figure.add_scatter(x=[0, 1, 0.5, 0], y=[0, 0, HEIGHT, 0], mode="lines", line=sides, hoverinfo="skip")


def _name_corners(figure: go.Figure, triangle: Triangle) -> None:
    places = ((-ROOM, 0.0, "left", "top"), (1 + ROOM, 0.0, "right", "top"), (0.5, HEIGHT, "center", "bottom"))
    for corner, (x, y, side, anchor) in zip(triangle.corners, places, strict=True):
        figure.add_annotation(
            x=x,
            y=y,
            text=f"{plot_label(corner, width=14)} {triangle.total:.0%}",
            showarrow=False,
            xanchor=side,
            yanchor=anchor,
            font={"color": INK, "size": 12},
        )
