import json
import shutil
from dataclasses import replace

import pytest

from modomodo.config import Recipe, parse
from modomodo.errors import ModomodoError
from modomodo.rows import Verdict
from modomodo.schedules import read_schedule

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
    from modomodo.domains import DOMAINS

    with pytest.MonkeyPatch.context() as patch:
        for name in TABLE["domains"]:
            easy = replace(DOMAINS[name], verify=lambda row, reply, view: Verdict.partial(len(reply) % 7 / 6, reply))
            patch.setitem(DOMAINS, name, easy)
        yield


@pytest.fixture(scope="module")
def finished(random_model, tmp_path_factory):
    from modomodo.pilots.run import run_recipe

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
    assert all(sample["verdict"]["status"] for sample in samples)


def test_the_vision_tower_stays_and_the_rest_moves(finished, random_model):
    import torch
    from safetensors.torch import load_file

    before, after = load_file(random_model / "model.safetensors"), weights(finished[0])
    assert before.keys() == after.keys()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert not any("vision_tower" in name for name in moved)
    assert any("language_model" in name for name in moved)
    assert any("multi_modal_projector" in name for name in moved)


def test_a_killed_run_goes_on_to_the_weights_of_an_undisturbed_one(finished, random_model, tmp_path, monkeypatch):
    import torch

    from modomodo.engines import trl
    from modomodo.pilots.run import run_recipe

    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trl.StepLog, "on_step_end", _dies_at(2, trl.StepLog.on_step_end, die))
        with pytest.raises(KeyboardInterrupt):
            run_recipe(recipe(random_model), tmp_path)
    assert trl.last_checkpoint(tmp_path / trl.CHECKPOINTS).name == "checkpoint-1"
    with (tmp_path / "steps.jsonl").open("a") as file:
        file.write('{"step": 2, "cut')
    run_recipe(recipe(random_model), tmp_path)
    expected = weights(finished[0])
    assert all(torch.equal(expected[name], weight) for name, weight in weights(tmp_path).items())
    for name in ("schedule.csv", "samples.jsonl", "items/charts.jsonl"):
        assert (tmp_path / name).read_text() == (finished[0] / name).read_text()
    assert not (tmp_path / trl.CHECKPOINTS).exists()


def _dies_at(step, original, die):
    def on_step_end(self, args, state, control, **options):
        original(self, args, state, control, **options)
        if state.global_step == step:
            die()

    return on_step_end


def test_an_ungradable_row_teaches_nothing_and_is_not_summed_as_zero(random_model, tmp_path, monkeypatch):
    from modomodo.domains import DOMAINS
    from modomodo.pilots.run import run_recipe

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
    from modomodo.pilots.run import run_recipe

    result = run_recipe(recipe(random_model, steps=0), tmp_path)
    assert result["steps"] == 0
    assert result["scores"]["charts"]["unparsed"] == 1.0
    assert not (tmp_path / "steps.jsonl").exists()


def test_a_checkpoint_without_all_weights_is_refused(random_model, tmp_path):
    from safetensors.torch import load_file, save_file

    from modomodo.engines.loading import load_model

    shutil.copytree(random_model, tmp_path / "model")
    tensors = load_file(tmp_path / "model" / "model.safetensors")
    tensors.pop(next(name for name in tensors if "q_proj" in name))
    save_file(tensors, tmp_path / "model" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModomodoError, match="1 weights are not in the checkpoint"):
        load_model(str(tmp_path / "model"), precision="float32", freeze_vision=True)


def test_a_model_that_does_not_exist_is_said_so(tmp_path):
    from modomodo.engines.loading import load_model

    with pytest.raises(ModomodoError, match="cannot be loaded"):
        load_model(str(tmp_path / "nowhere"), precision="float32", freeze_vision=True)


def test_cached_pictures_give_the_same_tensors_and_mixed_batches_work(random_model):
    import torch

    from modomodo.engines.loading import accept_mixed_batches, load_processor
    from modomodo.nano.scenes import draw
    from modomodo.nano.world import question

    pictures = [draw(question("charts", "test", index).scene) for index in range(3)]
    images = [[pictures[0]], None, [pictures[1]], [pictures[0]], [pictures[2]]]
    texts = ["a" if image is None else "<image>a" for image in images]
    cached, plain = load_processor(str(random_model)), load_processor(str(random_model))
    accept_mixed_batches(cached, cache_images=True)
    accept_mixed_batches(plain, cache_images=False)
    for _ in range(2):
        found = cached(images=images, text=texts, padding=True, return_tensors="pt")
        wanted = plain(images=images, text=texts, padding=True, return_tensors="pt")
        assert all(torch.equal(found[name], wanted[name]) for name in wanted)
        assert found["pixel_values"].shape[0] == 4
    none = cached(images=[None, []], text=["a", "a"], padding=True, return_tensors="pt")
    assert "pixel_values" not in none
