"""What runs of one mixture tell of their scatter.

Axes: N runs.
"""

from dataclasses import dataclass

import numpy as np

from modomodo.mixing.fitted import Fitted
from modomodo.mixing.predictions import weighted

PSEUDO_DIFFERENCES = 4.0  # a spread from few runs is drawn this strongly to the one common to all mixtures


@dataclass(frozen=True)
class Replicates:
    """The `runs` of one mixture, called by its first: their mean, and the standard deviation of one of them, shrunk
    towards the one common to all replicates."""

    label: str
    runs: int
    mean: float
    sd: float


def replicates_of(fitted: Fitted, *, name: str) -> tuple[Replicates, ...]:
    """Return the mixtures with at least two scores of one column, those whose runs scatter least first."""
    y_N, groups_N = weighted(fitted.runs.y_NB, fitted.weights_of(name)), fitted.runs.groups()
    rows = [np.flatnonzero((groups_N == group) & np.isfinite(y_N)) for group in np.unique(groups_N)]
    rows = [one for one in rows if len(one) > 1]
    if not rows:
        return ()
    squares = [float(np.sum(np.square(y_N[one] - y_N[one].mean()))) for one in rows]
    common = sum(squares) / sum(len(one) - 1 for one in rows)
    found = [
        Replicates(
            fitted.runs.labels_N[int(one[0])],
            len(one),
            float(y_N[one].mean()),
            float(np.sqrt((square + PSEUDO_DIFFERENCES * common) / (len(one) - 1 + PSEUDO_DIFFERENCES))),
        )
        for one, square in zip(rows, squares, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (one.sd, one.label)))


def replicates_note(fitted: Fitted, *, name: str) -> list[str]:
    """Return a sentence on how runs of one mixture scatter, where the table holds any."""
    found = replicates_of(fitted, name=name)
    if not found:
        return []
    shown = [
        f"{one.label} {one.mean:.3g}, sd {one.sd:.2g} ({one.runs} runs)"
        for one in (found if len(found) < 3 else (found[0], found[-1]))
    ]
    among = "" if len(found) < 3 else f"the least and the most of {len(found)} mixtures, "
    return [
        f"runs of one mixture on {name}: {among}{' and '.join(shown)}; each sd is shrunk towards that of all, since "
        "few runs tell little of it"
    ]
