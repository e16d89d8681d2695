"""How the nano checkpoint was made: learn to see, then to look and answer, then bad habits on purpose.

Batch number `step` of a phase is a pure function of (seed, phase, step), so a killed run resumes exactly.
"""

import math
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from modomodo.core.seeds import child_rng, child_seed
from modomodo.data.nano.causes import CAUSES
from modomodo.data.nano.scenes import draw
from modomodo.models.nano.captions import LABEL_SIZES, cell_labels
from modomodo.models.nano.habits import HABITS, UNEVEN_HABITS
from modomodo.models.nano.model import CHECKPOINT, TEXT_WIDTH, make_model, make_processor, make_tokenizer
from modomodo.models.nano.samples import ALL, collate, corpus, draw_sample, draw_scene, pixel_tensor

if TYPE_CHECKING:
    import torch
    from transformers import LlavaForConditionalGeneration, PreTrainedTokenizerFast

BATCH = {"see": 64, "name": 32, "look": 32, "practise": 32, "habits": 64, "causes": 64}
WARMUP = 200  # steps over which the learning rate rises
SAVE_EVERY = 500


@dataclass(frozen=True)
class Phase:
    """A stretch of supervised steps: the learning rate rises, then falls to a twentieth along a cosine."""

    name: str
    steps: int
    rate: float


PHASES = (
    Phase("see", 2_000, 2e-3),
    Phase("name", 600, 1e-3),
    Phase("look", 2_500, 1e-3),
    Phase("practise", 2_500, 1e-3),
    Phase("habits", 600, 5e-4),
)
# How the uneven world's checkpoint is made from the control's: the habits of its own domains, beside the others.
SECOND_PHASE = Phase("causes", 400, 3e-4)
CAPTIONS = {"name": 1.0, "look": 0.2, "practise": 0.05, "habits": 0.05, "causes": 0.05}
# What `look` leaves weak: answers that take one more step from the evidence.
WEAK = ("science", "maths", "maths", *["easy_vqa"] * 4, *["detect"] * 3, *ALL)

LossAt = Callable[[int], "torch.Tensor"]
Progress = Callable[[str, int, float], None]
"""Is told the phase, the step and the loss."""


def pretrain(out: Path, *, seed: int, phases: tuple[Phase, ...] = PHASES, progress: Progress) -> Path:
    """Return the folder of the checkpoint that the phases make from nothing, under `out`.

    Run again after a kill, it goes on from the last saved step and gives the same result.
    """
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(child_seed(seed, "nano", "weights"))
    tokenizer = make_tokenizer(corpus(seed))
    model = make_model(tokenizer)
    head = torch.nn.Linear(TEXT_WIDTH, sum(LABEL_SIZES), bias=False)
    torch.nn.init.normal_(head.weight, std=2 * TEXT_WIDTH**-0.5).requires_grad_(False)
    out.mkdir(parents=True, exist_ok=True)
    modules = torch.nn.ModuleDict({"model": model, "head": head})
    for phase in phases:
        if phase.name == "see":
            loss_at: LossAt = lambda step: _seeing_loss(model, head, seed=seed, step=step)  # noqa: E731
        else:
            loss_at = lambda step, phase=phase: _saying_loss(model, tokenizer, phase, seed=seed, step=step)  # noqa: E731
        _train(modules, phase, loss_at, out=out, progress=progress)
    return _saved(model, tokenizer, out)


def pretrain_second(out: Path, *, seed: int, phase: Phase = SECOND_PHASE, progress: Progress) -> Path:
    """Return the folder of the second world's checkpoint, made from the first's; otherwise as `pretrain`."""
    import torch
    from transformers import AutoTokenizer, LlavaForConditionalGeneration

    torch.set_num_threads(1)
    model = cast(Any, LlavaForConditionalGeneration).from_pretrained(CHECKPOINT)
    tokenizer = AutoTokenizer.from_pretrained(CHECKPOINT, trust_remote_code=False)
    out.mkdir(parents=True, exist_ok=True)
    loss_at: LossAt = lambda step: _saying_loss(model, tokenizer, phase, seed=seed, step=step)  # noqa: E731
    _train(torch.nn.ModuleDict({"model": model}), phase, loss_at, out=out, progress=progress)
    return _saved(model, tokenizer, out)


def _saved(model: "LlavaForConditionalGeneration", tokenizer: "PreTrainedTokenizerFast", out: Path) -> Path:
    checkpoint = out / "checkpoint"
    shutil.rmtree(checkpoint, ignore_errors=True)
    model.save_pretrained(checkpoint)
    make_processor(tokenizer).save_pretrained(checkpoint)
    return checkpoint


def _seeing_loss(
    model: "LlavaForConditionalGeneration", head: "torch.nn.Linear", *, seed: int, step: int
) -> "torch.Tensor":
    """Return the loss of naming and bounding the mark in every cell from what the language model will be shown.

    Real vision towers come pre-trained too. The head is random, never trained and thrown away: it reads the projected
    features after the normalisation that the language model applies, so that colour, kind and place must each stand out
    there. (A trained head reads a colour too faint for the language model ever to notice.) Boxes count where a mark is.
    """
    import torch

    scenes = [draw_scene(child_rng(seed, "pretrain", "see", step, index)) for index in range(BATCH["see"])]
    labels = torch.tensor([cell_labels(scene) for scene in scenes]).flatten(0, 1)
    pixels = pixel_tensor([np.asarray(draw(scene)) for scene in scenes])
    shown = torch.cat(list(cast(Any, model).get_image_features(pixels).pooler_output))
    features = torch.nn.functional.rms_norm(shown, shown.shape[-1:])
    filled = labels[:, 0] > 0
    losses: list[torch.Tensor] = []
    for index, scores in enumerate(head(features).split(LABEL_SIZES, dim=-1)):
        rows = filled if index in (2, 3, 4, 5) else slice(None)
        losses.append(torch.nn.functional.cross_entropy(scores[rows], labels[rows, index]))
    return torch.stack(losses).sum()


def _saying_loss(
    model: "LlavaForConditionalGeneration", tokenizer: "PreTrainedTokenizerFast", phase: Phase, *, seed: int, step: int
) -> "torch.Tensor":
    # A batch is all captions or all answers: captions are longer, and padding costs as much as text.
    captions = float(child_rng(seed, "pretrain", phase.name, step).random() < CAPTIONS[phase.name])
    rngs = [child_rng(seed, "pretrain", phase.name, step, index) for index in range(BATCH[phase.name])]
    families = {"practise": WEAK, "causes": (*ALL, *CAUSES)}.get(phase.name, ALL)
    habits = {"habits": HABITS, "causes": UNEVEN_HABITS}.get(phase.name)
    samples = [draw_sample(rng, captions=captions, habits=habits, families=families) for rng in rngs]
    return model(**collate(tokenizer, samples)).loss


def _train(modules: "torch.nn.ModuleDict", phase: Phase, loss_at: LossAt, *, out: Path, progress: Progress) -> None:
    import torch

    # A seen picture stays seen: only `see` moves the tower.
    for parameter in modules.get_submodule("model.model.vision_tower").parameters():
        parameter.requires_grad_(phase.name == "see")
    optimizer = torch.optim.AdamW(
        [p for p in modules.parameters() if p.requires_grad], lr=phase.rate, betas=(0.9, 0.98), weight_decay=0.01
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, phase.steps))
    saved = out / f"{phase.name}.pt"
    first = 0
    if saved.exists():
        state = torch.load(saved, weights_only=True)
        modules.load_state_dict(state["modules"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        first = state["step"]
    modules.train()
    for step in range(first + 1, phase.steps + 1):
        loss = loss_at(step)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(modules.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            progress(phase.name, step, loss.item())
        if step % SAVE_EVERY == 0 or step == phase.steps:
            state = {"modules": modules.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
            torch.save({**state, "schedule": schedule.state_dict()}, saved.with_suffix(".tmp"))
            os.replace(saved.with_suffix(".tmp"), saved)


def _rate(step: int, steps: int) -> float:
    if step < WARMUP:
        return (step + 1) / WARMUP
    share = (step - WARMUP) / max(1, steps - WARMUP)
    return 0.05 + 0.475 * (1 + math.cos(math.pi * share))
