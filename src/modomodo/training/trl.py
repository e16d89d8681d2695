"""The TRL engine: one machine, GRPOTrainer, fed by a Schedule. We write no policy-gradient code."""

import os
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from datasets import Dataset
from PIL import Image
from transformers import PreTrainedModel, ProcessorMixin, TrainerCallback
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from modomodo.config.domains import recipe_domain
from modomodo.config.recipe import Recipe
from modomodo.config.sections import Vllm
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import open_image
from modomodo.core.schedules import Schedule
from modomodo.evaluation.vllm_engine import check_vllm_installed
from modomodo.models.chat_template import try_prompts
from modomodo.training.adapters import lora_config, trained_part
from modomodo.training.batches import Kept, decoded_bytes, drop_unused_pictures, mixed_batch_processor, shared
from modomodo.training.checkpoints import CHECKPOINTS, drop_checkpoints, last_checkpoint, step_of
from modomodo.training.online import OnlineSchedule
from modomodo.training.rewards import RewardFunctions as RewardFunctions
from modomodo.training.row_table import RowTable as RowTable
from modomodo.training.step_log import (
    Requested,
    Step,
    append_lines,
    append_step,
    keep_steps,
    keep_until,
    logged_steps,
    requested_at,
)
from modomodo.training.trackers import NoTracker, Tracker, score_values, step_values, trainer_values
from modomodo.training.weights import (
    Restored,
    ScoreAt,
    Scores,
    load_for_training,
    recipe_processor,
    trained_weights,
)


def train(
    recipe: Recipe, plan: Schedule | OnlineSchedule, *, folder: Path, tracker: Tracker | None = None
) -> tuple[PreTrainedModel, ProcessorMixin]:
    """Return the model trained along the schedule, adapters merged into it, and its processor as it was loaded.

    `folder` gets steps.jsonl (a line a step), samples.jsonl (completions with verdicts), ungradable.jsonl,
    scores-STEP.json (of `evaluation.at`) and checkpoints; called again on the same folder after a kill, it goes on from
    the last checkpoint, with the same rows in the same order and, on a CPU, the same weights in the end. `tracker` gets
    the numbers of every step as well.

    Raises ModomodoError when the verifier or the gold of a domain fails, or a checkpoint does not restore.
    """
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))
    check_vllm(recipe.vllm)
    checkpoint = last_checkpoint(folder / CHECKPOINTS, until=logged_steps(folder))
    drop_checkpoints(folder / CHECKPOINTS, keep=checkpoint)
    if checkpoint is not None:
        print(f"resuming from {checkpoint}", flush=True)
    if isinstance(plan, OnlineSchedule):
        plan.resume(step_of(checkpoint) if checkpoint else 0)
    model = load_for_training(recipe, checkpoint)
    processor = recipe_processor(recipe, as_saved=recipe.vllm.mode == "colocate")
    trainer = _make_trainer(recipe, plan, model, processor, folder=folder, tracker=tracker)
    trained = cast(torch.nn.Module, trainer.model)
    print(trained_part(trained, recipe), flush=True)
    trainer.add_callback(Restored(trained, checkpoint))
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return trained_weights(trained, recipe), processor


def _make_trainer(
    recipe: Recipe,
    plan: Schedule | OnlineSchedule,
    model: PreTrainedModel,
    processor: ProcessorMixin,
    *,
    folder: Path,
    tracker: Tracker | None,
) -> GRPOTrainer:
    keys = dict.fromkeys(plan.entries if isinstance(plan, Schedule) else plan.possible())
    names = dict.fromkeys(name for name, _ in keys)
    table = RowTable.load({name: recipe_domain(recipe, name) for name in names}, view=recipe.view)
    rewards = RewardFunctions(
        table, generations=recipe.num_generations, weights=recipe.rewards, keep=folder / "ungradable.jsonl"
    )
    online = isinstance(plan, OnlineSchedule)
    requested = plan.requested if online else lambda step: recipe.requested_at(step).as_dict()
    log = StepLog(rewards, folder, requested=requested, tracker=tracker)
    try_prompts(processor, recipe.model, [table.prompt(*key) for key in keys])
    trainer = (partial(_OnlineTrainer, plan, table) if online else GRPOTrainer)(
        model=model,
        processing_class=mixed_batch_processor(processor, cache_images=recipe.image_cache),
        reward_funcs=[*rewards.functions],
        args=grpo_config(recipe, steps=plan.steps, folder=folder / CHECKPOINTS, weights=rewards.weights),
        train_dataset=_positions(plan) if online else schedule_dataset(plan, table),
        peft_config=lora_config(model, recipe.known_family, recipe.lora) if recipe.lora else None,
        callbacks=[log, ScoreAt(recipe, processor, folder, done=log.scored)],
    )
    for policy in (model, trainer.ref_model):
        if policy is not None:
            drop_unused_pictures(cast(PreTrainedModel, policy))
    return trainer


# In trl/generation: vllm_client.py, init_communicator, and vllm_generation.py, sync_weights.
NEEDS_GPU = {
    "server": "TRL sends it the weights by NCCL",
    "colocate": "on a CPU vLLM packs the weights, and TRL cannot replace them",
}


def check_vllm(vllm: Vllm) -> None:
    """Raise ModomodoError where completions are to be sampled by vLLM and it is not installed, or has no GPU."""
    if vllm.mode == "off":
        return
    if not torch.cuda.is_available():
        raise ModomodoError(
            f'vllm.mode is "{vllm.mode}", which needs a GPU, since {NEEDS_GPU[vllm.mode]}: run it where there is '
            'one, or set it to "off"'
        )
    check_vllm_installed("vllm.mode", vllm.mode)


def schedule_dataset(plan: Schedule, table: RowTable) -> Dataset:
    """Return the prompts of a schedule in order, for a GRPOTrainer with shuffling off.

    Columns: prompt (messages), images (a list, empty for text), domain, row_id. Images are decoded once.
    """
    names, ids = zip(*plan.entries, strict=True)
    return Dataset.from_dict({"domain": list(names), "row_id": list(ids)}).with_transform(_Expand(table))


def _positions(plan: OnlineSchedule) -> Dataset:
    return Dataset.from_dict({"position": list(range(plan.steps * plan.prompts_per_step))})


class _OnlineTrainer(GRPOTrainer):
    """A trainer that learns the rows of a step as the step begins.

    Its data loader is a batch ahead of it: the batches of that are positions in the schedule, no rows, so that no block
    is drawn before the last step of the block before is logged.
    """

    def __init__(self, plan: OnlineSchedule, table: RowTable, **options: Any) -> None:
        self._plan = plan
        self._expand = _Expand(table)
        super().__init__(**options)

    def _prepare_inputs(self, generation_batch: Any) -> Any:
        names, ids = zip(*(self._plan.entry(row["position"]) for row in generation_batch), strict=True)
        columns = self._expand({"domain": list(names), "row_id": list(ids)})
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        return super()._prepare_inputs(rows)


class _Expand:
    """Turns (domain, row id) into a prompt and its images, as the trainer asks for them."""

    def __init__(self, table: RowTable) -> None:
        self._table = table
        self._pictures: Kept[tuple[str, str], list[Image.Image]] = Kept()

    def __getstate__(self) -> dict[str, Any]:
        return {}  # `datasets` fingerprints a transform by pickling it, which would take seconds for the rows

    def __call__(self, batch: dict[str, list[str]]) -> dict[str, list[Any]]:
        keys = list(zip(batch["domain"], batch["row_id"], strict=True))
        prompts = [self._table.prompt(*key) for key in keys]
        return {**batch, "prompt": prompts, "images": [self._open(key) for key in keys]}

    def _open(self, key: tuple[str, str]) -> list[Image.Image]:
        row = self._table.row(*key)
        return self._pictures.get(
            key,
            lambda: [shared(open_image(image)) for image in row.images],
            size=lambda pictures: sum(map(decoded_bytes, pictures)),
        )


# Losses that weight a prompt by its tokens, and rewards normalised across domains, would change the shares of the
# domains behind the schedule's back.
PINNED: dict[str, Any] = {
    "loss_type": "grpo",
    "scale_rewards": "group",
    "multi_objective_aggregation": "sum_then_normalize",
    "shuffle_dataset": False,
    "num_train_epochs": 1,
}


def grpo_config(recipe: Recipe, *, steps: int, folder: Path, weights: Sequence[float]) -> GRPOConfig:
    """Return the trainer's configuration; what would blur the mixture is pinned."""
    completions = recipe.prompts_per_step * recipe.num_generations
    per_pass = recipe.completions_per_pass or completions
    decay = {"constant": "constant_with_warmup", "linear": "linear", "cosine": "cosine"}[recipe.decay]
    return GRPOConfig(
        output_dir=str(folder),
        **PINNED,
        max_steps=steps,
        per_device_train_batch_size=per_pass,
        gradient_accumulation_steps=completions // per_pass,
        num_generations=recipe.num_generations,
        reward_weights=list(weights),
        learning_rate=recipe.learning_rate,
        warmup_steps=round(recipe.warmup * steps),
        lr_scheduler_type=decay,
        beta=recipe.kl,
        max_grad_norm=recipe.max_grad_norm,
        temperature=recipe.temperature,
        max_completion_length=recipe.max_completion_length,
        bf16=recipe.precision == "bfloat16",
        activation_checkpointing=recipe.gradient_checkpointing,
        **_vllm_options(recipe.vllm),
        seed=recipe.seed,
        data_seed=recipe.seed,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        remove_unused_columns=False,
        logging_steps=1,
        save_steps=recipe.save_every,
        save_total_limit=1,
        report_to=[],
        disable_tqdm=True,
    )


def _vllm_options(vllm: Vllm) -> dict[str, Any]:
    return {
        "use_vllm": vllm.mode != "off",
        "vllm_mode": "server" if vllm.mode == "server" else "colocate",
        "vllm_gpu_memory_utilization": vllm.gpu_memory,
        "vllm_tensor_parallel_size": vllm.tensor_parallel,
        "vllm_server_host": vllm.host,
        "vllm_server_port": vllm.port,
    }


class StepLog(TrainerCallback):
    """Writes what each step did to each domain (steps.jsonl), a completion of each (samples.jsonl), and the trainer's
    own numbers as often as it logs them (trainer.jsonl). `tracker` gets the same numbers.

    `requested` are the shares asked for, by domain, or what returns those of a step; realised prompts are in each
    domain's `prompts`.
    """

    def __init__(
        self, rewards: RewardFunctions, folder: Path, *, requested: Requested, tracker: Tracker | None = None
    ) -> None:
        self._rewards = rewards
        self._folder = folder
        self._requested = requested
        self._tracker = tracker or NoTracker()
        self._last = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        # Steps after the checkpoint were lost with the killed process and are done again.
        done = keep_steps(self._folder, state.global_step)
        for name in ("samples.jsonl", "trainer.jsonl"):
            keep_until(self._folder / name, state.global_step)
        self._rewards.resume(done)
        self._last = time.perf_counter()

    def scored(self, step: int, scores: Scores) -> None:
        """Track the scores of a step, and count the seconds of the next one from now on."""
        self._tracker.log(step, score_values(scores))
        self._last = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        seconds = round(time.perf_counter() - self._last, 4)
        samples = self._rewards.samples(state.global_step)
        requested = requested_at(self._requested, state.global_step)
        step = Step(state.global_step, seconds, requested, self._rewards.step())
        append_lines(self._folder / "samples.jsonl", samples)
        append_step(self._folder, step)
        self._tracker.log(state.global_step, step_values(step))
        self._last = time.perf_counter()

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any], **_: Any) -> None:
        line = {"step": state.global_step, **logs}
        append_lines(self._folder / "trainer.jsonl", [line])
        self._tracker.log(state.global_step, trainer_values(line))
