# pyright: basic, reportPrivateImportUsage=false, reportArgumentType=false
"""A bare GRPOTrainer script as a careful user would write it: no modomodo in the loop, the same rows and settings.

Rewards are the same verifiers, called directly; images are decoded beforehand. Weights are float32, computed with
in the recipe's precision; the whole vision tower is frozen, in Qwen's with its merger. Timed by `engine_overhead.py`
and `gpu.py`.
"""

import json
import sys
import time
from pathlib import Path

import torch
from datasets import Dataset
from transformers import AutoModelForImageTextToText, AutoProcessor, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from modomodo import Recipe, grade, recipe_domain
from modomodo.core import open_image
from modomodo.models import model_path
from modomodo.runs import make_schedule


class Times(TrainerCallback):
    """Collects the seconds of each step, and how many tokens all steps so far had."""

    def __init__(self):
        self.seconds = []
        self.tokens = []

    def on_train_begin(self, *_, **__):
        self.last = time.perf_counter()

    def on_log(self, *_, logs, **__):
        now = time.perf_counter()
        self.seconds.append(now - self.last)
        self.tokens.append(logs.get("num_tokens"))  # the last log, of the whole run, has none
        self.last = now


def make_dataset(recipe, rows, plan):
    """Return prompts, images and row ids in the order of the schedule; the trainer puts the images first."""
    domains = {name: recipe_domain(recipe, name) for name in recipe.domains}

    def asked(row):
        (message,) = domains[row.domain].prompt(row, recipe.view)
        part = message["content"][-1]
        assert part["type"] == "text"
        return part["text"]

    return Dataset.from_list(
        [
            {
                "prompt": [{"role": "user", "content": asked(rows[row_id])}],
                "images": [open_image(rows[row_id].images[0])],
                "row_id": row_id,
            }
            for _, row_id in plan.entries
        ]
    )


def make_model(recipe):
    """Return the model with its vision tower frozen."""
    model = AutoModelForImageTextToText.from_pretrained(model_path(recipe.model), dtype=torch.float32)
    tower = model.model.visual if hasattr(model.model, "visual") else model.model.vision_tower
    tower.requires_grad_(False)
    return model


def make_config(recipe, steps, out):
    """Return the trainer's settings for that many steps."""
    completions = recipe.prompts_per_step * recipe.num_generations
    per_pass = recipe.completions_per_pass or completions
    cuda = torch.cuda.is_available()
    return GRPOConfig(
        output_dir=f"{out}/checkpoints",
        loss_type="grpo",
        shuffle_dataset=False,
        max_steps=steps,
        per_device_train_batch_size=per_pass,
        gradient_accumulation_steps=completions // per_pass,
        num_generations=recipe.num_generations,
        reward_weights=[recipe.rewards.accuracy, recipe.rewards.format],
        learning_rate=recipe.learning_rate,
        warmup_steps=round(recipe.warmup * steps),
        lr_scheduler_type="constant_with_warmup" if recipe.decay == "constant" else recipe.decay,
        beta=recipe.kl,
        max_completion_length=recipe.max_completion_length,
        bf16=recipe.precision == "bfloat16",
        activation_checkpointing=recipe.gradient_checkpointing,
        use_vllm=recipe.vllm.mode == "colocate",
        vllm_mode="colocate",
        vllm_gpu_memory_utilization=recipe.vllm.gpu_memory,
        seed=recipe.seed,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=not cuda,
        dataloader_pin_memory=cuda,
    )


def main(recipe_file, out):
    """Train; write the seconds of each step to OUT/seconds.json, and the tokens up to its end to OUT/tokens.json."""
    recipe = Recipe.model_validate_json(Path(recipe_file).read_text())
    rows = {row.id: row for name in recipe.domains for row in recipe_domain(recipe, name).load("train")}
    plan = make_schedule(recipe)

    def accuracy(completions, row_id, **_):
        verdicts = [
            grade(c[0]["content"], rows[i].target, recipe.view) for c, i in zip(completions, row_id, strict=True)
        ]
        return [verdict.reward for verdict in verdicts]

    def formed(completions, **_):
        return [float(c[0]["content"].endswith("</answer>")) for c in completions]

    times = Times()
    GRPOTrainer(
        model=make_model(recipe),
        processing_class=AutoProcessor.from_pretrained(model_path(recipe.model), padding_side="left"),
        reward_funcs=[accuracy, formed],
        train_dataset=make_dataset(recipe, rows, plan),
        callbacks=[times],
        args=make_config(recipe, plan.steps, out),
    ).train()
    Path(out, "seconds.json").write_text(json.dumps(times.seconds[: plan.steps]))
    Path(out, "tokens.json").write_text(json.dumps(times.tokens[: plan.steps]))


if __name__ == "__main__":
    main(*sys.argv[1:])
