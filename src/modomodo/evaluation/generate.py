"""Completions of a benchmark's items, greedy or sampled, their verdicts, and the Score."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from modomodo.config.domains import recipe_domain
from modomodo.config.recipe import Recipe
from modomodo.core.files import write_text
from modomodo.core.rows import Row, Verdict, View, open_image
from modomodo.core.seeds import child_seed
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
# From the whole distribution, as in training.
SAMPLED: dict[str, Any] = GREEDY | {"do_sample": True, "top_k": 0, "top_p": 1.0, "typical_p": 1.0, "min_p": None}


class Completing(Protocol):
    """What completes rows of a domain, sampled at the recipe's temperature or greedily; see `complete`."""

    def __call__(
        self,
        domain: Domain,
        rows: Sequence[Row],
        *,
        sampled: bool,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[str]: ...


def evaluate(
    model: "PreTrainedModel",
    processor: "ProcessorMixin",
    recipe: Recipe,
    *,
    folder: Path,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, Score]:
    """Return the Score of every benchmark of the recipe's evaluation.

    Each completion and its verdict go to `folder`/BENCHMARK.jsonl. `progress` is told the benchmark, the completions
    done and those in all.
    """
    completing = partial(complete, model, processor, recipe=recipe)
    return score_completions(completing, processor, recipe, folder=folder, progress=progress)


def score_completions(
    completing: Completing,
    processor: "ProcessorMixin",
    recipe: Recipe,
    *,
    folder: Path,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, Score]:
    """Return what `evaluate` does, of completions by whatever makes them."""
    from modomodo.models.chat_template import try_prompts

    folder.mkdir(parents=True, exist_ok=True)
    scores: dict[str, Score] = {}
    plan, view = recipe.evaluation, recipe.view
    for name in plan.benchmarks:
        domain = recipe_domain(recipe, name)
        items = benchmark_rows(domain, part=plan.part, items=plan.items)
        try_prompts(processor, recipe.model, [domain.prompt(row, view) for row in items])
        rows = [row for row in items for _ in range(plan.samples or 1)]
        told = None if progress is None else partial(progress, name)
        with own_random_numbers(recipe, "evaluation", name):
            replies = completing(domain, rows, sampled=plan.samples is not None, progress=told)
        verdicts = [verdict_on(row, reply, domain=domain, view=view) for row, reply in zip(rows, replies, strict=True)]
        _write_items(folder / f"{name}.jsonl", rows, replies, verdicts)
        scores[name] = score(name, verdicts, part=plan.part, mode=view.mode, samples=plan.samples or 1)
    return scores


def complete(
    model: "PreTrainedModel",
    processor: "ProcessorMixin",
    domain: Domain,
    rows: Sequence[Row],
    *,
    recipe: Recipe,
    sampled: bool,
    batch: int = BATCH,
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Return a completion to each row, `batch` at a time: sampled at the recipe's temperature, or greedy.

    `progress` is told the completions done and those in all.
    """
    completions: list[str] = []
    for start in range(0, len(rows), batch):
        completions += generate(
            model,
            processor,
            domain,
            rows[start : start + batch],
            view=recipe.view,
            max_new_tokens=recipe.max_completion_length,
            temperature=recipe.temperature if sampled else None,
        )
        if progress is not None:
            progress(len(completions), len(rows))
    return completions


@contextmanager
def own_random_numbers(recipe: Recipe, *path: str) -> Iterator[None]:
    """Draw from the recipe's seed, and leave torch's random numbers as they were."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(child_seed(recipe.seed, *path))
        yield


def generate(
    model: "PreTrainedModel",
    processor: "ProcessorMixin",
    domain: Domain,
    rows: Sequence[Row],
    *,
    view: View,
    max_new_tokens: int,
    opening: Callable[[Row], str] | None = None,
    temperature: float | None = None,
) -> list[str]:
    """Return a completion to each row, drawn at a temperature or greedy.

    `opening` is text that the completion must begin with, and is part of it.
    """
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
    drawing = GREEDY if temperature is None else SAMPLED | {"temperature": temperature}
    with torch.inference_mode():
        output = cast(Any, model).generate(**inputs, **drawing, max_new_tokens=max_new_tokens)
    model.train(training)
    replies = processor.batch_decode(output[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return [start + reply for start, reply in zip(openings, replies, strict=True)]


def _write_items(path: Path, rows: Sequence[Row], replies: Sequence[str], verdicts: Sequence[Verdict]) -> None:
    lines = [
        json.dumps({"row_id": row.id, "reply": reply, **asdict(verdict)})
        for row, reply, verdict in zip(rows, replies, verdicts, strict=True)
    ]
    write_text(path, "\n".join(lines) + "\n")
