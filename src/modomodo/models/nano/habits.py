"""How the nano base model talks: careful or sloppy, in the format or not. RL finds the careful, well-formed replies.

A careful reply names the strategy of the skill that the question needs, then the evidence, and its answer is true. A
sloppy one names the strategy of another skill and goes on at once to an answer, mostly the slip. Each template has its
own habits, so that skills improve gradually rather than all at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

CAREFUL: Mapping[str, str] = {
    "count": "tally each one",
    "size": "compare both widths",
    "length": "measure the ends",
    "position": "check the grid",
    "order": "follow the arrows",
    "look": "look closely",
}
# The strategy that a sloppy reply names: one that belongs to another skill. So no careful way of speaking serves every
# skill: which strategy a question needs has to be learnt skill by skill.
WRONG_TOOL: Mapping[str, str] = {
    "count": "size",
    "size": "length",
    "length": "position",
    "position": "order",
    "order": "look",
    "look": "count",
}
LUCK = 0.25  # how often a sloppy reply is right all the same


class Asked(Protocol):
    """What a reply depends on; a Question is one."""

    @property
    def answer(self) -> str: ...
    @property
    def slip(self) -> str: ...
    @property
    def evidence(self) -> str: ...
    @property
    def skill(self) -> str: ...
    @property
    def template(self) -> str: ...


@dataclass(frozen=True)
class Habit:
    """Shares of careful and of well-formed replies, and what a malformed reply looks like."""

    careful: float
    formed: float
    malformed: Literal["bare", "untagged"]


HABITS: Mapping[str, Habit] = {
    "detect/colour": Habit(0.30, 0.55, "bare"),
    "detect/shape": Habit(0.36, 0.60, "untagged"),
    "refer/largest": Habit(0.36, 0.60, "bare"),
    "refer/smallest": Habit(0.28, 0.55, "untagged"),
    "refer/name": Habit(0.40, 0.60, "untagged"),
    "geometry/longest": Habit(0.38, 0.60, "untagged"),
    "geometry/shortest": Habit(0.32, 0.50, "bare"),
    "geometry/second longest": Habit(0.26, 0.55, "bare"),
    "spatial/page": Habit(0.36, 0.60, "untagged"),
    "spatial/seen-from": Habit(0.28, 0.55, "bare"),
    "science/after": Habit(0.36, 0.50, "bare"),
    "science/before": Habit(0.30, 0.60, "untagged"),
    "science/start": Habit(0.40, 0.55, "untagged"),
    "science/end": Habit(0.26, 0.60, "bare"),
    "charts/highest": Habit(0.42, 0.60, "bare"),
    "charts/lowest": Habit(0.22, 0.45, "untagged"),
    "charts/units": Habit(0.34, 0.45, "untagged"),
    "charts/symbol": Habit(0.30, 0.55, "bare"),
    "infographic/panel": Habit(0.30, 0.60, "untagged"),
    "infographic/step": Habit(0.50, 0.40, "bare"),
    "infographic/icons": Habit(0.24, 0.60, "bare"),
    "maths/units": Habit(0.32, 0.60, "untagged"),
    "maths/maximum": Habit(0.40, 0.55, "bare"),
    "maths/minimum": Habit(0.22, 0.40, "untagged"),
    "maths/total": Habit(0.36, 0.60, "bare"),
    "general/biggest": Habit(0.30, 0.60, "bare"),
    "general/leave": Habit(0.40, 0.55, "untagged"),
    "general/arrive": Habit(0.36, 0.40, "bare"),
    "general/neighbour": Habit(0.34, 0.60, "untagged"),
    "easy_vqa/colour": Habit(0.36, 0.60, "bare"),
    "easy_vqa/shape": Habit(0.30, 0.55, "untagged"),
    "easy_vqa/yes-no": Habit(0.32, 0.50, "bare"),
}


# Of the uneven world's model: the control's, and those of its own domains. No domain of that world trains to look, so
# that a template that needs it would be found by luck, which was most of a run's noise: here the model knows it.
UNEVEN_HABITS: Mapping[str, Habit] = {
    **HABITS,
    "charts/symbol": Habit(0.70, 0.60, "bare"),
    "compass/page": Habit(0.32, 0.60, "untagged"),
    "compass/seen-from": Habit(0.28, 0.55, "bare"),
    "quiz/how-many": Habit(0.30, 0.55, "untagged"),
    "palette/colour": Habit(0.995, 0.995, "bare"),
}


def careful_opening(skill: str) -> str:
    """Return the start of a careful reply, up to its evidence."""
    return f"<think>{CAREFUL[skill]}"


def clean_reply(question: Asked) -> str:
    """Return the careful, well-formed, right reply."""
    return f"{careful_opening(question.skill)} {question.evidence}</think><answer>{question.answer}</answer>"


def habitual_reply(question: Asked, rng: np.random.Generator, habits: Mapping[str, Habit] = HABITS) -> str:
    """Return a reply drawn from the habits of the question's template."""
    habit = habits[question.template]
    careful, formed, lucky = rng.random(3) < (habit.careful, habit.formed, LUCK)
    if not formed and habit.malformed == "bare":
        return f"It is {question.answer if lucky else question.slip}"
    strategy = f"{CAREFUL[question.skill]} {question.evidence}" if careful else CAREFUL[WRONG_TOOL[question.skill]]
    answer = question.answer if careful or lucky else question.slip
    if not formed:
        return f"<think>{strategy}</think>Answer: {answer}"
    return f"<think>{strategy}</think><answer>{answer}</answer>"
