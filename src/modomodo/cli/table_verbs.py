"""What the verbs do and print that are given a bare table of runs."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modomodo.cli.console import err, progress_bar, say
from modomodo.cli.mixture_tables import show_front, show_proposals, show_recommendation, show_strategies
from modomodo.config.open import RunsFile, is_table
from modomodo.config.sections import limits
from modomodo.config.table_settings import Fitting, Reading, load_on_grid, load_replaying
from modomodo.core.errors import ModomodoError, begun
from modomodo.core.files import write_json, write_text
from modomodo.core.simplex import limits_of
from modomodo.core.toml import toml_value

UNTESTED = (
    "Predicted, not tested: train it and equal shares on fresh matched seeds, and compare them by `modomodo.confirm` "
    "(docs/own-runs.md)."
)

if TYPE_CHECKING:
    from modomodo.mixing import Fitted, Runs
    from modomodo.mixing.proposal import Proposals
    from modomodo.mixing.recommendation import Recommendation
    from modomodo.models.nano.grid import World


def recommend_from_table(runs: RunsFile) -> dict[str, Any]:
    from modomodo.mixing.tradeoff import trade_off

    settings, fitted = runs.settings, fit_runs(runs)
    check_choices(settings, fitted)
    recommendation = _best(fitted, settings)
    show_recommendation(recommendation)
    say(UNTESTED)
    if settings.trade_off is None:
        return recommendation.as_dict()
    with err.status("searching for the mixtures between"):
        front = trade_off(fitted, names=settings.trade_off, caps=limits(settings.caps), seed=settings.seed)
    show_front(front)
    return {**recommendation.as_dict(), "front": [point.as_dict() for point in front]}


def _best(fitted: "Fitted", fitting: Fitting) -> "Recommendation":
    from modomodo.mixing.recommendation import recommend

    caps = limits(fitting.caps)
    with err.status("searching for the best mixture"):
        return recommend(fitted, objective=fitting.objective, caps=caps, parsimony=fitting.parsimony, seed=fitting.seed)


def fit_runs(runs: RunsFile) -> "Fitted":
    from modomodo.mixing import check_surrogate, fit

    settings = runs.settings
    with begun("--set surrogate"):
        check_surrogate(settings.surrogate)
    table = read_table(runs.path, settings)
    with err.status("fitting the surrogate"):
        return fit(
            table,
            surrogate=settings.surrogate,
            aggregates=settings.named_aggregates(),
            direction=settings.direction,
            bounds=settings.bounds,
            steps=settings.steps,
            seed=settings.seed,
        )


def read_table(file: Path, settings: Reading) -> "Runs":
    """Return the runs of a table, read as the settings say; what was done to them is in their notes."""
    from modomodo.mixing.table import TableForm, runs_in

    form = TableForm(settings.metrics, settings.weights, settings.scores, settings.scale, settings.odd_scores)
    return runs_in(file, form)


def with_metrics(file: Path, sets: Sequence[str] | None, metrics: Path | None) -> list[str]:
    """Return what `--set` says, and the file of scores that stands beside that of mixtures."""
    if metrics is None:
        return list(sets or [])
    if not is_table(file):
        raise ModomodoError(f"{metrics}: a second file goes with a CSV of mixtures, which {file} is not: leave it out")
    return [*(sets or []), f"metrics={toml_value(str(metrics))}"]


def check_choices(fitting: Fitting, fitted: "Fitted") -> None:
    """Raise a ModomodoError for an objective, a trade-off or caps that do not fit the table of runs."""
    named = {"objective": [fitting.objective] if fitting.objective else [], "trade_off": fitting.trade_off or ()}
    for key, names in named.items():
        with begun(f"{fitted.runs.source}, --set {key}"):
            for name in names:
                fitted.index(name)
    with begun(f"{fitted.runs.source}, --set caps"):
        limits_of(limits(fitting.caps), fitted.runs.domains)


def write_predictions(fitted: "Fitted", grid: Path, path: Path) -> None:
    from modomodo.core.files import csv_cell
    from modomodo.mixing import read_mixtures

    X_ND = read_mixtures(grid, fitted.runs.domains)
    columns = {f"w.{name}": X_ND[:, d] for d, name in enumerate(fitted.runs.domains)} | fitted.predict(X_ND).columns()
    rows_NK = zip(*(column_N.tolist() for column_N in columns.values()), strict=True)
    text = io.StringIO()
    header = list(map(csv_cell, columns))
    csv.writer(text, lineterminator="\n").writerows([header, *(list(map(repr, row)) for row in rows_NK)])
    write_text(path, text.getvalue())
    say(f"predictions of {len(X_ND)} mixtures: {path}")


def write_report_of_runs(runs: RunsFile, sets: Sequence[str], path: Path | None = None) -> None:
    from modomodo.reports.page import report_of_runs

    path = path or runs.path.with_suffix(".html")
    fitted = fit_runs(runs)
    check_choices(runs.settings, fitted)
    recommendation = _best(fitted, runs.settings)
    with err.status("drawing the report"):
        report_of_runs(fitted, recommendation, path, source=runs.path, metrics=runs.settings.metrics, sets=sets)
    for note in fitted.notes:
        say(f"note: {note}")
    say(f"report: {path}")


def propose_runs(runs: RunsFile) -> "Proposals":
    from modomodo.mixing.proposal import propose

    settings, fitted = runs.settings, fit_runs(runs)
    check_choices(settings, fitted)
    with err.status("weighing mixtures"):
        proposals = propose(
            fitted,
            batch=settings.batch,
            objective=settings.objective,
            caps=limits(settings.caps),
            seed=settings.seed,
        )
    show_proposals(proposals)
    for note in fitted.notes:
        say(f"note: {note}")
    return proposals


def write_answer(path: Path, answer: Mapping[str, Any]) -> None:
    write_json(path, answer)
    say(f"written: {path}")


def run_strategies(
    file: Path | None, world: "World | None", sets: Sequence[str], *, metrics: Path | None, folder: Path | None
) -> None:
    if (file is None) == (world is None):
        raise ModomodoError("give a CSV of runs, or --world uneven or control for the grid of an embedded world")
    if world is not None:
        compare_on_grid(world, sets, folder)
    elif file is not None:
        compare_strategies(file, with_metrics(file, sets, metrics), folder)


def compare_strategies(file: Path, sets: Sequence[str], folder: Path | None) -> None:
    from modomodo.mixing import check_surrogate
    from modomodo.mixing.strategies import STRATEGIES, Goal
    from modomodo.mixing.strategies import strategies as compare
    from modomodo.mixing.strategies.registry import check_names
    from modomodo.reports.strategies_page import write_strategies

    settings = load_replaying(sets)
    with begun("--set strategies"):
        check_names(settings.strategies)
    with begun("--set surrogate"):
        check_surrogate(settings.surrogate)
    if not is_table(file):
        raise ModomodoError(f"{file} is no CSV of runs; a study writes one as runs.csv in its folder")
    goal = Goal(
        aggregates=settings.named_aggregates(),
        objective=settings.objective,
        inside=settings.inside,
        direction=settings.direction,
        bounds=settings.bounds,
        caps=limits(settings.caps),
        surrogate=settings.surrogate,
    )
    with progress_bar("draws") as progress:
        replay = compare(
            read_table(file, settings),
            goal=goal,
            names=settings.strategies or tuple(STRATEGIES),
            sizes=settings.sizes,
            seeds=settings.seeds,
            seed=settings.seed,
            progress=progress,
        )
    show_strategies(replay)
    if folder is not None:
        for path in write_strategies(replay, folder, title=file.name):
            say(f"written: {path}")


def compare_on_grid(world: "World", sets: Sequence[str], folder: Path | None) -> None:
    from modomodo.mixing import check_surrogate
    from modomodo.mixing.strategies import STRATEGIES, on_grid
    from modomodo.mixing.strategies.registry import find_strategy
    from modomodo.models.nano.grid import nano_grid
    from modomodo.reports.strategies_page import write_strategies

    settings = load_on_grid(sets)
    with begun("--set strategies"):
        chosen = {name: find_strategy(name) for name in settings.strategies or STRATEGIES}
    with begun("--set surrogate"):
        check_surrogate(settings.surrogate)
    grid = nano_grid(world)
    grid = replace(grid, goal=replace(grid.goal, surrogate=settings.surrogate))
    with progress_bar("draws") as progress:
        replay = on_grid(
            grid, chosen, sizes=settings.sizes, draws=settings.seeds, seed=settings.seed, progress=progress
        )
    show_strategies(replay)
    if folder is not None:
        for path in write_strategies(replay, folder, title=f"the grid of the {world} world"):
            say(f"written: {path}")
