"""The sections of the report of a bare table of runs: no study, no confirmation, nothing but what the table says."""

import hashlib
import shlex
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from modomodo.core.errors import count
from modomodo.mixing import Fitted
from modomodo.mixing.predictions import weighted
from modomodo.mixing.recommendation import Recommendation
from modomodo.mixing.surrogates.base import Array
from modomodo.reports.figures.of_runs import Dot, Gain, gains_figure, mixture_figure, scores_figure
from modomodo.reports.html.blocks import (
    BARS,
    EQUAL,
    MARKS,
    Choice,
    Section,
    chooser,
    domain_legend,
    figure_block,
    grid,
    mixture_bar,
    sortable,
    until_tested,
)
from modomodo.reports.html.markup import Child, Html, el, plot_text, table
from modomodo.reports.numbers.formats import number, number_format
from modomodo.reports.sections.prediction import TITLE, prediction_section, surface_blocks

VERBS = {"recommend": "the mixture", "next": "where to run next", "report": "this page"}
PACKAGES = ("modomodo", "numpy", "scipy", "scikit-learn")


def table_sections(
    fitted: Fitted, found: Recommendation, *, sources: Sequence[Path], sets: Sequence[str]
) -> list[Section]:
    """Return the sections of the page.

    `sources` are the files of the table, one or two; `sets` are the `key=value` changes that it was fitted with.
    """
    surface = surface_blocks(fitted, found.mixture, words="the recommended mixture", caps=found.caps)
    return [
        _answer(fitted, found),
        _scores(fitted),
        prediction_section(fitted, {}),
        Section("domains", "Domains", TITLE, surface),
        _repeat(fitted, found, sources, sets),
    ]


def _answer(fitted: Fitted, found: Recommendation) -> Section:
    badge = el("b", "Predicted, not confirmed. ", cls="badge unsure")
    against = _against(found)
    nearest = f"The nearest run is {found.nearest_run}, {found.distance:.1%} of the prompts away. "
    unsure = None if found.kept or found.distinguishable else until_tested(against)
    advice = f"Train {found.mixture} and {against} at the same few fresh seeds to know whether the gain is real."
    shares = figure_block(
        mixture_figure(found.mixture, reference=found.reference), note=MARKS.format(reference=against)
    )
    gain = Gain(f"predicted: {found.objective}", found.gain, found.gain_lo90, found.gain_hi90)
    gains = figure_block(
        gains_figure([gain], title=f"Gain over {plot_text(against)}"),
        note=f"What the surrogate expects. {BARS}",
    )
    notes = el(
        "aside",
        el("h3", "Read it with this in mind"),
        el("ul", *(el("li", f"{note[:1].upper()}{note[1:]}.") for note in found.notes)),
    )
    body = (
        el("p", badge, found.sentence, cls="lead"),
        el("p", unsure, nearest, None if found.kept else advice),
        grid(shares, gains),
        _forecasts(fitted, found),
        notes if found.notes else None,
    )
    return Section("answer", "Answer", "The answer", body)


def _against(found: Recommendation) -> str:
    """Return what a reader calls the mixture that the recommended one is compared with."""
    return EQUAL if len(set(found.reference.weights)) == 1 else str(found.reference)


def _forecasts(fitted: Fitted, found: Recommendation) -> Html:
    rows: list[list[Child]] = []
    for name in (found.objective, *(name for name in fitted.names if name != found.objective)):
        ours, other = found.forecasts[name], found.reference_forecasts[name]
        shown = number_format(value for one in (ours, other) for value in (one.mean, one.lo90, one.hi90))
        rows.append(
            [
                name,
                *(
                    cell
                    for one in (ours, other)
                    for cell in (number(one.mean, shown), f"{number(one.lo90, shown)} to {number(one.hi90, shown)}")
                ),
            ]
        )
    head: list[Child] = ["score", "recommended", "90 % of one run", _against(found), "90 % of one run"]
    return el("div", el("h3", "What one run would score"), table(head, rows, cls="stack"))


def _scores(fitted: Fitted) -> Section:
    runs = fitted.runs
    lacking = int((~np.isfinite(runs.y_NB)).any(axis=1).sum())
    lead = el(
        "p",
        "The runs of the table. Bars are one standard error of a score, where the table tells it.",
        f" {count(lacking, 'run')} without a score of some benchmark: not in its figure, nor in those of aggregates."
        if lacking
        else None,
    )
    choices = [
        Choice("benchmarks" if name in runs.benchmarks else "aggregates", name, _figure(fitted, name))
        for name in (*(one.name for one in fitted.aggregates), *runs.benchmarks)
    ]
    body = (lead, chooser("Score", choices), domain_legend(runs.domains), _table(fitted))
    return Section("scores", "Scores", "Scores of every run", body)


def _figure(fitted: Fitted, name: str) -> Html:
    runs, (y_N, se_N) = fitted.runs, _scores_of(fitted, name)
    dots = [
        Dot(runs.labels_N[n], runs.mixture(n), float(y_N[n]), float(se_N[n]))
        for n in range(len(y_N))
        if np.isfinite(y_N[n])
    ]
    return figure_block(scores_figure(dots, title=plot_text(name)))


def _scores_of(fitted: Fitted, name: str) -> tuple[Array, Array]:
    """Return the scores of a benchmark or aggregate, and their standard errors."""
    runs, weights_B = fitted.runs, fitted.weights_of(name)
    return weighted(runs.y_NB, weights_B), np.sqrt(weighted(runs.se_NB**2, weights_B**2))


def _table(fitted: Fitted) -> Html:
    runs = fitted.runs
    names = (*(one.name for one in fitted.aggregates), *runs.benchmarks)
    known = {"steps": runs.steps_N, "seed": runs.seeds_N}
    columns = {name: _cells(*_scores_of(fitted, name)) for name in names} | {
        name: [_whole(value) for value in values] for name, values in known.items() if set(values) != {None}
    }
    rows = [
        el(
            "tr",
            el("th", runs.labels_N[n], data_sort=runs.labels_N[n]),
            el("td", mixture_bar(runs.mixture(n), runs.domains), data_sort=repr(float((runs.X_ND[n] ** 2).sum()))),
            *(cells_N[n] for cells_N in columns.values()),
        )
        for n in range(len(runs.labels_N))
    ]
    caption = el("p", "Under each score its standard error, where it is known. A click on a head sorts.", cls="note")
    return el("div", caption, sortable(["run", "mixture", *columns], rows))


def _cells(y_N: Array, se_N: Array) -> list[Html]:
    shown = number_format(y_N)
    return [_score(float(y), float(se), shown) for y, se in zip(y_N, se_N, strict=True)]


def _score(value: float, se: float, shown: str) -> Html:
    if value != value:
        return el("td", "–")
    small = el("small", f"±{number(se, shown)}") if se == se else None
    return el("td", number(value, shown), small, data_sort=repr(value))


def _whole(value: int | None) -> Html:
    return el("td", "–" if value is None else str(value), data_sort="" if value is None else str(value))


def _repeat(fitted: Fitted, found: Recommendation, sources: Sequence[Path], sets: Sequence[str]) -> Section:
    words = shlex.join([sources[0].name, *(word for one in sets for word in ("--set", one))])
    lines = [f"modomodo {verb} {words}  # {what}" for verb, what in VERBS.items()]
    about: list[list[Child]] = [
        *([f"SHA-256 of {one.name}", el("code", hashlib.sha256(one.read_bytes()).hexdigest())] for one in sources),
        ["surrogate", fitted.surrogate],
        ["objective", f"{found.objective} ({found.direction} is better)"],
        *([package, version(package)] for package in PACKAGES),
    ]
    body = (
        el("pre", "\n".join(lines)),
        table(["what", "value"], about),
        *(el("details", el("summary", one.name), el("pre", one.read_text(encoding="utf-8-sig"))) for one in sources),
    )
    return Section("repeat", "Repeat", "Everything to repeat it", body)
