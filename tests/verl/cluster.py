"""What makes a machine without a GPU do for verl: environment, options, and a small recipe."""

import os
from pathlib import Path

from verl_runs import Run, write_recipe

HERE = Path(__file__).parent
OPTIONS = {
    "actor_rollout_ref.rollout.name": "transformers",
    "actor_rollout_ref.rollout.agent.num_workers": 1,
    "actor_rollout_ref.rollout.free_cache_engine": False,
    "+actor_rollout_ref.model.override_config.attn_implementation": "sdpa",
    "actor_rollout_ref.model.use_remove_padding": False,
    "actor_rollout_ref.actor.use_torch_compile": False,
    "actor_rollout_ref.actor.fsdp_config.use_torch_compile": False,
    "actor_rollout_ref.ref.use_torch_compile": False,
    "trainer.device": "cpu",
    "transfer_queue.backend.SimpleStorage.num_data_storage_units": 1,
}
RECIPE = {
    "engine": "verl",
    "domains": ["spatial", "science", "geometry"],
    "learning_rate": 3e-4,
    "max_completion_length": 32,
    "freeze_vision": False,
    "precision": "float32",
    "vllm": {"mode": "colocate"},
}


def variables() -> dict[str, str]:
    """Return the environment of the cluster and of who joins it."""
    path = [str(HERE / "site"), str(HERE), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "VERL_USE_EXTERNAL_MODULES": "cpu_platform,transformers_rollout",
        "VERL_PLATFORM": "cpu",
        "VERL_ENGINE_DEVICE": "cuda",  # which verl registers its FSDP engine for
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "RAY_AUTH_MODE": "disabled",  # else a token that an earlier cluster left is asked for
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",
    }


def make_run(
    folder: Path, model: Path, address: str, *, gpus: int = 1, out: Path | None = None, **changes: object
) -> Run:
    """Return a run of RECIPE with these changes on a cluster, in a folder or into another."""
    verl = {"address": address, "gpus_per_node": gpus, "max_prompt_length": 256}
    table = {**RECIPE, "model": str(model), **changes, "verl": verl, "verl.options": OPTIONS}
    return Run(out or folder, write_recipe(folder / "recipe.toml", table), variables())
