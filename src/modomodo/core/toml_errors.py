"""What pydantic finds wrong with a table, in words for somebody who wrote the table and doesn't know pydantic."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from modomodo.core.errors import closest

OURS = ("value_error", "assertion_error")  # their messages are written by hand
UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
SHOWN = 6  # keys of a table, at most
WORDS = {str: "a string", int: "a whole number", float: "a number", bool: "true or false", Path: "a path in quotes"}
LIMITS = {"ge": "{:.12g} or more", "gt": "greater than {:.12g}", "le": "at most {:.12g}", "lt": "less than {:.12g}"}


@dataclass(frozen=True)
class Wrong:
    """One thing wrong with a table: where, what may stand there, and pydantic's own type, message and input."""

    place: tuple[str, ...]
    form: Any
    type: str
    message: str
    input: Any


def wrongs(kind: type, error: ValidationError) -> list[Wrong]:
    """Return what is wrong with a table that should be a `kind`: once for each place, whatever forms it may have."""
    found: dict[tuple[str, ...], list[Wrong]] = {}
    for problem in error.errors():
        place, form, fork = _walk(kind, problem["loc"])
        wrong = Wrong(place, form, problem["type"], str(problem["msg"]), problem["input"])
        if fork is None:
            found.setdefault((*place, "", str(len(found))), []).append(wrong)
            continue
        # One of several forms: what is wrong further in is of the form that was meant.
        base = Wrong(place[: fork[0]], fork[1], "several_forms", wrong.message, wrong.input)
        found.setdefault(base.place, []).append(wrong if len(place) > fork[0] else base)
    return [one for group in found.values() for one in _deepest(group)]


def _deepest(group: Sequence[Wrong]) -> list[Wrong]:
    depth = max(len(one.place) for one in group)
    deep = [one for one in group if len(one.place) == depth]
    return deep[:1] if deep[0].type == "several_forms" else deep


def explain(kind: type, wrong: Wrong, shown: str) -> str:
    """Return a line on what is wrong; `shown` is its place as the file calls it."""
    if wrong.type in UNKNOWN:
        return f"unknown key {shown!r}; {_known(kind, wrong.place)}"
    if wrong.type == "missing":
        return f"{shown!r} is missing: add it"
    ours = wrong.type in OURS or not shown
    what = wrong.message.removeprefix("Value error, ") if ours else _asked(wrong, shown)
    found = f" (found {wrong.input!r:.200})" if shown and not (ours and isinstance(wrong.input, dict)) else ""
    return f"{shown + ': ' if shown else ''}{what}{found}"


def _known(kind: type, place: tuple[str, ...]) -> str:
    """Return the closest names beside an unknown key, or the table inside that has one of the name."""
    *outer, name = place
    fields = _fields(_walk(kind, outer)[1])
    inside = [f"{table}.{name}" for table, form in fields.items() if name in _fields(form)]
    return f"did you mean {inside[0]}?" if inside else closest(name, fields)


def _asked(wrong: Wrong, shown: str) -> str:
    """Return what to write at a place."""
    value = json.dumps(wrong.input, default=str)
    such = [f"{shown}.{key}={value}" for key, form in _fields(wrong.form).items() if _takes(form, wrong.input)]
    such += [f"{shown}=[{value}]"] if isinstance(wrong.input, str) and _takes(wrong.form, [wrong.input]) else []
    return f"write {described(wrong.form)}{', such as ' if such else ''}{' or '.join(such[:2])}"


def _takes(form: Any, value: object) -> bool:
    try:
        TypeAdapter(form).validate_python(value)
    except ValidationError:
        return False
    return not isinstance(value, bool)


def described(form: Any) -> str:
    """Return what an annotation stands for, as "a whole number, 1 or more"."""
    forms = _forms(form)
    if len(forms) > 1:
        return ", or ".join(map(described, forms))
    bare, marks = _bare(forms[0])
    arguments = get_args(bare)
    if get_origin(bare) is Literal:
        return " or ".join(json.dumps(one) for one in arguments)
    if get_origin(bare) is dict:
        return f"a table with {described(arguments[1])} for each name"
    if get_origin(bare) in (tuple, list):
        return _list(arguments, marks)
    if fields := _fields(bare):
        more = ", ..." if len(fields) > SHOWN else ""
        return f"a table with the keys {', '.join(list(fields)[:SHOWN])}{more}"
    limits = [words.format(value) for name, words in LIMITS.items() if (value := _mark(marks, name)) is not None]
    pattern = _mark(marks, "pattern")
    fitting = f" that fits {pattern}" if pattern else ""
    return ", ".join([f"{WORDS.get(bare, str(bare))}{fitting}", *limits])


def _list(arguments: Sequence[Any], marks: Sequence[Any]) -> str:
    if len(arguments) > 1 and arguments[1] is not Ellipsis:
        return f"a list of {len(arguments)}, each {described(arguments[0])}"
    least = _mark(marks, "min_length")
    return f"a list, each {described(arguments[0])}{f'; at least {least}' if least else ''}"


def _mark(marks: Sequence[Any], name: str) -> Any:
    inside = [*marks, *(one for mark in marks for one in getattr(mark, "metadata", ()))]
    return next((value for mark in inside if (value := getattr(mark, name, None)) is not None), None)


def _walk(kind: Any, loc: Sequence[str | int]) -> tuple[tuple[str, ...], Any, tuple[int, Any] | None]:
    """Return a place without pydantic's names of forms, what may stand there, and the depth and forms of a fork."""
    place: list[str] = []
    form, fork = kind, None
    for part in loc:
        forms = _forms(form)
        if len(forms) > 1:
            fork = fork or (len(place), form)
            form = next((one for one in forms if str(part).startswith(_tag(one))), forms[-1])
            continue
        place.append(str(part))
        form = _inside(_bare(forms[0])[0], str(part))
    return tuple(place), form, fork


def _inside(bare: Any, part: str) -> Any:
    """Return what may stand in a table or list, under a key or a number."""
    fields = _fields(bare)
    if fields:
        return fields.get(part)
    arguments = get_args(bare)
    return arguments[-1 if get_origin(bare) is dict else 0] if arguments else None


def _tag(form: Any) -> str:
    """Return how pydantic's name of a form begins."""
    bare = _bare(form)[0]
    origin = get_origin(bare)
    return "literal" if origin is Literal else getattr(origin or bare, "__name__", "")


def _forms(form: Any) -> list[Any]:
    """Return the forms that a value may have, None left out."""
    bare, marks = _bare(form)
    if get_origin(bare) not in (Union, UnionType):
        return [form]
    given = [one for one in get_args(bare) if one is not NoneType]
    return [Annotated[one, *marks] for one in given] if marks else given


def _bare(form: Any) -> tuple[Any, list[Any]]:
    """Return an annotation without the limits that stand with it, and these."""
    if get_origin(form) is not Annotated:
        return form, []
    bare, *marks = get_args(form)
    return bare, marks


def _fields(form: Any) -> dict[str, Any]:
    """Return name -> annotation of the fields of a table of ours; none where it is none."""
    forms = _forms(form)
    bare: Any = _bare(forms[0])[0]
    if len(forms) > 1:
        return {}
    if hasattr(bare, "model_fields"):
        return {name: field.rebuild_annotation() for name, field in bare.model_fields.items()}
    return get_type_hints(bare, include_extras=True) if is_dataclass(bare) else {}
