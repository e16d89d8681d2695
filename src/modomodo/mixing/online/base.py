"""What a rule sees and returns: a rule is a pure function of the shares a run starts from and its log so far.

Axes: D domains, in the order of the starting shares.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modomodo.core.simplex import Array


@dataclass(frozen=True)
class Seen:
    """What one step did with one domain.

    accuracy: mean of what the verifier gave, from 0 to 1. advantage: mean absolute advantage, each group's rewards less
    their mean over their standard deviation, as the trainer has them. zero_advantage: share of the prompts whose
    completions all earned the same, and so taught nothing.
    """

    prompts: int
    completions: int
    accuracy: float
    advantage: float
    zero_advantage: float


Log = Sequence[Mapping[str, Seen]]
"""The steps of a run so far, each domain -> Seen; a step has the domains that it drew from."""


Rule = Callable[..., Mapping[str, float]]
"""Takes `start` and `log`, and its own settings as keyword arguments; returns domain -> share of the next block.

`start` has the positive shares that the run begins with, by domain; the shares returned are of the same domains, not
negative, and sum to 1. The same arguments give the same shares: no clock, and no random numbers but from a seed among
the settings. Each setting has a type, and mostly a default; a file's is a `Path`.
"""


def boltzmann(start: Mapping[str, float], score_D: Array, *, temperature: float) -> dict[str, float]:
    """Return shares in proportion to start * exp(score / temperature): a plain softmax where a run starts equal."""
    return normalised(start, softmax(np.log(list(start.values())) + score_D / temperature))


def softmax(logit_D: Array) -> Array:
    """Return shares [D] in proportion to exp(logit)."""
    weight_D = np.exp(logit_D - logit_D.max())
    return weight_D / weight_D.sum()


def normalised(start: Mapping[str, float], weight_D: Array) -> dict[str, float]:
    """Return weights in the order of `start` as shares by name."""
    return dict(zip(start, (weight_D / weight_D.sum()).tolist(), strict=True))


def taught(log: Log, name: str, *, window: int) -> float:
    """Return which share of a domain's last `window` prompts taught something, drawn towards 1 by one prompt.

    Without prompts it is 1; it is never 0, so that a domain that taught nothing can come back.
    """
    prompts = useful = 0.0
    for seen in (step[name] for step in reversed(log) if name in step):
        if prompts >= window:
            break
        prompts += seen.prompts
        useful += seen.prompts * (1 - seen.zero_advantage)
    return (useful + 1) / (prompts + 1)
