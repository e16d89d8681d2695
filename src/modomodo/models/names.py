"""Names of models: where they lie, and the digest that goes into a run's key. Imports no torch."""

import hashlib
import os
from pathlib import Path

from modomodo.core.errors import ModomodoError
from modomodo.models.nano.model import CHECKPOINTS

LONGEST = 600  # characters of a reason in the words of others
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")  # variables by which the hub is not asked


def model_path(name: str) -> str:
    """Return the folder or hub id behind a recipe's `model`; "nano" and "nano-2" are embedded checkpoints."""
    return str(CHECKPOINTS.get(name, name))


def model_digest(name: str, revision: str | None = None) -> str:
    """Return a hash (16 hex digits) of a local checkpoint's files, or the hub id with its revision.

    Raises ModomodoError for a path that leads to no folder.
    """
    folder = Path(model_path(name))
    if not folder.is_dir():
        check_name(name)
        return f"{name}@{revision}" if revision else name
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.iterdir() if path.is_file() and path.suffix != ".md"):
        with file.open("rb") as opened:
            digest.update(file.name.encode() + hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()[:16]


def check_name(name: str) -> None:
    """Raise ModomodoError for what cannot be a hub id, and so is the path of a folder that is not there."""
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise ModomodoError(
            f"model {name!r}: there is no such folder, and it is no hub id (owner/name): give the path of a folder "
            "that holds config.json, from where modomodo is run"
        )


def is_here(name: str, revision: str | None = None) -> bool:
    """Return whether the model's configuration is on this machine: in its folder, or in the cache of the hub.

    Raises ModomodoError for what is neither a folder nor a hub id.
    """
    if Path(model_path(name)).is_dir():
        return True
    check_name(name)
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(name, "config.json", revision=revision), str)


def why_absent(name: str, error: BaseException) -> str:
    """Return why a model cannot be loaded: by the variable that forbids to fetch it, else in the words of the error."""
    offline = next((key for key in OFFLINE if os.environ.get(key, "").upper() in ("1", "ON", "YES", "TRUE")), None)
    here = Path(name).is_dir()
    if offline is None or here:
        said = str(error).strip() or "no reason given"
        if "ignore_mismatched_sizes" in said:
            return "its weights are of other sizes than its config.json says: take both from one checkpoint"
        if "use_safetensors" in said:
            return "its weights are not safetensors, and modomodo reads no others: take a folder with converted ones"
        kind = "" if isinstance(error, OSError | ValueError) else f"{type(error).__name__}: "
        help = "; take another copy of it, or a model for which transformers has a class" if here else ""
        if "requires the Torchvision library" in said:
            said, help = "its processor needs torchvision, which is not installed here", ": pip install torchvision"
        return f"{kind}{said:.{LONGEST}}{help}"
    return (
        f"it is not whole on this machine, and {offline}={os.environ[offline]} is set, which forbids to fetch it: run "
        f"`unset {offline}`, or give the folder of a copy"
    )
