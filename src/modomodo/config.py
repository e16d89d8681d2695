"""Recipe (one run) and Study (a set of runs), strict."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import Field, model_validator

from modomodo.domain import Domain
from modomodo.domains import find_domain
from modomodo.domains.source import Source
from modomodo.errors import ModomodoError, closest
from modomodo.families import FAMILIES, Family, family_of
from modomodo.fields import Cap, Confirming, Evaluation, Launcher, Lora, Rewards, TrackerName, Verl, Vllm
from modomodo.mixture import Mixture
from modomodo.rows import View
from modomodo.schedules import Order
from modomodo.seeds import child_seed
from modomodo.strict import Positive, Share, Strict

if TYPE_CHECKING:
    from pandas import DataFrame  # pyright: ignore[reportMissingTypeStubs]

Direction = Literal["higher", "lower"]
DATA_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
Batch = Annotated[int, Field(ge=1, le=64)]


class Recipe(Strict):
    """Everything that determines one run; with the rows and the model's weights it repeats the run."""

    model: str = "nano"  # folder or hub id
    revision: str | None = None  # of a hub id
    family: str | None = None  # of models that `families.py` does not know by their name
    engine: Literal["trl", "verl"] = "trl"
    domains: Annotated[tuple[str, ...], Field(min_length=1)]
    data: dict[str, Source] = Field(default_factory=dict[str, Source])  # domains made here, or where ours are read from
    prepared: Path | None = None  # folder of `modomodo data prepare`; everything is read from it
    exclude: Path | None = None  # list of rows not to train on, as `modomodo check --contamination` writes it
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
    freeze_projector: bool = False
    lora: Lora | None = None
    min_pixels: Positive | None = None  # limits of a picture's area after the family's resizing
    max_pixels: Positive | None = None
    vllm: Vllm = Vllm()
    verl: Verl = Verl()
    precision: Literal["float32", "bfloat16"] = "float32"  # bfloat16: computed in it, trained weights stay float32
    gradient_checkpointing: bool = False
    image_cache: bool = True
    save_every: Positive = 20  # steps between the checkpoints that a killed run resumes from
    tracker: TrackerName = "none"  # what else shows the run's numbers; its own files always have them
    view: View = View()
    evaluation: Evaluation = Evaluation()

    @model_validator(mode="before")
    @classmethod
    def _with_frame(cls, table: object) -> object:
        """Fill in how the model's family writes boxes, so that a recipe always says it."""
        if not isinstance(table, Mapping):
            return table
        given = dict(cast(Mapping[str, Any], table))
        family = _family(given.get("family"), str(given.get("model", "nano")))
        view = given.get("view", {})
        if family is None or not isinstance(view, Mapping):
            return given
        resize = family.resize
        if resize is not None:
            limits = {key: given[key] for key in ("min_pixels", "max_pixels") if isinstance(given.get(key), int)}
            resize = replace(resize, **limits)
        return {**given, "view": {"frame": family.frame, "resize": resize, **cast(Mapping[str, Any], view)}}

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
        _check_steps(self.evaluation.at, self.steps, "evaluation.at")
        if self.evaluation.lmms is not None and self.view.mode != "standard":
            raise ValueError('evaluation.lmms scores in mode standard: set view.mode = "standard" as well')
        for name in self.data:
            if not DATA_NAME.fullmatch(name):
                raise ValueError(
                    f"data names {name!r}: a name is of letters, digits, _, . and -, at most 64, as folders bear it"
                )
        resize = self.view.resize
        if resize is not None and resize.min_pixels > resize.max_pixels:
            raise ValueError(f"min_pixels is {resize.min_pixels} and max_pixels {resize.max_pixels}: swap them")
        limited = self.min_pixels or self.max_pixels
        if limited and (self.known_family is None or self.known_family.resize is None):
            raise ValueError(
                f"min_pixels and max_pixels limit the resizing of the Qwen families, not of {self.model!r}: "
                "leave them out"
            )
        try:
            self.point()
        except ModomodoError as error:
            raise ValueError(f"mixture: {error}") from None
        return self

    @property
    def known_family(self) -> Family | None:
        """The family that `family` names or the model's name or folder gives away."""
        return _family(self.family, self.model)

    def find(self, name: str) -> Domain:
        """Return a domain or benchmark as this recipe reads it: from `data` or `prepared`, without excluded rows."""
        return find_domain(name, sources=self.data, prepared=self.prepared, exclude=self.exclude)

    def point(self) -> Mixture:
        """Return the mixture."""
        if isinstance(self.mixture, str):
            return Mixture.parse(self.mixture, self.domains)
        unknown = [name for name in self.mixture if name not in self.domains]
        if unknown:
            raise ModomodoError(f"the domain {unknown[0]!r} is not among domains; {closest(unknown[0], self.domains)}")
        return Mixture.of(self.mixture)

    def identity(self) -> dict[str, Any]:
        """Return what determines the run, the mixture in its canonical form; the input of a run's key."""
        # The digests of rows and model say what `data` and the folders lead to.
        effort = {"image_cache", "save_every", "tracker", "vllm", "verl", "data", "prepared", "exclude"}
        fields = self.model_dump(mode="json", exclude={"mixture", "domains", *effort})
        fields["family"] = None if self.known_family is None else self.known_family.name
        fields["evaluation"]["benchmarks"] = sorted(self.evaluation.benchmarks)
        fields["evaluation"]["lmms"] = self.evaluation.lmms is not None
        return {**fields, "mixture": self.point().key, "vllm": self.vllm.mode}


def _check_steps(named: Sequence[int], steps: int, field: str) -> None:
    late = [step for step in named if step >= steps > 0]
    if late:
        raise ValueError(
            f"{field} names step {late[0]}, but a run has {steps}, and is scored after the last one anyway"
        )


def _family(name: object, model: str) -> Family | None:
    if not isinstance(name, str):
        return family_of(model)
    if name not in FAMILIES:
        raise ModomodoError(f"unknown family {name!r}; {closest(name, FAMILIES)}")
    return FAMILIES[name]


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
    scored_at: tuple[Positive, ...] = ()  # steps after which pilots are scored as well, before the last one
    design: Literal["seed", "space-filling", "d-optimal"] = "seed"
    replicates: Positive = 1  # runs of each mixture of the design `seed`, at different seeds
    budget: Positive | None = None  # pilot runs of the other designs, second runs included
    replicate_share: Annotated[float, Field(ge=0, le=0.5)] = 0.15
    extra: tuple[dict[str, float], ...] = ()  # mixtures of further pilots, as `modomodo next` prints them
    surrogate: str = "ensemble"
    caps: dict[str, Cap] = Field(default_factory=dict[str, Cap])
    parsimony: Annotated[float, Field(ge=0)] = 0.0  # loss of expected score allowed for a simpler mixture
    batch: Batch = 4  # pilots that `next` proposes
    confirm: Confirming = Confirming()
    processes: Positive | None = None  # of the launcher "local"; default: one per GPU, or per core without any
    launcher: Launcher = Launcher()

    @model_validator(mode="after")
    def _disjoint(self) -> "Study":
        for name in self.held_out:
            if name in (*self.benchmarks, *self.in_distribution, *self.recipe.domains):
                raise ValueError(
                    f"{name} is held out and also trained or scored on pilots: held_out is seen by none; take it "
                    "out of held_out, or out of benchmarks, in_distribution and domains"
                )
        names = (*self.benchmarks, *self.held_out, *self.in_distribution)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is named twice among benchmarks, held_out and in_distribution")
        _check_steps(self.scored_at, self.recipe.steps, "scored_at")
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
                "a run of verl takes its whole Ray cluster, so one follows the other: leave processes and launcher out"
            )
        if self.processes is not None and self.launcher.kind == "ray":
            raise ValueError(
                f"processes is {self.processes}, but the launcher is ray: leave it out; launcher.concurrent says how "
                "many at a time"
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
        return _later("modomodo.recipes").load_study(Path(path))

    @property
    def runs(self) -> "DataFrame":
        """A row for each finished run, with its mixture and scores; see `modomodo.reporting.study_frame`."""
        return _later("modomodo.reporting").study_frame(self)

    @property
    def folder(self) -> Path:
        return self.out or Path("studies") / self.name

    def pilot_recipe(self, mixture: Mixture, *, replicate: int = 0) -> Recipe:
        """Return the run of one pilot; its seed depends on the replicate alone, so that mixtures are paired."""
        names = (*self.benchmarks, *self.in_distribution)
        evaluation = Evaluation(benchmarks=names, items=self.items, part="select", at=self.scored_at)
        return self._run(mixture, child_seed(self.seed, "pilot", replicate), evaluation)

    def confirming_recipe(self, mixture: Mixture, *, index: int) -> Recipe:
        """Return a run of confirmation; its seeds are used by no pilot."""
        evaluation = Evaluation(benchmarks=(*self.benchmarks, *self.held_out), items=self.items, part="confirm")
        return self._run(mixture, child_seed(self.seed, "confirm", index), evaluation)

    def base_recipe(self) -> Recipe:
        """Return the run that scores the model as it is."""
        recipe = self.pilot_recipe(Mixture.uniform(self.recipe.domains))
        evaluation = recipe.evaluation.model_copy(update={"at": ()})
        return recipe.model_copy(update={"steps": 0, "seed": 0, "evaluation": evaluation})

    def _run(self, mixture: Mixture, seed: int, evaluation: Evaluation) -> Recipe:
        # TRL and torch take 32-bit seeds.
        changes = {"mixture": mixture.as_dict(), "seed": seed % 2**32, "evaluation": evaluation}
        return self.recipe.model_copy(update=changes)


def _later(module: str) -> Any:
    """Return a module from further down the road, for the two names of Study that notebooks begin with."""
    return import_module(module)


def limits(caps: Mapping[str, Cap]) -> dict[str, tuple[float, float]]:
    """Return domain -> (least, greatest) share."""
    return {name: (cap.min, cap.max) for name, cap in caps.items()}


def digest(value: object) -> str:
    """Return a hash (16 hex digits) of a JSON-able value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
