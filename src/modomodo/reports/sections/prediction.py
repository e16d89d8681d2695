"""The sections of the surrogate: how well it predicts, and what it says of single domains and of several together."""

from collections.abc import Mapping, Sequence

from modomodo.config.sections import limits
from modomodo.config.study import Study
from modomodo.core.mixture import Mixture
from modomodo.core.simplex import limits_in_words
from modomodo.mixing import Fitted, Validation
from modomodo.reports.evidence import Evidence
from modomodo.reports.figures.of_surface import interactions_figure, slice_figure, triangle_figure
from modomodo.reports.figures.of_surrogate import SAME, effects_figure, predicted_figure
from modomodo.reports.html.blocks import Choice, Section, chooser, explained, figure_block, grid
from modomodo.reports.html.markup import Child, Html, el, left_out, prose, table
from modomodo.reports.numbers.effects import Effects, leave_one_out_effects
from modomodo.reports.numbers.surface import (
    Triangle,
    pairwise_interactions,
    response_slices,
    response_triangles,
    triples,
)

TITLE = "What each domain does"
# Measured by benchmarks/surface.py.
BAND = "on made-up tables it held 83 to 89 % of the truth"
PAIRS = (
    "It is too narrow where no run lies near a domain alone or a pair: on made-up tables it held the truth for 48 to "
    "100 % of the pairs. Take it for a hint what to run, not for a finding."
)
NO_EFFECTS = "This needs finished pilots at equal shares and without one domain, at the same seed."
Caps = Mapping[str, tuple[float, float]]


def prediction_section(fitted: Fitted | None, missing: Mapping[str, str], *, study: Study | None = None) -> Section:
    """Return predictions of left-out mixtures against what was observed."""
    title = "Predicted against observed"
    if fitted is None:
        return Section("prediction", "Prediction", title, lacking=missing["fit"])
    lead = el(
        "p",
        f"Each run is predicted by the surrogate ({fitted.surrogate}) fitted to the runs at all other mixtures. "
        "Bars are 90 % intervals of one run; on the dashed line a prediction is right. A run outside its interval is "
        "an open mark. An R² of 0 is what the mean of all runs would earn. ",
        *(explained(study, *fitted.names) if study is not None else ()),
    )
    figures = {one.name: one for one in fitted.validation()}
    names = _aggregates_first(fitted)
    blocks = (figure_block(predicted_figure(fitted, name=name), note=_figures(figures[name])) for name in names)
    head: list[Child] = ["score", "runs", "R²", "Spearman", "inside 50 %", "inside 90 %"]
    rows = [_row(figures[name]) for name in names]
    return Section("prediction", "Prediction", title, (lead, grid(*blocks), table(head, rows, cls="stack")))


def domains_section(evidence: Evidence) -> Section:
    """Return the response surface through the recommendation, and what leaving a domain out does."""
    fitted, mixture, effects = evidence.fitted, evidence.recommended(), _effects(evidence)
    if fitted is None and effects is None:
        return Section("domains", "Domains", TITLE, lacking=evidence.missing["fit"])
    surface: tuple[Child, ...] = (left_out(evidence.missing["fit"]),) if fitted is None else ()
    if fitted is not None:
        words = "the recommended mixture" if mixture else f"equal shares ({evidence.missing['recommendation']})"
        found = evidence.recommendation
        caps = limits(evidence.study.caps) if found is None else found.caps  # with what rows last for
        surface = surface_blocks(fitted, mixture or evidence.equal, words=words, caps=caps)
    return Section(
        "domains", "Domains", TITLE, (*surface, el("h3", "Left out one by one"), effects or left_out(NO_EFFECTS))
    )


def surface_blocks(fitted: Fitted, through: Mixture, *, words: str, caps: Caps) -> tuple[Child, ...]:
    """Return the response surface through a mixture, which `words` name: slices, triangles, and pairs of domains."""
    return (
        *_slices(fitted, through, words=words, caps=caps),
        el("h3", "Three domains at a time"),
        *_triangles(fitted, through, words=words, caps=caps),
        el("h3", "Do two domains help each other?"),
        *_pairs(fitted),
    )


def _slices(fitted: Fitted, through: Mixture, *, words: str, caps: Caps) -> list[Child]:
    slices = response_slices(fitted, through)
    lead = el(
        "p",
        prose(f"Expected scores through {words} (diamond): one domain's share changes, the others keep their ratio. "),
        f"The band is the surrogate's 90 % interval of the expected score ({BAND}); a single run scatters more"
        f"{', and grey is outside the caps' if caps else ''}.{_lower(fitted)}",
    )
    choices = [
        Choice(
            _group(fitted, name),
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


def _triangles(fitted: Fitted, through: Mixture, *, words: str, caps: Caps) -> list[Child]:
    found = triples(through)
    if not found:
        return [left_out("This needs three domains with shares in the mixture.")]
    lead = el(
        "p",
        prose(f"Expected scores where three domains divide among themselves what they have in {words} (diamond), "),
        "and the others keep their shares. A corner is all of it on one domain. Point at a place for shares and the "
        f"band.{_lower(fitted)}",
        f" The triangles go beyond the caps ({limits_in_words(caps)})." if caps else "",
    )
    drawn = response_triangles(fitted, through, found, names=[one.name for one in fitted.aggregates])
    choices = [Choice("aggregates", name, grid(*_drawn(triangles, name))) for name, triangles in drawn.items()]
    return [lead, chooser("Score", choices)]


def _drawn(triangles: Sequence[Triangle], name: str) -> list[Html]:
    """Return the triangles, all in the same colours."""
    span = min(one.mean_RC.min() for one in triangles), max(one.mean_RC.max() for one in triangles)
    return [figure_block(triangle_figure(one, name=name, span=span)) for one in triangles]


def _pairs(fitted: Fitted) -> list[Child]:
    lead = el(
        "p",
        "What the surrogate expects training on two domains half and half to gain over the mean of training on each "
        "alone. Green: together they do better; purple: they disturb each other. ± is half of the "
        f"surrogate's 90 % interval, and bold where it excludes 0. {PAIRS}",
    )
    choices = [
        Choice(_group(fitted, name), name, figure_block(interactions_figure(pairwise_interactions(fitted, name=name))))
        for name in _aggregates_first(fitted)
    ]
    return [lead, chooser("Score", choices)]


def _effects(evidence: Evidence) -> Html | None:
    study = evidence.study
    names = (*study.benchmarks, *study.in_distribution)
    effects = leave_one_out_effects(evidence.of_kind("pilot"), domains=evidence.domains, benchmarks=names)
    if effects is None:
        return None
    lead = el(
        "p",
        "Score of the run without a domain minus the score of the run at equal shares: -0.020 is a score of 0.480 "
        "instead of 0.500. Purple: the benchmark misses the domain; green: it does better without.",
    )
    return el("div", lead, figure_block(effects_figure(effects), note=_noise(effects)))


def _noise(effects: Effects) -> str:
    """Return what ± is in the figure of the effects, and what is not in it."""
    seeds = max(effects.seeds_D)
    rests, other = (
        ("one matched seed", "another seed") if seeds == 1 else (f"at most {seeds} matched seeds", "other seeds")
    )
    alike = f" “{SAME}”: both runs earned the same on every item." if effects.same.any() else ""
    return (
        "± is the standard error over the benchmark's items: how much the difference would change with other items of "
        f"its kind.{alike} Each cell rests on {rests}, and the noise of the training is "
        f"not in it: with {other} the same two mixtures would differ by another amount, so only large differences mean "
        "much."
    )


def _aggregates_first(fitted: Fitted) -> list[str]:
    benchmarks = fitted.runs.benchmarks
    return [*(name for name in fitted.names if name not in benchmarks), *benchmarks]


def _lower(fitted: Fitted) -> str:
    """Return the sentence that says which scores are better when they are lower."""
    names = [name for name in fitted.names if fitted.direction(name) == "lower"]
    return f" Lower is better for {', '.join(names)}." if names else ""


def _group(fitted: Fitted, name: str) -> str:
    return "benchmarks" if name in fitted.runs.benchmarks else "aggregates"


def _figures(found: Validation) -> str:
    inside = "–" if found.cover90 != found.cover90 else f"{round(found.cover90 * found.n)} of {found.n}"
    return f"R² {_two(found.r2)} · Spearman {_two(found.rho)} · inside the 90 % interval {inside}"


def _row(found: Validation) -> list[Child]:
    shares = ("–" if share != share else f"{share:.0%}" for share in (found.cover50, found.cover90))
    return [found.name, str(found.n), _two(found.r2), _two(found.rho), *shares]


def _two(value: float) -> str:
    return "–" if value != value else f"{value:.2f}"
