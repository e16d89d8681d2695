"""Carries out the missing runs of a study, here or on a cluster, and says how each ended.

Killing a launch at any time and launching again loses no finished run and repeats none; several launchers may work on
one study at once.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from rich.console import Console

from modomodo.runs.attempt import Job, Report, Run, name_of
from modomodo.runs.board import Board, Count, board, spell
from modomodo.runs.local import Processes, sigterm_raises
from modomodo.runs.planned import PlannedRun
from modomodo.runs.store import Store, digest_names, run_key
from modomodo.training.step_log import count_steps

POLL_SECONDS = 0.5
LOG_LINES = 8
More = Callable[[Collection[str]], Sequence[PlannedRun]]
"""From the labels of this launch to the runs to add; none for now where it is empty."""


class Workers(Protocol):
    """Where runs are carried out: Processes, ThisProcess, or the Fleet of a cluster."""

    def open(self, say: Callable[[str], None]) -> None:
        """Get ready; `say` prints a line."""
        ...

    def room(self) -> bool:
        """Return whether a run can be started now."""
        ...

    def idle(self) -> bool:
        """Return whether a run that is started now would begin at once."""
        ...

    def start(self, job: Job) -> None:
        """Start a run, whose end `ended` will tell."""
        ...

    def ended(self, seconds: float) -> Iterable[tuple[Job, Report]]:
        """Return the runs that have ended, after waiting for one at most so many seconds."""
        ...

    def close(self) -> None:
        """End what is still running."""
        ...


@dataclass(frozen=True)
class Outcome:
    """How a planned run ended.

    finished: carried out now. reused: it was finished before. elsewhere: another launcher finished it meanwhile.
    failed: `message` says why and where its log is. `seconds` are those of the run, of its last attempt.
    """

    label: str
    key: str
    status: Literal["finished", "reused", "failed", "elsewhere"]
    seconds: float = 0.0
    message: str = ""


def launch(
    runs: Sequence[PlannedRun],
    store: Store,
    *,
    digests: Mapping[str, str],
    run: Run | str,
    workers: Workers | None = None,
    console: Console | None = None,
    more: More | None = None,
) -> tuple[Outcome, ...]:
    """Return how each of `runs` ended, in their order, after carrying out those that have no result.

    Args:
        runs: planned runs; equal ones are carried out once.
        store: where their folders are.
        digests: the digest of each `digest_names` of the recipes.
        run: carries out one recipe; a function that a fresh process can import, or its "module:name". Its module is
            imported once for all processes, so heavy imports at the top of that module are paid once.
        workers: where they are carried out, by default processes of this machine.
        console: where progress goes, by default standard error.
        more: asked for further runs while there is room and none is waiting; their outcomes follow those of `runs`.

    Raises:
        ModomodoError: a missing digest, a damaged result, a study folder that cannot be written, a cluster that is not
            there. A failed run does not raise, also when its own files cannot be written.
        KeyboardInterrupt, SystemExit: at Ctrl-C and SIGTERM, once the processes of the runs are gone.
    """
    jobs = [_job(planned, store, digests, name_of(run)) for planned in runs]
    ended = {job.key: _reused(job) for job in jobs if store.finished(job.key)}
    missing = {job.key: job for job in jobs if job.key not in ended}

    def further() -> Sequence[Job]:
        asked = more([job.label for job in jobs]) if more else ()
        found = [_job(planned, store, digests, name_of(run)) for planned in asked]
        jobs.extend(found)
        return found

    before = sum(_steps_done(job) for job in missing.values())
    with board(console or Console(stderr=True), steps_before=before) as shown:
        if ended:
            shown.say(f"{len(ended)} of {len(ended) + len(missing)} runs are finished already")
        if missing or more:
            store.make()
            ended |= _carry_out(missing, workers=workers or Processes(), shown=shown, further=further if more else None)
    return tuple(replace(ended[job.key], label=job.label) for job in jobs)


def _job(planned: PlannedRun, store: Store, digests: Mapping[str, str], run: str) -> Job:
    key = run_key(planned.recipe, digests)
    used = {name: digests[name] for name in digest_names(planned.recipe)}
    return Job(planned.label, key, planned.recipe, used, run, store)


def _reused(job: Job) -> Outcome:
    seconds = job.store.result_data(job.key).get("seconds")
    return Outcome(job.label, job.key, "reused", seconds if isinstance(seconds, int | float) else 0.0)


def _carry_out(
    missing: dict[str, Job],
    *,
    workers: Workers,
    shown: Board,
    further: Callable[[], Sequence[Job]] | None,
) -> dict[str, Outcome]:
    """Return the outcome of each missing run by key, and of each `further` one, which join the missing."""
    pending = dict(missing)
    running: set[str] = set()
    failures = {key: job.store.failure(key) for key, job in missing.items()}
    ended: dict[str, Outcome] = {}
    waiting, asked = False, -1  # how many had ended when there was nothing further
    shown.show(_count(missing, ended))
    try:
        workers.open(shown.say)
        with sigterm_raises():  # after Ray has set a handler of its own
            while True:
                if further and not pending and asked != len(ended) and workers.idle():
                    found = further()
                    asked = -1 if found else len(ended)
                    new = {job.key: job for job in found if job.key not in ended}
                    missing |= new
                    pending |= new
                    failures |= {key: job.store.failure(key) for key, job in new.items()}
                if not pending and not running and (further is None or asked == len(ended)):
                    break
                begun = list(_begin(pending, running, failures, workers))
                held = bool(pending) and not running  # and nothing could be started
                reports = [*begun, *_end(pending, running, workers)]
                for outcome in (_outcome(job, report) for job, report in reports):
                    ended[outcome.key] = outcome
                    shown.ended(_line(outcome), _count(missing, ended))
                shown.show(_count(missing, ended))
                if held and not waiting:
                    waiting = True
                    shown.say(f"waiting for another launcher, which holds {len(pending)} of the runs")
    finally:
        workers.close()
    return ended


def _begin(
    pending: dict[str, Job], running: set[str], failures: Mapping[str, object], workers: Workers
) -> Iterator[tuple[Job, Report]]:
    """Start pending runs where there is room, and yield those that another launcher has ended.

    A run that another launcher holds stays pending: when that launcher dies, it is ours to do. `failures` are those of
    before this launch.
    """
    for key, job in list(pending.items()):
        if not workers.room():
            return
        report = _elsewhere(job, failures[key])
        if report is not None and report.status == "claimed":
            continue
        del pending[key]
        if report is not None:
            yield job, report
        else:
            workers.start(job)
            running.add(key)


def _end(pending: dict[str, Job], running: set[str], workers: Workers) -> Iterator[tuple[Job, Report]]:
    """Yield the runs that have ended; one that another launcher turned out to hold is pending again."""
    for job, report in workers.ended(POLL_SECONDS):
        running.remove(job.key)
        if report.status == "claimed":
            pending[job.key] = job
        else:
            yield job, report


def _elsewhere(job: Job, failed_before: object) -> Report | None:
    """Return what another launcher has made of a pending run, None when it is ours to do."""
    if job.store.finished(job.key):
        return Report("elsewhere")
    if job.store.claimed(job.key):
        return Report("claimed")
    failure = job.store.failure(job.key)
    if failure is not None and failure != failed_before:
        # One attempt per launch is enough, and another launcher has just made it.
        return Report("failed", message=f"in another launcher: {failure.get('message')}")
    return None


def _outcome(job: Job, report: Report) -> Outcome:
    assert report.status != "claimed"
    message = report.message
    log = job.store.path(job.key) / "log.txt"
    if report.status == "failed" and log.exists():
        said = message.splitlines()[:1]
        shown = [line for line in _tail(job) if line.removeprefix("error: ") not in said]
        if any(not line.startswith("--- ") for line in shown):  # more than when the attempt began
            message += f"\nthe end of {log}:\n" + "\n".join(f"    {line}" for line in shown)
    return Outcome(job.label, job.key, report.status, report.seconds, message)


def _tail(job: Job) -> list[str]:
    with (job.store.path(job.key) / "log.txt").open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
        lines = file.read().decode(errors="replace").splitlines()
    return [line for line in lines if line.strip()][-LOG_LINES:]


def _line(outcome: Outcome) -> str:
    if outcome.status == "failed":
        return f"{outcome.label} FAILED after {spell(outcome.seconds)}: {outcome.message}"
    if outcome.status == "elsewhere":
        return f"{outcome.label} was finished by another launcher"
    return f"{outcome.label} finished in {spell(outcome.seconds)}"


def _count(missing: Mapping[str, Job], ended: Mapping[str, Outcome]) -> Count:
    """Return the counts; what failed or was done elsewhere says nothing about the pace here and has no steps."""
    left = [job for key, job in missing.items() if key not in ended]
    done = [job for key, job in missing.items() if key in ended and ended[key].status == "finished"]
    done_steps = sum(job.recipe.steps for job in done)
    return Count(
        runs=len(ended),
        of_runs=len(missing),
        steps=done_steps + sum(_steps_done(job) for job in left),
        of_steps=done_steps + sum(job.recipe.steps for job in left),
    )


def _steps_done(job: Job) -> int:
    try:
        return min(count_steps(job.store.path(job.key)), job.recipe.steps)
    except OSError:
        return 0  # none yet; or not readable, which is for the run to report and not for its progress
