"""Files written whole or not at all, and read back with errors that say what to do."""

import csv
import fcntl
import json
import os
import re
import stat
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TextIO, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from modomodo.core.errors import ModomodoError

Value = TypeVar("Value")
REPAIR = "delete it and run its command again"
_FORMULA = re.compile(r"(^\s*|[;,\t|\"]\s*)(?='*[=+\-@])")
_GUARDED = re.compile(r"(^\s*|[;,\t|\"]\s*)'(?='*[=+\-@])")
LARGEST_JSON = 256 << 20  # bytes; the largest that models have, of their tokenizers, take 35 MB


def write_text(path: Path, text: str) -> None:
    """Write a file so that a kill or a full disk leaves the old one or none, never a part of one.

    Raises ModomodoError when it cannot be written.
    """
    if path.name == "" or (path.exists() and not path.is_file()):
        raise ModomodoError(f"cannot write {str(path)!r}: it isn't a regular file; name another")
    path = path.resolve()  # through a link, write the file it points to
    partial = path.with_name(path.name + ".partial")
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def csv_cell(text: str) -> str:
    """Return a text as a cell that no spreadsheet runs as a formula.

    An apostrophe goes before =, +, - and @ that begin the text, or a part of it in a spreadsheet that splits lines
    elsewhere. Numbers stay as they are. `from_csv_cell` gives the text back.
    """
    return text if _is_number(text) else _FORMULA.sub(r"\1'", text)


def from_csv_cell(cell: str) -> str:
    """Return the text that `csv_cell` made a cell of."""
    return _GUARDED.sub(r"\1", cell)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def check_apart(path: Path | None, *inputs: Path | None) -> None:
    """Raise ModomodoError when the output would overwrite an input."""
    if path is not None and path.resolve() in [one.resolve() for one in inputs if one is not None]:
        raise ModomodoError(f"--out {path} would overwrite the file it reads: name another")


def not_utf8(path: Path, error: UnicodeDecodeError) -> ModomodoError:
    """Return the error of a text file in another coding, with the line and the byte where it shows."""
    data = path.read_bytes()
    encoding = "UTF-16" if data[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else "not UTF-8"
    try:
        data.decode()
    except UnicodeDecodeError as whole:
        error = whole  # the first one may count from the piece that was read
    line = data.count(b"\n", 0, error.start) + 1
    return ModomodoError(f"{path} is {encoding} (line {line}: {error}): save it as UTF-8, which Excel calls CSV UTF-8")


def separator(file: TextIO) -> str:
    """Return what separates the columns of an open CSV file: , or ; (where commas are decimal) or a tab.

    A tab for `.tsv`, and whatever a first line `sep=;` says. Else what splits the header into the most columns and the
    next line into as many. Where nothing does, a comma, or what splits a header without one.
    """
    first = file.readline().rstrip("\r\n")
    fits = {mark: _fit(file, mark) for mark in ",;\t"}
    file.seek(0)
    if Path(file.name).suffix == ".tsv":
        return "\t"
    return first[-1] if is_separator_line(first) else max(fits, key=fits.__getitem__)


def is_separator_line(line: str) -> bool:
    """Return whether a line is the one in which Excel names its separator."""
    return re.fullmatch(r"sep=[,;\t]", line, re.IGNORECASE) is not None


def _fit(file: TextIO, mark: str) -> tuple[int, bool]:
    """Return the columns that a mark makes of the header, 0 when the next line has another count; and does it occur?"""
    file.seek(0)
    rows = [len(row) for row in islice(filter(any, csv.reader(file, delimiter=mark)), 2)] or [0]
    split = rows[0] > 1
    return rows[0] if split and rows[0] == rows[-1] else 0, split


@contextmanager
def explained(path: Path, *, to: str = "write") -> Generator[None]:
    """Turn an error of the disk into one that says which file and what to do."""
    try:
        yield
    except OSError as error:
        raise ModomodoError(
            f"cannot {to} {path}: {error.strerror or error}; free space, fix its permissions, "
            "or choose another place (--out, --set out=FOLDER for a study, --set prepared=FOLDER for data), then run "
            "the same command again"
        ) from error


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold a lock file, after waiting for any process that holds it; the kernel frees a dead process's lock."""
    with explained(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def write_json(path: Path, table: Mapping[str, object]) -> None:
    """Write a JSON file, as `write_text`."""
    write_text(path, json.dumps(table, indent=1) + "\n")


def value_of(kind: type[Value], data: object, *, where: object, repair: str = REPAIR) -> Value:
    """Return JSON values as a dataclass, its parts as well.

    Raises ModomodoError that names the file `where` it stands, the first wrong field, and how to `repair` that.
    """
    try:
        # As JSON and strict: a text that reads as a number is none.
        return TypeAdapter(kind).validate_json(json.dumps(data, allow_nan=False), strict=True)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(str(part) for part in wrong["loc"])
        raise ModomodoError(f"{where} is damaged ({place}: {wrong['msg']}): {repair}") from None
    except ValueError as error:
        raise ModomodoError(f"{where} is damaged ({error}): {repair}") from None


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file, None when there is no file.

    Raises ModomodoError when it is damaged.
    """
    try:
        return _object(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ModomodoError(f"{path} is damaged ({error}): {REPAIR}") from error


def foreign_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file that others wrote.

    Raises ModomodoError for what is no regular file, too large or no JSON object.
    """
    try:
        return _object(path)
    except (OSError, ValueError) as error:
        raise ModomodoError(f"{path} cannot be read as JSON ({error}): copy it again, or correct it") from error


def _object(path: Path) -> dict[str, Any]:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is no regular file")  # a pipe would be waited for
    if status.st_size > LARGEST_JSON:
        raise ValueError(f"it is larger than {LARGEST_JSON >> 20} MiB")
    try:
        table = json.loads(path.read_bytes())
    except RecursionError as error:
        raise ValueError("its values are nested too deeply") from error
    if not isinstance(table, dict):
        raise ValueError("not a JSON object")
    return cast(dict[str, Any], table)
