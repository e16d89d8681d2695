"""What a run needs, worked out: the shapes are those of the models, and memory adds up as it must."""

from pathlib import Path

import pytest

from modomodo.config.recipe import load_recipe
from modomodo.models.nano.model import CHECKPOINT
from modomodo.study.costs import SHAPES, cost, estimate, shape_of

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
RECIPES = Path(__file__).parents[2] / "recipes"


def count(config: object, tower: str) -> tuple[int, int]:
    with torch.device("meta"):
        model = transformers.AutoModelForImageTextToText.from_config(config)
    weights = dict(model.named_parameters())
    return sum(one.numel() for one in weights.values()), sum(w.numel() for name, w in weights.items() if tower in name)


def test_the_shape_of_the_paper_s_model_is_that_of_its_configuration():
    shape = SHAPES["Qwen/Qwen2-VL-2B-Instruct"]
    text = {"hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28, "num_attention_heads": 12,
            "num_key_value_heads": 2, "vocab_size": 151936}  # fmt: skip
    vision = {"depth": 32, "embed_dim": 1280, "hidden_size": 1536, "num_heads": 16, "mlp_ratio": 4, "patch_size": 14}
    config = transformers.Qwen2VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=True)
    assert count(config, "visual") == (shape.parameters, shape.vision)


@pytest.mark.parametrize(
    ("name", "hidden", "inner", "layers", "heads"), [("2B", 2048, 6144, 28, 16), ("4B", 2560, 9728, 36, 32)]
)
def test_the_shapes_of_the_modern_models_are_those_of_their_configurations(name, hidden, inner, layers, heads):
    shape = SHAPES[f"Qwen/Qwen3-VL-{name}-Instruct"]
    text = {"hidden_size": hidden, "intermediate_size": inner, "num_hidden_layers": layers, "head_dim": 128,
            "num_attention_heads": heads, "num_key_value_heads": 8, "vocab_size": 151936}  # fmt: skip
    vision = {"depth": 24, "hidden_size": 1024, "num_heads": 16, "intermediate_size": 4096, "out_hidden_size": hidden,
              "deepstack_visual_indexes": [5, 11, 17], "patch_size": 16}  # fmt: skip
    config = transformers.Qwen3VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=True)
    assert count(config, "visual") == (shape.parameters, shape.vision)


@pytest.mark.parametrize(
    ("name", "hidden", "inner", "layers", "heads", "groups", "words"),
    [("3B", 2048, 11008, 36, 16, 2, 151936), ("7B", 3584, 18944, 28, 28, 4, 152064)],
)
def test_the_shapes_of_qwen2_5_vl_are_those_of_their_configurations(name, hidden, inner, layers, heads, groups, words):
    shape = SHAPES[f"Qwen/Qwen2.5-VL-{name}-Instruct"]
    tied = name == "3B"
    text = {"hidden_size": hidden, "intermediate_size": inner, "num_hidden_layers": layers, "vocab_size": words,
            "num_attention_heads": heads, "num_key_value_heads": groups, "tie_word_embeddings": tied}  # fmt: skip
    vision = {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": hidden,
              "patch_size": 14}  # fmt: skip
    config = transformers.Qwen2_5_VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=tied)
    assert count(config, "visual") == (shape.parameters, shape.vision)
    assert (layers, hidden, words) == (shape.layers, shape.hidden, shape.vocabulary)


def test_the_shape_of_a_local_checkpoint_is_read_from_its_files():
    recipe = load_recipe(RECIPES / "paper" / "recipe.toml")
    shape = shape_of(recipe.model_copy(update={"model": str(CHECKPOINT)}))
    assert shape is not None
    assert 1.5e6 < shape.parameters < 3e6
    assert 0 < shape.vision < shape.parameters
    assert shape_of(recipe.model_copy(update={"model": "nobody/nothing"})) is None


def test_memory_is_what_the_parts_take_and_each_choice_shows():
    recipe = load_recipe(RECIPES / "paper" / "recipe.toml")
    shape = SHAPES[recipe.model]
    found = estimate(recipe, shape)
    trained = shape.parameters - shape.vision
    assert found.memory["gradients and AdamW"] == pytest.approx(12 * trained / 2**30)
    assert found.total == pytest.approx(sum(found.memory.values()))
    assert 0 < found.hours[0] < found.hours[1]
    without = estimate(recipe.model_copy(update={"kl": 0.0}), shape)
    assert found.total - without.total == pytest.approx(4 * shape.parameters / 2**30)
    whole = estimate(recipe.model_copy(update={"freeze_vision": False}), shape)
    assert whole.total - found.total > 12 * shape.vision / 2**30


def test_equal_runs_cost_once():
    recipe = load_recipe(RECIPES / "paper" / "recipe.toml")
    other = recipe.model_copy(update={"seed": recipe.seed + 1})
    said = [str(next(cost(runs, label="pilots"))) for runs in ([recipe, other], [recipe, recipe, other])]
    assert said[0].startswith("pilots: 2 runs")
    assert said[0] == said[1]


@pytest.mark.parametrize(("file", "gib"), [("paper", 80), ("modern/full", 80), ("modern/lora", 80), ("one-gpu", 24)])
def test_the_recipes_fit_the_gpu_they_are_for(file: str, gib: int):
    path = RECIPES / f"{file}.toml" if "/" in file else RECIPES / file / "recipe.toml"
    recipe = load_recipe(path)
    shape = shape_of(recipe)
    assert shape is not None
    assert estimate(recipe, shape).total < 0.9 * gib
