"""Mean rewards with their intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z95 = 1.96


@dataclass(frozen=True)
class Rate:
    """The mean of `n` rewards, or of differences of rewards, with its 95 % interval."""

    mean: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float], *, least: float = 0.0) -> "Rate | None":
        """Return the mean of values in [`least`, 1]; None where there are none."""
        if not values:
            return None
        n = len(values)
        mean = sum(values) / n
        variance = sum((value - mean) ** 2 for value in values) / max(1, n - 1)
        # All alike is not known without error: not less than half a row among n (Jeffreys).
        half = Z95 * math.sqrt(max(variance, 0.5 / (n + 1)) / n)
        return cls(mean, max(least, mean - half), min(1.0, mean + half), n)
