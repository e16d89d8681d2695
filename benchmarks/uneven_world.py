"""Does the mixture matter in the uneven world? Measures what docs/nano.md claims, never a surrogate nor who wins.

    python benchmarks/uneven_world.py probe     # a first look at a candidate: 20 runs, about 6 minutes on two cores
    python benchmarks/uneven_world.py world     # the criteria: 143 runs, about 50 minutes on two cores
    python benchmarks/uneven_world.py scoring   # its models again, by greedy completions: about 10 minutes on two cores
    python benchmarks/uneven_world.py causes    # what each cause alone costs at equal shares: 40 runs, about 15 minutes
    python benchmarks/uneven_world.py rows-lasting  # after `studies`: 24 runs more, about 10 minutes
    python benchmarks/uneven_world.py claims    # from the tables of the others: what docs/nano.md says beside; seconds
    python benchmarks/uneven_world.py studies   # whole studies of both worlds, six and five seeds: about 100 minutes

Runs go to studies/; killed and started again it goes on. Tables go to benchmarks/results/.
Axes: M mixtures, S seeds, B benchmarks.
"""

import csv
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from nano_world import Criterion, blindness, share_of_variance, show
from paired import processes
from scipy import stats

from modomodo.config.recipe import Recipe
from modomodo.config.study import Study, load_study
from modomodo.core.mixture import Mixture
from modomodo.evaluation.benchmarks import Score
from modomodo.mixing.confirmation import Difference, detectable_difference
from modomodo.runs.inputs import run_digests
from modomodo.runs.launcher import launch
from modomodo.runs.planned import PlannedRun
from modomodo.runs.store import Store, run_key
from modomodo.study.pipeline import (
    RUN,
    pilot,
    plan_confirmation,
    read_study,
    study_confirmation,
    study_recommendation,
)
from modomodo.study.plan import pilot_row_caps, pilot_runs, within_rows
from modomodo.training.weights import score_saved

RESULTS = Path(__file__).parent / "results"
NANO = Path(__file__).parents[1] / "src/modomodo/models/nano"
UNEVEN = NANO / "uneven/study.toml"
STUDIES = {"uneven": range(6), "control": range(1, 6)}  # seed 0 of the uneven world is the demo's
CAUSES = Path(__file__).parent / "causes"
MIXTURES = 60  # space-filling, beside equal shares and the vertices
BEST, SEEDS = 10, 6  # mixtures trained again, on fresh seeds
CAUSE_SEEDS = 8
CONFIRMING = 4  # matched seeds of a study
PROBED = 15  # of the space-filling mixtures, for a first look
USELESS = ("compass", "quiz", "palette")
EQUAL_RUNS = 3  # of equal shares among the pilots
Array = npt.NDArray[np.float64]
Results = dict[str, Mapping[str, Score]]  # label -> benchmark -> its score

app = typer.Typer(add_completion=False)


@app.command()
def probe(
    out: Path = Path("studies/probe"), steps: int = 16, at: Annotated[list[int] | None, typer.Option()] = None
) -> None:
    """Print where equal shares stand among a few mixtures, at several lengths: is the candidate worth all its runs?"""
    sets = ["name=probe", f"out={out}", f"budget={MIXTURES}", "replicate_share=0", f"recipe.steps={steps}"]
    study = load_study(UNEVEN, [*sets, f"scored_at={at or [steps // 2, 3 * steps // 4]}"])
    domains = study.recipe.domains
    spread = [one for one in pilot_runs(study) if one.label.startswith("space:")][:: MIXTURES // PROBED]
    kept = {name: lasting for name, (_, lasting) in pilot_row_caps(study).items() if name not in USELESS}
    scarce = min(kept.values())
    useful = {name: scarce if lasting == scarce else (1 - scarce) / (len(kept) - 1) for name, lasting in kept.items()}
    mixtures = {"equal": Mixture.uniform(domains), "useful": Mixture.of(useful)}
    repeated = [
        PlannedRun(f"{name}#{index + 1}", study.pilot_recipe(mixture, replicate=index))
        for name, mixture in mixtures.items()
        for index in range(EQUAL_RUNS)
    ]
    for step, out_of in at_steps(study, [*repeated, *spread]).items():
        if len(out_of) < len(repeated) + len(spread):
            continue  # rows ran out before it: these runs have their last scores only
        mean, sd = (
            {name: f([out_of[f"{name}#{i + 1}"] for i in range(EQUAL_RUNS)]) for name in mixtures}
            for f in (np.mean, lambda values: np.std(values, ddof=1))
        )
        spread_N = np.array([out_of[one.label] for one in spread])
        print(
            f"step {step}: equal {mean['equal']:.3f} (sd {sd['equal']:.3f}), without useless domains "
            f"{mean['useful']:.3f} ({sd['useful']:.3f}); {len(spread)} others {spread_N.mean():.3f} "
            f"(sd {spread_N.std(ddof=1):.3f}, best {spread_N.max():.3f}), {np.mean(spread_N < mean['equal']):.0%} "
            "below equal"
        )


def at_steps(study: Study, planned: Sequence[PlannedRun]) -> dict[str, dict[str, float]]:
    """Return step -> label -> Out, after running what is missing."""
    carried_out(study, planned)
    store, labels = Store(study.folder), run_digests([one.recipe for one in planned])
    found: dict[str, dict[str, float]] = {}
    for one in planned:
        result = store.result(run_key(one.recipe, labels))
        for step, scores in {**result.earlier, "last": result.scores}.items():
            found.setdefault(step, {})[one.label] = mean_of(scores, study.benchmarks)
    return found


@dataclass(frozen=True)
class World:
    """The runs of `world`: first a run of each mixture, then fresh seeds of the best, of equal shares and near them."""

    study: Study
    planned: Mapping[str, PlannedRun]  # by label, all runs
    mixtures: Mapping[str, Mixture]  # by label, of the first runs
    again: Mapping[str, Mixture]  # by label, of those with fresh seeds
    first: Results
    fresh: Results

    @property
    def spread(self) -> list[str]:
        """The labels of the space-filling mixtures."""
        return [label for label in self.mixtures if label.startswith("space:")]


@app.command()
def world(out: Path = Path("studies/uneven-world")) -> None:
    """Print the criteria of the uneven world as a Markdown table; exit code 1 when one does not hold."""
    runs = world_runs(out)
    study = runs.study
    write(RESULTS / "uneven_world.csv", study, {**runs.first, **runs.fresh}, {**runs.mixtures, **runs.again})
    out_of = {label: mean_of(scores, study.benchmarks) for label, scores in runs.first.items()}
    criteria = [
        *blindness(study.recipe.model, (*study.recipe.domains, *study.benchmarks, *study.held_out)),
        base_criterion(out_of["base"]),
        *best_criteria(study, runs.again, runs.fresh),
        place_criterion(out_of, runs.spread),
        spread_criterion(study, out_of, runs.spread, runs.fresh, tuple(runs.again)),
        share_of_variance(study.benchmarks, scores_of(runs.first, runs.spread, study.benchmarks)),
    ]
    sys.exit(show(criteria))


def world_runs(out: Path) -> World:
    """Return the runs of `world`, after running what is missing."""
    domains = load_study(UNEVEN).recipe.domains
    vertices = [Mixture.parse(f"single:{name}", domains) for name in domains]
    equal = Mixture.uniform(domains)
    extra = [mixture.as_dict() for mixture in (*[equal] * EQUAL_RUNS, *vertices)]
    study = load_study(UNEVEN, ["name=uneven-world", f"out={out}", f"budget={MIXTURES}", "replicate_share=0"])
    study = study.model_copy(update={"extra": tuple(extra)})
    planned = pilot_runs(study)
    mixtures = {one.label: one.recipe.requested for one in planned if one.recipe.steps}
    first = carried_out(study, planned)
    best = sorted(
        (label for label in mixtures if label.startswith("space:")),
        key=lambda label: -mean_of(first[label], study.benchmarks),
    )[:BEST]
    # Not of the design: scarce rows may forbid it equal shares, and may let it as near to them as they last.
    again = {"equal": equal, "capped": within_rows(study, equal), **{label: mixtures[label] for label in best}}
    repeated = [
        PlannedRun(f"fresh:{label}#{index + 1}", study.confirming_recipe(mixture, index=index))
        for label, mixture in again.items()
        for index in range(SEEDS)
    ]
    by_label = {one.label: one for one in (*planned, *repeated)}
    return World(study, by_label, mixtures, again, first, carried_out(study, repeated))


@app.command()
def scoring(out: Path = Path("studies/uneven-world")) -> None:
    """Print how far the models of `world` scatter by sampled completions, as they were scored, and by greedy ones."""
    runs = world_runs(out)
    study = runs.study
    store, digests = Store(study.folder), run_digests([one.recipe for one in runs.planned.values()])
    labels = [label for label, one in runs.planned.items() if one.recipe.steps]
    folders = [store.path(run_key(runs.planned[label].recipe, digests)) for label in labels]
    with processes() as pool:
        scores = list(pool.map(greedy_scores, folders))
    greedy = dict(zip(labels, scores, strict=True))
    for name, of_label in (("sampled", {**runs.first, **runs.fresh}), ("greedy", greedy)):
        out_of = {label: mean_of(of_label[label], study.benchmarks) for label in runs.spread}
        print(name, spread_criterion(study, out_of, runs.spread, of_label, tuple(runs.again)).found)
    again = [folder for label, folder in zip(labels, folders, strict=True) if label in runs.fresh]
    drawn = np.sqrt(np.mean([drawing_variance(folder, study.benchmarks) for folder in again]))
    print(f"sd of a score from drawing completions alone: {drawn:.4f}")


def drawing_variance(folder: Path, benchmarks: Sequence[str]) -> float:
    """Return the variance of a run's Out that comes from which completions of its items were drawn."""
    total = 0.0
    for name in benchmarks:
        rewards: dict[str, list[float]] = {}
        for line in map(json.loads, (folder / "items" / f"{name}.jsonl").read_text().splitlines()):
            rewards.setdefault(line["row_id"], []).append(line["reward"] or 0.0)
        total += sum(np.var(drawn, ddof=1) / len(drawn) for drawn in rewards.values()) / len(rewards) ** 2
    return float(total) / len(benchmarks) ** 2


def greedy_scores(folder: Path) -> Mapping[str, Score]:
    """Return the scores of a finished run's model by greedy completions."""
    recipe = Recipe.model_validate_json((folder / "recipe.json").read_bytes())
    plan = recipe.evaluation.model_copy(update={"samples": None, "at": ()})
    recipe = recipe.model_copy(update={"evaluation": plan})
    with TemporaryDirectory() as items:
        return score_saved(str(folder / "model"), recipe, items=Path(items))


@app.command()
def causes(out: Path = Path("studies/causes")) -> None:
    """Print what each cause costs at equal shares: alone, in the place of the control's domain that it spoils."""
    rows: dict[str, Array] = {}
    for path in sorted(CAUSES.glob("*.toml"), key=lambda path: path.stem != "none"):
        study = load_study(path, [f"out={out / path.stem}"])
        equal = Mixture.uniform(study.recipe.domains)
        planned = [
            PlannedRun(f"equal#{index + 1}", study.pilot_recipe(equal, replicate=index)) for index in range(CAUSE_SEEDS)
        ]
        found = carried_out(study, planned)
        rows[path.stem] = np.array([[found[one.label][b].mean for b in study.benchmarks] for one in planned])
    with (RESULTS / "causes.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["cause", "seed", "charts", "infographic", "maths", "general"])
        for cause, scores_SB in rows.items():
            writer.writerows([cause, s + 1, *(f"{x:.4f}" for x in row)] for s, row in enumerate(scores_SB))
    print("| cause | Out at equal shares (sd of a run) | cost (95 % interval) | excludes 0 |\n|---|---|---|---|")
    reference_S = rows["none"].mean(axis=1)
    for cause, scores_SB in rows.items():
        out_S = scores_SB.mean(axis=1)
        line = f"| {cause} | {out_S.mean():.3f} ({out_S.std(ddof=1):.3f})"
        if cause != "none":
            gain, low, high = interval(out_S - reference_S)
            line += f" | {gain:+.3f} ({low:+.3f} to {high:+.3f}) | {'yes' if low > 0 or high < 0 else 'no'}"
        print(f"{line} |" if cause != "none" else f"{line} | | |")


@app.command()
def studies(out: Path = Path("studies/seeds")) -> None:
    """Carry out whole studies, as the demo does, at several study seeds of both worlds, and print what each confirmed.

    Studies that are done stay in the table, so it can be stopped and gone on with.
    """
    rows = [study_row(name, seed, out) for name, seeds in STUDIES.items() for seed in seeds]
    print("| world | seed | recommended | predicted gain (90 %) | confirmed gain (95 %) | held out (95 %) |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row.values())} |", flush=True)


@app.command()
def rows_lasting(out: Path = Path("studies/seeds")) -> None:
    """Print what the recommendations of `studies` gain on equal shares that take no more of scarce rows than there is.

    At the seeds of their confirmations. A study's seeds share a recommendation, so the interval is over studies.
    """
    rows: list[tuple[float, float]] = []
    for seed in STUDIES["uneven"]:
        study = load_study(UNEVEN, [f"seed={seed}", f"out={out / f'uneven-{seed}'}"])
        plan = plan_confirmation(read_study(study))
        mixtures = {"recommended": plan.mixture, "capped": within_rows(study, Mixture.uniform(study.recipe.domains))}
        of_mixture: list[float] = []
        for name, mixture in mixtures.items():
            planned = [
                PlannedRun(f"{name}#{index + 1}", study.confirming_recipe(mixture, index=index))
                for index in range(study.confirm.seeds)
            ]
            found = carried_out(study, planned)
            of_mixture.append(float(np.mean([mean_of(scores, study.benchmarks) for scores in found.values()])))
        rows.append((of_mixture[0], of_mixture[1]))
        print(f"seed {seed}: {rows[-1][0]:.3f} - {rows[-1][1]:.3f} = {rows[-1][0] - rows[-1][1]:+.3f}", flush=True)
    with (RESULTS / "rows_lasting.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["seed", "recommended", "equal shares within the rows"])
        writer.writerows([seed, *(f"{out_of:.4f}" for out_of in row)] for seed, row in enumerate(rows))
    gains = interval(np.array([recommended - lasting for recommended, lasting in rows]))
    print("mean of {} studies: {:+.3f} (95 % {:+.3f} to {:+.3f})".format(len(rows), *gains))


def study_row(world: str, seed: int, out: Path) -> dict[str, str]:
    """Return what a study of a world at a seed recommended and confirmed; a row of studies.csv."""
    path, fields = RESULTS / "studies.csv", ("world", "seed", "recommended", "predicted", "confirmed", "held out")
    done = list(csv.DictReader(path.open(newline=""))) if path.exists() else []
    known = next((row for row in done if (row["world"], row["seed"]) == (world, str(seed))), None)
    if known is not None:
        return known
    study = load_study(NANO / world / "study.toml", [f"seed={seed}", f"out={out / f'{world}-{seed}'}"])
    failed = [outcome.label for outcome in pilot(study) if outcome.status == "failed"]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; run again")
    runs = read_study(study)
    found = study_recommendation(runs)
    tests = study_confirmation(plan_confirmation(runs))
    row = {
        "world": world,
        "seed": str(seed),
        "recommended": str(found.mixture),
        "predicted": f"{found.gain:+.3f} ({found.gain_lo90:+.3f} to {found.gain_hi90:+.3f})",
        "confirmed": "equal shares" if tests is None else with_interval(tests.objective.aggregate),
        "held out": "equal shares"
        if tests is None or tests.held_out is None
        else with_interval(tests.held_out.aggregate),
    }
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fields)
        writer.writeheader()
        writer.writerows([*done, row])
    return row


@app.command()
def claims() -> None:
    """Print from the committed tables how studies come out together, and what weighs for and against their gains."""
    of_study = list(csv.DictReader((RESULTS / "studies.csv").open(newline="")))
    for world in STUDIES:
        mine = [row for row in of_study if row["world"] == world]
        for column in ("predicted", "confirmed", "held out"):
            print(f"{world}, {column}: {pooled([gain_in(row[column])[0] for row in mine])} over {len(mine)} studies")
        half = np.array([(gain_in(row["confirmed"])[2] - gain_in(row["confirmed"])[1]) / 2 for row in mine])
        sd = float(np.sqrt(np.mean(half**2) * CONFIRMING)) / float(stats.t.ppf(0.975, CONFIRMING - 1)) / np.sqrt(2)
        found = detectable_difference(sd, seeds=CONFIRMING)
        print(f"{world}: a run's sd of {sd:.3f}, so {CONFIRMING} matched seeds find gains from {found:.3f} on")
    lasting = {row["seed"]: row for row in csv.DictReader((RESULTS / "rows_lasting.csv").open(newline=""))}
    over = [float(row["recommended"]) - float(row["equal shares within the rows"]) for row in lasting.values()]
    said = [gain_in(row["predicted"]) for row in of_study if row["world"] == "uneven"]
    # Both are rounded to thousandths.
    missed = sum(not low <= round(gain, 3) <= high for (_, low, high), gain in zip(said, over, strict=True))
    print(f"over equal shares within the rows: {pooled(over)}; {missed} of {len(over)} predicted intervals miss it")
    about_world()


def about_world() -> None:
    """Print where equal shares within the rows stand, what they gain held out, and whether matched seeds match."""
    rows = list(csv.DictReader((RESULTS / "uneven_world.csv").open(newline="")))
    study = load_study(UNEVEN)

    def out_of(row: dict[str, str], names: Sequence[str]) -> float:
        return float(np.mean([float(row[f"score.{name}"]) for name in names]))

    fresh: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        if row["run"].startswith("fresh:"):
            fresh.setdefault(row["run"].removeprefix("fresh:").partition("#")[0], []).append(row)
    scores_MS = np.array([[out_of(row, study.benchmarks) for row in some] for some in fresh.values()])
    correlations = np.corrcoef(scores_MS)[np.triu_indices(len(scores_MS), k=1)]
    print(f"correlation of matched seeds: {correlations.mean():.2f}, the mean of {len(scores_MS)} mixtures' pairs")
    pairs = zip(fresh["capped"], fresh["equal"], strict=True)
    held = [out_of(lasting, study.held_out) - out_of(equal, study.held_out) for lasting, equal in pairs]
    print(f"equal shares within the rows over equal shares, held out: {pooled(held)}")
    capped_out = float(np.mean([out_of(row, study.benchmarks) for row in fresh["capped"]]))
    spread_N = np.array([out_of(row, study.benchmarks) for row in rows if row["run"].startswith("space:")])
    below = np.mean(spread_N < capped_out)
    print(f"equal shares within the rows ({capped_out:.3f}) beat {below:.0%} of the {len(spread_N)} mixtures")


def gain_in(cell: str) -> tuple[float, float, float]:
    """Return a gain and the ends of its interval from a cell such as +0.118 (+0.085 to +0.151)."""
    numbers = [float(number) for number in re.findall(r"[-+]?\d+\.\d+", cell)]
    return numbers[0], numbers[1], numbers[2]


def pooled(gains: Sequence[float]) -> str:
    return "{:+.3f} (95 % {:+.3f} to {:+.3f})".format(*interval(np.array(gains)))


def with_interval(found: Difference) -> str:
    return f"{found.gain:+.3f} ({found.lo95:+.3f} to {found.hi95:+.3f})"


def carried_out(study: Study, planned: Sequence[PlannedRun]) -> Results:
    """Return the scores of each planned run by label, after running what is missing."""
    store = Store(study.folder)
    store.make()
    outcomes = launch(planned, store, digests=run_digests([one.recipe for one in planned]), run=RUN)
    failed = [outcome.label for outcome in outcomes if outcome.status == "failed"]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; run again")
    return {outcome.label: store.result(outcome.key).scores for outcome in outcomes}


def mean_of(scores: Mapping[str, Score], benchmarks: Sequence[str]) -> float:
    """Return Out: the mean over the benchmarks."""
    return float(np.mean([scores[name].mean for name in benchmarks]))


def scores_of(found: Results, labels: Sequence[str], benchmarks: Sequence[str]) -> Array:
    """Return the scores of one run of each label [M, 1, B]."""
    return np.array([[[found[label][name].mean for name in benchmarks]] for label in labels])


def seeds_of(fresh: Results, label: str, benchmarks: Sequence[str]) -> Array:
    """Return Out over the benchmarks of each fresh seed of a mixture [S]."""
    return np.array([mean_of(fresh[f"fresh:{label}#{index + 1}"], benchmarks) for index in range(SEEDS)])


def interval(difference_S: Array) -> tuple[float, float, float]:
    """Return the mean of paired differences and its 95 % interval (Student's t)."""
    half = float(stats.t.ppf(0.975, len(difference_S) - 1) * difference_S.std(ddof=1) / np.sqrt(len(difference_S)))
    mean = float(difference_S.mean())
    return mean, mean - half, mean + half


def base_criterion(base: float) -> Criterion:
    return Criterion("base Out from .10 to .45", f"{base:.3f}", 0.10 <= base <= 0.45)


def best_criteria(study: Study, again: Mapping[str, Mixture], fresh: Results) -> list[Criterion]:
    """Return what the best of the mixtures trained again has over equal shares."""
    others = [label for label in again if label.startswith("space:")]
    best = max(others, key=lambda label: seeds_of(fresh, label, study.benchmarks).mean())
    gain, low, high = interval(seeds_of(fresh, best, study.benchmarks) - seeds_of(fresh, "equal", study.benchmarks))
    held, held_low, held_high = interval(
        seeds_of(fresh, best, study.held_out) - seeds_of(fresh, "equal", study.held_out)
    )
    # The best of ten is chosen by the seeds that judge it, which flatters; the ten were chosen by other seeds.
    ten_S = np.mean([seeds_of(fresh, label, study.benchmarks) for label in others], axis=0)
    for name, of_S in (("the best", seeds_of(fresh, best, study.benchmarks)), ("all trained again", ten_S)):
        for other in ("equal", "capped"):
            mean, lowest, highest = interval(of_S - seeds_of(fresh, other, study.benchmarks))
            print(f"{name} over {other}: {mean:+.3f} ({lowest:+.3f} to {highest:+.3f})")
    weights = again[best].as_dict()
    carrying = [name for name, weight in weights.items() if weight > 0.08]
    shares = ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items())
    return [
        Criterion(
            f"the best ({best}) beats equal shares by .08, interval above .04",
            f"{gain:+.3f} (95 % {low:+.3f} to {high:+.3f}, {SEEDS} seeds)",
            gain >= 0.08 and low > 0.04,
        ),
        Criterion(
            "and by .03 on the held-out benchmark, or no worse within noise",
            f"{held:+.3f} (95 % {held_low:+.3f} to {held_high:+.3f})",
            held >= 0.03 or held_high >= 0,
        ),
        Criterion("it has at least three domains above .08", f"{len(carrying)}: {shares}", len(carrying) >= 3),
    ]


def place_criterion(out_of: Mapping[str, float], spread: Sequence[str]) -> Criterion:
    """Return where equal shares (mean of its runs) stands among the space-filling mixtures."""
    equal = float(np.mean([out_of[f"extra:{index + 1}"] for index in range(EQUAL_RUNS)]))
    below = float(np.mean([out_of[label] < equal for label in spread]))
    return Criterion(
        "equal shares between the 20th and the 80th percentile", f"{equal:.3f}: {below:.0%}", 0.2 <= below <= 0.8
    )


def spread_criterion(
    study: Study, out_of: Mapping[str, float], spread: Sequence[str], fresh: Results, again: Sequence[str]
) -> Criterion:
    """Return whether mixtures differ three times as much as seeds.

    Within: pooled over the mixtures trained again. Between: of the single runs, less what seeds explain of it.
    """
    within = float(np.sqrt(np.mean([seeds_of(fresh, label, study.benchmarks).var(ddof=1) for label in again])))
    total = float(np.var([out_of[label] for label in spread], ddof=1))
    between = float(np.sqrt(max(total - within**2, 0.0)))
    return Criterion(
        "sd between mixtures at least three times that between seeds",
        f"{between:.4f} / {within:.4f} = {between / within:.1f}",
        between >= 3 * within,
    )


def write(path: Path, study: Study, found: Results, mixtures: Mapping[str, Mixture]) -> None:
    """Write a row a run: label, weights, scores."""
    names = (*study.benchmarks, *study.held_out)
    domains = study.recipe.domains
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["run", *(f"w.{name}" for name in domains), *(f"score.{name}" for name in names)])
        for label, scores in found.items():
            mixture = mixtures.get(label.removeprefix("fresh:").partition("#")[0])
            weights = ["" if mixture is None else f"{mixture.as_dict().get(name, 0.0):.4f}" for name in domains]
            shown = [f"{scores[name].mean:.4f}" if name in scores else "" for name in names]
            writer.writerow([label, *weights, *shown])


if __name__ == "__main__":
    app()
