"""What a file or folder of somebody's own holds: its rows and splits, and which column is likely what."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from modomodo.domains.building import flat_pictures
from modomodo.domains.pictures import fit
from modomodo.domains.reading import Record, listed, read, split_names
from modomodo.domains.source import Source
from modomodo.errors import ModomodoError, closest
from modomodo.suggesting import Size

PICTURE = b""
"""Stands for the bytes of a picture in the columns that are kept."""

OPENED = 64  # rows whose first picture is opened to see its size
ENDS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
IDS = ("id", "uid", "qid", "pid", "question_id", "row_id", "sample_id", "image_id", "index")
QUESTIONS = ("question", "query", "prompt", "instruction", "problem", "text")
OPTIONS = ("options", "choices", "candidates", "alternatives")
ANSWERS = ("answer", "answers", "gold", "ground_truth", "solution", "label", "target", "bbox", "box", "boxes", "bboxes")
SPLITS = ("split", "fold", "partition", "subset")
TESTS = ("test", "validation", "valid", "val", "dev")


@dataclass(frozen=True)
class Table:
    """All rows to train on: `columns` is name -> a value for each row, PICTURE for bytes; `places` is where rows stand.

    `tested` is the number of rows of a split of their own for the test, None where there is none; `splits` and
    `split_column` say which, where a Source has to be told.
    """

    path: Path
    columns: Mapping[str, Sequence[Any]]
    places: Sequence[str]
    tested: int | None = None
    splits: Mapping[str, str] | None = None
    split_column: str | None = None


@dataclass(frozen=True)
class Roles:
    """Which column is what; `about` is one with words that a question can be made of, where there is no question."""

    answer: str
    images: tuple[str, ...]
    id: str | None
    question: str | None
    options: str | None
    about: str | None


def look(path: Path) -> Table:
    """Return what a JSONL, Parquet or CSV file, a folder of the first two or a folder of pictures holds.

    Raises ModomodoError when there is nothing to read, or nothing to train on.
    """
    if not path.exists():
        near = closest(path.name, [file.name for file in path.parent.glob("*")])
        raise ModomodoError(f"{path} does not exist; {near}")
    try:
        table = _table(path, Source(path=path), None)
        column = _split_column(table)
        return table if column is None else _table(path, _by_column(table, column), column)
    except ModomodoError as error:
        raise ModomodoError(
            f"{error}; init reads JSONL (one object a line), Parquet or CSV, a folder of JSONL or Parquet, or one of "
            "pictures with a metadata.jsonl (docs/data.md)"
        ) from error
    except OSError as error:
        raise ModomodoError(f"{path} cannot be read: {error.strerror or error}; set its permissions") from error


def _table(path: Path, source: Source, column: str | None) -> Table:
    names = split_names(source)
    if "train" not in names:
        raise ModomodoError(f"{path} has a test split and none to train on: put a file train.jsonl beside it")
    records = [(record.place, _kept(record)) for record in read(source, names["train"])]
    splits: dict[str, str] = source.splits
    if "test" not in names and path.is_dir() and names["train"] is not None:
        splits = next((named for one in TESTS if (named := _with_test(path, one))), splits)
        names |= splits
    tested = (
        sum(1 for _ in read(Source(path=path, splits=splits, split_column=column), names["test"]))
        if ("test" in names)
        else None
    )
    columns = {
        name: [row.get(name) for _, row in records] for name in dict.fromkeys(k for _, row in records for k in row)
    }
    return Table(path, columns, [place for place, _ in records], tested, splits or None, column)


def _with_test(path: Path, name: str) -> dict[str, str]:
    """Return the splits of a folder in which another file than test holds the test; none when it has no such file."""
    source = Source(path=path, splits={"train": "train", "test": name})
    try:
        return source.splits if next(read(source, name), None) is not None else {}
    except ModomodoError:
        return {}


def _kept(record: Record) -> dict[str, Any]:
    """Return a record's columns without the bytes of pictures, and without names that no TOML file can hold."""
    return {name: _without_bytes(value) for name, value in record.columns.items() if _is_name(name)}


def _is_name(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return name.strip() != ""


def _without_bytes(value: Any) -> Any:
    if isinstance(value, dict) and "bytes" in value:
        table = cast(dict[str, Any], value)
        return PICTURE if table["bytes"] is not None else table.get("path")
    if isinstance(value, list):
        return [_without_bytes(one) for one in cast(list[Any], value)]
    return PICTURE if isinstance(value, bytes) else cast(Any, value)


def _split_column(table: Table) -> str | None:
    """Return the column that says of each row whether it is of the training or of the test."""
    if table.tested is not None:
        return None
    for name in _named(table.columns, SPLITS):
        values = {value for value in table.columns[name] if isinstance(value, str)}
        if "train" in values and values & set(TESTS):
            return name
    return None


def _by_column(table: Table, column: str) -> Source:
    test = next(one for one in TESTS if one in table.columns[column])
    return Source(path=table.path, split_column=column, splits={"train": "train", "test": test})


def roles(table: Table) -> Roles:
    """Return which column is what, by names and values.

    Raises ModomodoError when none can be the answer.
    """
    columns = {name: values for name, values in table.columns.items() if name != table.split_column}
    images = [name for name, values in columns.items() if _pictorial(values)]
    if "image" in images and "file_name" in images and columns["image"] == columns["file_name"]:
        images.remove("file_name")  # the reader makes one of the other
    left = {name: values for name, values in columns.items() if name not in images and name != "file_name"}
    ids = _named(left, IDS)
    own_id = next((name for name in ids if _unique(left[name])), None)
    left = {name: values for name, values in left.items() if name not in ids}  # one that is not unique is no answer
    question = next((name for name in _named(left, QUESTIONS) if _worded(left[name])), None)
    left.pop(question or "", None)
    options = _options(left)
    left.pop(options or "", None)
    answer = _answer(left)
    if answer is None:
        raise ModomodoError(_no_answer(table, left, images, own_id, question))
    about = next((name for name, values in left.items() if name != answer and _worded(values)), None)
    return Roles(answer, tuple(images), own_id, question, options, about if question is None else None)


def _named(columns: Mapping[str, object], names: Sequence[str]) -> list[str]:
    """Return the columns that bear one of the names, in the order of the names, whatever their case."""
    lower = {name.lower(): name for name in reversed(list(columns))}
    return [lower[name] for name in names if name in lower]


def _pictorial(values: Sequence[Any]) -> bool:
    given = [value for value in values if value not in (None, "", [])]
    return bool(given) and all(_is_picture(value) for value in given)


def _is_picture(value: object) -> bool:
    if isinstance(value, list):
        return all(_is_picture(one) for one in cast(list[object], value))
    return value == PICTURE if isinstance(value, bytes) else isinstance(value, str) and value.lower().endswith(ENDS)


def _unique(values: Sequence[Any]) -> bool:
    usable = all(isinstance(one, str | int) and not isinstance(one, bool) and str(one).strip() for one in values)
    return usable and len({str(one).strip() for one in values}) == len(values)


def _worded(values: Sequence[Any]) -> bool:
    return any(values) and all(value is None or isinstance(value, str) for value in values)


def option_lists(values: Sequence[Any]) -> list[list[str] | None]:
    """Return the options of each row as texts, from lists or their JSON; None where a row has none."""
    return [_option_list(value) for value in values]


def _option_list(value: Any) -> list[str] | None:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, list) or not 2 <= len(cast(list[Any], value)) <= 26:
        return None
    texts = cast(list[Any], value)
    return [str(one) for one in texts] if all(isinstance(one, str | int | float) for one in texts) else None


def _options(left: Mapping[str, Sequence[Any]]) -> str | None:
    return next((name for name in _named(left, OPTIONS) if any(option_lists(left[name]))), None)


def _answer(left: Mapping[str, Sequence[Any]]) -> str | None:
    """Return the column of the answers: by its name, else the last one with numbers or lists, else the last.

    One that holds the same in every row is taken only where there is no other.
    """
    usable = {name: values for name, values in left.items() if _answers(values)}
    named = _named(usable, ANSWERS)
    varied = [name for name, values in usable.items() if any(value != values[0] for value in values)]
    exact = [name for name in varied if not _worded(usable[name])]
    return (*named, *reversed(exact), *reversed(varied), *reversed(list(usable)), None)[0]


def _answers(values: Sequence[Any]) -> bool:
    given = [value for value in values if value not in (None, "")]
    return bool(given) and all(isinstance(one, str | int | float | list) and not isinstance(one, bool) for one in given)


def _no_answer(
    table: Table, left: Mapping[str, Sequence[Any]], images: Sequence[str], own_id: str | None, question: str | None
) -> str:
    taken = {"pictures": ", ".join(images), "the id": own_id, "the question": question, "the split": table.split_column}
    found = [f"{name!r} is {what}" for what, name in taken.items() if name]
    found += [f"{name!r} holds {json.dumps(values[0], default=repr)[:40]}" for name, values in left.items()]
    return (
        f"{table.path}: no column can be an answer: {'; '.join(found) or 'there are no columns'}. Add a column "
        '"answer" with a number, a short text, a letter or a box for each row (yes and no for true and false)'
    )


def missing_pictures(table: Table, images: Sequence[str]) -> str | None:
    """Return how many pictures are not where their columns say, and which first; None when all are there."""
    bad: list[str] = []
    count = 0
    for place, folder, value in _paths(table, images):
        count += 1
        try:
            bad += [f"{place}: {path}" for path in flat_pictures(value, folder) if not Path(str(path)).is_file()]
        except ModomodoError as error:
            bad.append(f"{place}: {error}")
    if not bad:
        return None
    return (
        f"{table.path}: {len(bad)} of {count} pictures are not there:\n{listed(bad, most=5)}\n  paths in "
        f"{', '.join(map(repr, images))} are relative to the file that names them: put pictures there, or correct them"
    )


def _paths(table: Table, images: Sequence[str]) -> Iterator[tuple[str, Path, str]]:
    for name in images:
        for place, value in zip(table.places, table.columns[name], strict=True):
            folder = Path(place.rpartition(", ")[0]).parent
            for one in cast(list[Any], value) if isinstance(value, list) else [value]:
                if isinstance(one, str) and one:
                    yield place, folder, one


def sizes(table: Table, images: Sequence[str]) -> list[Size | None]:
    """Return [width, height], upright, of the first picture of each of the first rows; None where it cannot be read."""
    if not images:
        return []
    source = Source(path=table.path, splits=dict(table.splits or {}), split_column=table.split_column)
    found: list[Size | None] = []
    for record in read(source, split_names(source)["train"]):
        found.append(_size(record, images))
        if len(found) == OPENED:
            break
    return found


def _size(record: Record, images: Sequence[str]) -> Size | None:
    try:
        first = next((one for name in images for one in flat_pictures(record.columns.get(name), record.folder)), None)
        return None if first is None else fit(first, None).original
    except ModomodoError:
        return None  # check says what is wrong with it
