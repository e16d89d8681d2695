"""Which pilots a study runs next: within what its training rows last for, beside those not finished yet."""

import warnings

from modomodo.config.sections import limits
from modomodo.config.study import Study
from modomodo.core.mixture import Mixture
from modomodo.mixing.fitted import Fitted
from modomodo.mixing.proposal import Proposals, propose
from modomodo.study.pipeline import finished_results, study_fit
from modomodo.study.plan import pilot_row_caps, pilot_runs


def study_proposals(study: Study, fitted: Fitted | None = None) -> Proposals:
    """Return the next pilots of a study; those it has planned and not finished count as under way, with a warning.

    `fitted` is the study's surrogate, where it is at hand. Raises ModomodoError as `study_fit`.
    """
    pending = _unfinished(study)
    return propose(
        fitted or study_fit(study), batch=study.batch, caps=_caps_with_rows(study), pending=pending, seed=study.seed
    )


def _unfinished(study: Study) -> tuple[Mixture, ...]:
    planned = [run for run in pilot_runs(study) if run.recipe.steps]
    finished = finished_results(study, planned)
    pending = tuple(run.recipe.point() for run in planned if run.label not in finished)
    if pending:
        warnings.warn(
            f"{len(pending)} of the {len(planned)} pilots of {study.name} are not finished: they count as under way "
            "(`modomodo pilot` runs them)",
            stacklevel=2,
        )
    return pending


def _caps_with_rows(study: Study) -> dict[str, tuple[float, float]]:
    """Return the study's caps, tightened to what its training rows last for."""
    own = limits(study.caps)
    pairs = {name: (*own.get(name, (0.0, 1.0)), lasting) for name, (_, lasting) in pilot_row_caps(study).items()}
    return {name: (least, min(most, lasting)) for name, (least, most, lasting) in pairs.items()}
