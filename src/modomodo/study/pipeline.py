"""A study from its pilots to its confirmation: each step reads what the one before left in the study's folder.

runs/KEY/            one folder a run (runs/store.py)
labels.json          label -> key of the planned runs
proposed.json        the pilots that `pilot --most` added
runs.csv             the table of pilots, as any surrogate reads it
recommendation.json  the mixture recommended
confirmation.json    matched seeds of it and of equal shares
confirmations.jsonl  every confirmation that was ever made, a line each
report.html          all of it
"""

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console

from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError
from modomodo.core.files import locked, write_json
from modomodo.core.mixture import Mixture
from modomodo.mixing import Fitted, write_runs
from modomodo.mixing.confirmation import Confirmation, confirm, detectable_difference, seeds_to_find
from modomodo.mixing.recommendation import Recommendation, recommend
from modomodo.mixing.repeated_looks import error_of_each
from modomodo.runs.attempt import RUN
from modomodo.runs.board import say_on
from modomodo.runs.inputs import run_digests
from modomodo.runs.launcher import Outcome, Workers, launch
from modomodo.runs.local import Processes
from modomodo.runs.planned import PlannedRun
from modomodo.runs.ray_cluster import Fleet
from modomodo.runs.store import Store, run_key
from modomodo.study.answer import (
    StudyConfirmation,
    confirmation_path,
    read_recommendation,
    write_confirmation,
    write_recommendation,
)
from modomodo.study.plan import confirmation_runs, pilot_row_caps, pilot_runs, recommended_caps
from modomodo.study.results import OUT, FinishedRun, StudyRuns, finished_of, planned_runs
from modomodo.study.until_clear import UntilClear

MOST = 64  # matched seeds that a plan looks at


@dataclass(frozen=True)
class ConfirmationPlan:
    """A confirmation before it runs: the `gain` on `out` that is predicted if there is any, and what the test can find.

    `noise` is the standard deviation of one run's score, as the surrogate learned it from the pilots; `detectable` the
    smallest true gain that is found with probability 0.8.
    """

    study: Study
    mixture: Mixture
    gain: float
    noise: float
    detectable: float

    @property
    def needed(self) -> bool:
        """Whether the recommended mixture is another than equal shares: else there is nothing to confirm."""
        return self.mixture.key != Mixture.uniform(self.study.recipe.domains).key

    def finds(self, seeds: int) -> float:
        """Return the smallest true gain that a test of so many matched seeds, looked at once, finds 8 times in 10."""
        return detectable_difference(self.noise, seeds=seeds)

    def seeds_for(self, gain: float) -> int | None:
        """Return how many matched seeds find a true gain 8 times in 10, None where MOST do not."""
        return seeds_to_find(gain, self.noise, most=MOST)


def runs_path(study: Study) -> Path:
    """Return the table of the study's pilots, which `pilot` writes."""
    return study.folder / "runs.csv"


def pilot(study: Study, *, console: Console | None = None, most: int | None = None) -> tuple[Outcome, ...]:
    """Return how each planned run of the study ended, after running those that are missing; writes runs.csv.

    With `most`, pilots are added to the plan once the design has run, until the answer is clear or so many are planned.

    Raises ModomodoError when the study's folder cannot be written, or no pilot could be proposed; a failed run does not
    raise.
    """
    console = console or Console(stderr=True)
    added = None if most is None else UntilClear(study, most, partial(say_on, console))
    outcomes = _launch(study, pilot_runs(study), console=console, added=added)
    planned = pilot_runs(study)
    runs = StudyRuns(study, planned, planned_runs(study, planned)).table()
    if runs is not None:
        write_runs(runs, runs_path(study))
    if added is not None and added.error is not None:
        raise ModomodoError(f"no pilot could be added: {added.error}")
    if added is not None:
        say_on(console, f"no more pilots: {added.why}")
    return outcomes


def read_study(study: Study) -> StudyRuns:
    """Return the pilots that the study plans and what of them is finished.

    Raises ModomodoError for a damaged file.
    """
    planned = pilot_runs(study)
    return StudyRuns(study, planned, planned_runs(study, planned))


def study_recommendation(runs: StudyRuns, fitted: Fitted | None = None) -> Recommendation:
    """Return the mixture with the highest expected Out-score under the study's caps; writes recommendation.json.

    `fitted` is what `runs.fit()` returns, where it is at hand.
    """
    study = runs.study
    if runs.pending:
        warnings.warn(
            f"{len(runs.pending)} of the {len(runs.pilots)} pilots of {study.name}, as its file is now, are not "
            "finished: `modomodo pilot` runs them",
            stacklevel=2,
        )
    caps = recommended_caps(study)
    recommendation = recommend(
        fitted or runs.fit(), objective=OUT, caps=caps, parsimony=study.parsimony, seed=study.seed
    )
    recommendation = replace(recommendation, notes=(*recommendation.notes, *_early_end(study)))
    write_recommendation(study, recommendation, pilots=runs.digest)
    return recommendation


def _early_end(study: Study) -> Iterator[str]:
    """Yield a note where rows run out at equal shares, with which the recommendation is compared."""
    if study.budget is None:
        return
    domains = study.recipe.domains
    name, (_, lasting) = min(pilot_row_caps(study).items(), key=lambda item: item[1][1])
    if lasting * len(domains) < 1 - 1e-9:
        step = int(lasting * len(domains) * study.recipe.steps)
        yield (
            f"runs at equal shares end after step {step} of {study.recipe.steps}, when the rows of {name} are used up: "
            "the gain is predicted over equal shares that run to the end; `modomodo confirm` trains them as they are"
        )


def plan_confirmation(runs: StudyRuns) -> ConfirmationPlan:
    """Return the recommended mixture, to be tested against equal shares, and what the test can find: to be said before.

    Raises ModomodoError when there is no recommendation from the pilots that are finished now.
    """
    study, recommendation = runs.study, read_recommendation(runs.study, pilots=runs.digest)
    mixture = recommendation.mixture
    fitted = runs.fit()
    column = fitted.index(OUT)
    predicted = fitted.predict(mixture.vector(fitted.runs.domains)[None])
    variance = predicted.sd_NK[0, column] ** 2 - predicted.sd_mean_NK[0, column] ** 2
    noise, looks = float(np.sqrt(max(variance, 0.0))), study.confirm.looks
    detectable = detectable_difference(noise, seeds=looks[-1], level=1 - error_of_each(0.05, looks))
    return ConfirmationPlan(study, mixture, recommendation.to_find, noise, detectable)


def study_confirmation(plan: ConfirmationPlan, *, console: Console | None = None) -> StudyConfirmation | None:
    """Return the matched-seed tests of the recommended mixture against equal shares, after running what is missing.

    Runs more seeds until a look can tell the two apart, or the study's most have run. Writes confirmation.json. None
    when there is nothing to confirm.

    Raises ModomodoError when a run of the test failed.
    """
    if not plan.needed:
        confirmation_path(plan.study).unlink(missing_ok=True)
        return None
    confirmation = next(
        confirmation
        for seeds in plan.study.confirm.looks
        if (confirmation := _looked_at(plan, seeds, console)).objective.real or seeds == plan.study.confirm.looks[-1]
    )
    write_confirmation(plan.study, confirmation)
    return confirmation


def _looked_at(plan: ConfirmationPlan, seeds: int, console: Console | None) -> StudyConfirmation:
    """Return the tests with so many seeds, after running what is missing."""
    study, planned = plan.study, confirmation_runs(plan.study, plan.mixture, seeds=seeds)
    failed = [outcome for outcome in _launch(study, planned, console=console) if outcome.status == "failed"]
    if failed:
        raise ModomodoError(
            f"{len(failed)} of {len(planned)} runs of the confirmation failed, {failed[0].label} first; "
            f"run the command again to try them again\n{failed[0].message}"
        )
    runs = finished_of(planned, planned_runs(study, planned))
    return StudyConfirmation(
        mixture=plan.mixture,
        detectable=plan.detectable,
        objective=_matched(study, runs, study.benchmarks, seeds),
        held_out=_matched(study, runs, study.held_out, seeds) if study.held_out else None,
    )


def _launch(
    study: Study, planned: Sequence[PlannedRun], *, console: Console | None, added: UntilClear | None = None
) -> tuple[Outcome, ...]:
    console = console or Console(stderr=True)
    with console.status("reading rows and model"):
        everything = study.pilot_recipe(Mixture.uniform(study.recipe.domains))  # for what may be added
        digests = run_digests([*(one.recipe for one in planned), *([everything] if added else [])])
    store = Store(study.folder)
    store.make()

    def name(runs: Sequence[PlannedRun]) -> None:
        with locked(study.folder / "labels.lock"):  # two launchers may work on one study
            labels = store.labels() | {one.label: run_key(one.recipe, digests) for one in runs}
            write_json(study.folder / "labels.json", labels)

    def more(ours: Collection[str]) -> tuple[PlannedRun, ...]:
        runs = added.more(ours) if added else ()
        name(runs)
        return runs

    name(planned)
    return launch(
        planned,
        store,
        digests=digests,
        run=RUN,
        workers=_workers(study),
        console=console,
        more=more if added else None,
    )


def _workers(study: Study) -> Workers:
    if study.launcher.kind == "ray":
        return Fleet(study.launcher, Store(study.folder))
    # A run of verl takes its whole cluster.
    return Processes(1 if study.recipe.engine == "verl" else study.processes)


def _matched(study: Study, runs: Mapping[str, FinishedRun], benchmarks: Sequence[str], seeds: int) -> Confirmation:
    recommended, equal = ([runs[f"confirm:{name}#{i + 1}"] for i in range(seeds)] for name in ("recommended", "equal"))
    recommended_SB, equal_SB = (
        np.array([[run.scores[name].mean for name in benchmarks] for run in side]) for side in (recommended, equal)
    )
    return confirm(
        recommended_SB,
        equal_SB=equal_SB,
        seeds=[run.seed for run in recommended],
        benchmarks=benchmarks,
        weights={name: float(recommended[0].scores[name].n) for name in benchmarks},
        looks=study.confirm.looks if len(study.confirm.looks) > 1 else (),
    )
