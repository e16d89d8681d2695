"""Models and processors as a run needs them: loaded, frozen, and with pictures processed once."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from PIL import Image
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    BatchFeature,
    PreTrainedModel,
    ProcessorMixin,
)

from modomodo.domain import Message
from modomodo.errors import ModomodoError


def load_model(path: str, *, precision: str, freeze_vision: bool) -> PreTrainedModel:
    """Return the image-text-to-text model with every weight restored, its vision tower frozen if asked.

    Raises ModomodoError when the folder lacks weights that the architecture has, or when there is no tower to freeze.
    """
    try:
        model, info = cast(Any, AutoModelForImageTextToText).from_pretrained(
            path, dtype=getattr(torch, precision), output_loading_info=True
        )
    except (OSError, ValueError) as error:
        raise ModomodoError(f"model {path!r} cannot be loaded: {error}") from error
    missing = sorted({*info["missing_keys"], *info["mismatched_keys"]})
    if missing:
        raise ModomodoError(
            f"model {path!r}: {len(missing)} weights are not in the checkpoint, {missing[0]} among them"
        )
    if torch.cuda.is_available():
        model.to("cuda")
    if freeze_vision:
        for parameter in _vision_tower(model, path).parameters():
            parameter.requires_grad_(False)
    return model


def load_processor(path: str) -> ProcessorMixin:
    """Return the processor; raises ModomodoError when it cannot be loaded or has no chat template."""
    try:
        processor = AutoProcessor.from_pretrained(path, padding_side="left")
    except (OSError, ValueError) as error:
        raise ModomodoError(f"the processor of {path!r} cannot be loaded: {error}") from error
    if not processor.chat_template:
        raise ModomodoError(f"the processor of {path!r} has no chat template: choose an instruct model, or add one")
    return processor


def render(processor: ProcessorMixin, messages: Sequence[Message]) -> str:
    """Return the text that a prompt's messages become, up to where the reply begins; pictures are placeholders."""
    template: Any = processor
    return template.apply_chat_template(list(messages), add_generation_prompt=True, tokenize=False)


def reply_lengths(processor: ProcessorMixin, replies: Sequence[str]) -> list[int]:
    """Return the number of tokens of each reply, its end counted."""
    return [len(ids) + 1 for ids in cast(Any, processor).tokenizer(list(replies))["input_ids"]]


def save(model: PreTrainedModel, processor: ProcessorMixin, folder: Path) -> None:
    """Write a model and its processor whole or not at all: a kill while saving leaves nothing behind that name."""
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    processor.save_pretrained(partial)
    os.replace(partial, folder)


def accept_mixed_batches(processor: ProcessorMixin, *, cache_images: bool) -> None:
    """Change `processor` so that batches with and without pictures work, and each picture is processed once.

    A trainer asks for the same pictures once per completion, pass and epoch. The cache keeps the tensors of one
    picture apart and joins them again, for processors whose outputs can be joined (a row of each tensor per picture
    or patch); it lives as long as the pictures' own objects do.
    """
    kind = type(processor)

    def call(self: Any, images: Any = None, *args: Any, **options: Any) -> Any:
        return kind.__call__(self, _without_none(images), *args, **options)

    processor.__class__ = type(kind.__name__, (kind,), {"__call__": call, "__module__": kind.__module__})
    if cache_images:
        _cache_images(processor.image_processor)  # pyright: ignore[reportAttributeAccessIssue]


def _without_none(images: Any) -> Any:
    if not isinstance(images, Sequence):
        return images
    filled = [[] if image is None else image for image in images]
    return filled if any(image != [] for image in filled) else None


def _cache_images(image_processor: Any) -> None:
    kind = type(image_processor)
    cache: dict[tuple[int, str], tuple[Image.Image, Mapping[str, torch.Tensor]]] = {}

    def call(self: Any, images: Any, *args: Any, **options: Any) -> Any:
        flat = _flatten(images)
        if args or options.get("return_tensors") not in ("pt", None):
            return kind.__call__(self, images, *args, **options)
        key = repr(sorted(options.items()))
        found = [_one(self, image, key, options) for image in flat]
        joined = _join(found)
        if joined is None:
            return kind.__call__(self, images, **options)
        return joined

    def _one(self: Any, image: Image.Image, key: str, options: Mapping[str, Any]) -> Mapping[str, torch.Tensor]:
        entry = cache.get((id(image), key))
        # Keeping the picture keeps its id from being given to another one.
        if entry is None or entry[0] is not image:
            entry = (image, dict(kind.__call__(self, [image], **{**options, "return_tensors": "pt"})))
            cache[id(image), key] = entry
        return entry[1]

    image_processor.__class__ = type(kind.__name__, (kind,), {"__call__": call, "__module__": kind.__module__})


def _join(found: Sequence[Mapping[str, torch.Tensor]]) -> Any:
    first = found[0]
    for other in found[1:]:
        if other.keys() != first.keys() or any(other[k].shape[1:] != first[k].shape[1:] for k in first):
            return None
    return BatchFeature({key: torch.cat([features[key] for features in found]) for key in first})


def _flatten(images: Any) -> list[Image.Image]:
    if not isinstance(images, Sequence):
        return [images]
    return [picture for image in images for picture in _flatten(image)]


def _vision_tower(model: PreTrainedModel, path: str) -> torch.nn.Module:
    for name in ("vision_tower", "visual", "vision_model"):
        for owner in (getattr(model, "model", None), model):
            tower = getattr(owner, name, None)
            if tower is not None:
                return tower
    raise ModomodoError(f"model {path!r} has no vision tower that we know; set freeze_vision = false")
