"""Mixtures that strategies recommend from one draw of 16 pilots, trained at fresh matched seeds (docs/experiment.md).

    python benchmarks/confirmed.py choose uneven  # the mixtures of a world, before any of them is trained
    python benchmarks/confirmed.py run uneven     # 10 runs of 30 steps and as many of 60 for each of 12 seeds
    python benchmarks/confirmed.py run control
    python benchmarks/confirmed.py table          # from benchmarks/results/confirmed.csv, in a second

Runs go to studies/confirmed; killed and started again, `run` goes on, and the table has what is finished. A seed that
is in the table is not run again.
"""

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import typer
from experiment import AROUND
from paired import Array, Gain, gain, head, interval, names_in, put, scores, seeds_differ, where

from modomodo import Mixture, Study, load_study
from modomodo.core import child_seed, write_text
from modomodo.mixing import holm
from modomodo.mixing.strategies import STRATEGIES, drawn_places, seed_set_places
from modomodo.models.nano.grid import World
from modomodo.runs import PlannedRun, Store, launch, run_digests
from modomodo.study import RUN, within_rows
from modomodo.testing import nano_grid

RESULTS = Path(__file__).parent / "results"
CHOSEN, TABLE = RESULTS / "confirmed_mixtures.csv", RESULTS / "confirmed.csv"
NANO = Path(__file__).parents[1] / "src/modomodo/models/nano"
WORLDS: tuple[World, ...] = ("uneven", "control")
COMPARED = ("ours", "norm", "coli", "quadsurface", "regmix", "olmix")
PILOTS, DRAW = 16, 0
FIRST = 100  # of the confirming seeds: those before were seen when the worlds were made
SEEDS = 12
LEAST = 2  # seeds of which there is an interval
LENGTHS = (1, 2)  # times the pilots' steps
HEADS = ("strategy", "steps", "Out", "over equal", "Holm's p", "over equal within the rows", "Holm's p", "over base")
HEADS = (*HEADS, "r of a pair")
SAID = ("world", "strategy", "predicted", "lo90", "hi90")
EQUAL, WITHIN, AGAIN, BASE = "equal", "equal within the rows", "equal, other seeds", "base"

app = typer.Typer(add_completion=False)


@app.command()
def choose(world: World) -> None:
    """Write what each strategy recommends from the draw of pilots, and what ours predicts of its gain."""
    if names_in(TABLE, "strategy", world=world):
        print(f"{TABLE.name} has runs of the mixtures that were chosen for {world}: they stay as they are")
        return
    rows = pd.DataFrame(chosen_rows(world))
    if CHOSEN.exists():
        known = pd.read_csv(CHOSEN)
        rows = pd.concat([known[known["world"] != world], rows])
    write_text(CHOSEN, rows.to_csv(index=False))
    print(CHOSEN.read_text())


def chosen_rows(world: World) -> Iterator[dict[str, object]]:
    """Yield a row for each mixture of a world.

    Of the uneven world, mixtures around the best known are left out: they are known from seeds that were judged before.
    """
    grid = nano_grid("uneven", without=AROUND) if world == "uneven" else nano_grid("control")
    domains, drawn = grid.runs.domains, drawn_places(grid, PILOTS, index=DRAW, seed=0)
    for name in COMPARED:
        strategy = STRATEGIES[name]
        places = seed_set_places(grid) if strategy.learns_from == "seed set" else drawn
        choice = strategy.choose(
            grid.shown(places, seed=DRAW % 2), goal=grid.goal, seed=child_seed(0, name, PILOTS, DRAW)
        )
        x_D = choice.mixture.vector(domains)
        said = (math.nan,) * 3 if choice.gain is None else choice.gain(x_D)
        yield row_of_mixture(world, name, domains, x_D) | dict(zip(("predicted", "lo90", "hi90"), said, strict=True))
    best = drawn[np.argmax(grid.good_M2[drawn, DRAW % 2])]
    yield row_of_mixture(world, "best pilot", domains, grid.X_MD[best])
    for name in (EQUAL, WITHIN, AGAIN):
        yield row_of_mixture(world, name, domains, Mixture.uniform(domains).vector(domains))


def row_of_mixture(world: World, name: str, domains: Sequence[str], x_D: Array) -> dict[str, object]:
    weights = {f"w.{domain}": float(weight) for domain, weight in zip(domains, x_D, strict=True)}
    return {"world": world, "strategy": name, **weights}


@app.command()
def run(world: World, out: Path = Path("studies/confirmed")) -> None:
    """Train and score what is missing of a world, and write the table of what is finished."""
    study = load_study(NANO / world / "study.toml", [f"out={out / world}"])
    chosen = chosen_mixtures(world, study.recipe.domains)
    for times in LENGTHS:
        longer = study.model_copy(
            update={"recipe": study.recipe.model_copy(update={"steps": times * study.recipe.steps})}
        )
        write_rows(world, times, longer, chosen)
    table()


def chosen_mixtures(world: World, domains: Sequence[str]) -> dict[str, Mixture]:
    """Return the mixtures that `choose` wrote."""
    if not CHOSEN.exists():
        sys.exit(f"{CHOSEN} does not exist: `python benchmarks/confirmed.py choose {world}` makes it")
    table = pd.read_csv(CHOSEN)
    table = pd.DataFrame(table[table["world"] == world])
    if table.empty:
        sys.exit(f"{CHOSEN} has no mixture of {world}: `python benchmarks/confirmed.py choose {world}` chooses them")
    X_KD = table[[f"w.{name}" for name in domains]].to_numpy(dtype=float)
    return {
        name: Mixture.of(dict(zip(domains, map(float, x_D), strict=True)))
        for name, x_D in zip(table["strategy"], X_KD, strict=True)
    }


def write_rows(world: str, times: int, study: Study, chosen: Mapping[str, Mixture]) -> None:
    """Carry out the runs of one length, seed by seed, and write the table after each seed."""
    store = Store(study.folder)
    for seed in range(SEEDS):
        if names_in(TABLE, "strategy", world=world, times=times, seed=seed + 1) >= {*chosen, BASE}:
            continue
        planned = {name: planned_run(study, name, mixture, seed) for name, mixture in chosen.items()}
        planned[BASE] = base_run(study)
        outcomes = launch(
            list(planned.values()), store, digests=run_digests([one.recipe for one in planned.values()]), run=RUN
        )
        failed = [one.label for one in outcomes if one.status == "failed"]
        if failed:
            sys.exit(f"failed: {', '.join(failed)}; run again")
        rows = [
            {"world": world, "times": times, "strategy": name, "seed": seed + 1, **row_of(store, one.key, study)}
            for name, one in zip(planned, outcomes, strict=True)
        ]
        put(TABLE, pd.DataFrame(rows), world=world, times=times, seed=seed + 1)


def planned_run(study: Study, name: str, mixture: Mixture, seed: int) -> PlannedRun:
    """Return a strategy's run; equal shares run as asked for, all others within what rows last for at this length."""
    asked = mixture if name in (EQUAL, AGAIN) else within_rows(study, mixture)
    index = FIRST + (seed + SEEDS if name == AGAIN else seed)
    return PlannedRun(f"confirmed:{name}#{index + 1}", study.confirming_recipe(asked, index=index))


def base_run(study: Study) -> PlannedRun:
    """Return the run that scores the base model on the confirming items."""
    equal = study.confirming_recipe(Mixture.uniform(study.recipe.domains), index=FIRST)
    return PlannedRun(BASE, equal.model_copy(update={"steps": 0, "seed": 0}))


def row_of(store: Store, key: str, study: Study) -> dict[str, object]:
    result = store.result(key)
    shares = {f"w.{name}": result.mixture.as_dict().get(name, 0.0) for name in study.recipe.domains}
    return {"steps": result.steps, **shares, **{f"score.{name}": one.mean for name, one in result.scores.items()}}


@app.command()
def table() -> None:
    """Print the comparison as Markdown, from the table of runs."""
    if not TABLE.exists():
        sys.exit(f"{TABLE} does not exist: `python benchmarks/confirmed.py run uneven` makes it")
    print("\n".join(lines()))


def lines() -> Iterator[str]:
    """Yield the tables as Markdown, one for each world and length, and what ours predicted."""
    for (world, times), part in parts():
        study = load_study(NANO / world / "study.toml")
        yield from ("", f"**{world}, {times * study.recipe.steps} steps, {seeds_of(part)}**", "")
        yield from compared(part, study.benchmarks)
        yield from ("", "By benchmark, over equal shares:", "")
        yield from by_benchmark(part, (*study.benchmarks, *study.held_out))
        ours, best = where(part, strategy="ours"), where(part, strategy="best pilot")
        yield from ("", f"Ours over the best pilot: {interval(gain(ours, best, study.benchmarks))}.")
        yield from ("", of_seeds(part, study.benchmarks))
    yield ""
    if CHOSEN.exists():
        for world, name, predicted, lo90, hi90 in pd.read_csv(CHOSEN)[list(SAID)].dropna().itertuples(index=False):
            yield f"* {world}: {name} predicted a gain of {predicted:+.3f} (90 %: {lo90:+.3f} to {hi90:+.3f})"


def seeds_of(runs: pd.DataFrame) -> str:
    count = runs.seed.nunique()
    return f"{count} matched seeds" if count == SEEDS else f"{count} of {SEEDS} matched seeds, not final"


def parts() -> Iterator[tuple[tuple[World, int], pd.DataFrame]]:
    """Yield the runs of each world and length that has enough seeds."""
    runs = pd.read_csv(TABLE)
    for world, times in product(WORLDS, LENGTHS):
        part = where(runs, world=world, times=times)
        if part.seed.nunique() >= LEAST:
            yield (world, times), part


def compared(runs: pd.DataFrame, benchmarks: Sequence[str]) -> Iterator[str]:
    """Yield a line for each strategy: its mean, gains on equal shares with 95 % intervals, correlation of seed pairs.

    The A/A line compares equal shares with themselves, seed by seed with other seeds. Holm's correction is over the
    recommended mixtures. Equal shares as asked for end where rows run out, whatever length is asked for.
    """
    yield from head(HEADS)
    equal, within, base = (where(runs, strategy=name) for name in (EQUAL, WITHIN, BASE))
    others = others_of(runs)
    over_base = interval(gain(equal, base, benchmarks))
    yield f"| {EQUAL} | {' | '.join(mean_cells(equal, benchmarks))} | | | | | {over_base} | |"
    gains = [{name: gain(mine, over, benchmarks) for name, mine in others.items()} for over in (equal, within)]
    corrected = [corrected_p(of) for of in gains]
    for name, mine in others.items():
        cells = mean_cells(mine, benchmarks)
        for found, p_of in zip(gains, corrected, strict=True):
            cells += ["" if found[name][:3] == (0, 0, 0) else interval(found[name])]
            cells += ["" if name not in p_of else "< .001" if p_of[name] < 0.001 else f"{p_of[name]:.3f}"]
        cells.append("" if name == BASE else interval(gain(mine, base, benchmarks)))
        pair = [scores(part, benchmarks).mean(axis=1) for part in (mine, equal)]
        cells.append("" if name == BASE else f"{np.corrcoef(*pair)[0, 1]:+.2f}")
        yield f"| {' | '.join((name, *cells))} |"


def mean_cells(runs: pd.DataFrame, benchmarks: Sequence[str]) -> list[str]:
    """Return after how many steps the runs ended, and their score, means over seeds."""
    return [f"{runs.steps.to_numpy().mean():.0f}", f"{scores(runs, benchmarks).mean():.3f}"]


def corrected_p(gains: Mapping[str, Gain]) -> dict[str, float]:
    """Return Holm's p of each recommended mixture."""
    tested = [name for name in gains if name not in (WITHIN, AGAIN, BASE)]
    return dict(zip(tested, holm([gains[name][3] for name in tested]), strict=True))


def by_benchmark(runs: pd.DataFrame, benchmarks: Sequence[str]) -> Iterator[str]:
    """Yield a line for each strategy: its gain on equal shares with a 95 % interval on each benchmark."""
    yield from head(("strategy", *benchmarks))
    equal = where(runs, strategy=EQUAL)
    for name, mine in others_of(runs).items():
        cells = [interval(gain(mine, equal, [one])) for one in benchmarks]
        yield f"| {' | '.join((name, *cells))} |"


def of_seeds(runs: pd.DataFrame, benchmarks: Sequence[str]) -> str:
    """Return in words whether seeds differ. Equal shares within the rows begin as equal shares, and are left out."""
    names = [name for name in dict.fromkeys(runs.strategy) if name not in (WITHIN, AGAIN, BASE)]
    return seeds_differ(np.array([scores(where(runs, strategy=name), benchmarks).mean(axis=1) for name in names]))


def others_of(runs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the runs of each strategy but equal shares, in the order of the table."""
    return {name: where(runs, strategy=name) for name in dict.fromkeys(runs.strategy) if name != EQUAL}


if __name__ == "__main__":
    app()
