"""Colours and the plotly template of all figures: colour means a domain, all else is ink.

INK, MUTED, GRID and PAPER are the light theme; page.js puts the dark theme's colours in their place, wherever a figure
names exactly these.
"""

from collections.abc import Sequence
from typing import Any

INK = "#1c2128"
MUTED = "#6a737d"
GRID = "#e4e7eb"
PAPER = "#ffffff"

# Okabe and Ito (2008), told apart with any colour vision; those that show best on white come first, black is the ink.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
DASHES = ("solid", "dash", "dot", "dashdot")
# Purple and green are told apart with any colour vision (ColorBrewer PRGn), and no domain wears them; pale enough that
# the ink is read on both ends.
DIVERGING = ((0.0, "#af8dc3"), (0.5, PAPER), (1.0, "#7fbf7b"))


def domain_colours(domains: Sequence[str]) -> dict[str, str]:
    """Return domain -> colour, the same in all figures of a study; they repeat after seven, see `domain_dash`."""
    return {name: PALETTE[index % len(PALETTE)] for index, name in enumerate(domains)}


def domain_dash(domains: Sequence[str]) -> dict[str, str]:
    """Return domain -> dash of its lines, which tells apart domains of one colour."""
    return {name: DASHES[index // len(PALETTE) % len(DASHES)] for index, name in enumerate(domains)}


def shade(colour: str, alpha: float) -> str:
    """Return a colour #rrggbb as rgba."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def template() -> dict[str, Any]:
    """Return the layout that all figures share, as a plotly template."""
    axis = {
        "gridcolor": GRID,
        "linecolor": GRID,
        "zerolinecolor": GRID,
        "tickcolor": GRID,
        "automargin": True,
        "ticks": "outside",
        "ticklen": 4,
        "title": {"standoff": 8, "font": {"color": MUTED, "size": 12}},
    }
    return {
        "layout": {
            "font": {"family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", "size": 12, "color": INK},
            "paper_bgcolor": PAPER,
            "plot_bgcolor": PAPER,
            "colorway": list(PALETTE),
            "margin": {"l": 8, "r": 20, "t": 12, "b": 8},
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
            "hoverlabel": {"align": "left", "bgcolor": PAPER, "bordercolor": MUTED, "font": {"color": INK}},
            "title": {"font": {"size": 14}},
        }
    }
