"""JSON and JSONL files of rows: what could be read in two ways is refused."""

import json
from pathlib import Path
from typing import Any, cast

from modomodo.core.errors import ModomodoError
from modomodo.core.files import not_utf8

PICTURES = (".jpg", ".jpeg", ".png", ".JPG", ".PNG")
WRAPPERS = ("data", "rows", "records", "examples", "instances", "samples", "items", "questions", "annotations")
"""What an object calls the one list in it that holds the rows."""

MAX_DEPTH = 64
MAX_DIGITS = 400

Placed = tuple[str, dict[str, Any]]
"""Where in its file a row is, and its columns."""


class RepeatedKeyError(ValueError):
    """A key that occurs twice in one object, of which any reader drops one."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r:.60} occurs twice in one object: rename or drop one")


def json_value(text: str) -> Any:
    """Return what a text of JSON says.

    Raises ValueError for what is no JSON, a key that occurs twice in one object, a number that no float holds, and
    lists or objects more than MAX_DEPTH deep.
    """
    try:
        record = json.loads(text, object_pairs_hook=_object, parse_float=_float, parse_int=_int)
    except RecursionError as error:
        raise ValueError(f"it is nested more than {MAX_DEPTH} deep") from error
    level: list[Any] = [record]
    for _ in range(MAX_DEPTH):
        level = [inner for one in level for inner in _inside(one)]
    if level:
        raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
    return record


def _inside(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else cast(Any, value) if isinstance(value, list) else ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RepeatedKeyError(twice)
    return found


def _float(text: str) -> float:
    value = float(text)
    if abs(value) == float("inf") or (value == 0 and text.lower().partition("e")[0].strip("-0.")):
        raise ValueError(f"the number {text:.40} would be read as {value:g}: write it in another unit")
    return value


def _int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number has {len(text):,} digits, over the cap of {MAX_DIGITS}: write it as a text")
    return int(text)


def jsonl_rows(file: Path) -> tuple[list[Placed], list[str]]:
    """Return the objects of a file with one a line, and what is wrong with the other lines."""
    rows: list[Placed] = []
    broken: list[str] = []
    for number, line in enumerate(_text(file).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json_value(line)
        except ValueError as error:
            broken.append(f"line {number}: {line[:40]!r}: {error}")
            continue
        if isinstance(row, dict):
            rows.append((f"line {number}", cast(dict[str, Any], row)))
        else:
            broken.append(f"line {number}: {line[:40]!r} is no object")
    return rows, broken


def json_rows(file: Path, *, alone: bool) -> tuple[list[Placed], list[str]]:
    """Return the rows of a JSON file, and what is wrong with the others; `alone`: the file is all of its source.

    Rows are the objects of its list; those of an object that maps ids to rows (the column `key`) or that holds the list
    (WRAPPERS); or the one object that describes the image beside the file, which becomes the column `image`. A list
    is read where the file is alone: beside others it is left open which of them are for the test.
    """
    beside = next((file.with_suffix(end) for end in PICTURES if file.with_suffix(end).is_file()), None)
    value = _json(file, old=beside is not None)
    if isinstance(value, dict):
        table = cast(dict[str, Any], value)
        rows = None if beside is not None else _rows_within(file, table)
        if rows is None and alone and beside is None:
            raise ModomodoError(f"{file} holds one object that is no set of rows: write a list of objects, one a row")
        if rows is None:
            return [("its object", {"image": beside and beside.name, "name": file.stem, **table})], []
    elif isinstance(value, list):
        rows = [(f"object {number}", row) for number, row in enumerate(cast(list[Any], value), start=1)]
    else:
        raise ModomodoError(f"{file} holds {json.dumps(value):.40}, where an object or a list of objects is needed")
    broken = [f"{place}: {json.dumps(row):.40} is no object" for place, row in rows if not isinstance(row, dict)]
    if not broken and not alone:
        raise ModomodoError(f"{file} holds a list, which is read when path names the file, not its folder")
    return rows, broken


def _rows_within(file: Path, table: dict[str, Any]) -> list[Placed] | None:
    """Return the rows that an object holds, None where it is a row itself.

    Raises ModomodoError where it holds several lists that could be them.
    """
    values = list(table.values())
    if len(values) > 1 and all(isinstance(one, dict) for one in values) and set.intersection(*map(set, values)):
        return [(f"entry {key!r:.60}", {"key": key, **row}) for key, row in table.items()]
    lists = [key for key, value in table.items() if _is_list_of_rows(value)]
    if lists and (len(lists) > 1 or lists[0] in WRAPPERS):
        if len(lists) > 1:
            raise ModomodoError(
                f"{file} holds an object with several lists of objects ({', '.join(map(repr, lists[:5]))}): write one "
                "list, with all of a row in its object"
            )
        rows = cast(list[dict[str, Any]], table[lists[0]])
        return [(f"{lists[0]}, object {number}", row) for number, row in enumerate(rows, start=1)]
    return None


def _is_list_of_rows(value: Any) -> bool:
    """Return whether a value is a list of several objects that are no turns of a chat."""
    rows = cast(list[Any], value) if isinstance(value, list) else []
    return len(rows) > 1 and all(isinstance(row, dict) and not {"role", "from"} & set(row) for row in rows)


def _json(file: Path, *, old: bool) -> Any:
    text = _text(file, old=old)
    try:
        return json_value(text)
    except ValueError as error:
        lines = "; if it holds one object a line, name it .jsonl" if "Extra data" in str(error) else ""
        raise ModomodoError(f"{file} is no JSON: {error}{lines}") from error


def _text(file: Path, *, old: bool = False) -> str:
    """Return the text of a file in UTF-8; `old`: one that has no letter in it may be cp1252, as some of LISA's are."""
    data = file.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if old and data.decode("utf-8", errors="ignore").isascii():
            return data.decode("cp1252", errors="replace")
        raise not_utf8(file, error) from error
