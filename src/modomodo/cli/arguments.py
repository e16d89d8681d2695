"""What comes after a verb: files, choices, and `--set` with the keys that a shell may offer for it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from modomodo.config.open import is_table
from modomodo.config.recipe import Recipe
from modomodo.config.study import Study
from modomodo.config.table_settings import Fitting, Grading, Replaying
from modomodo.config.toml_files import OF_ONE_RUN, read_file
from modomodo.core.errors import ModomodoError
from modomodo.core.toml import Strict, dotted_keys

OF_RECIPES = ("train", "eval", "play")  # verbs that take a study's recipe alone


def complete_key(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the keys that `--set` takes of the file on the command line, for the shell's completion."""
    file = Path(ctx.params.get("file") or next(iter(ctx.args), "."))  # before a command is whole, its words are args
    kind = {"grade": Grading, "strategies": Replaying}.get(str(ctx.info_name)) or _kind(file, str(ctx.info_name))
    decided = tuple(f"recipe.{name}" for name in OF_ONE_RUN) if kind is Study else ()
    return [f"{key}=" for key in dotted_keys(kind) if key.startswith(incomplete) and not key.startswith(decided)]


def _kind(file: Path, verb: str) -> type[Strict]:
    if is_table(file):
        return Fitting
    if verb in OF_RECIPES or not file.is_file():  # reading a pipe would hang the shell
        return Recipe
    try:
        return Study if read_file(file).is_study else Recipe
    except ModomodoError:
        return Recipe  # the verb says what is wrong with the file


File = Annotated[Path, typer.Argument(help="a TOML file: a study, or a recipe (one run)", show_default=False)]
StudyFile = Annotated[Path, typer.Argument(help="a study's TOML file", show_default=False)]
Most = Annotated[
    int | None,
    typer.Option(
        min=2, help="add pilots until the answer is clear, at most this many in all (extra gp)", show_default=False
    ),
]
Runs = Annotated[Path, typer.Argument(help="a study's TOML file, or a CSV of runs", show_default=False)]
Metrics = Annotated[
    Path | None,
    typer.Argument(
        help="a CSV of scores, where the table of runs has the mixtures alone; joined by run", show_default=False
    ),
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="change a key; repeat for more", autocompletion=complete_key),
]

Listed = Annotated[
    Path | None,
    typer.Option(metavar="LIST.csv", help="find training rows that also appear in a benchmark, and list them here"),
]
Audit = Annotated[bool, typer.Option("--audit", help="measure what each set would pay for; takes a file of rows too")]


class World(StrEnum):
    """The embedded worlds that the demo runs in."""

    uneven = "uneven"
    control = "control"


DemoWorld = Annotated[
    World, typer.Option(help="uneven: the mixture matters; control: no mixture found beats equal shares")
]


class Embedded(StrEnum):
    """The embedded models."""

    nano = "nano"
    nano_2 = "nano-2"
