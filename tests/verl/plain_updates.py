"""Plain updates on the completions that a run of verl dumped."""

import json
from pathlib import Path
from typing import Any

import plain_grpo
import torch
from verl_runs import Run

from modomodo.config.domains import recipe_domain
from modomodo.config.recipe import Recipe
from modomodo.core.rows import open_image
from modomodo.core.schedules import read_schedule
from modomodo.models.chat_template import render
from modomodo.models.load import load_model, load_processor
from modomodo.training.row_table import RowTable


def updated(run: Run) -> tuple[Any, plain_grpo.Weights, list[float]]:
    """Return the model after the run's steps, its weights before, and the norm of each step's gradient."""
    recipe = Recipe.model_validate_json((run.path / "recipe.json").read_bytes())
    model = load_model(recipe.model, precision="float32", freeze_vision=False).train()
    begun, batch = plain_grpo.weights_of(model), Batch(recipe, run.path)
    steps = (batch.losses(model, step) for step in range(1, recipe.steps + 1))
    return model, begun, plain_grpo.update(model, steps, rate=recipe.learning_rate, max_norm=recipe.max_grad_norm)


class Batch:
    """The prompts of a run, and the completions that it dumped for them."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        self.recipe, self.folder = recipe, folder
        self.processor = load_processor(recipe.model, resize=recipe.view.resize, as_saved=True)
        self.plan = read_schedule(folder / "schedule.csv")
        domains = {name: recipe_domain(recipe, name) for name in self.plan.counts()}
        self.table = RowTable.load(domains, view=recipe.view)

    def losses(self, model, step: int):
        """Yield the share of each prompt in a step's loss."""
        groups: dict[int, list[dict]] = {}
        for line in (self.folder / "verl" / "rollouts" / f"{step}.jsonl").read_text().splitlines():
            groups.setdefault(json.loads(json.loads(line)["gts"])["position"], []).append(json.loads(line))
        for position, lines in groups.items():
            yield self._loss(model, self.plan.entries[position], lines) / len(groups)

    def _loss(self, model, key: tuple[str, str], lines: list[dict]) -> torch.Tensor:
        images = [open_image(image) for image in self.table.row(*key).images]
        text = render(self.processor, self.table.prompt(*key))
        prompt = self.processor(text=[text], images=images, return_tensors="pt")
        ids, mask, length = self._tokens(prompt["input_ids"][0].tolist(), lines, model.generation_config.eos_token_id)
        rewards = torch.tensor([line["score"] for line in lines])
        return plain_grpo.loss(
            model,
            ids=ids,
            mask=mask,
            start=length,
            advantages_N=(rewards - rewards.mean()) / (rewards.std() + 1e-6),
            mm_token_type_ids=(ids == model.config.image_token_id).int(),
            pixel_values=prompt["pixel_values"].repeat(len(lines), 1),
            image_grid_thw=prompt["image_grid_thw"].repeat(len(lines), 1),
        )

    def _tokens(self, prompt: list[int], lines: list[dict], end: int) -> tuple[torch.Tensor, torch.Tensor, int]:
        tokenizer, longest = self.processor.tokenizer, self.recipe.max_completion_length
        texts = [tokenizer(line["output"], add_special_tokens=False)["input_ids"] for line in lines]
        rows = [prompt + [*tokens, end][:longest] for tokens in texts]
        width = max(map(len, rows))
        ids = torch.tensor([row + [tokenizer.pad_token_id] * (width - len(row)) for row in rows])
        return ids, torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows]), len(prompt)
