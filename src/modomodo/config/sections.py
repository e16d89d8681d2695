"""The tables inside a recipe or a study."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from modomodo.core.toml import Positive, Share, Strict

Direction = Literal["higher", "lower"]
Batch = Annotated[int, Field(ge=1, le=64)]
Part = Literal["select", "confirm", "all"]
TrackerName = Literal["none", "tensorboard", "wandb", "trackio"]


class Rewards(Strict):
    """Weights of the rewards of one completion; all rewards are 0 when its format doesn't parse."""

    accuracy: Annotated[float, Field(ge=0)] = 2.0
    format: Annotated[float, Field(ge=0)] = 1.0


class Evaluation(Strict):
    """What a run is scored on when it ends: `items` rows from the named part of each benchmark."""

    benchmarks: tuple[str, ...] = ()
    items: Positive = 200
    samples: Positive | None = None  # completions drawn per item, at the recipe's temperature; none: one, greedy
    part: Part = "all"
    at: tuple[Positive, ...] = ()  # earlier steps after which it is scored too
    engine: Literal["transformers", "vllm"] = "transformers"  # what generates the completions
    lmms: Path | None = None  # Python of an environment with lmms-eval, which then scores the public benchmarks

    @model_validator(mode="after")
    def _drawn_by_us(self) -> "Evaluation":
        if self.samples is not None and self.lmms is not None:
            raise ValueError("lmms-eval takes one greedy completion of each item: leave samples out, or lmms")
        return self


class Lora(Strict):
    """Low-rank adapters on the linear layers of the language model, instead of all its weights."""

    rank: Positive = 16
    alpha: Positive = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Vllm(Strict):
    """What samples completions: the trainer itself, vLLM on the same GPU, or a vLLM server."""

    mode: Literal["off", "colocate", "server"] = "off"
    gpu_memory: Annotated[float, Field(gt=0, lt=1)] = 0.3  # share of the GPU that `colocate` takes
    tensor_parallel: Positive = 1
    host: str = "localhost"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000


class Verl(Strict):
    """The Ray cluster, all of which a run of the engine verl takes, and how it holds the model."""

    address: str = "auto"  # of the running cluster: "auto" for the one on this machine, or "host:port"
    nodes: Positive = 1
    gpus_per_node: Positive = 8
    max_prompt_length: Positive = 4096  # tokens, images included; a longer prompt stops the run
    sequence_parallel: Positive = 1  # GPUs that share one long sequence
    offload: bool = False  # weights and optimizer move to main memory during sampling
    options: dict[str, str | int | float | bool] = Field(
        default_factory=dict[str, str | int | float | bool]
    )  # further options of verl by their dotted names; those that a recipe decides are refused


class Launcher(Strict):
    """Where a study's runs happen: in processes on this machine, or as tasks on a Ray cluster."""

    kind: Literal["local", "ray"] = "local"
    address: str = "local"  # "local" starts a cluster on this machine; "auto" or "host:port" joins a running one
    concurrent: Positive | None = None  # of ray: most runs at a time; default: as many as the cluster has room for
    cpus: Annotated[float, Field(gt=0)] = 1.0  # of each run
    gpus: Annotated[float, Field(ge=0)] | None = None  # of each run; default: 1 where the cluster has any
    resources: dict[str, float] = Field(default_factory=dict[str, float])  # Ray's custom resources
    placement: Literal["pack", "spread"] = "pack"
    retries: Annotated[int, Field(ge=0)] = 3  # of a run that lost its process or node; each resumes a checkpoint
    storage: str | None = None  # folder or fsspec URL that every node reaches; default: the study's own folder

    @model_validator(mode="after")
    def _of_one_kind(self) -> "Launcher":
        fields = type(self).model_fields.items()
        given = [name for name, field in fields if getattr(self, name) != field.get_default(call_default_factory=True)]
        if self.kind == "local" and given:
            values = ", ".join(f"{name} = {getattr(self, name)!r}" for name in given)
            raise ValueError(
                f'{", ".join(given)} belongs to the launcher "ray": set launcher.kind = "ray" as well, or leave '
                f"{values} out"
            )
        if self.storage is not None and (not self.storage.strip() or re.match(r"\w+:(?!//)", self.storage)):
            raise ValueError(f"storage is {self.storage!r}: write a folder, or a URL such as s3://bucket/study")
        return self


class Confirming(Strict):
    """How the recommendation is tested: on fresh matched seeds, against equal shares.

    With `max_seeds` the test ends as soon as it can tell: it is looked at after each `seeds` further ones, and its
    intervals hold over all the looks.
    """

    seeds: Annotated[int, Field(ge=2, le=1_000)] = 4
    max_seeds: Annotated[int, Field(ge=2, le=64)] | None = None  # the most; default: `seeds`, looked at once

    @model_validator(mode="after")
    def _growing(self) -> "Confirming":
        if self.max_seeds is not None and self.max_seeds < self.seeds:
            raise ValueError(
                f"max_seeds is {self.max_seeds}, fewer than seeds = {self.seeds}, with which the test begins: raise it"
            )
        return self

    @property
    def looks(self) -> tuple[int, ...]:
        """The numbers of seeds after which the test is looked at."""
        most = self.max_seeds or self.seeds
        return (*range(self.seeds, most, self.seeds), most)


class Cap(Strict):
    """Smallest and largest weight of a domain."""

    min: Share = 0.0
    max: Share = 1.0


def limits(caps: Mapping[str, Cap]) -> dict[str, tuple[float, float]]:
    """Return domain -> (least, greatest) share."""
    return {name: (cap.min, cap.max) for name, cap in caps.items()}
