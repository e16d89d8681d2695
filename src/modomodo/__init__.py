"""RL on a mixture of verifiable domains, and the mixture that generalises best, with how sure that is.

Values (Row, Target, View, Verdict, Mixture, Schedule) and plain functions; `import modomodo` loads numpy and pydantic,
and the heavier functions are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from modomodo.config import Recipe as Recipe
from modomodo.config import load_recipe as load_recipe
from modomodo.domain import Domain as Domain
from modomodo.domain import Problem as Problem
from modomodo.domain import check as check
from modomodo.errors import ModomodoError as ModomodoError
from modomodo.mixture import Mixture as Mixture
from modomodo.rows import Row as Row
from modomodo.rows import Target as Target
from modomodo.rows import Verdict as Verdict
from modomodo.rows import View as View
from modomodo.schedules import Schedule as Schedule
from modomodo.schedules import schedule as schedule
from modomodo.study_config import Study as Study
from modomodo.study_config import load_study as load_study
from modomodo.verify import grade as grade

if TYPE_CHECKING:
    from modomodo.asking import Search as Search
    from modomodo.confirmation import confirm as confirm
    from modomodo.domains import DOMAINS as DOMAINS
    from modomodo.domains import find_domain as find_domain
    from modomodo.evals.run import evaluate as evaluate
    from modomodo.pilots.run import run_recipe as train  # noqa: F401 # pyright: ignore[reportUnusedImport]
    from modomodo.proposal import Proposals as Proposals
    from modomodo.proposal import propose as propose
    from modomodo.recommendation import recommend as recommend
    from modomodo.reporting import report as report
    from modomodo.strategy import strategies as strategies
    from modomodo.studies import pilot as pilot
    from modomodo.surrogate import Runs as Runs
    from modomodo.surrogate import fit as fit
    from modomodo.surrogate import read_runs as read_runs
    from modomodo.tradeoff import trade_off as trade_off

_LATER = {
    "Search": ("modomodo.asking", "Search"),
    "DOMAINS": ("modomodo.domains", "DOMAINS"),
    "find_domain": ("modomodo.domains", "find_domain"),
    "confirm": ("modomodo.confirmation", "confirm"),
    "evaluate": ("modomodo.evals.run", "evaluate"),
    "fit": ("modomodo.surrogate", "fit"),
    "pilot": ("modomodo.studies", "pilot"),
    "propose": ("modomodo.proposal", "propose"),
    "Runs": ("modomodo.surrogate", "Runs"),
    "read_runs": ("modomodo.surrogate", "read_runs"),
    "recommend": ("modomodo.recommendation", "recommend"),
    "report": ("modomodo.reporting", "report"),
    "strategies": ("modomodo.strategy", "strategies"),
    "trade_off": ("modomodo.tradeoff", "trade_off"),
    "train": ("modomodo.pilots.run", "run_recipe"),
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module 'modomodo' has no attribute {name!r}")
    module, attribute = _LATER[name]
    return getattr(import_module(module), attribute)
