"""The table of families: names, frames, and the resizing of transformers' own processors."""

import itertools
import json

import pytest

from modomodo.config.recipe import Recipe
from modomodo.core.toml import parse
from modomodo.models.families import FAMILIES, FRAME_KEY, family_of
from modomodo.models.nano.model import CHECKPOINT

SIDES = (1, 3, 5, 13, 14, 15, 27, 28, 41, 42, 43, 64, 97, 333, 641, 1001, 1998, 4099, 8191)


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("Qwen/Qwen2-VL-2B-Instruct", "qwen2_vl"),
        ("Qwen/Qwen2.5-VL-3B-Instruct", "qwen2_5_vl"),
        ("Qwen/Qwen3-VL-4B-Instruct", "qwen3_vl"),
        ("HuggingFaceTB/SmolVLM2-2.2B-Instruct", "smolvlm"),
        ("HuggingFaceM4/Idefics3-8B-Llama3", "idefics3"),
        ("OpenGVLab/InternVL3-2B-hf", "internvl"),
        ("llava-hf/llava-1.5-7b-hf", "llava"),
        ("google/gemma-3-4b-it", "gemma3"),
        ("google/gemma-3n-E2B-it", None),
        ("llava-hf/llava-v1.6-mistral-7b-hf", None),
        ("somebody/else", None),
        ("nano", None),
        (str(CHECKPOINT), None),
    ],
)
def test_the_name_gives_the_family_away(model, family):
    found = family_of(model)
    assert (found.name if found else None) == family


def test_every_family_is_a_model_type_of_transformers():
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    assert not FAMILIES.keys() - CONFIG_MAPPING_NAMES.keys()


def folder(path, config, pictures=None, name="preprocessor_config.json"):
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(json.dumps(config))
    if pictures is not None:
        (path / name).write_text(json.dumps(pictures))
    return str(path)


def test_a_checkpoint_of_ours_keeps_the_frame_it_was_trained_in(tmp_path):
    trained = folder(tmp_path / "nano", {"model_type": "llava", FRAME_KEY: "pixels"})
    assert family_of(trained).frame == "pixels"
    assert family_of(folder(tmp_path / "other", {"model_type": "llava"})).frame == "unit"
    assert family_of(folder(tmp_path / "wrong", {"model_type": "llava", FRAME_KEY: "metres"})).frame == "unit"
    recipe = parse(Recipe, {"domains": ["refer"], "model": trained}, where="")
    assert recipe.view.frame == "pixels"


@pytest.mark.parametrize(
    ("pictures", "name"),
    [
        ({"min_pixels": 5000, "max_pixels": 90000}, "preprocessor_config.json"),
        ({"size": {"shortest_edge": 5000, "longest_edge": 90000}}, "preprocessor_config.json"),
        ({"image_processor": {"size": {"shortest_edge": 5000, "longest_edge": 90000}}}, "processor_config.json"),
    ],
)
def test_a_checkpoint_keeps_the_limits_of_its_processor(tmp_path, pictures, name):
    model = folder(tmp_path / "m", {"model_type": "qwen2_5_vl"}, pictures, name)
    resize = family_of(model).resize
    assert (resize.factor, resize.min_pixels, resize.max_pixels) == (28, 5000, 90000)
    recipe = parse(Recipe, {"domains": ["refer"], "model": model, "max_pixels": 70000}, where="")
    assert (recipe.view.resize.min_pixels, recipe.view.resize.max_pixels) == (5000, 70000)


def resizes():
    return [(family.name, family.resize) for family in FAMILIES.values() if family.resize is not None]


@pytest.mark.parametrize(("name", "resize"), resizes(), ids=[name for name, _ in resizes()])
def test_pictures_are_resized_as_transformers_does(name, resize):
    from dataclasses import replace

    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

    limits = [{}, {"min_pixels": resize.factor**2, "max_pixels": 50 * resize.factor**2}, {"max_pixels": 1280 * 784}]
    for size, changes in itertools.product(itertools.product(SIDES, SIDES), limits):
        if max(size) > 200 * min(size):
            continue  # refused by the processor
        one = replace(resize, **changes)
        height, width = smart_resize(size[1], size[0], one.factor, one.min_pixels, one.max_pixels)
        assert one.size(size) == (width, height), (size, one)
