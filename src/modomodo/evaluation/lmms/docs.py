"""Docs, as lmms-eval calls a row of the prepared set: what they ask, and the Row they are."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modomodo.core.rows import Row, Target, View, open_image
from modomodo.data.sources.prompts import ask

if TYPE_CHECKING:
    from PIL import Image

Doc = Mapping[str, Any]

STANDARD = View(mode="standard")


def undecoded(dataset: Any) -> Any:
    """Return the dataset with its images as files: lmms-eval reads every doc several times."""
    from datasets import Image, List

    return dataset.cast_column("images", List(Image(decode=False)))


def row_of(doc: Doc) -> Row:
    """Return the row of a record of the prepared set; for the judgement lmms-eval leaves the images out."""
    size = doc["image_size"]
    target = Target(
        verifier=doc["verifier"],
        value=json.loads(doc["value"]),
        options=tuple(doc["options"]),
        image_size=(size[0], size[1]) if size else None,
        tolerance=doc["tolerance"],
    )
    images = tuple(image["bytes"] for image in doc.get("images", ()))
    return Row(doc["id"], doc["domain"], doc["question"], target, images)


def visuals(doc: Doc) -> "list[Image.Image]":
    """Return the images in order."""
    return [open_image(image) for image in row_of(doc).images]


def text(doc: Doc) -> str:
    """Return the text of the prompt; a model that takes no messages puts all images before it, as we do."""
    return "".join(part["text"] for part in _parts(doc) if part["type"] == "text")


def messages(doc: Doc) -> list[dict[str, Any]]:
    """Return the prompt as messages with the images in them."""
    pictures = iter(visuals(doc))
    parts = [{"type": "image", "url": next(pictures)} if part["type"] == "image" else part for part in _parts(doc)]
    return [{"role": "user", "content": parts}]


def gold(doc: Doc) -> str:
    """Return the gold as it is logged."""
    return doc["value"]


def _parts(doc: Doc) -> list[Any]:
    (message,) = ask(row_of(doc), STANDARD)
    return message["content"]
