"""A study from its pilots to its confirmation: each step reads what the one before left in the study's folder.

runs/KEY/            one folder a run (runs/store.py)
labels.json          label -> key of the planned runs
runs.csv             the table of pilots, as any surrogate reads it
recommendation.json  the mixture recommended
confirmation.json    matched seeds of it and of equal shares
confirmations.jsonl  every confirmation that was ever made, a line each
report.html          all of it
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console

from modomodo.config.recipe import digest
from modomodo.config.sections import limits
from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError
from modomodo.core.files import locked, read_json, write_json, write_text
from modomodo.core.mixture import Mixture
from modomodo.mixing import Fitted, Runs, fit, write_runs
from modomodo.mixing.confirmation import Confirmation, confirm, detectable_difference
from modomodo.mixing.recommendation import Recommendation, recommend, recommended_mixture
from modomodo.runs.inputs import run_digests
from modomodo.runs.launch import Outcome, Workers, launch
from modomodo.runs.local import Processes
from modomodo.runs.planned import PlannedRun
from modomodo.runs.ray_cluster import Fleet
from modomodo.runs.store import LABELS, Store, run_key
from modomodo.study.plan import confirmation_runs, pilot_runs

RUN = "modomodo.runs.run:run_recipe"
OUT = "out"  # the aggregate that a study maximises: the mean over its benchmarks, by items


def pilot(study: Study, *, console: Console | None = None) -> tuple[Outcome, ...]:
    """Return how each planned run of the study ended, after running those that are missing; writes runs.csv.

    Raises ModomodoError when the study's folder cannot be written; a failed run does not raise.
    """
    outcomes = _launch(study, pilot_runs(study), console=console)
    runs = study_runs(study)
    if runs is not None:
        write_runs(runs, study.folder / "runs.csv")
    return outcomes


def study_runs(study: Study) -> Runs | None:
    """Return the table of the study's finished pilots, None when there is none; the base run is no pilot."""
    planned = [one for one in pilot_runs(study) if one.recipe.steps]
    # Two labels may name one run (with two domains, `single:a` is `exclude:b`): it counts once.
    by_key = {result["key"]: (label, result) for label, result in reversed(finished_results(study, planned).items())}
    rows = dict(reversed(by_key.values()))
    if not rows:
        return None
    names = (*study.benchmarks, *study.in_distribution)
    domains = study.recipe.domains

    def table(field: str) -> np.ndarray:
        return np.array([[float(result["scores"][name][field]) for name in names] for result in rows.values()])

    return Runs(
        domains=domains,
        benchmarks=names,
        X_ND=np.array([[result["mixture"].get(name, 0.0) for name in domains] for result in rows.values()]),
        y_NB=table("mean"),
        se_NB=table("se"),
        n_NB=table("n"),
        seeds_N=tuple(int(result["seed"]) for result in rows.values()),
        steps_N=tuple(int(result["steps"]) for result in rows.values()),
        labels_N=tuple(rows),
        source=f"study {study.name}",
    )


def study_fit(study: Study) -> Fitted:
    """Return the study's surrogate: one per benchmark, and the aggregate `out` (and `in`, where the study has one).

    Raises ModomodoError when no pilot has finished, or too few.
    """
    runs = study_runs(study)
    if runs is None:
        raise ModomodoError(f"study {study.name} has no finished pilot in {study.folder}: `modomodo pilot` runs them")
    groups = {OUT: study.benchmarks, **({"in": study.in_distribution} if study.in_distribution else {})}
    items = {name: float(np.nanmedian(runs.n_NB[:, index])) for index, name in enumerate(runs.benchmarks)}
    aggregates = {group: {name: items[name] for name in names} for group, names in groups.items()}
    return fit(runs, surrogate=study.surrogate, aggregates=aggregates, seed=study.seed)


def study_recommendation(study: Study, fitted: Fitted | None = None) -> Recommendation:
    """Return the mixture with the highest expected Out-score under the study's caps; writes recommendation.json.

    `fitted` is the study's surrogate, where it is at hand.
    """
    fitted = fitted or study_fit(study)
    planned = [one for one in pilot_runs(study) if one.recipe.steps]
    missing = len(planned) - len(finished_results(study, planned))
    if missing:
        warnings.warn(
            f"{missing} of the {len(planned)} pilots of {study.name}, as its file stands now, are not finished: "
            "`modomodo pilot` runs them",
            stacklevel=2,
        )
    found = recommend(fitted, objective=OUT, caps=limits(study.caps), parsimony=study.parsimony, seed=study.seed)
    write_json(study.folder / "recommendation.json", {**found.as_dict(), "pilots": _pilots(study)})
    return found


def study_mixture(study: Study) -> Mixture:
    """Return the mixture of the study's recommendation.json.

    Raises ModomodoError when there is none, or when it was made from other pilots than those finished now.
    """
    table = read_json(study.folder / "recommendation.json")
    if table is None:
        raise ModomodoError(
            f"study {study.name} has no recommendation yet ({study.folder / 'recommendation.json'} does not exist): "
            "run `modomodo recommend` on it first"
        )
    if table.get("pilots") != _pilots(study):
        raise ModomodoError(
            f"{study.folder / 'recommendation.json'} was not made from the pilots that are finished now: "
            "run `modomodo recommend` again"
        )
    return recommended_mixture(table)


def study_power(study: Study) -> float:
    """Return the smallest true gain on `out` that the study's confirmation finds with probability 0.8.

    To be said before the confirmation runs; from the noise of one run that the surrogate learned from the pilots.
    """
    mixture = study_mixture(study)
    fitted = study_fit(study)
    column = fitted.index(OUT)
    predicted = fitted.predict(mixture.vector(fitted.runs.domains)[None])
    noise = predicted.sd_NK[0, column] ** 2 - predicted.sd_mean_NK[0, column] ** 2
    return detectable_difference(float(np.sqrt(max(noise, 0.0))), seeds=study.confirm.seeds)


def study_confirmation(study: Study, *, console: Console | None = None) -> dict[str, Confirmation]:
    """Return the matched-seed tests of the recommended mixture against equal shares, after running what is missing.

    `objective` is over the study's benchmarks; `held_out`, where the study has any, over those no surrogate ever saw.
    Writes confirmation.json. Empty when the recommended mixture is equal shares itself: there is nothing to confirm.
    Raises ModomodoError when there is no recommendation, or a run of the test failed.
    """
    mixture, equal = study_mixture(study), Mixture.uniform(study.recipe.domains)
    if mixture.key == equal.key:
        (study.folder / "confirmation.json").unlink(missing_ok=True)
        return {}
    power = study_power(study)
    planned = confirmation_runs(study, mixture)
    failed = [outcome for outcome in _launch(study, planned, console=console) if outcome.status == "failed"]
    if failed:
        raise ModomodoError(
            f"{len(failed)} of {len(planned)} runs of the confirmation failed, {failed[0].label} first; "
            f"run the command again to try them again\n{failed[0].message}"
        )
    found = {"objective": _matched(study, planned, study.benchmarks)}
    if study.held_out:
        found["held_out"] = _matched(study, planned, study.held_out)
    tables = {name: confirmation.as_dict() for name, confirmation in found.items()}
    whole = {"detectable": power, "mixture": mixture.as_dict(), **tables}
    write_json(study.folder / "confirmation.json", whole)
    _remember(study, whole)
    return found


def is_tested(study: Study, mixture: Mixture) -> bool:
    """Return whether the study's confirmation.json is of this mixture."""
    found = read_json(study.folder / "confirmation.json")
    return found is not None and Mixture.of(found["mixture"]).key == mixture.key


def count_confirmations(study: Study) -> int:
    """Return how many different confirmations the study has seen, on the same items."""
    path = study.folder / "confirmations.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


def again(tests: int) -> str:
    """Return the caution about a confirmation that is not the first."""
    return (
        f"this is confirmation {tests} of this study on the same items; of 20 tests of mixtures that are no better, "
        "one looks real by chance. All of them are in confirmations.jsonl."
    )


def finished_results(study: Study, planned: Sequence[PlannedRun]) -> dict[str, dict[str, Any]]:
    """Return label -> result of those of the planned runs that are finished.

    A run that was made under another state of the study's file does not count.
    """
    store = Store(study.folder)
    keys = store.labels()
    found: dict[str, dict[str, Any]] = {}
    for one in planned:
        key = keys.get(one.label)
        if key is not None and store.finished(key) and store.recipe(key).identity() == one.recipe.identity():
            found[one.label] = dict(store.result(key))
    return found


def mean_score(scores: Sequence[Mapping[str, float]]) -> tuple[float, float]:
    """Return the mean of several benchmarks' scores, weighted by items, and its standard error over items."""
    total = sum(score["n"] for score in scores)
    mean = sum(score["mean"] * score["n"] for score in scores) / total
    return mean, float(np.sqrt(sum((score["se"] * score["n"]) ** 2 for score in scores))) / total


def _pilots(study: Study) -> str:
    """Return a hash of the finished pilots that a recommendation is made from."""
    planned = [one for one in pilot_runs(study) if one.recipe.steps]
    return digest(sorted(str(result["key"]) for result in finished_results(study, planned).values()))


def _remember(study: Study, whole: Mapping[str, Any]) -> None:
    """Add a confirmation to confirmations.jsonl unless it stands there: trying until one looks real must show."""
    path = study.folder / "confirmations.jsonl"
    earlier = path.read_text().splitlines() if path.exists() else []
    # The rest follows from these, but for last digits that hang on the machine.
    if _tested(whole) not in [_tested(json.loads(line)) for line in earlier]:
        write_text(path, "\n".join([*earlier, json.dumps(whole)]) + "\n")


def _tested(whole: Mapping[str, Any]) -> tuple[str, list[int]]:
    """Return the key of the mixture that a confirmation tested, and its seeds."""
    return Mixture.of(whole["mixture"]).key, list(whole["objective"]["seeds"])


def _launch(study: Study, planned: Sequence[PlannedRun], *, console: Console | None) -> tuple[Outcome, ...]:
    console = console or Console(stderr=True)
    with console.status("reading rows and model"):
        digests = run_digests([one.recipe for one in planned])
    store = Store(study.folder)
    store.make()
    with locked(study.folder / "labels.lock"):  # two launchers may work on one study
        labels = store.labels() | {one.label: run_key(one.recipe, digests) for one in planned}
        write_json(study.folder / LABELS, labels)
    return launch(planned, store, digests=digests, run=RUN, workers=_workers(study), console=console)


def _workers(study: Study) -> Workers:
    if study.launcher.kind == "ray":
        return Fleet(study.launcher, Store(study.folder))
    # A run of verl takes its whole cluster.
    return Processes(1 if study.recipe.engine == "verl" else study.processes)


def _matched(study: Study, planned: Sequence[PlannedRun], benchmarks: Sequence[str]) -> Confirmation:
    results = finished_results(study, planned)
    pairs = [
        [results[f"confirm:{name}#{i + 1}"] for i in range(study.confirm.seeds)] for name in ("recommended", "equal")
    ]
    recommended_SB, equal_SB = (
        np.array([[result["scores"][name]["mean"] for name in benchmarks] for result in side]) for side in pairs
    )
    return confirm(
        recommended_SB,
        equal_SB=equal_SB,
        seeds=[int(result["seed"]) for result in pairs[0]],
        benchmarks=benchmarks,
        weights={name: float(pairs[0][0]["scores"][name]["n"]) for name in benchmarks},
    )
