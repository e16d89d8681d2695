"""Runs: what goes into one, the folder it leaves, and the processes that run the missing ones."""

from typing import TYPE_CHECKING

from modomodo.core.later import later

if TYPE_CHECKING:
    from modomodo.runs.inputs import make_schedule as make_schedule
    from modomodo.runs.inputs import run_digests as run_digests
    from modomodo.runs.launcher import Outcome as Outcome
    from modomodo.runs.launcher import launch as launch
    from modomodo.runs.local import Processes as Processes
    from modomodo.runs.planned import PlannedRun as PlannedRun
    from modomodo.runs.ray_cluster import Fleet as Fleet
    from modomodo.runs.store import RunResult as RunResult
    from modomodo.runs.store import Store as Store
    from modomodo.runs.store import run_key as run_key

__getattr__ = later(
    __name__,
    {
        "inputs": "make_schedule run_digests",
        "launcher": "Outcome launch",
        "local": "Processes",
        "planned": "PlannedRun",
        "ray_cluster": "Fleet",
        "store": "RunResult Store run_key",
    },
)
