"""The grid: many mixtures of both embedded worlds, each trained and scored several times (docs/experiment.md).

    python benchmarks/nano_grid.py run uneven     # 414 runs, about five hours on two cores
    python benchmarks/nano_grid.py run control    # 144 runs, an hour and a half
    python benchmarks/nano_grid.py ship           # the finished runs as the table that the package ships

Runs go to studies/grid/; killed and started again, `run` goes on where it was.
Axes: N mixtures, D domains.
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import typer
from paired import processes
from tqdm import tqdm
from uneven_world import NANO, RESULTS

from modomodo import Mixture, Recipe, Study, load_study, pilot
from modomodo.config.sections import Evaluation
from modomodo.core import child_rng, write_json
from modomodo.core.files import read_json
from modomodo.mixing import seed_design
from modomodo.models.names import model_path
from modomodo.models.nano.grid import TABLE, World
from modomodo.runs import PlannedRun, RunResult, Store, run_digests, run_key
from modomodo.study import pilot_runs, within_rows
from modomodo.training.weights import score_saved

STEPS = (10, 20)  # and the last one
TRIPLES = 20  # of uneven's 35; the control has 10
SPREAD = {"uneven": 68, "control": 30}  # equal shares are one of the control's
RECOMMENDED = RESULTS / "recommended.csv"
AROUND = {"uneven": (9, 9, 8), "control": ()}  # mixtures around each of the best known
FAR = 0.4  # how far around, in log weights
SEEDS = 2
MANY = 8  # seeds of equal shares, as asked for and within the rows, and of REPEATED other mixtures
REPEATED = {"uneven": 7, "control": 1}
ALSO_ITEMS, ALSO_SAMPLES = 64, 4  # of the domains' own tests and the held-out benchmark, after the last step

app = typer.Typer(add_completion=False)


@app.command()
def run(world: World, out: Path = Path("studies/grid")) -> None:
    """Train and score what is missing of a world's grid: all first seeds, then all second ones, then the others."""
    study = grid_study(world, out)
    mixtures = grid_mixtures(world, study)
    first = planned(study, mixtures)
    finish(first)
    finish(planned(study, [*mixtures * SEEDS, *again(world, first, mixtures)]))


def grid_study(world: World, out: Path) -> Study:
    """Return the study of a world whose design is the grid's space-filling part."""
    sets = [f"name=grid-{world}", f"out={out / world}", 'design="space-filling"', "replicate_share=0"]
    return load_study(NANO / world / "study.toml", [*sets, f"budget={SPREAD[world]}", f"scored_at={list(STEPS)}"])


def grid_mixtures(world: World, study: Study) -> list[Mixture]:
    """Return the grid's different mixtures; the study's own design comes first."""
    parts = grid_parts(world, study)
    return list({mixture.key: mixture for mixtures in parts.values() for mixture in mixtures}.values())


def grid_parts(world: World, study: Study) -> dict[str, list[Mixture]]:
    """Return the grid's mixtures by what they are there for; the study's own design comes first."""
    domains = study.recipe.domains
    pairs, triples = (
        [Mixture.of(dict.fromkeys(some, 1 / size)) for some in combinations(domains, size)] for size in (2, 3)
    )
    kept = child_rng(0, "grid", "triples").permutation(len(triples))[:TRIPLES]
    parts = {
        "pairs": pairs,
        "triples": [triples[index] for index in sorted(kept)],
        "around the best": list(around(world, study)),
    }
    return {
        "space-filling": [one.recipe.requested for one in pilot_runs(study) if one.recipe.steps],
        "seed set": [mixture for _, mixture in seed_design(domains)],
        **{name: [within_rows(study, mixture) for mixture in mixtures] for name, mixtures in parts.items()},
    }


def around(world: World, study: Study) -> Iterator[Mixture]:
    """Yield mixtures around the best of those on which the world's criteria were measured, by their fresh seeds."""
    if not AROUND[world]:
        return
    fresh: dict[str, list[dict[str, str]]] = {}
    with (RESULTS / f"{world}_world.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            if line["run"].startswith("fresh:space:"):
                fresh.setdefault(line["run"].partition("#")[0], []).append(line)
    best = sorted(
        fresh.values(),
        key=lambda lines: -sum(float(line[f"score.{name}"]) for line in lines for name in study.benchmarks),
    )
    for place, (lines, count) in enumerate(zip(best, AROUND[world], strict=False)):
        x_D = np.array([float(lines[0][f"w.{name}"]) for name in study.recipe.domains]) + 1e-3
        rng = child_rng(0, "grid", "around", place)
        for _ in range(count):
            moved_D = x_D * np.exp(FAR * rng.normal(size=len(x_D)))
            yield Mixture.of(dict(zip(study.recipe.domains, map(float, moved_D / moved_D.sum()), strict=True)))


def again(world: World, study: Study, mixtures: Sequence[Mixture]) -> list[Mixture]:
    """Return the further runs of equal shares, of mixtures spread over the ranking of the first seeds, and of others.

    Every gain is over equal shares within the rows: at two seeds, one run would judge all strategies. The others are
    those that ours recommends most often (`experiment.py often`).
    """
    equal = Mixture.uniform(study.recipe.domains)
    out_of = {
        one.recipe.requested.key: np.mean([result.scores[name].mean for name in study.benchmarks])
        for one, result in results(study)
        if one.recipe.steps
    }
    ranked = sorted((one for one in mixtures if one.key != equal.key), key=lambda one: out_of[one.key])
    places = np.quantile(np.arange(len(ranked)), np.arange(1, REPEATED[world] + 1) / (REPEATED[world] + 1))
    within = within_rows(study, equal)
    nearest = min(mixtures, key=within.distance)
    spread = (ranked[round(place)] for place in places)
    chosen = [equal, nearest, *spread, *recommended(world, mixtures)]
    return [mixture for mixture in {one.key: one for one in chosen}.values() for _ in range(MANY - SEEDS)]


def recommended(world: World, mixtures: Sequence[Mixture]) -> list[Mixture]:
    """Return the mixtures of the grid that ours recommends most often; none before the replays."""
    if not RECOMMENDED.exists():
        return []
    domains, table = mixtures[0].domains, pd.read_csv(RECOMMENDED)
    rows_MD = table.loc[table["world"] == world, [f"w.{name}" for name in domains]].to_numpy()
    return [min(mixtures, key=lambda one: float(np.abs(one.vector(domains) - x_D).sum())) for x_D in rows_MD]


def planned(study: Study, mixtures: Sequence[Mixture]) -> Study:
    """Return the study with a run of each of the mixtures; those of its own design come first and are there already."""
    own = sum(1 for one in pilot_runs(study) if one.recipe.steps)
    return study.model_copy(update={"extra": tuple(mixture.as_dict() for mixture in mixtures[own:])})


def finish(study: Study) -> None:
    """Train and score what is missing of a study."""
    failed = [outcome.label for outcome in pilot(study) if outcome.status == "failed"]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; run again")
    score_also(study)


def results(study: Study) -> list[tuple[PlannedRun, RunResult]]:
    """Return the finished runs of the study's plan, each once."""
    store, plan = Store(study.folder), pilot_runs(study)
    digests = run_digests([one.recipe for one in plan])
    by_key = {run_key(one.recipe, digests): one for one in plan}
    return [(one, store.result(key)) for key, one in by_key.items() if store.finished(key)]


def whole(study: Study) -> list[tuple[PlannedRun, RunResult]]:
    """Return the runs of the study's plan; ends with an error where one is not finished, or lacks its other scores."""
    found = results(study)
    ready = sum(also(study, result.key).exists() for _, result in found)
    if ready < len(pilot_runs(study)):
        sys.exit(f"{study.name}: {ready} of {len(pilot_runs(study))} runs are finished: `nano_grid.py run` goes on")
    return found


def score_also(study: Study) -> None:
    """Score the final models on what pilots are not scored on: the domains' own tests, the held-out benchmark."""
    plan = Evaluation(
        benchmarks=(*study.recipe.domains, *study.held_out), items=ALSO_ITEMS, samples=ALSO_SAMPLES, part="select"
    )
    keys = [result.key for _, result in results(study) if not also(study, result.key).exists()]
    with processes() as pool:
        found = pool.map(scored, [Store(study.folder).path(key) for key in keys], [plan] * len(keys))
        for key, scores in tqdm(zip(keys, found, strict=True), total=len(keys), desc="other scores"):
            write_json(also(study, key), scores)


def also(study: Study, key: str) -> Path:
    return study.folder / "also" / f"{key}.json"


def scored(folder: Path, plan: Evaluation) -> dict[str, float]:
    """Return the mean scores of a finished run's model."""
    recipe = Recipe.model_validate_json((folder / "recipe.json").read_bytes())
    model = str(folder / "model") if recipe.steps else model_path(recipe.model)
    with TemporaryDirectory() as items:
        scores = score_saved(model, recipe.model_copy(update={"evaluation": plan}), items=Path(items))
    return {name: score.mean for name, score in scores.items()}


@app.command()
def ship(out: Path = Path("studies/grid")) -> None:
    """Write the table of both worlds that the package ships, once all their runs are finished and scored."""
    rows = [row for world in ("uneven", "control") for row in world_rows(world, out)]
    pd.DataFrame(rows).to_parquet(TABLE, index=False)
    print(f"{len(rows)} runs")


def world_rows(world: World, out: Path) -> Iterator[dict[str, object]]:
    """Yield the runs of a world; ends with an error where one is missing."""
    study = grid_study(world, out)
    mixtures = grid_mixtures(world, study)
    # A mixture of two parts counts as the seed set's, which is asked for by name.
    named = sorted(grid_parts(world, study).items(), key=lambda part: part[0] == "seed set")
    part_of = {mixture.key: name for name, of_part in named for mixture in of_part}
    first = planned(study, mixtures)
    whole(first)
    study = planned(study, [*mixtures * SEEDS, *again(world, first, mixtures)])
    for one, result in whole(study):
        part = part_of[one.recipe.requested.key] if one.recipe.steps else None
        yield {"world": world, "part": part, **grid_row(study, one, result)}


def grid_row(study: Study, planned_run: PlannedRun, result: RunResult) -> dict[str, object]:
    """Return a run as a row: mixture as asked for and as it came about, scores by step, and of other tests."""
    domains, trained = study.recipe.domains, result.steps > 0
    seeds = [study.pilot_recipe(result.mixture, replicate=index).seed for index in range(MANY)]
    shares = {"w": result.mixture.as_dict(), "realised": result.realised, "effective": result.effective}
    at = {**result.earlier, "": result.scores}
    others = read_json(also(study, result.key)) or {}
    return {
        "run": planned_run.label,
        "seed": seeds.index(result.seed) + 1 if trained else None,
        "steps": result.steps,
        "seconds": round(result.seconds, 1),
        **{f"{kind}.{name}": of.get(name, 0.0) if trained else None for kind, of in shares.items() for name in domains},
        **{f"score{step and '@'}{step}.{name}": scores[name].mean for step, scores in at.items() for name in scores},
        **{f"se.{name}": score.se for name, score in result.scores.items()},
        **{f"{'held' if name in study.held_out else 'in'}.{name}": value for name, value in others.items()},
    }


if __name__ == "__main__":
    app()
