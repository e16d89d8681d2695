"""What blind policies, shuffled golds and golds in other spellings earn in a set of rows."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from modomodo.core.rows import Row, View
from modomodo.core.seeds import child_rng
from modomodo.data.audit.policies import BOXED, Kind, accepted, blind_policies, folded, gold_text, same_gold
from modomodo.data.audit.rates import Rate
from modomodo.data.audit.repeats import Repeats, find_repeats
from modomodo.data.audit.rules import rule_policies
from modomodo.data.audit.shapes import Shapes, find_shapes
from modomodo.data.audit.spellings import spellings
from modomodo.data.domain import Domain, verdict_on
from modomodo.verifiers import gold_reply

SAMPLE = 256
"""Rows of each set whose rewards are measured; counts of golds and repeats are those of all rows."""
SHUFFLES = 2
"""Golds of other rows that are tried on each row."""


@dataclass(frozen=True)
class Earned:
    """What a policy earns on the rows that it has an answer to, counted as 0 on the others."""

    policy: str
    kind: Kind
    rate: Rate


@dataclass(frozen=True)
class Missed:
    """A spelling of golds that earns less than the gold itself, with one reply as an example."""

    spelling: str
    reward: float
    reply: str
    gold: str


@dataclass(frozen=True)
class Audited:
    """A set of rows, measured; see docs/audit.md.

    `share` is that of the rows that accept the most frequent gold, `commonest`, None where golds are boxes. `shuffled`
    is what golds of other rows earn, `lenient` what those earn of them that are another answer, None where no row has
    another. `spelled` is what golds earn in all their spellings, and `informedness` (Youden's J) spelled less shuffled.
    """

    name: str
    split: str
    rows: int
    graded: int
    verifiers: tuple[str, ...]
    commonest: str | None
    share: float
    earned: tuple[Earned, ...]
    shuffled: Rate
    lenient: Rate | None
    spelled: Rate
    informedness: Rate
    missed: Missed | None
    repeats: Repeats
    shapes: Shapes

    @property
    def where(self) -> str:
        return f"{self.name} ({self.split})"

    def best(self, kind: Kind) -> Earned | None:
        """Return the policy of a kind that earns most."""
        return max((one for one in self.earned if one.kind == kind), key=lambda one: one.rate.mean, default=None)


def audit_rows(
    domain: Domain,
    split: str,
    *,
    view: View | None = None,
    sample: int = SAMPLE,
    progress: Callable[[int], None] | None = None,
) -> Audited | None:
    """Return what the rows of a split would pay for; None where it has fewer than two.

    Rewards are those of the domain's own verifier, on `sample` rows drawn by a fixed seed; `progress` is told of each.

    Raises ModomodoError when rows or images cannot be read.
    """
    rows, view = domain.load(split), view or View()
    if len(rows) < 2:
        return None
    drawn = _drawn(rows, sample, domain.name, split)
    pay = _Pay(domain, view)
    true_false = [_true_and_false(pay, drawn, place, progress) for place in range(len(drawn))]
    shuffled = [float(np.mean([*one.same, *one.other])) for one in true_false]
    spelled = [float(np.mean([reward for _, _, reward in one.spelled] or [0.0])) for one in true_false]
    commonest, times = _commonest(rows)
    return Audited(
        name=domain.name,
        split=split,
        rows=len(rows),
        graded=len(drawn),
        verifiers=tuple(sorted({row.target.verifier for row in rows})),
        commonest=commonest,
        share=times / len(rows),
        earned=_earned(pay, rows, drawn),
        shuffled=_rate(shuffled),
        lenient=Rate.of([reward for one in true_false for reward in one.other]),
        spelled=_rate(spelled),
        informedness=_rate([right - wrong for right, wrong in zip(spelled, shuffled, strict=True)], least=-1.0),
        missed=_missed(true_false, drawn),
        repeats=find_repeats(rows),
        shapes=find_shapes(rows),
    )


def _drawn(rows: Sequence[Row], sample: int, *path: str) -> list[Row]:
    """Return `sample` rows in an order that is always the same."""
    order = child_rng(0, "audit", *path).permutation(len(rows))
    return [rows[int(place)] for place in order[:sample]]


@dataclass(frozen=True)
class _Pay:
    """What a reply to a row earns; 0 where it cannot be graded, which `check` says."""

    domain: Domain
    view: View

    def __call__(self, row: Row, reply: str | None) -> float:
        if reply is None:
            return 0.0
        return verdict_on(row, reply, domain=self.domain, view=self.view).reward or 0.0


@dataclass(frozen=True)
class _OneRow:
    """Rewards of a row: of its gold's spellings (what, reply, reward), and of others' golds, the same or not."""

    spelled: list[tuple[str, str, float]]
    same: list[float]
    other: list[float]


def _true_and_false(pay: _Pay, drawn: Sequence[Row], place: int, progress: Callable[[int], None] | None) -> _OneRow:
    row = drawn[place]
    spelled = [(what, reply, pay(row, reply)) for what, reply in spellings(row, pay.view)]
    same: list[float] = []
    other: list[float] = []
    # The rows are in random order, so that neighbours are golds drawn at random.
    for step in range(1, min(SHUFFLES, len(drawn) - 1) + 1):
        target = drawn[(place + step) % len(drawn)].target
        alike = same_gold(target, row.target)
        (same if alike else other).append(pay(row, gold_reply(target, pay.view)))
    if progress is not None:
        progress(1)
    return _OneRow(spelled, same, other)


def _commonest(rows: Sequence[Row]) -> tuple[str | None, int]:
    """Return the most frequent accepted text, and how many rows accept it; boxes are none."""
    texts = [text for row in rows if row.target.verifier not in BOXED for text in accepted(row.target)]
    spelled = {folded(text): text for text in texts}
    ranked = Counter(map(folded, texts)).most_common(1)
    return (spelled[ranked[0][0]], ranked[0][1]) if ranked else (None, 0)


def _earned(pay: _Pay, rows: Sequence[Row], drawn: Sequence[Row]) -> tuple[Earned, ...]:
    return tuple(
        Earned(policy.name, policy.kind, _rate([pay(row, policy.reply(row, pay.view)) for row in drawn]))
        for policy in (*blind_policies(rows), *rule_policies(rows))
    )


def _missed(measured: Sequence[_OneRow], drawn: Sequence[Row]) -> Missed | None:
    """Return the spelling that earns least, None where all earn all."""
    rewards: defaultdict[str, list[float]] = defaultdict(list)
    example: dict[str, tuple[str, str]] = {}
    for one, row in zip(measured, drawn, strict=True):
        for what, reply, reward in one.spelled:
            rewards[what].append(reward)
            if reward < 1:
                answer = reply.partition("<answer>")[2].removesuffix("</answer>")
                example.setdefault(what, (answer, gold_text(row.target)))
    if not example:
        return None
    worst = min(example, key=lambda what: float(np.mean(rewards[what])))
    return Missed(worst, float(np.mean(rewards[worst])), *example[worst])


def _rate(values: Sequence[float], *, least: float = 0.0) -> Rate:
    rate = Rate.of(values, least=least)
    assert rate is not None, "two rows at least"
    return rate
