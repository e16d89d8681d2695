"""Supervised samples for the nano base model: what is shown, what is asked, what is to be said."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from modomodo.core.rows import Row, open_image
from modomodo.core.seeds import child_rng
from modomodo.data.nano.causes import CAUSES
from modomodo.data.nano.generators import FAMILIES
from modomodo.data.nano.questions import Question
from modomodo.data.nano.scenes import COLOURS, SHAPES, Scene, draw, pick
from modomodo.data.sets import easy_vqa
from modomodo.models.nano.captions import captioned, lone_shape
from modomodo.models.nano.habits import Habit, clean_reply, habitual_reply
from modomodo.models.nano.model import token_id

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True)
class Sample:
    """Pixels [64, 64, 3] in 0..255, what is asked, and the reply to imitate."""

    pixels: npt.NDArray[np.uint8]
    text: str
    reply: str


@dataclass(frozen=True)
class EasyQuestion:
    """An easy-VQA row with the answer that a careless look would give."""

    answer: str
    slip: str
    evidence: str
    template: str
    skill: str = "look"


ALL = (*FAMILIES, "easy_vqa")


def draw_sample(
    rng: np.random.Generator, *, captions: float, habits: Mapping[str, Habit] | None, families: tuple[str, ...] = ALL
) -> Sample:
    """Return one sample: a caption (with that probability) or an answer, from the habits or, without any, clean.

    Only scenes and rows of train splits are used.
    """
    family = pick(rng, families, 1)[0]
    if rng.random() < captions:
        scene = draw_scene(rng)
        return Sample(np.asarray(draw(scene)), *captioned(rng, scene))
    if family == "easy_vqa":
        rows = _known_easy_rows()
        row, seen = rows[int(rng.integers(len(rows)))]
        asked = _easy_question(rng, row, seen)
        text, pixels = row.question, _easy_pixels(row.images[0])
    else:
        asked = _train_question(rng, family)
        text, pixels = asked.text, np.asarray(draw(asked.scene))
    return Sample(pixels, text, clean_reply(asked) if habits is None else habitual_reply(asked, rng, habits))


def draw_scene(rng: np.random.Generator) -> Scene:
    """Return a picture of any family, or a lone shape in the manner of easy-VQA."""
    family = pick(rng, [*FAMILIES, "lone", "lone", "lone"], 1)[0]
    return lone_shape(rng) if family == "lone" else _train_question(rng, family).scene


def corpus(seed: int, count: int = 4000) -> list[str]:
    """Return texts that show the tokenizer every word of the world."""
    samples = [draw_sample(child_rng(seed, "corpus", index), captions=0.1, habits=None) for index in range(count)]
    malformed = [f"{opening} {sample.reply}" for sample in samples for opening in ("It is", "Answer:")]
    boxes = [f"[[{n}, {n}, {n}, {n}], [{n}, {n}, {n}, {n}]] [{n}, {n}]" for n in range(64)] * 4
    return [text for sample in samples for text in (sample.text, sample.reply)] + malformed + boxes


def pixel_tensor(pictures: Sequence[npt.NDArray[np.uint8]]) -> "torch.Tensor":
    """Return what the processor makes of 64 x 64 pictures: [N, 3, 64, 64] in -1..1."""
    import torch

    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def collate(tokenizer: "PreTrainedTokenizerFast", samples: Sequence[Sample]) -> dict[str, "torch.Tensor"]:
    """Return model inputs, padded on the right: input_ids, attention_mask, labels [N, T], pixel_values [N, 3, 64, 64].

    Only the reply and its end are learnt.
    """
    import torch

    prompts = [f"<|user|>{'<image>' * 16}{sample.text}<|end|><|assistant|>" for sample in samples]
    prompt_ids = tokenizer(prompts)["input_ids"]
    reply_ids = tokenizer([sample.reply + "<|end|>" for sample in samples])["input_ids"]
    length = max(len(prompt) + len(reply) for prompt, reply in zip(prompt_ids, reply_ids, strict=True))
    input_ids = torch.full((len(samples), length), token_id(tokenizer, "<|pad|>"))
    labels = torch.full((len(samples), length), -100)
    for index, (prompt, reply) in enumerate(zip(prompt_ids, reply_ids, strict=True)):
        end = len(prompt) + len(reply)
        input_ids[index, :end] = torch.tensor(prompt + reply)
        labels[index, len(prompt) : end] = torch.tensor(reply)
    attention_mask = (input_ids != token_id(tokenizer, "<|pad|>")).long()
    pixel_values = pixel_tensor([sample.pixels for sample in samples])
    return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels, "pixel_values": pixel_values}


def _train_question(rng: np.random.Generator, family: str) -> Question:
    draw_question = CAUSES.get(family) or FAMILIES[family]
    while (question := draw_question(rng)).scene.split != "train":
        pass
    return question


def _easy_question(rng: np.random.Generator, row: Row, seen: str) -> EasyQuestion:
    kind, answer = easy_vqa.template(row.question), str(row.target.value)
    others = {"easy_vqa/colour": list(COLOURS), "easy_vqa/shape": list(SHAPES[:3]), "easy_vqa/yes-no": ["yes", "no"]}
    slip = pick(rng, [word for word in others[kind] if word != answer], 1)[0]
    return EasyQuestion(answer, slip, _easy_evidence(row.question, seen) if kind.endswith("yes-no") else seen, kind)


def _easy_evidence(question: str, seen: str) -> str:
    """Return what is seen, and whether the colour or the shape that a yes-no question names is part of it."""
    (asked,) = {*COLOURS, *SHAPES} & set(re.findall(r"\w+", question))
    return f"{seen} {'with' if asked in seen.split() else 'without'} {asked}"


@cache
def _known_easy_rows() -> list[tuple[Row, str]]:
    """Return the training rows whose picture's colour and shape follow from its questions, with these as words."""
    seen: dict[Path | bytes, set[str]] = {}
    rows = easy_vqa.rows("train")
    for row in rows:
        seen.setdefault(row.images[0], set()).update(easy_vqa.facts(row))
    known = {image: _in_words(facts) for image, facts in seen.items()}
    return [(row, known[row.images[0]]) for row in rows if known[row.images[0]]]


def _in_words(facts: set[str]) -> str:
    colours, shapes = facts & set(COLOURS), facts & set(SHAPES)
    return f"{colours.pop()} {shapes.pop()}" if len(colours) == len(shapes) == 1 else ""


@cache
def _easy_pixels(path: Path | bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(open_image(path))
