"""The manifest of a prepared set: written last, so that a set that has one is whole."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.files import explained, read_json
from modomodo.core.toml import Strict, parse

MANIFEST = "manifest.json"
CARD = "README.md"
DROPPED = "dropped.csv"
MAKE = "`modomodo data prepare FILE`"


class FileFacts(Strict):
    """What a file is to be: its size in bytes and its SHA-256."""

    bytes: int
    sha256: str


class SplitFacts(Strict):
    """What a split holds: rows as written, rows as read before any was dropped, and a digest of the latter.

    `pictures` counts an image once for each row that shows it; `pixels` are the least and the greatest width and
    height, ((width, height), (width, height)).
    """

    rows: int
    read: int
    digest: str
    verifiers: dict[str, int]
    pictures: int
    picture_bytes: int
    pixels: tuple[tuple[int, int], tuple[int, int]] | None
    shards: dict[str, int]  # file -> rows, in order
    notes: tuple[str, ...]  # what the domain says of its rows, such as those its source has and it cannot use


class OriginFacts(Strict):
    """Where the rows came from, as `Origin` of a domain."""

    source: str
    revision: str | None
    licence: str
    sizes: dict[str, int]
    declared: str


class Manifest(Strict):
    """A prepared set: what it was made from (all but `files`), and what its files are to be."""

    version: Literal[1] = 1
    name: str
    origin: OriginFacts | None
    splits: dict[str, SplitFacts]
    dropped: dict[str, int]  # reason -> rows
    files: dict[str, FileFacts] = Field(default_factory=dict[str, FileFacts])

    def same_rows(self, other: "Manifest") -> bool:
        """Return whether both were made from the same rows and origin."""
        return self.model_copy(update={"files": {}}) == other.model_copy(update={"files": {}})


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of the set in `folder`, None where there is none.

    Raises ModomodoError when it is damaged or of another version.
    """
    data = read_json(folder / MANIFEST)
    if data is None:
        return None
    if data.get("version") != 1:
        raise ModomodoError(
            f"{folder / MANIFEST} is of version {data.get('version')!r}, this modomodo reads version 1: "
            f"delete {folder} and run {MAKE} again"
        )
    where = f"{folder / MANIFEST} is damaged (delete {folder} and run {MAKE} again)"
    manifest = parse(Manifest, data, where=where)
    unknown = [shard for facts in manifest.splits.values() for shard in facts.shards if shard not in manifest.files]
    if unknown:
        raise ModomodoError(f"{where}: it says nothing of the file {unknown[0]}")
    return manifest


def find_manifest(folder: Path, name: str) -> Manifest:
    """Return the manifest of the prepared set `name`.

    Raises ModomodoError with the closest names of prepared sets where there is none.
    """
    manifest = read_manifest(folder / name)
    if manifest is not None:
        return manifest
    if not folder.is_dir():
        raise ModomodoError(f"{folder} does not exist: make it with {MAKE}")
    known = [one.parent.name for one in folder.glob(f"[!.]*/{MANIFEST}")]
    raise ModomodoError(
        f"{folder} holds no prepared set {name!r}; {closest(name, known)} (make what is missing with {MAKE})"
    )


def prepared_counts(folder: Path, name: str) -> dict[str, int]:
    """Return split -> rows of a prepared set, from its manifest alone.

    Raises ModomodoError where there is none.
    """
    return {split: facts.rows for split, facts in find_manifest(folder, name).splits.items()}


def check_files(folder: Path, files: Mapping[str, FileFacts]) -> None:
    """Raise ModomodoError where a file of a set is missing or is not what its manifest says."""
    for name, facts in files.items():
        path = folder / name
        with explained(path, to="read"):
            if not path.is_file():
                problem = "is missing"
            elif path.stat().st_size != facts.bytes:
                problem = f"has {path.stat().st_size:,} bytes, its manifest says {facts.bytes:,}"
            elif file_facts(path).sha256 != facts.sha256:
                problem = "is not the file that its manifest describes (other SHA-256)"
            else:
                continue
        raise ModomodoError(f"{path} {problem}: delete {folder} and run {MAKE} again, or copy the set again")


def file_facts(path: Path) -> FileFacts:
    """Return size and SHA-256 of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return FileFacts(bytes=path.stat().st_size, sha256=digest.hexdigest())
