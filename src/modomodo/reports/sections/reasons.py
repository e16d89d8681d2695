"""Why the recommended mixture gives a domain more or less than equal shares: what the pilots say of each, in words."""

from collections.abc import Mapping, Sequence
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
class Reason:
    """What became of a domain, and the evidence.

    `share` and `equal` are its shares of the prompts. `zero_advantage` is the share of its groups, in all pilots, whose
    completions all earned the same; `taught` its share of the prompts that taught at equal shares; both None where no
    pilot says. `without` is the expected change of the objective when it is left out of equal shares, with its 90 %
    interval; None without a surrogate. `lasting` is the share of a run that its rows last for.
    """

    domain: str
    change: Change
    share: float
    equal: float
    zero_advantage: float | None
    taught: float | None
    without: tuple[float, float, float] | None
    lasting: float

    @property
    def sentence(self) -> str:
        """The evidence in words, the strongest first."""
        return " ".join([f"{self.domain}: {self.change} ({self.share:.3f} instead of {self.equal:.3f}).", *self._why()])

    def _why(self) -> list[str]:
        why: list[str] = []
        if self.zero_advantage is not None and self.taught is not None and self.zero_advantage >= SOLVED:
            why.append(
                f"{self.zero_advantage:.0%} of its groups all earned the same and taught nothing: at equal shares it "
                f"is {self.equal:.0%} of the prompts and {self.taught:.0%} of those that teach."
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
    pilots = evidence.of_kind("pilot")
    flat, equal = _zero_advantage(pilots), 1 / len(evidence.domains)
    taught = _taught_at(pilots, evidence.equal)
    lasting = _lasting(evidence.study)
    found = [
        Reason(
            domain=name,
            change=_change(share, equal),
            share=share,
            equal=equal,
            zero_advantage=flat.get(name),
            taught=taught.get(name),
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


def _zero_advantage(runs: Sequence[FinishedRun]) -> dict[str, float]:
    """Return the share of each domain's groups that taught nothing, over all steps of the runs."""
    groups: dict[str, float] = {}
    flat: dict[str, float] = {}
    for run in runs:
        for step in read_steps(run.folder):
            for name, done in step.domains.items():
                groups[name] = groups.get(name, 0) + done.prompts
                flat[name] = flat.get(name, 0) + done.prompts * done.zero_advantage
    return {name: flat[name] / count for name, count in groups.items() if count}


def _taught_at(runs: Sequence[FinishedRun], mixture: Mixture) -> Mapping[str, float]:
    """Return the effective shares of the runs at a mixture, their mean; empty without such a run."""
    there = [run.effective for run in runs if run.mixture.key == mixture.key and run.effective]
    names = {name for effective in there for name in effective}
    return {name: float(np.mean([effective.get(name, 0.0) for effective in there])) for name in names}


def _without(evidence: Evidence, domain: str) -> tuple[float, float, float] | None:
    """Return what the surrogate expects of leaving a domain out of equal shares, with its 90 % interval."""
    fitted, domains = evidence.fitted, evidence.domains
    if fitted is None or len(domains) < 2:
        return None
    left = Mixture.exclude_one(domain, domains)
    gain, sd = fitted.difference(np.stack([m.vector(domains) for m in (left, evidence.equal)]), name=OUT)
    half = NormalDist().inv_cdf(0.95) * sd
    return gain, gain - half, gain + half
