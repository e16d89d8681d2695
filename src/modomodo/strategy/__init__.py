"""Mixture strategies behind one interface, and their comparison on known runs.

found = strategies(read_runs("runs.csv"))
STRATEGIES["norm"].choose(runs, goal=Goal(), seed=0).mixture
"""

from modomodo.strategy.base import Choice as Choice
from modomodo.strategy.base import Goal as Goal
from modomodo.strategy.base import Strategy as Strategy
from modomodo.strategy.known import STRATEGIES as STRATEGIES
from modomodo.strategy.replay import Replay as Replay
from modomodo.strategy.replay import strategies as strategies
from modomodo.strategy.summary import Outcome as Outcome
from modomodo.strategy.summary import Spread as Spread
from modomodo.strategy.summary import Summary as Summary

__all__ = ["STRATEGIES", "Choice", "Goal", "Outcome", "Replay", "Spread", "Strategy", "Summary", "strategies"]
