"""Boosted trees by LightGBM: with leaves small enough for few runs, and with RegMix's settings.

Axes: N runs or points, D domains.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from modomodo.core.errors import ModomodoError
from modomodo.mixing.surrogates.base import Array
from modomodo.mixing.surrogates.resampled import Curve

REGMIX: dict[str, float | str | list[str]] = {
    "boosting": "gbdt",
    "objective": "regression",
    "metric": ["l1", "l2"],
    "num_iterations": 1000,
    "learning_rate": 1e-2,
}


@dataclass(frozen=True)
class SmallTrees:
    """Boosted trees on weights, with leaves of three runs: LightGBM's default of 20 learns nothing from 32 runs."""

    leaves: int = 4
    runs_in_leaf: int = 3
    rounds: int = 100
    learning_rate: float = 0.05

    def __call__(self, X_ND: Array, *, y_N: Array, seed: int) -> Curve:
        offset, spread = float(y_N.mean()), float(y_N.std()) or 1.0
        settings: dict[str, float | str | list[str]] = {
            "objective": "regression",
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.runs_in_leaf,
            "min_data_in_bin": 1,
            "num_iterations": self.rounds,
            "learning_rate": self.learning_rate,
        }
        standard = _boosted(X_ND, (y_N - offset) / spread, settings, seed)
        return lambda X_ND: offset + spread * standard(X_ND)


def regmix_trees(X_ND: Array, *, y_N: Array, seed: int) -> Curve:
    """Return boosted trees with the settings of RegMix's notebook, but all 1,000 rounds.

    The notebook stops early by the error on the very mixtures that it then reports; here no run is held out. Leaves
    hold 20 runs (LightGBM's default), so fewer than 40 runs give a constant. Nothing is drawn: any seed gives the same.
    Source: sail-sg/regmix, regression_fitting/regression.ipynb.
    """
    return _boosted(X_ND, y_N, REGMIX, seed)


def _boosted(X_ND: Array, y_N: Array, settings: dict[str, float | str | list[str]], seed: int) -> Curve:
    try:
        import lightgbm
    except ImportError as error:
        raise ModomodoError("surrogate trees needs LightGBM: pip install 'modomodo[trees]'") from error

    library = cast(Any, lightgbm)
    quiet = {"verbosity": -1, "num_threads": 1, "deterministic": True, "force_row_wise": True}
    # LightGBM's seeds are 32-bit.
    settings = settings | quiet | {"seed": seed % 2**31}
    model = library.train(settings, library.Dataset(X_ND, y_N))
    return lambda X_ND: np.asarray(model.predict(X_ND, num_threads=1), dtype=np.float64)
