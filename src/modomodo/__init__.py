"""RL on a mixture of verifiable domains; finds the mixture that generalises best, and says how sure that is.

Values (Row, Target, View, Verdict, Mixture, Schedule) and plain functions. `import modomodo` loads numpy and pydantic;
heavier functions load when you first use them.
"""

import os
import sys

if (
    sys.argv[:1] == ["-m"]
    and sys.orig_argv[-len(sys.argv)].removeprefix("-m") == "modomodo"
    and not sys.flags.safe_path
):
    # `python -m` puts the working folder first on the path, where a numpy.py would run in the place of numpy. Where
    # modomodo itself lies there, not installed, it comes last.
    _working = sys.path.pop(0)
    sys.path += [_working] * (_working == os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from importlib import import_module
from typing import TYPE_CHECKING

from modomodo.config.recipe import Recipe as Recipe
from modomodo.config.recipe import load_recipe as load_recipe
from modomodo.config.study import Study as Study
from modomodo.config.study import load_study as load_study
from modomodo.core.errors import ModomodoError as ModomodoError
from modomodo.core.mixture import Mixture as Mixture
from modomodo.core.rows import Row as Row
from modomodo.core.rows import Target as Target
from modomodo.core.rows import Verdict as Verdict
from modomodo.core.rows import View as View
from modomodo.core.schedules import Schedule as Schedule
from modomodo.core.schedules import schedule as schedule
from modomodo.data.domain import Domain as Domain
from modomodo.data.domain import Problem as Problem
from modomodo.data.domain import check as check
from modomodo.verifiers import grade as grade

if TYPE_CHECKING:
    from modomodo.config.domains import recipe_domain as recipe_domain
    from modomodo.data.registry import DOMAINS as DOMAINS
    from modomodo.data.registry import find_domain as find_domain
    from modomodo.evaluation.generate import evaluate as evaluate
    from modomodo.mixing import Runs as Runs
    from modomodo.mixing import fit as fit
    from modomodo.mixing import read_runs as read_runs
    from modomodo.mixing.ask_tell import Search as Search
    from modomodo.mixing.confirmation import confirm as confirm
    from modomodo.mixing.proposal import Proposals as Proposals
    from modomodo.mixing.proposal import propose as propose
    from modomodo.mixing.recommendation import recommend as recommend
    from modomodo.mixing.strategies import strategies as strategies
    from modomodo.mixing.tradeoff import trade_off as trade_off
    from modomodo.reports import report as report
    from modomodo.runs.run import run_recipe as train  # noqa: F401 # pyright: ignore[reportUnusedImport]
    from modomodo.study.pipeline import pilot as pilot
    from modomodo.study.pipeline import read_study as read_study
    from modomodo.study.single import read_single as read_single
    from modomodo.study.single import run_single as run_single

_LATER = {
    "Search": ("modomodo.mixing.ask_tell", "Search"),
    "DOMAINS": ("modomodo.data.registry", "DOMAINS"),
    "find_domain": ("modomodo.data.registry", "find_domain"),
    "confirm": ("modomodo.mixing.confirmation", "confirm"),
    "evaluate": ("modomodo.evaluation.generate", "evaluate"),
    "fit": ("modomodo.mixing", "fit"),
    "pilot": ("modomodo.study.pipeline", "pilot"),
    "Proposals": ("modomodo.mixing.proposal", "Proposals"),
    "propose": ("modomodo.mixing.proposal", "propose"),
    "Runs": ("modomodo.mixing", "Runs"),
    "read_runs": ("modomodo.mixing", "read_runs"),
    "read_single": ("modomodo.study.single", "read_single"),
    "recipe_domain": ("modomodo.config.domains", "recipe_domain"),
    "recommend": ("modomodo.mixing.recommendation", "recommend"),
    "read_study": ("modomodo.study.pipeline", "read_study"),
    "report": ("modomodo.reports", "report"),
    "run_single": ("modomodo.study.single", "run_single"),
    "strategies": ("modomodo.mixing.strategies", "strategies"),
    "trade_off": ("modomodo.mixing.tradeoff", "trade_off"),
    "train": ("modomodo.runs.run", "run_recipe"),
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module 'modomodo' has no attribute {name!r}")
    module, attribute = _LATER[name]
    return getattr(import_module(module), attribute)
