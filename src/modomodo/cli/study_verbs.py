"""What the verbs of the command line do and print."""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

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
    show_problems,
    show_scores,
    show_step,
)
from modomodo.cli.mixture_tables import show_plan, show_proposals, show_recommendation, show_validation
from modomodo.config.domains import recipe_domain
from modomodo.config.recipe import Recipe
from modomodo.config.study import Study
from modomodo.config.table_settings import load_grading
from modomodo.core.errors import ModomodoError
from modomodo.mixing.confirmation import KEEP_EQUAL

if TYPE_CHECKING:
    from modomodo.mixing.fitted import Fitted
    from modomodo.mixing.proposal import Proposals
    from modomodo.mixing.recommendation import Recommendation
    from modomodo.study.results import StudyRuns
    from modomodo.study.single import SingleRun


def prepare_data(loaded: Recipe | Study) -> None:
    from modomodo.data.prepared import prepare

    recipe = loaded.recipe if isinstance(loaded, Study) else loaded
    if recipe.prepared is None:
        key = "recipe.prepared" if isinstance(loaded, Study) else "prepared"
        raise ModomodoError(f'the recipe names no folder to prepare: add prepared = "data" to it, or --set {key}=data')
    plain = recipe.model_copy(update={"prepared": None, "exclude": None})
    domains = {name: recipe_domain(plain, name) for name in used_names(loaded)}
    with err.status("reading") as status:
        prepared_sets = prepare(domains, recipe.prepared, say=lambda what: status.update(escape(what)))
    show_prepared(prepared_sets)


def run_checks(loaded: Recipe | Study, file: Path) -> int:
    """Print what is wrong with a recipe or a study, and return how many errors there are."""
    from modomodo.study.preflight import check_recipe, check_study

    with err.status("reading") as status:

        def say_what(what: str) -> None:
            status.update(f"checking {escape(what)}")

        found = check_study(loaded, say=say_what) if isinstance(loaded, Study) else check_recipe(loaded, say=say_what)
    return show_problems(file, found)


def run_audit(loaded: Recipe | Study, path: Path, *, recipe_file: Path) -> None:
    from modomodo.data.contamination import audit
    from modomodo.data.contamination.exclusions import check_writable, contents_of, write_exclusions
    from modomodo.runs.hardware import cores
    from modomodo.runs.inputs import here

    check_writable(path)
    recipe = loaded.recipe if isinstance(loaded, Study) else loaded
    recipe = recipe.model_copy(update={"exclude": None})  # rows on the list stay on it
    domains = {name: here(recipe, name) for name in used_names(loaded)}
    if not used_names(loaded, training=False):
        raise ModomodoError("there is no benchmark to look in: name some in evaluation.benchmarks, or give the study")
    absent = [name for name, domain in domains.items() if domain is None]
    if absent:
        raise ModomodoError(f"{', '.join(absent)}: not on this machine; run `modomodo data prepare` on the file first")
    present = {name: domain for name, domain in domains.items() if domain is not None}
    training = {name: present[name].load("train") for name in recipe.domains}
    benchmarks = {name: present[name].load("test") for name in used_names(loaded, training=False)}
    with progress_bar("pictures") as progress:
        audited = audit(training, benchmarks, progress=progress, processes=cores())
    write_exclusions(audited.matches, path, contents_of(audited.matches, training))
    show_audit(audited, path, beside=recipe_file.parent)


def run_worth(loaded: Recipe | Study) -> int:
    """Print what the sets of a recipe or a study would pay for, and return how many errors were found."""
    from modomodo.cli.audit_table import show_worth
    from modomodo.study.preflight import audit_file

    with progress_bar("auditing") as progress:
        audited = audit_file(loaded, progress=progress)
    return show_worth(audited)


def run_worth_of_data(data: Path) -> int:
    """Print what rows would pay for that no recipe reads yet, and return how many errors there are."""
    from modomodo.cli.audit_table import show_worth
    from modomodo.cli.init.start import plan_of
    from modomodo.cli.init.trial import source_of
    from modomodo.core.rows import View
    from modomodo.data.sources.columns import domain_of
    from modomodo.study.checks.audit import audit_domain

    plan = plan_of(data, Path())
    source = source_of(plan, unusable=len(plan.table.rows))
    with progress_bar("auditing") as progress:
        audited = audit_domain(domain_of(plan.name, source), View(mode="standard"), progress=progress)
    say(f"{data}: verifier {source.verifier}, because of the {plan.suggestion.why}; read as `modomodo init` would")
    return show_worth(audited)


def used_names(loaded: Recipe | Study, *, training: bool = True) -> tuple[str, ...]:
    """Return the names of the benchmarks that a recipe or study uses, after those of its training domains."""
    if isinstance(loaded, Study):
        domains, benchmarks = loaded.recipe.domains, (*loaded.benchmarks, *loaded.held_out, *loaded.in_distribution)
    else:
        domains, benchmarks = loaded.domains, loaded.evaluation.benchmarks
    return tuple(dict.fromkeys((*domains, *benchmarks) if training else benchmarks))


def run_pilots(study: Study, *, most: int | None = None) -> None:
    from modomodo.study.pipeline import pilot, read_study

    outcomes = pilot(study, console=err, most=most)
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    show_scores(read_study(study))
    if failed:
        raise ModomodoError(
            f"{len(failed)} of {len(outcomes)} runs failed ({', '.join(outcome.label for outcome in failed)}); their "
            f"logs are shown above. Run the command again to try them again"
        )


def fit_study(study: Study) -> "tuple[StudyRuns, Fitted]":
    from modomodo.study.pipeline import read_study

    with err.status("fitting the surrogate"):
        runs = read_study(study)
        return runs, runs.fit()


def recommend_for_study(study: Study) -> "Recommendation":
    from modomodo.study.answer import is_tested
    from modomodo.study.pipeline import study_recommendation

    runs, fitted = fit_study(study)
    with err.status("searching for the best mixture"):
        recommendation = study_recommendation(runs, fitted)
    show_validation(fitted, notes=False)
    show_recommendation(recommendation)
    if is_tested(study, recommendation.mixture):
        say("It has been tested: `modomodo report` shows the confirmation.")
    elif recommendation.mixture.key != recommendation.reference.key:
        say("Predicted, not tested: `modomodo confirm` trains it and equal shares on fresh matched seeds.")
    return recommendation


def propose_for_study(study: Study, *, file: Path) -> "Proposals":
    from modomodo.study.proposal import study_proposals

    runs, fitted = fit_study(study)
    with err.status("weighing mixtures"):
        proposals = study_proposals(runs, fitted)
    show_proposals(proposals, study=file)
    return proposals


def show_confirmation_plan(study: Study) -> None:
    """Print what more or fewer matched seeds would find, before any of them runs."""
    from modomodo.study.pipeline import plan_confirmation, read_study

    with err.status("fitting the surrogate"):
        plan = plan_confirmation(read_study(study))
    show_plan(plan)


def run_confirmation(study: Study) -> None:
    from modomodo.study.answer import again, count_confirmations
    from modomodo.study.pipeline import plan_confirmation, read_study, study_confirmation

    with err.status("fitting the surrogate"):
        plan = plan_confirmation(read_study(study))
    if plan.needed:
        *before, most = map(str, study.confirm.looks)
        looked_at = f", looked at after {', '.join(before)} and {most}," if before else ""
        say(f"With {most} matched seeds{looked_at} a true gain of {plan.detectable:.3f} is found 8 times in 10.")
    confirmation = study_confirmation(plan, console=err)
    if confirmation is None:
        say("The recommended mixture is equal shares: there is nothing to confirm.")
        return
    tests = count_confirmations(study)
    if tests > 1:
        say(f"note: {again(tests)}")
    say(f"On {', '.join(study.benchmarks)}: {confirmation.objective.sentence}")
    if confirmation.held_out is not None:
        say(f"On {', '.join(study.held_out)}, never seen: {confirmation.held_out.sentence}")
    if not confirmation.objective.gained:
        say(KEEP_EQUAL)


def write_report(study: Study, path: Path | None = None) -> None:
    from modomodo.reports.page import report

    with err.status("drawing the report"):
        path = report(study, path=path)
    say(f"report: {path}")


def run_whole_study(study: Study) -> None:
    """Run every step of a study, and print its answer last."""
    show_step(1, f"Pilots: the base model, and runs of the {study.design} design")
    run_pilots(study)
    show_step(2, "Surrogate and recommendation")
    recommend_for_study(study)
    show_step(3, "Confirmation: fresh matched seeds against equal shares")
    run_confirmation(study)
    show_step(4, "Report")
    write_report(study)
    say("Open it in a browser. docs/tutorial.md explains each part, and README.md says how to bring your own data.")
    show_step(5, "The answer")
    show_conclusion(study)


def show_conclusion(study: Study) -> None:
    """Print the answer of a study that was confirmed, so that it is the last thing a person reads."""
    from modomodo.reports.evidence import read_evidence
    from modomodo.reports.sections.answer import conclusion

    with err.status("reading"):
        lines = conclusion(read_evidence(study))
    for line in lines:
        say(line)


def show_single(single: "SingleRun") -> None:
    """Carry out a run alone, and print its scores."""
    from modomodo.study.single import run_single

    single_result = run_single(single, console=err)
    table = Table("benchmark", "mean", "standard error", "n", "unparsed")
    for name, score in single_result.result.scores.items():
        table.add_row(escape(name), f"{score.mean:.3f}", f"{score.se:.3f}", str(score.n), f"{score.unparsed:.0%}")
    out.print(table)
    say(f"run: {single_result.folder}")


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
    from modomodo.verifiers.grade_file import grade_lines, open_lines

    mode = load_grading(sets).mode
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]
        raise ModomodoError("standard output is closed: graded lines have nowhere to go")
    tally: Counter[tuple[str, str]] = Counter()
    rewards: defaultdict[str, float] = defaultdict(float)
    with open_lines(file, console=err) as lines:
        for graded in grade_lines(lines, mode=mode):
            if graded.line is None or graded.verdict is None:
                tally["malformed", ""] += 1
                say(f"{file} line {graded.number}: {graded.problem}", console=err)
                continue
            sys.stdout.write(json.dumps(graded.line) + "\n")
            tally[graded.line["verifier"], graded.verdict.status] += 1
            rewards[graded.line["verifier"]] += graded.verdict.reward or 0.0
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
