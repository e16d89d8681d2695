"""The rules that others published, and the simplest repair of a mixture; each from its paper, with its defaults there.

Where a run starts from other than equal shares, these weigh what a rule finds: with equal ones it is the paper's.

Axes: D domains, in the order of the starting shares.
"""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from modomodo.mixing.online.base import Log, boltzmann, normalised, softmax, taught

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, le=1)]

BETAS, EPSILON = (0.9, 0.999), 1e-8  # of AdamW
STILL = 0.1  # an improvement beyond it counts as much


def dump(start: Mapping[str, float], log: Log, *, window: Count = 300, temperature: Positive = 0.1) -> dict[str, float]:
    """Return more of the domains whose completions have large advantages, or that were seldom drawn.

    softmax(UCB / temperature), with UCB_d = L_d + sqrt(2 log(n + 1) / (n_d + 1)): L_d the mean absolute advantage of
    the domain's last `window` completions, n_d the completions it had, n those of all. Source: DUMP, Wang et al. 2025,
    arXiv 2504.09710, section 3; window and temperature are those of its code (verl/utils/curriculum_learning.py).
    """
    drawn_D = np.array([float(sum(step[name].completions for step in log if name in step)) for name in start])
    learnable_D = np.array([_recent_advantage(log, name, window) for name in start])
    bonus_D = np.sqrt(2 * np.log(max(float(drawn_D.sum()), 1.0) + 1) / (drawn_D + 1))
    return boltzmann(start, learnable_D + bonus_D, temperature=temperature)


def sec(start: Mapping[str, float], log: Log, *, rate: Rate = 0.5, temperature: Positive = 0.2) -> dict[str, float]:
    """Return more of the domains whose completions have had large advantages lately.

    softmax(Q / temperature); after each step Q_d = rate * r_d + (1 - rate) * Q_d (TD(0), from 0) for the domains that
    the step drew, r_d being the mean absolute advantage of its completions; the others keep theirs. Source: SEC, Chen
    et al. 2025, arXiv 2505.14970, section 3; rate and temperature are those of its code for several domains at once
    (puzzle_2d.sh).
    """
    value_D = np.zeros(len(start))
    for step in log:
        for index, name in enumerate(start):
            if name in step:
                value_D[index] += rate * (step[name].advantage - value_D[index])
    return boltzmann(start, value_D, temperature=temperature)


def mt_grpo(
    start: Mapping[str, float],
    log: Log,
    *,
    trade_off: Positive = 0.2,
    rate: Positive = 0.025,
    decay: Annotated[float, Field(ge=0)] = 1e-5,
    memory: Annotated[float, Field(ge=0, lt=1)] = 0.9,
    inflation: Annotated[float, Field(ge=1)] = 5.0,
) -> dict[str, float]:
    """Return more of the domains that are worst and improve least, and more again where prompts teach nothing.

    Weights z = softmax(xi), xi from log(start). After each step s_d = I_d + trade_off * J_d, and AdamW (`rate`, weight
    decay `decay`) takes a step on xi along g_d = z_d (s_d - sum_j z_j s_j). J_d is the accuracy, 0 until the domain is
    drawn; I_d its change since the step that drew the domain before, clipped to 0.1. Then prompts are drawn in
    proportion to z_d m_d, with m_d = min(1 / (1 - rho_d), inflation), rho_d the mean of zero-advantage shares with
    weights that fall by `memory`.

    Source: MT-GRPO, Ramesh et al. 2026, arXiv 2602.05547, subroutine 1, algorithm 2 and appendix E, experiment 1. Three
    things differ. The paper takes for I_d the change of the objective on the same batch, which costs a second pass; a
    log has accuracies. Its J_d is the reward on the current batch; here a domain that isn't drawn keeps its last one.
    And it draws further prompts until enough of them teach; here a run has its number of prompts.
    """
    logit_D = np.log(list(start.values()))
    first_D, second_D, idle_D = np.zeros((3, len(start)))
    accuracy_D = np.full(len(start), np.nan)
    for count, step in enumerate(log, start=1):
        now_D = np.array([step[name].accuracy if name in step else np.nan for name in start])
        change_D = np.clip(np.nan_to_num(now_D - accuracy_D), -STILL, STILL)
        accuracy_D = np.where(np.isnan(now_D), accuracy_D, now_D)
        signal_D = change_D + trade_off * np.nan_to_num(accuracy_D)
        z_D = softmax(logit_D)
        gradient_D = z_D * (signal_D - z_D @ signal_D)
        first_D = BETAS[0] * first_D + (1 - BETAS[0]) * gradient_D
        second_D = BETAS[1] * second_D + (1 - BETAS[1]) * gradient_D**2
        moment_D, scale_D = first_D / (1 - BETAS[0] ** count), second_D / (1 - BETAS[1] ** count)
        logit_D = logit_D * (1 - rate * decay) - rate * moment_D / (np.sqrt(scale_D) + EPSILON)
        zero_D = np.array([step[name].zero_advantage if name in step else np.nan for name in start])
        idle_D = np.where(np.isnan(zero_D), idle_D, memory * idle_D + (1 - memory) * zero_D)
    return normalised(start, softmax(logit_D) / np.maximum(1 - idle_D, 1 / inflation))


def solved(start: Mapping[str, float], log: Log, *, window: Count = 64) -> dict[str, float]:
    """Return the starting shares, each without the part of it that teaches nothing, which goes to the others.

    In proportion to start_d * t_d, t_d the share of the domain's last `window` prompts that taught something. A domain
    that is solved, or that is too hard, so gives way to those that teach.
    """
    return normalised(start, np.array([share * taught(log, name, window=window) for name, share in start.items()]))


def _recent_advantage(log: Log, name: str, window: int) -> float:
    """Return the mean absolute advantage of a domain's last `window` completions, 0 where it has none."""
    total, left = 0.0, window
    for seen in (step[name] for step in reversed(log) if name in step):
        counted = min(seen.completions, left)
        total, left = total + counted * seen.advantage, left - counted
        if not left:
            break
    return total / (window - left) if left < window else 0.0
