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
    """Weights of the rewards of one reply; all are 0 when the format does not parse."""

    accuracy: Annotated[float, Field(ge=0)] = 2.0
    format: Annotated[float, Field(ge=0)] = 1.0


class Evaluation(Strict):
    """What a run is scored on when it ends: `items` rows of each benchmark, of the named part of it."""

    benchmarks: tuple[str, ...] = ()
    items: Positive = 200
    part: Part = "all"
    at: tuple[Positive, ...] = ()  # steps before the last one after which it is scored as well
    lmms: Path | None = None  # python of an environment with lmms-eval, which then scores the public benchmarks


class Lora(Strict):
    """Low-rank adapters on the linear layers of the language model, instead of all its weights."""

    rank: Positive = 16
    alpha: Positive = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Vllm(Strict):
    """Where replies are sampled: by the trainer itself, by vLLM on the same GPU, or by a vLLM server."""

    mode: Literal["off", "colocate", "server"] = "off"
    gpu_memory: Annotated[float, Field(gt=0, lt=1)] = 0.3  # share of the GPU that `colocate` takes
    tensor_parallel: Positive = 1
    host: str = "localhost"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000


class Verl(Strict):
    """The Ray cluster that a run of the engine verl takes whole, and how the model lies on it."""

    address: str = "auto"  # of the running cluster: "auto" for that of this machine, or "host:port"
    nodes: Positive = 1
    gpus_per_node: Positive = 8
    max_prompt_length: Positive = 4096  # tokens, those of pictures counted; a longer prompt stops the run
    sequence_parallel: Positive = 1  # GPUs that share one long sequence
    offload: bool = False  # weights and optimizer go to main memory while replies are sampled


class Launcher(Strict):
    """Where a study's runs are carried out: by processes of this machine, or by tasks of a Ray cluster."""

    kind: Literal["local", "ray"] = "local"
    address: str = "local"  # "local" starts a cluster on this machine; "auto" or "host:port" joins a running one
    concurrent: Positive | None = None  # runs at a time, at most; default: as many as the cluster has room for
    cpus: Annotated[float, Field(gt=0)] = 1.0  # of each run
    gpus: Annotated[float, Field(ge=0)] | None = None  # of each run; default: 1 where the cluster has any
    resources: dict[str, float] = Field(default_factory=dict[str, float])  # Ray's own names, that a node must offer
    placement: Literal["pack", "spread"] = "pack"
    retries: Annotated[int, Field(ge=0)] = 3  # of a run whose process or node was lost; each resumes its checkpoint
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
            raise ValueError(f"storage is {self.storage!r}: write a folder, or a URL as s3://bucket/study")
        return self


class Confirming(Strict):
    """How the recommendation is put to the test: fresh matched seeds of it and of equal shares."""

    seeds: Annotated[int, Field(ge=2)] = 4


class Cap(Strict):
    """Least and greatest share of a domain."""

    min: Share = 0.0
    max: Share = 1.0


def limits(caps: Mapping[str, Cap]) -> dict[str, tuple[float, float]]:
    """Return domain -> (least, greatest) share."""
    return {name: (cap.min, cap.max) for name, cap in caps.items()}
