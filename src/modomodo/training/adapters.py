"""What of a model a recipe trains: adapters instead of weights, and the line that says how much."""

from typing import TYPE_CHECKING, Any, cast

import torch
from transformers import PreTrainedModel

from modomodo.config.recipe import Recipe
from modomodo.config.sections import Lora
from modomodo.core.errors import ModomodoError
from modomodo.models.families import Family
from modomodo.models.parts import is_inside, projectors, towers

if TYPE_CHECKING:
    from peft import LoraConfig


def lora_config(model: PreTrainedModel, family: Family | None, lora: Lora) -> "LoraConfig":
    """Return adapters for every linear layer of the language model: none on the tower, the projector and the head.

    Raises ModomodoError without the package peft, or where the tower has no name that we know.
    """
    try:
        from peft import LoraConfig
    except ImportError as error:
        raise ModomodoError("`lora` needs the package peft: pip install 'modomodo[trl]'") from error
    outside = (*towers(model, family), *projectors(model, family))
    head = model.get_output_embeddings()
    targets = [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head and not is_inside(name, outside)
    ]
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=targets,
        bias="none",
        task_type="CAUSAL_LM",
    )


def trained_part(model: torch.nn.Module, recipe: Recipe) -> str:
    """Return the line of a run's log that says how much is trained; asserts that nothing is that should not be.

    `model` is what the trainer trains, adapters in place.
    """
    inner = cast(PreTrainedModel, cast(Any, model).get_base_model() if recipe.lora else model)
    trained = {name for name, weight in inner.named_parameters() if weight.requires_grad}
    assert trained, "nothing is trained"
    wrong = trained & _held(inner, recipe)
    assert not wrong, f"{len(wrong)} weights are trained that should be frozen, {min(wrong)} among them"
    assert recipe.lora is None or all("lora_" in name for name in trained), sorted(trained)
    sizes = {name: weight.numel() for name, weight in inner.named_parameters()}
    count, every = sum(sizes[name] for name in trained), sum(sizes.values())
    return f"trainable: {_short(count)} of {_short(every)} parameters ({_frozen(recipe)})"


def _held(model: PreTrainedModel, recipe: Recipe) -> set[str]:
    """Return the names of the weights of the tower and the projector that the recipe does not train."""
    family, names = recipe.known_family, [name for name, _ in model.named_parameters()]
    vision = towers(model, family) if recipe.freeze_vision or recipe.lora else []
    between = projectors(model, family)
    whole = recipe.freeze_projector or recipe.lora is not None
    tower = {name for name in names if is_inside(name, vision) and not is_inside(name, between)}
    return tower | {name for name in names if whole and is_inside(name, between)}


def _frozen(recipe: Recipe) -> str:
    if recipe.lora is not None:
        return f"LoRA of rank {recipe.lora.rank} on the language model"
    parts = [
        name
        for name, frozen in (("vision tower", recipe.freeze_vision), ("projector", recipe.freeze_projector))
        if frozen
    ]
    return f"{' and '.join(parts)} frozen" if parts else "nothing frozen"


def _short(count: int) -> str:
    for unit, size in (("B", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= size:
            return f"{count / size:.2f} {unit}"
    return str(count)
