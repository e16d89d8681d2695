"""From a table of runs to a mixture; needs no rows. Surrogates predict any mixture and say how sure they are.

runs = read_runs("runs.csv")
fitted = fit(runs)
fitted.predict(runs.X_ND).columns()
"""

from modomodo.mixing.aggregates import Aggregate as Aggregate
from modomodo.mixing.aggregates import Direction as Direction
from modomodo.mixing.ask_tell import Search as Search
from modomodo.mixing.confirmation import Confirmation as Confirmation
from modomodo.mixing.confirmation import Difference as Difference
from modomodo.mixing.confirmation import confirm as confirm
from modomodo.mixing.confirmation import detectable_difference as detectable_difference
from modomodo.mixing.confirmation import holm as holm
from modomodo.mixing.confirmation import paired_items as paired_items
from modomodo.mixing.design import Labelled as Labelled
from modomodo.mixing.design import d_optimal as d_optimal
from modomodo.mixing.design import seed_design as seed_design
from modomodo.mixing.design import space_filling as space_filling
from modomodo.mixing.fitted import SURROGATES as SURROGATES
from modomodo.mixing.fitted import Fitted as Fitted
from modomodo.mixing.fitted import check_surrogate as check_surrogate
from modomodo.mixing.fitted import fit as fit
from modomodo.mixing.predictions import Predictions as Predictions
from modomodo.mixing.proposal import Proposal as Proposal
from modomodo.mixing.proposal import Proposals as Proposals
from modomodo.mixing.proposal import propose as propose
from modomodo.mixing.recommendation import Forecast as Forecast
from modomodo.mixing.recommendation import Recommendation as Recommendation
from modomodo.mixing.recommendation import recommend as recommend
from modomodo.mixing.runs import Runs as Runs
from modomodo.mixing.surrogates.base import FittedSurrogate as FittedSurrogate
from modomodo.mixing.surrogates.base import Prediction as Prediction
from modomodo.mixing.surrogates.base import Surrogate as Surrogate
from modomodo.mixing.table import read_mixtures as read_mixtures
from modomodo.mixing.table import read_runs as read_runs
from modomodo.mixing.table import write_runs as write_runs
from modomodo.mixing.tradeoff import FrontPoint as FrontPoint
from modomodo.mixing.tradeoff import trade_off as trade_off
from modomodo.mixing.validation import Validation as Validation
from modomodo.mixing.validation import spearman as spearman

__all__ = [
    "SURROGATES",
    "Aggregate",
    "Confirmation",
    "Difference",
    "Direction",
    "Fitted",
    "FittedSurrogate",
    "Forecast",
    "FrontPoint",
    "Labelled",
    "Prediction",
    "Predictions",
    "Proposal",
    "Proposals",
    "Recommendation",
    "Runs",
    "Search",
    "Surrogate",
    "Validation",
    "check_surrogate",
    "confirm",
    "d_optimal",
    "detectable_difference",
    "fit",
    "paired_items",
    "propose",
    "read_mixtures",
    "read_runs",
    "recommend",
    "seed_design",
    "space_filling",
    "spearman",
    "trade_off",
    "write_runs",
]
