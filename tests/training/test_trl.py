import json
from dataclasses import replace

import plain_grpo
import pytest

from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Verdict
from modomodo.core.schedules import read_schedule
from modomodo.core.toml import parse

TABLE = {
    "domains": ["spatial", "science"],
    "mixture": {"spatial": 0.75, "science": 0.25},
    "steps": 3,
    "prompts_per_step": 2,
    "num_generations": 2,
    "learning_rate": 1e-3,
    "max_completion_length": 6,
    "save_every": 1,
    "evaluation": {"benchmarks": ["charts"], "items": 6},
}


def recipe(random_model, **changes) -> Recipe:
    return parse(Recipe, {**TABLE, "model": str(random_model), **changes}, where="test")


def weights(folder):
    from safetensors.torch import load_file

    return load_file(folder / "model" / "model.safetensors")


@pytest.fixture(scope="module", autouse=True)
def something_to_learn():
    """An untrained model never earns a reward: here any reply earns one, by its letters, so that weights move."""
    from modomodo.data.registry import DOMAINS

    with pytest.MonkeyPatch.context() as patch:
        for name in TABLE["domains"]:
            easy = replace(DOMAINS[name], verify=lambda row, reply, view: Verdict.partial(len(reply) % 7 / 6, reply))
            patch.setitem(DOMAINS, name, easy)
        yield


@pytest.fixture(scope="module")
def finished(random_model, tmp_path_factory):
    from modomodo.runs.run import run_recipe

    folder = tmp_path_factory.mktemp("finished")
    return folder, run_recipe(recipe(random_model), folder)


def test_a_run_follows_its_schedule_and_logs_every_step(finished):
    folder, result = finished
    plan = read_schedule(folder / "schedule.csv")
    lines = [json.loads(line) for line in (folder / "steps.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3]
    for index, line in enumerate(lines):
        realised = {name: step["prompts"] for name, step in line["domains"].items()}
        planned = [domain for domain, _ in plan.step(index)]
        assert realised == {name: planned.count(name) for name in realised}
        assert sum(realised.values()) == 2
        assert line["requested"] == {"spatial": 0.75, "science": 0.25}
        assert all(step["completions"] == 2 * step["prompts"] for step in line["domains"].values())
    assert result["realised"] == {name: count / 6 for name, count in plan.counts().items()}
    assert result["scores"]["charts"]["n"] == 6
    assert len((folder / "items" / "charts.jsonl").read_text().splitlines()) == 6
    samples = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]
    assert {sample["step"] for sample in samples} == {1, 2, 3}
    assert all(sample["verdict"]["status"] and sample["question"] and sample["gold"] for sample in samples)


def test_the_vision_tower_stays_and_the_rest_moves(finished, random_model):
    import torch
    from safetensors.torch import load_file

    before, after = load_file(random_model / "model.safetensors"), weights(finished[0])
    assert before.keys() == after.keys()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert not any("vision_tower" in name for name in moved)
    assert any("language_model" in name for name in moved)
    assert any("multi_modal_projector" in name for name in moved)


def test_updates_equal_those_of_a_few_lines_of_torch(random_model, tmp_path, monkeypatch):
    from trl import GRPOTrainer

    from modomodo.models.load import load_model
    from modomodo.runs.run import run_recipe

    batches, generate = [], GRPOTrainer._generate_and_score_completions

    def kept(self, inputs):
        batches.append(generate(self, inputs))
        return batches[-1]

    monkeypatch.setattr(GRPOTrainer, "_generate_and_score_completions", kept)
    asked = recipe(random_model, freeze_vision=False, num_generations=4)
    run_recipe(asked, tmp_path)
    plain = load_model(asked.model, precision="float32", freeze_vision=False).train()
    begun = plain_grpo.weights_of(plain)
    steps = ([plain_loss(plain, batch)] for batch in batches)
    norms = plain_grpo.update(plain, steps, rate=asked.learning_rate, max_norm=asked.max_grad_norm)
    lines = [json.loads(line) for line in (tmp_path / "trainer.jsonl").read_text().splitlines()]
    assert [line["grad_norm"] for line in lines if "grad_norm" in line] == pytest.approx(norms, rel=1e-3)
    assert min(norms) > 0
    trained = load_model(str(tmp_path / "model"), precision="float32", freeze_vision=False)
    assert plain_grpo.apart(trained.state_dict(), plain.state_dict(), begun=begun) < 0.01


def plain_loss(model, batch):
    """Return the loss of a batch of TRL's, whose advantages have mean 0 and sd 1 within a group, or are all 0."""
    import torch

    groups = batch["advantages"].view(-1, 4)
    assert groups.mean(1).tolist() == pytest.approx([0.0] * len(groups), abs=1e-5)
    assert all(spread == pytest.approx(1, abs=1e-2) or spread == 0 for spread in groups.std(1).tolist())
    ids, mask = (torch.cat([batch[f"prompt_{name}"], batch[f"completion_{name}"]], 1) for name in ("ids", "mask"))
    of_batch = {"start": batch["prompt_ids"].shape[1], "advantages_N": batch["advantages"]}
    return plain_grpo.loss(model, ids=ids, mask=mask, **of_batch, pixel_values=batch["pixel_values"])


def test_a_killed_run_goes_on_to_the_weights_of_an_undisturbed_one(finished, random_model, tmp_path, monkeypatch):
    import torch

    from modomodo.runs.run import run_recipe
    from modomodo.training import checkpoints

    _killed_at(2, recipe(random_model), tmp_path, monkeypatch)
    assert checkpoints.last_checkpoint(tmp_path / checkpoints.CHECKPOINTS).name == "checkpoint-1"
    with (tmp_path / "steps.jsonl").open("a") as file:
        file.write('{"step": 2, "cut')
    run_recipe(recipe(random_model), tmp_path)
    expected = weights(finished[0])
    assert all(torch.equal(expected[name], weight) for name, weight in weights(tmp_path).items())
    for name in ("schedule.csv", "samples.jsonl", "items/charts.jsonl"):
        assert (tmp_path / name).read_text() == (finished[0] / name).read_text()
    assert not (tmp_path / checkpoints.CHECKPOINTS).exists()


def test_a_checkpoint_ahead_of_the_log_is_not_gone_on_from(finished, random_model, tmp_path, monkeypatch):
    """As after a copy that a kill cut short, or a log that another launcher wrote over."""
    from modomodo.runs.run import run_recipe
    from modomodo.training import checkpoints

    _killed_at(3, recipe(random_model), tmp_path, monkeypatch)
    assert checkpoints.last_checkpoint(tmp_path / checkpoints.CHECKPOINTS).name == "checkpoint-2"
    path = tmp_path / "steps.jsonl"
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    run_recipe(recipe(random_model), tmp_path)
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 2, 3]
    for name in ("samples.jsonl", "items/charts.jsonl"):
        assert (tmp_path / name).read_text() == (finished[0] / name).read_text()


def test_a_model_whose_log_was_lost_is_trained_again(finished, random_model, tmp_path):
    """As where a run was begun here, and on a cluster since: the log is then the cluster's, the model is not."""
    import shutil

    from modomodo.runs.run import run_recipe

    shutil.copytree(finished[0], tmp_path / "run")
    path = tmp_path / "run/steps.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    (tmp_path / "run/model/left-over").write_text("")
    result = run_recipe(recipe(random_model), tmp_path / "run")
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 2, 3]
    assert result["realised"] == finished[1]["realised"]
    assert not (tmp_path / "run/model/left-over").exists()


def test_a_log_that_something_else_wrote_is_no_result(random_model, tmp_path, monkeypatch):
    from modomodo.core.errors import ModomodoError
    from modomodo.runs.run import run_recipe
    from modomodo.training.trl import StepLog

    def overwrite(*_, **__):
        path = tmp_path / "steps.jsonl"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))

    monkeypatch.setattr(StepLog, "on_step_end", _dies_at(3, StepLog.on_step_end, overwrite))
    with pytest.raises(ModomodoError, match=r"steps.jsonl lacks steps"):
        run_recipe(recipe(random_model), tmp_path)


def test_only_the_checkpoint_that_is_gone_on_from_stays(random_model, tmp_path):
    from modomodo.training.checkpoints import drop_checkpoints
    from modomodo.training.step_log import logged_steps

    for name in ("checkpoint-1", "checkpoint-2"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    drop_checkpoints(tmp_path / "checkpoints", keep=tmp_path / "checkpoints/checkpoint-1")
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["checkpoint-1"]
    for steps, reached in (((1, 2, 4), 2), ((1, 1, 2), 1), ((2, 3), 0), ((1, 2, 3), 3)):
        (tmp_path / "steps.jsonl").write_text("".join(f'{{"step": {step}}}\n' for step in steps))
        assert logged_steps(tmp_path) == reached


def _killed_at(step, wanted, folder, monkeypatch):
    from modomodo.runs.run import run_recipe
    from modomodo.training import trl

    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trl.StepLog, "on_step_end", _dies_at(step, trl.StepLog.on_step_end, die))
        with pytest.raises(KeyboardInterrupt):
            run_recipe(wanted, folder)


def _dies_at(step, original, die):
    def on_step_end(self, args, state, control, **options):
        original(self, args, state, control, **options)
        if state.global_step == step:
            die()

    return on_step_end


def test_computing_in_bfloat16_moves_float32_weights(random_model, tmp_path):
    """At a usual rate an update is far below the resolution of a weight of 8 bits: kept so, most would never move."""
    from safetensors.torch import load_file

    from modomodo.runs.run import run_recipe

    run_recipe(recipe(random_model, precision="bfloat16", learning_rate=1e-6, steps=2), tmp_path)
    before, after = load_file(random_model / "model.safetensors"), weights(tmp_path)
    trained = [name for name in before if "vision_tower" not in name]
    moved = sum(int((before[name] != after[name]).sum()) for name in trained)
    kept = sum(int((before[name].bfloat16() != after[name].bfloat16()).sum()) for name in trained)
    every = sum(before[name].numel() for name in trained)
    assert moved > 0.9 * every
    assert kept < 0.2 * every


def test_it_says_once_how_much_is_trained(random_model, tmp_path, capsys):
    from modomodo.runs.run import run_recipe

    run_recipe(recipe(random_model, steps=1), tmp_path)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("trainable: ")]
    assert len(lines) == 1
    assert lines[0].endswith("parameters (vision tower frozen)")


def test_the_trained_model_keeps_the_frame_of_its_recipe(finished):
    """The nano model is a LLaVA, whose family writes 0 to 1: its descendants still write what they were taught."""
    from modomodo.models.families import family_of

    config = json.loads((finished[0] / "model" / "config.json").read_text())
    assert config["model_type"] == "llava"
    assert (
        config["modomodo_frame"]
        == recipe(finished[0] / "model").view.frame
        == family_of(str(finished[0] / "model")).frame
    )


def test_every_picture_is_processed_once(random_model, tmp_path, monkeypatch):
    """The trainer copies prompts deeply, images and all, and asks for them once a pass."""
    from transformers import CLIPImageProcessorPil

    from modomodo.runs.run import run_recipe

    asked = []
    original = CLIPImageProcessorPil._preprocess

    def counted(self, images, *args, **options):
        asked.append(len(images))
        return original(self, images, *args, **options)

    monkeypatch.setattr(CLIPImageProcessorPil, "_preprocess", counted)
    few = recipe(random_model, completions_per_pass=2, evaluation={"benchmarks": []})
    run_recipe(few, tmp_path)
    rows = {row for _, row in read_schedule(tmp_path / "schedule.csv").entries}
    assert sum(asked) == len(rows)


def test_vllm_fields_reach_the_trainer(tmp_path):
    from modomodo.training.trl import grpo_config

    def config(**vllm):
        one = parse(Recipe, {**TABLE, "vllm": vllm}, where="test")
        return grpo_config(one, steps=3, folder=tmp_path, weights=[1.0, 1.0])

    assert config().use_vllm is False
    colocate = config(mode="colocate", gpu_memory=0.4, tensor_parallel=2)
    assert (colocate.use_vllm, colocate.vllm_mode) == (True, "colocate")
    assert (colocate.vllm_gpu_memory_utilization, colocate.vllm_tensor_parallel_size) == (0.4, 2)
    server = config(mode="server", host="node7", port=8123)
    assert (server.vllm_mode, server.vllm_server_host, server.vllm_server_port) == ("server", "node7", 8123)


def test_without_vllm_it_says_what_to_install_before_anything_is_loaded(tmp_path, monkeypatch):
    from modomodo.evaluation import vllm_engine
    from modomodo.runs.inputs import make_schedule
    from modomodo.training import trl

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(vllm_engine, "find_spec", lambda name: None)
    monkeypatch.setattr(trl, "load_for_training", lambda *_: pytest.fail("a model was loaded"))
    one = parse(Recipe, {**TABLE, "vllm": {"mode": "server"}}, where="test")
    with pytest.raises(ModomodoError, match=r'pip install "trl\[vllm\]"'):
        trl.train(one, make_schedule(one), folder=tmp_path)


@pytest.mark.parametrize(("mode", "why"), [("server", "NCCL"), ("colocate", "packs the weights")])
def test_sampling_by_vllm_says_why_it_needs_a_gpu(monkeypatch, mode, why):
    from modomodo.config.sections import Vllm
    from modomodo.training import trl

    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ModomodoError, match=f'vllm.mode is "{mode}", which needs a GPU, since .*{why}.*"off"'):
        trl.check_vllm(Vllm(mode=mode))


def test_an_ungradable_row_teaches_nothing_and_is_not_summed_as_zero(random_model, tmp_path, monkeypatch):
    from modomodo.data.registry import DOMAINS
    from modomodo.runs.run import run_recipe

    def broken(row, reply, view):
        raise RuntimeError("verifier fell over")

    monkeypatch.setitem(DOMAINS, "science", replace(DOMAINS["science"], verify=broken))
    result = run_recipe(recipe(random_model, mixture="equal", steps=2, evaluation={"benchmarks": []}), tmp_path)
    assert result["steps"] == 2
    steps, logs = (
        [json.loads(line) for line in (tmp_path / f"{name}.jsonl").read_text().splitlines()]
        for name in ("steps", "trainer")
    )
    for step, log in zip(steps, logs, strict=False):
        graded, lost = step["domains"]["spatial"], step["domains"]["science"]
        assert (lost["ungradable"], lost["reward"]) == (2, 0)
        # Half of the replies earn nothing at all, not 0: the trainer's mean is that of the others.
        assert log["rewards/accuracy/mean"] == pytest.approx(graded["accuracy"], abs=1e-6)
        assert log["loss"] == pytest.approx(log["loss"])
        assert log["grad_norm"] < 1e9
    assert len((tmp_path / "ungradable.jsonl").read_text().splitlines()) == 4


def test_no_training_scores_the_model_as_it_is(random_model, tmp_path):
    from modomodo.runs.run import run_recipe

    result = run_recipe(recipe(random_model, steps=0), tmp_path)
    assert result["steps"] == 0
    assert result["scores"]["charts"]["unparsed"] == 1.0
    assert not (tmp_path / "steps.jsonl").exists()
