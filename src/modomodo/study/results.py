"""The finished runs in a study's folder, as values."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from modomodo.config.study import Study
from modomodo.core.files import read_json
from modomodo.core.mixture import Mixture
from modomodo.evaluation.benchmarks import Score
from modomodo.runs.store import HALVES, Store, single_name

Kind = Literal["base", "pilot", "confirmation", "single"]
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


def finished_runs(study: Study, *, beside: Path | None = None) -> tuple[FinishedRun, ...]:
    """Return the finished runs in the study's folder: the base, pilots and confirmation, each in the order planned."""
    store = Store(study.folder)
    labels = store.labels()
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
