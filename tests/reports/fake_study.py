"""A study's folder as pilots and confirmation leave it, made up without any training."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np

from modomodo.config.recipe import Recipe
from modomodo.config.sections import Confirming
from modomodo.config.study import Study
from modomodo.core.rows import Row, Verdict
from modomodo.core.seeds import child_rng
from modomodo.data.nano.generators import TRAINING
from modomodo.data.nano.world import rows as nano_rows
from modomodo.evaluation.benchmarks import score
from modomodo.runs.planned import PlannedRun
from modomodo.runs.store import Store, digest_names, run_key
from modomodo.study import pipeline
from modomodo.study.plan import pilot_runs

DOMAINS = ("detect", "refer", "geometry", "spatial", "science")
DIGEST = "0123456789abcdef"
WORDS = "<think> the tall bar is red, so </think> <answer> B </answer>"


def make_study(folder: Path, **changes: object) -> Study:
    fields: dict[str, object] = {
        "name": "nano-demo",
        "out": folder,
        "recipe": Recipe(domains=DOMAINS, steps=60),
        "benchmarks": ("charts", "infographic", "maths"),
        "held_out": ("general",),
        "in_distribution": ("refer", "science"),
        "confirm": Confirming(seeds=4),
    }
    return Study.model_validate(fields | changes)


def write_pilots(study: Study, *, words: str = WORDS) -> None:
    write_runs(study, pilot_runs(study), words=words)


def write_confirmation(study: Study, monkeypatch, *, words: str = WORDS) -> None:
    """Write confirmation.json by the study's own function, the runs made up instead of launched."""
    monkeypatch.setattr(pipeline, "_launch", partial(launch, words=words))
    pipeline.study_confirmation(pipeline.plan_confirmation(pipeline.read_study(study)))


def launch(study: Study, planned: Sequence[PlannedRun], *, console: object, words: str = WORDS) -> tuple[()]:
    """Make up the planned runs: what stands in for the launcher in tests."""
    write_runs(study, planned, words=words)
    return ()


def write_whole(study: Study, monkeypatch, *, words: str = WORDS) -> None:
    write_pilots(study, words=words)
    pipeline.study_recommendation(pipeline.read_study(study))
    write_confirmation(study, monkeypatch, words=words)


def write_runs(study: Study, planned: Sequence[PlannedRun], *, words: str = WORDS) -> None:
    study.folder.mkdir(parents=True, exist_ok=True)
    labels = Store(study.folder).labels()
    store = Store(study.folder)
    for one in planned:
        key = run_key(one.recipe, dict.fromkeys(digest_names(one.recipe), DIGEST))
        labels[one.label] = key
        if not store.finished(key):
            store.path(key).mkdir(parents=True)
            store.begin(key, one.recipe)
            store.write_result(key, _result(one.recipe, store.path(key), words, key))
    pipeline.write_json(study.folder / "labels.json", labels)


def _result(recipe: Recipe, folder: Path, words: str, key: str) -> dict[str, object]:
    if recipe.steps:
        _write_steps(recipe, folder)
        _write_samples(recipe, folder, words)
    return {
        "seconds": 300.0 + recipe.steps,
        "mixture": recipe.mixture.as_dict(),
        "seed": recipe.seed,
        "digests": dict.fromkeys(digest_names(recipe), DIGEST),
        "scores": {name: asdict(_score(recipe, name, folder)) for name in recipe.evaluation.benchmarks},
        "steps": recipe.steps,
        "exhausted": None,
        **_shares(folder / "steps.jsonl"),
        "versions": {"modomodo": "0.1.0", "torch": "2.9.0"},
    }


def _score(recipe: Recipe, benchmark: str, folder: Path):
    """Each benchmark likes two domains, with decreasing returns; items have the same difficulty in every run."""
    names, weights = recipe.domains, recipe.mixture.vector(recipe.domains)
    likes = child_rng(0, "likes", benchmark).dirichlet(np.full(len(names), 0.6))
    run = child_rng(recipe.seed, "run", recipe.mixture.key, benchmark)
    learned = 0.45 * float(np.sum(likes * np.sqrt(weights))) if recipe.steps else 0.0
    chance = 0.3 + learned + 0.01 * run.standard_normal()
    difficulty = child_rng(0, "items", benchmark, recipe.evaluation.part).random(recipe.evaluation.items)
    right = difficulty + 0.1 * run.standard_normal(len(difficulty)) < chance
    verdicts = [
        Verdict.right("B") if one else Verdict.unparsed("no <answer>") if index % 9 == 0 else Verdict.wrong("C")
        for index, one in enumerate(right)
    ]
    (folder / "items").mkdir(exist_ok=True)
    lines = [
        json.dumps({"row_id": f"{benchmark}-{index}", "reply": "", **asdict(verdict)}) + "\n"
        for index, verdict in enumerate(verdicts)
    ]
    (folder / "items" / f"{benchmark}.jsonl").write_text("".join(lines))
    return score(benchmark, verdicts, part=recipe.evaluation.part, mode="paper")


def _write_steps(recipe: Recipe, folder: Path) -> None:
    rng = child_rng(recipe.seed, "steps")
    names = [name for name, weight in recipe.mixture.as_dict().items() if weight > 0]
    weights = [recipe.mixture.as_dict()[name] for name in names]
    lines: list[str] = []
    for step in range(1, recipe.steps + 1):
        drawn = rng.multinomial(recipe.prompts_per_step, weights)
        domains = {
            name: _domain_step(int(count), recipe, step, index, rng)
            for index, (name, count) in enumerate(zip(names, drawn, strict=True))
            if count
        }
        lines.append(
            json.dumps({"step": step, "seconds": 5.0, "requested": {}, "domains": domains, "loss": 0.1}) + "\n"
        )
    (folder / "steps.jsonl").write_text("".join(lines))


def _domain_step(count: int, recipe: Recipe, step: int, index: int, rng: np.random.Generator) -> dict[str, float]:
    level = 1 - np.exp(-step / (recipe.steps * (0.2 + 0.15 * index)))
    shape = min(1.0, 0.6 + 0.5 * level)
    completions = count * recipe.num_generations
    return {
        "prompts": count,
        "completions": completions,
        "tokens": completions * (20 + 12 * index),
        "reward": float(np.clip(2 * level * 0.8 + shape + 0.15 * rng.standard_normal(), 0, 3)),
        "accuracy": float(level * 0.8),
        "format": float(shape),
        "unparsed": float(1 - shape),
        "ungradable": 0,
        "zero_advantage": round(float(rng.random() * (0.3 + 0.6 * level)) * count) / count,
    }


def _shares(path: Path) -> dict[str, dict[str, float]]:
    counts: dict[str, dict[str, float]] = {"realised": {}, "effective": {}, "tokens": {}}
    for line in path.read_text().splitlines() if path.exists() else ():
        for name, step in json.loads(line)["domains"].items():
            taught = step["prompts"] * (1 - step["zero_advantage"])
            found = (step["prompts"], taught, step["tokens"])
            for part, value in zip(counts.values(), found, strict=True):
                part[name] = part.get(name, 0.0) + value
    return {kind: {name: v / (sum(part.values()) or 1) for name, v in part.items()} for kind, part in counts.items()}


def _write_samples(recipe: Recipe, folder: Path, words: str) -> None:
    statuses = ("unparsed", "wrong", "partial", "right")
    families = [name for name in recipe.mixture.as_dict() if name in TRAINING]
    rows = {row.id: row for name in families for row in nano_rows(name, "train")}
    lines: list[str] = []
    for step in range(1, recipe.steps + 1):
        for name in recipe.mixture.as_dict():
            status = statuses[min(3, 4 * step // recipe.steps)]
            reward = {"right": 1.0, "partial": 0.4}.get(status, 0.0)
            verdict = {"status": status, "reward": reward, "answer": "B", "reason": "no <think>, where one is asked"}
            line = {
                "step": step,
                "domain": name,
                "row_id": f"{name}-train-{step:05d}",
                **_asked(rows.get(f"{name}-train-{step:05d}"), words),
                "completion": words,
                "verdict": verdict,
                "formed": status != "unparsed",
                "tokens": 24,
                "reward": 2 * reward + (status != "unparsed"),
            }
            lines.append(json.dumps(line) + "\n")
    (folder / "samples.jsonl").write_text("".join(lines))


def _asked(row: Row | None, words: str) -> dict[str, object]:
    """What is kept of a row of the nano world; of a domain that is none, `words` as question and gold."""
    if row is None:
        return {"question": words, "gold": words, "options": ()}
    return {"question": row.question, "gold": row.target.value, "options": row.target.options}
