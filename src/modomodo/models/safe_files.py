"""What may stand in the folder of a model: weights as safetensors, tables as JSON, and no code. Imports no torch."""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from modomodo.core.errors import ModomodoError, count
from modomodo.core.files import foreign_json

WEIGHTS, INDEX, ADAPTERS = "model.safetensors", "model.safetensors.index.json", "adapter_config.json"
SETTINGS = (
    *("config.json", "generation_config.json", "tokenizer_config.json", "processor_config.json"),
    *("preprocessor_config.json", "video_preprocessor_config.json", "special_tokens_map.json", "chat_template.json"),
)
"""Tables that transformers reads settings from, names of code among them."""
OTHERS = ("tokenizer.json", "added_tokens.json", "vocab.json", INDEX)
PICKLES = re.compile(r"(?!training_args|optimizer|scheduler|rng_state).*\.(bin|pt|pth|ckpt|pkl|pickle)")
SMALL = ["*.json", "*.jinja", "*.model", "*.txt"]
"""Files of a hub id that are looked at before any other is fetched."""
_DEPTHS = re.compile(r"(num_(hidden_|encoder_|decoder_)?layers|n_layers?|encoder_layers|decoder_layers|depth)")
_KERNELS = re.compile(r"_?attn_implementation(_internal)?|experts_implementation")

CONVERT = (
    "python -P -c 'import sys, transformers as t; [f] = sys.argv[1:]; "
    "t.AutoModelForImageTextToText.from_pretrained(f).save_pretrained(f)' {folder}"
)


def folder_of(name: str, revision: str | None = None) -> Path:
    """Return the folder of a model: the one named, or that of a hub id, its small files fetched where they are not.

    Raises OSError or ValueError, as the hub's own library words them, where there is none.
    """
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(name, revision=revision, allow_patterns=SMALL))


def check_folder(folder: Path, *, whole: bool = True) -> None:
    """Raise ModomodoError where a folder holds a model that is damaged, or that code or a pickle belongs to.

    whole: config and weights must be there, too; those of a hub id may not be fetched yet, and a processor needs none.
    """
    tables = {name: foreign_json(folder / name) for name in (*SETTINGS, *OTHERS) if (folder / name).exists()}
    if whole and "config.json" not in tables:
        raise ModomodoError(f"{folder} has no config.json: give the folder of a saved model")
    for name in SETTINGS:
        _check_code(folder / name, tables.get(name, {}))
    if (folder / ADAPTERS).exists():
        raise ModomodoError(
            f"{folder} holds adapters of another model ({ADAPTERS}): merge them into it (merge_and_unload of peft), "
            "save the result, and give its folder"
        )
    files = _weights(folder, tables.get(INDEX), whole=whole)
    if files:
        _check_depth(folder / "config.json", tables.get("config.json", {}), len(weight_shapes(files)))


def weight_shapes(files: list[Path]) -> dict[str, tuple[int, ...]]:
    """Return name -> shape of the weights in safetensors files, from their headers.

    Raises ModomodoError where a header does not fit its file: cut off, of absurd sizes, or none at all.
    """
    from safetensors import SafetensorError, safe_open

    found: dict[str, tuple[int, ...]] = {}
    for file in files:
        try:
            if not file.is_file():  # a pipe would be waited for
                raise OSError("no regular file")
            with cast(Any, safe_open)(file, framework="numpy") as opened:
                found |= {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise ModomodoError(
                f"{file} is no whole safetensors file ({error}): copy it anew, or download it again"
            ) from error
    return found


def _check_code(file: Path, table: Mapping[str, Any]) -> None:
    """Raise where a table names code: of the folder, of the hub, or a file of weights that transformers unpickles."""
    for key, value in _entries(table):
        if key == "auto_map" and value is not None:
            raise ModomodoError(
                f"{file} has an auto_map: it names Python code that came with the model, and modomodo runs none. Take "
                "a checkpoint for a class that transformers has itself (often named -hf), or, where it has this "
                "model_type, delete the entry auto_map in a copy of the folder"
            )
        if _KERNELS.fullmatch(key) and "/" in str(value):
            raise ModomodoError(
                f"{file}: {key} is {value!r}, code of the hub, and modomodo runs none: delete the entry"
            )
        if key == "transformers_weights" and value is not None:
            raise ModomodoError(f"{file}: {key} is {value!r}: delete the entry, and name the weights {WEIGHTS}")


def _check_depth(file: Path, config: Mapping[str, Any], weights: int) -> None:
    """Raise where a model would have more layers than weights: they would be built one by one, for hours."""
    for key, value in _entries(config):
        if _DEPTHS.fullmatch(key) and isinstance(value, int) and value > weights:
            raise ModomodoError(
                f"{file}: {key} is {value}, but the checkpoint has {count(weights, 'weight')}: it is not the config "
                "of these"
            )


def _entries(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the keys and values of a table and of all tables in it."""
    for key, value in table.items():
        yield key, value
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, Mapping):
                yield from _entries(cast(Mapping[str, Any], inner))


def _weights(folder: Path, index: Mapping[str, Any] | None, *, whole: bool) -> list[Path]:
    """Return the files of weights, as transformers chooses them; none where they are not fetched yet.

    Raises ModomodoError where there are others than safetensors, or an index leads elsewhere.
    """
    if (folder / WEIGHTS).exists():
        return [folder / WEIGHTS]
    if index is not None:
        return _indexed(folder, index, whole=whole)
    pickles = sorted(path.name for path in folder.iterdir() if PICKLES.fullmatch(path.name) and path.is_file())
    if pickles:
        raise ModomodoError(
            f"{folder} has its weights in {pickles[0]}, not in safetensors: modomodo does not read it, because such a "
            "file can hold code. If you trust who made it, convert it once: "
            + CONVERT.format(folder=shlex.quote(str(folder)))
        )
    if whole:
        raise ModomodoError(f"{folder} has no weights: {WEIGHTS} is missing, or {INDEX} with the files that it names")
    return []


def _indexed(folder: Path, index: Mapping[str, Any], *, whole: bool) -> list[Path]:
    named = index.get("weight_map")
    names = set(cast(Mapping[str, Any], named).values()) if isinstance(named, Mapping) else {None}
    strange = [name for name in names if not isinstance(name, str) or not re.fullmatch(r"[\w.-]+\.safetensors", name)]
    if strange:
        raise ModomodoError(
            f"{folder / INDEX}: weight_map names {strange[0]!r}: it must name safetensors files of its own folder"
        )
    files = [folder / str(name) for name in sorted(map(str, names))]
    missing = [file.name for file in files if not file.exists()]
    if missing and whole:
        raise ModomodoError(f"{folder} lacks {missing[0]}, which {INDEX} names: copy it, or download it again")
    return [file for file in files if file.exists()]
