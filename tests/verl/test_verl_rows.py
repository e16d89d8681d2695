"""The rows of a schedule through verl's own dataset, loader, reward manager, dumps and checkpoints."""

import asyncio
import json
import random
import tomllib
from pathlib import Path

import pytest
import torch
import verl_recipes as of

from modomodo.config.domains import recipe_domain
from modomodo.config.recipe import Recipe
from modomodo.config.toml_files import with_data
from modomodo.core.rows import open_image
from modomodo.core.schedules import Schedule
from modomodo.core.toml import parse
from modomodo.data.registry import DOMAINS
from modomodo.models.chat_template import render
from modomodo.models.load import load_processor
from modomodo.training.rewards import RewardFunctions
from modomodo.training.row_table import RowTable
from modomodo.training.verl import reward
from modomodo.training.verl.data import prompt_tokens, write_inputs
from modomodo.training.verl.merge import merged
from modomodo.training.verl.options import overrides
from modomodo.training.verl.rollouts import Reader, take_in
from modomodo.training.verl.run import composed
from modomodo.verifiers import gold_reply

pytest.importorskip("verl.trainer", reason="verl has an environment of its own: make test-verl")

LONG = {"gpus_per_node": 4, "max_prompt_length": 20000}  # the toy tokenizer has a token for each byte
SETS = of.ROOT / "benchmarks" / "real_sets.toml"
REAL = of.ROOT / "../shared/data/real"


@pytest.fixture(scope="module")
def embedded(qwen: Path, tmp_path_factory) -> tuple[Path, Recipe, Schedule]:
    """A run over 200 prompts of the embedded domains, a few rows twice."""
    recipe = of.recipe(model=str(qwen), domains=["spatial", "science", "geometry"], steps=100, verl=LONG)
    rows = [row for name in recipe.domains for row in DOMAINS[name].load("train")[:65]]
    random.Random(0).shuffle(rows)
    entries = [(row.domain, row.id) for row in rows]
    plan = Schedule(tuple(entries + entries[:5]), 2)
    return _written(tmp_path_factory.mktemp("embedded"), recipe, plan)


@pytest.fixture(scope="module")
def real(qwen: Path, tmp_path_factory) -> tuple[Path, Recipe, Schedule]:
    """A run over 200 real rows of many sets: photos of all sizes, text alone, every kind of answer."""
    if not REAL.is_dir():
        pytest.skip("the real rows are not there: ../shared/data/real is in no commit")
    sources = with_data({"data": tomllib.loads(SETS.read_text())}, SETS.parent)["data"]
    recipe = of.recipe(model=str(qwen), domains=list(sources), data=sources, steps=100, verl=LONG)
    rows = [row for name in recipe.domains for row in recipe_domain(recipe, name).load("train")]
    random.Random(0).shuffle(rows)
    return _written(
        tmp_path_factory.mktemp("real"), recipe, Schedule(tuple((row.domain, row.id) for row in rows[:200]), 2)
    )


def _written(folder: Path, recipe: Recipe, plan: Schedule) -> tuple[Path, Recipe, Schedule]:
    write_inputs(recipe, plan, load_processor(recipe.model, resize=recipe.view.resize, as_saved=True), folder=folder)
    return folder, recipe, plan


def made(run: tuple[Path, Recipe, Schedule]):
    """Return verl's own dataset of a run, its configuration and the processor that verl loads."""
    from verl.trainer.ppo.utils import create_rl_dataset
    from verl.utils import hf_processor, hf_tokenizer

    folder, recipe, plan = run
    config = composed(overrides(recipe, steps=plan.steps, folder=folder))
    tokenizer, processor = hf_tokenizer(recipe.model), hf_processor(recipe.model)
    assert processor is not None
    return create_rl_dataset(config.data.train_files, config.data, tokenizer, processor), config, processor


@pytest.mark.parametrize("kind", ["embedded", "real"])
def test_item_k_is_the_row_of_entry_k_with_the_prompt_and_pictures_of_trl(kind: str, request):
    run = request.getfixturevalue(kind)
    _, recipe, plan = run
    dataset, config, processor = made(run)
    assert len(dataset) == len(plan.entries) == 200
    domains = {name: recipe_domain(recipe, name) for name in plan.counts()}
    rows = {name: {row.id: row for row in one.load("train")} for name, one in domains.items()}
    ours = load_processor(recipe.model)
    for place, (name, row_id) in enumerate(plan.entries):
        item, row = dataset[place], rows[name][row_id]
        assert item["data_source"] == name
        assert item["index"] == place
        assert json.loads(item["reward_model"]["ground_truth"]) == {"domain": name, "row_id": row_id, "position": place}
        text = processor.apply_chat_template(item["raw_prompt"], add_generation_prompt=True, tokenize=False)
        messages = domains[name].prompt(row, recipe.view)
        assert text == render(ours, messages)
        found, videos, audios = asyncio.run(
            dataset.process_multi_modal_info(item["raw_prompt"], image_patch_size=14, config=config.data)
        )
        assert (videos, audios) == (None, None)
        assert (found is None) == (not row.images)
        for picture, image in zip(found or [], row.images, strict=True):
            assert picture.tobytes() == open_image(image).tobytes()


@pytest.mark.parametrize("kind", ["embedded", "real"])
def test_the_tokens_of_a_prompt_are_counted_as_verl_builds_them(kind: str, request):
    from verl.utils.tokenizer.continuous_token_wiring import create_continuous_token_builder

    run = request.getfixturevalue(kind)
    _, recipe, plan = run
    dataset, _, processor = made(run)
    builder = create_continuous_token_builder(
        processor.tokenizer, processor=processor, model_family="auto", hf_model_type="qwen2_vl"
    )
    ours = load_processor(recipe.model)
    for place in range(0, 200, 8):
        item = dataset[place]
        name, row_id = plan.entries[place]
        row = next(row for row in recipe_domain(recipe, name).load("train") if row.id == row_id)
        pictures = (
            [part["image"] for part in item["raw_prompt"][0]["content"] if part["type"] == "image"]
            if row.images
            else []
        )
        ids = builder.build_initial_tokens(item["raw_prompt"], images=pictures or None)
        messages = recipe_domain(recipe, name).prompt(row, recipe.view)
        sizes = [picture.size for picture in pictures]
        assert prompt_tokens(ours, messages, sizes, resize=recipe.view.resize) == len(ids)


def positions(batch) -> list[int]:
    return [info["position"] for info in batch["extra_info"]]


def test_a_run_resumed_in_the_middle_goes_on_with_the_same_rows(embedded, tmp_path: Path):
    from torchdata.stateful_dataloader import StatefulDataLoader
    from verl.trainer.ppo.utils import create_rl_sampler
    from verl.utils.dataset.rl_dataset import collate_fn

    def loader():
        dataset, config, _ = made(embedded)
        return StatefulDataLoader(
            dataset=dataset,
            batch_size=config.data.train_batch_size,
            num_workers=config.data.dataloader_num_workers,
            drop_last=True,
            collate_fn=collate_fn,
            sampler=create_rl_sampler(config.data, dataset),
        )

    first = loader()
    steps = iter(first)
    assert [positions(next(steps)) for _ in range(37)] == [[2 * step, 2 * step + 1] for step in range(37)]
    torch.save(first.state_dict(), tmp_path / "data.pt")
    second = loader()
    second.load_state_dict(torch.load(tmp_path / "data.pt", weights_only=False))
    assert [positions(batch) for batch in second] == [[2 * step, 2 * step + 1] for step in range(37, 100)]


def test_a_dataset_from_its_state_reads_its_rows_again(embedded):
    dataset, _, _ = made(embedded)
    other = object.__new__(type(dataset))
    other.__dict__.update(dataset.__getstate__())
    assert not hasattr(other, "dataframe")
    other.resume_dataset_state()
    assert [other[place]["extra_info"] for place in (0, 199)] == [dataset[place]["extra_info"] for place in (0, 199)]


def graded_by_verl(config, tokenizer, dataset, replies: list[tuple[int, str]]) -> list[dict]:
    """Return what verl's own reward manager makes of replies, given as (position, text)."""
    import numpy as np
    from tensordict import TensorDict
    from verl import DataProto
    from verl.trainer.ppo.reward import load_reward_manager

    manager = load_reward_manager(config, tokenizer)

    async def every() -> list[dict]:
        manager.loop = asyncio.get_running_loop()
        return await asyncio.gather(*(manager.run_single(of_one(place, reply)) for place, reply in replies))

    def of_one(place: int, reply: str) -> DataProto:
        ids = torch.tensor([tokenizer(reply)["input_ids"]])
        item = dataset[place]
        plain = {name: np.array([item[name]], dtype=object) for name in ("data_source", "reward_model", "extra_info")}
        batch = TensorDict({"responses": ids, "attention_mask": torch.ones_like(ids)}, batch_size=1)
        return DataProto(batch=batch, non_tensor_batch=plain)

    return asyncio.run(every())


@pytest.mark.parametrize("kind", ["embedded", "real"])
def test_golds_earn_all_and_replies_without_tags_nothing_from_verl_s_own_reward_manager(kind: str, request):
    run = request.getfixturevalue(kind)
    _, recipe, plan = run
    dataset, config, processor = made(run)
    rows = {name: {row.id: row for row in recipe_domain(recipe, name).load("train")} for name in plan.counts()}
    replies = []
    for place, (name, row_id) in enumerate(plan.entries):
        replies += [(place, gold_reply(rows[name][row_id].target, recipe.view)), (place, "B")]
    reward.rewards_of.cache_clear()
    found = graded_by_verl(config, processor.tokenizer, dataset, replies)
    assert [one["reward_score"] for one in found] == [3.0, 0.0] * 200
    keys = {"score", "accuracy", "format", "unparsed", "ungradable", "position"}
    assert all(set(one["reward_extra_info"]) == keys for one in found)
    assert [one["reward_extra_info"]["position"] for one in found] == [place for place, _ in replies]


def test_what_verl_dumps_becomes_steps(embedded, tmp_path: Path, monkeypatch):
    """Written by verl's own function, which adds nothing of the reward but its sum and our key."""
    import numpy as np
    from verl.trainer.ppo.v1.trainer_base import PPOTrainer

    _, recipe, plan = embedded
    table = RowTable.load({name: recipe_domain(recipe, name) for name in plan.counts()}, view=recipe.view)
    rewards = RewardFunctions(table, generations=4, weights=recipe.rewards)
    for step in (1, 2):
        places = [place for place in (2 * step - 1, 2 * step - 2) for _ in range(4)]
        golds = [gold_reply(table.row(*plan.entries[place]).target, recipe.view) for place in places]
        outputs = [gold if number % 4 else "\u2028 no" for number, gold in enumerate(golds)]
        PPOTrainer._write_generations(
            inputs=["?"] * 8,
            outputs=outputs,
            gts=[of.gold_of(plan, place) for place in places],
            scores=[np.float32(3.0) if number % 4 else 0.0 for number in range(8)],
            reward_extra_infos_dict={"uid": [f"a{place}_{number % 4}_0" for number, place in enumerate(places)]},
            dump_path=str(tmp_path / "verl" / "rollouts"),
            global_steps=step,
        )
    reader = Reader(tmp_path, plan, rewards, 4, lambda texts: [1] * len(texts), requested={})
    assert take_in(reader, last=True) == 2
    for line in map(json.loads, (tmp_path / "steps.jsonl").read_text().splitlines()):
        assert sum(one["completions"] for one in line["domains"].values()) == 8
        assert all(one["accuracy"] == one["format"] == 0.75 for one in line["domains"].values())


def test_verl_s_own_numbers_are_read_from_its_file_logger(tmp_path: Path, monkeypatch):
    from verl.utils.tracking import FileLogger

    from modomodo.training.verl.rollouts import read_metrics

    for start, steps in ((0, (1, 2, 3)), (2, (3, 4))):
        monkeypatch.setenv("VERL_FILE_LOGGER_PATH", str(tmp_path / f"metrics-{start}.jsonl"))
        log = FileLogger("modomodo", "run")
        for step in steps:
            log.log({"timing_s/step": float(start + step)}, step=step)
        log.finish()
    assert {step: one["timing_s/step"] for step, one in read_metrics(tmp_path).items()} == {1: 1, 2: 2, 3: 5, 4: 6}


def checkpoint(folder: Path, model, source: Path, meta: dict | None = None) -> Path:
    """Write a checkpoint as verl's FSDP manager does on one GPU."""
    from transformers import AutoConfig, AutoProcessor

    actor = folder / "global_step_4" / "actor"
    actor.mkdir(parents=True)
    torch.save(model.state_dict(), actor / "model_world_size_1_rank_0.pt")
    (actor / "fsdp_config.json").write_text(json.dumps({"FSDP_version": 1, "world_size": 1}))
    AutoConfig.from_pretrained(source).save_pretrained(actor / "huggingface")
    AutoProcessor.from_pretrained(source).save_pretrained(actor / "huggingface")
    if meta is not None:
        (actor / "lora_train_meta.json").write_text(json.dumps(meta))
    return actor


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_a_checkpoint_of_verl_becomes_the_model_that_it_is(qwen: Path, tmp_path: Path, precision: str):
    from transformers import AutoModelForImageTextToText

    from modomodo.models.families import FRAME_KEY
    from modomodo.models.load import save
    from modomodo.training.weights import recipe_processor

    trained = AutoModelForImageTextToText.from_pretrained(qwen)
    with torch.no_grad():
        for weight in trained.parameters():
            weight.add_(torch.randn_like(weight))
    recipe = parse(
        Recipe, {**of.TABLE, "model": str(qwen), "precision": precision, "view": {"frame": "unit"}}, where="test"
    )
    model = merged(recipe, checkpoint(tmp_path, trained, qwen))
    save(model, recipe_processor(recipe), tmp_path / "model", frame=recipe.view.frame)
    found = AutoModelForImageTextToText.from_pretrained(tmp_path / "model")
    assert getattr(found.config, FRAME_KEY) == "unit"
    for name, weight in trained.named_parameters():
        assert torch.equal(found.get_parameter(name).float(), weight.to(getattr(torch, precision)).float()), name


def test_adapters_of_verl_are_merged_into_the_model(qwen: Path, tmp_path: Path):
    from peft import get_peft_model
    from transformers import AutoModelForImageTextToText

    from modomodo.training.adapters import lora_config

    recipe = of.recipe(model=str(qwen), lora={"rank": 4, "alpha": 16})
    base = AutoModelForImageTextToText.from_pretrained(qwen)
    adapted = get_peft_model(base, lora_config(base, recipe.known_family, recipe.lora))
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_" in name:
                weight.copy_(torch.randn_like(weight).bfloat16())
    actor = checkpoint(tmp_path, adapted, qwen, {"r": 4, "lora_alpha": 16, "task_type": "CAUSAL_LM"})
    found = merged(recipe, actor)
    expected = adapted.merge_and_unload()
    moved = 0
    for name, weight in expected.named_parameters():
        torch.testing.assert_close(found.get_parameter(name).float(), weight.bfloat16().float(), rtol=0.01, atol=0.001)
        moved += not torch.equal(weight, AutoModelForImageTextToText.from_pretrained(qwen).get_parameter(name))
    assert moved == 14, "seven matrices of each of two layers"


def test_a_step_that_lacks_a_completion_ends_the_run(tmp_path: Path):
    """In a real queue of verl: its own buffer would train on what is left."""
    import ray
    import transfer_queue as tq
    from omegaconf import OmegaConf
    from tensordict import TensorDict
    from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer
    from verl.utils.import_utils import load_extern_type

    from modomodo.core.errors import ModomodoError

    config = composed(overrides(of.recipe(), steps=4, folder=tmp_path))
    named = config.trainer.v1.sampler
    ours = load_extern_type(named.custom_sampler.path, named.custom_sampler.name)
    options = {
        "trainer_mode": "sync",
        "trainer_config": {},
        "max_off_policy_threshold": named.max_off_policy_threshold,
        "max_off_policy_strategy": named.max_off_policy_strategy,
        "sampler_kwargs": named.sampler_kwargs,
        "poll_interval": 0.01,
    }

    def fill(completions: int) -> None:
        for prompt in ("a", "b"):
            tag = {"is_prompt": True, "status": "finished" if completions == 4 else "failure", "global_steps": 3}
            tq.kv_batch_put(keys=[prompt], partition_id="train", tags=[tag])
            keys = [f"{prompt}_{number}_0" for number in range(completions)]
            rows = TensorDict({"rm_scores": torch.ones(completions, 1)}, batch_size=completions)
            tq.kv_batch_put(keys=keys, partition_id="train", fields=rows, tags=[{"status": "success"}] * completions)

    ray.init("local", num_cpus=4, include_dashboard=False, object_store_memory=80_000_000, log_to_driver=False)
    try:
        small = {"backend": {"SimpleStorage": {"num_data_storage_units": 1, "total_storage_size": 100}}}
        tq.init(OmegaConf.create(small))
        fill(4)
        batch, _ = ours(**options).sample(3, "train", 2)
        assert len(batch.keys) == 8
        tq.kv_clear(keys=batch.keys, partition_id="train")
        fill(3)
        (tmp_path / "verl").mkdir()
        (tmp_path / "verl" / reward.STOPPED).write_text("domain broken: 3 of the last 200 verdicts are ungradable")
        with pytest.raises(ModomodoError, match="step 3: 2 completions were lost; domain broken: 3 of the last 200"):
            ours(**options).sample(3, "train", 2)
        fill(3)
        assert len(ReplayBuffer(**options).sample(3, "train", 2)[0].keys) < 8
    finally:
        tq.close()
        ray.shutdown()
