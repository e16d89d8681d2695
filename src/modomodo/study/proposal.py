"""Which pilots a study runs next: within what its training rows last for, beside those not finished yet."""

import warnings

from modomodo.mixing.fitted import Fitted
from modomodo.mixing.proposal import Proposals, propose
from modomodo.study.plan import caps_with_rows
from modomodo.study.results import StudyRuns


def study_proposals(runs: StudyRuns, fitted: Fitted | None = None, *, batch: int | None = None) -> Proposals:
    """Return the next pilots of a study; those it has planned and not finished count as under way, with a warning.

    `fitted` is what `runs.fit()` returns, where it is at hand; `batch` is the study's if None. Raises
    ModomodoError as that does.
    """
    study = runs.study
    if runs.pending:
        warnings.warn(
            f"{len(runs.pending)} of the {len(runs.pilots)} pilots of {study.name} are not finished: they count as "
            "under way (`modomodo pilot` runs them)",
            stacklevel=2,
        )
    pending = tuple(run.recipe.requested for run in runs.pending)
    caps = caps_with_rows(study)
    return propose(fitted or runs.fit(), batch=batch or study.batch, caps=caps, pending=pending, seed=study.seed)
