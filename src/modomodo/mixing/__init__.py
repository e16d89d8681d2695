"""From a table of runs to a mixture; needs no rows. Surrogates predict any mixture and say how sure they are.

runs = read_runs("runs.csv")
fitted = fit(runs)
fitted.predict(runs.X_ND).columns()
"""

from modomodo.mixing.aggregates import Aggregate as Aggregate
from modomodo.mixing.aggregates import Direction as Direction
from modomodo.mixing.fitted import SURROGATES as SURROGATES
from modomodo.mixing.fitted import Fitted as Fitted
from modomodo.mixing.fitted import check_surrogate as check_surrogate
from modomodo.mixing.fitted import fit as fit
from modomodo.mixing.predictions import Predictions as Predictions
from modomodo.mixing.runs import Runs as Runs
from modomodo.mixing.surrogates.base import FittedSurrogate as FittedSurrogate
from modomodo.mixing.surrogates.base import Prediction as Prediction
from modomodo.mixing.surrogates.base import Surrogate as Surrogate
from modomodo.mixing.table import read_mixtures as read_mixtures
from modomodo.mixing.table import read_runs as read_runs
from modomodo.mixing.table import write_runs as write_runs
from modomodo.mixing.validation import Validation as Validation

__all__ = [
    "SURROGATES",
    "Aggregate",
    "Direction",
    "Fitted",
    "FittedSurrogate",
    "Prediction",
    "Predictions",
    "Runs",
    "Surrogate",
    "Validation",
    "check_surrogate",
    "fit",
    "read_mixtures",
    "read_runs",
    "write_runs",
]
