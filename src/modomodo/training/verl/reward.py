"""What verl's reward process calls for each completion: the rewards that TRL's trainer gets. Imports no verl."""

import json
import threading
from functools import cache
from pathlib import Path
from typing import Any

from modomodo.config.domains import recipe_domain
from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.files import write_text
from modomodo.core.schedules import read_schedule
from modomodo.training.rewards import RewardFunctions
from modomodo.training.row_table import RowTable
from modomodo.training.step_log import read_steps

STOPPED = "stopped.txt"
"""File in a run's folder verl/ with why its rewards ended it: verl keeps such an error to one process's log."""

_grading = threading.Lock()


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: Any = None, *, folder: str, **_: object
) -> dict[str, float]:
    """Return the reward of a completion under "score", and what it is made of; the same keys for every domain.

    score: the weighted sum that TRL's trainer would see, and 0 where the completion cannot be graded (TRL leaves such a
    completion out of its group, verl cannot). position: of the prompt in the schedule.
    """
    key = json.loads(ground_truth)
    assert key["domain"] == data_source, (key, data_source)
    with _grading:
        try:
            graded = rewards_of(folder).grade(key["domain"], key["row_id"], solution_str)
        except ModomodoError as error:
            write_text(Path(folder) / "verl" / STOPPED, str(error))
            raise
    return {
        "score": graded.reward or 0.0,
        "accuracy": graded.verdict.reward or 0.0,
        "format": float(graded.formed and graded.reward is not None),
        "unparsed": float(graded.verdict.status == "unparsed"),
        "ungradable": float(graded.reward is None),
        "position": float(key["position"]),
    }


@cache
def rewards_of(folder: str) -> RewardFunctions:
    """Return the rewards of the run in a folder, once for each process; they take up where its steps.jsonl ends."""
    home = Path(folder)
    rewards = new_rewards(home, keep=home / "ungradable.jsonl")
    rewards.resume(read_steps(home))
    return rewards


def new_rewards(folder: Path, *, keep: Path | None = None) -> RewardFunctions:
    """Return rewards for the rows that the run in a folder trains on, which have graded nothing yet."""
    recipe = Recipe.model_validate_json((folder / "verl" / "recipe.json").read_text())
    domains = {name: recipe_domain(recipe, name) for name in read_schedule(folder / "schedule.csv").counts()}
    table = RowTable.load(domains, view=recipe.view)
    return RewardFunctions(table, generations=recipe.num_generations, weights=recipe.rewards, keep=keep)
