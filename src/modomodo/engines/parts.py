"""The parts of a model: what of it is trained, and adapters instead of weights."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import torch
from transformers import PreTrainedModel

from modomodo.config import Recipe
from modomodo.errors import ModomodoError
from modomodo.families import FAMILIES, Family
from modomodo.fields import Lora

if TYPE_CHECKING:
    from peft import LoraConfig

KNOWN_VISION = tuple(dict.fromkeys(name for family in FAMILIES.values() for name in family.vision))
KNOWN_PROJECTORS = tuple(dict.fromkeys(name for family in FAMILIES.values() for name in family.projector))


def freeze(model: PreTrainedModel, family: Family | None, *, vision: bool, projector: bool) -> None:
    """Freeze the vision tower, the projector, or both; a projector inside the tower is not of the tower.

    Raises ModomodoError where a part to freeze has none of the names that we know.
    """
    between = set(_weights(model, projectors(model, family)))
    if vision:
        for weight in _weights(model, towers(model, family)):
            weight.requires_grad_(weight in between and weight.requires_grad)
    if projector:
        if not between:
            raise _unknown(model, "projector", KNOWN_PROJECTORS)
        for weight in between:
            weight.requires_grad_(False)


def towers(model: PreTrainedModel, family: Family | None) -> list[str]:
    """Return the paths of the modules of the vision tower, by the family's names or else by those we know.

    Raises ModomodoError where there is none.
    """
    found = _found(model, family.vision if family else KNOWN_VISION)
    if not found:
        raise _unknown(model, "vision tower", family.vision if family else KNOWN_VISION)
    return found


def projectors(model: PreTrainedModel, family: Family | None) -> list[str]:
    """Return the paths of the modules between tower and language model; empty where none has a name that we know."""
    return _found(model, family.projector if family else KNOWN_PROJECTORS)


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
        if isinstance(module, torch.nn.Linear) and module is not head and not _is_inside(name, outside)
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
    tower = {name for name in names if _is_inside(name, vision) and not _is_inside(name, between)}
    return tower | {name for name in names if whole and _is_inside(name, between)}


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


def _found(model: PreTrainedModel, names: Sequence[str]) -> list[str]:
    modules = {name for name, _ in model.named_modules()}
    found: list[str] = []
    for name in names:
        found += [path for path in (f"model.{name}", name) if path in modules][:1]
    return found


def _weights(model: PreTrainedModel, paths: Sequence[str]) -> Iterator[torch.nn.Parameter]:
    for path in paths:
        yield from model.get_submodule(path).parameters()


def _is_inside(name: str, paths: Sequence[str]) -> bool:
    return any(name == path or name.startswith(f"{path}.") for path in paths)


def _unknown(model: PreTrainedModel, part: str, names: Sequence[str]) -> ModomodoError:
    kind = getattr(model.config, "model_type", type(model).__name__)
    key = "freeze_projector" if part == "projector" else "freeze_vision"
    return ModomodoError(
        f"a model of type {kind} has no {part} that we know (looked for {', '.join(names)}): set {key} = false, or "
        f"family to one of {', '.join(FAMILIES)}"
    )
