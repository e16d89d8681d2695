"""A study as its file states it: pilots of one recipe at several mixtures, and what to do with them."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from modomodo.config.recipe import DATA_NAME, Recipe, check_steps
from modomodo.config.sections import Batch, Cap, Confirming, Evaluation, Launcher, Part
from modomodo.config.toml_files import OF_ONE_RUN, TomlFile, read_file
from modomodo.core.errors import ModomodoError, closest
from modomodo.core.mixture import Mixture
from modomodo.core.seeds import child_seed
from modomodo.core.toml import Positive, Strict, parse, with_changes

if TYPE_CHECKING:
    from pandas import DataFrame  # pyright: ignore[reportMissingTypeStubs]


class Study(Strict):
    """Pilots of one recipe at several mixtures, the benchmarks that score them, and what to make of them.

    `benchmarks` make the objective: the surrogate sees the `select` part of their items, confirmation the other part.
    No surrogate ever sees `held_out` benchmarks; `in_distribution` ones are scored and reported.

    The design `seed` (each domain alone, each left out, equal shares) runs each of its mixtures `replicates` times. The
    others spend a `budget` of pilot runs within the caps: most of it on different mixtures, its `replicate_share` on
    second runs of the first mixtures, at another seed.
    """

    name: str
    out: Path | None = None  # default: studies/NAME
    recipe: Recipe
    seed: int = 0
    benchmarks: Annotated[tuple[str, ...], Field(min_length=1)]
    held_out: tuple[str, ...] = ()
    in_distribution: tuple[str, ...] = ()
    items: Positive = 200
    samples: Positive | None = None  # completions drawn per item, at the recipe's temperature; none: one, greedy
    scored_at: tuple[Positive, ...] = ()  # earlier steps after which pilots are scored too
    design: Literal["seed", "space-filling", "d-optimal"] = "seed"
    replicates: Annotated[int, Field(ge=1, le=1_000)] = (
        1  # runs of each mixture of the design `seed`, at different seeds
    )
    budget: Annotated[int, Field(ge=1, le=10_000)] | None = (
        None  # pilot runs of the other designs, second runs included
    )
    replicate_share: Annotated[float, Field(ge=0, le=0.5)] = 0.15
    extra: tuple[dict[str, float], ...] = ()  # mixtures of further pilots, as `modomodo next` prints them
    surrogate: str = "ensemble"
    caps: dict[str, Cap] = Field(default_factory=dict[str, Cap])
    parsimony: Annotated[float, Field(ge=0)] = 0.0  # expected score you would give up for a simpler mixture
    batch: Batch = 4  # pilots that `next` proposes
    confirm: Confirming = Confirming()
    processes: Positive | None = None  # of the launcher "local"; default: one per GPU, or per core without GPUs
    launcher: Launcher = Launcher()

    @field_validator("name")
    @classmethod
    def _of_a_folder(cls, name: str) -> str:
        if not DATA_NAME.fullmatch(name):
            raise ValueError("use at most 64 letters, digits, _, . and -, starting with a letter, a digit or _")
        return name

    @model_validator(mode="after")
    def _disjoint(self) -> "Study":
        for name in self.held_out:
            if name in (*self.benchmarks, *self.in_distribution, *self.recipe.domains):
                raise ValueError(
                    f"{name} is held out and also trained on or scored on pilots: none may see it; take it "
                    "out of held_out, or out of benchmarks, in_distribution and domains"
                )
        names = (*self.benchmarks, *self.held_out, *self.in_distribution)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is named twice among benchmarks, held_out and in_distribution")
        check_steps(self.scored_at, self.recipe.steps, "scored_at")
        for name in self.caps:
            if name not in self.recipe.domains:
                raise ValueError(f"caps name {name!r}; {closest(name, self.recipe.domains)}")
        for number, weights in enumerate(self.extra, start=1):
            try:
                Mixture.of(weights).vector(self.recipe.domains)
            except ModomodoError as error:
                raise ValueError(f"mixture {number} of extra: {error}") from None
        return self

    @model_validator(mode="after")
    def _launched(self) -> "Study":
        several = (self.processes or 1) > 1 or self.launcher.kind == "ray"
        if self.recipe.engine == "verl" and several:
            raise ValueError(
                "a run of verl takes its whole Ray cluster, so runs take turns: leave processes and launcher out"
            )
        if self.processes is not None and self.launcher.kind == "ray":
            raise ValueError(
                f"processes is {self.processes}, but the launcher is ray: leave it out; launcher.concurrent says how "
                "many run at a time"
            )
        return self

    @model_validator(mode="after")
    def _sized(self) -> "Study":
        if self.design == "seed" and self.budget is not None:
            raise ValueError(
                f"budget is {self.budget}, but the design seed has its own size: leave budget out (`replicates` "
                'repeats every mixture), or choose design = "space-filling" or "d-optimal"'
            )
        if self.design != "seed" and self.budget is None:
            size = 3 * len(self.recipe.domains)
            raise ValueError(
                f"design {self.design} needs budget, the number of pilot runs, for example budget = {size}"
            )
        if self.design != "seed" and self.replicates > 1:
            raise ValueError(
                f"replicates is {self.replicates}, but only the design seed runs every mixture equally often: with a "
                "budget, replicate_share says how much of it goes to second runs"
            )
        return self

    @staticmethod
    def load(path: Path | str) -> "Study":
        """Return the study of a TOML file, as `load_study` does; `load(path).runs` is what a notebook begins with."""
        return load_study(path)

    @property
    def runs(self) -> "DataFrame":
        """A row for each finished run, with its mixture and scores; see `modomodo.reports.study_frame`."""
        # The one import against the road: notebooks begin with `Study.load(path).runs`.
        return import_module("modomodo.study.frame").study_frame(self)

    @property
    def folder(self) -> Path:
        return self.out or Path("studies") / self.name

    def pilot_recipe(self, mixture: Mixture, *, replicate: int = 0) -> Recipe:
        """Return the run of one pilot; its seed depends on the replicate alone, so that mixtures are paired."""
        names = (*self.benchmarks, *self.in_distribution)
        evaluation = self._evaluation(names, part="select", at=self.scored_at)
        return self._run(mixture, child_seed(self.seed, "pilot", replicate), evaluation)

    def confirming_recipe(self, mixture: Mixture, *, index: int) -> Recipe:
        """Return a run of confirmation; its seeds are used by no pilot."""
        evaluation = self._evaluation((*self.benchmarks, *self.held_out), part="confirm")
        return self._run(mixture, child_seed(self.seed, "confirm", index), evaluation)

    def base_recipe(self) -> Recipe:
        """Return the run that scores the model as it is."""
        recipe = self.pilot_recipe(Mixture.uniform(self.recipe.domains))
        evaluation = recipe.evaluation.model_copy(update={"at": ()})
        return recipe.model_copy(update={"steps": 0, "seed": 0, "evaluation": evaluation})

    def _evaluation(self, names: tuple[str, ...], *, part: Part, at: tuple[int, ...] = ()) -> Evaluation:
        return Evaluation(benchmarks=names, items=self.items, samples=self.samples, part=part, at=at)

    def _run(self, mixture: Mixture, seed: int, evaluation: Evaluation) -> Recipe:
        # TRL and torch take 32-bit seeds.
        changes = {"mixture": mixture, "seed": seed % 2**32, "evaluation": evaluation}
        return self.recipe.model_copy(update=changes)


def load_study(path: Path | str, sets: Sequence[str] = ()) -> Study:
    """Return the study of a TOML file; `recipe` is a table or the path of a recipe file beside it.

    Raises ModomodoError as `load_recipe`, and for a seed, mixture or evaluation in the recipe, which a study decides
    for each of its runs; those of a recipe file serve its single runs and are left out.
    """
    return study_in(read_file(Path(path)), sets)


def study_in(file: TomlFile, sets: Sequence[str] = ()) -> Study:
    """Return the study in a file that is read, as `load_study` does."""
    recipe = file.table.get("recipe")
    if recipe is None and "domains" in file.table:
        raise ModomodoError(
            f"{file.path} is a recipe, and this needs a study: a file with recipe = "
            f'"{file.path.name}", see docs/fields.md'
        )
    table = dict(file.table)
    if isinstance(recipe, str):
        table["recipe"] = {key: value for key, value in file.recipe.items() if key not in OF_ONE_RUN}
    elif isinstance(recipe, dict):
        table["recipe"] = file.recipe
    table = with_changes(table, sets)
    whole: Any = table.get("recipe")
    decided = [key for key in OF_ONE_RUN if isinstance(whole, dict) and key in whole]
    if decided:
        raise ModomodoError(
            f"{file.path}: recipe.{decided[0]} is {whole[decided[0]]!r}, but a study gives each of its runs its "
            f"own {decided[0]}: leave it out (`seed`, `replicates`, `benchmarks` and `items` are the study's)"
        )
    return parse(Study, table, where=str(file.path), sets=sets, parts={"recipe": str(file.recipe_path)})
