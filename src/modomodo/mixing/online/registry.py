"""The rules by name: RULES, and the entry-point group "modomodo.rules" for packages of others."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_type_hints

from pydantic import TypeAdapter, ValidationError

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.plugins import load_plugin, plugin_names
from modomodo.core.toml_errors import described
from modomodo.mixing.online.base import Rule
from modomodo.mixing.online.ours import ours
from modomodo.mixing.online.rules import dump, mt_grpo, sec, solved

RULES: dict[str, Rule] = {"dump": dump, "sec": sec, "mt-grpo": mt_grpo, "solved": solved, "ours": ours}

GROUP = "modomodo.rules"
OF_ALL = ("rule", "start", "block", "caps")  # keys that a recipe's table has for every rule


def is_rule(name: str) -> bool:
    """Return whether a rule has this name."""
    return name in RULES or name in plugin_names(GROUP)


def find_rule(name: str) -> Rule:
    """Return the rule of that name: a built-in one or an installed package's.

    Raises ModomodoError with the closest known names.
    """
    if name in RULES:
        return RULES[name]
    if name not in plugin_names(GROUP):
        raise ModomodoError(f"unknown rule {name!r}; {closest(name, [*RULES, *plugin_names(GROUP)])}")
    loaded = load_plugin(GROUP, name)
    if not callable(loaded):
        raise ModomodoError(f"the entry point {name!r} of {GROUP} is a {type(loaded).__name__}, not a function")
    return cast(Rule, loaded)


def settings_of(rule: Rule, name: str, given: Mapping[str, object]) -> dict[str, object]:
    """Return all settings of a rule: those given, checked by the types of its arguments, and the others' defaults.

    Raises ModomodoError for an unknown setting, for one that is missing, and for a value of another type.
    """
    types = get_type_hints(rule, include_extras=True)
    known = [one for one in inspect.signature(rule).parameters.values() if one.kind is one.KEYWORD_ONLY]
    names = [one.name for one in known]
    for key in given:
        if key not in names:
            raise ModomodoError(f"the rule {name!r} has no setting {key!r}; {closest(key, [*names, *OF_ALL])}")
    settings: dict[str, object] = {}
    for one in known:
        if one.name not in given and one.default is one.empty:
            raise ModomodoError(f"the rule {name!r} needs {one.name}: add it, {described(types[one.name])}")
        settings[one.name] = _checked(name, one.name, types.get(one.name, Any), given.get(one.name, one.default))
    return settings


def _checked(rule: str, name: str, form: Any, value: object) -> object:
    try:
        return TypeAdapter(form).validate_python(value)
    except ValidationError as error:
        raise ModomodoError(f"the rule {rule!r}: {name} is {value!r}; write {described(form)}") from error


def files_of(settings: Mapping[str, object]) -> dict[str, Path]:
    """Return the settings that are files, by name: what they hold decides the weights, not where they lie."""
    return {name: value for name, value in settings.items() if isinstance(value, Path)}
