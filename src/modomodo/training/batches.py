"""Images on their way into a trainer: batches with and without them, and each processed once.

Two layouts of what image processors return: "flat", a row of each tensor for an image, patch or tile in the order of
the images; and "by row" (Idefics3, SmolVLM), pixel_values [rows, tiles, ...] padded to the row with most tiles.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Generic, TypeVar, cast

import torch
from PIL import Image
from transformers import BatchFeature, PreTrainedModel, ProcessorMixin

LIMIT = 2**30  # bytes of processed images that are kept
PICTURE_KEYS = ("pixel_values", "pixel_attention_mask", "image_grid_thw", "image_sizes")

Key = TypeVar("Key")
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """A memory that forgets what was asked for longest ago, once it holds more than `limit` bytes."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._held: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Key, make: Callable[[], Value], *, size: Callable[[Value], int]) -> Value:
        """Return what is held under `key`, made now where nothing is."""
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key][0]
        value = make()
        self._held[key] = (value, size(value))
        self._bytes += self._held[key][1]
        while self._bytes > self._limit and len(self._held) > 1:
            self._bytes -= self._held.popitem(last=False)[1][1]
        return value


class Shared(Image.Image):
    """An image that stays the same object where a trainer copies its prompts deeply."""

    def __deepcopy__(self, memo: object) -> "Shared":
        return self


def shared(picture: Image.Image) -> Image.Image:
    """Return the image itself, made safe from deep copies: a cache knows it again."""
    picture.__class__ = Shared
    return picture


def decoded_bytes(picture: Image.Image) -> int:
    """Return the bytes that a decoded image takes."""
    return picture.width * picture.height * len(picture.getbands())


def mixed_batch_processor(processor: ProcessorMixin, *, cache_images: bool) -> ProcessorMixin:
    """Return a copy of `processor` that takes batches with and without images, and processes each image once.

    A trainer asks for the same images once per completion and pass. The cache keeps the tensors of one image apart
    and joins them again, where they can be joined: otherwise the processor is asked as if there were no cache.
    """
    kind, changed = type(processor), deepcopy(processor)

    def call(self: Any, images: Any = None, *args: Any, **options: Any) -> Any:
        return _told_apart(kind.__call__(self, _without_none(images), *args, **options), images)

    changed.__class__ = type(kind.__name__, (kind,), {"__call__": call, "__module__": kind.__module__})
    _wrap_image_processor(cast(Any, changed).image_processor, cache_images=cache_images)
    return changed


def drop_unused_pictures(model: PreTrainedModel) -> None:
    """Make `model` look at no image where its input has no place for one.

    A pass over a part of a mixed batch may hold text alone; its images are then empty tensors or padding.
    """
    token = cast(Any, model.config).image_token_id

    def before(_: torch.nn.Module, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        ids = options.get("input_ids")
        if ids is None or options.get("pixel_values") is None or bool((ids == token).any()):
            return None
        return args, {key: value for key, value in options.items() if key not in PICTURE_KEYS}

    model.base_model.register_forward_pre_hook(before, with_kwargs=True)


def _without_none(images: Any) -> Any:
    if not isinstance(images, Sequence):
        return images
    filled = [[] if image is None else image for image in images]
    return filled if any(image != [] for image in filled) else None


def _told_apart(batch: Any, images: Any) -> Any:
    """Return the batch so that no trainer takes rows for images.

    TRL takes the layout by row for a flat one where there are as many images as rows, and then mixes images of
    rows with two and with none. A row of padding more makes the two numbers differ, and is never looked at.
    """
    pixels = batch.get("pixel_values")
    if not isinstance(pixels, torch.Tensor) or pixels.ndim != 5:
        return batch
    counts = [len(row or []) for row in images]
    if sum(counts) == len(pixels) and set(counts) != {1}:
        for key in ("pixel_values", "pixel_attention_mask"):
            batch[key] = torch.cat([batch[key], torch.zeros_like(batch[key][:1])])
    return batch


def _wrap_image_processor(image_processor: Any, *, cache_images: bool) -> None:
    kind = type(image_processor)
    cache: Kept[tuple[int, str], tuple[Image.Image, Mapping[str, Any]]] = Kept()

    def call(self: Any, images: Any, *args: Any, **options: Any) -> Any:
        images = _without_none(images)
        if cache_images and not args and options.get("return_tensors") in ("pt", None):
            key = repr(sorted(item for item in options.items() if item[0] != "return_tensors"))
            joined = _join(images, lambda picture: features(self, picture, key, options))
            if joined is not None:
                return joined
        return kind.__call__(self, images, *args, **options)

    def features(self: Any, picture: Image.Image, key: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
        def make() -> tuple[Image.Image, Mapping[str, Any]]:
            # Keeping the image keeps its id from being given to another one.
            return picture, dict(kind.__call__(self, [picture], **{**options, "return_tensors": "pt"}))

        return cache.get((id(picture), key), make, size=_held_bytes)[1]

    image_processor.__class__ = type(kind.__name__, (kind,), {"__call__": call, "__module__": kind.__module__})


def _held_bytes(entry: tuple[Image.Image, Mapping[str, Any]]) -> int:
    tensors = [value for value in entry[1].values() if isinstance(value, torch.Tensor)]
    return decoded_bytes(entry[0]) + sum(tensor.nbytes for tensor in tensors)


def _join(images: Any, features_of: Callable[[Image.Image], Mapping[str, Any]]) -> Any:
    """Return the processed images as one batch, or None where they cannot be joined."""
    nested = isinstance(images, Sequence) and all(isinstance(row, Sequence) for row in images)
    rows: list[list[Image.Image]] = [list(row) for row in images] if nested else [_flatten(images)]
    by_row = [[features_of(picture) for picture in row] for row in rows]
    flat = [features for row in by_row for features in row]
    if not flat or any(features.keys() != flat[0].keys() for features in flat):
        return None
    if "rows" in flat[0] or "pixel_attention_mask" in flat[0]:
        return _join_by_row(by_row) if nested else None
    if any(features[key].shape[1:] != flat[0][key].shape[1:] for features in flat for key in flat[0]):
        return None
    return BatchFeature({key: torch.cat([features[key] for features in flat]) for key in flat[0]})


def _join_by_row(by_row: Sequence[Sequence[Mapping[str, Any]]]) -> Any:
    tensors = ("pixel_values", "pixel_attention_mask")
    flat = [image for row in by_row for image in row]
    if any(key not in image or image[key].shape[2:] != flat[0][key].shape[2:] for image in flat for key in tensors):
        return None
    most = max(sum(image["pixel_values"].shape[1] for image in row) for row in by_row)
    joined: dict[str, Any] = {}
    for key in tensors:
        padding = flat[0][key].new_zeros((1, most, *flat[0][key].shape[2:]))
        joined[key] = torch.cat(
            [torch.cat([*(image[key] for image in row), padding], dim=1)[:, :most] for row in by_row]
        )
    for key in ("rows", "cols"):
        if key in flat[0]:
            joined[key] = [[int(number) for image in row for number in image[key][0]] for row in by_row]
    return BatchFeature(joined)


def _flatten(images: Any) -> list[Image.Image]:
    if not isinstance(images, Sequence):
        return [images]
    return [picture for image in images for picture in _flatten(image)]
