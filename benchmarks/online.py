"""Does a mixture that moves while a run trains beat a fixed one that was predicted? docs/online.md has the table.

    python benchmarks/online.py run      # 28 pilots, then 24 runs of each of 12 policies, hours on two cores
    python benchmarks/online.py table    # from benchmarks/results/online.csv, in a second

Runs go to studies/online; killed and started again it goes on, and the table has what is finished. A seed that is in
the table is not run again. Every run of a world has the same seeds, prompts and confirming items. `equal` is equal
shares as far as scarce rows last, so that all runs have as many prompts; rules start from it, or from the mixture that
the world's pilots recommend.
Axes: S seeds, B benchmarks.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import typer
from paired import Gain, gain, head, interval, names_in, put, scores, where

from modomodo import Mixture, Recipe, Study, load_study, pilot
from modomodo.mixing import holm
from modomodo.mixing.online import RULES
from modomodo.runs import PlannedRun, Store, launch, run_digests
from modomodo.study import RUN, read_study, study_recommendation, within_rows

TABLE = Path(__file__).parent / "results/online.csv"
NANO = Path(__file__).parents[1] / "src/modomodo/models/nano"
WORLDS = ("uneven", "control")
SEED = "seed=6"  # of the studies: recommendations from those before were judged already
SETTINGS = {"uneven": [SEED], "control": [SEED, "design=space-filling", "budget=14"]}
FIRST = 200  # of the confirming seeds: those before were seen when the worlds were made
SEEDS = 12
LEAST = 2  # seeds of which there is an interval
EARLY = 2 / 3  # of the steps, after which runs are scored too: what more prompts would have brought
FIXED = ("equal", "recommended")
Array = npt.NDArray[np.float64]

app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class Policy:
    """A fixed mixture, or a rule that starts from it."""

    start: str
    rule: str = ""

    @property
    def name(self) -> str:
        return f"{self.rule} from {self.start}" if self.rule else self.start


POLICIES = (*(Policy(start) for start in FIXED), *(Policy(start, rule) for rule in RULES for start in FIXED))
POLICY = {policy.name: policy for policy in POLICIES}


@app.command()
def run(out: Path = Path("studies/online"), seeds: int = SEEDS) -> None:
    """Run what is missing of both worlds, seed by seed, and write the table of what is finished."""
    failed: list[str] = []
    for world in WORLDS:
        study = load_study(NANO / world / "study.toml", [f"out={out / world}", *SETTINGS[world]])
        lost = [outcome.label for outcome in pilot(study) if outcome.status == "failed"]
        if lost:
            failed += lost
            continue
        recommended = study_recommendation(read_study(study))
        starts = {
            "equal": within_rows(study, Mixture.uniform(study.recipe.domains)),
            "recommended": recommended.mixture,
        }
        refuse_other_starts(world, study.recipe.domains, starts)
        for seed in range(seeds):
            if names_in(TABLE, "policy", world=world, seed=seed) >= {policy.name for policy in POLICIES}:
                continue
            failed += write_rows(world, study, seed, starts, told=recommended.distinguishable)
    table()
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; run again")


def refuse_other_starts(world: str, domains: Sequence[str], starts: Mapping[str, Mixture]) -> None:
    """End with an error where the table's runs of a world start elsewhere: other pilots may recommend others."""
    rows = where(pd.read_csv(TABLE), world=world) if TABLE.exists() else pd.DataFrame()
    for row in rows.to_dict("records"):
        start_D = starts[POLICY[row["policy"]].start].vector(domains)
        if not np.allclose([row[f"w.{name}"] for name in domains], start_D, atol=1e-3):
            sys.exit(
                f"{TABLE}: `{row['policy']}` of {world} starts from another mixture than here: go on with the studies "
                f"that the table was made from, or delete its rows of {world}"
            )


def write_rows(world: str, study: Study, seed: int, starts: dict[str, Mixture], *, told: bool) -> list[str]:
    """Carry out the runs of a seed, write their rows in the place of those that were there, and return who failed."""
    planned = [
        PlannedRun(f"online:{policy.name}#{seed + 1}", recipe_of(study, policy, seed, starts[policy.start]))
        for policy in POLICIES
    ]
    store = Store(study.folder)
    outcomes = launch(planned, store, digests=run_digests([one.recipe for one in planned]), run=RUN)
    ended = {policy: one.key for policy, one in zip(POLICIES, outcomes, strict=True) if one.status != "failed"}
    if ended:
        rows = pd.DataFrame(list(rows_of(world, study, seed, store, ended, starts)))
        TABLE.parent.mkdir(exist_ok=True)
        put(TABLE, rows.assign(told=told), world=world, seed=seed)
    return [outcome.label for outcome in outcomes if outcome.status == "failed"]


def recipe_of(study: Study, policy: Policy, seed: int, start: Mixture) -> Recipe:
    """Return the run of a policy at a seed, scored on the items that no pilot saw."""
    plain = study.confirming_recipe(start, index=FIRST + seed).model_dump(mode="json")
    plain["evaluation"]["at"] = [round(EARLY * study.recipe.steps)]
    if policy.rule:
        pilots = {"pilots": str(study.folder / "runs.csv"), "benchmarks": study.benchmarks}
        plain["mixture"] = {"rule": policy.rule, "start": start.as_dict(), **(pilots if policy.rule == "ours" else {})}
    return Recipe.model_validate(plain)


def rows_of(
    world: str, study: Study, seed: int, store: Store, keys: Mapping[Policy, str], starts: Mapping[str, Mixture]
) -> Iterator[dict[str, object]]:
    """Yield a row for each finished run: policy, start, scores, and how far what taught was from what was asked."""
    pilots = sum(one.recipe.steps > 0 for one in read_study(study).planned)
    for policy, key in keys.items():
        result = store.result(key)
        early = next(iter(result.earlier.values()), None)
        row: dict[str, object] = {
            "world": world,
            "policy": policy.name,
            "seed": seed,
            "steps": result.steps,
            "pilots": pilots,
        }
        domains = study.recipe.domains
        row |= {f"w.{name}": x for name, x in zip(domains, starts[policy.start].vector(domains), strict=True)}
        row |= {f"score.{name}": score.mean for name, score in result.scores.items()}
        row["early"] = np.mean([early[name].mean for name in study.benchmarks]) if early else None
        row["off"] = max(abs(share - result.effective.get(name, 0.0)) for name, share in result.requested.items())
        yield row


@app.command()
def table() -> None:
    """Print the comparison as Markdown, from the table of runs."""
    if not TABLE.exists():
        sys.exit(f"{TABLE} does not exist: `python benchmarks/online.py run` makes it")
    print("\n".join(lines()))


def lines() -> Iterator[str]:
    """Yield the tables as Markdown, one for each world."""
    runs = pd.read_csv(TABLE)
    for world in WORLDS:
        part = whole_seeds(where(runs, world=world))
        count = part.seed.nunique()
        if count >= LEAST:
            study = load_study(NANO / world / "study.toml")
            seeds = f"{count} matched seeds" if count == SEEDS else f"{count} of {SEEDS} matched seeds, not final"
            yield from ("", f"**{world}, {seeds}**", "")
            yield from compared(part, study.benchmarks, study.held_out)


def whole_seeds(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the seeds at which every policy has one."""
    count = runs.groupby("seed").policy.transform("nunique")
    return pd.DataFrame(runs[count == len(POLICIES)])


def compared(runs: pd.DataFrame, benchmarks: Sequence[str], held_out: Sequence[str]) -> Iterator[str]:
    """Yield a line for each policy: its scores, and its gains over both fixed mixtures with 95 % intervals.

    `off` is the largest difference between a domain's effective share and the one asked for, a mean over seeds.
    """
    heads = ["policy", "Out", "off", "over equal", "over recommended", "Holm's p"]
    heads += ["held out, over recommended", "worst benchmark, over recommended", "pilots pay from"]
    yield from head(heads)
    of_policy = {policy.name: where(runs, policy=policy.name) for policy in POLICIES}
    equal, recommended = of_policy["equal"], of_policy["recommended"]
    gains = {name: gain(mine, recommended, benchmarks) for name, mine in of_policy.items() if name != "recommended"}
    rules = [name for name in gains if name not in FIXED]
    corrected = dict(zip(rules, holm([gains[name][-1] for name in rules]), strict=True))
    for name, mine in of_policy.items():
        cells = [f"{scores(mine, benchmarks).mean():.3f}", f"{mine.off.to_numpy().mean():.2f}"]
        cells.append("" if name == "equal" else interval(gain(mine, equal, benchmarks)))
        if name == "recommended":
            cells += [""] * 5
        else:
            cells += [interval(gains[name]), f"{corrected[name]:.3f}" if name in corrected else ""]
            cells.append(interval(gain(mine, recommended, held_out)))
            cells.append(interval(gain(mine, recommended, benchmarks, worst=True)))
            cells.append(pays(name, mine, gains[name], benchmarks=benchmarks))
        yield f"| {' | '.join((name, *cells))} |"
    better = [name for name in rules if corrected[name] < 0.05 and gains[name][0] > 0]
    told = "told" if runs.told.all() else "could not tell"
    yield from (
        "",
        f"Rules that beat the recommended fixed mixture (Holm's p below .05): {', '.join(better) or 'none'}. "
        f"The pilots alone {told} the recommended mixture from equal shares.",
    )


def pays(policy: str, mine: pd.DataFrame, over: Gain, *, benchmarks: Sequence[str]) -> str:
    """Return from how many runs on the pilots pay for themselves against a policy that needs none, in words.

    The pilots' steps, shared among n runs of the policy, would have brought each of them its present rise a step: they
    pay where that is less than what the recommended mixture is ahead, `over` being what the policy gains on that. The
    rise only falls, which favours the policy. In brackets are the numbers at the ends of the interval of `over`; where
    that includes 0, there is none.
    """
    if policy.startswith("ours") or policy.endswith("recommended"):
        return "needs them too"
    ahead, least, most = -over[0], -over[2], -over[1]
    if most < 0:
        return "never"
    if least <= 0:
        return "not told apart"
    steps = float(mine.steps.mean())
    rise = float((scores(mine, benchmarks).mean(axis=1) - mine.early.to_numpy()).mean())
    if not np.isfinite(rise):
        return "not known"  # a run that ended before the early scoring
    extra = float(mine.pilots.max()) * steps * max(0.0, rise) / ((1 - EARLY) * steps)
    runs, fewest, most_runs = (max(1, int(np.ceil(extra / by))) for by in (ahead, most, least))
    return f"{runs} runs ({fewest} to {most_runs})"


if __name__ == "__main__":
    app()
