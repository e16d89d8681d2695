"""Pilots that are proposed as others finish, until the answer is clear or enough have run."""

import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError
from modomodo.core.files import locked
from modomodo.core.seeds import child_seed
from modomodo.mixing.fitted import Fitted
from modomodo.mixing.improvement import need_botorch
from modomodo.mixing.proposal import Proposal, propose
from modomodo.mixing.recommendation import recommend
from modomodo.runs.planned import PlannedRun
from modomodo.study.plan import caps_with_rows, pilot_runs, recommended_caps
from modomodo.study.proposed import Proposed, read_proposed, write_proposed
from modomodo.study.results import OUT, StudyRuns, planned_runs


def until_clear(study: Study, *, most: int, say: Callable[[str], None]) -> "UntilClear":
    """Return what adds pilots to a study until the answer is clear, `most` in all at most.

    Raises ModomodoError without BoTorch.
    """
    need_botorch()
    return UntilClear(study, most, say)


@dataclass
class UntilClear:
    """Proposes a pilot whenever there is room for one, and remembers why it proposes no more.

    The answer is clear when the 90 % interval of what the recommended mixture gains on equal shares excludes 0. It is
    looked at again and again, so it is no test: `modomodo confirm` is. `most` counts the pilots of the study's design
    too. `say` prints a line.
    """

    study: Study
    most: int
    say: Callable[[str], None]
    why: str = field(default="", init=False)

    def more(self, failed: Collection[str]) -> tuple[PlannedRun, ...]:
        """Return the next pilot, none when there is to be none; those labelled `failed` are not waited for.

        A pilot that is proposed is in the study's plan from then on.
        """
        with locked(self.study.folder / "proposed.lock"):
            planned = pilot_runs(self.study)
            runs = StudyRuns(self.study, planned, planned_runs(self.study, planned))
            try:
                found = self._next(runs, failed)
            except ModomodoError as error:  # too few have finished, or no mixture is left
                self.why = str(error)
                return ()
            if found is None:
                return ()
            before = read_proposed(self.study)
            write_proposed(self.study, (*before, Proposed(found.mixture.as_dict(), found.reason)))
        one = pilot_runs(self.study)[-1]
        self.say(f"{one.label} is added: {found.reason}")
        return (one,)

    def _why_not(self, runs: StudyRuns, fitted: Fitted) -> str:
        """Return why no pilot is proposed, empty where one is to be."""
        study = self.study
        found = recommend(
            fitted, objective=OUT, caps=recommended_caps(study), parsimony=study.parsimony, seed=study.seed
        )
        gain = f"{found.gain:+.3f} (90 % {found.gain_lo90:+.3f} to {found.gain_hi90:+.3f})"
        if found.distinguishable:
            return f"the recommended mixture is told from equal shares: {gain}"
        if len(runs.pilots) >= self.most:
            return f"{len(runs.pilots)} are planned or have run, and a gain of {gain} isn't clear"
        return ""

    def _next(self, runs: StudyRuns, failed: Collection[str]) -> Proposal | None:
        """Return the next pilot, None where there is to be none."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # `recommend` says it, once
            fitted = runs.fit()
        self.why = self._why_not(runs, fitted)
        if self.why:
            return None
        under_way = [run.recipe.requested for run in runs.pending if run.label not in failed]
        caps = caps_with_rows(self.study)
        # Each number of pilots has a seed of its own: the search would end at the same mixtures again.
        seed = child_seed(self.study.seed, "until clear", len(runs.pilots))
        return propose(fitted, batch=1, objective=OUT, caps=caps, pending=under_way, seed=seed).pilots[0]
