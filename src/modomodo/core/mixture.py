"""Mixture: a frozen point of the simplex over domains."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modomodo.core.errors import ModomodoError, closest

SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Mixture:
    """Shares of the domains: non-negative, finite, summing to 1 within 1e-6.

    Build one with `Mixture.of`, `Mixture.parse`, `Mixture.uniform`, `Mixture.single` or `Mixture.exclude_one`.
    """

    domains: tuple[str, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.domains or len(self.domains) != len(self.weights):
            raise ModomodoError(
                f"a mixture needs one weight per domain, "
                f"got {len(self.domains)} domains and {len(self.weights)} weights"
            )
        if len(set(self.domains)) < len(self.domains):
            raise ModomodoError(f"a mixture must name each domain once, got {', '.join(self.domains)}")
        for name, weight in zip(self.domains, self.weights, strict=True):
            if not math.isfinite(weight) or weight < 0:
                raise ModomodoError(f"weight of {name} is {weight}: weights must be finite and not negative")
        total = math.fsum(self.weights)
        if abs(total - 1) > SUM_TOLERANCE:
            raise ModomodoError(
                f"weights sum to {total:.9g}, not to 1: {self}; divide each by the sum, if that's meant"
            )

    def __str__(self) -> str:
        return ", ".join(f"{name}={weight:.4g}" for name, weight in zip(self.domains, self.weights, strict=True))

    @classmethod
    def of(cls, weights: Mapping[str, float]) -> "Mixture":
        """Return the mixture with these weights, domains in the order given."""
        for name, weight in weights.items():
            if isinstance(weight, bool) or not isinstance(weight, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ModomodoError(f"weight of {name} is {weight!r}: write a number")
        return cls(tuple(weights), tuple(float(weight) for weight in weights.values()))

    @classmethod
    def parse(cls, text: str, domains: Sequence[str]) -> "Mixture":
        """Return the mixture that `text` names.

        `text` is `equal`, `single:NAME`, `exclude:NAME`, or `a=0.5,b=0.5` (domains left out get 0).
        """
        word, _, name = text.strip().partition(":")
        if word == "equal" and not name:
            return cls.uniform(domains)
        if word in ("single", "exclude") and name:
            return cls.single(name, domains) if word == "single" else cls.exclude_one(name, domains)
        weights = dict.fromkeys(domains, 0.0)
        for part in text.split(","):
            key, equals, value = (piece.strip() for piece in part.partition("="))
            try:
                number = float(value)
            except ValueError:
                equals = ""
                number = 0.0
            if not equals:
                raise ModomodoError(
                    f"mixture {text!r}: cannot read {part.strip()!r}; "
                    "write equal, single:NAME, exclude:NAME or name=weight,name=weight"
                )
            _check_known(key, domains)
            weights[key] = number
        return cls.of(weights)

    @classmethod
    def uniform(cls, domains: Sequence[str]) -> "Mixture":
        """Return equal shares of `domains`."""
        return cls(tuple(domains), (1 / max(len(domains), 1),) * len(domains))

    @classmethod
    def single(cls, name: str, domains: Sequence[str]) -> "Mixture":
        """Return all weight on `name`."""
        _check_known(name, domains)
        return cls(tuple(domains), tuple(float(domain == name) for domain in domains))

    @classmethod
    def exclude_one(cls, name: str, domains: Sequence[str]) -> "Mixture":
        """Return equal shares of all domains but `name`."""
        _check_known(name, domains)
        if len(domains) < 2:
            raise ModomodoError(f"cannot exclude {name}: it is the only domain")
        return cls(tuple(domains), tuple(float(domain != name) / (len(domains) - 1) for domain in domains))

    def as_dict(self) -> dict[str, float]:
        """Return domain -> weight."""
        return dict(zip(self.domains, self.weights, strict=True))

    def vector(self, domains: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return the weights in the order of `domains`, shape [D]; a domain that the mixture lacks has 0."""
        weights = self.as_dict()
        missing = [name for name, weight in weights.items() if weight > 0 and name not in domains]
        if missing:
            raise ModomodoError(f"the mixture gives weight to {', '.join(missing)}; {closest(missing[0], domains)}")
        return np.array([weights.get(name, 0.0) for name in domains])

    def distance(self, other: "Mixture") -> float:
        """Return the total variation distance to `other`, in [0, 1]: the share of prompts that would change."""
        names = sorted({*self.domains, *other.domains})
        return float(np.abs(self.vector(names) - other.vector(names)).sum() / 2)

    @property
    def key(self) -> str:
        """A hash (12 hex digits) of the non-zero weights; the order of domains and absent domains do not matter."""
        rounded = {name: round(weight, 9) for name, weight in self.as_dict().items()}
        weights = sorted((name, weight) for name, weight in rounded.items() if weight > 0)
        return hashlib.sha256(json.dumps(weights).encode()).hexdigest()[:12]


def _check_known(name: str, domains: Iterable[str]) -> None:
    if name not in domains:
        raise ModomodoError(f"unknown domain {name!r} in a mixture; {closest(name, domains)}")
