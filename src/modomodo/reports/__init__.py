"""The report of a study, as one HTML page, and its figures for notebooks.

report(load_study(Path("study.toml")))
"""

from modomodo.reports.evidence import Evidence as Evidence
from modomodo.reports.evidence import read_evidence as read_evidence
from modomodo.reports.figures.of_runs import Dot as Dot
from modomodo.reports.figures.of_runs import Gain as Gain
from modomodo.reports.figures.of_runs import curve_figure as curve_figure
from modomodo.reports.figures.of_runs import gains_figure as gains_figure
from modomodo.reports.figures.of_runs import mixture_figure as mixture_figure
from modomodo.reports.figures.of_runs import scores_figure as scores_figure
from modomodo.reports.figures.of_runs import shares_figure as shares_figure
from modomodo.reports.figures.of_surface import interactions_figure as interactions_figure
from modomodo.reports.figures.of_surface import slice_figure as slice_figure
from modomodo.reports.figures.of_surface import triangle_figure as triangle_figure
from modomodo.reports.figures.of_surrogate import effects_figure as effects_figure
from modomodo.reports.figures.of_surrogate import predicted_figure as predicted_figure
from modomodo.reports.numbers.curves import MEASURES as MEASURES
from modomodo.reports.numbers.curves import Curves as Curves
from modomodo.reports.numbers.curves import read_curves as read_curves
from modomodo.reports.numbers.effects import Effects as Effects
from modomodo.reports.numbers.effects import leave_one_out_effects as leave_one_out_effects
from modomodo.reports.numbers.surface import Interactions as Interactions
from modomodo.reports.numbers.surface import Slices as Slices
from modomodo.reports.numbers.surface import Triangle as Triangle
from modomodo.reports.numbers.surface import pairwise_interactions as pairwise_interactions
from modomodo.reports.numbers.surface import response_slices as response_slices
from modomodo.reports.numbers.surface import response_triangles as response_triangles
from modomodo.reports.page import report as report
from modomodo.reports.page import report_of_runs as report_of_runs
from modomodo.study.frame import study_frame as study_frame
from modomodo.study.results import FinishedRun as FinishedRun

__all__ = [
    "MEASURES",
    "Curves",
    "Dot",
    "Effects",
    "Evidence",
    "FinishedRun",
    "Gain",
    "Interactions",
    "Slices",
    "Triangle",
    "curve_figure",
    "effects_figure",
    "gains_figure",
    "interactions_figure",
    "leave_one_out_effects",
    "mixture_figure",
    "pairwise_interactions",
    "predicted_figure",
    "read_curves",
    "read_evidence",
    "report",
    "report_of_runs",
    "response_slices",
    "response_triangles",
    "scores_figure",
    "shares_figure",
    "slice_figure",
    "study_frame",
    "triangle_figure",
]
