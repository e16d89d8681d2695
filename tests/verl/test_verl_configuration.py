"""verl itself takes the configurations that are made of recipes, and its losses are those of the engine trl."""

import re
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import verl_recipes as of

from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.training.verl import run
from modomodo.training.verl.options import FOLLOWING, OPTIONS, PINNED, decided_by, overrides
from modomodo.training.verl.run import composed, validate

pytest.importorskip("verl.trainer", reason="verl has an environment of its own: make test-verl")

RECIPES = [file for file in of.FILES if "study" not in file.name]


def options(recipe: Recipe) -> list[str]:
    return overrides(recipe, steps=recipe.steps, folder=Path("run"))


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_verl_takes_every_recipe(file: Path):
    recipe = of.as_verl(file)
    config = composed(options(recipe))
    if recipe.lora is not None and find_spec("vllm") is None:
        # Its last check, of the rank of the adapters, asks vLLM, which needs a GPU.
        with pytest.raises(ValueError, match="vllm version None"):
            validate(config)
    else:
        validate(config)
    actor = config.actor_rollout_ref.actor
    assert config.data.train_batch_size == actor.ppo_mini_batch_size == recipe.prompts_per_step
    assert actor.use_kl_loss == (recipe.kl > 0)
    assert config.trainer.nnodes * config.trainer.n_gpus_per_node == recipe.verl.nodes * recipe.verl.gpus_per_node


def test_the_recipe_of_the_cluster_is_one_of_verl_as_it_is():
    from modomodo.config.recipe import load_recipe
    from modomodo.config.study import load_study

    recipe = load_recipe(of.ROOT / "recipes" / "cluster" / "recipe.toml")
    assert load_study(of.ROOT / "recipes" / "cluster" / "study.toml").recipe.engine == recipe.engine == "verl"
    validate(composed(options(recipe)))


@pytest.mark.parametrize("name", [name for name in PINNED if name != "trainer.project_name"])
def test_no_option_is_one_that_verl_does_not_know(name: str, known_keys: set[str]):
    assert name in known_keys


@pytest.mark.parametrize("names", OPTIONS.values(), ids=OPTIONS)
def test_no_option_of_a_field_is_one_that_verl_does_not_know(names, known_keys: set[str]):
    # The address is Ray's own argument, that verl hands on: ray.init(**ray_init).
    assert {name for name in names if not name.startswith("+")} <= known_keys


def test_what_follows_a_decided_option_is_decided_too(values: dict[str, object]):
    for name, value in values.items():
        followed = re.fullmatch(r"\$\{(?:oc\.select:)?([\w.]+)(,.*)?\}", str(value))
        unused = name.startswith(("critic.", "distillation.")) or ".trace." in name or ".prometheus." in name
        if followed and not unused and decided_by(followed[1], of.recipe()):
            assert FOLLOWING.get(name) == followed[1]
            assert decided_by(name, of.recipe()) == decided_by(followed[1], of.recipe())


def test_an_option_that_verl_lacks_is_an_error_before_anything_is_written():
    with pytest.raises(ModomodoError, match=r"Could not override .typo.option.; mend the name in verl\.options"):
        run.check_options([*options(of.recipe()), "typo.option=1"])
    run.check_options(options(of.recipe()))


@pytest.fixture(scope="module")
def known_keys(values: dict[str, object]) -> set[str]:
    return set(values)


@pytest.fixture(scope="module")
def values() -> dict[str, object]:
    """Return all of verl's options by dotted name, as they are before any names another."""
    from omegaconf import OmegaConf

    found: dict[str, object] = {}

    def walk(table: dict, prefix: str) -> None:
        for key, value in table.items():
            found[prefix + key] = value
            if isinstance(value, dict):
                walk(value, f"{prefix}{key}.")

    walk(OmegaConf.to_container(composed([]), resolve=False), "")
    return found


def test_the_file_of_verl_s_numbers_is_known_to_the_processes_of_ray(tmp_path: Path):
    from omegaconf import OmegaConf
    from verl.trainer.constants_ppo import get_ppo_ray_runtime_env

    config = composed(overrides(of.recipe(), steps=4, folder=tmp_path, resumed=2))
    ray = config.ray_kwargs.ray_init
    merged = OmegaConf.merge(get_ppo_ray_runtime_env(config), ray.runtime_env)  # as run_ppo does
    assert str(tmp_path / "verl" / "metrics-2.jsonl") == merged.env_vars.VERL_FILE_LOGGER_PATH
    assert config.trainer.resume_from_path == str(tmp_path / "checkpoints" / "global_step_2")
    assert composed(overrides(of.recipe(), steps=4, folder=tmp_path)).trainer.resume_mode == "disable"
    assert merged.env_vars.NCCL_DEBUG == "WARN"
    assert merged.env_vars.PYTHONSAFEPATH == "1"
    assert not config.actor_rollout_ref.model.trust_remote_code
    assert (ray.address, ray.num_cpus) == ("auto", None), "a running cluster takes no number of cores"


def test_an_unknown_option_is_refused():
    from hydra.errors import ConfigCompositionException

    with pytest.raises(ConfigCompositionException, match="temperatur"):
        composed([*options(of.recipe()), "actor_rollout_ref.rollout.temperatur=1.0"])


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (
            ConnectionError("Failed to connect"),
            "no Ray cluster answers at verl.address 'auto': start one by `ray start",
        ),
        (ModomodoError("step 3: 2 completions were lost"), "^step 3: 2 completions were lost$"),
    ],
    ids=["no cluster", "an error of ours in a process of Ray"],
)
def test_what_ends_a_run_is_said_in_a_line(tmp_path: Path, monkeypatch, cause: Exception, said: str):
    from ray.exceptions import RayTaskError
    from verl.trainer import main_ppo

    def run_ppo(*_: object) -> None:
        raise cause if isinstance(cause, ConnectionError) else RayTaskError("run", "trace", cause).as_instanceof_cause()

    monkeypatch.setattr(main_ppo, "run_ppo", run_ppo)
    monkeypatch.setattr(run, "take_in", lambda reader, last: 0)
    with pytest.raises(ModomodoError, match=said):
        run._run_while_reading(options(of.recipe()), SimpleNamespace(folder=tmp_path))


def test_a_value_that_verl_does_not_take_is_refused():
    from hydra.errors import InstantiationException

    with pytest.raises(InstantiationException, match="loss_agg_mode"):
        validate(composed([*options(of.recipe()), "actor_rollout_ref.actor.loss_agg_mode=by-luck"]))
    with pytest.raises(AssertionError, match="divisible"):
        validate(composed([*options(of.recipe()), "trainer.n_gpus_per_node=7"]))


def test_the_flag_that_would_freeze_the_tower_is_read_nowhere():
    import verl

    readers = [
        path
        for path in Path(verl.__file__).parent.rglob("*.py")
        if "freeze_vision_tower" in path.read_text() and path.name != "actor.py"
    ]
    assert readers == [], "verl reads freeze_vision_tower now: limits.py can let freeze_vision through"


def test_the_loss_is_the_mean_over_tokens_and_then_over_completions():
    from verl.trainer.ppo.core_algos import agg_loss

    loss, mask = torch.rand(3, 5), torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]])
    grpo = ((loss * mask).sum(-1) / mask.sum(-1).clamp(min=1.0)).mean()  # TRL's loss_type="grpo"
    assert agg_loss(loss, mask, str(PINNED["actor_rollout_ref.actor.loss_agg_mode"])) == pytest.approx(grpo.item())


def test_the_estimator_of_kl_is_that_of_trl():
    from verl.trainer.ppo.core_algos import kl_penalty_forward

    policy, reference = torch.randn(4, 6), torch.randn(4, 6)
    found = kl_penalty_forward(policy, reference, PINNED["actor_rollout_ref.actor.kl_loss_type"])
    k3 = torch.exp(reference - policy) - (reference - policy) - 1
    torch.testing.assert_close(found, k3.clamp(max=10))


def test_completions_that_the_sampler_saw_otherwise_weigh_as_they_do_for_trl():
    from verl.trainer.ppo.rollout_corr_helper import compute_rollout_correction_weights

    prefix = "algorithm.rollout_correction"
    differences = torch.tensor([[0.5, 0.2], [0.9, 0.9], [-0.3, 0.1]])
    mask = torch.ones_like(differences)
    found, _ = compute_rollout_correction_weights(
        differences, mask, PINNED[f"{prefix}.rollout_is"], PINNED[f"{prefix}.rollout_is_threshold"]
    )
    ratio = differences.sum(-1, keepdim=True).exp()
    masked = ratio.masked_fill(ratio > 3.0, 0.0)  # TRL's vllm_importance_sampling_mode="sequence_mask", clip_max=3
    torch.testing.assert_close(found, masked.expand_as(differences))
    assert (found == 0).any()
    assert (found > 0).any()


def test_advantages_are_those_of_trl_up_to_what_is_added_to_the_spread():
    import numpy as np
    from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

    rewards = torch.tensor([3.0, 0.0, 1.0, 1.0, 2.0, 2.0])
    tokens = torch.zeros(6, 2)
    tokens[:, 1] = rewards
    found, _ = compute_grpo_outcome_advantage(tokens, torch.ones(6, 2), np.array([0, 0, 0, 0, 1, 1], dtype=object))
    groups = [rewards[:4], rewards[4:]]
    trl = torch.cat([(group - group.mean()) / (group.std() + 1e-4) for group in groups])
    torch.testing.assert_close(found[:, 0], trl, atol=1e-3, rtol=1e-3)


def test_schedules_of_the_learning_rate_are_those_of_trl():
    from transformers import get_scheduler
    from verl.utils.torch_functional import get_constant_schedule_with_warmup, get_cosine_schedule_with_warmup

    def rates(make) -> list[float]:
        weight = torch.nn.Parameter(torch.zeros(1))
        optimizer = torch.optim.AdamW([weight], lr=0.5)
        following, found = make(optimizer), []
        for _ in range(10):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            following.step()
        return found

    for name, ours in (
        ("cosine", lambda o: get_cosine_schedule_with_warmup(o, num_warmup_steps=3, num_training_steps=10)),
        ("constant_with_warmup", lambda o: get_constant_schedule_with_warmup(o, num_warmup_steps=3)),
    ):
        theirs = rates(lambda o, name=name: get_scheduler(name, o, num_warmup_steps=3, num_training_steps=10))
        assert rates(ours) == pytest.approx(theirs)


def test_adapters_lie_where_those_of_trl_lie(qwen: Path):
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText

    from modomodo.training.adapters import lora_config

    recipe = of.recipe(model=str(qwen), lora={"rank": 4, "alpha": 4})
    model = composed(options(recipe)).actor_rollout_ref.model

    def adapted(make) -> set[str]:
        plain = AutoModelForImageTextToText.from_pretrained(qwen)
        config = make(plain)
        return {name for name, weight in get_peft_model(plain, config).named_parameters() if weight.requires_grad}

    by_verl = adapted(
        lambda plain: LoraConfig(
            task_type="CAUSAL_LM",
            r=model.lora_rank,
            lora_alpha=model.lora_alpha,
            target_modules=model.target_modules,
            exclude_modules=model.exclude_modules,
            bias="none",
        )
    )
    assert by_verl == adapted(lambda plain: lora_config(plain, recipe.known_family, recipe.lora))
    assert not any("visual" in name for name in by_verl)
