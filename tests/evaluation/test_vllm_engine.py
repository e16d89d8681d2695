from contextlib import nullcontext
from dataclasses import dataclass, field

import pytest

from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Row, Target
from modomodo.core.toml import parse
from modomodo.data.domain import Domain
from modomodo.evaluation import vllm_engine
from modomodo.runs.run import run_recipe

ROWS = [Row(f"r{index}", "toy", "?", Target("text", "x")) for index in range(5)]
TOY = Domain("toy", lambda split: ROWS, lambda row, view: [], lambda row, reply, view: pytest.fail("judged"))


@dataclass(frozen=True)
class Output:
    token_ids: tuple[int, ...]
    finish_reason: str = "stop"

    @property
    def outputs(self) -> list["Output"]:
        return [self]


@dataclass
class Engine:
    """Answers each prompt with as many tokens as its drawing says."""

    calls: list[int] = field(default_factory=list)

    def generate(self, prompts, drawing, use_tqdm):
        self.calls.append(len(prompts))
        return [Output((number,)) for number in drawing]


class Processor:
    def batch_decode(self, tokens, skip_special_tokens):
        return [f"token {ids[0]}" for ids in tokens]


def test_completions_come_in_order_some_prompts_at_a_time(monkeypatch):
    monkeypatch.setattr(vllm_engine, "WAITING", 2)
    monkeypatch.setattr(vllm_engine, "_prompt", lambda *_: {"prompt": "?"})
    monkeypatch.setattr(vllm_engine, "_drawing", lambda recipe, name, index, sampled: index)
    engine, told = Engine(), []
    found = vllm_engine.complete(
        engine,
        Processor(),
        TOY,
        ROWS,
        recipe=Recipe(domains=("detect",)),
        sampled=True,
        progress=lambda *done: told.append(done),
    )
    assert found == [f"token {index}" for index in range(5)]
    assert engine.calls == [2, 2, 1]
    assert told == [(2, 5), (4, 5), (5, 5)]


def test_a_completion_that_the_context_cut_is_an_error(monkeypatch):
    monkeypatch.setattr(vllm_engine, "_prompt", lambda *_: {"prompt": "?"})
    monkeypatch.setattr(vllm_engine, "_drawing", lambda *_, sampled: 7)
    monkeypatch.setattr(Engine, "generate", lambda self, prompts, drawing, use_tqdm: [Output((1, 2), "length")] * 5)
    for length, cut in ((2, False), (3, True)):
        recipe = Recipe(domains=("detect",), max_completion_length=length)
        with pytest.raises(ModomodoError, match="toy: vLLM cut a completion after 2 of 3") if cut else nullcontext():
            vllm_engine.complete(Engine(), Processor(), TOY, ROWS, recipe=recipe, sampled=False)


def test_what_is_resized_for_training_is_resized_so_for_vllm():
    table = {"domains": ["detect"], "family": "qwen2_5_vl", "min_pixels": 3136, "max_pixels": 12544}
    one = parse(Recipe, {**table, "precision": "bfloat16", "vllm": {"gpu_memory": 0.5}}, where="test")
    options = vllm_engine.engine_options(one)
    assert options["mm_processor_kwargs"] == {"min_pixels": 3136, "max_pixels": 12544}
    assert (options["dtype"], options["gpu_memory_utilization"]) == ("bfloat16", 0.5)
    assert vllm_engine.engine_options(Recipe(domains=("detect",)))["mm_processor_kwargs"] is None


def test_a_run_to_be_scored_by_vllm_says_what_to_install_before_it_trains(monkeypatch, tmp_path):
    monkeypatch.setattr(vllm_engine, "find_spec", lambda name: None)
    one = parse(Recipe, {"domains": ["detect"], "evaluation": {"engine": "vllm"}}, where="test")
    with pytest.raises(ModomodoError, match=r'evaluation.engine is "vllm", but vLLM is not installed: .*make vllm-env'):
        run_recipe(one, tmp_path / "run")
    assert not (tmp_path / "run").exists()
