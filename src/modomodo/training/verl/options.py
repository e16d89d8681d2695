"""verl's configuration of a run, as Hydra overrides made of the recipe alone. Imports no verl."""

import re
from collections.abc import Mapping
from pathlib import Path

from modomodo.config.recipe import Recipe
from modomodo.core.children import SAFE_PATH
from modomodo.core.errors import ModomodoError
from modomodo.models.names import model_path
from modomodo.training.checkpoints import CHECKPOINTS

ACTOR = "actor_rollout_ref.actor"
MODEL = "actor_rollout_ref.model"
ROLLOUT = "actor_rollout_ref.rollout"
REFERENCE = "actor_rollout_ref.ref"
VARIABLES = "+ray_kwargs.ray_init.runtime_env.env_vars"
Value = str | int | float | bool

OPTIONS: dict[str, tuple[str, ...]] = {
    "model": (f"{MODEL}.path",),
    "seed": ("data.seed", f"{ACTOR}.data_loader_seed", f"{ACTOR}.fsdp_config.seed", f"{ROLLOUT}.seed"),
    "steps": ("trainer.total_training_steps",),
    "prompts_per_step": ("data.train_batch_size", f"{ACTOR}.ppo_mini_batch_size"),
    "num_generations": (f"{ROLLOUT}.n",),
    "learning_rate": (f"{ACTOR}.optim.lr",),
    "warmup": (f"{ACTOR}.optim.lr_warmup_steps",),
    "decay": (f"{ACTOR}.optim.lr_scheduler_type",),
    "kl": (f"{ACTOR}.use_kl_loss", f"{ACTOR}.kl_loss_coef"),
    "max_grad_norm": (f"{ACTOR}.optim.clip_grad", f"{ACTOR}.grad_clip"),
    "temperature": (f"{ROLLOUT}.temperature",),
    "max_completion_length": ("data.max_response_length",),
    "completions_per_pass": (
        f"{ACTOR}.ppo_micro_batch_size_per_gpu",
        f"{ROLLOUT}.log_prob_micro_batch_size_per_gpu",
        f"{REFERENCE}.log_prob_micro_batch_size_per_gpu",
    ),
    "lora.rank": (f"{MODEL}.lora_rank",),
    "lora.alpha": (f"{MODEL}.lora_alpha",),
    "vllm.gpu_memory": (f"{ROLLOUT}.gpu_memory_utilization",),
    "vllm.tensor_parallel": (f"{ROLLOUT}.tensor_model_parallel_size",),
    "verl.address": ("+ray_kwargs.ray_init.address",),
    "verl.nodes": ("trainer.nnodes",),
    "verl.gpus_per_node": ("trainer.n_gpus_per_node",),
    "verl.max_prompt_length": ("data.max_prompt_length",),
    "verl.sequence_parallel": (f"{ACTOR}.ulysses_sequence_parallel_size",),
    "verl.offload": (
        f"{ACTOR}.fsdp_config.param_offload",
        f"{ACTOR}.fsdp_config.optimizer_offload",
        f"{REFERENCE}.fsdp_config.param_offload",
    ),
    "gradient_checkpointing": (f"{MODEL}.enable_gradient_checkpointing",),
    "save_every": ("trainer.save_freq",),
    "precision": (
        f"{ROLLOUT}.dtype",
        *(f"+{part}.fsdp_config.mixed_precision.param_dtype" for part in (ACTOR, REFERENCE)),
    ),
}
"""Field of a recipe -> the options of verl that it becomes."""

OURS = (
    *("engine", "domains", "data", "prepared", "exclude", "mixture", "order", "epochs", "family"),
    *("min_pixels", "max_pixels", "rewards.accuracy", "rewards.format"),
    *("view.frame", "view.mode", "view.resize", "view.resized_size"),
    *(
        "evaluation.benchmarks",
        "evaluation.engine",
        "evaluation.items",
        "evaluation.samples",
        "evaluation.part",
        "evaluation.lmms",
        "tracker",
        "verl.options",
    ),
)
"""Fields that decide what modomodo itself does, beside verl: rows and their order, verdicts, scoring, tracking."""

REFUSED = (
    *("revision", "freeze_vision", "freeze_projector", "lora.dropout", "evaluation.at"),
    *("vllm.mode", "vllm.host", "vllm.port"),
)
"""Fields that have one value under verl, see limits.py."""

FOLLOWING = {
    f"{ROLLOUT}.prompt_length": "data.max_prompt_length",
    f"{ROLLOUT}.response_length": "data.max_response_length",
    f"{ROLLOUT}.n_gpus_per_node": "trainer.n_gpus_per_node",
    f"{ROLLOUT}.log_prob_use_dynamic_bsz": f"{ACTOR}.use_dynamic_bsz",
    f"{REFERENCE}.log_prob_use_dynamic_bsz": f"{ACTOR}.use_dynamic_bsz",
    f"{REFERENCE}.ulysses_sequence_parallel_size": f"{ACTOR}.ulysses_sequence_parallel_size",
    f"{ACTOR}.rollout_n": f"{ROLLOUT}.n",
    f"{REFERENCE}.rollout_n": f"{ROLLOUT}.n",
    "trainer.remove_previous_ckpt_in_save": "trainer.max_actor_ckpt_to_keep",
}
"""Option of verl -> the one that it follows in verl's own configuration, or would beat."""

WITHOUT_EFFECT = ("image_cache",)
"""Fields that change no result; this one is of the trainer of TRL."""

# What would blur the mixture, or differ from what the engine trl does, has one value. seq-mean-token-mean is TRL's
# loss_type "grpo": the mean over a completion's tokens, then over completions. low_var_kl is TRL's estimator of KL.
PINNED: dict[str, Value] = {
    "critic.enable": False,
    "trainer.critic_warmup": 0,
    "data.trust_remote_code": False,
    f"{MODEL}.trust_remote_code": False,
    "algorithm.adv_estimator": "grpo",
    "algorithm.norm_adv_by_std_in_grpo": True,
    "algorithm.use_kl_in_reward": False,
    "algorithm.filter_groups.enable": False,
    # TRL's vllm_importance_sampling_mode "sequence_mask" and its clip_max.
    "algorithm.rollout_correction.rollout_is": "sequence",
    "algorithm.rollout_correction.rollout_is_threshold": "1e-9_3.0",
    f"{ACTOR}.loss_agg_mode": "seq-mean-token-mean",
    f"{ACTOR}.kl_loss_type": "low_var_kl",
    f"{ACTOR}.entropy_coeff": 0,
    f"{ACTOR}.clip_ratio": 0.2,
    f"{ACTOR}.clip_ratio_low": 0.2,
    f"{ACTOR}.clip_ratio_high": 0.2,
    f"{ACTOR}.ppo_epochs": 1,
    f"{ACTOR}.shuffle": False,
    f"{ACTOR}.use_dynamic_bsz": False,
    f"{ACTOR}.optim.optimizer": "AdamW",
    f"{ACTOR}.optim.weight_decay": 0.0,
    f"{ACTOR}.fsdp_config.model_dtype": "fp32",
    f"{ROLLOUT}.top_p": 1.0,
    f"{ROLLOUT}.top_k": -1,
    f"{ROLLOUT}.calculate_log_probs": True,
    "data.shuffle": False,
    "data.filter_overlong_prompts": False,
    "data.truncation": "error",
    "data.dataloader_num_workers": 0,  # the order of a resumed run is then that of one iterator
    "data.custom_cls.path": "pkg://modomodo.training.verl.workers",
    "data.custom_cls.name": "PlannedRows",
    "reward.custom_reward_function.path": "pkg://modomodo.training.verl.reward",
    "reward.custom_reward_function.name": "compute_score",
    "reward.num_workers": 1,  # one process sees all verdicts, which the limit on ungradable ones is a share of
    "trainer.v1.trainer_mode": "sync",
    "trainer.v1.sampler.custom_sampler.path": "pkg://modomodo.training.verl.workers",
    "trainer.v1.sampler.custom_sampler.name": "WholeSteps",
    "trainer.total_epochs": 1,
    "trainer.test_freq": -1,
    "trainer.val_before_train": False,
    "trainer.max_actor_ckpt_to_keep": 2,  # with one, a kill while the next is saved can leave none that is whole
    "trainer.project_name": "modomodo",
}

DEFAULTS: dict[str, Value] = {f"{ROLLOUT}.name": "vllm"}
"""What `verl.options` of a recipe may change."""


def overrides(recipe: Recipe, *, steps: int, folder: Path, resumed: int = 0) -> list[str]:
    """Return the Hydra overrides of verl's ppo_trainer configuration.

    `steps` are those of the schedule; `folder` is the run's, which every node must reach; `resumed` is the step of the
    checkpoint that the run goes on from.
    """
    folder = folder.resolve()
    decided = {**PINNED, **_of_fields(recipe, steps), **_of_adapters(recipe), **_of_files(recipe, folder, resumed)}
    options = {**DEFAULTS, **_of_sizes(recipe), **recipe.verl.options, **decided}
    return [f"{name}={_literal(value)}" for name, value in options.items()] + ["trainer.logger=[console,file]"]


def decided_by(option: str, recipe: Recipe) -> str | None:
    """Return what decides an option of verl, which `verl.options` may then not; None where nothing does."""
    name = option.lstrip("+")
    name = FOLLOWING.get(name, name)
    for field, names in OPTIONS.items():
        if name in {one.lstrip("+") for one in names}:
            return f"the field {field}"
    pinned = {**PINNED, **_of_adapters(recipe), **_of_files(recipe, Path(), 0), "trainer.logger": ""}
    return "modomodo itself" if name in {one.lstrip("+") for one in pinned} else None


def _of_fields(recipe: Recipe, steps: int) -> dict[str, Value]:
    """Return the options that a field becomes, see OPTIONS."""
    path = model_path(recipe.model)
    values: Mapping[str, Value | tuple[Value, ...]] = {
        "model": str(Path(path).resolve()) if Path(path).is_dir() else path,
        "seed": recipe.seed % 2**31,  # vLLM adds the number of the replica to it
        "steps": steps,
        "prompts_per_step": recipe.prompts_per_step,
        "num_generations": recipe.num_generations,
        "learning_rate": recipe.learning_rate,
        "warmup": round(recipe.warmup * steps),
        "decay": recipe.decay,
        "kl": (recipe.kl > 0, recipe.kl),
        "max_grad_norm": recipe.max_grad_norm,
        "temperature": recipe.temperature,
        "max_completion_length": recipe.max_completion_length,
        "completions_per_pass": recipe.completions_per_pass or share(recipe),
        "vllm.gpu_memory": recipe.vllm.gpu_memory,
        "vllm.tensor_parallel": recipe.vllm.tensor_parallel,
        "verl.address": recipe.verl.address,
        "verl.nodes": recipe.verl.nodes,
        "verl.gpus_per_node": recipe.verl.gpus_per_node,
        "verl.max_prompt_length": recipe.verl.max_prompt_length,
        "verl.sequence_parallel": recipe.verl.sequence_parallel,
        "verl.offload": recipe.verl.offload,
        "gradient_checkpointing": recipe.gradient_checkpointing,
        "save_every": recipe.save_every,
        "precision": recipe.precision,
    }
    options: dict[str, Value] = {}
    for field, value in values.items():
        names = OPTIONS[field]
        options |= zip(names, value if isinstance(value, tuple) else (value,) * len(names), strict=True)
    return options


def _of_adapters(recipe: Recipe) -> dict[str, Value]:
    if recipe.lora is None:
        return {}
    family = recipe.known_family  # limits.py refuses models of none
    parts = () if family is None else (*family.vision, *family.projector)
    outside = "|".join(dict.fromkeys(name.split(".")[0] for name in parts))
    return {
        f"{MODEL}.lora_rank": recipe.lora.rank,
        f"{MODEL}.lora_alpha": recipe.lora.alpha,
        f"{MODEL}.target_modules": "all-linear",
        f"{MODEL}.exclude_modules": f".*({outside}).*",
        f"{ROLLOUT}.load_format": "safetensors",  # vLLM reads the weights under the adapters itself
    }


def _of_files(recipe: Recipe, folder: Path, resumed: int) -> dict[str, Value]:
    rows = str(folder / "verl" / "rows.parquet")
    return {
        "data.train_files": rows,
        "data.val_files": rows,  # verl opens them whether it validates or not
        "+data.schedule": str(folder / "schedule.csv"),
        "+reward.custom_reward_function.reward_kwargs.folder": str(folder),
        "+trainer.v1.sampler.sampler_kwargs.folder": str(folder),
        "+trainer.v1.sampler.sampler_kwargs.generations": recipe.num_generations,
        "trainer.default_local_dir": str(folder / CHECKPOINTS),
        "trainer.resume_mode": "resume_path" if resumed else "disable",
        "trainer.resume_from_path": str(folder / CHECKPOINTS / f"global_step_{resumed}"),
        "trainer.rollout_data_dir": str(folder / "verl" / "rollouts"),
        "trainer.experiment_name": folder.name or "run",
        f"{VARIABLES}.PYTHONSAFEPATH": SAFE_PATH["PYTHONSAFEPATH"],
        f"{VARIABLES}.VERL_FILE_LOGGER_PATH": str(folder / "verl" / f"metrics-{resumed}.jsonl"),
    }


def _of_sizes(recipe: Recipe) -> dict[str, Value]:
    longest = recipe.verl.max_prompt_length + recipe.max_completion_length
    return {
        f"{ROLLOUT}.max_num_batched_tokens": max(8192, longest),
        f"{ROLLOUT}.agent.num_workers": min(8, recipe.prompts_per_step),
    }


def _literal(value: Value) -> str:
    if not isinstance(value, str):
        return str(value)
    if "${" in value:
        raise ModomodoError(
            f"{value!r} holds '${{', which verl's configuration replaces: choose another folder or name"
        )
    # Hydra unescapes backslashes only before a quote or the end.
    return "'" + re.sub(r"(\\*)('|$)", lambda match: match[1] * 2 + (r"\'" if match[2] else ""), value) + "'"


def share(recipe: Recipe) -> int:
    """Return how many completions of a step one GPU, or one group that shares sequences, trains on."""
    gpus = recipe.verl.nodes * recipe.verl.gpus_per_node
    return recipe.prompts_per_step * recipe.num_generations * recipe.verl.sequence_parallel // gpus
