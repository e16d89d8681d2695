"""docs/fields.md lists every field of a recipe, a study and bare files, as the source has them.

python tests/test_fields.py    # writes the page again
"""

import ast
import inspect
import json
import re
import tokenize
from dataclasses import fields, is_dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from modomodo import Recipe, Study, View
from modomodo.config.sections import Cap, Confirming, Evaluation, Launcher, Lora, Rewards, Verl, Vllm
from modomodo.config.table_settings import Fitting, Grading, OnGrid, Reading, Replaying
from modomodo.data.sources.source import Source

PAGE = Path(__file__).parents[1] / "docs/fields.md"
TABLES: dict[str, type] = {
    "A recipe": Recipe,
    "[view]": View,
    "[rewards]": Rewards,
    "[evaluation]": Evaluation,
    "[lora]": Lora,
    "[vllm]": Vllm,
    "[verl]": Verl,
    "[data.NAME]": Source,
    "A study": Study,
    "[caps.DOMAIN]": Cap,
    "[confirm]": Confirming,
    "[launcher]": Launcher,
    "Reading a table of runs": Reading,
    "A table of runs": Fitting,
    "Comparing strategies": Replaying,
    "Comparing strategies on the grid": OnGrid,
    "Grading": Grading,
}
INTRODUCTION = """# Fields

Every key that a file may have. `--set KEY=VALUE` changes one for a single call. A dot leads into a table:
`--set evaluation.items=50`, `--set caps.meters.max=0.4`.

`train`, `eval` and `play` take a recipe's keys, even when you give them a study: `--set steps=200`. The other verbs
take the keys of the file you give them, so in a study the recipe's keys start with `recipe.`: `--set recipe.steps=200`.
An unknown key is refused, and the message names the closest known one.

`python tests/test_fields.py` writes this page from the source, and a test compares the two.
"""


def page() -> str:
    return "\n".join([INTRODUCTION, *(section(title, model) for title, model in TABLES.items())])


def section(title: str, model: type) -> str:
    """Return what the class says of itself, and a line for each field."""
    schema, notes = TypeAdapter(model).json_schema(), comments(model)
    inherited = set().union(*(set(base.model_fields) for base in model.__bases__ if issubclass(base, BaseModel)))
    rows = [
        f"| `{name}` | {values(one, schema)} | {default(model, name)} | {notes.get(name, '')} |"
        for name, one in schema["properties"].items()
        if name not in inherited
    ]
    about = inspect.cleandoc(model.__doc__ or "")
    parents = [name for name, other in TABLES.items() if other in model.__bases__]
    also = f"All keys of {parents[0][0].lower()}{parents[0][1:]}, and:\n" if parents else ""
    return "\n".join(
        [f"## {title}\n", f"{about}\n", also, "| key | values | default | |", "|---|---|---|---|", *rows, ""]
    )


def comments(model: type) -> dict[str, str]:
    """Return field -> the comment behind it in the source."""
    text = inspect.getsource(model)
    behind = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(StringIO(text).readline)
        if token.type == tokenize.COMMENT
    }
    (found,) = ast.parse(text).body
    assert isinstance(found, ast.ClassDef)
    lines = {one.target.id: one.end_lineno for one in found.body if isinstance(one, ast.AnnAssign)}
    return {name: behind[line].replace("|", "\\|") for name, line in lines.items() if line in behind}


def values(one: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return what a field takes, for a reader."""
    if "anyOf" in one:
        return " or ".join(values(part, schema) for part in one["anyOf"] if part.get("type") != "null")
    if "$ref" in one or one.get("type") == "object":
        return "table"
    if "enum" in one:
        return ", ".join(f"`{json.dumps(value)}`" for value in one["enum"])
    if one.get("type") == "array":
        inner = values(one["items"], schema) if "items" in one else "value"
        return f"list of {inner}s" if " " not in inner else f"list, each {inner}"
    words = {"string": "string", "integer": "whole number", "number": "number", "boolean": "`true`, `false`"}
    ends = {"minimum": "≥ ", "exclusiveMinimum": "> ", "maximum": "≤ ", "exclusiveMaximum": "< "}
    limits = ", ".join(f"{sign}{one[key]:.12g}" for key, sign in ends.items() if key in one)
    return f"{words[one['type']]}{f' {limits}' if limits else ''}"


def default(model: type, name: str) -> str:
    if is_dataclass(model):
        (value,) = [one.default for one in fields(model) if one.name == name]
        return "" if value is None else f"`{json.dumps(value)}`"
    field = model.model_fields[name]
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or isinstance(value, BaseModel) or is_dataclass(value) or value in ({}, ()):
        return ""
    return f"`{json.dumps(value if not isinstance(value, tuple) else list(value))}`"


def test_the_page_of_fields_is_that_of_the_source():
    assert PAGE.read_text() == page(), "run python tests/test_fields.py"


def test_every_table_of_a_recipe_or_a_study_stands_on_the_page():
    known = {model.__name__ for model in TABLES.values()} | {"Resize"}
    for model in TABLES.values():
        assert set(re.findall(r"\$defs/(\w+)", json.dumps(TypeAdapter(model).json_schema()))) <= known


if __name__ == "__main__":
    PAGE.write_text(page())
