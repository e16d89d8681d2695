"""Mixture strategies behind one interface, and their comparison on known runs.

found = strategies(read_runs("runs.csv"))
STRATEGIES["norm"].choose(runs, goal=Goal(), seed=0).mixture
"""

from modomodo.mixing.strategies.base import Choice as Choice
from modomodo.mixing.strategies.base import Goal as Goal
from modomodo.mixing.strategies.base import Strategy as Strategy
from modomodo.mixing.strategies.grid import NEXT as NEXT
from modomodo.mixing.strategies.grid import Grid as Grid
from modomodo.mixing.strategies.grid import GridOutcome as GridOutcome
from modomodo.mixing.strategies.grid import drawn_places as drawn_places
from modomodo.mixing.strategies.grid import grid_of as grid_of
from modomodo.mixing.strategies.grid import next_on_grid as next_on_grid
from modomodo.mixing.strategies.grid import on_grid as on_grid
from modomodo.mixing.strategies.grid import on_seed_set as on_seed_set
from modomodo.mixing.strategies.grid import outcome_of as outcome_of
from modomodo.mixing.strategies.grid import seed_set_places as seed_set_places
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
