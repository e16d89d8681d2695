"""Strict tables: TOML and `--set key=value` read into frozen pydantic models, with errors in the words of a user."""

import json
import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.toml_errors import explain, wrongs

LARGEST = 1 << 24  # characters of a file
WHOLE = "those of TOML have 64 bits"
Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    """Frozen; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


Config = TypeVar("Config", bound=Strict)


def parse(
    kind: type[Config],
    table: Mapping[str, Any],
    *,
    where: str,
    sets: Sequence[str] = (),
    parts: Mapping[str, str] | None = None,
) -> Config:
    """Return `table` as a `kind`, with errors in the words of a user.

    `where` is the file, `parts` those of tables that stand in files of their own, `sets` the changes made to them: each
    error begins with the one that it comes from.
    """
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        lines: list[str] = []
        for wrong in wrongs(kind, error):
            place = ".".join(wrong.place)
            first, _, rest = place.partition(".")
            file = (parts or {}).get(first, where)
            origin = _origin(place, file, sets)
            shown = rest if origin == file != where else place  # as the file of its own calls it
            lines.append(f"{origin}: {explain(kind, wrong, shown)}")
        raise ModomodoError("\n".join(lines)) from error


def _origin(place: str, file: str, sets: Sequence[str]) -> str:
    """Return what an error at a place comes from: a change, or the file with the changes that may have part in it."""
    keys = {item: item.partition("=")[0] for item in sets}
    exact = [item for item, key in keys.items() if f"{place}.".startswith(f"{key}.")]
    inside = [item for item, key in keys.items() if not place or key.startswith(f"{place}.")]
    if exact:
        return f"--set {exact[-1]}"
    return f"{file} with {', '.join(f'--set {item}' for item in inside)}" if inside else file


def read_toml(path: Path) -> dict[str, Any]:
    """Return the table of a TOML file.

    Raises ModomodoError with the closest file name where there is none.
    """
    text = ""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LARGEST + 1)
        return _table(text)
    except FileNotFoundError as error:
        near = closest(path.name, [file.name for file in path.parent.glob("*.toml")])
        raise ModomodoError(f"{path} does not exist; {near}") from error
    except (ValueError, OSError) as error:
        raise ModomodoError(f"{path} cannot be read as TOML: {error}{_toml_help(path, text, error)}") from error


def _table(text: str) -> dict[str, Any]:
    """Return the table of a text in TOML.

    Raises ValueError for what is no TOML, or holds what no file name and no number here can be.
    """
    if len(text) > LARGEST:
        raise ValueError(f"it has over {LARGEST:,} characters")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError as error:
        raise ValueError("its values are nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"a whole number has thousands of digits; {WHOLE}") from error
    _check_values(table, "")
    return table


def _check_values(value: object, place: str) -> None:
    """Raise ValueError for NUL in a text or key, and for whole numbers longer than those of TOML."""
    where = f"{place}: " if place else ""
    if isinstance(value, Mapping):
        for key, inner in cast(Mapping[str, object], value).items():
            _check_values(key, place)
            _check_values(inner, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for inner in cast(list[object], value):
            _check_values(inner, place)
    elif isinstance(value, str) and "\0" in value:
        raise ValueError(f"{where}a text or key holds the character NUL: take it out")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(f"{where}a whole number is too long; {WHOLE}")


def _toml_help(path: Path, text: str, error: Exception) -> str:
    """Return the line that is no TOML and what to do, as far as they are known."""
    if path.exists() and path.suffix.lower() != ".toml":
        return (
            f"; this needs a recipe or a study, which are TOML files. For rows of your own, `modomodo init "
            f"{shlex.quote(str(path))}` writes both. A CSV of runs goes to fit, recommend, next or strategies, a JSONL "
            "of completions to grade"
        )
    place = re.search(r"at line (\d+)", str(error))
    if place is None:
        return ""
    line = text.split("\n")[int(place[1]) - 1].strip()
    return f": {line!r:.100}; write key = value, with strings in quotes"


def with_changes(table: Mapping[str, Any], sets: Sequence[str]) -> dict[str, Any]:
    """Return a copy of `table` with dotted keys set; a value is TOML where it parses, and a plain string otherwise."""
    changed = deepcopy(dict(table))
    for item in sets:
        key, equals, text = item.partition("=")
        if not equals or not key:
            raise ModomodoError(f"--set {item!r}: write key=value, for example --set steps=30")
        try:
            found = _table(f"value = {text}")
        except tomllib.TOMLDecodeError:
            found = {}
        except ValueError as error:
            raise ModomodoError(f"--set {key}: {str(error).removeprefix('value: ')}") from error
        value = found["value"] if list(found) == ["value"] else text
        *parents, last = key.split(".")
        place = changed
        for parent in parents:
            inner = place.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise ModomodoError(f"--set {item!r}: {parent} is a value, not a table")
            place = cast(dict[str, Any], inner)
        place[last] = value
    return changed


def dotted_keys(kind: type[Strict]) -> list[str]:
    """Return every key that `--set` takes of a table, those of the tables in it with dots."""
    found: list[str] = []
    for name, field in kind.model_fields.items():
        inner = _table_kind(field.annotation)
        named = "dict" in str(field.annotation)  # its entries have names of the user's
        whole = [name] if named or not hasattr(inner, "model_fields") else dotted_keys(inner)
        found += whole if whole == [name] else [f"{name}.{one}" for one in whole]
    return found


def toml_key(key: str) -> str:
    """Return a key as TOML writes it, in quotes where it must be."""
    return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else _toml_string(key)


def toml_value(value: object) -> str:
    """Return a text, number, flag, list or inline table as TOML writes it, on one line."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(one) for one in cast(Sequence[object], value))}]"
    if isinstance(value, Mapping):
        inner = (f"{toml_key(key)} = {toml_value(one)}" for key, one in cast(Mapping[str, object], value).items())
        return f"{{ {', '.join(inner)} }}"
    return _toml_string(value) if isinstance(value, str) else json.dumps(value)


def _toml_string(text: str) -> str:
    # JSON's strings are TOML's, but for one character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _table_kind(annotation: Any) -> Any:
    """Return the class of the tables in an annotation such as `Lora | None` or `dict[str, Cap]`."""
    kinds: tuple[Any, ...] = (annotation, *get_args(annotation))
    return next(
        (kind for kind in kinds if hasattr(kind, "model_fields") or hasattr(kind, "__dataclass_fields__")), None
    )
