"""The verl engine: one run on a Ray cluster of GPUs, by verl's own PPO trainer, fed by a Schedule."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from transformers import PreTrainedModel, ProcessorMixin

from modomodo.config.recipe import Recipe
from modomodo.core.children import without_code
from modomodo.core.errors import ModomodoError
from modomodo.core.schedules import Schedule
from modomodo.models.load import reply_lengths
from modomodo.training.checkpoints import CHECKPOINTS, drop_checkpoints, last_step_of_verl
from modomodo.training.engines import VLLM_OF_VERL, check_verl_installed
from modomodo.training.trackers import NoTracker, Tracker
from modomodo.training.verl.data import write_inputs
from modomodo.training.verl.merge import merged
from modomodo.training.verl.options import DEFAULTS, ROLLOUT, overrides
from modomodo.training.verl.reward import STOPPED, new_rewards
from modomodo.training.verl.rollouts import Reader, cut_back, dumped, take_in
from modomodo.training.weights import recipe_processor

END_OF_TURN = "<|im_end|>"
EVERY = 10.0  # seconds between two looks at the dumps


def train(
    recipe: Recipe, plan: Schedule, *, folder: Path, tracker: Tracker | None = None
) -> tuple[PreTrainedModel, ProcessorMixin]:
    """Return the model trained along the schedule, on the CPU, adapters merged into it, and its processor.

    `folder` gets the files that a run of TRL has, verl's own under verl/, and checkpoints; called again on the same
    folder after a kill, it goes on from the last checkpoint with the same rows in the same order. `tracker` gets the
    numbers of every step as well.

    Raises ModomodoError where verl is not installed, and when the verifier or the gold of a domain fails.
    """
    check_installed(recipe)
    folder = folder.resolve()  # verl works in another
    # Images are resized to the recipe's limits before vLLM sees them; without limits, by the checkpoint's own.
    processor = recipe_processor(recipe, as_saved=not (recipe.min_pixels or recipe.max_pixels))
    check_tokenizer(processor, recipe.model)
    check_options(overrides(recipe, steps=plan.steps, folder=folder))
    write_inputs(recipe, plan, processor, folder=folder)
    (folder / "verl" / STOPPED).unlink(missing_ok=True)
    reader = _reader(recipe, plan, processor, folder, tracker or NoTracker())
    done = last_step_of_verl(folder / CHECKPOINTS, until=dumped(reader))
    check_size(folder / CHECKPOINTS / f"global_step_{done}", recipe)
    reader.rewards.resume(cut_back(folder, done))
    take_in(reader, last=True)  # a kill may have left a dump without verl's numbers of its step, which come no more
    if done < plan.steps:
        drop_checkpoints(folder / CHECKPOINTS, keep=folder / CHECKPOINTS / f"global_step_{done}")
        _run_while_reading(overrides(recipe, steps=plan.steps, folder=folder, resumed=done), reader)
    read = take_in(reader, last=True)
    if read < plan.steps or last_step_of_verl(folder / CHECKPOINTS, until=read) < plan.steps:
        raise ModomodoError(f"verl ended after step {read} of {plan.steps}: its log says why; run again to go on")
    return merged(recipe, folder / CHECKPOINTS / f"global_step_{plan.steps}" / "actor"), processor


def check_installed(recipe: Recipe) -> None:
    """Raise ModomodoError where verl is not installed, or the vLLM that it samples by."""
    check_verl_installed()
    sampler = recipe.verl.options.get(f"{ROLLOUT}.name", DEFAULTS[f"{ROLLOUT}.name"])
    if sampler == "vllm" and find_spec("vllm") is None:
        raise ModomodoError("engine is 'verl', which samples by vLLM, and vLLM is not installed here: " + VLLM_OF_VERL)


def check_options(options: Sequence[str]) -> None:
    """Raise ModomodoError for options that verl's configuration does not have."""
    from hydra.errors import HydraException  # pyright: ignore[reportMissingImports]

    try:
        composed(options)
    except HydraException as error:
        # Its further lines advise a + before the name, which would only hide a typing error.
        what = str(error).splitlines()[0].rstrip(".")
        raise ModomodoError(
            f"verl's configuration says: {what}; mend the name in verl.options, and put a + before it only where verl "
            "hands a table of any names on"
        ) from error


def check_size(checkpoint: Path, recipe: Recipe) -> None:
    """Raise ModomodoError where another number of GPUs saved the checkpoint, of which each has a file of its own."""
    gpus = recipe.verl.nodes * recipe.verl.gpus_per_node
    files = (checkpoint / "actor").glob("model_world_size_*_rank_*.pt")
    saved_by = {int(path.name.split("_")[3]) for path in files}
    if saved_by - {gpus}:
        raise ModomodoError(
            f"{checkpoint} was saved by {max(saved_by)} GPUs, and the recipe has {gpus} (verl.nodes x "
            f"verl.gpus_per_node): set them back, or delete {checkpoint.parent} to begin again"
        )


def check_tokenizer(processor: ProcessorMixin, model: str) -> None:
    """Raise ModomodoError for a tokenizer that verl's builder of Qwen prompts refuses, once all of Ray is up."""
    tokenizer = cast(Any, processor).tokenizer
    lacks_end = END_OF_TURN not in tokenizer.get_vocab()
    if lacks_end or len(tokenizer.encode("\n", add_special_tokens=False)) != 1:
        lack = f"no token {END_OF_TURN}" if lacks_end else "more than one token for a line break"
        raise ModomodoError(
            f"the tokenizer of {model!r} has {lack}, and verl builds prompts of the Qwen families with it: take a "
            "checkpoint with the family's own tokenizer, or engine = 'trl'"
        )


def composed(options: Sequence[str]) -> Any:
    """Return verl's configuration with these overrides; an unknown key is an error of Hydra's."""
    from hydra import compose, initialize_config_module  # pyright: ignore[reportMissingImports]

    with initialize_config_module("verl.trainer.config", version_base=None):
        return compose("ppo_trainer", overrides=list(options))


def validate(config: Any) -> None:
    """Raise what verl raises for a configuration that it does not take."""
    from verl.trainer.ppo.utils import (  # pyright: ignore[reportMissingImports]
        need_critic,
        need_reference_policy,
    )
    from verl.utils.config import validate_config  # pyright: ignore[reportMissingImports]

    validate_config(config, use_reference_policy=need_reference_policy(config), use_critic=need_critic(config))


def _reader(recipe: Recipe, plan: Schedule, processor: ProcessorMixin, folder: Path, tracker: Tracker) -> Reader:
    def lengths(texts: Sequence[str]) -> list[int]:
        return [min(count, recipe.max_completion_length) for count in reply_lengths(processor, texts)]

    def requested(step: int) -> dict[str, float]:
        return recipe.requested_at(step).as_dict()

    return Reader(folder, plan, new_rewards(folder), recipe.num_generations, lengths, requested, tracker)


def _run_while_reading(options: Sequence[str], reader: Reader) -> None:
    """Train, and meanwhile write the lines of the steps that are done."""
    from ray.exceptions import RayError
    from verl.trainer.main_ppo import TaskRunnerV1, run_ppo  # pyright: ignore[reportMissingImports]

    config = composed(options)
    validate(config)
    ended = threading.Event()
    following = threading.Thread(target=_follow, args=(reader, ended), daemon=True)
    following.start()
    try:
        with without_code():
            run_ppo(config, TaskRunnerV1)
    except ConnectionError as error:
        raise ModomodoError(
            f"no Ray cluster answers at verl.address {config.ray_kwargs.ray_init.address!r}: start one by `ray start "
            "--head`; where that says that token authentication is enabled, set RAY_AUTH_MODE=token here too"
        ) from error
    except RayError as error:
        said = reader.folder / "verl" / STOPPED
        if said.exists():
            raise ModomodoError(said.read_text()) from error
        cause = getattr(error, "cause", None)
        if isinstance(cause, ModomodoError):  # in its own words, without the trace of every process on its way here
            raise ModomodoError(str(cause)) from error
        raise
    finally:
        ended.set()
        following.join()


def _follow(reader: Reader, ended: threading.Event) -> None:
    # What goes wrong here goes wrong at the last reading too, which says it.
    with suppress(ModomodoError):
        while not ended.wait(EVERY):
            take_in(reader, last=False)
