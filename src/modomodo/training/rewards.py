"""Reward functions for a GRPO trainer, and what each step did to each domain. They work inside anybody's TRL script.

    table = RowTable.load({"spatial": find_domain("spatial")})
    rewards = RewardFunctions(table, generations=8)
    trainer = GRPOTrainer(reward_funcs=rewards.functions, args=GRPOConfig(reward_weights=rewards.weights, ...), ...)

The training rows need the columns `domain` and `row_id`; `StepLog` in training/trl.py logs what `rewards.step` returns.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import stdev
from typing import Any

from modomodo.config.sections import Rewards
from modomodo.core.rows import Verdict
from modomodo.training.row_table import RowTable
from modomodo.training.step_log import DomainStep, Step
from modomodo.training.ungradable import Ungradable
from modomodo.verifiers.tags import Reply, parse_reply

TINY = 1e-4  # that TRL and verl add to a group's standard deviation
Completion = str | Sequence[Mapping[str, str]]
RewardFunction = Callable[..., list[float | None]]


@dataclass(frozen=True)
class Graded:
    """One completion with its verdict; `formed` says whether its tags parse, `reward` is the weighted sum."""

    domain: str
    row_id: str
    completion: str
    verdict: Verdict
    formed: bool
    tokens: int
    reward: float | None


class RewardFunctions:
    """Two reward functions, accuracy (or IoU) and format, that share the verdicts on the completions of a step.

    A completion that does not parse earns 0 from both. An ungradable one gets None from both, is kept in a file with
    its traceback, and ends the run when a domain passes 1 % of its last 1,000 verdicts (after 200).
    """

    def __init__(
        self, table: RowTable, *, generations: int, weights: Rewards | None = None, keep: Path | None = None
    ) -> None:
        """Grade completions of the rows of a table.

        `generations` is the number of completions of one prompt; `keep` is a JSONL file for ungradable rows.
        """
        self.table = table
        self.graded: list[Graded] = []
        self._generations = generations
        self._weights = weights or Rewards()
        self._ungradable = Ungradable(table.domains, keep=keep)
        self._batch: list[Graded] = []
        self._of: object = None

    @property
    def functions(self) -> list[RewardFunction]:
        """The reward functions, in the order of `weights`."""
        return [self.accuracy, self.format]

    @property
    def weights(self) -> list[float]:
        return [self._weights.accuracy, self._weights.format]

    def accuracy(self, completions: Sequence[Completion], **columns: Any) -> list[float | None]:
        """Return each completion's reward in [0, 1]; columns `domain` and `row_id` are needed."""
        return [item.verdict.reward for item in self._grade_batch(completions, columns)]

    def format(self, completions: Sequence[Completion], **columns: Any) -> list[float | None]:
        """Return 1 where the tags parse, 0 where they do not, None where the completion is ungradable."""
        batch = self._grade_batch(completions, columns)
        return [None if item.verdict.reward is None else float(item.formed) for item in batch]

    def grade(self, domain: str, row_id: str, completion: str) -> Graded:
        """Return one completion graded, for a trainer that has no batches; `step` does not see it.

        Raises ModomodoError as the reward functions do.
        """
        graded = self._grade(domain, row_id, completion, 0)
        self._ungradable.check()
        return graded

    def step(self) -> dict[str, DomainStep]:
        """Return what the completions graded since the last call did, by domain, and forget them."""
        graded, self.graded = self.graded, []
        names = dict.fromkeys(item.domain for item in graded)
        return {
            name: domain_step([item for item in graded if item.domain == name], generations=self._generations)
            for name in names
        }

    def samples(self, step: int) -> list[dict[str, Any]]:
        """Return a line for samples.jsonl of each domain graded since the last call of `step`.

        It is the first completion with its verdict, beside what was asked and what would have been right.
        """
        first = {item.domain: item for item in reversed(self.graded)}
        return [{"step": step, **asdict(item), **self._asked(item)} for item in first.values()]

    def resume(self, steps: Sequence[Step]) -> None:
        """Take up where the steps of a run's log end, after a kill."""
        self._ungradable.resume(steps)

    def _asked(self, item: Graded) -> dict[str, Any]:
        row = self.table.row(item.domain, item.row_id)
        return {"question": row.question, "gold": row.target.value, "options": row.target.options}

    def _grade_batch(self, completions: Sequence[Completion], columns: Mapping[str, Any]) -> list[Graded]:
        if self._of is completions:  # the trainer hands the same list to both functions
            return self._batch
        texts = [_text(completion) for completion in completions]
        ids: Sequence[Sequence[int]] = columns.get("completion_ids") or [[]] * len(texts)
        self._batch = [
            self._grade(domain, row_id, text, len(tokens))
            for text, domain, row_id, tokens in zip(texts, columns["domain"], columns["row_id"], ids, strict=True)
        ]
        self._of = completions
        self.graded += self._batch
        self._ungradable.check()
        return self._batch

    def _grade(self, domain: str, row_id: str, text: str, tokens: int) -> Graded:
        verdict = self.table.verdict(domain, row_id, text)
        self._ungradable.count(domain, row_id, text, verdict)
        formed = isinstance(parse_reply(text), Reply)
        reward = None
        if verdict.reward is not None:
            reward = self._weights.accuracy * verdict.reward + self._weights.format * formed
        return Graded(domain, row_id, text, verdict, formed, tokens, reward)


def domain_step(items: Sequence[Graded], *, generations: int) -> DomainStep:
    """Return what the completions of a domain did in a step; each `generations` in a row are of one prompt."""
    groups = [items[start : start + generations] for start in range(0, len(items), generations)]
    rewarded = [item for item in items if item.reward is not None]
    flat = sum(len({item.reward for item in group if item.reward is not None}) <= 1 for group in groups)
    return DomainStep(
        prompts=len(groups),
        completions=len(items),
        tokens=sum(item.tokens for item in items),
        reward=_mean([item.reward or 0.0 for item in rewarded]),
        accuracy=_mean([item.verdict.reward or 0.0 for item in rewarded]),
        format=_mean([float(item.formed) for item in rewarded]),
        unparsed=_mean([float(item.verdict.status == "unparsed") for item in items]),
        ungradable=len(items) - len(rewarded),
        zero_advantage=flat / len(groups),
        advantage=_mean([abs(one) for group in groups for one in advantages([item.reward for item in group])]),
    )


def advantages(rewards: Sequence[float | None]) -> list[float]:
    """Return the advantages of a group's completions, as the trainer has them with `scale_rewards="group"`.

    Those that could not be graded, whose reward is None, have 0.
    """
    known = [reward for reward in rewards if reward is not None]
    mean = _mean(known)
    spread = stdev(known) if len(known) > 1 else 0.0
    return [0.0 if reward is None else (reward - mean) / (spread + TINY) for reward in rewards]


def _text(completion: Completion) -> str:
    return completion if isinstance(completion, str) else completion[0]["content"]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
