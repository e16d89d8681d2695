"""Images as columns hold them: bytes, base64, a path beside the file, an object with one of these, or lists of them.

Rows may be anybody's, so a path leads to a regular file in one folder, whatever links there say, and nothing is
downloaded.
"""

import base64
import binascii
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from modomodo.data.sources.values import BadRowError, written

KEYS = (
    "bytes",
    "base64",
    "b64",
    "b64_json",
    "data",
    "path",
    "image_path",
    "file_name",
    "filename",
    "file",
    "image",
    "image_url",
)
KEYS += ("url", "uri", "source", "src")
"""Under which an object holds an image: the first that is not empty."""

ENDS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
"""What names of image files end with, in small letters; a path without one may name such a file."""

MAX_NAME = 255  # bytes in the name of a file, as file systems have it
SHORTEST = 64  # letters of base64 from which a text is an image rather than a path
_BEGUN = ("iVBOR", "/9j/", "UklGR", "R0lG", "Qk", "SUkq", "TU0A")  # PNG, JPEG, WebP, GIF, BMP, TIFF
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_DATA = re.compile(r"data:[^,]{0,100};base64,", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/\s_-]+=*\s*")


_NAMED = re.compile(
    r"(.*[_.])?(image|img|picture|photo|figure|pic|frame|screenshot|video)s?(_?\d+)?"
    r"(_?(path|file|name|filename|url|uri|bytes|base64|b64|data)s?)?",
    re.IGNORECASE,
)


@lru_cache(maxsize=1_000)
def is_pictorial(name: str) -> bool:
    """Return whether a column is called like one with images."""
    return _NAMED.fullmatch(name) is not None


def flat_pictures(value: Any, folder: Path | None) -> Iterator[bytes | Path]:
    """Yield the images that a value of a column holds, in order; none for an empty one.

    `folder` is where paths are seen from and stay in; None is a set of the hub, where `datasets` says where in its
    cache an image is.

    Raises BadRowError.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, int) and folder is not None and _with_ending(folder / str(value)) is not None:
        yield _beside(str(value), folder)
    elif isinstance(value, str):
        yield from _of_text(value, folder)
    elif isinstance(value, Mapping):
        yield from flat_pictures(_of_object(cast(Mapping[str, Any], value)), folder)
    elif isinstance(value, Sequence):
        for one in cast(Sequence[Any], value):
            yield from flat_pictures(one, folder)
    else:
        raise BadRowError(
            f"an image is bytes, base64, a path or a list of them, found {type(value).__name__} {value!r:.60}"
        )


def _of_object(table: Mapping[str, Any]) -> Any:
    known = [key for key in KEYS if key in table]
    if not known:
        keys = ", ".join(map(repr, list(table)[:8]))
        raise BadRowError(f"an image is an object with the keys {keys}, none of {', '.join(KEYS)}")
    return next((table[key] for key in known if table[key] not in (None, "")), None)


def _of_text(text: str, folder: Path | None) -> Iterator[bytes | Path]:
    text = text.strip()
    if found := _DATA.match(text):
        yield _decoded(text[found.end() :])
    elif _ADDRESS.match(text):
        raise BadRowError(
            f"an image is the address {text:.2000}: nothing is downloaded; fetch it, and write the path of its file"
        )
    elif (listed := written(text, list)) is not None:
        yield from flat_pictures(listed, folder)
    elif is_base64(text):
        yield _decoded(text)
    else:
        yield _beside(text, folder)


def is_base64(text: str) -> bool:
    """Return whether a text is base64 rather than a path: of its letters alone, and long, or begun as images are."""
    if len(text) < SHORTEST or not _BASE64.fullmatch(text):
        return False
    return len(text) > 4 * MAX_NAME or text.startswith(_BEGUN)


def _decoded(text: str) -> bytes:
    compact = "".join(text.split()).translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
    try:
        return base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except binascii.Error as error:
        what = f"an image is {len(text):,} letters of text ({text[:40]!r}...)"
        raise BadRowError(f"{what}, which is neither a path nor base64: {error}") from error


def _beside(path: str, folder: Path | None) -> Path:
    """Return where an image is, which is in the folder and a regular file, or not there at all."""
    try:
        parts = [part.encode() for part in path.split("/")]
    except UnicodeEncodeError as error:
        raise BadRowError(f"the image path {path!r:.200} has half a character: rename the file") from error
    if "\0" in path or any(len(part) > MAX_NAME for part in parts):
        what = f"an image is {len(path):,} letters of text ({path[:40]!r}...), which is no path"
        raise BadRowError(f"{what}, nor an image in base64")
    if folder is None:
        return _in_the_cache(Path(path))
    if os.path.isabs(path) or os.path.normpath(path).split(os.sep)[0] == os.pardir:
        raise BadRowError(
            f"the image path {path!r:.200} leads out of {folder}: image paths are relative to the file and inside "
            "its folder, or to the folder that `pictures` names"
        )
    whole = folder / path
    real = _resolved(whole)
    if not any(real.is_relative_to(root) for root in _roots(os.path.abspath(folder))):
        raise BadRowError(
            f"the image {whole} is a link to {real}, out of {folder}: put the file there, or name its folder in "
            "pictures"
        )
    if not whole.exists() and (named := _with_ending(whole)) is not None:
        return _beside(str(named.relative_to(folder)), folder)
    return _regular(whole)


def _with_ending(path: Path) -> Path | None:
    """Return the image file that a path without its ending names, as ids do; None where there is none.

    Raises BadRowError where there are several.
    """
    found = [file for end in (*ENDS, *map(str.upper, ENDS)) if (file := path.parent / f"{path.name}{end}").exists()]
    if len(found) > 1 and not found[0].samefile(found[1]):
        raise BadRowError(f"the image path {path} names {found[0].name} and {found[1].name}: write which")
    return found[0] if found else None


def _regular(path: Path) -> Path:
    if path.exists() and not path.is_file():
        raise BadRowError(f"the image {path} is no regular file: put an image there, or correct the path")
    return path


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:
        raise BadRowError(f"the image {path} is a link that leads nowhere: {error}") from error


@lru_cache
def _roots(folder: str) -> tuple[Path, ...]:
    """Return the folders that files of a folder may be in: itself, and the blobs that snapshots of the hub link to."""
    real = Path(folder).resolve()
    parents = [real, *real.parents]
    return (real, *(one.parent.parent / "blobs" for one in parents if one.parent.name == "snapshots"))


def _in_the_cache(path: Path) -> Path:
    """Return where `datasets` put an image; a path in a row of the hub could be anybody's."""
    import datasets.config
    from huggingface_hub.constants import HF_HUB_CACHE

    roots = (datasets.config.HF_DATASETS_CACHE, datasets.config.DOWNLOADED_DATASETS_PATH, HF_HUB_CACHE)
    if not path.is_absolute() or not any(_resolved(path).is_relative_to(Path(root).resolve()) for root in roots):
        raise BadRowError(
            f"the image is the path {str(path)!r:.200}, and not among what came from the hub: get the set with its "
            "pictures, and say where in path"
        )
    return _regular(path)
