"""STRATEGIES: all mixture strategies by name, and those that other packages add."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.mixture import Mixture
from modomodo.core.plugins import load_plugin, plugin_names
from modomodo.mixing.runs import Runs
from modomodo.mixing.strategies.base import Choice, Goal, Source, Strategy, fixed
from modomodo.mixing.strategies.baselines import BestRun, Chance
from modomodo.mixing.strategies.olmix import Olmix
from modomodo.mixing.strategies.ours import Ours
from modomodo.mixing.strategies.paper import Alpha, BestOf, Coli, Equal, Norm, QuadSurface
from modomodo.mixing.strategies.regmix import RegMix

OURS = "ours"
GROUP = "modomodo.strategies"  # entry points of other packages
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
    "best-run": BestRun(),
    "equal": Equal(),
    "random": Chance(),
}


@dataclass(frozen=True)
class OfFunction:
    """A strategy that is one function: runs at any mixtures, `goal=` and `seed=` to a Choice, or to a mixture alone.

    A mixture alone outside the goal's caps stands for the nearest one inside.
    """

    function: Callable[..., Choice | Mixture]
    learns_from: Source = "any runs"

    def choose(self, runs: Runs, *, goal: Goal, seed: int) -> Choice:
        found = self.function(runs, goal=goal, seed=seed)
        return found if isinstance(found, Choice) else fixed(found.vector(runs.domains), runs=runs, goal=goal)


def find_strategy(name: str) -> Strategy:
    """Return the strategy of that name: ours, or the entry point of another package in `modomodo.strategies`.

    An entry point names a Strategy, or a function as `OfFunction` takes it.

    Raises:
        ModomodoError: for a name that no strategy has, and for an entry point that is none.
    """
    if name in STRATEGIES:
        return STRATEGIES[name]
    if name not in plugin_names(GROUP):
        raise ModomodoError(f"unknown strategy {name!r}; {closest(name, [*STRATEGIES, *plugin_names(GROUP)])}")
    return strategy_of(load_plugin(GROUP, name))


def strategy_of(loaded: object) -> Strategy:
    """Return a Strategy as it is, and a function as one.

    Raises:
        ModomodoError: for anything else.
    """
    if isinstance(loaded, Strategy):
        return loaded
    if not callable(loaded):
        raise ModomodoError(f"a strategy is a function or has `choose`, and this is a {type(loaded).__name__}")
    return OfFunction(cast(Callable[..., Choice | Mixture], loaded))


def check_names(names: Sequence[str]) -> None:
    """Raise a ModomodoError for a name that no strategy has."""
    for name in names:
        find_strategy(name)
