"""The section of the samples: what was asked, what the model wrote, and what the verifier made of it."""

import json
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from modomodo.core.errors import ModomodoError, count
from modomodo.reports.evidence import Evidence
from modomodo.reports.html.blocks import Choice, Section, chooser, link_to
from modomodo.reports.html.markup import Child, Html, el, join, left_out, shortened
from modomodo.reports.html.pictures import Album, has_question, read_album
from modomodo.reports.sections.training import reward_scale, trained_runs
from modomodo.study.results import FinishedRun
from modomodo.training.step_log import read_lines

EACH = 2  # samples of a domain from either end of a run
LENGTH = 1500  # characters of a completion that are shown
QUESTION = 600  # characters of a question
MARKS = {"right": "✓", "partial": "≈", "wrong": "✗", "unparsed": "?", "ungradable": "!"}
NEEDED = {"step": int, "domain": str, "row_id": str, "completion": str, "verdict": dict}
Line = Mapping[str, Any]
"""A line of samples.jsonl; those of earlier versions lack `question`, `gold` and `options`."""


def samples_section(evidence: Evidence) -> Section:
    """Return a few completions of each domain from both ends of a run at the recommended and at the equal mixture."""
    title = "What the model wrote"
    found = [(run, _picked(lines, evidence.domains)) for run in _runs(evidence) if (lines := _lines(run))]
    if not found:
        return Section("samples", "Samples", title, lacking="No finished run has kept a samples.jsonl.")
    shown = [line for _, picked in found for lines in picked.values() for line in lines]
    album = read_album(evidence.study.recipe, shown)
    rewards = evidence.study.recipe.rewards
    most = rewards.accuracy + rewards.format
    choices = [Choice("Runs", run.label, _panel(run, picked, album, most)) for run, picked in found]
    lead = el(
        "p",
        "Completions of the first and of the last steps, with what the verifier made of them. ",
        reward_scale(rewards),
    )
    return Section("samples", "Samples", title, (lead, chooser("Run", choices)))


def _runs(evidence: Evidence) -> list[FinishedRun]:
    """Return a run at the recommended and one at the equal mixture, or else any that was trained."""
    trained = trained_runs(evidence)
    chosen = {run.mixture.key: run for run in reversed(trained)}
    wanted = [mixture.key for mixture in (evidence.recommended(), evidence.equal) if mixture is not None]
    return [chosen[key] for key in dict.fromkeys(wanted) if key in chosen] or trained[:1]


def _lines(run: FinishedRun) -> list[Line]:
    """Return the samples that a run kept; what is damaged in the file costs the report no more than that."""
    try:
        return [line for line in read_lines(run.folder / "samples.jsonl") if _is_sample(line)]
    except ModomodoError:
        return []


def _is_sample(line: Any) -> bool:
    complete = isinstance(line, dict) and all(isinstance(line.get(key), kind) for key, kind in NEEDED.items())
    return complete and isinstance(line["verdict"].get("status"), str)


def _picked(lines: Sequence[Line], domains: Sequence[str]) -> dict[str, list[Line]]:
    """Return domain -> a few lines of the first and of the last steps."""
    found: dict[str, list[Line]] = {}
    for domain in domains:
        mine = sorted((line for line in lines if line["domain"] == domain), key=lambda line: line["step"])
        first, last = mine[: min(EACH, len(mine) // 2 or 1)], mine[max(len(mine) - EACH, (len(mine) + 1) // 2) :]
        if mine:
            found[domain] = [*first, *last]
    return found


def _panel(run: FinishedRun, picked: Mapping[str, Sequence[Line]], album: Album, most: float) -> Html:
    parts: list[Child] = [el("p", link_to(run), ": all samples are in its samples.jsonl.", cls="note")]
    lines = [line for several in picked.values() for line in several]
    if not all(map(has_question, lines)):
        parts.append(left_out("Questions and right answers are not shown: this run was made before they were kept."))
    lost = [name for name in picked if name in album.lost]
    if lost:
        parts.append(
            left_out(f"Some images are not shown: the rows of {', '.join(lost)} cannot be read here as they were.")
        )
    for domain, several in picked.items():
        cards = [_card(line, album, most) for line in several]
        parts.append(el("details", el("summary", domain), el("div", *cards, cls="cards"), open=""))
    return join(*parts)


def _card(line: Line, album: Album, most: float) -> Html:
    verdict, text = line["verdict"], line["completion"]
    status = verdict["status"]
    reward = line.get("reward")
    earned = f"reward {reward:.2f} of {most:g}" if isinstance(reward, int | float) else "no reward"
    badge = el("b", f"{MARKS.get(status, '')} {status}", cls=f"verdict {status}")
    head = el("header", badge, f"step {line['step']} · {earned} · ", el("code", line["row_id"]))
    rest = len(text) - LENGTH
    clipped = el("p", f"… and {count(rest, 'more character')}", cls="note") if rest > 0 else None
    body = el("pre", text[:LENGTH]) if text else el("p", "(nothing)", cls="note")
    reason = el("p", shortened(str(verdict["reason"]), limit=400)) if verdict.get("reason") else None
    answers = (_answer("Answer read", verdict.get("answer")), _answer("Right answer", gold_text(line)))
    return el("article", head, *_asked(line, album), body, clipped, *answers, reason)


def _asked(line: Line, album: Album) -> list[Html]:
    if not has_question(line):
        return []
    pictures = album.of(line)
    alts = ["Image of the question", *(f"Image {i} of the question" for i in range(2, len(pictures) + 1))]
    images = [el("img", src=picture, alt=alt) for picture, alt in zip(pictures, alts, strict=False)]
    options = "; ".join(f"{letter}: {option}" for letter, option in _options(line).items())
    texts = [shortened(text, limit=QUESTION) for text in (line["question"], options) if text]
    return [*images, *(el("p", text, cls="question") for text in texts)]


def _options(line: Line) -> dict[str, Any]:
    return dict(zip(ascii_uppercase, line.get("options") or (), strict=False))


def _answer(name: str, text: Any) -> Html | None:
    return el("p", f"{name}: ", el("code", shortened(str(text), limit=200))) if text else None


def gold_text(line: Line) -> str:
    """Return the right answer of a sample as a reader sees it; empty where the line has none."""
    gold = line.get("gold", "")
    if isinstance(gold, str):
        options = _options(line)
        return f"{gold}: {options[gold]}" if gold in options else gold
    if not isinstance(gold, list):
        return json.dumps(gold)
    if gold and all(isinstance(one, str) for one in gold):
        return " or ".join(gold)
    return f"{json.dumps(gold)} in pixels of the image"
