"""The finished runs in a study's folder, as values that are read once and passed on."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from modomodo.config.recipe import Recipe, digest
from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError
from modomodo.core.files import read_json
from modomodo.core.toml import parse
from modomodo.evaluation.benchmarks import Score
from modomodo.mixing import Fitted, Runs, fit
from modomodo.runs.planned import PlannedRun
from modomodo.runs.store import HALVES, RunResult, Store, single_name

OUT = "out"  # the aggregate that a study maximises: the mean over its benchmarks, by items
Kind = Literal["base", "pilot", "confirmation", "single"]
KINDS: tuple[Kind, ...] = ("base", "pilot", "confirmation", "single")


@dataclass(frozen=True, eq=False)
class FinishedRun(RunResult):
    """A finished run of the study; `labels` are what the study calls it, none when it plans it no more.

    A `single` run is one of `modomodo train`: no plan holds it, and it is scored on whole benchmarks, so that no choice
    between mixtures may see it. `recipe` is what its recipe.json holds, `link` its folder as seen from the page.
    """

    labels: tuple[str, ...] = ()
    kind: Kind = "pilot"
    part: str = ""
    recipe: Mapping[str, Any] | None = None
    folder: Path = Path()
    link: str = ""

    @property
    def label(self) -> str:
        """The name that a reader sees."""
        if self.kind == "base":  # one for each part of the items
            return f"base ({self.part})"
        if self.kind == "single":
            return single_name(self.key)
        return self.labels[0] if self.labels else f"not planned: {self.key[:6]}"

    @property
    def prompts(self) -> int:
        """The prompts that it was trained on."""
        return self.steps * int((self.recipe or {}).get("prompts_per_step", 0))

    @property
    def completions(self) -> int:
        """The completions that it was trained on."""
        return self.prompts * int((self.recipe or {}).get("num_generations", 0))

    def is_of(self, recipe: Recipe) -> bool:
        """Return whether it was made with this recipe, but for what does not change a run.

        Raises ModomodoError when its recipe.json is missing or damaged.
        """
        path = self.folder / "recipe.json"
        if self.recipe is None:
            raise ModomodoError(f"{path} does not exist: delete the run's folder and run the study again")
        return parse(Recipe, self.recipe, where=str(path)).identity() == recipe.identity()


@dataclass(frozen=True, eq=False)
class StudyRuns:
    """The pilots that a study plans, and finished runs of its folder: those of the plan, or all."""

    study: Study
    planned: tuple[PlannedRun, ...]
    runs: tuple[FinishedRun, ...]

    @cached_property
    def finished(self) -> dict[str, FinishedRun]:
        """Label -> run of the planned ones that are finished, the base run among them."""
        return finished_of(self.planned, self.runs)

    @property
    def pilots(self) -> tuple[PlannedRun, ...]:
        """The planned runs that train: all but the base run."""
        return tuple(planned for planned in self.planned if planned.recipe.steps)

    @property
    def pending(self) -> tuple[PlannedRun, ...]:
        """The pilots that are not finished."""
        return tuple(planned for planned in self.pilots if planned.label not in self.finished)

    @property
    def digest(self) -> str:
        """A hash of the finished pilots, by which a recommendation knows what it was made from."""
        return digest(sorted(run.key for run in self._pilot_runs().values()))

    def table(self) -> Runs | None:
        """Return the finished pilots as any surrogate reads them, None when there are none.

        Raises ModomodoError where a run lacks the score of a benchmark.
        """
        # Two labels may name one run (with two domains, `single:a` is `exclude:b`): it counts once.
        by_key = {run.key: label for label, run in reversed(self._pilot_runs().items())}
        runs = {label: self.finished[label] for label in reversed(by_key.values())}
        if not runs:
            return None
        names, domains = (*self.study.benchmarks, *self.study.in_distribution), self.study.recipe.domains
        scores = [_scores_on(run, names) for run in runs.values()]
        return Runs(
            domains=domains,
            benchmarks=names,
            X_ND=np.array([[run.mixture.as_dict().get(name, 0.0) for name in domains] for run in runs.values()]),
            y_NB=np.array([[score.mean for score in row] for row in scores]),
            se_NB=np.array([[score.se for score in row] for row in scores]),
            n_NB=np.array([[float(score.n) for score in row] for row in scores]),
            seeds_N=tuple(run.seed for run in runs.values()),
            steps_N=tuple(run.steps for run in runs.values()),
            labels_N=tuple(runs),
            source=f"study {self.study.name}",
        )

    def fit(self) -> Fitted:
        """Return the study's surrogate: one per benchmark, and the aggregates `out` and, where it has one, `in`.

        Raises ModomodoError when no pilot has finished, or too few.
        """
        study, runs = self.study, self.table()
        if runs is None:
            raise ModomodoError(
                f"study {study.name} has no finished pilot in {study.folder}: `modomodo pilot` runs them"
            )
        groups = {OUT: study.benchmarks, **({"in": study.in_distribution} if study.in_distribution else {})}
        items = {name: float(np.nanmedian(runs.n_NB[:, index])) for index, name in enumerate(runs.benchmarks)}
        aggregates = {group: {name: items[name] for name in names} for group, names in groups.items()}
        return fit(runs, surrogate=study.surrogate, aggregates=aggregates, seed=study.seed)

    def _pilot_runs(self) -> dict[str, FinishedRun]:
        return {
            planned.label: self.finished[planned.label] for planned in self.pilots if planned.label in self.finished
        }


def planned_runs(study: Study, planned: Sequence[PlannedRun]) -> tuple[FinishedRun, ...]:
    """Return those of the planned runs that are finished, also where they were made with another recipe."""
    store = Store(study.folder)
    labels = store.labels()
    keys = dict.fromkeys(labels[run.label] for run in planned if run.label in labels)
    return tuple(_run(store, key, labels) for key in keys if store.finished(key))


def finished_runs(study: Study, *, beside: Path | None = None) -> tuple[FinishedRun, ...]:
    """Return the finished runs in the study's folder: the base, pilots and confirmation, each in the order planned.

    Links are those of a page in the folder `beside`, the study's own if None.
    """
    store = Store(study.folder)
    labels = store.labels()
    runs = [_run(store, key, labels, beside) for key in store.finished_keys()]
    order = {key: index for index, key in enumerate(labels.values())}
    runs.sort(key=lambda run: (KINDS.index(run.kind), run.part == "confirm", order.get(run.key, len(order)), run.key))
    return tuple(runs)


def finished_of(planned: Iterable[PlannedRun], runs: Iterable[FinishedRun]) -> dict[str, FinishedRun]:
    """Return label -> run of the planned ones that are among `runs`.

    A run that was made under another state of the study's file does not count.
    """
    by_label = {label: run for run in runs for label in run.labels}
    return {
        one.label: by_label[one.label]
        for one in planned
        if one.label in by_label and by_label[one.label].is_of(one.recipe)
    }


def aggregate(run: RunResult, benchmarks: Sequence[str]) -> Score | None:
    """Return the mean over benchmarks weighted by items, with its standard error; None when the run lacks one."""
    if not benchmarks or any(name not in run.scores for name in benchmarks):
        return None
    scores = [run.scores[name] for name in benchmarks]
    n = sum(score.n for score in scores)

    def mean(field: str) -> float:
        return sum(getattr(score, field) * score.n for score in scores) / n

    return Score(
        benchmark=OUT,
        part=scores[0].part,
        mode=scores[0].mode,
        mean=mean("mean"),
        se=sum((score.n / n * score.se) ** 2 for score in scores) ** 0.5,
        n=n,
        unparsed=mean("unparsed"),
        ungradable=sum(score.ungradable for score in scores),
        worst_case=mean("worst_case"),
    )


def _scores_on(run: FinishedRun, benchmarks: Sequence[str]) -> list[Score]:
    lacking = [name for name in benchmarks if name not in run.scores]
    if lacking:
        raise ModomodoError(
            f"{run.folder / 'result.json'} has no score of {', '.join(lacking)}: delete the run's folder and run the "
            "study again, which repeats this run"
        )
    return [run.scores[name] for name in benchmarks]


def _run(store: Store, key: str, labels: Mapping[str, str], beside: Path | None = None) -> FinishedRun:
    result = store.result(key)
    part = next((score.part for score in result.scores.values()), "")
    own = tuple(label for label, other in labels.items() if other == key)
    return FinishedRun(
        **vars(result),
        labels=own,
        kind="base" if result.steps == 0 else _kind(part, planned=bool(own)),
        part=part,
        recipe=read_json(store.path(key) / "recipe.json"),
        folder=store.path(key),
        link=os.path.relpath(store.path(key), beside or store.folder),
    )


def _kind(part: str, *, planned: bool) -> Kind:
    """Return the kind of a run that was trained, by the part of the benchmarks that it was scored on, if any."""
    if part not in HALVES and not planned:
        return "single"
    return "confirmation" if part == "confirm" else "pilot"
