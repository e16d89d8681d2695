"""STRATEGIES: all mixture strategies by name."""

from collections.abc import Sequence

from modomodo.core.errors import ModomodoError, closest
from modomodo.mixing.strategies.base import Strategy
from modomodo.mixing.strategies.chance import Chance
from modomodo.mixing.strategies.olmix import Olmix
from modomodo.mixing.strategies.ours import Ours
from modomodo.mixing.strategies.paper import Alpha, BestOf, Coli, Equal, Norm, QuadSurface
from modomodo.mixing.strategies.regmix import RegMix

OURS = "ours"
STRATEGIES: dict[str, Strategy] = {
    OURS: Ours(),
    "olmix": Olmix(),
    "regmix": RegMix(),
    "quadsurface": QuadSurface(),
    "norm": Norm(),
    "coli": Coli(),
    "alpha-in": Alpha(1.0),
    "alpha-out": Alpha(0.0),
    "alpha-balanced": Alpha(0.5),
    "exclude-one": BestOf("exclude"),
    "single": BestOf("single"),
    "equal": Equal(),
    "random": Chance(),
}


def check_names(names: Sequence[str]) -> None:
    """Raise a ModomodoError for a name that no strategy has."""
    for name in names:
        if name not in STRATEGIES:
            raise ModomodoError(f"unknown strategy {name!r}; {closest(name, STRATEGIES)}")
