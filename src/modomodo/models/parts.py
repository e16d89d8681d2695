"""The parts of a model: its vision tower and its projector, by name; and freezing them."""

from collections.abc import Iterator, Sequence

import torch
from transformers import PreTrainedModel

from modomodo.core.errors import ModomodoError
from modomodo.models.families import FAMILIES, Family

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
    paths = _paths(model, family.vision if family else KNOWN_VISION)
    if not paths:
        raise _unknown(model, "vision tower", family.vision if family else KNOWN_VISION)
    return paths


def projectors(model: PreTrainedModel, family: Family | None) -> list[str]:
    """Return the paths of the modules between tower and language model; empty where none has a name that we know."""
    return _paths(model, family.projector if family else KNOWN_PROJECTORS)


def _paths(model: PreTrainedModel, names: Sequence[str]) -> list[str]:
    modules = {name for name, _ in model.named_modules()}
    paths: list[str] = []
    for name in names:
        paths += [path for path in (f"model.{name}", name) if path in modules][:1]
    return paths


def _weights(model: PreTrainedModel, paths: Sequence[str]) -> Iterator[torch.nn.Parameter]:
    for path in paths:
        yield from model.get_submodule(path).parameters()


def is_inside(name: str, paths: Sequence[str]) -> bool:
    """Return whether a weight or module belongs to one of the modules at `paths`."""
    return any(name == path or name.startswith(f"{path}.") for path in paths)


def _unknown(model: PreTrainedModel, part: str, names: Sequence[str]) -> ModomodoError:
    kind = getattr(model.config, "model_type", type(model).__name__)
    key = "freeze_projector" if part == "projector" else "freeze_vision"
    return ModomodoError(
        f"a model of type {kind} has no {part} that we know (looked for {', '.join(names)}): set {key} = false, or "
        f"family to one of {', '.join(FAMILIES)}"
    )
