"""Scores on the way, and models as they are saved: neither may touch the run."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from modomodo.config.recipe import Recipe
from modomodo.core.rows import Verdict
from modomodo.core.toml import parse
from modomodo.models.load import load_model, load_processor
from modomodo.training import weights

TABLE = {
    "domains": ["spatial", "science"],
    "steps": 3,
    "prompts_per_step": 2,
    "num_generations": 2,
    "learning_rate": 1e-2,
    "max_completion_length": 6,
    "save_every": 1,
    "evaluation": {"benchmarks": ["charts"], "items": 6, "at": [2]},
}


@pytest.fixture(autouse=True)
def something_to_learn(monkeypatch):
    from modomodo.data.registry import DOMAINS

    for name in TABLE["domains"]:
        easy = replace(DOMAINS[name], verify=lambda row, reply, view: Verdict.partial(len(reply) % 7 / 6, reply))
        monkeypatch.setitem(DOMAINS, name, easy)


@pytest.fixture
def run(random_model):
    from modomodo.runs.run import run_recipe

    def go(folder: Path, **changes):
        result = run_recipe(parse(Recipe, {**TABLE, "model": str(random_model), **changes}, where="test"), folder)
        model = load_model(str(folder / "model"), precision="float32", freeze_vision=False)
        return result, dict(model.named_parameters())

    return go


def same(left, right) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_scores_on_the_way_do_not_touch_the_run(run, tmp_path):
    plain, undisturbed = run(tmp_path / "plain", evaluation={**TABLE["evaluation"], "at": []})
    result, trained = run(tmp_path / "scored")
    assert same(trained, undisturbed)
    assert plain["earlier"] == {}
    assert result["earlier"]["2"]["charts"]["n"] == 6
    assert result["scores"] == plain["scores"]
    names = sorted(path.name for path in (tmp_path / "scored").iterdir())
    assert not [name for name in names if name.startswith("model-")]
    assert (tmp_path / "scored" / "items" / "step-2" / "charts.jsonl").exists()


def test_the_processor_is_loaded_once_and_saved_as_it_was_loaded(run, random_model, tmp_path, monkeypatch):
    loaded = []

    def load(*args, **options):
        loaded.append(load_processor(*args, **options))
        return loaded[-1]

    monkeypatch.setattr(weights, "load_processor", load)
    run(tmp_path / "run")
    assert len(loaded) == 1
    load_processor(str(random_model)).save_pretrained(tmp_path / "fresh")
    fresh = {path.name: path.read_bytes() for path in (tmp_path / "fresh").iterdir()}
    assert {name: (tmp_path / "run" / "model" / name).read_bytes() for name in fresh} == fresh


def test_a_run_killed_while_it_is_scored_ends_the_same(run, tmp_path, monkeypatch):
    result, trained = run(tmp_path / "whole")
    original = weights.score_saved

    def dies(*args, **options):
        original(*args, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(weights, "score_saved", dies)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "killed")
    assert not (tmp_path / "killed" / "scores-2.json").exists()
    again, resumed = run(tmp_path / "killed")
    assert same(trained, resumed)
    assert (again["earlier"], again["scores"]) == (result["earlier"], result["scores"])


@pytest.mark.parametrize("lora", [None, {"rank": 4, "alpha": 8}], ids=["whole", "adapters"])
def test_what_is_scored_is_what_is_trained(run, random_model, tmp_path, monkeypatch, lora):
    live, scored = {}, {}
    original, scoring = weights.ScoreAt.on_step_end, weights.score_saved

    def on_step_end(self, args, state, control, model, **options):
        if state.global_step == 2:
            live.update(linear_weights(model.get_base_model() if lora else model))
        return original(self, args, state, control, model=model, **options)

    def score(path, *args, **options):
        if Path(path).name == "model-2":
            scored.update(linear_weights(load_model(path, precision="float32", freeze_vision=False)))
        return scoring(path, *args, **options)

    monkeypatch.setattr(weights.ScoreAt, "on_step_end", on_step_end)
    monkeypatch.setattr(weights, "score_saved", score)
    first = linear_weights(load_model(str(random_model), precision="float32", freeze_vision=False))
    run(tmp_path, lora=lora)
    assert live.keys() == scored.keys() == first.keys()
    assert all(torch.allclose(live[name], scored[name], atol=1e-7) for name in live)
    assert not same(first, scored)


def linear_weights(model) -> dict[str, torch.Tensor]:
    """Return the weights of linear layers, what adapters add to them included."""
    layers = {
        name: layer
        for name, layer in model.named_modules()
        if "lora_" not in name and not name.endswith("base_layer")
        if isinstance(layer, torch.nn.Linear) or hasattr(layer, "get_delta_weight")
    }
    return {
        name: (layer.weight + (layer.get_delta_weight("default") if hasattr(layer, "get_delta_weight") else 0)).detach()
        for name, layer in layers.items()
    }


def test_a_revision_is_the_reference_too(monkeypatch, random_model):
    import huggingface_hub

    asked = []
    monkeypatch.setattr(
        huggingface_hub,
        "snapshot_download",
        lambda name, **options: asked.append((name, options["revision"])) or "here",
    )
    recipe = parse(Recipe, {**TABLE, "model": "some/model", "revision": "abc"}, where="test")
    assert weights._first_weights(recipe) == "here"
    assert asked == [("some/model", "abc")]
    local = parse(Recipe, {**TABLE, "model": str(random_model), "revision": "abc"}, where="test")
    assert weights._first_weights(local) == str(random_model)
