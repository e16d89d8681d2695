"""What the command line prints of mixtures: recommended, planned, proposed, compared. Texts of others are escaped."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Column, Table

from modomodo.cli.console import out, say
from modomodo.core.mixture import Mixture
from modomodo.core.simplex import limits_in_words

if TYPE_CHECKING:
    from modomodo.mixing import Fitted
    from modomodo.mixing.proposal import Proposals
    from modomodo.mixing.recommendation import Recommendation
    from modomodo.mixing.strategies import Replay, Spread
    from modomodo.mixing.tradeoff import FrontPoint
    from modomodo.study.pipeline import ConfirmationPlan


def show_recommendation(recommendation: "Recommendation") -> None:
    """Print a recommendation: shares, scores, and the sentence."""
    sure = recommendation.kept or recommendation.gain_lo90 > 0
    table = Table("domain", "share", title="Recommended mixture" if sure else "Best guess")
    for name, weight in recommendation.mixture.as_dict().items():
        table.add_row(escape(name), f"{weight:.3f} {'█' * round(30 * weight)}")
    out.print(table)
    table = Table("score", "recommended", "90 % interval of one run", "equal shares")
    for name, forecast in recommendation.forecasts.items():
        interval = f"{forecast.lo90:.3f} to {forecast.hi90:.3f}"
        table.add_row(
            escape(name), f"{forecast.mean:.3f}", interval, f"{recommendation.reference_forecasts[name].mean:.3f}"
        )
    out.print(table)
    near = "is" if recommendation.distance < 1e-9 else f"differs by {recommendation.distance:.2f} of all prompts from"
    say(f"It {near} the run {recommendation.nearest_run}, the nearest.")
    if recommendation.caps:
        say(f"Caps (yours, or what rows last for): {limits_in_words(recommendation.caps)}.")
    for note in recommendation.notes:
        say(f"note: {note}")
    say(recommendation.sentence)


def show_plan(plan: "ConfirmationPlan") -> None:
    """Print the smallest gain that numbers of matched seeds find, and whether the predicted one is among them."""
    if not plan.needed:
        say("The recommended mixture is equal shares: there is nothing to confirm.")
        return
    from modomodo.study.pipeline import MOST

    own = plan.study.confirm.looks[-1]
    table = Table("matched seeds", "runs", "smallest true gain", title="Found 8 times in 10")
    for seeds in sorted({2, 3, 4, 6, 8, 12, 16, own}):
        table.add_row(str(seeds), str(2 * seeds), f"{plan.finds(seeds):.3f}")
    out.print(table)
    say(f"The pilots' noise, an sd of {plan.noise:.3f} a run, counts fully: matched seeds may do better.")
    if len(plan.study.confirm.looks) > 1:
        say(f"The study looks after {', '.join(map(str, plan.study.confirm.looks))}: it finds {plan.detectable:.3f}.")
    needed, gain = plan.seeds_for(plan.gain), f"The predicted gain, {plan.gain:+.3f} if the mixture matters,"
    if plan.gain >= plan.detectable:
        say(f"{gain} is found by the study's {own} matched seeds.")
    elif needed is None:
        say(f"{gain} takes more than {MOST} matched seeds to find: keep equal shares.")
    else:
        say(
            f"{gain} is too small for the study's {own} matched seeds; if they find "
            f"one, it is probably overstated: set confirm.seeds={needed}, or keep equal shares."
        )


def show_proposals(proposals: "Proposals", *, study: Path | None = None) -> None:
    """Print which pilots to run now, and why each; for a study also the lines that add them to its file."""
    from modomodo.mixing.proposal import study_lines

    table = Table("", "kind", "mixture", f"{escape(proposals.objective)} (± sd)", box=box.SIMPLE)
    for number, pilot in enumerate(proposals.pilots, start=1):
        kind = "new" if pilot.of is None else f"replicate of {escape(pilot.of)}"
        shares = Mixture.of({name: weight for name, weight in pilot.mixture.as_dict().items() if weight > 0})
        table.add_row(str(number), kind, escape(str(shares)), f"{pilot.expected:.4g} ± {pilot.sd_mean:.2g}")
    out.print(table)
    for number, pilot in enumerate(proposals.pilots, start=1):
        say(f"{number}: {pilot.reason}")
    if study is not None:
        say(f"To run them, add this at the end of {study}, then `modomodo pilot {study}`:")
        say(study_lines(proposals))


def show_front(front: "Sequence[FrontPoint]") -> None:
    """Print the Pareto front of two aggregates, a line for each mixture."""
    names = list(front[0].mean)
    table = Table(*(f"{escape(name)} (± sd)" for name in names), Column("mixture", overflow="fold"), title="Trade-off")
    for point in front:
        scores = (f"{point.mean[name]:.3f} ± {point.sd_mean[name]:.3f}" for name in names)
        table.add_row(*scores, escape(str(point.mixture)))
    out.print(table)


def show_validation(fitted: "Fitted", *, notes: bool = True) -> None:
    """Print how well a surrogate predicts what it has not seen; the notes too, unless they are printed elsewhere."""
    table = Table(Column("score", no_wrap=True), "runs", "R2", "rank correlation", "in 50 %", "in 90 %", box=box.SIMPLE)
    for validation in fitted.validation():
        figures = (
            _known(validation.r2),
            _known(validation.rho),
            f"{validation.cover50:.0%}",
            f"{validation.cover90:.0%}",
        )
        table.add_row(escape(validation.name), str(validation.n), *figures)
    out.print(f"{fitted.surrogate}: each mixture predicted from the others (shares of runs inside their intervals)")
    out.print(table)
    for note in fitted.notes if notes else ():
        say(f"note: {note}")


def _known(figure: float) -> str:
    """Return a figure as a cell; equal scores have none."""
    return "-" if math.isnan(figure) else f"{figure:.2f}"


def show_strategies(replay: "Replay") -> None:
    """Print how strategies did on known runs, with 95 % intervals over the draws, and why some could not be tried."""
    unit, places = ("sd", 2) if replay.unit == "standard deviations" else (replay.unit, 3)
    heads = ("rank correlation", f"regret ({unit})", "median", "regret minus ours")
    table = Table(Column("strategy", no_wrap=True), "runs", "draws", *heads, box=box.SIMPLE)
    for summary in replay.summaries:
        if summary.draws:
            behind = "" if summary.behind is None else _with_half(summary.behind, sign="+", places=places)
            rho = _with_half(summary.rho)
            regret = (_with_half(summary.regret, places=places), f"{summary.regret.median:.{places}f}", behind)
            table.add_row(escape(summary.strategy), str(summary.n), str(summary.draws), rho, *regret)
    out.print("means over random draws, ± half their 95 % interval; what was not drawn is held out")
    out.print(table)
    problems: dict[tuple[str, str], list[int]] = {}
    for summary in replay.summaries:
        if summary.problem:
            problems.setdefault((summary.strategy, summary.problem), []).append(summary.n)
    for (name, problem), sizes in problems.items():
        where = f" ({', '.join(map(str, sizes))} runs)"
        say(f"not applicable: {name}{where}: {problem}")
    for note in replay.notes:
        say(f"note: {note}")


def _with_half(spread: "Spread", *, sign: str = "", places: int = 2) -> str:
    if not spread.count:
        return ""
    half = f" ±{spread.hi95 - spread.mean:.{places}f}" if spread.count > 1 else ""
    return f"{spread.mean:{sign}.{places}f}{half}"
