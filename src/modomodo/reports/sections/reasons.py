"""Why the recommended mixture gives a domain more or less than equal shares: what the pilots say of each, in words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.reports.evidence import Evidence
from modomodo.study.plan import pilot_row_caps
from modomodo.study.results import OUT, FinishedRun
from modomodo.training.step_log import read_steps

Change = Literal["dropped", "lowered", "kept", "raised"]
DROPPED = 0.02  # a share below which a domain counts as dropped
KEPT = 0.25  # relative change of a share up to which it counts as kept
SOLVED = 0.5  # share of groups without an advantage from which it is a reason


@dataclass(frozen=True)
class Groups:
    """The groups of a domain in all pilots, a group being the completions of one prompt.

    `flat` is the share of them whose completions all earned the same; `asked` is the domain's share of all groups,
    `taught` that of the groups that are not flat.
    """

    flat: float
    asked: float
    taught: float


@dataclass(frozen=True)
class Reason:
    """What became of a domain, and the evidence.

    `share` and `equal` are its shares of the prompts. `groups` are its groups in the pilots, None where none trained on
    it. `without` is the expected change of the objective when it is left out of equal shares, with its 90 % interval;
    None without a surrogate. `lasting` is the share of a run that its rows last for.
    """

    domain: str
    change: Change
    share: float
    equal: float
    groups: Groups | None
    without: tuple[float, float, float] | None
    lasting: float

    @property
    def sentence(self) -> str:
        """The evidence in words, the strongest first."""
        instead = "" if self.change == "kept" else f" instead of {self.equal:.3f}"
        return " ".join([f"{self.domain}: {self.change} ({self.share:.3f}{instead}).", *self._why()])

    def _why(self) -> list[str]:
        why: list[str] = []
        if self.groups is not None and self.groups.flat >= SOLVED:
            why.append(
                f"{self.groups.flat:.0%} of its groups in the pilots all earned the same and taught nothing: it is "
                f"{self.groups.asked:.0%} of the pilots' prompts and {self.groups.taught:.0%} of those that teach."
            )
        if self.without is not None:
            gain, low, high = self.without
            way = "lose" if gain < 0 else "gain"
            unsure = "" if low > 0 or high < 0 else ", so it cannot be told"
            why.append(
                f"Without it, equal shares of the others are expected to {way} {abs(gain):.3f} on {OUT} "
                f"(90 % interval {low:+.3f} to {high:+.3f}{unsure})."
            )
        if self.lasting < 1 and self.share > self.lasting - 0.01:
            why.append(f"Its rows last for no more than {self.lasting:.3f} of a run.")
        return why


def domain_reasons(evidence: Evidence) -> tuple[Reason, ...]:
    """Return a Reason for each domain, the most lowered first; none without a recommendation."""
    mixture = evidence.recommended()
    if mixture is None:
        return ()
    groups, equal = _groups(evidence.of_kind("pilot")), 1 / len(evidence.domains)
    lasting = _lasting(evidence.study)
    found = [
        Reason(
            domain=name,
            change=_change(share, equal),
            share=share,
            equal=equal,
            groups=groups.get(name),
            without=_without(evidence, name),
            lasting=lasting.get(name, 1.0),
        )
        for name, share in ((name, mixture.as_dict().get(name, 0.0)) for name in evidence.domains)
    ]
    return tuple(sorted(found, key=lambda one: one.share))


def _lasting(study: Study) -> dict[str, float]:
    """Return the share of a run that each domain's rows last for; none where the rows cannot be counted here."""
    try:
        return {name: most for name, (_, most) in pilot_row_caps(study).items()}
    except ModomodoError:
        return {}


def _change(share: float, equal: float) -> Change:
    if share < DROPPED:
        return "dropped"
    ratio = share / equal
    return "lowered" if ratio < 1 - KEPT else "raised" if ratio > 1 + KEPT else "kept"


def _groups(runs: Sequence[FinishedRun]) -> dict[str, Groups]:
    """Return the groups of each domain, over all steps of the runs."""
    all_of, flat_of = Counter[str](), Counter[str]()
    for run in runs:
        for step in read_steps(run.folder):
            for name, done in step.domains.items():
                all_of[name] += done.prompts
                flat_of[name] += round(done.prompts * done.zero_advantage)
    teaching = max(all_of.total() - flat_of.total(), 1)
    return {
        name: Groups(flat_of[name] / count, count / all_of.total(), (count - flat_of[name]) / teaching)
        for name, count in all_of.items()
        if count
    }


def _without(evidence: Evidence, domain: str) -> tuple[float, float, float] | None:
    """Return what the surrogate expects of leaving a domain out of equal shares, with its 90 % interval."""
    fitted, domains = evidence.fitted, evidence.domains
    if fitted is None or len(domains) < 2:
        return None
    left = Mixture.exclude_one(domain, domains)
    gain, sd = fitted.difference(np.stack([m.vector(domains) for m in (left, evidence.equal)]), name=OUT)
    half = NormalDist().inv_cdf(0.95) * sd
    return gain, gain - half, gain + half
