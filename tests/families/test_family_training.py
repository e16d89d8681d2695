"""Real GRPO steps of every family on rows with one image, none and two; killed runs end as undisturbed ones."""

import json
from dataclasses import replace

import pytest
from mixed import MIXED, ROWS, killed_and_resumed, recipe

from modomodo.models.families import FAMILIES
from modomodo.models.load import load_model
from modomodo.models.parts import projectors, towers


@pytest.fixture
def run(family, made, tmp_path):
    """Run a recipe undisturbed; returns the first weights, the last, and the recipe."""
    from modomodo.runs.run import run_recipe

    def go(**changes):
        one = recipe(made(family), **changes)
        run_recipe(one, tmp_path / "whole")
        return weights(made(family)), weights(tmp_path / "whole" / "model"), one

    return go


def weights(folder):
    model = load_model(str(folder), precision="float32", freeze_vision=False)
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def moved(before, after) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name, weight in before.items() if not weight.equal(after[name])}


def parts(family, made):
    """Return the names of the weights of the tower without the projector, and of the projector."""
    model = load_model(str(made(family)), precision="float32", freeze_vision=False)
    names = [name for name, _ in model.named_parameters()]
    between = {n for n in names if n.startswith(tuple(f"{p}." for p in projectors(model, FAMILIES[family])))}
    tower = {n for n in names if n.startswith(tuple(f"{p}." for p in towers(model, FAMILIES[family])))} - between
    assert tower
    assert between
    return tower, between


def test_the_tower_stays_and_a_killed_run_with_kl_ends_with_the_same_weights(family, made, run, tmp_path):
    before, after, one = run(kl=0.04)
    tower, between = parts(family, made)
    changed = moved(before, after)
    assert not changed & tower
    assert changed & between
    assert len(changed) > 0.9 * len(before.keys() - tower)
    killed_and_resumed(one, tmp_path / "killed")
    assert moved(after, weights(tmp_path / "killed" / "model")) == set()


def test_adapters_change_linear_layers_of_the_language_model_alone(family, made, run, tmp_path):
    before, after, one = run(lora={"rank": 4, "alpha": 8, "dropout": 0.1}, kl=0.04)
    tower, between = parts(family, made)
    changed = moved(before, after)
    assert not changed & (tower | between)
    language = [name for name in changed if name.endswith("_proj.weight") and ".layers." in name]
    assert changed == set(language)
    assert len(changed) == 2 * 7  # two layers of q, k, v, o, gate, up and down
    killed_and_resumed(one, tmp_path / "killed")
    assert moved(after, weights(tmp_path / "killed" / "model")) == set()


@pytest.mark.families
def test_bfloat16_computes_in_it_and_moves_float32_weights(family, run, tmp_path, capsys):
    import torch

    before, after, _ = run(precision="bfloat16", learning_rate=1e-6, steps=2, evaluation={"benchmarks": ["mixed"]})
    changed = sorted(moved(before, after))
    elements = sum(before[name].numel() for name in changed)
    float32 = sum(int((before[name] != after[name]).sum()) for name in changed)
    bfloat16 = sum(int((before[n].bfloat16() != after[n].bfloat16()).sum()) for n in changed)
    assert float32 > 0.9 * elements
    assert bfloat16 < 0.2 * elements
    assert torch.float32 == after[changed[0]].dtype
    assert "trainable: " in capsys.readouterr().out


@pytest.mark.families
def test_adapters_on_a_bfloat16_model(family, run):
    before, after, _ = run(precision="bfloat16", lora={"rank": 4, "alpha": 8}, steps=2, gradient_checkpointing=True)
    assert len(moved(before, after)) == 2 * 7


@pytest.mark.families
def test_passes_over_parts_of_a_step_see_the_pictures_of_their_own_rows(family, made, tmp_path, monkeypatch):
    """The gradient of a step is the same in one pass and in four: no row got the images of another one."""
    from modomodo.data.registry import DOMAINS
    from modomodo.runs.run import run_recipe

    # As many images as rows: there TRL would take rows for images.
    monkeypatch.setitem(DOMAINS, "mixed", replace(MIXED, load=lambda split: ROWS[split][:4]))

    norms = []
    for count in (2, 4, 8):
        run_recipe(recipe(made(family), completions_per_pass=count, steps=1), tmp_path / str(count))
        line = (tmp_path / str(count) / "trainer.jsonl").read_text().splitlines()[0]
        norms.append(json.loads(line)["grad_norm"])
    assert norms[0] > 0
    assert norms == pytest.approx([norms[0]] * 3, rel=1e-3)
