"""From a recipe's model to the one that is trained, and from that one to a folder that can be scored."""

import json
import shutil
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
from transformers import PreTrainedModel, ProcessorMixin, TrainerCallback

from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.files import write_text
from modomodo.evaluation.benchmarks import Score
from modomodo.evaluation.generate import evaluate
from modomodo.evaluation.lmms.run import BENCHMARKS, evaluate_standard
from modomodo.evaluation.vllm_engine import evaluate_by_vllm
from modomodo.models.load import load_model, load_processor, save
from modomodo.models.names import model_path
from modomodo.training.adapters import lora_config

ADAPTERS = "adapter_model.safetensors"
Scores = Mapping[str, Mapping[str, Any]]  # benchmark -> fields of a Score


def load_for_training(recipe: Recipe, checkpoint: Path | None) -> PreTrainedModel:
    """Return the model to train: with adapters the recipe's own, and otherwise that of the checkpoint to go on from.

    Trained weights are float32 in any precision: bfloat16 would lose nearly all updates of a usual learning rate.
    """
    base = model_path(recipe.model)
    # The trainer's own resume leaves some families at their first weights: build the model from the checkpoint.
    resumed = checkpoint is not None and recipe.lora is None
    model = load_model(
        str(checkpoint) if resumed else base,
        precision=recipe.precision if recipe.lora else "float32",
        freeze_vision=recipe.freeze_vision,
        freeze_projector=recipe.freeze_projector,
        family=recipe.known_family,
        revision=None if resumed else recipe.revision,
    )
    # The trainer builds its reference, and vLLM its engine, by this name: it must not be the checkpoint's.
    model.config._name_or_path = model.name_or_path = _first_weights(recipe)
    return model


def recipe_processor(recipe: Recipe, *, as_saved: bool = False) -> ProcessorMixin:
    """Return the processor of the recipe's model, with the recipe's limits of pixels; see `load_processor`."""
    base = model_path(recipe.model)
    return load_processor(base, revision=recipe.revision, resize=recipe.view.resize, as_saved=as_saved)


def trained_weights(model: torch.nn.Module, recipe: Recipe) -> PreTrainedModel:
    """Return the model as it is to be saved: itself, or where it has adapters a copy with them merged, in float32."""
    if recipe.lora is None:
        return cast(PreTrainedModel, model)
    from peft import get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict

    with torch.random.fork_rng():
        base = load_model(
            model_path(recipe.model), precision="float32", freeze_vision=False, revision=recipe.revision, device="cpu"
        )
        copy = get_peft_model(base, lora_config(base, recipe.known_family, recipe.lora))
    set_peft_model_state_dict(copy, get_peft_model_state_dict(cast(Any, model)))
    return cast(PreTrainedModel, copy.merge_and_unload())


def score_saved(
    path: str,
    recipe: Recipe,
    processor: ProcessorMixin | None = None,
    *,
    items: Path,
    revision: str | None = None,
) -> dict[str, Score]:
    """Return a model's scores on the recipe's benchmarks, from its folder or hub id; completions go to `items`.

    `processor` is that of the recipe's model, where it is loaded. With `evaluation.lmms` the public benchmarks are
    scored by lmms-eval.
    """
    plan = recipe.evaluation
    public = [name for name in plan.benchmarks if plan.lmms is not None and name in BENCHMARKS]
    rest = tuple(name for name in plan.benchmarks if name not in public)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    scores = evaluate_standard(path, public, recipe, folder=items, device=device) if public else {}
    if rest:
        own = recipe.model_copy(update={"evaluation": plan.model_copy(update={"benchmarks": rest})})
        # A copy: a tokenizer remembers how it was last asked to pad, and would be saved so.
        processor = recipe_processor(recipe) if processor is None else deepcopy(processor)
        if plan.engine == "vllm":
            scores |= evaluate_by_vllm(path, processor, own, folder=items, revision=revision)
        else:
            model = load_model(path, precision=recipe.precision, freeze_vision=False, revision=revision)
            scores |= evaluate(model, processor, own, folder=items)
    return {name: scores[name] for name in plan.benchmarks}


class ScoreAt(TrainerCallback):
    """Scores the model after the steps of `evaluation.at`, just as a run that ended there would be: saved and loaded.

    Writes scores-STEP.json and items/step-STEP/; the model that is trained and the random numbers stay untouched.
    """

    def __init__(
        self, recipe: Recipe, processor: ProcessorMixin, folder: Path, *, done: Callable[[int, Scores], None]
    ) -> None:
        """Score to `folder`; `done` is called with the step and what scores-STEP.json has, after each scoring."""
        self._recipe = recipe
        self._processor = processor
        self._folder = folder
        self._done = done

    def on_step_end(self, args: Any, state: Any, control: Any, model: torch.nn.Module, **_: Any) -> None:
        step = state.global_step
        if step not in self._recipe.evaluation.at or step >= state.max_steps:
            return
        saved = self._folder / f"model-{step}"
        shutil.rmtree(saved, ignore_errors=True)  # of a scoring that was killed
        save(trained_weights(model, self._recipe), self._processor, saved, frame=self._recipe.view.frame)
        with torch.random.fork_rng():
            items = self._folder / "items" / f"step-{step}"
            scores = score_saved(str(saved), self._recipe, self._processor, items=items)
        shutil.rmtree(saved)
        table = {name: asdict(score) for name, score in scores.items()}
        write_text(self._folder / f"scores-{step}.json", json.dumps(table, indent=1) + "\n")
        self._done(step, table)


class Restored(TrainerCallback):
    """Asserts, as training begins, that the trainer's own resume left the weights as they were loaded or saved."""

    def __init__(self, model: torch.nn.Module, checkpoint: Path | None) -> None:
        self._adapters = checkpoint / ADAPTERS if checkpoint is not None else None
        self._sums = _checksums(model)

    def on_train_begin(self, args: Any, state: Any, control: Any, model: torch.nn.Module, **_: Any) -> None:
        changed = [name for name, total in _checksums(model).items() if total != self._sums[name]]
        if self._adapters is not None and self._adapters.exists():
            changed = [name for name in changed if "lora_" not in name] + _differing(model, self._adapters)
        if changed:
            raise ModomodoError(
                f"resuming changed {len(changed)} of {len(self._sums)} weights, {changed[0]} among them: delete the "
                "run's checkpoints folder to train it from the start"
            )


def _differing(model: torch.nn.Module, adapters: Path) -> list[str]:
    """Return the names of the adapters that are not those of the checkpoint."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import load_file

    saved, live = load_file(adapters), get_peft_model_state_dict(cast(Any, model))
    return [
        name
        for name in {**saved, **live}
        if name not in saved or name not in live or not torch.equal(saved[name], live[name].cpu())
    ]


def _first_weights(recipe: Recipe) -> str:
    """Return the folder or hub id of the weights that the run starts from; a revision's is its folder on this disk."""
    base = model_path(recipe.model)
    if recipe.revision is None or Path(base).is_dir():
        return base
    from huggingface_hub import snapshot_download

    files = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
    return snapshot_download(base, revision=recipe.revision, allow_patterns=files)


def _checksums(model: torch.nn.Module) -> dict[str, float]:
    return {name: weight.detach().double().sum().item() for name, weight in model.named_parameters()}
