"""How numbers look to a reader: with the digits that tell them apart, whatever their scale."""

import math
from collections.abc import Iterable

USUAL = 3  # decimals
MOST = 12


def decimals(values: Iterable[float]) -> int:
    """Return how many decimals tell the values apart; without a spread, how many show their size.

    The usual 3 where they show two to four significant digits of the spread, else the nearest number that does.
    """
    known = [value for value in values if math.isfinite(value)]
    size = max(map(abs, known), default=0.0)
    spread = max(known, default=0.0) - min(known, default=0.0)
    scale = spread if spread > 1e-9 * size else size  # a smaller spread is rounding
    if scale == 0:
        return USUAL
    first = -math.floor(math.log10(scale))
    return min(max(USUAL, first + 1), max(first + 3, 0), MOST)


def number_format(values: Iterable[float]) -> str:
    """Return the format of these values, which Python and d3 read alike."""
    return f",.{decimals(values)}f"


def tick_format(values: Iterable[float]) -> str:
    """Return d3's format of the ticks beside these values, without zeros at the end."""
    return f",.{decimals(values)}~f"


def number(value: float, shown: str) -> str:
    """Return a score in the format `shown`; one that is not known is a dash."""
    return "–" if math.isnan(value) else format(value, shown)


def signed(value: float, shown: str) -> str:
    """Return a difference of scores in the format `shown`, with its sign."""
    return "–" if math.isnan(value) else format(value, f"+{shown}")
