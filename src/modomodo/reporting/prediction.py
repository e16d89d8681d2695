"""The sections of the surrogate: how well it predicts, and what it says of single domains."""

from modomodo.config import limits
from modomodo.reporting.blocks import Choice, Section, chooser, figure_block, grid, sentence_or
from modomodo.reporting.effects import leave_one_out_effects, response_slices
from modomodo.reporting.evidence import Evidence
from modomodo.reporting.figures_surrogate import effects_figure, predicted_figure, slice_figure
from modomodo.reporting.markup import Child, Html, el, left_out, table
from modomodo.surrogate import Fitted, Validation


def prediction_section(evidence: Evidence) -> Section:
    """Return predictions of left-out mixtures against what was observed."""
    title = "Predicted against observed"
    fitted = evidence.fitted
    if fitted is None:
        return Section("prediction", "Prediction", title, (sentence_or(evidence.missing, "fit"),))
    lead = el(
        "p",
        f"Each pilot is predicted by the surrogate ({fitted.surrogate}) fitted to the pilots at all other mixtures. "
        "Bars are 90 % intervals of one run; on the dashed line a prediction is right. A run outside its interval is "
        "an open mark. An R² of 0 is what the mean of all runs would earn.",
    )
    figures = {one.name: one for one in fitted.validation()}
    names = _aggregates_first(fitted)
    blocks = (figure_block(predicted_figure(fitted, name=name), note=_figures(figures[name])) for name in names)
    head: list[Child] = ["score", "runs", "R²", "Spearman", "inside 50 %", "inside 90 %"]
    rows = [_row(figures[name]) for name in names]
    return Section("prediction", "Prediction", title, (lead, grid(*blocks), table(head, rows)))


def surface_section(evidence: Evidence) -> Section:
    """Return slices of the response surface through the recommendation, and what leaving a domain out does."""
    fitted = evidence.fitted
    slices = [sentence_or(evidence.missing, "fit")] if fitted is None else _slices(evidence, fitted)
    body = (*slices, el("h3", "Which domain helps which benchmark"), _effects(evidence))
    return Section("domains", "Domains", "What each domain does", body)


def _slices(evidence: Evidence, fitted: Fitted) -> list[Child]:
    mixture = evidence.recommended()
    slices = response_slices(fitted, mixture or evidence.equal)
    through = "the recommended mixture" if mixture else f"equal shares ({evidence.missing['recommendation']})"
    caps = limits(evidence.study.caps)
    lead = el(
        "p",
        f"Expected scores through {through} (diamond): one domain's share changes, the others keep their ratio. "
        "The band holds the expected score with probability 0.9; a single run scatters more"
        f"{', and grey is outside the caps' if caps else ''}.",
    )
    choices = [
        Choice(
            "aggregates" if name not in fitted.runs.benchmarks else "benchmarks",
            name,
            grid(
                *(
                    figure_block(slice_figure(slices, domain=domain, name=name, caps=caps.get(domain)))
                    for domain in slices.domains
                )
            ),
        )
        for name in _aggregates_first(fitted)
    ]
    return [lead, chooser("Score", choices)]


def _effects(evidence: Evidence) -> Html:
    study = evidence.study
    names = (*study.benchmarks, *study.in_distribution)
    effects = leave_one_out_effects(evidence.of_kind("pilot"), domains=evidence.domains, benchmarks=names)
    if effects is None:
        return left_out("This needs finished pilots at equal shares and without one domain, at the same seed.")
    seeds = max(effects.seeds_D)
    lead = el(
        "p",
        "Score of the run without a domain minus that of the run at equal shares, in hundredths, with the standard "
        f"error over items. Purple: the benchmark misses the domain. Each cell rests on {seeds} matched "
        f"seed{'s' if seeds > 1 else ''}: the noise of training comes on top, so only large differences mean much.",
    )
    return el("div", lead, figure_block(effects_figure(effects)))


def _aggregates_first(fitted: Fitted) -> list[str]:
    benchmarks = fitted.runs.benchmarks
    return [*(name for name in fitted.names if name not in benchmarks), *benchmarks]


def _figures(found: Validation) -> str:
    inside = "–" if found.cover90 != found.cover90 else f"{round(found.cover90 * found.n)} of {found.n}"
    return f"R² {_two(found.r2)} · Spearman {_two(found.rho)} · inside the 90 % interval {inside}"


def _row(found: Validation) -> list[Child]:
    shares = ("–" if share != share else f"{share:.0%}" for share in (found.cover50, found.cover90))
    return [found.name, str(found.n), _two(found.r2), _two(found.rho), *shares]


def _two(value: float) -> str:
    return "–" if value != value else f"{value:.2f}"
