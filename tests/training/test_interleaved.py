"""Images among the words of a question stand there in both engines and in evaluation."""

import io
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image

from modomodo.core.rows import Row, Target, View
from modomodo.core.schedules import Schedule
from modomodo.data.domain import Domain
from modomodo.data.sources.prompts import ask
from modomodo.evaluation import generate
from modomodo.training.row_table import RowTable
from modomodo.training.verl import data

COLOURS = {"red": (255, 0, 0), "blue": (0, 0, 255)}


def png(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), COLOURS[colour]).save(buffer, "PNG")
    return buffer.getvalue()


ROW = Row("r1", "pairs", "Is <image> as <image>?", Target("text", "no"), (png("red"), png("blue")))
PAIRS = Domain("pairs", lambda split: [ROW], ask)


def shown(picture: Image.Image) -> str:
    return next(name for name, pixel in COLOURS.items() if picture.getpixel((0, 0)) == pixel)


def test_trl_fills_the_places_in_order():
    trl = pytest.importorskip("modomodo.training.trl", reason="TRL is not installed")
    from trl.data_utils import prepare_multimodal_messages

    rows = RowTable.load({"pairs": PAIRS})
    item = trl.schedule_dataset(Schedule((("pairs", "r1"),), 1), rows)[0]
    (message,) = prepare_multimodal_messages(item["prompt"], images=item["images"])
    said = [part["text"] if part["type"] == "text" else shown(part["image"]) for part in message["content"]]
    assert said[:4] == ["Is ", "red", " as ", "blue"]
    assert said[4].startswith("?\nFirst think")


def test_verl_has_a_marker_in_each_place():
    (message,) = data.marked(ask(ROW, View()), pictures=2, where="")
    assert message["content"].startswith("Is <image> as <image>?\nFirst think")


def test_evaluation_has_the_pictures_in_the_order_of_their_places():
    asked: dict[str, Any] = {}

    class Processor:
        def apply_chat_template(self, messages, **options):
            return "".join(part.get("text", "[]") for message in messages for part in message["content"])

        def __call__(self, **options):
            asked.update(options)
            found = {"input_ids": torch.zeros(1, 3, dtype=torch.long)}
            return SimpleNamespace(to=lambda device: found)

        def batch_decode(self, *_, **__):
            return ["no"]

    class Model(SimpleNamespace):
        eval = train = lambda self, *_: self

        def generate(self, **_):
            return torch.zeros(1, 5, dtype=torch.long)

    model = Model(device="cpu", training=False)
    assert generate.generate(model, Processor(), PAIRS, [ROW], view=View(), max_new_tokens=2) == ["no"]
    assert asked["text"][0].startswith("Is [] as []?\nFirst think")
    assert [[shown(picture) for picture in row] for row in asked["images"]] == [["red", "blue"]]
