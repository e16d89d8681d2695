"""The report of a study, one HTML page; and its figures, for notebooks.

report(load_study(Path("study.toml")))
"""

from modomodo.reporting.curves import MEASURES as MEASURES
from modomodo.reporting.curves import Curves as Curves
from modomodo.reporting.curves import read_curves as read_curves
from modomodo.reporting.effects import Effects as Effects
from modomodo.reporting.effects import leave_one_out_effects as leave_one_out_effects
from modomodo.reporting.evidence import Evidence as Evidence
from modomodo.reporting.evidence import read_evidence as read_evidence
from modomodo.reporting.figures import Dot as Dot
from modomodo.reporting.figures import Gain as Gain
from modomodo.reporting.figures import curve_figure as curve_figure
from modomodo.reporting.figures import gains_figure as gains_figure
from modomodo.reporting.figures import mixture_figure as mixture_figure
from modomodo.reporting.figures import scores_figure as scores_figure
from modomodo.reporting.figures import shares_figure as shares_figure
from modomodo.reporting.figures_surface import interactions_figure as interactions_figure
from modomodo.reporting.figures_surface import slice_figure as slice_figure
from modomodo.reporting.figures_surface import triangle_figure as triangle_figure
from modomodo.reporting.figures_surrogate import effects_figure as effects_figure
from modomodo.reporting.figures_surrogate import predicted_figure as predicted_figure
from modomodo.reporting.frame import study_frame as study_frame
from modomodo.reporting.page import report as report
from modomodo.reporting.page import report_of_runs as report_of_runs
from modomodo.reporting.surface import Interactions as Interactions
from modomodo.reporting.surface import Slices as Slices
from modomodo.reporting.surface import Triangle as Triangle
from modomodo.reporting.surface import pairwise_interactions as pairwise_interactions
from modomodo.reporting.surface import response_slices as response_slices
from modomodo.reporting.surface import response_triangles as response_triangles
from modomodo.results import FinishedRun as FinishedRun

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
