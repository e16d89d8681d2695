import shutil

import pytest

from modomodo.core.errors import ModomodoError
from modomodo.models.families import FAMILIES
from modomodo.models.load import load_model, load_processor


def test_a_checkpoint_without_all_weights_is_refused(random_model, tmp_path):
    from safetensors.torch import load_file, save_file

    shutil.copytree(random_model, tmp_path / "model")
    tensors = load_file(tmp_path / "model" / "model.safetensors")
    tensors.pop(next(name for name in tensors if "q_proj" in name))
    save_file(tensors, tmp_path / "model" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModomodoError, match="1 weights are not in the checkpoint"):
        load_model(str(tmp_path / "model"), precision="float32", freeze_vision=True)


def test_a_model_that_does_not_exist_is_said_so(tmp_path):
    with pytest.raises(ModomodoError, match="cannot be loaded"):
        load_model(str(tmp_path / "nowhere"), precision="float32", freeze_vision=True)


@pytest.mark.parametrize(
    "load", [lambda name: load_model(name, precision="float32", freeze_vision=True), load_processor]
)
def test_the_variable_that_forbids_to_fetch_a_model_is_named(load, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModomodoError, match=r"HF_HUB_OFFLINE=1 is set, which forbids to fetch it: run `unset HF_HUB_"):
        load("nobody-at-all/no-such-model")


@pytest.mark.parametrize(("vision", "projector"), [(True, False), (True, True), (False, True), (False, False)])
def test_the_parts_asked_for_are_frozen(random_model, vision, projector):
    model = load_model(str(random_model), precision="float32", freeze_vision=vision, freeze_projector=projector)
    frozen = {name for name, weight in model.named_parameters() if not weight.requires_grad}
    assert any("vision_tower" in name for name in frozen) == vision
    assert any("multi_modal_projector" in name for name in frozen) == projector
    assert all("vision_tower" in name or "multi_modal_projector" in name for name in frozen)


def test_a_part_that_is_not_there_is_named(random_model):
    options = {"precision": "float32", "family": FAMILIES["smolvlm"]}
    with pytest.raises(
        ModomodoError, match=r"no vision tower that we know \(looked for vision_model\): set freeze_vis"
    ):
        load_model(str(random_model), freeze_vision=True, **options)
    with pytest.raises(ModomodoError, match="no projector that we know"):
        load_model(str(random_model), freeze_vision=False, freeze_projector=True, **options)


def test_a_template_that_opens_the_thought_itself_is_refused(random_model, tmp_path):
    """Replies would never hold the opening tag, and none would parse."""
    shutil.copytree(random_model, tmp_path / "model")
    template = tmp_path / "model" / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|assistant|>{% endif %}", "<|assistant|><think>\n{% endif %}"))
    with pytest.raises(ModomodoError, match="opens <think> itself"):
        load_processor(str(tmp_path / "model"))


def test_a_tokenizer_that_drops_the_tags_is_refused(random_model, tmp_path):
    processor = load_processor(str(random_model))
    processor.tokenizer.add_special_tokens({"extra_special_tokens": ["<think>", "</think>"]})
    processor.save_pretrained(tmp_path)
    with pytest.raises(ModomodoError, match="no completion would ever parse"):
        load_processor(str(tmp_path))


def test_another_family_is_noticed_by_its_processor(random_model):
    with pytest.raises(ModomodoError, match="set `family`"):
        load_processor(str(random_model), resize=FAMILIES["qwen2_vl"].resize)


def test_without_peft_it_says_what_to_install(random_model, monkeypatch):
    import sys

    from modomodo.config.sections import Lora
    from modomodo.training.adapters import lora_config

    model = load_model(str(random_model), precision="float32", freeze_vision=False)
    assert lora_config(model, None, Lora()).r == 16
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ModomodoError, match="needs the package peft"):
        lora_config(model, None, Lora())
