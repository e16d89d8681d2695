"""The embedded checkpoint is a stock model that loads like any other, is small, and sees."""

import numpy as np
import pytest

from modomodo.config.recipe import load_recipe
from modomodo.core.rows import View
from modomodo.data.nano.scenes import draw
from modomodo.data.nano.world import question
from modomodo.data.registry import DOMAINS
from modomodo.evaluation.generate import generate
from modomodo.models.load import load_model, load_processor, reply_lengths
from modomodo.models.nano.habits import careful_opening
from modomodo.models.nano.model import CHECKPOINT
from modomodo.models.nano.samples import pixel_tensor
from modomodo.verifiers import gold_reply

RECIPE = CHECKPOINT.parent / "control/recipe.toml"


@pytest.fixture(scope="module")
def nano():
    return load_model(str(CHECKPOINT), precision="float32", freeze_vision=True), load_processor(str(CHECKPOINT))


def test_it_is_small_and_stock(nano):
    model, _ = nano
    assert type(model).__module__.startswith("transformers.models.")
    assert sum(weight.numel() for weight in model.parameters()) <= 5_000_000
    assert sum(file.stat().st_size for file in CHECKPOINT.iterdir()) <= 12_000_000
    trainable = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert trainable
    assert not any("vision_tower" in name for name in trainable)


def test_its_card_says_what_was_done_to_it():
    card = (CHECKPOINT / "README.md").read_text()
    assert "bad habits on purpose" in card
    assert "modomodo nano pretrain" in card


def test_the_processor_makes_the_pixels_that_it_was_trained_on(nano):
    _, processor = nano
    picture = draw(question("charts", "test", 1).scene)
    made = processor(images=[picture], text=["<image>"], return_tensors="pt")["pixel_values"]
    np.testing.assert_allclose(made.numpy(), pixel_tensor([np.asarray(picture)]).numpy(), atol=1e-6)


def test_every_gold_reply_fits_a_reply_and_reads_back(nano):
    _, processor = nano
    for name in ("detect", "refer", "science", "spatial"):
        golds = [gold_reply(row.target, View()) for row in DOMAINS[name].load("train")[:100]]
        assert max(reply_lengths(processor, golds)) <= load_recipe(RECIPE).max_completion_length
        ids = processor.tokenizer(golds)["input_ids"]
        assert processor.batch_decode(ids, skip_special_tokens=True) == golds


def test_careful_replies_see_the_picture(nano):
    model, processor = nano
    domain, rows = DOMAINS["maths"], DOMAINS["maths"].load("test")[:32]
    skills = {row.id: question("maths", "test", index).skill for index, row in enumerate(rows)}
    replies = generate(
        model,
        processor,
        domain,
        rows,
        view=View(),
        max_new_tokens=40,
        opening=lambda row: careful_opening(skills[row.id]),
    )
    right = [domain.verify(row, reply, View()).reward or 0.0 for row, reply in zip(rows, replies, strict=True)]
    assert np.mean(right) > 0.6
