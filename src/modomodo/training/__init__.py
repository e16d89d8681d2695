"""Training: by TRL on one machine, or by verl on a Ray cluster; and what a script of one's own takes from it."""

from modomodo.training.rewards import RewardFunctions as RewardFunctions
from modomodo.training.row_table import RowTable as RowTable
