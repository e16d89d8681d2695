"""Every field of a recipe is an option of verl, ours, refused, or without effect; what is refused says so."""

import os
import re
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import verl_recipes as of

from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import View
from modomodo.core.toml import Strict
from modomodo.training.engines import check_engine_takes
from modomodo.training.verl import options
from modomodo.training.verl.limits import refusals

OTHER = {
    "model": "Qwen/Qwen2-VL-2B-Instruct",
    "seed": 7,
    "steps": 6,
    "prompts_per_step": 4,
    "num_generations": 8,
    "learning_rate": 2e-6,
    "warmup": 0.5,
    "decay": "cosine",
    "kl": 0.04,
    "max_grad_norm": 0.5,
    "temperature": 0.9,
    "max_completion_length": 64,
    "completions_per_pass": 1,
    "lora.rank": 8,
    "lora.alpha": 8,
    "vllm.gpu_memory": 0.4,
    "vllm.tensor_parallel": 2,
    "verl.address": "10.0.0.1:6379",
    "verl.nodes": 2,
    "verl.gpus_per_node": 8,
    "verl.max_prompt_length": 512,
    "verl.sequence_parallel": 2,
    "verl.offload": True,
    "gradient_checkpointing": True,
    "save_every": 3,
    "precision": "float32",
}
REFUSED = {
    "revision": "abc",
    "freeze_vision": True,
    "freeze_projector": True,
    "lora.dropout": 0.1,
    "evaluation.at": [1],
    "vllm.mode": "server",
    "vllm.host": "elsewhere",
    "vllm.port": 8001,
}


def fields(kind: type[Strict], prefix: str = "") -> list[str]:
    found = []
    for name, field in kind.model_fields.items():
        inner = {"lora": "Lora", "vllm": "Vllm", "verl": "Verl", "rewards": "Rewards", "evaluation": "Evaluation"}
        if name == "view":
            found += [f"view.{part}" for part in View.__dataclass_fields__]
        elif name in inner:
            import modomodo.config.sections

            found += fields(getattr(modomodo.config.sections, inner[name]), f"{name}.")
        else:
            assert "modomodo.config.sections" not in str(field.annotation), f"{name} is a table: add it to `inner`"
            found.append(prefix + name)
    return found


def changed(field: str, value: object) -> Recipe:
    table, _, key = field.partition(".")
    lora = {"lora": {"rank": 4, "alpha": 4}} if table == "lora" else {}
    plain = {**of.TABLE, **lora}
    return of.recipe(**{**lora, table: {**plain.get(table, {}), key: value} if key else value})


def overrides(recipe: Recipe) -> list[str]:
    return options.overrides(recipe, steps=recipe.steps, folder=Path("run"))


def test_every_field_of_a_recipe_has_one_place():
    placed = [*options.OPTIONS, *options.OURS, *options.REFUSED, *options.WITHOUT_EFFECT]
    assert sorted(placed) == sorted(fields(Recipe))
    assert set(OTHER) == set(options.OPTIONS)
    assert set(REFUSED) == set(options.REFUSED)


@pytest.mark.parametrize("field", options.OPTIONS)
def test_an_option_follows_its_field(field: str):
    other = changed(field, OTHER[field])
    check_engine_takes(other)
    plain = of.recipe(**({"lora": {"rank": 4, "alpha": 4}} if field.startswith("lora") else {}))
    moved = {line.partition("=")[0] for line in set(overrides(other)) - set(overrides(plain))}
    expected = set(options.OPTIONS[field])
    # The length of a reply also counts in what vLLM takes at a time, and the batch in what one GPU takes.
    assert expected <= moved


@pytest.mark.parametrize("field", options.REFUSED)
def test_what_verl_would_ignore_is_refused_by_the_name_of_its_field(field: str):
    check_engine_takes(of.recipe())
    found = list(refusals(changed(field, REFUSED[field])))
    assert [problem.where for problem in found] == [field]
    with pytest.raises(ModomodoError, match="engine verl"):
        check_engine_takes(changed(field, REFUSED[field]))


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"model": "nano"}, "model"),
        ({"model": "HuggingFaceTB/SmolVLM2-2.2B-Instruct"}, "model"),
        ({"decay": "linear"}, "decay"),
        ({"max_pixels": 2**30}, "min_pixels and max_pixels"),
        ({"prompts_per_step": 3, "num_generations": 3}, "prompts_per_step"),
        ({"completions_per_pass": 8, "prompts_per_step": 4}, "completions_per_pass"),
        ({"vllm": {"mode": "colocate", "tensor_parallel": 3}}, "vllm.tensor_parallel"),
        ({"verl": {"gpus_per_node": 4, "sequence_parallel": 3}}, "verl.sequence_parallel"),
    ],
)
def test_values_that_verl_cannot_carry_out_are_refused(changes, where: str):
    assert where in [problem.where for problem in refusals(of.recipe(**changes))]


@pytest.mark.parametrize(
    ("option", "decider"),
    [
        ("actor_rollout_ref.rollout.n", "the field num_generations"),
        ("+ray_kwargs.ray_init.address", "the field verl.address"),
        ("actor_rollout_ref.rollout.dtype", "the field precision"),
        ("data.shuffle", "modomodo itself"),
        ("trainer.logger", "modomodo itself"),
        ("data.train_files", "modomodo itself"),
        ("trainer.critic_warmup", "modomodo itself"),
        ("actor_rollout_ref.rollout.response_length", "the field max_completion_length"),
        ("actor_rollout_ref.rollout.prompt_length", "the field verl.max_prompt_length"),
        ("actor_rollout_ref.actor.rollout_n", "the field num_generations"),
        ("+trainer.remove_previous_ckpt_in_save", "modomodo itself"),
    ],
)
def test_a_further_option_does_not_change_what_the_recipe_decides(option: str, decider: str):
    (found,) = refusals(of.recipe(verl={**of.TABLE["verl"], "options": {option: 1}}))
    assert (found.where, found.what) == (f"verl.options.{option!r}", f"is decided by {decider}: leave it out")


@pytest.mark.parametrize(
    ("option", "value", "what"),
    [
        ("model_engine", "megatron", "is no option: write its dotted name"),
        ("", 1, "is no option"),
        ("trainer.balance_batch ", True, "is no option"),
        ("~trainer.balance_batch", True, "is no option"),
        ("trainer.balance_batch=1 x", True, "is no option"),
        ("actor_rollout_ref.rollout.name", "${data.seed}", "write the value itself"),
    ],
)
def test_a_name_or_value_that_verl_s_configuration_would_read_otherwise_is_refused(option, value, what):
    (found,) = refusals(of.recipe(verl={**of.TABLE["verl"], "options": {option: value}}))
    assert found.where == f"verl.options.{option!r}"
    assert what in found.what


def test_further_options_reach_verl_and_are_part_of_what_a_run_is():
    given = {"actor_rollout_ref.rollout.name": "sglang", "+actor_rollout_ref.model.override_config.a": "it's"}
    recipe = of.recipe(verl={**of.TABLE["verl"], "options": given})
    check_engine_takes(recipe)
    lines = overrides(recipe)
    assert "actor_rollout_ref.rollout.name='sglang'" in lines
    assert r"+actor_rollout_ref.model.override_config.a='it\'s'" in lines
    assert len(lines) == len({line.partition("=")[0] for line in lines})
    assert "actor_rollout_ref.rollout.name='vllm'" in overrides(of.recipe())
    assert recipe.identity() != of.recipe().identity()
    assert "verl" not in of.recipe().identity()


def test_narrower_limits_of_pixels_and_the_decays_of_verl_are_taken():
    for changes in ({"max_pixels": 401408, "min_pixels": 3136}, {"decay": "cosine"}, {"decay": "constant"}):
        check_engine_takes(of.recipe(**changes))


def test_frozen_parts_are_no_matter_with_adapters():
    check_engine_takes(of.recipe(lora={}, freeze_vision=True, freeze_projector=True))


@pytest.mark.parametrize("file", of.FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_recipe_of_ours_goes_by_verl_with_the_changes_that_its_refusals_ask_for(file: Path):
    check_engine_takes(of.as_verl(file))


def test_paths_with_quotes_and_spaces_stay_whole():
    lines = options.overrides(of.recipe(), steps=1, folder=Path("/data/it's a run, x=1"))
    assert r"trainer.default_local_dir='/data/it\'s a run, x=1/checkpoints'" in lines


def test_a_check_of_a_recipe_says_what_verl_refuses():
    from modomodo.study.preflight import check_recipe

    said = [str(one) for one in check_recipe(of.recipe(freeze_vision=True), say=lambda _: None)]
    assert any("freeze_vision" in one and "verl trains the vision tower" in one for one in said)
    assert not any("vllm.mode is" in one for one in said), "that is said of the engine trl"


def test_a_run_without_verl_says_how_to_get_it(tmp_path: Path):
    from importlib.metadata import PackageNotFoundError, version

    from modomodo.core.schedules import Schedule
    from modomodo.training.verl.run import train

    try:
        version("verl")
        pytest.skip("verl is installed")
    except PackageNotFoundError:
        pass
    with pytest.raises(ModomodoError, match="make verl-env"):
        train(of.recipe(), Schedule((("spatial", "x"),), 1), folder=tmp_path)


@pytest.mark.parametrize(
    ("words", "line_break", "said"),
    [
        ({"<|im_end|>": 0}, [1], None),
        ({"<|end|>": 0}, [1], "has no token <|im_end|>"),
        ({"<|im_end|>": 0}, [1, 2], "has more than one token for a line break"),
    ],
)
def test_a_tokenizer_that_verl_refuses_is_refused_before_ray_is_up(words, line_break, said):
    from modomodo.training.verl.run import check_tokenizer

    class Tokenizer:
        def get_vocab(self):
            return words

        def encode(self, text, add_special_tokens):
            return line_break

    processor = SimpleNamespace(tokenizer=Tokenizer())
    with nullcontext() if said is None else pytest.raises(ModomodoError, match=re.escape(said)):
        check_tokenizer(processor, "m")


def test_a_run_of_one_engine_does_not_import_the_other():
    names = "modomodo.runs.run, modomodo.training.verl.run, sys"
    code = f"import {names}; print('trl' in sys.modules, 'verl' in sys.modules)"
    # Beside a CPU build of torch, torchvision needs help to be imported.
    path = os.pathsep.join([str(of.ROOT / "tests" / "lmms" / "shim"), *sys.path])
    found = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == ["False", "False"]


def test_a_rule_is_refused_with_a_reason_and_a_piecewise_mixture_is_not():
    parts = [{"until": 0.5, "mixture": "equal"}, {"mixture": "equal"}]
    said = {
        name: [problem.what for problem in refusals(of.recipe(mixture=mixture)) if problem.where == "mixture"]
        for name, mixture in (("rule", "solved"), ("parts", parts))
    }
    assert len(said["rule"]) == 1
    assert "moved by the rule 'solved', but verl reads a run's schedule before the first step" in said["rule"][0]
    assert said["parts"] == []
