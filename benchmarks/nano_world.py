"""Is the control world worth studying? Measures what docs/nano.md claims; never looks at a surrogate or at who wins.

    python benchmarks/nano_world.py [--seeds 3] [--out studies/nano-world]

Runs the seed design at several seeds (resumable), then prints each criterion with its numbers and whether it holds.
Axes: M mixtures, S seeds, B benchmarks.
"""

import csv
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from PIL import Image
from scipy import stats

from modomodo.config.study import Study, load_study
from modomodo.core.rows import Row, Target, View
from modomodo.data.nano.generators import FAMILIES
from modomodo.data.nano.questions import Question
from modomodo.data.nano.scenes import SIZE
from modomodo.data.nano.world import question
from modomodo.data.registry import find_domain
from modomodo.evaluation.generate import BATCH, generate
from modomodo.models.load import load_model, load_processor
from modomodo.models.names import model_path
from modomodo.models.nano.habits import careful_opening
from modomodo.study.pipeline import pilot, read_study

RESULTS = Path(__file__).parent / "results"
STUDY = Path(__file__).parents[1] / "src/modomodo/models/nano/control/study.toml"
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Criterion:
    """One thing the world must show."""

    what: str
    found: str
    holds: bool


def main(
    seeds: int = 3,
    items: int = 256,
    out: Annotated[Path, typer.Option(help="folder of the runs")] = Path("studies/nano-world"),
) -> None:
    """Print the criteria as a Markdown table; exit code 1 when one does not hold."""
    study = load_study(STUDY, [f"replicates={seeds}", f"items={items}", f"out={out}", "name=nano-world"])
    criteria = blindness(study.recipe.model, (*FAMILIES, "easy_vqa"))
    outcomes = pilot(study)
    failed = [outcome.label for outcome in outcomes if outcome.status == "failed"]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; run again")
    criteria += world(study)
    sys.exit(show(criteria))


def show(criteria: Sequence[Criterion]) -> int:
    """Print the criteria as a Markdown table, and return 1 when one does not hold, else 0."""
    print("| criterion | measured | holds |\n|---|---|---|")
    for one in criteria:
        print(f"| {one.what} | {one.found} | {'yes' if one.holds else 'NO'} |")
    return 0 if all(one.holds for one in criteria) else 1


def blindness(name: str, families: Sequence[str], items: int = 256) -> list[Criterion]:
    """Return, for each family, how careful replies with the picture beat those with a blank one.

    Replies are graded by what the picture shows, also where a family's golds oppose it.
    """
    model = load_model(model_path(name), precision="float32", freeze_vision=False)
    processor = load_processor(model_path(name))
    buffer = io.BytesIO()
    Image.new("RGB", (SIZE, SIZE), (240, 240, 240)).save(buffer, format="PNG")
    found: list[Criterion] = []
    for family in families:
        domain = find_domain(family)
        rows = list(domain.load("test"))
        rows = [_as_seen(row) for row in rows[:: len(rows) // items][:items]]
        skills = {row.id: _skill(row) for row in rows}
        means: list[float] = []
        for shown in (rows, [replace(row, images=(buffer.getvalue(),)) for row in rows]):
            replies: list[str] = []
            for start in range(0, len(shown), BATCH):
                batch = shown[start : start + BATCH]
                replies += generate(
                    model,
                    processor,
                    domain,
                    batch,
                    view=View(),
                    max_new_tokens=48,
                    opening=lambda row, skills=skills: careful_opening(skills[row.id]),
                )
            rewards = [
                domain.verify(row, reply, View()).reward or 0.0 for row, reply in zip(shown, replies, strict=True)
            ]
            means.append(float(np.mean(rewards)))
        text = f"careful {means[0]:.2f}, blank {means[1]:.2f}"
        found.append(Criterion(f"{family} beats its blank picture by .25", text, means[0] - means[1] >= 0.25))
    return found


def world(study: Study) -> list[Criterion]:
    """Return the criteria about the runs of the seed design."""
    results = read_study(study).finished
    labels = list(dict.fromkeys(label.partition("#")[0] for label in results if label != "base"))
    table_MSB = np.array(
        [
            [
                [results[_replicate(label, seed)].scores[name].mean for name in study.benchmarks]
                for seed in range(study.replicates)
            ]
            for label in labels
        ]
    )
    _write(labels, study, table_MSB)
    base = results["base"].scores
    base_out = float(np.mean([base[name].mean for name in study.benchmarks]))
    unparsed = float(np.mean([base[name].unparsed for name in study.benchmarks]))
    out_MS = table_MSB.mean(axis=2)
    gain = float(out_MS[labels.index("equal")].mean()) - base_out
    between, within = float(out_MS.mean(axis=1).std(ddof=1)), float(np.sqrt(out_MS.var(axis=1, ddof=1).mean()))
    return [
        Criterion("base Out-score from .10 to .45", f"{base_out:.3f}", 0.10 <= base_out <= 0.45),
        Criterion("base unparsed replies at least 20 %", f"{unparsed:.1%}", unparsed >= 0.2),
        Criterion("equal shares gain at least .10 over base", f"{gain:+.3f}", gain >= 0.10),
        Criterion(
            "sd between mixtures at least twice that between seeds",
            f"{between:.4f} / {within:.4f} = {between / within:.1f}",
            between >= 2 * within,
        ),
        share_of_variance(study.benchmarks, table_MSB),
        *_leave_outs(study, labels, table_MSB),
    ]


def share_of_variance(benchmarks: Sequence[str], table_MSB: Array) -> Criterion:
    """Return whether no benchmark makes more than 60 % of the variance of Out between mixtures."""
    means_MB = table_MSB.mean(axis=1)
    out_M = means_MB.mean(axis=1)
    parts = {
        name: float(np.cov(means_MB[:, b] / len(benchmarks), out_M)[0, 1] / out_M.var(ddof=1))
        for b, name in enumerate(benchmarks)
    }
    text = ", ".join(f"{name} {share:.0%}" for name, share in parts.items())
    return Criterion("no benchmark makes over 60 % of the variance between mixtures", text, max(parts.values()) <= 0.6)


def _leave_outs(study: Study, labels: list[str], table_MSB: Array) -> list[Criterion]:
    """Return, for each domain, the benchmark that leaving it out moves most surely.

    Difference from equal shares over the pooled sd between seeds of one mixture (all mixtures), Student's t, Holm over
    all domains and benchmarks.
    """
    seeds = table_MSB.shape[1]
    sd_B = np.sqrt(table_MSB.var(axis=1, ddof=1).mean(axis=0))
    degrees = len(labels) * (seeds - 1)
    means_MB = table_MSB.mean(axis=1)
    tests: list[tuple[float, str, str, float]] = []
    for domain in study.recipe.domains:
        change_B = means_MB[labels.index(f"exclude:{domain}")] - means_MB[labels.index("equal")]
        for b, name in enumerate(study.benchmarks):
            t = abs(change_B[b]) / (sd_B[b] * np.sqrt(2 / seeds))
            tests.append((float(2 * stats.t.sf(t, degrees)), domain, name, float(change_B[b])))
    corrected: dict[str, list[tuple[float, str, float]]] = {domain: [] for domain in study.recipe.domains}
    running = 0.0
    for rank, (p, domain, name, change) in enumerate(sorted(tests)):
        running = max(running, min(1.0, p * (len(tests) - rank)))
        corrected[domain].append((running, name, change))
    found: list[Criterion] = []
    for domain, ranked in corrected.items():
        p, name, change = min(ranked)
        what = f"leaving out {domain} moves a benchmark (Holm over {len(tests)})"
        found.append(Criterion(what, f"{name} {change:+.3f}, p = {p:.2g}", p < 0.05))
    return found


def _skill(row: Row) -> str:
    return "look" if row.domain == "easy_vqa" else _question(row).skill


def _as_seen(row: Row) -> Row:
    """Return the row with the answer that its picture shows as its gold."""
    return row if row.domain != "compass" else replace(row, target=Target("text", _question(row).answer))


def _question(row: Row) -> Question:
    return question(row.domain, "test", int(row.id.rsplit("-", 1)[1]))


def _replicate(label: str, seed: int) -> str:
    return label if seed == 0 else f"{label}#{seed + 1}"


def _write(labels: list[str], study: Study, table_MSB: Array) -> None:
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "nano_world.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["mixture", "replicate", *study.benchmarks])
        for m, label in enumerate(labels):
            for s in range(table_MSB.shape[1]):
                writer.writerow([label, s + 1, *(f"{value:.4f}" for value in table_MSB[m, s])])


if __name__ == "__main__":
    typer.run(main)
