"""Carries out the missing runs of a study, each in a fresh process, and says how each ended.

Killing a launch at any time and launching again loses no finished run and repeats none; several launchers may work on
one study at once. A script calls `launch` under `if __name__ == "__main__":`, because every child imports the script.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from typing import Literal

from rich.console import Console

from modomodo.errors import ModomodoError
from modomodo.pilots import child
from modomodo.pilots.child import Job, Report, Run
from modomodo.pilots.plan import PlannedRun
from modomodo.pilots.processes import Running, cores, gpus, report_of, sigterm_raises, start, stop
from modomodo.pilots.progress import Board, Count, board, spell
from modomodo.pilots.store import Store, digest_names, run_key

POLL_SECONDS = 0.5
LOG_LINES = 8


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
    processes: int | None = None,
    console: Console | None = None,
) -> tuple[Outcome, ...]:
    """Return how each of `runs` ended, in their order, after carrying out those that have no result.

    Args:
        runs: planned runs; equal ones are carried out once.
        store: where their folders are.
        digests: the digest of each `digest_names` of the recipes.
        run: carries out one recipe; a function that a fresh process can import, or its "module:name". Its module is
            imported once for all processes, so heavy imports at the top of that module are paid once.
        processes: how many at a time, by default one per GPU, or one per core where there is none; 0 carries them out
            in this process, to debug.
        console: where progress goes, by default standard error.

    Raises:
        ModomodoError: a missing digest, a damaged result, a study folder that cannot be written. A failed run does not
            raise, also when its own files cannot be written.
        KeyboardInterrupt, SystemExit: at Ctrl-C and SIGTERM, once the processes of the runs are gone.
    """
    if processes is not None and processes < 0:
        raise ModomodoError(f"processes is {processes}: 1 or more, or 0 to run in this process")
    jobs = [_job(planned, store, digests, child.name_of(run)) for planned in runs]
    ended = {job.key: _reused(job) for job in jobs if store.finished(job.key)}
    missing = {job.key: job for job in jobs if job.key not in ended}
    if missing:
        store.make()
    devices = gpus()
    slots = (len(devices) or cores()) if processes is None else processes
    before = sum(_steps_done(job) for job in missing.values())
    with sigterm_raises(), board(console or Console(stderr=True), steps_before=before) as shown:
        if ended:
            shown.say(f"{len(ended)} of {len(ended) + len(missing)} runs are finished already")
        ended |= _carry_out(missing, slots=slots, devices=devices, shown=shown)
    return tuple(replace(ended[job.key], label=job.label) for job in jobs)


def _job(planned: PlannedRun, store: Store, digests: Mapping[str, str], run: str) -> Job:
    key = run_key(planned.recipe, digests)
    used = {name: digests[name] for name in digest_names(planned.recipe)}
    return Job(planned.label, key, planned.recipe, used, run, store)


def _reused(job: Job) -> Outcome:
    seconds = job.store.result(job.key).get("seconds")
    return Outcome(job.label, job.key, "reused", seconds if isinstance(seconds, int | float) else 0.0)


def _carry_out(missing: Mapping[str, Job], *, slots: int, devices: Sequence[str], shown: Board) -> dict[str, Outcome]:
    """Return the outcome of each missing run by key; `slots` run at a time, 0 means in this process."""
    pending = dict(missing)
    running: dict[str, Running] = {}
    failures = {key: job.store.failure(key) for key, job in missing.items()}
    ended: dict[str, Outcome] = {}
    waiting = False
    shown.show(_count(missing, ended))
    try:
        while pending or running:
            for outcome in _advance(pending, running, failures, slots, devices):
                ended[outcome.key] = outcome
                shown.ended(_line(outcome), _count(missing, ended))
            shown.show(_count(missing, ended))
            if pending and not running and not waiting:
                waiting = True
                shown.say(f"waiting for another launcher, which holds {len(pending)} of the runs")
            if pending or running:
                wait([one.process.sentinel for one in running.values()], timeout=POLL_SECONDS)
    finally:
        stop(running.values())
    return ended


def _advance(
    pending: dict[str, Job],
    running: dict[str, Running],
    failures: Mapping[str, object],
    slots: int,
    devices: Sequence[str],
) -> Iterator[Outcome]:
    """Yield the runs that have ended, and start pending ones where there is room.

    A run that another launcher holds stays pending: when that launcher dies, it is ours to do. `failures` are those of
    before this launch.
    """
    for key, one in list(running.items()):
        if one.process.exitcode is None:
            continue
        del running[key]
        report = report_of(one)
        if report.status == "claimed":
            pending[key] = one.job
        else:
            yield _outcome(one.job, report)
    for key, job in list(pending.items()):
        if len(running) >= max(slots, 1):
            return
        report = _elsewhere(job, failures[key])
        if report is None and slots:
            running[key] = start(job, gpu=_freest(devices, running))
        elif report is None:
            report = child.attempt(job, redirect=False)
        if report is None or report.status != "claimed":
            del pending[key]
        if report is not None and report.status != "claimed":
            yield _outcome(job, report)


def _freest(devices: Sequence[str], running: Mapping[str, Running]) -> str | None:
    """Return the GPU with the fewest runs on it."""
    used = [one.gpu for one in running.values()]
    return min(devices, key=used.count, default=None)


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
        message += f"\nthe end of {log}:\n" + "\n".join(f"    {line}" for line in _tail(job))
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
        return min((job.store.path(job.key) / "steps.jsonl").read_bytes().count(b"\n"), job.recipe.steps)
    except OSError:
        return 0  # none yet; or not readable, which is for the run to report and not for its progress
