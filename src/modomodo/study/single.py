"""A run alone, beside the pilots of a study or without one: what `modomodo train` and `modomodo eval` do.

single = read_single(Path("study.toml"), ["mixture=recommended", "steps=200"])
print(run_single(single).result.scores)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

from rich.console import Console

from modomodo.config.policies import RECOMMENDED
from modomodo.config.recipe import Recipe, recipe_in
from modomodo.config.study import study_in
from modomodo.config.toml_files import TomlFile, read_file
from modomodo.core.errors import ModomodoError
from modomodo.runs.inputs import run_digests
from modomodo.runs.launcher import launch
from modomodo.runs.local import Processes
from modomodo.runs.planned import PlannedRun
from modomodo.runs.store import RunResult, Store, run_key, single_name
from modomodo.study.answer import recommended_mixture
from modomodo.study.pipeline import RUN, read_study, runs_path

OURS = "ours"


@dataclass(frozen=True)
class SingleRun:
    """A run to be carried out: its recipe, and the folder under whose runs/ it goes."""

    recipe: Recipe
    folder: Path

    def untrained(self) -> "SingleRun":
        """Return the run that scores the recipe's model as it is."""
        return replace(self, recipe=self.recipe.model_copy(update={"steps": 0}))


@dataclass(frozen=True)
class SingleResult:
    """A finished run: its own folder, and what it left there."""

    folder: Path
    result: RunResult


def read_single(path: Path, sets: Sequence[str] = (), *, out: Path | None = None) -> SingleRun:
    """Return the run of a recipe's file, or of the recipe of a study, after the `key=value` changes of `sets`.

    The mixture `recommended`, also as a part or the start of one that moves, is that of the study's recommendation, and
    the rule `ours` takes the study's pilots where it names none. Without `out` the run of a study goes to the study's
    folder, where its report shows it, and the run of a recipe to the working folder.

    Raises ModomodoError as `load_recipe`, and where the study has no recommendation of the pilots finished now.
    """
    file = read_file(path)
    recipe = recipe_in(file, sets, mixture_of=partial(_of_study, file))
    return SingleRun(recipe, out or (study_in(file).folder if file.is_study else Path()))


def _of_study(file: TomlFile, mixture: object) -> object:
    """Return a recipe's mixture with what only its study knows: the recommended one, and the pilots of our rule."""
    if mixture == OURS:
        mixture = {"rule": OURS}
    if isinstance(mixture, list):
        return [_with(file, part, "mixture") for part in cast(list[object], mixture)]
    if not isinstance(mixture, Mapping):
        return _recommended(file) if mixture == RECOMMENDED else mixture
    table = cast(Mapping[str, object], mixture)
    if file.is_study and table.get("rule") == OURS and "pilots" not in table:
        study = study_in(file)
        table = {"benchmarks": study.benchmarks, "surrogate": study.surrogate, **table, "pilots": runs_path(study)}
    return _with(file, table, "start")


def _with(file: TomlFile, value: object, key: str) -> object:
    if not isinstance(value, Mapping) or cast(Mapping[str, object], value).get(key) != RECOMMENDED:
        return cast(object, value)
    return {**cast(Mapping[str, object], value), key: _recommended(file)}


def _recommended(file: TomlFile) -> Mapping[str, float]:
    study = study_in(file)
    return recommended_mixture(study, pilots=read_study(study).digest).as_dict()


def run_single(single: SingleRun, *, console: Console | None = None) -> SingleResult:
    """Return the result of a run, carried out in a process of its own unless it is finished; a killed one continues.

    Progress goes to `console`, by default standard error. Raises ModomodoError when the run fails.
    """
    recipe, store = single.recipe, Store(single.folder)
    console = console or Console(stderr=True)
    with console.status("reading rows and model"):
        digests = run_digests([recipe])
    label = single_name(run_key(recipe, digests)) if recipe.steps else recipe.model
    run = PlannedRun(label, recipe)
    (outcome,) = launch([run], store, digests=digests, run=RUN, workers=Processes(1), console=console)
    if outcome.status == "failed":
        raise ModomodoError(f"the run failed, as said above; its folder is {store.path(outcome.key)}")
    return SingleResult(store.path(outcome.key), store.result(outcome.key))
