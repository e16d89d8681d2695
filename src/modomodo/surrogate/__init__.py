"""Surrogates: from a table of runs to a prediction, with its doubt, of any mixture.

runs = read_runs("runs.csv")
fitted = fit(runs)
fitted.predict(runs.X_ND).columns()
"""

from modomodo.surrogate.aggregates import Aggregate as Aggregate
from modomodo.surrogate.aggregates import Direction as Direction
from modomodo.surrogate.base import FittedSurrogate as FittedSurrogate
from modomodo.surrogate.base import Prediction as Prediction
from modomodo.surrogate.base import Surrogate as Surrogate
from modomodo.surrogate.fitted import SURROGATES as SURROGATES
from modomodo.surrogate.fitted import Fitted as Fitted
from modomodo.surrogate.fitted import check_surrogate as check_surrogate
from modomodo.surrogate.fitted import fit as fit
from modomodo.surrogate.predictions import Predictions as Predictions
from modomodo.surrogate.runs import Runs as Runs
from modomodo.surrogate.table import read_mixtures as read_mixtures
from modomodo.surrogate.table import read_runs as read_runs
from modomodo.surrogate.table import write_runs as write_runs
from modomodo.surrogate.validation import Validation as Validation

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
