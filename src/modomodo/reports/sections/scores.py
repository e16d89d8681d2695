"""The section with the scores of every run: a figure for each benchmark, and a table that can be sorted."""

from collections.abc import Sequence

import plotly.graph_objects as go

from modomodo.core.errors import count
from modomodo.evaluation.benchmarks import Score
from modomodo.reports.evidence import Evidence
from modomodo.reports.figures.of_runs import Dot, scores_figure
from modomodo.reports.html.blocks import (
    Choice,
    Section,
    chooser,
    domain_legend,
    explained,
    figure_block,
    link_to,
    mixture_bar,
    sortable,
)
from modomodo.reports.html.markup import Child, Html, el, plot_text
from modomodo.reports.numbers.formats import number, number_format
from modomodo.study.results import OUT, FinishedRun, Kind, aggregate

BOUNDS = (0.0, 1.0)  # of every score of a study
WHERE: tuple[tuple[str, str, Kind], ...] = (
    ("select", "Pilots, on the items for choosing", "pilot"),
    ("confirm", "Confirmation, on the items for proving", "confirmation"),
    ("all", "Single runs, on items of both halves", "single"),
)


def scores_section(evidence: Evidence) -> Section:
    """Return the scores of all finished runs."""
    if not evidence.runs:
        return Section("scores", "Scores", "Scores of every run", lacking="No run has finished.")
    lead = el(
        "p",
        "Pilots are scored on one half of each benchmark's items and the confirmation on the other half, "
        "so scores of the two are not to be compared. "
        if evidence.of_kind("pilot", "confirmation")
        else None,
        *(explained(evidence.study, OUT) if any(_score(evidence, run, OUT) for run in evidence.runs) else ()),
        "The standard error is of a score over its items; another training seed adds to it.",
    )
    choices = _choices(evidence)
    figures = (chooser("Benchmark", choices), domain_legend(evidence.domains)) if choices else ()
    return Section("scores", "Scores", "Scores of every run", (lead, *figures, _table(evidence)))


def _choices(evidence: Evidence) -> list[Choice]:
    study = evidence.study
    names = dict.fromkeys((OUT, *study.benchmarks, *study.in_distribution, *study.held_out))
    return [
        Choice(group, name, figure_block(figure))
        for part, group, kind in WHERE
        for name in names
        if (figure := _figure(evidence, part, kind, name)) is not None
    ]


def _figure(evidence: Evidence, part: str, kind: Kind, name: str) -> go.Figure | None:
    runs = [run for run in evidence.of_kind("base", kind) if run.part == part or run.kind == kind]
    scored = [(run, score) for run in runs if (score := _score(evidence, run, name)) is not None]
    if not any(run.kind == kind for run, _ in scored):
        return None
    trained = [(run.mixture.key == evidence.equal.key, score.mean) for run, score in scored if run.kind == kind]
    means = [mean for is_equal, mean in trained if is_equal]
    equal = sum(means) / len(means) if 0 < len(means) < len(trained) else None  # nothing to compare with themselves
    words = "" if equal is None else " (dotted: equal shares)"
    dots = [_dot(run, score) for run, score in scored]
    return scores_figure(dots, title=f"{plot_text(name)}{words}", equal=equal, bounds=BOUNDS)


def _dot(run: FinishedRun, score: Score) -> Dot:
    detail = f"{score.n} items, unparsed {score.unparsed:.1%}"
    return Dot(run.label, run.mixture, score.mean, score.se, detail, _symbol(run))


def _symbol(run: FinishedRun) -> str:
    """Return the mark of a run: open before any training, a diamond at the recommended mixture."""
    if run.kind == "base":
        return "circle-open"
    return "diamond" if any(label.startswith("recommended") for label in run.labels) else "circle"


def _score(evidence: Evidence, run: FinishedRun, name: str) -> Score | None:
    return aggregate(run, evidence.study.benchmarks) if name == OUT else run.scores.get(name)


def _table(evidence: Evidence) -> Html:
    study = evidence.study
    columns = [*dict.fromkeys((OUT, *study.benchmarks, *study.in_distribution, *study.held_out))]
    columns_of = {name: [_score(evidence, run, name) for run in evidence.runs] for name in columns}
    scores = {name: column for name, column in columns_of.items() if any(column)}
    cells = [_cells(column) for column in scores.values()]
    heads = ["run", "mixture", *scores, "kind", "steps", "minutes"]
    rows = [_row(evidence, run, [column[i] for column in cells]) for i, run in enumerate(evidence.runs)]
    caption = el(
        "p",
        "Under each score: its standard error, and where there are any, the share of completions that did not parse. "
        "A click on a head sorts; a name leads to the run's folder beside this page.",
        cls="note",
    )
    return el("div", caption, sortable(heads, rows))


def _row(evidence: Evidence, run: FinishedRun, scores: Sequence[Html]) -> Html:
    trained = run.kind != "base"
    cells: list[Html] = [
        el("th", link_to(run), scope="row", data_sort=run.label),
        el("td", mixture_bar(run.mixture, evidence.domains) if trained else "–", data_sort=_sort_mixture(run)),
        *scores,
        el("td", run.kind, data_sort=run.kind),
        el("td", str(run.steps), data_sort=str(run.steps)),
        el("td", f"{run.seconds / 60:.1f}", data_sort=str(run.seconds)),
    ]
    return el("tr", *cells)


def _cells(scores: Sequence[Score | None]) -> list[Html]:
    shown = number_format(score.mean for score in scores if score is not None)
    return [_cell(score, shown) for score in scores]


def _cell(score: Score | None, shown: str) -> Html:
    if score is None:
        return el("td", "–")
    small: Child = el("small", f"±{number(score.se, shown)}")
    lost: Child = el("small", f"{score.unparsed:.0%}") if score.unparsed >= 0.005 else None
    words = f"{count(score.n, 'item')}, {score.unparsed:.1%} unparsed, {score.ungradable} ungradable"
    return el("td", number(score.mean, shown), small, lost, data_sort=repr(score.mean), title=words)


def _sort_mixture(run: FinishedRun) -> str:
    """Return a number that puts concentrated mixtures last: the sum of squared shares."""
    return repr(sum(weight**2 for weight in run.mixture.weights))
