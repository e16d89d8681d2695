"""The files that hold a study's answer: what was recommended, what was confirmed, and every test that was ever made."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError
from modomodo.core.files import read_json, value_of, write_json, write_text
from modomodo.core.mixture import Mixture
from modomodo.mixing.confirmation import Confirmation
from modomodo.mixing.recommendation import Recommendation
from modomodo.mixing.recommendation import recommended_mixture as mixture_in


@dataclass(frozen=True)
class StudyConfirmation:
    """The matched-seed tests of a mixture against equal shares.

    `objective` is over the study's benchmarks, `held_out`, where the study has any, over those that no surrogate ever
    saw. `detectable` is the true gain that was said beforehand to be found with probability 0.8.
    """

    mixture: Mixture
    detectable: float | None
    objective: Confirmation
    held_out: Confirmation | None = None

    @property
    def seeds(self) -> tuple[int, ...]:
        return self.objective.seeds

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, where: object) -> "StudyConfirmation":
        """Return a confirmation from its JSON values, read from the file `where`.

        Raises ModomodoError for those of another version, and for damaged ones.
        """
        if "objective" not in data:
            raise ModomodoError(f"{where} is damaged (it has no objective): run `modomodo confirm` again")
        tests = {
            name: Confirmation.from_dict(data[name], where=where) for name in ("objective", "held_out") if name in data
        }
        return cls(_tested_mixture(data, where), data.get("detectable"), **tests)

    def as_dict(self) -> dict[str, Any]:
        """Return the confirmation as JSON values."""
        held_out = {} if self.held_out is None else {"held_out": self.held_out.as_dict()}
        known = {"detectable": self.detectable, "mixture": self.mixture.as_dict()}
        return {**known, "objective": self.objective.as_dict(), **held_out}


def recommendation_path(study: Study) -> Path:
    return study.folder / "recommendation.json"


def confirmation_path(study: Study) -> Path:
    return study.folder / "confirmation.json"


def write_recommendation(study: Study, recommendation: Recommendation, *, pilots: str) -> None:
    """Write recommendation.json, with `pilots`, the hash of the pilots that it was made from."""
    write_json(recommendation_path(study), {**recommendation.as_dict(), "pilots": pilots})


def read_recommendation(study: Study, *, pilots: str) -> Recommendation:
    """Return what the study's recommendation.json has; `pilots` is the hash of those finished now.

    Raises ModomodoError when there is none, or when it was made from other pilots.
    """
    return Recommendation.from_dict(_recommendation(study, pilots), where=recommendation_path(study))


def recommended_mixture(study: Study, *, pilots: str) -> Mixture:
    """Return the mixture of the study's recommendation.json; raises as `read_recommendation`."""
    return mixture_in(_recommendation(study, pilots), where=recommendation_path(study))


def _recommendation(study: Study, pilots: str) -> dict[str, Any]:
    path = recommendation_path(study)
    data = read_json(path)
    if data is None:
        raise ModomodoError(
            f"study {study.name} has no recommendation yet ({path} does not exist): "
            "run `modomodo recommend` on it first"
        )
    if data.get("pilots") != pilots:
        raise ModomodoError(
            f"{path} was not made from the pilots that are finished now: run `modomodo recommend` again"
        )
    return data


def write_confirmation(study: Study, confirmation: StudyConfirmation) -> None:
    """Write confirmation.json, and add a new one to confirmations.jsonl: trying until one looks real must show."""
    write_json(confirmation_path(study), confirmation.as_dict())
    lines = _all_confirmations(study)
    # The rest follows from these, but for last digits that differ between machines.
    if _tested(confirmation.as_dict()) not in [_tested(json.loads(line)) for line in lines]:
        text = "\n".join([*lines, json.dumps(confirmation.as_dict())]) + "\n"
        write_text(_all_path(study), text)


def is_tested(study: Study, mixture: Mixture) -> bool:
    """Return whether the study's confirmation.json is of this mixture."""
    path = confirmation_path(study)
    data = read_json(path)
    return data is not None and _tested_mixture(data, path).key == mixture.key


def count_confirmations(study: Study) -> int:
    """Return how many different confirmations the study has seen, on the same items."""
    return len(_all_confirmations(study))


def again(tests: int) -> str:
    """Return the caution about a confirmation that is not the first."""
    return (
        f"this is confirmation {tests} of this study on the same items; of 20 tests of mixtures that are no better, "
        "one looks real by chance. All of them are in confirmations.jsonl."
    )


def _tested_mixture(data: Mapping[str, Any], where: object) -> Mixture:
    weights = value_of(dict[str, float], data.get("mixture"), where=f"mixture of {where}")
    return Mixture.of(weights)


def _all_path(study: Study) -> Path:
    return study.folder / "confirmations.jsonl"


def _all_confirmations(study: Study) -> list[str]:
    path = _all_path(study)
    return path.read_text().splitlines() if path.exists() else []


def _tested(data: Mapping[str, Any]) -> tuple[str, list[int]]:
    """Return the key of the mixture that a confirmation tested, and its seeds."""
    return Mixture.of(data["mixture"]).key, list(data["objective"]["seeds"])
