"""What a reader of the report should know before believing it: one sentence each."""

from collections.abc import Sequence

from modomodo.core.errors import count
from modomodo.core.mixture import Mixture
from modomodo.reports.evidence import Evidence
from modomodo.reports.html.blocks import link_to
from modomodo.reports.html.markup import Child, el, join
from modomodo.reports.numbers.formats import number, number_format
from modomodo.study.answer import again, count_confirmations
from modomodo.study.results import FinishedRun

UNPARSED = 0.2  # share of completions that did not parse, above which a score tells of the format, not the skill
OFF = 0.05  # total variation between the requested and the realised mixture


def cautions(evidence: Evidence) -> list[Child]:
    """Return the sentences, none where all is as planned."""
    return [*_plan(evidence), *_surrogate(evidence), *_training(evidence), *_scores(evidence)]


def _plan(evidence: Evidence) -> list[Child]:
    found: list[Child] = [*_unfinished(evidence)]
    unplanned = [run for run in evidence.runs if not run.labels and run.kind not in ("base", "single")]
    if unplanned:
        runs, are = count(len(unplanned), "run"), _are(len(unplanned))
        found.append(f"{runs} in the folder {are} of no present plan, shown here and counted as cost.")
    single = len(evidence.of_kind("single"))
    if single:
        found.append(
            f"{count(single, 'run')} of `modomodo train` {_are(single)} shown with the others and counted as cost; "
            "nothing is recommended from single runs."
        )
    mixture, tested = evidence.recommended(), evidence.confirmation
    if mixture is not None and tested is not None and mixture.distance(tested.mixture) > 1e-6:
        found.append(
            f"The confirmation tested another mixture ({tested.mixture}) than the one now recommended: "
            "run `modomodo confirm` again."
        )
    tests = count_confirmations(evidence.study)
    if tests > 1:
        found.append(again(tests))
    return found


def _unfinished(evidence: Evidence) -> list[str]:
    """Return a sentence for each reason why runs have no result."""
    labels: dict[str, list[str]] = {}
    for label, why in evidence.unfinished.items():
        labels.setdefault(why, []).append(label)
    planned = [f"{', '.join(names)} {_are(len(names))} planned and {why}." for why, names in labels.items()]
    return [*planned, *(f"{name} (`modomodo train`) {why}." for name, why in evidence.failed.items())]


def _surrogate(evidence: Evidence) -> list[Child]:
    found: list[Child] = []
    fitted, recommendation = evidence.fitted, evidence.recommendation
    if fitted is not None and recommendation is not None:
        now = len(fitted.runs.labels_N)
        if now != recommendation.runs:
            before = count(recommendation.runs, "run")
            found.append(f"The recommendation was made from {before}; there {_are(now)} {now} now.")
        figures = {one.name: one for one in fitted.validation()}.get(recommendation.objective)
        if figures is not None and not figures.r2 > 0:
            found.append(
                f"The surrogate predicts {figures.name} of mixtures it has not seen no better than the mean of all "
                f"runs does (R² {figures.r2:.2f}): its predicted gain is a guess, the matched seeds are the evidence."
            )
    notes = [*(fitted.notes if fitted else ()), *(recommendation.notes if recommendation else ())]
    return [*found, *(f"{note[:1].upper()}{note[1:]}." for note in dict.fromkeys(notes))]


def _training(evidence: Evidence) -> list[Child]:
    found: list[Child] = []
    for run in evidence.runs:
        if run.exhausted:
            stopped = f" stopped after {count(run.steps, 'step')}: {run.exhausted} ran out of rows."
            found.append(join(link_to(run), stopped))
    off = [run for run in evidence.runs if run.realised and _asked(run).distance(Mixture.of(run.realised)) > OFF]
    if off:
        found.append(
            join(f"More than {OFF:.0%} of the prompts are not where the mixture puts them in ", *_links(off), ".")
        )
    versions = {tuple(sorted(run.versions.items())) for run in evidence.runs if run.versions}
    if len(versions) > 1:
        found.append(el("a", "The runs were made with different versions of packages.", href="#repeat"))
    return found


def _asked(run: FinishedRun) -> Mixture:
    """Return the mixture that a run asked for over its whole length."""
    return Mixture.of(run.requested) if run.requested else run.mixture


def _scores(evidence: Evidence) -> list[Child]:
    found: list[Child] = []
    for run in evidence.runs:
        for name, score in run.scores.items():
            are, shown = _are(score.ungradable), number_format([score.mean, score.worst_case])
            if score.ungradable:
                found.append(
                    join(
                        link_to(run),
                        f": {count(score.ungradable, 'item')} of {name} could not be graded and {are} left out "
                        f"(score {number(score.mean, shown)}; {number(score.worst_case, shown)} with 0 for what was "
                        "not graded).",
                    )
                )
    trained = [run for run in evidence.runs if run.kind != "base"]
    bad = [run for run in trained if any(score.unparsed > UNPARSED for score in run.scores.values())]
    if bad:
        found.append(
            join(f"More than {UNPARSED:.0%} of the completions to a benchmark did not parse in ", *_links(bad), ".")
        )
    return found


def _links(runs: Sequence[FinishedRun]) -> list[Child]:
    links: list[Child] = [part for run in runs for part in (link_to(run), ", ")]
    return links[:-1]


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
