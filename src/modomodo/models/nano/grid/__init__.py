"""The grid of the embedded worlds: what GRPO made of many mixtures, several seeds each (its card: README.md beside)."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.simplex import Array
from modomodo.mixing.runs import Runs
from modomodo.mixing.strategies.base import Goal, require
from modomodo.mixing.strategies.grid import Grid, grid_of

if TYPE_CHECKING:
    from pandas import DataFrame  # pyright: ignore[reportMissingTypeStubs]

TABLE = Path(__file__).parent / "grid.parquet"
World = Literal["uneven", "control"]
# What a domain's rows last for in a run of 30 steps; a mixture that asks for more ends early.
CAPS = {"uneven": {"circuits": (0.0, 11 / 120)}, "control": {}}
OBJECTIVE, INSIDE = "out", "in"  # the benchmarks that choose, and the domains' own tests


def nano_grid(world: World = "uneven", *, step: int | None = None, without: str | None = None) -> Grid:
    """Return the runs of a world's grid with its goal: the mean of the four benchmarks, beside that of the domains.

    The goal's caps are what rows last for: strategies draw from the mixtures within, and recommend those alone.

    With `step` (10 or 20) the scores are those after so many steps; a run that ended before has its last ones. The
    domains' own tests were scored after the last step only, and are left out then. `without` leaves out a part of the
    grid, such as "around the best" (the card names them).

    Raises:
        ModomodoError: without pyarrow, for a part that the grid lacks, and for a step after which no run was scored.
    """
    table = nano_grid_table(world).query("steps > 0")
    if without is not None:
        parts = sorted(set(table["part"]))
        if without not in parts:
            raise ModomodoError(f"the grid has no part {without!r}; {closest(without, parts)}")
        table = table.query("part != @without")
    domains, benchmarks, tests = (_names(table, kind) for kind in ("w", "score", "in"))
    y_NB, inside_NB = _scores(table, benchmarks, step), _matrix(table, "in", tests)
    unknown_NB = np.full(inside_NB.shape, np.nan)
    runs = Runs(
        domains=domains,
        benchmarks=(*benchmarks, *(f"in.{name}" for name in tests)),
        X_ND=_matrix(table, "w", domains),
        # The domains' tests were scored after the last step, and would tell what is to come.
        y_NB=np.hstack([y_NB, inside_NB if step is None else unknown_NB]),
        se_NB=np.hstack([_matrix(table, "se", benchmarks), unknown_NB]),
        n_NB=np.full((len(table), len(benchmarks) + len(tests)), np.nan),
        seeds_N=tuple(int(seed) for seed in table["seed"]),
        steps_N=tuple(min(int(steps), step or int(steps)) for steps in table["steps"]),
        labels_N=tuple(str(run) for run in table["run"]),
        source=f"the grid of the {world} world",
    )
    outside = Goal(aggregates={OBJECTIVE: dict.fromkeys(benchmarks, 1.0)}, objective=OBJECTIVE, caps=CAPS[world])
    inside = {INSIDE: {f"in.{name}": 1.0 for name in tests}}
    both = replace(outside, aggregates={**outside.aggregates, **inside}, inside=INSIDE)
    return grid_of(runs, goal=both if step is None else outside)


def _scores(table: "DataFrame", benchmarks: tuple[str, ...], step: int | None) -> Array:
    last_NB = _matrix(table, "score", benchmarks)
    if step is None:
        return last_NB
    if f"score@{step}.{benchmarks[0]}" not in table:
        raise ModomodoError(f"no run of the grid was scored after step {step}: choose 10, 20, or None for the last")
    early_NB = _matrix(table, f"score@{step}", benchmarks)
    return np.where(np.isfinite(early_NB), early_NB, last_NB)


def nano_grid_table(world: World = "uneven") -> "DataFrame":
    """Return every column of a world's runs, the base model's (0 steps) among them; the card says what they hold.

    Raises:
        ModomodoError: without pyarrow, and without the table.
    """
    import pandas as pd

    if not TABLE.exists():
        raise ModomodoError(f"{TABLE} is not there: install modomodo again")
    require("pyarrow", extra="data", strategy="the table of the grid")
    table = pd.read_parquet(TABLE).query("world == @world")
    return table.dropna(axis="columns", how="all").reset_index(drop=True)


def _names(table: "DataFrame", kind: str) -> tuple[str, ...]:
    return tuple(name.removeprefix(f"{kind}.") for name in table.columns if name.startswith(f"{kind}."))


def _matrix(table: "DataFrame", kind: str, names: tuple[str, ...]) -> Array:
    return table[[f"{kind}.{name}" for name in names]].to_numpy(dtype=np.float64)
