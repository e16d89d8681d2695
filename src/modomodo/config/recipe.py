"""A recipe: everything that determines one run, as its file states it."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import (
    Field,
    PlainSerializer,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from modomodo.config.policies import Piecewise, Policy, plain_mixture, read_policy
from modomodo.config.sections import Evaluation, Lora, Rewards, TrackerName, Verl, Vllm
from modomodo.config.toml_files import TomlFile, read_file
from modomodo.core.errors import ModomodoError, closest
from modomodo.core.mixture import Mixture
from modomodo.core.rows import View
from modomodo.core.schedules import Order
from modomodo.core.toml import Positive, Share, Strict, parse, with_changes
from modomodo.data.sources.source import Source
from modomodo.models.families import FAMILIES, Family, family_of

DATA_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def _written(policy: Policy) -> object:
    return policy.as_dict() if isinstance(policy, Mixture) else policy.table()


if TYPE_CHECKING:
    Weights = Policy
else:  # what a file may say, before a validator makes it a Mixture
    Weights = Annotated[str | dict[str, float], PlainSerializer(_written)]


class Recipe(Strict):
    """Everything that determines one run: the same recipe, rows and model weights repeat it."""

    model: str = "nano"  # folder or hub id
    revision: str | None = None  # of a hub id
    family: str | None = None  # of a model that `models/families.py` doesn't know by name
    engine: Literal["trl", "verl"] = "trl"
    domains: Annotated[tuple[str, ...], Field(min_length=1)]
    data: dict[str, Source] = Field(default_factory=dict[str, Source])  # your own domains, or where to read ours from
    prepared: Path | None = None  # folder of `modomodo data prepare`; every row is read from it
    exclude: Path | None = None  # list of rows to leave out of training, as `modomodo check --contamination` writes it
    mixture: Weights = Field(
        default=cast(Any, "equal"), validate_default=True
    )  # or single:NAME, exclude:NAME, weights; or what moves it: a rule, or a list of parts
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
    completions_per_pass: Positive | None = None  # micro-batch: completions per pass; None: all of the step
    rewards: Rewards = Rewards()

    freeze_vision: bool = True
    freeze_projector: bool = False
    lora: Lora | None = None
    min_pixels: Positive | None = None  # limits of an image's area after the family's resizing
    max_pixels: Positive | None = None
    vllm: Vllm = Vllm()
    verl: Verl = Verl()
    precision: Literal["float32", "bfloat16"] = "float32"  # bfloat16 is for computing; trained weights stay float32
    gradient_checkpointing: bool = False
    image_cache: bool = True
    save_every: Positive = 20  # steps between the checkpoints that a killed run resumes from
    tracker: TrackerName = "none"  # what else shows the run's numbers; its own files always have them
    view: View = View()
    evaluation: Evaluation = Evaluation()

    @field_validator("domains")
    @classmethod
    def _each_once(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(domains)) < len(domains):
            raise ValueError(f"name each domain once in domains, got {', '.join(domains)}")
        return domains

    @field_validator("mixture", mode="wrap")
    @classmethod
    def _among_domains(cls, value: object, checked: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Policy:
        """Return what a text, a table or a list names."""
        domains = info.data.get("domains")
        if domains is None:  # they are wrong themselves, which is said
            return Mixture.single("unknown", ["unknown"])
        try:
            policy = read_policy(value, domains)
            if policy is not None:
                return policy
            return plain_mixture(checked(value.as_dict() if isinstance(value, Mixture) else value), domains)
        except ModomodoError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="before")
    @classmethod
    def _with_frame(cls, table: object) -> object:
        """Fill in how the model's family writes boxes, so that a recipe always states it."""
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
                    f"data names {name!r}: use at most 64 letters, digits, _, . and -, starting with a letter, a "
                    "digit or _, since a folder takes this name"
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
        return self

    @property
    def known_family(self) -> Family | None:
        """The family that `family` names or the model's name or folder gives away."""
        return _family(self.family, self.model)

    def identity(self) -> dict[str, Any]:
        """Return what determines the run, the mixture in its canonical form; the input of a run's key."""
        # The digests of rows and model say what `data` and the folders lead to.
        effort = {"image_cache", "save_every", "tracker", "vllm", "verl", "data", "prepared", "exclude"}
        fields = self.model_dump(mode="json", exclude={"mixture", "domains", *effort})
        fields["family"] = None if self.known_family is None else self.known_family.name
        fields["evaluation"]["benchmarks"] = sorted(self.evaluation.benchmarks)
        fields["evaluation"]["lmms"] = self.evaluation.lmms is not None
        if self.evaluation.samples is None:
            del fields["evaluation"]["samples"]  # keys of runs are older than the field
        if self.evaluation.engine == "transformers":
            del fields["evaluation"]["engine"]  # likewise
        if self.verl.options:
            fields["verl"] = self.verl.options
        mixture = self.mixture.key if isinstance(self.mixture, Mixture) else self.mixture.identity()
        return {**fields, "mixture": mixture, "vllm": self.vllm.mode}

    @property
    def requested(self) -> Mixture:
        """The shares asked for over the whole run; where a rule moves them, those that it starts from."""
        return self.mixture if isinstance(self.mixture, Mixture) else self.mixture.requested

    def requested_at(self, step: int) -> Mixture:
        """Return the shares asked for at a step, counted from 1, as far as they are known beforehand."""
        return self.mixture.at(step, self.steps) if isinstance(self.mixture, Piecewise) else self.requested


def check_steps(named: Sequence[int], steps: int, field: str) -> None:
    """Raise ValueError where a step to score at is not before the last one."""
    late = [step for step in named if step >= steps > 0]
    if late:
        raise ValueError(
            f"{field} names step {late[0]}, but a run has {steps} steps and is scored after the last one anyway"
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


def load_recipe(path: Path | str, sets: Sequence[str] = ()) -> Recipe:
    """Return the recipe of a TOML file, or of a study's, after the `key=value` changes of `sets`.

    Raises ModomodoError that names the file, the key, the value found and the closest known key.
    """
    return recipe_in(read_file(Path(path)), sets)


def recipe_in(
    file: TomlFile, sets: Sequence[str] = (), *, mixture_of: Callable[[object], object] = lambda mixture: mixture
) -> Recipe:
    """Return the recipe in a file that is read, as `load_recipe` does.

    `mixture_of` returns what stands for the `mixture` that is written there.
    """
    table = with_changes(file.recipe, sets)
    if "mixture" in table:
        table["mixture"] = mixture_of(table["mixture"])
    return parse(Recipe, table, where=str(file.recipe_path), sets=sets)
