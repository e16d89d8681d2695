# pyright: basic, reportPrivateImportUsage=false, reportArgumentType=false
"""A bare GRPOTrainer script as a careful user would write it: no modomodo in the loop, the same rows and settings.

Rewards are the same verifiers, called directly; pictures are decoded beforehand. `engine_overhead.py` times it.
"""

import json
import sys
import time
from pathlib import Path

from datasets import Dataset
from transformers import AutoModelForImageTextToText, AutoProcessor, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from modomodo.config import Recipe
from modomodo.domains import find_domain
from modomodo.models import model_path
from modomodo.pilots.inputs import make_schedule
from modomodo.rows import View, open_image
from modomodo.verify import grade


class Times(TrainerCallback):
    """Collects the seconds of each step."""

    def __init__(self):
        self.seconds = []

    def on_train_begin(self, *_, **__):
        self.last = time.perf_counter()

    def on_log(self, *_, **__):
        now = time.perf_counter()
        self.seconds.append(now - self.last)
        self.last = now


def main(recipe_file, out):
    """Train, and write the seconds of each step to OUT/seconds.json."""
    recipe = Recipe.model_validate_json(Path(recipe_file).read_text())
    rows = {row.id: row for name in recipe.domains for row in find_domain(name).load("train")}
    plan = make_schedule(recipe)
    dataset = [
        {
            "prompt": [{"role": "user", "content": rows[row_id].question}],
            "images": [open_image(rows[row_id].images[0])],
            "row_id": row_id,
        }
        for _, row_id in plan.entries
    ]
    model = AutoModelForImageTextToText.from_pretrained(model_path(recipe.model))
    for parameter in model.model.vision_tower.parameters():
        parameter.requires_grad_(False)

    def accuracy(completions, row_id, **_):
        verdicts = [grade(c[0]["content"], rows[i].target, View()) for c, i in zip(completions, row_id, strict=True)]
        return [verdict.reward for verdict in verdicts]

    def formed(completions, **_):
        return [float(c[0]["content"].endswith("</answer>")) for c in completions]

    times = Times()
    completions = recipe.prompts_per_step * recipe.num_generations
    GRPOTrainer(
        model=model,
        processing_class=AutoProcessor.from_pretrained(model_path(recipe.model), padding_side="left"),
        reward_funcs=[accuracy, formed],
        train_dataset=Dataset.from_list(dataset),
        callbacks=[times],
        args=GRPOConfig(
            output_dir=f"{out}/checkpoints",
            loss_type="grpo",
            shuffle_dataset=False,
            max_steps=plan.steps,
            per_device_train_batch_size=completions,
            num_generations=recipe.num_generations,
            reward_weights=[2.0, 1.0],
            learning_rate=recipe.learning_rate,
            lr_scheduler_type="constant",
            beta=recipe.kl,
            max_completion_length=recipe.max_completion_length,
            bf16=False,
            activation_checkpointing=False,
            seed=recipe.seed,
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
            dataloader_pin_memory=False,
        ),
    ).train()
    Path(out, "seconds.json").write_text(json.dumps(times.seconds[: plan.steps]))


if __name__ == "__main__":
    main(*sys.argv[1:])
