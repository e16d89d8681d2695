"""Completions of a benchmark's items by vLLM: `evaluation.engine = "vllm"`."""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modomodo.config.recipe import Recipe
from modomodo.core.children import environment
from modomodo.core.errors import ModomodoError
from modomodo.core.packages import is_installed
from modomodo.core.rows import Row, View, open_image
from modomodo.core.seeds import child_seed
from modomodo.data.domain import Domain
from modomodo.evaluation.benchmarks import Score
from modomodo.evaluation.generate import score_completions

if TYPE_CHECKING:
    from transformers import ProcessorMixin

WAITING = 256  # prompts given to vLLM at a time, which batches them by itself: their images are in memory
# On a CPU: GiB for keys and values, by default a share of all memory, and no thread bound to a core: runs share them.
ON_CPU = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
# TRL's own vLLM, where it was in this process, switched the processes of others off.
OWN_PROCESS = {"VLLM_ENABLE_V1_MULTIPROCESSING": "1"}


def check_vllm_installed(field: str, value: str = "vllm") -> None:
    """Raise ModomodoError where vLLM is not installed, for which a field of the recipe asks."""
    if find_spec("vllm") is None:
        install = "'verl[vllm]==0.9.1'" if is_installed("verl") else '"trl[vllm]"'
        raise ModomodoError(
            f'{field} is "{value}", but vLLM is not installed: pip install {install}; without a GPU: make vllm-env'
        )


def cpu_environment() -> dict[str, str]:
    """Return the variables that vLLM lacks in this environment where there is no GPU."""
    import torch

    return {} if torch.cuda.is_available() else {name: one for name, one in ON_CPU.items() if name not in os.environ}


def evaluate_by_vllm(
    path: str, processor: "ProcessorMixin", recipe: Recipe, *, folder: Path, revision: str | None = None
) -> dict[str, Score]:
    """Return the Score of every benchmark of the recipe's evaluation, of the model in a folder or of a hub id.

    Each completion and its verdict go to `folder`/BENCHMARK.jsonl. vLLM takes `vllm.gpu_memory` of the GPU meanwhile.
    """
    with opened_engine(path, recipe, revision=revision) as engine:
        completing = partial(complete, engine, processor, recipe=recipe)
        return score_completions(completing, processor, recipe, folder=folder)


@contextmanager
def opened_engine(path: str, recipe: Recipe, *, revision: str | None = None) -> Generator[Any]:
    """Yield a vllm.LLM of a model in processes of its own, which end with the block."""
    with environment({**cpu_environment(), **OWN_PROCESS}):
        from vllm import LLM  # pyright: ignore[reportMissingImports]

        engine = LLM(model=path, revision=revision, tokenizer_revision=revision, **engine_options(recipe))
    try:
        yield engine
    finally:
        engine.llm_engine.engine_core.shutdown()


def engine_options(recipe: Recipe) -> dict[str, Any]:
    """Return what vllm.LLM is told of a recipe; the context is as long as memory and model allow."""
    import torch

    resize = recipe.view.resize
    limits = {} if resize is None else {"min_pixels": resize.min_pixels, "max_pixels": resize.max_pixels}
    return {
        "dtype": recipe.precision,
        "max_model_len": -1,
        "gpu_memory_utilization": recipe.vllm.gpu_memory,
        "tensor_parallel_size": recipe.vllm.tensor_parallel,
        "mm_processor_kwargs": limits or None,
        "limit_mm_per_prompt": {"video": 0},
        "enforce_eager": not torch.cuda.is_available(),  # compiling takes longer than a benchmark there
        "seed": recipe.seed,
        "trust_remote_code": False,
    }


def complete(
    engine: Any,
    processor: "ProcessorMixin",
    domain: Domain,
    rows: Sequence[Row],
    *,
    recipe: Recipe,
    sampled: bool,
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Return a completion to each row by a vllm.LLM: sampled at the recipe's temperature, or greedy.

    A completion is drawn by a seed of its own, so that it depends on nothing else in its batch but by rounding.
    `progress` is told the completions done and those in all.
    """
    completions: list[str] = []
    for start in range(0, len(rows), WAITING):
        some = rows[start : start + WAITING]
        prompts = [_prompt(processor, domain, row, recipe.view) for row in some]
        drawing = [_drawing(recipe, domain.name, start + index, sampled=sampled) for index in range(len(some))]
        outputs = engine.generate(prompts, drawing, use_tqdm=False)
        tokens = [_whole(output.outputs[0], recipe.max_completion_length, domain.name) for output in outputs]
        completions += processor.batch_decode(tokens, skip_special_tokens=True)
        if progress is not None:
            progress(len(completions), len(rows))
    return completions


def _whole(completion: Any, length: int, benchmark: str) -> list[int]:
    """Return the tokens of a completion. Raises ModomodoError where vLLM's context ended it before its length did."""
    tokens = list(completion.token_ids)
    if completion.finish_reason == "length" and len(tokens) < length:
        raise ModomodoError(
            f"{benchmark}: vLLM cut a completion after {len(tokens)} of {length} tokens, since its context was full: "
            'raise vllm.gpu_memory, lower max_completion_length or set evaluation.engine to "transformers"'
        )
    return tokens


def _prompt(processor: "ProcessorMixin", domain: Domain, row: Row, view: View) -> dict[str, Any]:
    from modomodo.models.chat_template import render

    images = [open_image(image) for image in row.images]
    text = render(processor, domain.prompt(row, view))
    return {"prompt": text} | ({"multi_modal_data": {"image": images}} if images else {})


def _drawing(recipe: Recipe, benchmark: str, index: int, *, sampled: bool) -> Any:
    """Return vLLM's SamplingParams: from the whole distribution as in training, or greedy; nothing of a checkpoint."""
    from vllm import SamplingParams  # pyright: ignore[reportMissingImports]

    return SamplingParams(
        temperature=recipe.temperature if sampled else 0.0,
        seed=child_seed(recipe.seed, "evaluation", benchmark, index) if sampled else None,
        max_tokens=recipe.max_completion_length,
        detokenize=False,
    )
