"""Greedy answers to a benchmark's items, their verdicts, and the Score."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from modomodo.config.domains import recipe_domain
from modomodo.config.recipe import Recipe
from modomodo.core.files import write_text
from modomodo.core.rows import Row, Verdict, View, open_image
from modomodo.data.domain import Domain, verdict_on
from modomodo.evaluation.benchmarks import Score, benchmark_rows, score

if TYPE_CHECKING:
    from transformers import PreTrainedModel, ProcessorMixin

BATCH = 64
# Greedy means greedy: the beams and penalties of a checkpoint's own generation config stay out.
GREEDY: dict[str, Any] = {
    "do_sample": False,
    "num_beams": 1,
    "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "min_new_tokens": 0,
}


def evaluate(
    model: "PreTrainedModel",
    processor: "ProcessorMixin",
    recipe: Recipe,
    *,
    folder: Path,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, Score]:
    """Return the Score of every benchmark of the recipe's evaluation.

    Each item's reply and verdict go to `folder`/BENCHMARK.jsonl. `progress` is told the benchmark, the items done and
    the items in all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scores: dict[str, Score] = {}
    plan, view = recipe.evaluation, recipe.view
    for name in plan.benchmarks:
        domain = recipe_domain(recipe, name)
        rows = benchmark_rows(domain, part=plan.part, items=plan.items)
        replies: list[str] = []
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            replies += generate(model, processor, domain, batch, view=view, max_new_tokens=recipe.max_completion_length)
            if progress is not None:
                progress(name, len(replies), len(rows))
        verdicts = [verdict_on(row, reply, domain=domain, view=view) for row, reply in zip(rows, replies, strict=True)]
        _write_items(folder / f"{name}.jsonl", rows, replies, verdicts)
        scores[name] = score(name, verdicts, part=plan.part, mode=view.mode)
    return scores


def generate(
    model: "PreTrainedModel",
    processor: "ProcessorMixin",
    domain: Domain,
    rows: Sequence[Row],
    *,
    view: View,
    max_new_tokens: int,
    opening: Callable[[Row], str] | None = None,
) -> list[str]:
    """Return the greedy reply to each row; `opening` is text that the reply must begin with, and is part of it."""
    import torch

    from modomodo.models.chat_template import render

    openings = [opening(row) if opening else "" for row in rows]
    texts = [render(processor, domain.prompt(row, view)) + start for row, start in zip(rows, openings, strict=True)]
    images = [[open_image(image) for image in row.images] for row in rows]
    inputs = cast(Any, processor)(
        text=texts, images=images if any(images) else None, padding=True, padding_side="left", return_tensors="pt"
    ).to(model.device)
    training = model.training
    model.eval()
    with torch.inference_mode():
        output = cast(Any, model).generate(**inputs, **GREEDY, max_new_tokens=max_new_tokens)
    model.train(training)
    replies = processor.batch_decode(output[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return [start + reply for start, reply in zip(openings, replies, strict=True)]


def _write_items(path: Path, rows: Sequence[Row], replies: Sequence[str], verdicts: Sequence[Verdict]) -> None:
    lines = [
        json.dumps({"row_id": row.id, "reply": reply, **asdict(verdict)})
        for row, reply, verdict in zip(rows, replies, verdicts, strict=True)
    ]
    write_text(path, "\n".join(lines) + "\n")
