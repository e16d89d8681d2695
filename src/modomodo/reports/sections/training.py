"""The section of the training: curves of each run."""

from collections.abc import Sequence

from modomodo.config.sections import Rewards
from modomodo.core.errors import count
from modomodo.reports.evidence import Evidence
from modomodo.reports.figures.of_runs import curve_figure, shares_figure
from modomodo.reports.html.blocks import (
    Choice,
    Section,
    chooser,
    domain_legend,
    figure_block,
    grid,
    link_to,
    mixture_bar,
)
from modomodo.reports.html.markup import Html, el, join
from modomodo.reports.numbers.curves import Curves, read_curves
from modomodo.study.results import FinishedRun

RUNS = 40  # runs with curves, at most: more would make the page heavy
GROUPS = {"confirmation": "Confirmation", "pilot": "Pilots", "single": "Single runs"}


def training_section(evidence: Evidence) -> Section:
    """Return the curves of every run that kept its steps, by domain."""
    title = "How the training went"
    kept = [run for run in trained_runs(evidence) if _has_steps(run)]
    drawn = [(run, curves) for run in kept[:RUNS] if (curves := read_curves(run.folder))]
    if not drawn:
        return Section("training", "Training", title, lacking="No finished run has kept a steps.jsonl.")
    choices = [Choice(GROUPS[run.kind], run.label, _panel(run, curves, evidence.domains)) for run, curves in drawn]
    lead = el(
        "p",
        "A group of completions that all earn the same has zero advantage and teaches nothing: the effective mixture "
        "counts only prompts that taught. Requested shares are the mixture's; realised shares count the prompts. "
        "Tokens are those of the completions. ",
        reward_scale(evidence.study.recipe.rewards),
    )
    more = f"Of {len(kept)} runs the first {RUNS} are shown." if len(kept) > RUNS else None
    return Section(
        "training",
        "Training",
        title,
        (lead, el("p", more) if more else None, domain_legend(evidence.domains), chooser("Run", choices)),
    )


def reward_scale(rewards: Rewards) -> str:
    """Return the sentence that says what a reward is made of, and from where to where it runs."""
    right, formed = f"{rewards.accuracy:g}", f"{rewards.format:g}"
    return (
        f"Rewards run from 0 to {rewards.accuracy + rewards.format:g}: {right} times what the verifier gives the "
        f"answer (0 wrong, 1 right, between them in part), and {formed} more for a completion in the right format."
    )


def trained_runs(evidence: Evidence) -> list[FinishedRun]:
    """Return the runs that were trained: the confirmation first, then pilots, then single runs."""
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
        figure_block(curve_figure(curves, measure=measure, domains=domains), legend=False)
        for measure in curves.measures
    ]
    shares = figure_block(shares_figure(run, domains=domains))
    return join(line, grid(*figures, shares))
