"""Many runs: plan them, run them, fit, recommend, confirm, check, watch."""

from typing import TYPE_CHECKING

from modomodo.core.later import later

if TYPE_CHECKING:
    from modomodo.study.answer import StudyConfirmation as StudyConfirmation
    from modomodo.study.costs import GIB as GIB
    from modomodo.study.costs import PICTURE_TOKENS as PICTURE_TOKENS
    from modomodo.study.costs import QUESTION_TOKENS as QUESTION_TOKENS
    from modomodo.study.costs import SHAPES as SHAPES
    from modomodo.study.costs import Estimate as Estimate
    from modomodo.study.costs import estimate as estimate
    from modomodo.study.costs import shape_of as shape_of
    from modomodo.study.pipeline import RUN as RUN
    from modomodo.study.pipeline import pilot as pilot
    from modomodo.study.pipeline import plan_confirmation as plan_confirmation
    from modomodo.study.pipeline import read_study as read_study
    from modomodo.study.pipeline import study_confirmation as study_confirmation
    from modomodo.study.pipeline import study_recommendation as study_recommendation
    from modomodo.study.plan import pilot_row_caps as pilot_row_caps
    from modomodo.study.plan import pilot_runs as pilot_runs
    from modomodo.study.plan import within_rows as within_rows
    from modomodo.study.results import FinishedRun as FinishedRun
    from modomodo.study.results import StudyRuns as StudyRuns

__getattr__ = later(
    __name__,
    {
        "answer": "StudyConfirmation",
        "costs": "GIB PICTURE_TOKENS QUESTION_TOKENS SHAPES Estimate estimate shape_of",
        "pipeline": "RUN pilot plan_confirmation read_study study_confirmation study_recommendation",
        "plan": "pilot_row_caps pilot_runs within_rows",
        "results": "FinishedRun StudyRuns",
    },
)
