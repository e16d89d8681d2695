"""Models and processors as a run needs them: loaded with every weight and the recipe's limits, saved whole."""

import os
import shutil
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel, ProcessorMixin
from transformers.utils import logging

from modomodo.core.children import environment
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Frame, Resize
from modomodo.models.chat_template import check_template, render
from modomodo.models.families import FRAME_KEY, Family, family_of, limits_of_pixels
from modomodo.models.names import why_absent
from modomodo.models.parts import freeze
from modomodo.models.safe_files import check_folder, folder_of

TAGS = "<think>a</think><answer>b</answer>"
NO_CONVERSION = {"DISABLE_SAFETENSORS_CONVERSION": "1"}  # else transformers takes what a bot of the hub made of pickles


def load_model(
    path: str,
    *,
    precision: str,
    freeze_vision: bool,
    freeze_projector: bool = False,
    family: Family | None = None,
    revision: str | None = None,
    device: str | None = None,
) -> PreTrainedModel:
    """Return the image-text-to-text model with every weight restored, its vision tower and projector frozen if asked.

    The projector of a frozen tower is trained unless it is frozen too, also where it stands inside the tower (Qwen).

    Raises ModomodoError when the folder lacks weights that the architecture has, or a part to freeze is not found.
    """
    model = _loaded(path, revision, dtype=getattr(torch, precision))
    freeze(model, family or family_of(path), vision=freeze_vision, projector=freeze_projector)
    cast(Any, model).to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    return model


def load_processor(
    path: str, *, revision: str | None = None, resize: Resize | None = None, as_saved: bool = False
) -> ProcessorMixin:
    """Return the processor, resizing images as `resize` says; `as_saved`: which must be what it does already.

    Raises ModomodoError when it cannot be loaded, has no chat template, or the tags would not come through.
    """
    with _foreign(f"the processor of {path!r}", path):
        check_folder(folder_of(path, revision), whole=False)
        processor = AutoProcessor.from_pretrained(path, padding_side="left", **_options(revision))
        check_template(processor, path)
        _check_tags(processor, path)
    if resize is not None:
        _set_limits(processor.image_processor, resize, path, as_saved=as_saved)
    return processor


def check_weights(path: str, *, revision: str | None = None) -> None:
    """Raise ModomodoError where the weights of a folder are not those of its config, by their headers alone.

    Weights of a hub id are only looked at where they have been fetched.
    """
    if not Path(path).is_dir():
        try:
            check_folder(folder_of(path, revision))
        except (OSError, ValueError):
            return
    with quiet():
        _loaded(path, revision, device_map="meta")


@contextmanager
def quiet() -> Generator[None]:
    """Keep transformers from its bar and its report, which an error of ours says in a line."""
    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()


def _loaded(path: str, revision: str | None, **options: Any) -> PreTrainedModel:
    """Return the model with all its weights, read from safetensors alone."""
    with _foreign(f"model {path!r}", path), environment(NO_CONVERSION):
        check_folder(folder_of(path, revision), whole=Path(path).is_dir())
        model, info = cast(Any, AutoModelForImageTextToText).from_pretrained(
            path, use_safetensors=True, output_loading_info=True, **_options(revision), **options
        )
    missing = sorted(info["missing_keys"])
    if missing:
        raise ModomodoError(
            f"model {path!r}: {len(missing)} weights are not in the checkpoint, {missing[0]} among them"
        )
    return model


def _options(revision: str | None) -> dict[str, Any]:
    """Return what goes with every call that reads a model; without the first, transformers asks on the terminal."""
    return {"trust_remote_code": False, **({} if revision is None else {"revision": revision})}


@contextmanager
def _foreign(what: str, path: str) -> Generator[None]:
    """Turn whatever files of others make the libraries raise into an error in our words."""
    try:
        yield
    except (ModomodoError, KeyboardInterrupt, SystemExit):
        raise
    # The boundary to files of others: transformers stumbles over junk in every way, tokenizers raises Exception itself,
    # and what its Rust panics with is not even one.
    except BaseException as error:
        raise ModomodoError(f"{what} cannot be loaded: {why_absent(path, error)}") from error


def reply_lengths(processor: ProcessorMixin, replies: Sequence[str]) -> list[int]:
    """Return the number of tokens of each completion, its end counted.

    Raises ModomodoError where the tokenizer fails.
    """
    tokenizer = cast(Any, processor).tokenizer
    path = str(tokenizer.name_or_path)
    with _foreign(f"the tokenizer of {path!r}", path):
        return [len(ids) + 1 for ids in tokenizer(list(replies))["input_ids"]]


def save(model: PreTrainedModel, processor: ProcessorMixin, folder: Path, *, frame: Frame | None = None) -> None:
    """Write a model and its processor whole or not at all: a kill while saving leaves nothing behind that name.

    `frame` is how the model was trained to write boxes: its config says it to whoever scores it.
    """
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    if frame is not None:
        setattr(model.config, FRAME_KEY, frame)
    model.save_pretrained(partial)
    processor.save_pretrained(partial)
    if folder.exists():  # in part, or by an attempt whose log was lost
        shutil.rmtree(folder)
    os.replace(partial, folder)


def _check_tags(processor: ProcessorMixin, path: str) -> None:
    """Raise where the tags could not be read: the template opens one itself, or the tokenizer drops them."""
    tokenizer = cast(Any, processor).tokenizer
    back = tokenizer.decode(tokenizer(TAGS)["input_ids"], skip_special_tokens=True)
    if back.replace(" ", "").find(TAGS) < 0:
        raise ModomodoError(
            f"the tokenizer of {path!r} turns {TAGS!r} into {back!r:.200}: no completion would ever parse"
        )
    opened = render(processor, [{"role": "user", "content": [{"type": "text", "text": "?"}]}]).rstrip()
    if opened.endswith("<think>"):
        raise ModomodoError(
            f"the chat template of {path!r} opens <think> itself, so its completions never hold the tag and none would "
            "parse: choose the instruct model, or give the folder a chat_template.jinja that leaves the tag out"
        )


def _set_limits(image_processor: Any, resize: Resize, path: str, *, as_saved: bool) -> None:
    """Make an image processor of the Qwen families resize as the View says it does."""
    factor = getattr(image_processor, "patch_size", 1) * getattr(image_processor, "merge_size", 1)
    if factor != resize.factor:
        raise ModomodoError(
            f"the processor of {path!r} makes sides multiples of {factor}, not of {resize.factor}: set `family` to the "
            "one that it is of"
        )
    size = cast(Mapping[str, int], dict(image_processor.size))
    own = limits_of_pixels({"size": size})
    wanted = {"min_pixels": resize.min_pixels, "max_pixels": resize.max_pixels}
    if own != wanted and as_saved:
        raise ModomodoError(
            f"vLLM on this GPU reads images with the limits of the checkpoint {path!r}, {own}, not with {wanted}: "
            "set min_pixels and max_pixels to those, or use a vLLM server started with --mm-processor-kwargs"
        )
    if own != wanted:
        print(f"images: {resize.min_pixels} to {resize.max_pixels} pixels (the checkpoint's own: {own})", flush=True)
    image_processor.size = type(image_processor.size)(
        **{**size, "shortest_edge": resize.min_pixels, "longest_edge": resize.max_pixels}
    )
