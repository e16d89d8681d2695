"""Single values of columns: texts, and what a text writes as JSON or as Python does."""

import ast
import math
from typing import Any, cast

from modomodo.core.errors import ModomodoError
from modomodo.data.sources.json_rows import RepeatedKeyError, json_value
from modomodo.verifiers.number import number_text


class BadRowError(ModomodoError):
    """What is wrong with one record; all of a split are listed together."""


def plain(value: Any, column: str) -> str:
    """Return the text of a column; empty for None.

    Raises BadRowError for lists and tables.
    """
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise BadRowError(f"{column} is {value!r:.60}, not a text")
    if isinstance(value, float) and not math.isfinite(value):
        raise BadRowError(f"{column} is {value}, not a text: a missing one is null or empty")
    return number_text(value)


def written(text: str, kind: type[list[Any]] | type[dict[str, Any]]) -> Any:
    """Return the list or object that a text writes as JSON or as Python does; None where it writes none.

    Raises BadRowError for a key that occurs twice in one object.
    """
    text = text.strip()
    if (text[:1], text[-1:]) != (("[", "]") if kind is list else ("{", "}")):
        return None
    for read in (json_value, _python_value):
        try:
            found = read(text)
        except RepeatedKeyError as error:
            raise BadRowError(f"{text[:40]!r}...: {error}") from error
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        return cast(Any, found) if isinstance(found, kind) else None
    return None


def _python_value(text: str) -> Any:
    tree = ast.parse(text, mode="eval")
    for node in ast.walk(tree):
        names = [key.value for key in node.keys if isinstance(key, ast.Constant)] if isinstance(node, ast.Dict) else []
        if len(set(names)) < len(names):
            raise RepeatedKeyError(next(str(name) for name in names if names.count(name) > 1))
    return ast.literal_eval(tree)
