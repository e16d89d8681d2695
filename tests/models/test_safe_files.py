"""Folders of models that strangers made: each is refused in our words, before anything of it runs or fills memory."""

import json
import os
import pickle
import re
import shlex
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from modomodo.core.errors import ModomodoError
from modomodo.models.families import family_of
from modomodo.models.load import check_weights, load_model, load_processor
from modomodo.models.names import model_digest
from modomodo.models.safe_files import check_folder, weight_shapes

Edit = Callable[[Path], None]
RAN: list[str] = []


class Malice:
    """What a pickle does when it is read."""

    def __reduce__(self):
        return RAN.append, ("a pickle ran",)


def table(name: str, **changes: object) -> Edit:
    """Change keys of a JSON file, those of inner tables by names with two underscores."""

    def edit(folder: Path) -> None:
        whole = json.loads((folder / name).read_text())
        for key, value in changes.items():
            *outer, last = key.split("__")
            inner = whole
            for part in outer:
                inner = inner[part]
            inner[last] = value
        (folder / name).write_text(json.dumps(whole))

    return edit


def text(name: str, content: str | bytes) -> Edit:
    return lambda folder: void((folder / name).write_bytes(content if isinstance(content, bytes) else content.encode()))


def void(_: object) -> None:
    pass


def pipe(name: str) -> Edit:
    def edit(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return edit


def endless(name: str) -> Edit:
    def edit(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to("/dev/zero")

    return edit


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Malice()))


def cut(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def header(size: int, content: bytes = b"{}", data: bytes = b"") -> Edit:
    return text("model.safetensors", struct.pack("<Q", size) + content + data)


def shaped(shape: list[int]) -> Edit:
    content = json.dumps({"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, 4]}}).encode()
    return header(len(content), content, b"1234")


def indexed(weight_map: object) -> Edit:
    def edit(folder: Path) -> None:
        (folder / "model.safetensors").rename(folder / "a.safetensors")
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map, "metadata": {}}))

    return edit


DEEP = '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"
CODE = {"AutoConfig": "code.Config", "AutoModelForImageTextToText": "code.Model"}
BAD: dict[str, tuple[Edit, str]] = {
    "code of the config": (table("config.json", auto_map=CODE), r"config.json has an auto_map.* modomodo runs none"),
    "code of another repository": (table("config.json", auto_map={"AutoConfig": "a/b--c.D"}), "has an auto_map"),
    "code of an inner config": (table("config.json", text_config__auto_map=CODE), "has an auto_map"),
    "code of the tokenizer": (table("tokenizer_config.json", auto_map={"AutoTokenizer": ["t.T", None]}), "auto_map"),
    "code of the processor": (table("processor_config.json", auto_map={"AutoProcessor": "p.P"}), "has an auto_map"),
    "code of the image processor": (table("processor_config.json", image_processor__auto_map=CODE), "has an auto_map"),
    "a kernel of the hub": (table("config.json", attn_implementation="evil/kernel"), "evil/kernel.*code of the hub"),
    "a pickle by its name": (table("config.json", transformers_weights="adapter_model.bin"), "delete the entry"),
    "adapters": (text("adapter_config.json", "{}"), "holds adapters of another model.*merge"),
    "a pickle": (pickled, r"pytorch_model\.bin, not in safetensors.*can hold code.*convert it once: python -P -c"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "has no weights"),
    "weights cut off": (cut, "no whole safetensors file"),
    "empty weights": (text("model.safetensors", b""), "no whole safetensors file"),
    "an absurd header": (header(2**62), "no whole safetensors file"),
    "a header longer than its file": (header(90_000_000), "no whole safetensors file"),
    "a header that is no JSON": (header(4, b"junk"), "no whole safetensors file"),
    "an absurd shape": (shaped([10**18, 10**18]), "no whole safetensors file"),
    "a shape of another size": (shaped([7]), "no whole safetensors file"),
    "other weights": (shaped([1]), "the checkpoint has 1 weight: it is not the config"),
    "a way out of the folder": (indexed({"a": "../b.safetensors"}), r"weight_map names '\.\./b.safetensors'"),
    "a pickle in the index": (indexed({"a": "b.bin"}), r"weight_map names 'b\.bin'"),
    "an index without names": (indexed([1]), "weight_map names None"),
    "a shard that is not there": (indexed({"a": "b.safetensors"}), "lacks b.safetensors"),
    "a config that is no JSON": (text("config.json", "{not json"), r"config\.json cannot be read as JSON"),
    "a config that is a list": (text("config.json", "[1]"), r"config\.json cannot be read as JSON \(not a JSON object"),
    "a deep config": (text("config.json", DEEP), "nested too deep"),
    "a config of bytes": (text("config.json", b"\xff\x00\xfe"), "cannot be read as JSON"),
    "a number of 5,000 digits": (text("config.json", '{"a": ' + "1" * 5000 + "}"), "cannot be read as JSON"),
    "no config": (lambda folder: (folder / "config.json").unlink(), r"has no config\.json"),
    "an unknown type": (table("config.json", model_type="nope"), "does not recognize this architecture"),
    "a type that is a list": (table("config.json", model_type=["llava"]), "cannot be loaded: TypeError"),
    "a part that is a number": (table("config.json", text_config=5), "cannot be loaded: .*text_config"),
    "a size that is a word": (table("config.json", text_config__hidden_size="a"), "hidden_size"),
    "a negative size": (table("config.json", text_config__hidden_size=-4), "cannot be loaded: RuntimeError"),
    "an absurd size": (table("config.json", text_config__vocab_size=10**15), "are of other sizes than its config"),
    "an absurd image": (table("config.json", vision_config__image_size=10**7), "are of other sizes than its config"),
    "an absurd depth": (table("config.json", text_config__num_hidden_layers=10**9), "the checkpoint has 70 weights"),
    "a tokenizer that is no JSON": (text("tokenizer.json", "{{"), r"tokenizer\.json cannot be read as JSON"),
    "an empty tokenizer": (text("tokenizer.json", "{}"), "cannot be loaded: KeyError"),
    "a junk tokenizer": (table("tokenizer.json", model={"type": "Nope"}), "the processor of .* cannot be loaded"),
    "a pattern that does not parse": (
        table("tokenizer.json", pre_tokenizer={"type": "Split", "pattern": {"Regex": "(("}, "behavior": "Isolated"}),
        "cannot be loaded: Exception: .*take another copy",
    ),
    "a tokenizer that panics as it is read": (
        table("tokenizer.json", normalizer={"type": "Precompiled", "precompiled_charsmap": "/////w=="}),
        "the processor of .* cannot be loaded: PanicException",
    ),
    "a tokenizer that panics as it is used": (
        table("tokenizer.json", normalizer={"type": "Precompiled", "precompiled_charsmap": "AAAAAA=="}),
        "the processor of .* cannot be loaded: PanicException",
    ),
    "a tokenizer that writes no end": (
        table("tokenizer.json", normalizer={"type": "Prepend", "prepend": "x" * 100_000}),
        "turns .{,400}: no completion would ever parse",
    ),
    "a junk processor": (text("processor_config.json", '{"image_processor": []}'), "cannot be loaded"),
    **{f"a pipe for {name}": (pipe(name), "no regular file") for name in ("config.json", "model.safetensors")},
    **{f"an endless {name}": (endless(name), "no regular file") for name in ("tokenizer.json", "model.safetensors")},
}


@pytest.mark.parametrize(("edit", "said"), BAD.values(), ids=BAD)
def test_a_bad_folder_is_refused_in_our_words(random_model: Path, tmp_path: Path, edit: Edit, said: str):
    folder = tmp_path / "model"
    shutil.copytree(random_model, folder)
    (folder / "code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    edit(folder)
    family_of(str(folder))
    with pytest.raises(ModomodoError) as caught:  # noqa: PT012 - as `check` calls them
        check_weights(str(folder))
        load_processor(str(folder))
    assert re.search(said, str(caught.value), re.DOTALL), caught.value
    assert str(folder) in str(caught.value)
    assert not (tmp_path / "ran").exists()
    assert not RAN


def test_a_pickle_beside_safetensors_is_not_read(random_model: Path, tmp_path: Path):
    folder = tmp_path / "model"
    shutil.copytree(random_model, folder)
    for name in ("pytorch_model.bin", "training_args.bin"):
        (folder / name).write_bytes(pickle.dumps(Malice()))
    load_model(str(folder), precision="float32", freeze_vision=False)
    assert not RAN


def test_a_valid_pickle_is_refused_by_what_trains_as_well(
    random_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import torch
    from safetensors.torch import load_file

    folder = tmp_path / "a folder"
    shutil.copytree(random_model, folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModomodoError, match="not in safetensors") as caught:
        load_model(str(folder), precision="float32", freeze_vision=False)
    # The command that the message gives makes a folder that is read.
    _, _, _, code, *arguments = shlex.split(str(caught.value).split("convert it once: ")[1])
    monkeypatch.setattr(sys, "argv", ["-c", *arguments])
    exec(code, {})
    load_model(str(folder), precision="float32", freeze_vision=False)


def test_shards_are_read(random_model: Path, tmp_path: Path):
    folder = tmp_path / "model"
    shutil.copytree(random_model, folder)
    names = weight_shapes([folder / "model.safetensors"])
    indexed(dict.fromkeys(names, "a.safetensors"))(folder)
    check_folder(folder)
    check_weights(str(folder))


def test_the_digest_of_a_folder_is_that_of_its_regular_files(random_model: Path, tmp_path: Path):
    folder = tmp_path / "model"
    shutil.copytree(random_model, folder)
    before = model_digest(str(folder))
    os.mkfifo(folder / "pipe")
    (folder / "endless").symlink_to("/dev/zero")
    assert model_digest(str(folder)) == before == model_digest(str(random_model))
