"""What the verbs do that take a bare table of runs, some of them a study as well."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modomodo.cli.console import (
    err,
    progress_bar,
    say,
    show_front,
    show_proposals,
    show_recommendation,
    show_strategies,
)
from modomodo.cli.study_verbs import runnable
from modomodo.config.sections import limits
from modomodo.config.study import Study, load_study
from modomodo.config.table_settings import Fitting, load_fitting, load_replaying
from modomodo.core.errors import ModomodoError, begun
from modomodo.core.files import csv_cell, write_json, write_text
from modomodo.core.simplex import limits_of

UNTESTED = (
    "Predicted, not tested: train it and equal shares on fresh matched seeds, and compare them by `modomodo.confirm` "
    "(docs/own-runs.md)."
)

if TYPE_CHECKING:
    from modomodo.mixing import Fitted
    from modomodo.mixing.recommendation import Recommendation


def recommend_from_table(file: Path, sets: Sequence[str]) -> dict[str, Any]:
    from modomodo.mixing.tradeoff import trade_off

    fitting, fitted = load_fitting(sets), fit_file(file, sets)
    check_choices(fitting, fitted)
    found = _best(fitted, fitting)
    show_recommendation(found)
    say(UNTESTED)
    if fitting.trade_off is None:
        return found.as_dict()
    with err.status("searching for the mixtures between"):
        front = trade_off(fitted, names=fitting.trade_off, caps=limits(fitting.caps), seed=fitting.seed)
    show_front(front)
    return {**found.as_dict(), "front": [point.as_dict() for point in front]}


def _best(fitted: "Fitted", fitting: Fitting) -> "Recommendation":
    from modomodo.mixing.recommendation import recommend

    caps = limits(fitting.caps)
    with err.status("searching for the best mixture"):
        return recommend(fitted, objective=fitting.objective, caps=caps, parsimony=fitting.parsimony, seed=fitting.seed)


def fit_file(file: Path, sets: Sequence[str]) -> "Fitted":
    from modomodo.mixing import check_surrogate, fit, read_runs
    from modomodo.study.pipeline import study_fit

    if not is_table(file):
        with err.status("fitting the surrogate"):
            return study_fit(load_study(file, sets))
    fitting = load_fitting(sets)
    with begun("--set surrogate"):
        check_surrogate(fitting.surrogate)
    runs = read_runs(file)
    with err.status("fitting the surrogate"):
        return fit(
            runs,
            surrogate=fitting.surrogate,
            aggregates=fitting.named_aggregates(),
            direction=fitting.direction,
            bounds=fitting.bounds,
            steps=fitting.steps,
            seed=fitting.seed,
        )


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
    from modomodo.mixing import read_mixtures

    X_ND = read_mixtures(grid, fitted.runs.domains)
    columns = {f"w.{name}": X_ND[:, d] for d, name in enumerate(fitted.runs.domains)} | fitted.predict(X_ND).columns()
    rows_NK = zip(*(column_N.tolist() for column_N in columns.values()), strict=True)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [list(map(csv_cell, columns)), *(list(map(repr, row)) for row in rows_NK)]
    )
    write_text(path, text.getvalue())
    say(f"predictions of {len(X_ND)} mixtures: {path}")


def write_report_of_runs(file: Path, sets: Sequence[str], path: Path | None = None) -> None:
    from modomodo.reports import report_of_runs

    path = path or file.with_suffix(".html")
    fitting, fitted = load_fitting(sets), fit_file(file, sets)
    check_choices(fitting, fitted)
    found = _best(fitted, fitting)
    with err.status("drawing the report"):
        report_of_runs(fitted, found, path, source=file, sets=sets)
    say(f"report: {path}")


def is_table(file: Path) -> bool:
    return file.suffix.lower() == ".csv"


def propose_runs(file: Path, sets: Sequence[str], path: Path | None) -> None:
    from modomodo.mixing.improvement import need_botorch
    from modomodo.mixing.proposal import propose

    with err.status("loading BoTorch"):
        need_botorch()
    settings = load_fitting(sets) if is_table(file) else load_study(file, sets)
    study = settings if isinstance(settings, Study) else None
    objective = settings.objective if isinstance(settings, Fitting) else None
    caps, pending = (limits(settings.caps), ()) if study is None else runnable(study)
    fitted = fit_file(file, sets)
    if isinstance(settings, Fitting):
        check_choices(settings, fitted)
    with err.status("weighing mixtures"):
        found = propose(
            fitted, batch=settings.batch, objective=objective, caps=caps, pending=pending, seed=settings.seed
        )
    show_proposals(found, study=None if study is None else file)
    if path is not None:
        write_answer(path, found.as_dict())


def write_answer(path: Path, answer: Mapping[str, Any]) -> None:
    write_json(path, answer)
    say(f"written: {path}")


def compare_strategies(file: Path, sets: Sequence[str], folder: Path | None) -> None:
    from modomodo.mixing import check_surrogate, read_runs
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
        found = compare(
            read_runs(file),
            goal=goal,
            names=settings.strategies or tuple(STRATEGIES),
            sizes=settings.sizes,
            seeds=settings.seeds,
            seed=settings.seed,
            progress=progress,
        )
    show_strategies(found)
    if folder is not None:
        for path in write_strategies(found, folder, title=file.name):
            say(f"written: {path}")
