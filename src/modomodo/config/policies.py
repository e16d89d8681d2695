"""Mixtures that move: a piecewise one, known beforehand, and one that a rule moves by the run's log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from modomodo.config.sections import Cap, limits
from modomodo.core.errors import ModomodoError, closest
from modomodo.core.mixture import Mixture
from modomodo.core.simplex import limits_of, project
from modomodo.mixing.online.base import Log
from modomodo.mixing.online.registry import OF_ALL, RULES, files_of, find_rule, is_rule, settings_of


@dataclass(frozen=True)
class Part:
    """A mixture that a run follows until this share of its steps."""

    until: float
    mixture: Mixture


@dataclass(frozen=True)
class Piecewise:
    """One mixture after another; the last part is until 1."""

    parts: tuple[Part, ...]

    @property
    def requested(self) -> Mixture:
        """The shares asked for over the whole run."""
        starts = (0.0, *(part.until for part in self.parts))
        shares: dict[str, float] = {}
        for start, part in zip(starts, self.parts, strict=False):
            for name, weight in part.mixture.as_dict().items():
                shares[name] = shares.get(name, 0.0) + (part.until - start) * weight
        return Mixture.of(shares)

    def lengths(self, steps: int) -> list[tuple[int, Mixture]]:
        """Return how many steps of a run follow which mixture; a part too short for a step is left out."""
        ends = [0, *(round(part.until * steps) for part in self.parts)]
        spans = [(end - start, part.mixture) for start, end, part in zip(ends, ends[1:], self.parts, strict=False)]
        return [(length, mixture) for length, mixture in spans if length > 0]

    def at(self, step: int, steps: int) -> Mixture:
        """Return the mixture of a step, counted from 1, of a run of so many."""
        return next(part.mixture for part in self.parts if step <= round(part.until * steps))

    def table(self) -> list[dict[str, Any]]:
        """Return the policy as a file writes it."""
        return [{"until": part.until, "mixture": part.mixture.as_dict()} for part in self.parts]

    def identity(self) -> list[Any]:
        """Return what determines the weights."""
        return [[part.until, part.mixture.key] for part in self.parts]


@dataclass(frozen=True)
class Online:
    """A mixture that begins at `start` and is moved by a rule, anew for each `block` of steps, within the caps.

    Only domains with a share at the start take part. `settings` are all of the rule's own.
    """

    rule: str
    start: Mixture
    block: int = 1
    caps: Mapping[str, Cap] = field(default_factory=dict[str, Cap])
    settings: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def requested(self) -> Mixture:
        """The shares asked for, as far as they are known beforehand: those of the start."""
        return self.start

    @property
    def files(self) -> dict[str, Path]:
        """The settings that are files."""
        return files_of(self.settings)

    def weights(self, log: Log) -> dict[str, float]:
        """Return the shares of the next block, domain -> share, within the caps.

        Raises ModomodoError for a rule that is not there, and where it returns no shares of the start's domains.
        """
        start = {name: share for name, share in self.start.as_dict().items() if share > 0}
        shares = find_rule(self.rule)(start, log, **self.settings)
        try:
            if set(shares) != set(start):
                raise ModomodoError(f"it names {', '.join(map(str, shares)) or 'no domain'}, not {', '.join(start)}")
            asked = Mixture.of({name: shares[name] for name in start})
        except ModomodoError as error:
            raise ModomodoError(f"the rule {self.rule!r}, after {len(log)} steps: {error}: mend the rule") from error
        low_D, high_D = limits_of(limits(self._caps_of(start)), asked.domains)
        asked_D = asked.vector(asked.domains)
        inside = (asked_D >= low_D - 1e-12).all() and (asked_D <= high_D + 1e-12).all()
        return dict(zip(start, (asked_D if inside else project(asked_D[None], low_D, high_D)[0]).tolist(), strict=True))

    def table(self) -> dict[str, Any]:
        """Return the policy as a file writes it."""
        caps = {name: cap.model_dump() for name, cap in self.caps.items()}
        settings = {name: str(value) if isinstance(value, Path) else value for name, value in self.settings.items()}
        return {"rule": self.rule, "start": self.start.as_dict(), "block": self.block, "caps": caps, **settings}

    def identity(self) -> dict[str, Any]:
        """Return what determines the weights; what files hold is in their digests."""
        table = {name: value for name, value in self.table().items() if name not in self.files}
        return {**table, "start": self.start.key}

    def _caps_of(self, names: Mapping[str, float]) -> dict[str, Cap]:
        return {name: cap for name, cap in self.caps.items() if name in names}


Policy = Mixture | Piecewise | Online
RECOMMENDED = "recommended"


def read_policy(value: object, domains: Sequence[str]) -> Piecewise | Online | None:
    """Return the policy that a recipe's `mixture` states, None where it states a plain mixture.

    Raises ModomodoError that says which part or key is wrong.
    """
    if isinstance(value, Piecewise | Online):
        return value
    if isinstance(value, str) and "=" not in value and is_rule(value.strip()):
        return _online({"rule": value.strip()}, domains)
    if isinstance(value, Mapping) and isinstance(cast(Mapping[str, object], value).get("rule"), str):
        return _online(cast(Mapping[str, object], value), domains)
    if isinstance(value, list | tuple):
        return _piecewise(cast(Sequence[object], value), domains)
    return None


def plain_mixture(value: object, domains: Sequence[str]) -> Mixture:
    """Return the mixture that a text or a table of weights names.

    Raises ModomodoError for another value.
    """
    if isinstance(value, str):
        return _named(value.strip(), domains)
    if not isinstance(value, Mapping):
        raise ModomodoError(f"write equal, single:NAME, exclude:NAME or a table of weights, not {value!r}")
    weights = cast(Mapping[str, float], value)
    for name in weights:
        if name not in domains:
            raise ModomodoError(f"the domain {name!r} is not in domains; {closest(name, domains)}")
    return Mixture.of(weights)


def _named(text: str, domains: Sequence[str]) -> Mixture:
    if text == RECOMMENDED:
        raise ModomodoError(
            f"{text!r} is the mixture of a study's recommendation: `modomodo train STUDY --set mixture={text}` takes it"
        )
    if is_rule(text):
        raise ModomodoError(f"{text!r} is a rule, and a start or a part has weights: write equal, or a table of them")
    try:
        return Mixture.parse(text, domains)
    except ModomodoError as error:
        near = "" if set(text) & set("=:") else f", or a rule: {closest(text, RULES)}"
        raise ModomodoError(f"{error}{near}") from error


def _piecewise(value: Sequence[object], domains: Sequence[str]) -> Piecewise:
    if not value:
        raise ModomodoError("the list has no parts: write [{until = 0.5, mixture = ...}, {mixture = ...}]")
    parts = [_part(one, domains, number, last=number == len(value)) for number, one in enumerate(value, start=1)]
    for number, (before, after) in enumerate(pairwise(parts), start=2):
        if after.until <= before.until:
            raise ModomodoError(
                f"part {number} is until {after.until:g}, part {number - 1} until {before.until:g}: swap them"
            )
    return Piecewise(tuple(parts))


def _part(value: object, domains: Sequence[str], number: int, *, last: bool) -> Part:
    if not isinstance(value, Mapping) or "mixture" not in value:
        raise ModomodoError(f"part {number} is {value!r}: write {{until = 0.5, mixture = ...}}")
    table = cast(Mapping[str, object], value)
    unknown = [key for key in table if key not in ("until", "mixture")]
    if unknown:
        raise ModomodoError(f"part {number}: unknown key {unknown[0]!r}; {closest(unknown[0], ['until', 'mixture'])}")
    until = table.get("until", 1.0 if last else None)
    if isinstance(until, bool) or not isinstance(until, int | float) or not 0 < until <= 1 or (last and until != 1):
        right = "the last one is until 1, or says nothing" if last else "write the share of the steps that it ends at"
        raise ModomodoError(f"part {number}: until is {until!r}: {right}")
    try:
        return Part(float(until), plain_mixture(table["mixture"], domains))
    except ModomodoError as error:
        raise ModomodoError(f"part {number}: {error}") from error


def _online(table: Mapping[str, object], domains: Sequence[str]) -> Online:
    name = str(table["rule"])
    start = plain_mixture(table.get("start", "equal"), domains)
    block = table.get("block", 1)
    if isinstance(block, bool) or not isinstance(block, int) or block < 1:
        raise ModomodoError(f"block is {block!r}: write a number of steps, 1 or more")
    try:
        caps = TypeAdapter(dict[str, Cap]).validate_python(table.get("caps", {}))
    except ValidationError as error:
        raise ModomodoError(f"caps are {table.get('caps')!r}: write {{NAME = {{max = 0.3}}}}") from error
    limits_of(limits(caps), domains)
    own = {key: value for key, value in table.items() if key not in OF_ALL}
    policy = Online(name, start, block, caps, settings_of(find_rule(name), name, own))
    positive = [one for one, share in start.as_dict().items() if share > 0]
    limits_of(limits({one: cap for one, cap in caps.items() if one in positive}), positive)
    return policy
