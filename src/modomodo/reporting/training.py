"""The sections of the training: curves of each run, and samples of its completions with their verdicts."""

from collections.abc import Mapping, Sequence
from typing import Any

from modomodo.engines.logs import read_lines
from modomodo.fields import Rewards
from modomodo.reporting.blocks import (
    Choice,
    Section,
    chooser,
    domain_legend,
    figure_block,
    grid,
    link_to,
    mixture_bar,
)
from modomodo.reporting.curves import MEASURES, Curves, read_curves
from modomodo.reporting.evidence import Evidence, FinishedRun
from modomodo.reporting.figures import curve_figure, shares_figure
from modomodo.reporting.markup import Child, Html, count, el, join, left_out, shortened

RUNS = 40  # runs with curves, at most: more would make the page heavy
EACH = 2  # samples of a domain from either end of a run
LENGTH = 1500  # characters of a completion that are shown
MARKS = {"right": "✓", "partial": "≈", "wrong": "✗", "unparsed": "?", "ungradable": "!"}
GROUPS = {"confirmation": "Confirmation", "pilot": "Pilots", "single": "Single runs"}


def training_section(evidence: Evidence) -> Section:
    """Return the curves of every run that kept its steps, by domain."""
    title = "How the training went"
    kept = [run for run in _trained(evidence) if _has_steps(run)]
    found = [(run, curves) for run in kept[:RUNS] if (curves := read_curves(run.folder / "steps.jsonl"))]
    if not found:
        return Section("training", "Training", title, (left_out("No finished run has kept a steps.jsonl."),))
    choices = [Choice(GROUPS[run.kind], run.label, _panel(run, curves, evidence.domains)) for run, curves in found]
    lead = el(
        "p",
        "A group of completions that all earn the same has zero advantage and teaches nothing: the effective mixture "
        "counts only prompts that taught. Requested shares are the mixture's, realised ones the prompts'; "
        "tokens are those of the completions. ",
        reward_scale(evidence.study.recipe.rewards),
    )
    more = f"Of {len(kept)} runs the first {RUNS} are shown." if len(kept) > RUNS else None
    return Section(
        "training",
        "Training",
        title,
        (lead, el("p", more) if more else None, domain_legend(evidence.domains), chooser("Run", choices)),
    )


def samples_section(evidence: Evidence) -> Section:
    """Return a few completions of each domain from both ends of a run at the recommended and at the equal mixture."""
    title = "What the model wrote"
    chosen = {run.mixture.key: run for run in reversed(_trained(evidence))}
    wanted = [mixture.key for mixture in (evidence.recommended(), evidence.equal) if mixture is not None]
    runs = [chosen[key] for key in dict.fromkeys(wanted) if key in chosen] or _trained(evidence)[:1]
    found = [(run, lines) for run in runs if (lines := read_lines(run.folder / "samples.jsonl"))]
    if not found:
        return Section("samples", "Samples", title, (left_out("No finished run has kept a samples.jsonl."),))
    choices = [Choice("Runs", run.label, _samples(run, lines, evidence.domains)) for run, lines in found]
    lead = el(
        "p",
        "Completions of the first and of the last steps, with what the verifier made of them. ",
        reward_scale(evidence.study.recipe.rewards),
    )
    return Section("samples", "Samples", title, (lead, chooser("Run", choices)))


def reward_scale(rewards: Rewards) -> str:
    """Return the sentence that says what a reward is made of, and from where to where it runs."""
    right, formed = f"{rewards.accuracy:g}", f"{rewards.format:g}"
    return (
        f"Rewards run from 0 to {rewards.accuracy + rewards.format:g}: {right} times what the verifier gives the "
        f"answer (0 wrong, 1 right, between them in part), and {formed} more for a reply in the right format."
    )


def _trained(evidence: Evidence) -> list[FinishedRun]:
    return [run for kind in GROUPS for run in evidence.runs if run.kind == kind]


def _has_steps(run: FinishedRun) -> bool:
    path = run.folder / "steps.jsonl"
    return path.is_file() and path.stat().st_size > 0


def _panel(run: FinishedRun, curves: Curves, domains: Sequence[str]) -> Html:
    each = "" if curves.bin_steps == 1 else f" Each point is the mean of {curves.bin_steps} steps."
    line = el(
        "p",
        link_to(run),
        f": seed {run.seed}, {count(run.steps, 'step')} in {run.seconds / 60:.1f} minutes.{each} ",
        mixture_bar(run.mixture, domains),
        cls="note",
    )
    figures = [
        figure_block(curve_figure(curves, measure=measure, domains=domains), legend=False) for measure in MEASURES
    ]
    shares = figure_block(shares_figure(run, domains=domains))
    return join(line, grid(*figures, shares))


def _samples(run: FinishedRun, lines: Sequence[Mapping[str, Any]], domains: Sequence[str]) -> Html:
    parts: list[Child] = [el("p", link_to(run), ": all samples are in its samples.jsonl.", cls="note")]
    for domain in domains:
        mine = sorted((line for line in lines if line["domain"] == domain), key=lambda line: line["step"])
        if not mine:
            continue
        first, last = mine[: min(EACH, len(mine) // 2 or 1)], mine[max(len(mine) - EACH, (len(mine) + 1) // 2) :]
        cards = [_card(line) for line in (*first, *last)]
        parts.append(el("details", el("summary", domain), el("div", *cards, cls="cards"), open=""))
    return join(*parts)


def _card(line: Mapping[str, Any]) -> Html:
    verdict, text = line["verdict"], line["completion"]
    status = verdict["status"]
    earned = "no reward" if line["reward"] is None else f"reward {line['reward']:.2f}"
    badge = el("b", f"{MARKS.get(status, '')} {status}", cls=f"verdict {status}")
    head = el("header", badge, f"step {line['step']} · {earned} · ", el("code", line["row_id"]))
    rest = len(text) - LENGTH
    clipped = el("p", f"… and {count(rest, 'more character')}", cls="note") if rest > 0 else None
    answer = (
        el("p", "Answer read: ", el("code", shortened(verdict["answer"], limit=200))) if verdict["answer"] else None
    )
    reason = el("p", shortened(verdict["reason"], limit=400)) if verdict["reason"] else None
    body = el("pre", text[:LENGTH]) if text else el("p", "(nothing)", cls="note")
    return el("article", head, body, clipped, answer, reason)
