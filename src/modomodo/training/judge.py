"""Rewards for a GRPO trainer, and what each step did to each domain. Works inside anybody's TRL script.

    judge = Judge({"spatial": find_domain("spatial")}, generations=8)
    trainer = GRPOTrainer(reward_funcs=judge.functions, args=GRPOConfig(reward_weights=judge.weights, ...), ...)

The training rows need the columns `domain` and `row_id`; `StepLog` in training/trl.py writes what `judge.step` returns.
"""

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from modomodo.config.sections import Rewards
from modomodo.core.errors import ModomodoError
from modomodo.core.files import write_text
from modomodo.core.rows import Row, Verdict, View
from modomodo.data.domain import Domain, verdict_on
from modomodo.verifiers import Reply, parse_reply

WINDOW = 1000  # verdicts of a domain that count towards its share of ungradable ones
WINDOW_START = 200  # verdicts before the share means anything
UNGRADABLE_LIMIT = 0.01

Completion = str | Sequence[Mapping[str, str]]
RewardFunction = Callable[..., list[float | None]]


@dataclass(frozen=True)
class DomainStep:
    """What one step did with one domain.

    `reward` is the weighted sum the trainer sees, averaged; `zero_advantage` is the share of groups whose completions
    all earned the same and so teach nothing; `tokens` counts the completions' tokens.
    """

    prompts: int
    completions: int
    tokens: int
    reward: float
    accuracy: float
    format: float
    unparsed: float
    ungradable: int
    zero_advantage: float


@dataclass(frozen=True)
class Judged:
    """One completion with its verdict."""

    domain: str
    row_id: str
    completion: str
    verdict: Verdict
    formed: bool
    tokens: int
    reward: float | None


class Judge:
    """Verdicts on the completions of a step, as two reward functions: accuracy (or IoU) and format.

    A reply that does not parse earns 0 from both. An ungradable one gets None from both, is kept in `ungradable`
    with its traceback, and ends the run when a domain passes 1 % of its last 1,000 verdicts (after 200).
    """

    def __init__(
        self,
        domains: Mapping[str, Domain],
        *,
        generations: int,
        rows: Mapping[str, Mapping[str, Row]] | None = None,
        rewards: Rewards | None = None,
        view: View | None = None,
        keep: Path | None = None,
    ) -> None:
        """Judge replies to rows of `domains`.

        `generations` is the number of completions of one prompt; `rows` are by domain and id, by default the train
        split; `keep` is a JSONL file for ungradable rows.
        """
        self.domains = domains
        self.rows = rows or {name: {row.id: row for row in domain.load("train")} for name, domain in domains.items()}
        self.view = view or View()
        self._generations = generations
        self._rewards = rewards or Rewards()
        self._keep = keep
        self._recent = {name: deque[bool](maxlen=WINDOW) for name in domains}
        self._batch: list[Judged] = []
        self._of: object = None
        self.judged: list[Judged] = []

    @property
    def pools(self) -> dict[str, list[str]]:
        """The row ids of each domain, for `schedule`."""
        return {name: list(rows) for name, rows in self.rows.items()}

    @property
    def functions(self) -> list[RewardFunction]:
        """The reward functions, in the order of `weights`."""
        return [self.accuracy, self.format]

    @property
    def weights(self) -> list[float]:
        return [self._rewards.accuracy, self._rewards.format]

    def accuracy(self, completions: Sequence[Completion], **columns: Any) -> list[float | None]:
        """Return each reply's reward in [0, 1]; columns `domain` and `row_id` are needed."""
        return [item.verdict.reward for item in self._judge(completions, columns)]

    def format(self, completions: Sequence[Completion], **columns: Any) -> list[float | None]:
        """Return 1 where the tags parse, 0 where they do not, None where the reply is ungradable."""
        return [
            None if item.verdict.reward is None else float(item.formed) for item in self._judge(completions, columns)
        ]

    def one(self, domain: str, row_id: str, completion: str) -> Judged:
        """Return the verdict on one completion of a trainer that has no batches; `step` does not see it.

        Raises ModomodoError as the reward functions do.
        """
        judged = self._judge_one(domain, row_id, completion, 0)
        self._stop_if_ungradable()
        return judged

    def step(self) -> dict[str, DomainStep]:
        """Return what the completions judged since the last call did, by domain, and forget them."""
        judged, self.judged = self.judged, []
        names = dict.fromkeys(item.domain for item in judged)
        return {name: self._domain_step([item for item in judged if item.domain == name]) for name in names}

    def samples(self, step: int) -> list[dict[str, Any]]:
        """Return a line for samples.jsonl of each domain judged since the last call of `step`.

        It is the first completion with its verdict, beside what was asked and what would have been right.
        """
        first = {item.domain: item for item in reversed(self.judged)}
        return [{"step": step, **asdict(item), **self._asked(item)} for item in first.values()]

    def resume(self, steps: Sequence[Mapping[str, Mapping[str, Any]]]) -> None:
        """Take up where the lines of steps.jsonl (domain -> its DomainStep as a table) end, after a kill."""
        for domains in steps:
            for name, step in domains.items():
                broken = step["ungradable"]
                self._recent[name].extend([True] * broken + [False] * (step["completions"] - broken))
        if self._keep is not None and self._keep.exists():
            kept = sum(step["ungradable"] for domains in steps for step in domains.values())
            write_text(self._keep, "".join(self._keep.read_text().splitlines(keepends=True)[:kept]))

    def _asked(self, item: Judged) -> dict[str, Any]:
        row = self.rows[item.domain][item.row_id]
        return {"question": row.question, "gold": row.target.value, "options": row.target.options}

    def _judge(self, completions: Sequence[Completion], columns: Mapping[str, Any]) -> list[Judged]:
        if self._of is completions:  # the trainer hands the same list to both functions
            return self._batch
        texts = [_text(completion) for completion in completions]
        ids: Sequence[Sequence[int]] = columns.get("completion_ids") or [[]] * len(texts)
        self._batch = [
            self._judge_one(domain, row_id, text, len(tokens))
            for text, domain, row_id, tokens in zip(texts, columns["domain"], columns["row_id"], ids, strict=True)
        ]
        self._of = completions
        self.judged += self._batch
        self._stop_if_ungradable()
        return self._batch

    def _judge_one(self, domain: str, row_id: str, text: str, tokens: int) -> Judged:
        verdict = self._verdict(domain, row_id, text)
        formed = isinstance(parse_reply(text), Reply)
        reward = None
        if verdict.reward is not None:
            reward = self._rewards.accuracy * verdict.reward + self._rewards.format * formed
        return Judged(domain, row_id, text, verdict, formed, tokens, reward)

    def _verdict(self, domain: str, row_id: str, text: str) -> Verdict:
        verdict = verdict_on(self.rows[domain][row_id], text, domain=self.domains[domain], view=self.view)
        self._recent[domain].append(verdict.status == "ungradable")
        if verdict.status == "ungradable" and self._keep is not None:
            line = {"domain": domain, "row_id": row_id, "completion": text, **asdict(verdict)}
            with self._keep.open("a") as file:
                file.write(json.dumps(line) + "\n")
        return verdict

    def _stop_if_ungradable(self) -> None:
        for name, recent in self._recent.items():
            count = sum(recent)
            if len(recent) >= WINDOW_START and count > UNGRADABLE_LIMIT * len(recent):
                where = f"; rows and tracebacks are in {self._keep}" if self._keep else ""
                raise ModomodoError(
                    f"domain {name}: {count} of the last {len(recent)} verdicts are ungradable (limit 1 %): its gold "
                    f"or its verifier is broken. Run `modomodo check` on it{where}"
                )

    def _domain_step(self, judged: Sequence[Judged]) -> DomainStep:
        groups = [judged[start : start + self._generations] for start in range(0, len(judged), self._generations)]
        graded = [item for item in judged if item.reward is not None]
        flat = sum(len({item.reward for item in group if item.reward is not None}) <= 1 for group in groups)
        return DomainStep(
            prompts=len(groups),
            completions=len(judged),
            tokens=sum(item.tokens for item in judged),
            reward=_mean([item.reward or 0.0 for item in graded]),
            accuracy=_mean([item.verdict.reward or 0.0 for item in graded]),
            format=_mean([float(item.formed) for item in graded]),
            unparsed=_mean([float(item.verdict.status == "unparsed") for item in judged]),
            ungradable=len(judged) - len(graded),
            zero_advantage=flat / len(groups),
        )


def _text(completion: Completion) -> str:
    return completion if isinstance(completion, str) else completion[0]["content"]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
