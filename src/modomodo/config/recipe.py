"""A recipe: everything that determines one run, as its file says it."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import Field, model_validator

from modomodo.config.sections import Evaluation, Lora, Rewards, TrackerName, Verl, Vllm
from modomodo.config.toml_files import recipe_file, recipe_table, with_data
from modomodo.core.errors import ModomodoError, closest
from modomodo.core.mixture import Mixture
from modomodo.core.rows import View
from modomodo.core.schedules import Order
from modomodo.core.toml import Positive, Share, Strict, parse, read_toml, with_changes
from modomodo.data.domain import Domain
from modomodo.data.registry import find_domain
from modomodo.data.sources.source import Source
from modomodo.models.families import FAMILIES, Family, family_of

DATA_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


class Recipe(Strict):
    """Everything that determines one run; with the rows and the model's weights it repeats the run."""

    model: str = "nano"  # folder or hub id
    revision: str | None = None  # of a hub id
    family: str | None = None  # of models that `models/families.py` does not know by their name
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
        check_steps(self.evaluation.at, self.steps, "evaluation.at")
        if self.evaluation.lmms is not None and self.view.mode != "standard":
            raise ValueError('evaluation.lmms scores in mode standard: set view.mode = "standard" as well')
        for name in self.data:
            if not DATA_NAME.fullmatch(name):
                raise ValueError(
                    f"data names {name!r}: write at most 64 letters, digits, _, . and -, beginning with a letter, a "
                    "digit or _, as folders bear it"
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


def check_steps(named: Sequence[int], steps: int, field: str) -> None:
    """Raise ValueError where a step to score at is not before the last one."""
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


def digest(value: object) -> str:
    """Return a hash (16 hex digits) of a JSON-able value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def load_recipe(path: Path, sets: Sequence[str] = ()) -> Recipe:
    """Return the recipe of a TOML file, or of a study's, after the `key=value` changes of `sets`.

    Raises ModomodoError that names the file, the key, the value found and the closest known key.
    """
    table = read_toml(path)
    file = recipe_file(path, table)
    table = recipe_table(path, table) if "recipe" in table else with_data(table, path.parent)
    return parse(Recipe, with_changes(table, sets), where=str(file), sets=sets)
