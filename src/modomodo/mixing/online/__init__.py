"""Rules that move a run's mixture while it trains: from the log so far to the weights of the next block."""

from modomodo.mixing.online.base import Log as Log
from modomodo.mixing.online.base import Rule as Rule
from modomodo.mixing.online.base import Seen as Seen
from modomodo.mixing.online.registry import RULES as RULES
from modomodo.mixing.online.registry import find_rule as find_rule
from modomodo.mixing.online.registry import is_rule as is_rule
from modomodo.mixing.online.registry import settings_of as settings_of

__all__ = ["RULES", "Log", "Rule", "Seen", "find_rule", "is_rule", "settings_of"]
