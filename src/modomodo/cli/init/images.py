"""Images of a table: which columns hold them, in which folder they are, and how large they are."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from modomodo.cli.init.boxes import Size
from modomodo.cli.init.names import words
from modomodo.cli.init.table import OPTIONS, PICTURE, Table, is_picture_object
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import picture_bytes
from modomodo.data.sources.chats import pictures_in
from modomodo.data.sources.holdout import short_hash
from modomodo.data.sources.image_values import ENDS, KEYS, flat_pictures, is_base64, is_pictorial
from modomodo.data.sources.pictures import fit
from modomodo.data.sources.records import Record, listed, read, split_names
from modomodo.data.sources.values import BadRowError, written

OPENED = 64  # rows whose images are opened to see their sizes
FOLDERS = 2_000  # in which images are looked for that are not beside their file
LEVELS = 3
HALF = 0.5  # share of images from which a column that is called like one holds them
LONGEST = 255  # letters of a path in a column that is not called like one with images
SHOWN = frozenset(
    {"image", "img", "picture", "photo", "figure", "diagram", "chart", "graph", "media", "visual", "scene", "page"}
    | {"screenshot", "frame", "plot", "map"}
)
NUMBERED = SHOWN | {"id", "uid", "qid", "pid", "key", "name", "file", "filename", "fn", "path", "index", "idx", "stem"}
"""Words in names of columns in which numbers may be names of images; texts may be in any column."""
HIDDEN = frozenset(
    {"answer", "solution", "gt", "truth", "gold", "response", "output", "result", "edited", "annotated", "label"}
    | {"mask", "masks", "depth", "segmentation", "seg", "overlay", "heatmap", "attention", "labelled"}
)
"""Words in names of images that give the answer away, or are made of the others."""
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://|data:", re.IGNORECASE)


@dataclass(frozen=True)
class Images:
    """The columns with images, the folder that their paths are seen from where it is not the file's, and their sizes.

    `sizes` are [width, height], upright, of the first image of each of the first rows, None where it cannot be read.
    `left` says of the other columns that hold images why they are not shown.
    """

    columns: tuple[str, ...] = ()
    folder: Path | None = None
    sizes: tuple[Size | None, ...] = ()
    left: tuple[str, ...] = ()


def find_images(table: Table, columns: Mapping[str, Sequence[Any]]) -> Images:
    """Return what is known of the images in these columns of a table.

    Raises ModomodoError when images are not where the paths say.
    """
    names = _in_order([name for name, values in columns.items() if _holds_pictures(table, name, values)])
    names = [name for name in names if not any(name.startswith(f"{other}.") for other in names)]
    if "image" in names and "file_name" in names and columns["image"] == columns["file_name"]:
        names.remove("file_name")  # the reader makes one of the other
    pictured = [name for name in names if name.lower() in OPTIONS]
    if pictured:
        raise ModomodoError(
            f"{table.path}: the options in {pictured[0]!r} are images, and options are shown as texts: put them into "
            "the column of the images, and name them in the question, <image 1>, <image 2>"
        )
    told: list[str] = []
    if not names:
        names = _named_files(table, columns)
        if not names:
            return Images(left=_images_beside(table))
        told = [f"{names[0]!r} names an image in every row, which is shown: may it be?"]
    names, hidden = [name for name in names if not words(name) & HIDDEN] or names, names
    hidden = [f"{name!r} may show the answer, by its name, and is not shown" for name in hidden if name not in names]
    missing = {name: text for name in names if (text := _missing(table, [name], None)) is not None}
    there = [name for name in names if name not in missing]
    left = [f"{name!r} names images that are not there, where {there[0]!r} has them" for name in missing if there]
    folder = _folder(table, names) if missing and not there else None
    names = there or names
    names, copies = _different(table, names, folder)
    return Images(tuple(names), folder, tuple(_sizes(table, names, folder)), (*left, *copies, *hidden, *told))


def _in_order(names: list[str]) -> list[str]:
    """Return names in the order of the file, but image_2 after image_1."""
    stems = [re.sub(r"\d+", "#", name) for name in names]
    numbers = [[int(one) for one in re.findall(r"\d+", name)] for name in names]
    order = sorted(range(len(names)), key=lambda k: (stems.index(stems[k]), numbers[k]))
    return [names[k] for k in order]


def _holds_pictures(table: Table, name: str, values: Sequence[Any]) -> bool:
    given = [(row, value) for row, value in zip(table.rows, values, strict=True) if value not in (None, "", [])]
    if not given:
        return False
    like = is_pictorial(name)
    found = sum(_is_picture(value, like) or (like and _is_file(row, value)) for row, value in given)
    return found == len(given) or (like and found >= HALF * len(given))


def _is_picture(value: object, like: bool) -> bool:
    """Return whether a value is one image or more; `like`: the column is called so, and any address is one."""
    if isinstance(value, bytes):
        return value == PICTURE
    if isinstance(value, str):
        several = written(value, list)
        if several:
            return _is_picture(several, like)
        path = value.strip().partition("?")[0].lower()
        addressed = _ADDRESS.match(value.strip()) is not None and (like or value.startswith("data:image"))
        return (path.endswith(ENDS) and "\n" not in path) or addressed or is_base64(value)
    if isinstance(value, list):
        try:
            held = pictures_in(value)
        except BadRowError:
            return False
        several = cast(list[object], value) if held is None else held
        return bool(several) and all(_is_picture(one, like) for one in several)
    if not is_picture_object(value):
        return False
    inner = (one for key, one in cast(Mapping[str, object], value).items() if key in KEYS and one not in (None, ""))
    return any(_is_picture(one, True) or isinstance(one, str) for one in inner)


def _is_file(row: Record, value: object) -> bool:
    """Return whether a value names files beside the table, whatever their names end with."""
    try:
        paths = list(flat_pictures(value, row.folder))
    except ModomodoError:
        return False
    return bool(paths) and all(isinstance(path, Path) and path.is_file() for path in paths)


def _values(record: Record, name: str) -> Any:
    """Return the images that a column writes: those in the parts of a chat, else the value."""
    value = record.get(name)
    held = pictures_in(value)
    return value if held is None else held


def _named_files(table: Table, columns: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return the column that names an image file in every row, whatever it is called, such as the id of the image."""
    likely = [name for name, values in columns.items() if _may_name_files(name, values)]
    likely.sort(key=lambda name: not words(name) & SHOWN)
    home = _home(table)
    near = list(_near(home)) if likely else []
    inside = [folder for folder in near if folder.is_relative_to(home)]
    for name in likely:
        # Numbers of rows are names of files in many a folder.
        for folder in (None, *(near if words(name) & SHOWN else inside)):
            if _has_first(table, [name], folder) and _missing(table, [name], folder) is None:
                return [name]
    return []


def _may_name_files(name: str, values: Sequence[Any]) -> bool:
    given = [value for value in values if value not in (None, "")]
    texts = [str(value) for value in given if isinstance(value, str | int) and not isinstance(value, bool)]
    if not texts or len(texts) < len(given) or len(given) < HALF * len(values):
        return False
    numbers = all(text.isdecimal() for text in texts)
    return all(len(text) <= LONGEST and "\n" not in text for text in texts) and (
        not numbers or bool(words(name) & NUMBERED)
    )


def _images_beside(table: Table) -> tuple[str, ...]:
    """Return a word on images near a table of which no row names one."""
    home = _home(table)
    for folder in (home, *(one for one in _near(home) if one.is_relative_to(home))):
        names = [file.name for file in folder.iterdir() if file.suffix.lower() in ENDS]
        if names:
            return (
                f"no row has an image, and there are images in {folder}, such as {min(names)}: if rows are about them, "
                "give each row a column image with the path of its own",
            )
    return ()


def _home(table: Table) -> Path:
    home = Path(os.path.abspath(table.path))
    return home if home.is_dir() else home.parent


def _missing(table: Table, names: Sequence[str], folder: Path | None) -> str | None:
    """Return how many images are not where their columns say, and which first; None when all are there."""
    bad: list[str] = []
    count = 0
    for row in table.rows:
        for name in names:
            try:
                paths = [one for one in flat_pictures(_values(row, name), folder or row.folder) if one != PICTURE]
                count += len(paths)
                bad += [f"{row.place}: {path}" for path in paths if isinstance(path, Path) and not path.is_file()]
            except ModomodoError as error:
                count += 1
                bad.append(f"{row.place}: {error}")
    if not bad:
        return None
    return (
        f"{table.path}: {len(bad)} of {count} images are not there:\n{listed(bad, most=5)}\n  paths in "
        f"{', '.join(map(repr, names))} are relative to the file that names them: put images there, or correct them"
    )


def _folder(table: Table, names: Sequence[str]) -> Path:
    """Return the one folder near the table that all its images are in.

    Raises ModomodoError when there is none, or more.
    """
    folders = [folder for folder in _near(_home(table)) if _has_first(table, names, folder)]
    folders = [folder for folder in folders if _missing(table, names, folder) is None]
    folders = [folder for folder in folders if folder.is_relative_to(_home(table))] or folders
    reason = _missing(table, names, None)
    if not folders:
        raise ModomodoError(f'{reason}; of another folder, write a recipe with pictures = "FOLDER" (docs/data.md)')
    if len(folders) > 1:
        raise ModomodoError(f"{reason}; they are in each of {', '.join(map(str, folders[:5]))}: leave one of them")
    return folders[0]


def _near(home: Path) -> Iterator[Path]:
    """Yield the folders in a folder and beside it, the first FOLDERS, a few levels down, not hidden ones."""
    count = 0
    for top in (home, home.parent):
        for path, folders, _ in os.walk(top):
            deep = len(Path(path).relative_to(top).parts)
            folders[:] = sorted(one for one in folders if not one.startswith(".") and deep < LEVELS)
            if top != home:
                folders[:] = [one for one in folders if Path(path) / one != home]
            count += 1
            if count > FOLDERS:
                return
            if Path(path) not in (home, home.parent):
                yield Path(path)


def _has_first(table: Table, names: Sequence[str], folder: Path | None) -> bool:
    """Return whether the first images that rows name are in a folder, that of the row's file by default."""
    for row in table.rows:
        try:
            paths = [
                one
                for name in names
                for one in flat_pictures(_values(row, name), folder or row.folder)
                if one != PICTURE
            ]
        except ModomodoError:
            return False
        if paths:
            return all(isinstance(path, Path) and path.is_file() for path in paths)
    return False


def _records(table: Table) -> Iterator[Record]:
    """Yield the first records of a table, with their images."""
    source = table.source()
    for number, record in enumerate(read(source, split_names(source)["train"])):
        if number == OPENED:
            return
        yield record


def _different(table: Table, names: list[str], folder: Path | None) -> tuple[list[str], list[str]]:
    """Return the columns less those that hold the images of an earlier one, and what these are."""
    if len(names) < 2:
        return names, []
    contents: dict[str, list[bytes]] = {name: [] for name in names}
    for record in _records(table):
        for name in names:
            try:
                shown = list(flat_pictures(_values(record, name), folder or record.folder))
                contents[name].append(short_hash(b"".join(map(picture_bytes, shown))))
            except (ModomodoError, OSError):
                contents[name].append(name.encode())
    first = {name: next(other for other in names if contents[other] == contents[name]) for name in names}
    copies = [f"{name!r} holds the images of {other!r} again" for name, other in first.items() if name != other]
    return [name for name in names if first[name] == name], copies


def _sizes(table: Table, names: Sequence[str], folder: Path | None) -> Iterator[Size | None]:
    for record in _records(table) if names else ():
        try:
            shown = (one for name in names for one in flat_pictures(_values(record, name), folder or record.folder))
            first = next(shown, None)
            yield None if first is None else fit(first, None).original
        except ModomodoError:
            yield None  # check says what is wrong with it
