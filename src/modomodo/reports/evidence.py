"""Evidence: all that a study's folder holds, read once, for the sections of the report."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError
from modomodo.core.files import read_json
from modomodo.core.mixture import Mixture
from modomodo.mixing import Fitted
from modomodo.mixing.confirmation import VERSION as CONFIRMATION_VERSION
from modomodo.mixing.recommendation import VERSION as RECOMMENDATION_VERSION
from modomodo.mixing.recommendation import Recommendation
from modomodo.runs.store import Store, single_name
from modomodo.study.answer import StudyConfirmation, confirmation_path, recommendation_path
from modomodo.study.plan import pilot_runs
from modomodo.study.results import FinishedRun, Kind, StudyRuns, finished_runs


@dataclass(frozen=True)
class Pair:
    """The two runs of one matched seed of the confirmation."""

    seed: int
    recommended: FinishedRun
    equal: FinishedRun


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a study's folder holds; what it lacks is None, and `missing` says so in one sentence by name.

    `unfinished` is label -> why, of the planned runs without a result; `failed` the same of runs of `modomodo train`.
    """

    study: Study
    runs: tuple[FinishedRun, ...]
    unfinished: Mapping[str, str]
    failed: Mapping[str, str]
    recommendation: Recommendation | None
    confirmation: StudyConfirmation | None
    fitted: Fitted | None
    missing: Mapping[str, str]

    @property
    def domains(self) -> tuple[str, ...]:
        return self.study.recipe.domains

    @property
    def equal(self) -> Mixture:
        """Equal shares."""
        return Mixture.uniform(self.domains)

    def of_kind(self, *kinds: Kind) -> list[FinishedRun]:
        """Return the runs of these kinds."""
        return [run for run in self.runs if run.kind in kinds]

    def recommended(self) -> Mixture | None:
        """Return the recommended mixture."""
        return None if self.recommendation is None else self.recommendation.mixture

    def pairs(self) -> list[Pair]:
        """Return the matched seeds of the confirmation that are finished at both mixtures."""
        by_label = {label: run for run in self.of_kind("confirmation") for label in run.labels}
        numbers = range(1, self.study.confirm.looks[-1] + 1)
        pairs = [(by_label.get(f"confirm:recommended#{i}"), by_label.get(f"confirm:equal#{i}")) for i in numbers]
        return [Pair(ours.seed, ours, equal) for ours, equal in pairs if ours and equal and ours.seed == equal.seed]


def read_evidence(study: Study, *, beside: Path | None = None) -> Evidence:
    """Return everything in the study's folder that the report tells of.

    Links to runs are those of a page in the folder `beside`, the study's own if None.

    Raises ModomodoError for a damaged file.
    """
    store = Store(study.folder)
    labels = store.labels()
    runs = finished_runs(study, beside=beside)
    paths = recommendation_path(study), confirmation_path(study)
    recommendation, confirmation = (read_json(path) for path in paths)
    missing = _lacking("recommendation", recommendation, RECOMMENDATION_VERSION, "recommend")
    tested = None if confirmation is None else confirmation.get("objective", {})
    missing |= _lacking("confirmation", tested, CONFIRMATION_VERSION, "confirm")
    fitted = _fitted(study, runs, missing) if any(run.kind == "pilot" for run in runs) else None
    return Evidence(
        study=study,
        runs=runs,
        unfinished={label: _why(store, key) for label, key in labels.items() if not store.finished(key)},
        failed=_failed_singles(store, labels),
        recommendation=None
        if recommendation is None or "recommendation" in missing
        else Recommendation.from_dict(recommendation, where=paths[0]),
        confirmation=None
        if confirmation is None or "confirmation" in missing
        else StudyConfirmation.from_dict(confirmation, where=paths[1]),
        fitted=fitted,
        missing={"fit": "No pilot has finished, so nothing can be fitted: `modomodo pilot` runs them.", **missing},
    )


def _lacking(name: str, found: Mapping[str, Any] | None, version: int, verb: str) -> dict[str, str]:
    """Return the sentence for a file that is not there, or that another version wrote."""
    if found is None:
        return {name: f"There is no {name} yet: `modomodo {verb}` makes it."}
    if found.get("version") == version:
        return {}
    problem = f"{name}.json has version {found.get('version')!r}, and this modomodo reads {version}"
    return {name: f"{problem}: `modomodo {verb}` writes it again."}


def _fitted(study: Study, runs: tuple[FinishedRun, ...], missing: dict[str, str]) -> Fitted | None:
    try:
        return StudyRuns(study, pilot_runs(study), runs).fit()
    except ModomodoError as error:
        missing["fit"] = f"No surrogate could be fitted: {error}"
        return None


def _failed_singles(store: Store, labels: Mapping[str, str]) -> dict[str, str]:
    """Return name -> why, of the runs of `modomodo train` whose last attempt failed."""
    keys = [key for key in store.singles(labels.values()) if store.failure(key) and not store.finished(key)]
    return {single_name(key): _why(store, key) for key in keys}


def _why(store: Store, key: str) -> str:
    if store.claimed(key):
        return "running now"
    failure = store.failure(key)
    return "not finished" if failure is None else f"failed: {str(failure['message']).splitlines()[0]}"
