"""Recipe (one run) and Study (a set of runs), strict, from TOML and `--set key=value`."""

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from modomodo.errors import ModomodoError, closest
from modomodo.mixture import Mixture
from modomodo.rows import View
from modomodo.schedules import Order
from modomodo.seeds import child_seed

Direction = Literal["higher", "lower"]
Part = Literal["select", "confirm", "all"]
OF_ONE_RUN = ("seed", "mixture", "evaluation")  # fields of a recipe that a study decides for each of its runs
Positive = Annotated[int, Field(ge=1)]
Batch = Annotated[int, Field(ge=1, le=64)]
Share = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    """Frozen; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


class Rewards(Strict):
    """Weights of the rewards of one reply; all are 0 when the format does not parse."""

    accuracy: Annotated[float, Field(ge=0)] = 2.0
    format: Annotated[float, Field(ge=0)] = 1.0


class Evaluation(Strict):
    """What a run is scored on when it ends: `items` rows of each benchmark, of the named part of it."""

    benchmarks: tuple[str, ...] = ()
    items: Positive = 200
    part: Part = "all"


class Recipe(Strict):
    """Everything that determines one run; with the rows and the model's weights it repeats the run."""

    model: str = "nano"
    engine: Literal["trl"] = "trl"
    domains: Annotated[tuple[str, ...], Field(min_length=1)]
    mixture: str | dict[str, float] = "equal"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    steps: Annotated[int, Field(ge=0)] = 60  # 0 scores the model as it is
    prompts_per_step: Positive = 8
    num_generations: Annotated[int, Field(ge=2)] = 8
    order: Order = "quota"
    epochs: Positive = 1

    learning_rate: Annotated[float, Field(gt=0)] = 1e-6
    warmup: Share = 0.0  # share of the steps
    decay: Literal["constant", "linear", "cosine"] = "constant"
    kl: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    temperature: Annotated[float, Field(gt=0)] = 1.0
    max_completion_length: Positive = 256
    completions_per_pass: Positive | None = None  # completions of one forward and backward pass; None: all of the step
    rewards: Rewards = Rewards()

    freeze_vision: bool = True
    precision: Literal["float32", "bfloat16"] = "float32"
    gradient_checkpointing: bool = False
    image_cache: bool = True
    save_every: Positive = 20  # steps between the checkpoints that a killed run resumes from
    view: View = View()
    evaluation: Evaluation = Evaluation()

    @model_validator(mode="after")
    def _whole(self) -> "Recipe":
        if len(set(self.domains)) < len(self.domains):
            raise ValueError(f"domains name each domain once, got {', '.join(self.domains)}")
        completions = self.prompts_per_step * self.num_generations
        if self.completions_per_pass is not None and completions % self.completions_per_pass:
            raise ValueError(
                f"completions_per_pass={self.completions_per_pass} does not divide the {completions} completions of a "
                f"step (prompts_per_step x num_generations)"
            )
        self.point()
        return self

    def point(self) -> Mixture:
        """Return the mixture."""
        if isinstance(self.mixture, str):
            return Mixture.parse(self.mixture, self.domains)
        unknown = [name for name in self.mixture if name not in self.domains]
        if unknown:
            raise ModomodoError(f"the mixture names {unknown[0]!r}; {closest(unknown[0], self.domains)}")
        return Mixture.of(self.mixture)

    def identity(self) -> dict[str, Any]:
        """Return what determines the run, the mixture in its canonical form; the input of a run's key."""
        fields = self.model_dump(mode="json", exclude={"mixture", "domains", "image_cache", "save_every"})
        return {**fields, "mixture": self.point().key}


class Confirming(Strict):
    """How the recommendation is put to the test: fresh matched seeds of it and of equal shares."""

    seeds: Annotated[int, Field(ge=2)] = 4


class Cap(Strict):
    """Least and greatest share of a domain."""

    min: Share = 0.0
    max: Share = 1.0


class Study(Strict):
    """Pilots of one recipe at several mixtures, the benchmarks they are scored on, and what is made of them.

    `benchmarks` make the objective: the surrogate sees the `select` part of their items, confirmation the other part.
    `held_out` are benchmarks that no surrogate ever sees; `in_distribution` are scored and reported.

    The design `seed` (each domain alone, each left out, equal shares) runs each of its mixtures `replicates` times. The
    others spend a `budget` of pilot runs within the caps: all but its `replicate_share` on different mixtures, the rest
    on second runs, at another seed, of the first of them.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    out: Path | None = None  # default: studies/NAME
    recipe: Recipe
    seed: int = 0
    benchmarks: Annotated[tuple[str, ...], Field(min_length=1)]
    held_out: tuple[str, ...] = ()
    in_distribution: tuple[str, ...] = ()
    items: Positive = 200
    design: Literal["seed", "space-filling", "d-optimal"] = "seed"
    replicates: Positive = 1  # runs of each mixture of the design `seed`, at different seeds
    budget: Positive | None = None  # pilot runs of the other designs, second runs included
    replicate_share: Annotated[float, Field(ge=0, le=0.5)] = 0.15
    extra: tuple[dict[str, float], ...] = ()  # mixtures of further pilots, as `modomodo next` prints them
    surrogate: str = "ensemble"
    caps: dict[str, Cap] = {}
    parsimony: Annotated[float, Field(ge=0)] = 0.0  # loss of expected score allowed for a simpler mixture
    batch: Batch = 4  # pilots that `next` proposes
    confirm: Confirming = Confirming()
    processes: Positive | None = None  # default: one per core

    @model_validator(mode="after")
    def _disjoint(self) -> "Study":
        for name in self.held_out:
            if name in (*self.benchmarks, *self.in_distribution, *self.recipe.domains):
                raise ValueError(f"{name} is held out and also trained or scored on pilots: held_out is seen by none")
        names = (*self.benchmarks, *self.held_out, *self.in_distribution)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is named twice among benchmarks, held_out and in_distribution")
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

    @property
    def folder(self) -> Path:
        return self.out or Path("studies") / self.name

    def pilot_recipe(self, mixture: Mixture, *, replicate: int = 0) -> Recipe:
        """Return the run of one pilot; its seed depends on the replicate alone, so that mixtures are paired."""
        evaluation = Evaluation(benchmarks=(*self.benchmarks, *self.in_distribution), items=self.items, part="select")
        return self._run(mixture, child_seed(self.seed, "pilot", replicate), evaluation)

    def confirming_recipe(self, mixture: Mixture, *, index: int) -> Recipe:
        """Return a run of confirmation; its seeds are used by no pilot."""
        evaluation = Evaluation(benchmarks=(*self.benchmarks, *self.held_out), items=self.items, part="confirm")
        return self._run(mixture, child_seed(self.seed, "confirm", index), evaluation)

    def base_recipe(self) -> Recipe:
        """Return the run that scores the model as it is."""
        recipe = self.pilot_recipe(Mixture.uniform(self.recipe.domains))
        return recipe.model_copy(update={"steps": 0, "seed": 0})

    def _run(self, mixture: Mixture, seed: int, evaluation: Evaluation) -> Recipe:
        # TRL and torch take 32-bit seeds.
        changes = {"mixture": mixture.as_dict(), "seed": seed % 2**32, "evaluation": evaluation}
        return self.recipe.model_copy(update=changes)


def load_recipe(path: Path, sets: Sequence[str] = ()) -> Recipe:
    """Return the recipe of a TOML file, or of a study's, after the `key=value` changes of `sets`.

    Raises ModomodoError that names the file, the key, the value found and the closest known key.
    """
    table = _read(path)
    return parse(
        Recipe, with_changes(_recipe_table(path, table) if "recipe" in table else table, sets), where=str(path)
    )


def load_study(path: Path, sets: Sequence[str] = ()) -> Study:
    """Return the study of a TOML file; `recipe` is a table or the path of a recipe file beside it.

    Raises ModomodoError as `load_recipe`, and for a seed, mixture or evaluation in the recipe, which a study decides
    for each of its runs; those of a recipe file serve its single runs and are left out.
    """
    table = _read(path)
    if isinstance(table.get("recipe"), str):
        table["recipe"] = {k: v for k, v in _recipe_table(path, table).items() if k not in OF_ONE_RUN}
    table = with_changes(table, sets)
    decided = [key for key in OF_ONE_RUN if isinstance(table.get("recipe"), dict) and key in table["recipe"]]
    if decided:
        raise ModomodoError(
            f"{path}: recipe.{decided[0]} is {table['recipe'][decided[0]]!r}, but a study gives each of its runs a "
            f"{decided[0]} of its own: leave it out (`seed`, `replicates`, `benchmarks` and `items` are the study's)"
        )
    return parse(Study, table, where=str(path))


def _recipe_table(path: Path, study: Mapping[str, Any]) -> dict[str, Any]:
    recipe = study["recipe"]
    return _read(path.parent / recipe) if isinstance(recipe, str) else dict(recipe)


def limits(caps: Mapping[str, Cap]) -> dict[str, tuple[float, float]]:
    """Return domain -> (least, greatest) share."""
    return {name: (cap.min, cap.max) for name, cap in caps.items()}


Config = TypeVar("Config", bound=Strict)


def parse(kind: type[Config], table: Mapping[str, Any], *, where: str) -> Config:
    """Return `table` as a `kind`, with errors in the words of a user."""
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        lines = [_explain(kind, dict(problem)) for problem in error.errors()]
        raise ModomodoError(f"{where}: " + "\n".join(lines)) from error


def digest(value: object) -> str:
    """Return a hash (16 hex digits) of a JSON-able value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        near = closest(path.name, [file.name for file in path.parent.glob("*.toml")])
        raise ModomodoError(f"{path} does not exist; {near}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ModomodoError(f"{path} cannot be read as TOML: {error}") from error


def with_changes(table: dict[str, Any], sets: Sequence[str]) -> dict[str, Any]:
    """Return `table` with dotted keys set; a value is TOML where it parses, and a plain string otherwise."""
    for item in sets:
        key, equals, text = item.partition("=")
        if not equals or not key:
            raise ModomodoError(f"--set {item!r}: write key=value, for example --set steps=30")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        *parents, last = key.split(".")
        place = table
        for parent in parents:
            inner = place.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise ModomodoError(f"--set {item!r}: {parent} is a value, not a table")
            place = cast(dict[str, Any], inner)
        place[last] = value
    return table


def _explain(kind: type[Strict], problem: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        fields = _fields(kind, problem["loc"][:-1])
        return f"unknown key {place!r}; {closest(str(problem['loc'][-1]), fields)}"
    if problem["type"] == "missing":
        return f"{place!r} is missing: add it"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{place + ': ' if place else ''}{message}" + (f" (found {problem['input']!r})" if place else "")


def _fields(kind: type[Strict], place: Sequence[str | int]) -> list[str]:
    for part in place:
        field = kind.model_fields.get(str(part))
        inner = None if field is None else field.annotation
        if inner is View:
            return [field.name for field in dataclasses.fields(View)]
        if not (isinstance(inner, type) and issubclass(inner, Strict)):
            return []
        kind = inner
    return list(kind.model_fields)
