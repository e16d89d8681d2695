"""From a checkpoint of verl, a file for each GPU, to the whole model."""

from pathlib import Path
from typing import Any, cast

import torch
from torch.distributed.tensor import DTensor
from transformers import PreTrainedModel

from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.models.load import load_model
from modomodo.training.adapters import lora_config


def merged(recipe: Recipe, actor: Path) -> PreTrainedModel:
    """Return the model of a checkpoint of verl, its shards put together and adapters merged in, on the CPU.

    Its weights are of the recipe's precision, which is what verl samples in.
    """
    from verl.model_merger.base_model_merger import ModelMergerConfig  # pyright: ignore[reportMissingImports]

    whole = actor.with_name("merged")
    config = ModelMergerConfig(
        operation="merge",
        backend="fsdp",
        local_dir=str(actor),
        hf_model_config_path=str(actor / "huggingface"),
        target_dir=str(whole),
    )
    _merger(recipe.precision)(config).merge_and_save()
    precision = recipe.precision if recipe.lora is None else "float32"
    model = load_model(str(whole), precision=precision, freeze_vision=False, device="cpu")
    return model if recipe.lora is None else _with_adapters(model, recipe, whole / "lora_adapter")


def _merger(precision: str) -> Any:
    """Return verl's class, which rounds to bfloat16, or one that leaves float32 as it is."""
    from verl.model_merger import fsdp_model_merger as verl  # pyright: ignore[reportMissingImports]

    if precision == "bfloat16":
        return verl.FSDPModelMerger

    class Unrounded(verl.FSDPModelMerger):
        def _load_and_merge_state_dicts(self, world_size: int, total_shards: int, *_: object) -> dict[str, Any]:
            names = [f"model_world_size_{world_size}_rank_{rank}.pt" for rank in range(total_shards)]
            files = [Path(self.config.local_dir) / name for name in names]
            shards = [torch.load(file, map_location="cpu", weights_only=False) for file in files]
            return {name: self._put_together(name, [shard[name] for shard in shards]) for name in shards[0]}

        def _put_together(self, name: str, parts: list[Any]) -> torch.Tensor:
            if isinstance(parts[0], DTensor):
                return self._merge_by_placement([part.to_local() for part in parts], parts[0].placements[-1])
            return verl.merge_non_dtensor_shards(name, parts)

    return Unrounded


def _with_adapters(model: PreTrainedModel, recipe: Recipe, folder: Path) -> PreTrainedModel:
    from peft import get_peft_model, set_peft_model_state_dict
    from safetensors.torch import load_file

    assert recipe.lora is not None
    adapted = get_peft_model(model, lora_config(model, recipe.known_family, recipe.lora))
    loaded = set_peft_model_state_dict(adapted, load_file(folder / "adapter_model.safetensors"))
    lost = [name for name in loaded.missing_keys if "lora_" in name]
    if loaded.unexpected_keys or lost:
        strange = [*loaded.unexpected_keys, *lost]
        raise ModomodoError(f"{len(strange)} adapters of {folder} are not those of the recipe, {strange[0]} among them")
    return cast(Any, adapted.merge_and_unload()).to(getattr(torch, recipe.precision))
