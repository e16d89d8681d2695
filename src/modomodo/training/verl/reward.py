"""What verl's reward process calls for each completion. Imports no verl; the verdicts are those of `Judge`."""

import json
import threading
from functools import cache
from pathlib import Path
from typing import Any

from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.files import write_text
from modomodo.core.schedules import read_schedule
from modomodo.training.judge import Judge
from modomodo.training.step_log import read_lines

STOPPED = "stopped.txt"
"""File in a run's folder verl/ with why its judge ended it: verl itself keeps such an error to one process's log."""

_judging = threading.Lock()


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: Any = None, *, folder: str, **_: object
) -> dict[str, float]:
    """Return the reward of a completion under "score", and what it is made of; the same keys for every domain.

    score: the weighted sum that TRL's trainer would see, and 0 where the reply cannot be graded (TRL leaves such a
    reply out of its group, verl cannot). position: of the prompt in the schedule.
    """
    key = json.loads(ground_truth)
    assert key["domain"] == data_source, (key, data_source)
    with _judging:
        try:
            judged = judge_of(folder).one(key["domain"], key["row_id"], solution_str)
        except ModomodoError as error:
            write_text(Path(folder) / "verl" / STOPPED, str(error))
            raise
    return {
        "score": judged.reward or 0.0,
        "accuracy": judged.verdict.reward or 0.0,
        "format": float(judged.formed and judged.reward is not None),
        "unparsed": float(judged.verdict.status == "unparsed"),
        "ungradable": float(judged.reward is None),
        "position": float(key["position"]),
    }


@cache
def judge_of(folder: str) -> Judge:
    """Return the judge of the run in a folder, one for each process; it takes up where the run's steps.jsonl ends."""
    home = Path(folder)
    judge = judge_of_run(home, keep=home / "ungradable.jsonl")
    judge.resume([line["domains"] for line in read_lines(home / "steps.jsonl")])
    return judge


def judge_of_run(folder: Path, *, keep: Path | None = None) -> Judge:
    """Return a judge of the rows that the run in a folder trains on."""
    recipe = Recipe.model_validate_json((folder / "verl" / "recipe.json").read_text())
    return Judge(
        {name: recipe.find(name) for name in read_schedule(folder / "schedule.csv").counts()},
        generations=recipe.num_generations,
        rewards=recipe.rewards,
        view=recipe.view,
        keep=keep,
    )
