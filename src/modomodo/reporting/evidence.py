"""Evidence: all that a study's folder holds, read once, for the sections of the report."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from modomodo.config import Study
from modomodo.confirmation import VERSION as CONFIRMATION_VERSION
from modomodo.errors import ModomodoError
from modomodo.evals.benchmarks import Score
from modomodo.files import read_json
from modomodo.mixture import Mixture
from modomodo.pilots.store import HALVES, Store, single_name
from modomodo.recommendation import VERSION as RECOMMENDATION_VERSION
from modomodo.studies import study_fit
from modomodo.surrogate import Fitted

Kind = Literal["base", "pilot", "confirmation", "single"]
FILES = ("recommendation", "confirmation")
KINDS: tuple[Kind, ...] = ("base", "pilot", "confirmation", "single")


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """A finished run of the study; `labels` are what the study calls it, none when it plans it no more.

    A `single` run is one of `modomodo train`: no plan holds it, and it is scored on whole benchmarks, so that no choice
    between mixtures may see it.
    `mixture`, `realised`, `effective` and `tokens` are shares of the domains; `prompts` and `completions` those of the
    training, `seconds` of one process. `link` is its folder as seen from the page.
    """

    key: str
    labels: tuple[str, ...]
    kind: Kind
    part: str
    mixture: Mixture
    seed: int
    steps: int
    prompts: int
    completions: int
    seconds: float
    scores: Mapping[str, Score]
    realised: Mapping[str, float]
    effective: Mapping[str, float]
    tokens: Mapping[str, float]
    exhausted: str | None
    versions: Mapping[str, str]
    digests: Mapping[str, str]
    folder: Path
    link: str

    @property
    def label(self) -> str:
        """The name that a reader sees."""
        if self.kind == "base":  # one for each part of the items
            return f"base ({self.part})"
        if self.kind == "single":
            return single_name(self.key)
        return self.labels[0] if self.labels else f"not planned: {self.key[:6]}"


@dataclass(frozen=True)
class Pair:
    """The two runs of one matched seed of the confirmation."""

    seed: int
    recommended: FinishedRun
    equal: FinishedRun


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a study's folder holds; what it lacks is None, and `missing` says so in one sentence by name.

    `confirmation` is the file's `objective` and, where the study has any, `held_out`. `unfinished` is label -> why, of
    the planned runs without a result; `failed` the same of runs of `modomodo train`.
    """

    study: Study
    runs: tuple[FinishedRun, ...]
    unfinished: Mapping[str, str]
    failed: Mapping[str, str]
    recommendation: Mapping[str, Any] | None
    confirmation: Mapping[str, Any] | None
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
        return None if self.recommendation is None else Mixture.of(self.recommendation["mixture"])

    def pairs(self) -> list[Pair]:
        """Return the matched seeds of the confirmation that are finished at both mixtures."""
        by_label = {label: run for run in self.of_kind("confirmation") for label in run.labels}
        numbers = range(1, self.study.confirm.seeds + 1)
        pairs = [(by_label.get(f"confirm:recommended#{i}"), by_label.get(f"confirm:equal#{i}")) for i in numbers]
        return [Pair(ours.seed, ours, equal) for ours, equal in pairs if ours and equal and ours.seed == equal.seed]


def read_evidence(study: Study, *, beside: Path | None = None) -> Evidence:
    """Return everything in the study's folder that the report tells of.

    Links to runs are those of a page in the folder `beside`, the study's own if None.

    Raises ModomodoError for a damaged file.
    """
    labels = read_json(study.folder / "labels.json") or {}
    store = Store(study.folder)
    runs = finished_runs(study, beside=beside)
    missing: dict[str, str] = {}
    recommendation, confirmation = (read_json(study.folder / f"{name}.json") for name in FILES)
    missing |= _lacking("recommendation", recommendation, RECOMMENDATION_VERSION, "recommend")
    tested = None if confirmation is None else confirmation.get("objective", {})
    missing |= _lacking("confirmation", tested, CONFIRMATION_VERSION, "confirm")
    fitted = _fitted(study, missing) if any(run.kind == "pilot" for run in runs) else None
    return Evidence(
        study=study,
        runs=runs,
        unfinished={label: _why(store, key) for label, key in labels.items() if not store.finished(key)},
        failed=_failed_singles(store, labels),
        recommendation=None if "recommendation" in missing else recommendation,
        confirmation=None if "confirmation" in missing else confirmation,
        fitted=fitted,
        missing={"fit": "No pilot has finished, so nothing can be fitted: `modomodo pilot` runs them.", **missing},
    )


def finished_runs(study: Study, *, beside: Path | None = None) -> tuple[FinishedRun, ...]:
    """Return the finished runs in the study's folder: the base, pilots and confirmation, each in the order planned."""
    labels = read_json(study.folder / "labels.json") or {}
    store = Store(study.folder)
    place = beside or study.folder
    runs = [_run(store, key, result, labels, place) for key, result in store.results().items()]
    order = {key: index for index, key in enumerate(labels.values())}
    runs.sort(key=lambda run: (KINDS.index(run.kind), run.part == "confirm", order.get(run.key, len(order)), run.key))
    return tuple(runs)


def aggregate(run: FinishedRun, benchmarks: Sequence[str]) -> Score | None:
    """Return the mean over benchmarks weighted by items, with its standard error; None when the run lacks one."""
    if not benchmarks or any(name not in run.scores for name in benchmarks):
        return None
    scores = [run.scores[name] for name in benchmarks]
    n = sum(score.n for score in scores)

    def mean(field: str) -> float:
        return sum(getattr(score, field) * score.n for score in scores) / n

    return Score(
        benchmark="out",
        part=scores[0].part,
        mode=scores[0].mode,
        mean=mean("mean"),
        se=sum((score.n / n * score.se) ** 2 for score in scores) ** 0.5,
        n=n,
        unparsed=mean("unparsed"),
        ungradable=sum(score.ungradable for score in scores),
        worst_case=mean("worst_case"),
    )


def _run(store: Store, key: str, result: Mapping[str, Any], labels: Mapping[str, str], beside: Path) -> FinishedRun:
    recipe = read_json(store.path(key) / "recipe.json") or {}
    scores = {name: Score(**score) for name, score in result["scores"].items()}
    part = next((score.part for score in scores.values()), "")
    prompts = result["steps"] * recipe.get("prompts_per_step", 0)
    own = tuple(label for label, other in labels.items() if other == key)
    return FinishedRun(
        key=key,
        labels=own,
        kind="base" if result["steps"] == 0 else _kind(part, planned=bool(own)),
        part=part,
        mixture=Mixture.of(result["mixture"]),
        seed=result["seed"],
        steps=result["steps"],
        prompts=prompts,
        completions=prompts * recipe.get("num_generations", 0),
        seconds=result["seconds"],
        scores=scores,
        **{name: result.get(name, {}) for name in ("realised", "effective", "tokens", "versions", "digests")},
        exhausted=result.get("exhausted"),
        folder=store.path(key),
        link=os.path.relpath(store.path(key), beside),
    )


def _kind(part: str, *, planned: bool) -> Kind:
    """Return the kind of a run that was trained, by the part of the benchmarks that it was scored on, if any."""
    if part not in HALVES and not planned:
        return "single"
    return "confirmation" if part == "confirm" else "pilot"


def _lacking(name: str, found: Mapping[str, Any] | None, version: int, verb: str) -> dict[str, str]:
    """Return the sentence for a file that is not there, or that another version wrote."""
    if found is None:
        return {name: f"There is no {name} yet: `modomodo {verb}` makes it."}
    if found.get("version") == version:
        return {}
    problem = f"{name}.json has version {found.get('version')!r}, and this modomodo reads {version}"
    return {name: f"{problem}: `modomodo {verb}` writes it anew."}


def _fitted(study: Study, missing: dict[str, str]) -> Fitted | None:
    try:
        return study_fit(study)
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
