"""The section of the confirmation: paired differences by seed and by benchmark."""

from collections.abc import Sequence
from dataclasses import replace

from modomodo.mixing.confirmation import Confirmation, Difference
from modomodo.reports.evidence import Evidence, Pair
from modomodo.reports.figures.of_runs import Gain, gain_format, gains_figure, measured_gain
from modomodo.reports.html.blocks import BARS, Section, explained, figure_block, link_to
from modomodo.reports.html.markup import Child, Html, el, left_out, table
from modomodo.reports.numbers.formats import number, number_format, signed
from modomodo.study.answer import StudyConfirmation
from modomodo.study.results import OUT, aggregate


def confirmation_section(evidence: Evidence) -> Section:
    """Return the matched-seed test of the recommended mixture against equal shares."""
    title = "Confirmation on fresh seeds"
    tests = evidence.confirmation
    if tests is None:
        return Section("confirmation", "Confirmation", title, lacking=evidence.missing["confirmation"])
    pairs = [pair for pair in evidence.pairs() if pair.seed in tests.seeds]
    power = tests.detectable
    stated = (
        f" Stated beforehand: a true gain of {number(power, number_format([power]))} would be found with probability "
        "0.8."
        if power
        else ""
    )
    lead = el(
        "p",
        f"Runs at the recommended mixture and at equal shares with the same {len(tests.seeds)} seeds. No pilot used "
        "these seeds or these items. Each dot is the difference of one pair; intervals are Student's over the "
        "pairs." + stated,
    )
    sentences = [
        el(
            "p",
            el("b", f"{name[:1].upper()}{name[1:]}. "),
            test.sentence,
            " ",
            *explained(evidence.study, name),
        )
        for name, _, test in _parts(tests)
    ]
    figure = figure_block(
        gains_figure(_gains(tests, pairs), title="Gain over equal shares, by benchmark"),
        note=f"{BARS} Small circles are single seeds.",
    )
    body = (lead, *sentences, figure, _table(tests), el("h3", "Seed by seed"), _by_seed(evidence, pairs))
    return Section("confirmation", "Confirmation", title, body)


def _parts(tests: StudyConfirmation) -> list[tuple[str, str, Confirmation]]:
    """Return what the aggregate of each test is called, what is added to names of its benchmarks, and the test."""
    held_out = [] if tests.held_out is None else [("held-out mean", " (held out)", tests.held_out)]
    return [(OUT, "", tests.objective), *held_out]


def _rows(tests: StudyConfirmation) -> list[tuple[Difference, list[str]]]:
    """Return each difference, the aggregate of its test first, and the benchmarks that it is a mean of."""
    rows: list[tuple[Difference, list[str]]] = []
    for name, suffix, test in _parts(tests):
        if len(test.benchmarks) > 1:  # the mean of one is that one
            rows.append((replace(test.aggregate, name=name), [part.name for part in test.benchmarks]))
        rows += [(replace(part, name=f"{part.name}{suffix}"), [part.name]) for part in test.benchmarks]
    return rows


def _gains(tests: StudyConfirmation, pairs: Sequence[Pair]) -> list[Gain]:
    return [measured_gain(row, seeds=_differences(pairs, members)) for row, members in _rows(tests)]


def _differences(pairs: Sequence[Pair], benchmarks: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """Return (seed, difference) of every pair that was scored on all of the benchmarks."""
    found: list[tuple[str, float]] = []
    for pair in pairs:
        ends = aggregate(pair.recommended, benchmarks), aggregate(pair.equal, benchmarks)
        if ends[0] is not None and ends[1] is not None:
            found.append((f"seed {pair.seed}", ends[0].mean - ends[1].mean))
    return tuple(found)


def _table(tests: StudyConfirmation) -> Html:
    head: list[Child] = ["score", "recommended", "equal shares", "gain", "90 % interval", "95 % interval", "p (Holm)"]
    return table(head, [_row(one) for one, _ in _rows(tests)], cls="stack")


def _row(difference: Difference) -> list[Child]:
    shown = gain_format(difference)
    ends = ((difference.lo90, difference.hi90), (difference.lo95, difference.hi95))
    return [
        difference.name,
        number(difference.recommended, shown),
        number(difference.equal, shown),
        el("b", signed(difference.gain, shown)),
        *(f"{signed(low, shown)} to {signed(high, shown)}" for low, high in ends),
        f"{difference.p_holm:.2g}",
    ]


def _by_seed(evidence: Evidence, pairs: Sequence[Pair]) -> Html:
    if not pairs:
        return left_out("The runs of the confirmation are not in the folder any more.")
    names = [*evidence.study.benchmarks, *evidence.study.held_out]
    head: list[Child] = ["seed", OUT, *names, "runs"]
    members = (evidence.study.benchmarks, *([name] for name in names))
    found = [[_differences([pair], part) for part in members] for pair in pairs]
    shown = number_format([0.0, *(value for row in found for one in row for _, value in one)])
    rows: list[list[Child]] = []
    for pair, row in zip(pairs, found, strict=True):
        links = el("span", link_to(pair.recommended), " / ", link_to(pair.equal))
        rows.append([str(pair.seed), *(signed(one[0][1], shown) if one else "–" for one in row), links])
    return table(head, rows, cls="stack")
