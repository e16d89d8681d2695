"""Blocks that sections are built of: a section, a figure, a choice between panels, the shares of a mixture."""

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from modomodo.config.study import Study
from modomodo.core.mixture import Mixture
from modomodo.reports.figures.style import domain_colours
from modomodo.reports.html.markup import Child, Html, el, join, json_block, run_link
from modomodo.study.results import OUT, FinishedRun

EQUAL = "equal shares"
SAME = 1e-9  # total variation of two mixtures that are the same
MARKS = "The recommended mixture; the marks are {reference}."
BARS = (
    "◇ is the estimate. The bars are not scores: they span where the true gain is likely to be (thick: 90 % interval, "
    "thin: 95 %, where it is known). They are grey where the widest one drawn holds 0: nothing is decided then."
)
"""What the bars of `gains_figure` are, for a caption."""


@dataclass(frozen=True)
class Section:
    """A section of the page; `name` is its anchor and `short` its entry in the navigation.

    One with nothing to show has no body, but in `lacking` the sentence that says why.
    """

    name: str
    short: str
    title: str
    body: tuple[Child, ...] = ()
    lacking: str = ""

    def html(self) -> Html:
        """Return the section with its heading."""
        return el("section", el("h2", self.title), *self.body, id=self.name)


@dataclass(frozen=True)
class Choice:
    """One entry of a menu and what it shows; entries of one `group` are listed together."""

    group: str
    name: str
    body: Html


def figure_block(figure: go.Figure, *, note: Child = None, legend: bool = True) -> Html:
    """Return a figure that page.js draws; its title becomes a heading.

    `legend=False` leaves the legend out, where one of the page serves several figures.
    """
    drawn = json.loads(str(figure.to_json()))
    layout = drawn["layout"]
    layout.pop("template", None)
    # The title of a figure is escaped for plotly; here it becomes plain text, which `el` escapes.
    title = html.unescape(layout.pop("title", {}).get("text", ""))
    if not legend:
        layout["showlegend"] = False
    plot = el(
        "div",
        json_block({"data": drawn["data"], "layout": layout}),
        cls="plot",
        style=f"height:{layout['height']}px",
        role="img",
        aria_label=title,
    )
    caption = el("figcaption", note) if note is not None else None
    return el("figure", el("h3", title), plot, caption)


def grid(*blocks: Html) -> Html:
    """Return blocks side by side where there is room."""
    return el("div", *blocks, cls="grid")


def chooser(label: str, choices: Sequence[Choice]) -> Html:
    """Return a menu and the panel of its entry; the first is shown at the start."""
    groups = dict.fromkeys(choice.group for choice in choices)
    entries = [
        el(
            "optgroup",
            *(el("option", choice.name, value=str(i)) for i, choice in enumerate(choices) if choice.group == group),
            label=group,
        )
        for group in groups
    ]
    panels = [
        el("div", choice.body, cls="panel", hidden=None if index == 0 else "") for index, choice in enumerate(choices)
    ]
    menu = el("label", el("span", label), el("select", *entries))
    return el("div", menu, *panels, cls="chooser")


def domain_legend(domains: Sequence[str]) -> Html:
    """Return which colour is which domain."""
    colours = domain_colours(domains)
    entries = (el("li", el("i", style=f"background:{colours[name]}"), name) for name in domains)
    return el("ul", *entries, cls="legend")


def mixture_bar(mixture: Mixture, domains: Sequence[str]) -> Html:
    """Return the shares of a mixture as one small bar, in words for who points at it or cannot see it."""
    colours, shares = domain_colours(domains), mixture.as_dict()
    words = ", ".join(f"{name} {share:.1%}" for name, share in shares.items() if share > 0)
    parts = (
        el("i", style=f"width:{100 * shares[name]:.3f}%;background:{colours[name]}")
        for name in domains
        if shares.get(name, 0) > 0
    )
    return el("span", *parts, cls="bar", role="img", title=words, aria_label=words)


def sortable(heads: Sequence[str], rows: Sequence[Html]) -> Html:
    """Return a table whose heads sort its rows (`<tr>`) by the `data-sort` of their cells."""
    header = el("tr", *(el("th", el("button", name, type="button"), scope="col") for name in heads))
    return el("div", el("table", el("thead", header), el("tbody", *rows), cls="sortable"), cls="scroll")


def link_to(run: FinishedRun, text: str | None = None) -> Html:
    """Return a link to a run's folder."""
    return run_link(run.link, run.label if text is None else text)


def explained(study: Study, *names: str) -> list[Child]:
    """Return a sentence for each of these aggregates (`out`, `in`): the benchmarks that it is the mean of."""
    members = {
        OUT: (study.benchmarks, "the out-of-distribution score, which the study maximises"),
        "in": (study.in_distribution, "the in-distribution score, of benchmarks like the training"),
    }
    found: list[Child] = []
    for name in (name for name in names if name in members and members[name][0]):
        benchmarks, words = members[name]
        kind = f"benchmark{'' if len(benchmarks) == 1 else 's'}"
        found += [el("b", name), f" is {words}: the mean over the {kind} {', '.join(benchmarks)}, by items. "]
    return found


def until_tested(reference: str) -> Html:
    """Return what follows from a predicted gain over the reference whose interval holds 0."""
    are = "are" if reference == EQUAL else "is"
    return join(el("b", f"Until that is tested, {reference} {are} the answer to keep."), " ")
