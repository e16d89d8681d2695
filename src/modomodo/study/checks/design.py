"""A study's choices and its design: what would fail once the pilots are done, and whether it has enough of them."""

import math
from collections.abc import Iterator
from functools import partial

from modomodo.config.sections import limits
from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError
from modomodo.core.simplex import limits_of
from modomodo.data.domain import Problem
from modomodo.mixing import SURROGATES, check_surrogate
from modomodo.runs.ray_cluster import check_launcher
from modomodo.study.checks.subject import Subject
from modomodo.study.plan import pilot_row_caps


def check_choices(subject: Subject) -> Iterator[Problem]:
    """Yield what of a study would only fail once the pilots are done."""
    study = subject.study
    if study is None:
        return
    checks = {
        "surrogate": partial(check_surrogate, study.surrogate),
        "caps": partial(limits_of, limits(study.caps), study.recipe.domains),
        "launcher": partial(check_launcher, study.launcher, study.folder),
    }
    for key, work in checks.items():
        try:
            work()
        except ModomodoError as error:
            yield Problem(key, str(error))


def check_design(subject: Subject) -> Iterator[Problem]:
    """Yield what keeps a study from having its pilots, and what its rows do not last for."""
    study = subject.study
    if study is None:
        return
    try:
        mixtures = {run.recipe.requested.key for run in subject.runs if run.recipe.steps}
        shares = pilot_row_caps(study) if study.budget is not None else {}
    except ModomodoError as error:
        yield Problem("design", str(error))
        return
    for name, (_, share) in shares.items():
        if share < limits(study.caps).get(name, (0.0, 1.0))[1]:
            last = math.floor(share * 1e4) / 1e4
            yield Problem(
                name,
                f"runs out of rows above a share of {last:.4f} of a run: the pilots and the "
                "recommendation stay below it",
                level="note",
            )
    if study.surrogate in SURROGATES:
        yield from _too_few(study, len(mixtures))


def _too_few(study: Study, mixtures: int) -> Iterator[Problem]:
    """Yield the error that the study's pilots run at fewer mixtures than its surrogate learns from."""
    least = SURROGATES[study.surrogate].minimum
    if mixtures < least:
        key, size = ("domains", len(study.recipe.domains)) if study.budget is None else ("budget", study.budget)
        what = (
            f"is {size}, which makes {mixtures} different mixtures, but the surrogate {study.surrogate} learns from at "
            f"least {least}: raise budget, add mixtures as [[extra]], or choose another surrogate"
        )
        yield Problem(key, what)
