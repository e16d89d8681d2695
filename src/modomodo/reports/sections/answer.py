"""The first section: the mixture, what it gains, how sure that is, and what it cost."""

from collections.abc import Mapping
from dataclasses import replace

from modomodo.core.errors import count
from modomodo.mixing.confirmation import KEEP_EQUAL, Confirmation
from modomodo.mixing.recommendation import Recommendation
from modomodo.reports.evidence import Evidence
from modomodo.reports.figures.of_runs import Gain, gain_format, gains_figure, measured_gain, mixture_figure
from modomodo.reports.html.blocks import BARS, EQUAL, MARKS, SAME, Section, explained, figure_block, grid, until_tested
from modomodo.reports.html.markup import Child, Html, el, left_out, prose, table
from modomodo.reports.numbers.formats import number, signed
from modomodo.reports.sections.cautions import cautions
from modomodo.reports.sections.reasons import domain_reasons
from modomodo.study.results import OUT, Kind

REASONS = "Which domains were dropped or raised, and what the pilots say of each:"
COSTS: dict[Kind, str] = {
    "pilot": "for pilots",
    "confirmation": "for the confirmation",
    "single": "by `train`",
    "base": "for the model as it was",
}


def answer_section(evidence: Evidence) -> Section:
    """Return the answer first: recommendation, confirmation, held-out benchmarks, cost, and what to mind."""
    body: list[Child] = [*_lead(evidence)]
    mixture = evidence.recommended()
    if mixture is not None:
        shares = figure_block(mixture_figure(mixture, reference=evidence.equal), note=MARKS.format(reference=EQUAL))
        gains = figure_block(
            gains_figure(headline_gains(evidence)),
            note="Predicted by the surrogate; measured with fresh seeds, on the benchmarks and on held-out ones. "
            + BARS,
        )
        body.append(grid(shares, gains))
    if is_told_apart(evidence):
        reasons = [prose(reason.sentence) for reason in domain_reasons(evidence)]
        body += [el("h3", "Why these shares"), el("p", REASONS), el("ul", *(el("li", one) for one in reasons))]
    if evidence.of_kind("pilot", "confirmation"):
        body += [el("h3", "Held-out benchmarks"), _held_out(evidence)]
    if evidence.runs:
        body += [el("h3", "What it cost"), _cost(evidence)]
    notes = cautions(evidence)
    if notes:
        body.append(el("aside", el("h3", "Read it with this in mind"), el("ul", *map(_item, notes))))
    return Section("answer", "Answer", "The answer", tuple(body))


def is_told_apart(evidence: Evidence) -> bool:
    """Return whether the recommended mixture was confirmed to be better or, untested, is expected to be, surely.

    Only then are there reasons to give for its shares: where nothing can be told, they are a guess.
    """
    if evidence.confirmation is not None:
        return evidence.confirmation.objective.gained
    recommendation = evidence.recommendation
    return recommendation is not None and recommendation.distinguishable and recommendation.gain > 0


def conclusion(evidence: Evidence) -> list[str]:
    """Return in sentences what equal shares cost, what was recommended, what it gained, and why."""
    tests, mixture = evidence.confirmation, evidence.recommended()
    if mixture is not None and mixture.distance(evidence.equal) < SAME:
        return [f"The recommended mixture is equal shares. {KEEP_EQUAL}"]
    if tests is None or mixture is None:
        return []
    whole = tests.objective.aggregate
    names = ", ".join(evidence.study.benchmarks)
    lines = [
        f"Equal shares score {whole.equal:.3f} on {names}; the recommended mixture scores "
        f"{whole.recommended:.3f}, over {len(tests.seeds)} fresh seeds each.",
        f"Recommended: {mixture}.",
        tests.objective.sentence,
    ]
    ended = equal_ended_early(evidence)
    lines += [] if ended is None else [ended]
    if tests.held_out is not None:
        lines.append(f"On {', '.join(evidence.study.held_out)}, seen by no surrogate: {tests.held_out.sentence}")
    if not is_told_apart(evidence):
        return [*lines, KEEP_EQUAL]
    return [*lines, REASONS, *(f"  {reason.sentence}" for reason in domain_reasons(evidence))]


def equal_ended_early(evidence: Evidence) -> str | None:
    """Return the sentence that equal shares ran out of rows, where they did in the confirmation."""
    runs = [pair.equal for pair in evidence.pairs() if pair.equal.exhausted is not None]
    if not runs:
        return None
    steps = evidence.study.recipe.steps
    return (
        f"Equal shares ended after {runs[0].steps} of {count(steps, 'step')}, when {runs[0].exhausted} ran out of "
        "rows: part of what they cost is the steps they could not take."
    )


def headline_gains(evidence: Evidence) -> list[Gain]:
    """Return the predicted gain, and the measured ones on the study's and on the held-out benchmarks."""
    gains: list[Gain] = []
    predicted, tests = evidence.recommendation, evidence.confirmation
    if predicted is not None:
        gains.append(Gain("predicted", predicted.gain, predicted.gain_lo90, predicted.gain_hi90))
    if tests is not None:
        gains.append(measured_gain(replace(tests.objective.aggregate, name="measured")))
    if tests is not None and tests.held_out is not None:
        gains.append(measured_gain(replace(tests.held_out.aggregate, name="held out")))
    return gains


def _lead(evidence: Evidence) -> list[Html]:
    """Return what is there, the most conclusive first, and what to do next."""
    tests, recommendation = evidence.confirmation, evidence.recommendation
    unsure = el("b", "Not confirmed yet. ", cls="badge unsure")
    if tests is not None:
        ended = equal_ended_early(evidence)
        early = [] if ended is None else [el("p", ended)]
        return [*_verdict(tests.objective), *early, _recommendation(evidence)]
    if recommendation is not None:
        lead = el("p", unsure, recommendation.sentence, cls="lead")
        kept = _untested(evidence, recommendation)
        return [lead, el("p", kept, prose(evidence.missing["confirmation"]), *_detail(evidence, recommendation))]
    pilots, single = len(evidence.of_kind("pilot")), len(evidence.of_kind("single"))
    if pilots:
        lead = el("p", unsure, f"{count(pilots, 'pilot')} finished.", cls="lead")
        return [lead, el("p", prose(evidence.missing["fit" if evidence.fitted is None else "recommendation"]))]
    there = f"{count(single, 'run')} of `modomodo train` finished." if single else "Nothing is trained yet."
    then = "Next, `modomodo pilot` runs the pilots that a recommendation needs."
    return [el("p", prose(there), cls="lead"), el("p", prose(then))]


def _verdict(test: Confirmation) -> list[Html]:
    if not test.real:
        badge = el("b", "Not distinguishable ", cls="badge unsure")
    elif test.gained:
        badge = el("b", "Confirmed ", cls="badge good")
    else:
        badge = el("b", "Refuted ", cls="badge bad")
    kept = [] if test.gained else [el("p", el("b", KEEP_EQUAL))]
    return [el("p", badge, test.sentence, cls="lead"), *kept]


def _untested(evidence: Evidence, recommendation: Recommendation) -> Html | None:
    if recommendation.distinguishable or recommendation.mixture.distance(evidence.equal) < SAME:
        return None
    return until_tested(EQUAL)


def _item(sentence: Child) -> Html:
    return el("li", prose(sentence) if isinstance(sentence, str) else sentence)


def _recommendation(evidence: Evidence) -> Html:
    recommendation = evidence.recommendation
    if recommendation is None:
        return left_out(evidence.missing["recommendation"])
    return el("p", el("b", "Predicted beforehand. "), recommendation.sentence, *_detail(evidence, recommendation))


def _detail(evidence: Evidence, recommendation: Recommendation) -> list[Child]:
    near = f" The nearest run is {recommendation.nearest_run}, {recommendation.distance:.1%} of the prompts away. "
    return [near, *explained(evidence.study, OUT)]


def _held_out(evidence: Evidence) -> Html:
    study = evidence.study
    if not study.held_out:
        return left_out("This study names no held-out benchmark (`held_out`), so nothing here was unseen by design.")
    names = ", ".join(study.held_out)
    test = None if evidence.confirmation is None else evidence.confirmation.held_out
    if test is None:
        return left_out(f"No surrogate ever sees {names}; `modomodo confirm` scores them, and has not done so yet.")
    bases = [run for run in evidence.of_kind("base") if run.part == "confirm"]
    rows: list[list[Child]] = []
    for part in test.benchmarks:
        base = bases[0].scores.get(part.name) if bases else None
        shown = gain_format(part)
        interval = f"{signed(part.lo95, shown)} to {signed(part.hi95, shown)}"
        means = (base.mean if base else float("nan"), part.equal, part.recommended)
        rows.append([part.name, *(number(mean, shown) for mean in means), signed(part.gain, shown), interval])
    sentence = el("p", f"No surrogate ever saw a score of {names}. ", test.sentence)
    head: list[Child] = ["benchmark", "before training", "equal shares", "recommended", "gain", "95 % interval"]
    return el("div", sentence, table(head, rows, cls="stack"))


def _cost(evidence: Evidence) -> Html:
    runs = evidence.runs
    counts = {kind: len(evidence.of_kind(kind)) for kind in ("pilot", "confirmation", "single", "base")}
    words = {"confirmation": "of the confirmation", "single": "by `train`", "base": "of the model as it was"}
    parts = ", ".join(f"{n} {words[kind]}" if kind in words else count(n, kind) for kind, n in counts.items() if n)
    tiles = (
        (*count(len(runs), "run").split(), parts or "none finished"),
        (*count(sum(run.steps for run in runs), "step").split(), "of training, in all runs"),
        (
            *count(sum(run.prompts for run in runs), "prompt").split(),
            count(sum(run.completions for run in runs), "completion"),
        ),
        _time({kind: sum(run.seconds for run in evidence.of_kind(kind)) for kind in COSTS}),
    )
    return el("div", *(_tile(*tile) for tile in tiles), cls="tiles")


def _tile(value: str, name: str, detail: str) -> Html:
    return el("div", el("b", value), el("span", name), el("small", prose(detail)))


def _time(seconds: Mapping[Kind, float]) -> tuple[str, str, str]:
    """Return the time of all processes in a unit that fits it, the unit, and the parts of the sum."""
    whole = sum(seconds.values())
    unit, each = ("hours", 3600) if whole >= 3600 else ("minutes", 60) if whole >= 60 else ("seconds", 1)
    parts = ", ".join(f"{part / each:,.1f} {COSTS[kind]}" for kind, part in seconds.items() if part)
    return f"{whole / each:,.1f}", f"process-{unit}", parts
