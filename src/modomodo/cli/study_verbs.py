"""What the verbs of the command line do and print."""

import json
import sys
import tomllib
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from modomodo.cli.console import (
    err,
    out,
    progress_bar,
    say,
    show_audit,
    show_grades,
    show_prepared,
    show_recommendation,
    show_scores,
    show_validation,
)
from modomodo.config.recipe import Recipe, load_recipe
from modomodo.config.sections import limits
from modomodo.config.study import Study, load_study
from modomodo.config.table_settings import load_grading
from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.mixing.confirmation import KEEP_EQUAL

if TYPE_CHECKING:
    from modomodo.mixing.recommendation import Recommendation


def prepare_data(loaded: Recipe | Study) -> None:
    from modomodo.data.prepared import prepare

    recipe = loaded.recipe if isinstance(loaded, Study) else loaded
    if recipe.prepared is None:
        key = "recipe.prepared" if isinstance(loaded, Study) else "prepared"
        raise ModomodoError(f'the recipe names no folder to prepare: add prepared = "data" to it, or --set {key}=data')
    plain = recipe.model_copy(update={"prepared": None, "exclude": None})
    domains = {name: plain.find(name) for name in used_names(loaded)}
    with err.status("reading") as status:
        found = prepare(domains, recipe.prepared, say=lambda what: status.update(escape(what)))
    show_prepared(found)


def run_audit(loaded: Recipe | Study, path: Path, *, recipe_file: Path) -> None:
    from modomodo.data.contamination import audit
    from modomodo.data.contamination.exclusions import check_writable, contents_of, write_exclusions
    from modomodo.runs.hardware import cores
    from modomodo.runs.inputs import here

    check_writable(path)
    recipe = loaded.recipe if isinstance(loaded, Study) else loaded
    recipe = recipe.model_copy(update={"exclude": None})  # rows on the list stay on it
    found = {name: here(recipe, name) for name in used_names(loaded)}
    if not used_names(loaded, training=False):
        raise ModomodoError("there is no benchmark to look in: name some in evaluation.benchmarks, or give the study")
    absent = [name for name, domain in found.items() if domain is None]
    if absent:
        raise ModomodoError(f"{', '.join(absent)}: not on this machine; run `modomodo data prepare` on the file first")
    present = {name: domain for name, domain in found.items() if domain is not None}
    training = {name: present[name].load("train") for name in recipe.domains}
    benchmarks = {name: present[name].load("test") for name in used_names(loaded, training=False)}
    with progress_bar("pictures") as progress:
        audited = audit(training, benchmarks, progress=progress, processes=cores())
    write_exclusions(audited.matches, path, contents_of(audited.matches, training))
    show_audit(audited, path, beside=recipe_file.parent)


def used_names(loaded: Recipe | Study, *, training: bool = True) -> tuple[str, ...]:
    """Return the names of the benchmarks that a recipe or study uses, after those of its training domains."""
    if isinstance(loaded, Study):
        domains, benchmarks = loaded.recipe.domains, (*loaded.benchmarks, *loaded.held_out, *loaded.in_distribution)
    else:
        domains, benchmarks = loaded.domains, loaded.evaluation.benchmarks
    return tuple(dict.fromkeys((*domains, *benchmarks) if training else benchmarks))


def run_pilots(study: Study) -> None:
    from modomodo.study.pipeline import pilot
    from modomodo.study.plan import pilot_runs

    outcomes = pilot(study, console=err)
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    show_scores(study, pilot_runs(study))
    if failed:
        raise ModomodoError(
            f"{len(failed)} of {len(outcomes)} runs failed ({', '.join(outcome.label for outcome in failed)}); their "
            f"logs are shown above. Run the command again to try them again"
        )


def recommend_for_study(study: Study) -> "Recommendation":
    from modomodo.study.pipeline import is_tested, study_fit, study_recommendation

    with err.status("fitting the surrogate"):
        fitted = study_fit(study)
        found = study_recommendation(study, fitted)
    show_validation(fitted, notes=False)
    show_recommendation(found)
    if is_tested(study, found.mixture):
        say("It has been tested: `modomodo report` shows the confirmation.")
    elif found.mixture.key != found.reference.key:
        say("Predicted, not tested: `modomodo confirm` trains it and equal shares on fresh matched seeds.")
    return found


def runnable(study: Study) -> tuple[dict[str, tuple[float, float]], tuple[Mixture, ...]]:
    """Return the study's caps, tightened to what its training rows last for, and the pilots not finished."""
    from modomodo.study.pipeline import finished_results
    from modomodo.study.plan import pilot_row_caps, pilot_runs

    planned = [one for one in pilot_runs(study) if one.recipe.steps]
    finished = finished_results(study, planned)
    pending = tuple(one.recipe.point() for one in planned if one.label not in finished)
    if pending:
        warnings.warn(
            f"{len(pending)} of the {len(planned)} pilots of {study.name} are not finished: they count as under way "
            "(`modomodo pilot` runs them)",
            stacklevel=2,
        )
    own = limits(study.caps)
    pairs = {name: (*own.get(name, (0.0, 1.0)), lasting) for name, (_, lasting) in pilot_row_caps(study).items()}
    return {name: (least, min(most, lasting)) for name, (least, most, lasting) in pairs.items()}, pending


def run_confirmation(study: Study) -> None:
    from modomodo.study.pipeline import again, count_confirmations, study_confirmation, study_power

    with err.status("fitting the surrogate"):
        power = study_power(study)
    say(f"With {study.confirm.seeds} matched seeds a true gain of {power:.3f} is found 8 times in 10.")
    found = study_confirmation(study, console=err)
    tests = count_confirmations(study)
    if tests > 1:
        say(f"note: {again(tests)}")
    if not found:
        say("The recommended mixture is equal shares: there is nothing to confirm.")
        return
    say(f"On {', '.join(study.benchmarks)}: {found['objective'].sentence}")
    if "held_out" in found:
        say(f"On {', '.join(study.held_out)}, never seen: {found['held_out'].sentence}")
    if not (found["objective"].real and found["objective"].aggregate.gain > 0):
        say(KEEP_EQUAL)


def write_report(study: Study, path: Path | None = None) -> None:
    from modomodo.reports import report

    with err.status("drawing the report"):
        path = report(study, path=path)
    say(f"report: {path}")


def show_conclusion(study: Study) -> None:
    """Print the answer of a study that was confirmed, so that it is the last thing a person reads."""
    from modomodo.reports.evidence import read_evidence
    from modomodo.reports.sections.answer import conclusion

    with err.status("reading"):
        lines = conclusion(read_evidence(study))
    for line in lines:
        say(line)


def run_single(recipe: Recipe, folder: Path) -> None:
    from modomodo.runs.inputs import run_digests
    from modomodo.runs.launch import launch
    from modomodo.runs.local import Processes
    from modomodo.runs.planned import PlannedRun
    from modomodo.runs.store import Store, run_key, single_name
    from modomodo.study.pipeline import RUN

    store = Store(folder)
    with err.status("reading rows and model"):
        digests = run_digests([recipe])
    label = single_name(run_key(recipe, digests)) if recipe.steps else recipe.model
    planned = [PlannedRun(label, recipe)]
    (outcome,) = launch(planned, store, digests=digests, run=RUN, workers=Processes(1), console=err)
    if outcome.status == "failed":
        raise ModomodoError(f"the run failed, as said above; its folder is {store.path(outcome.key)}")
    result: Any = store.result(outcome.key)
    table = Table("benchmark", "mean", "standard error", "n", "unparsed")
    for name, score in result["scores"].items():
        table.add_row(
            escape(name), f"{score['mean']:.3f}", f"{score['se']:.3f}", str(score["n"]), f"{score['unparsed']:.0%}"
        )
    out.print(table)
    say(f"run: {store.path(outcome.key)}")


def load_either(file: Path, sets: Sequence[str]) -> Recipe | Study:
    return load_study(file, sets) if is_study(file) else load_recipe(file, sets)


def is_study(file: Path) -> bool:
    try:
        return "recipe" in tomllib.loads(file.read_text())
    except (OSError, ValueError, RecursionError):
        return False  # load_recipe says what is wrong with the file


def folder_of(file: Path) -> Path:
    """Return where a single run goes: the folder of a study, so that its report shows the run; for a recipe here."""
    return load_study(file).folder if is_study(file) else Path()


def recipe_of(file: Path, sets: Sequence[str]) -> Recipe:
    wanted = "mixture=recommended"
    recipe = load_recipe(file, [item for item in sets if item != wanted])
    if wanted not in sets:
        return recipe
    from modomodo.study.pipeline import study_mixture

    return recipe.model_copy(update={"mixture": study_mixture(load_study(file)).as_dict()})


def play_rows(recipe: Recipe) -> None:
    from modomodo.cli.play import play

    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison]
        raise ModomodoError("standard input is closed: there is nobody to answer")

    def ask() -> str | None:
        try:
            return input("> ")
        except EOFError:
            return None

    answered, mean = play(recipe, ask=ask, say=say)
    out.print(f"{answered} answered, mean reward {mean:.2f}", highlight=False)


def grade_file(file: Path, sets: Sequence[str]) -> int:
    """Write the graded lines of a file to standard output, and return how many lines could not be read."""
    from modomodo.verifiers.completions import grade_lines, open_lines

    mode = load_grading(sets).mode
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]
        raise ModomodoError("standard output is closed: graded lines have nowhere to go")
    tally: Counter[tuple[str, str]] = Counter()
    rewards: defaultdict[str, float] = defaultdict(float)
    with open_lines(file, console=err) as lines:
        for one in grade_lines(lines, mode=mode):
            if one.line is None or one.verdict is None:
                tally["malformed", ""] += 1
                say(f"{file} line {one.number}: {one.problem}", console=err)
                continue
            sys.stdout.write(json.dumps(one.line) + "\n")
            tally[one.line["verifier"], one.verdict.status] += 1
            rewards[one.line["verifier"]] += one.verdict.reward or 0.0
    sys.stdout.flush()
    show_grades(tally, rewards)
    return tally["malformed", ""]


def pretrain_nano(folder: Path, *, model: str, seed: int) -> None:
    from rich.progress import Progress, TextColumn, TimeRemainingColumn

    from modomodo.models.nano.pretrain import PHASES, SECOND_PHASE, pretrain, pretrain_second

    make, phases = (pretrain, PHASES) if model == "nano" else (pretrain_second, (SECOND_PHASE,))
    columns = (*Progress.get_default_columns()[:-1], TimeRemainingColumn(), TextColumn("{task.fields[loss]}"))
    with Progress(*columns) as bar:
        tasks = {phase.name: bar.add_task(phase.name, total=phase.steps, loss="") for phase in phases}

        def progress(phase: str, step: int, loss: float) -> None:
            bar.update(tasks[phase], completed=step, loss=f"loss {loss:.3f}")

        checkpoint = make(folder, seed=seed, progress=progress)
    say(f"checkpoint: {checkpoint}")
