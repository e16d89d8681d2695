"""Greedy completions of vLLM are those of transformers: rows with no image, one and two in one batch."""

from functools import partial
from pathlib import Path

import pytest
import tiny
import transformers
from vllm import LLM
from vllm.distributed import cleanup_dist_env_and_memory

from modomodo.config.recipe import Recipe
from modomodo.data.registry import DOMAINS
from modomodo.evaluation import generate, vllm_engine
from modomodo.models.load import load_model, load_processor
from modomodo.models.names import model_path

# The attention of vLLM on a CPU takes heads of 32 and wider.
QWEN = {
    "qwen2_vl": ("Qwen2VL", 14, transformers.Qwen2VLVideoProcessor),
    "qwen2_5_vl": ("Qwen2_5_VL", 14, transformers.Qwen2VLVideoProcessor),
    "qwen3_vl": ("Qwen3VL", 16, transformers.Qwen3VLVideoProcessor),
}


@pytest.fixture
def model(request, tmp_path, monkeypatch) -> str:
    """A name of an embedded model, or the folder of a tiny untrained one."""
    if request.param not in QWEN:
        return request.param
    kind, patch, videos = QWEN[request.param]
    made = partial(tiny.qwen, kind, patch, width=64, videos=videos(patch_size=patch))
    monkeypatch.setitem(tiny.FAMILIES, request.param, made)
    return str(tiny.make(request.param, tmp_path / "model"))


@pytest.fixture
def engine():
    """What makes a vllm.LLM in this process."""
    made = []

    def make(path: str, recipe: Recipe) -> LLM:
        options = vllm_engine.engine_options(recipe) | {"distributed_executor_backend": "uni"}
        made.append(LLM(model=path, **options))
        return made[-1]

    with vllm_engine.environment(vllm_engine.cpu_environment()):
        yield make
    for one in made:
        one.llm_engine.engine_core.shutdown()
    cleanup_dist_env_and_memory()


@pytest.mark.parametrize("model", ["nano", "nano-2", *QWEN], indirect=True)
def test_greedy_completions_are_those_of_transformers(model, engine, mixed):
    path = model_path(model)
    recipe = Recipe(model=model, domains=("mixed",), max_completion_length=16)
    processor = load_processor(path, resize=recipe.view.resize)
    asked = [(DOMAINS[name], rows) for name, rows in rows_of(model).items()]
    theirs = engine(path, recipe)
    ours = load_model(path, precision="float32", freeze_vision=False)
    moved = []
    for domain, rows in asked:
        expected = generate.complete(ours, processor, domain, rows, recipe=recipe, sampled=False)
        found = vllm_engine.complete(theirs, processor, domain, rows, recipe=recipe, sampled=False)
        assert found == expected
        sampled = vllm_engine.complete(theirs, processor, domain, rows, recipe=recipe, sampled=True)
        assert vllm_engine.complete(theirs, processor, domain, rows, recipe=recipe, sampled=True) == sampled
        moved.append(sampled != found)
    assert any(moved)  # nano says nothing to some questions


def rows_of(model: str):
    """Return domain -> rows: those of the embedded world for its models, and mixed ones for all."""
    own = ("spatial", "detect", "maths") if not Path(model).is_dir() else ()
    return {name: list(DOMAINS[name].load("test"))[:12] for name in (*own, "mixed")}
