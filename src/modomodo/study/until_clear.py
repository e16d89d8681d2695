"""Pilots that are proposed as others finish, until the answer is clear or enough have run."""

import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError
from modomodo.core.files import locked
from modomodo.mixing.fitted import Fitted
from modomodo.mixing.improvement import need_botorch
from modomodo.mixing.proposal import NoMixtureError
from modomodo.mixing.recommendation import recommend
from modomodo.runs.planned import PlannedRun
from modomodo.runs.store import Store
from modomodo.study.plan import added_label, pilot_runs, recommended_caps
from modomodo.study.proposal import study_proposals
from modomodo.study.proposed import Proposed, read_proposed, write_proposed
from modomodo.study.results import OUT, StudyRuns, planned_runs


@dataclass
class UntilClear:
    """Proposes a pilot whenever there is room for one, and remembers `why` it proposes no more, or what went wrong.

    The design runs first. The answer is clear when the 90 % interval of what the recommended mixture gains on equal
    shares excludes 0. It is looked at again and again, so it is no test: `modomodo confirm` is. `most` counts the
    pilots of the design too. `say` prints a line.
    """

    study: Study
    most: int
    say: Callable[[str], None]
    why: str = field(default="", init=False)
    error: ModomodoError | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Raises ModomodoError without BoTorch."""
        need_botorch()

    def more(self, ours: Collection[str]) -> tuple[PlannedRun, ...]:
        """Return the next pilots, none when there are none for now; `ours` are the labels of this launch.

        A pilot that is proposed is in the study's plan from then on. One that another launcher added and left comes
        first.
        """
        self.error = None
        try:
            with locked(self.study.folder / "proposed.lock"):
                return self._more(ours)
        except ModomodoError as error:  # runs under way are not to end for it
            self.error = error
            return ()

    def _more(self, ours: Collection[str]) -> tuple[PlannedRun, ...]:
        planned = pilot_runs(self.study)
        runs = StudyRuns(self.study, planned, planned_runs(self.study, planned))
        left = tuple(run for run in runs.pending if run.label not in ours and not self._claimed(run))
        if left or any(not added_label(run.label) and self._claimed(run) for run in runs.pending):
            return left
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # `recommend` and `next` say it, once
            fitted = runs.fit()
            self.why = self._why_not(runs, fitted)
            if self.why:
                return ()
            try:
                found = study_proposals(runs, fitted, batch=1).pilots[0]  # what failed counts as under way
            except NoMixtureError as error:
                self.why = str(error)
                return ()
        write_proposed(self.study, (*read_proposed(self.study), Proposed(found.mixture.as_dict(), found.reason)))
        one = pilot_runs(self.study)[-1]
        again = "" if found.of is None else f", which repeats {found.of},"
        self.say(f"{one.label}{again} is added at {found.mixture}: {found.reason}")
        return (one,)

    def _claimed(self, run: PlannedRun) -> bool:
        """Return whether a launcher, this one or another, has a run under way."""
        store = Store(self.study.folder)
        key = store.labels().get(run.label)
        return key is not None and store.claimed(key)

    def _why_not(self, runs: StudyRuns, fitted: Fitted) -> str:
        """Return why no pilot is proposed, empty where one is to be."""
        study = self.study
        found = recommend(
            fitted, objective=OUT, caps=recommended_caps(study), parsimony=study.parsimony, seed=study.seed
        )
        gain = f"{found.gain:+.3f} (90 % interval {found.gain_lo90:+.3f} to {found.gain_hi90:+.3f})"
        if found.distinguishable:
            return f"the recommended mixture can be told from equal shares, {gain}"
        if len(runs.pilots) >= self.most:
            planned = f"{len(runs.pilots)} pilots are planned, and {self.most} the most you asked for"
            return f"{planned}; " + (
                "equal shares are recommended" if found.kept else f"the gain of {gain} isn't clear"
            )
        return ""
