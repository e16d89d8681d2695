"""Mixture strategies behind one interface, and their comparison on known runs.

found = strategies(read_runs("runs.csv"))
STRATEGIES["norm"].choose(runs, goal=Goal(), seed=0).mixture
"""

from modomodo.mixing.strategies.base import Choice as Choice
from modomodo.mixing.strategies.base import Goal as Goal
from modomodo.mixing.strategies.base import Strategy as Strategy
from modomodo.mixing.strategies.registry import STRATEGIES as STRATEGIES
from modomodo.mixing.strategies.replay import Pool as Pool
from modomodo.mixing.strategies.replay import Replay as Replay
from modomodo.mixing.strategies.replay import on_draw as on_draw
from modomodo.mixing.strategies.replay import pool_of as pool_of
from modomodo.mixing.strategies.replay import strategies as strategies
from modomodo.mixing.strategies.summary import Outcome as Outcome
from modomodo.mixing.strategies.summary import Spread as Spread
from modomodo.mixing.strategies.summary import Summary as Summary
from modomodo.mixing.strategies.summary import summaries as summaries

__all__ = [
    "STRATEGIES",
    "Choice",
    "Goal",
    "Outcome",
    "Pool",
    "Replay",
    "Spread",
    "Strategy",
    "Summary",
    "on_draw",
    "pool_of",
    "strategies",
    "summaries",
]
