"""Names of models: where they lie, and the digest that goes into a run's key. Imports no torch."""

import hashlib
from pathlib import Path

from modomodo.errors import ModomodoError
from modomodo.nano.model import CHECKPOINT


def model_path(name: str) -> str:
    """Return the folder or hub id behind a recipe's `model`; "nano" is the embedded checkpoint."""
    return str(CHECKPOINT) if name == "nano" else name


def model_digest(name: str) -> str:
    """Return a hash (16 hex digits) of a local checkpoint's files, or the hub id itself.

    Raises ModomodoError for a path that leads to no folder.
    """
    folder = Path(model_path(name))
    if not folder.is_dir():
        if name.count("/") > 1 or name.startswith((".", "/", "~")):
            raise ModomodoError(f"model {name!r}: there is no such folder, and it is no hub id (owner/name)")
        return name
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.iterdir() if path.is_file() and path.suffix != ".md"):
        digest.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]
