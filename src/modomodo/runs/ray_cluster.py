"""Runs on a Ray cluster, a task each; one whose node is lost continues elsewhere, from its last copied checkpoint."""

import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from modomodo.config.policies import Online
from modomodo.config.recipe import Recipe
from modomodo.config.sections import Launcher
from modomodo.core.children import without_code
from modomodo.core.errors import ModomodoError
from modomodo.runs.attempt import Job, Report, record_failure
from modomodo.runs.hardware import cores
from modomodo.runs.mirror import StorageError, check_writable, mirror, patiently, reached
from modomodo.runs.node import Order, carry_out
from modomodo.runs.store import Store

LOOK_SECONDS = 5.0  # between looks at how far the runs are, where the storage is not the study's folder
CONNECT_SECONDS = 10.0
FETCHES = 8  # runs whose files are fetched at the same time
TICK = 0.05
OBJECT_STORE = 128 << 20  # bytes; nothing but orders and reports goes through it


@dataclass(frozen=True)
class Flight:
    """A run that was handed to the cluster, the claim on its folder, how often it was lost, and since when it flies."""

    job: Job
    claim: ExitStack
    losses: int
    started: float


class Fleet:
    """Workers of a Ray cluster. Results come to the study's folder; models stay on the storage, where it is another."""

    def __init__(self, launcher: Launcher, store: Store) -> None:
        self._launcher = launcher
        self._store = store
        self._storage = launcher.storage or str(store.folder)
        if "://" not in self._storage:
            self._storage = str(Path(self._storage).expanduser().absolute())
        self._flights: dict[Any, Flight] = {}
        self._ended: list[tuple[Job, Report]] = []
        self._looked = time.monotonic()
        self._joined = False

    def open(self, say: Callable[[str], None]) -> None:
        """Join the cluster, or start one.

        Raises ModomodoError where Ray is missing, the cluster is not there, or no run can ever fit.
        """
        self._say = say
        check_launcher(self._launcher, self._store.folder)
        check_writable(self._storage)
        ray = _ray()
        if self._launcher.address == "local" and not ray.is_initialized():
            say("starting Ray on this machine")
        self._joined = _join(self._launcher)
        nodes = sum(node["Alive"] for node in ray.nodes())
        room = ray.cluster_resources()
        offered = f"nodes {nodes}, CPU {room.get('CPU', 0):g}, GPU {room.get('GPU', 0):g}"
        say(f"on Ray ({offered}); runs are copied to {self._storage}")
        gpus = self._launcher.gpus
        if gpus is None:
            gpus = 1 if room.get("GPU") else 0
        demand = {"CPU": self._launcher.cpus, "GPU": gpus, **self._launcher.resources}
        _check_fit(demand, self._launcher.address, say)
        self._demand = {name: amount for name, amount in demand.items() if amount}
        self._task = ray.remote(carry_out)
        self._options = {
            "num_cpus": self._launcher.cpus,
            "num_gpus": gpus,
            "resources": self._launcher.resources,
            "scheduling_strategy": "SPREAD" if self._launcher.placement == "spread" else "DEFAULT",
            "max_retries": 0,  # lost runs are handed out again here, where it can be said
        }
        try:
            self._task.options(**self._options)
        except (TypeError, ValueError) as error:
            raise ModomodoError(f"launcher.cpus, gpus or resources: Ray does not take them ({error})") from error

    def room(self) -> bool:
        return self._launcher.concurrent is None or len(self._flights) < self._launcher.concurrent

    def idle(self) -> bool:
        free = _ray().available_resources()
        return self.room() and all(free.get(name, 0) >= amount for name, amount in self._demand.items())

    def start(self, job: Job) -> None:
        """Claim the run and hand it to the cluster."""
        claim = ExitStack()
        try:
            held = claim.enter_context(self._store.claim(job.key))
        except ModomodoError as error:
            self._ended.append((job, Report("failed", message=str(error))))
            return
        if held and self._store.finished(job.key):  # by another launcher, between the look and the claim
            claim.close()
            self._ended.append((job, Report("elsewhere")))
        elif held:
            self._submit(Flight(job, claim, 0, time.monotonic()))
        else:
            claim.close()
            self._ended.append((job, Report("claimed")))

    def ended(self, seconds: float) -> Iterator[tuple[Job, Report]]:
        while self._ended:
            yield self._ended.pop()
        if not self._flights:
            time.sleep(seconds)
            return
        self._look()
        over: list[tuple[Flight, Report]] = []
        for task in self._done(seconds):
            flight = self._flights.pop(task)
            report = self._report(task, flight)
            if report.killed and flight.losses < self._launcher.retries:
                self._say(
                    f"{flight.job.label} was lost ({report.message}): it continues from its last copied checkpoint, "
                    f"retry {flight.losses + 1} of {self._launcher.retries}"
                )
                self._submit(replace(flight, losses=flight.losses + 1))
            else:
                over.append((flight, report))
        if over:
            # Together, because each is patient with a storage that is away.
            with ThreadPoolExecutor(FETCHES) as threads:
                yield from threads.map(self._home, *zip(*over, strict=True))

    def _done(self, seconds: float) -> list[Any]:
        """Return the tasks that are done, after waiting for one at most so long."""
        deadline = time.monotonic() + seconds
        while True:
            # Asleep here and not in Ray, which turns a signal that comes while it waits into an exit of its own.
            done, _ = _ray().wait(list(self._flights), num_returns=len(self._flights), timeout=0)
            if done or time.monotonic() > deadline:
                return done
            time.sleep(TICK)

    def close(self) -> None:
        """Cancel what is still running, and leave the cluster or end the one started here."""
        for task, flight in self._flights.items():
            with suppress(_ray().exceptions.RayError):
                _ray().cancel(task, force=True)
            flight.claim.close()
        self._flights.clear()
        if self._joined:
            _ray().shutdown()

    def _submit(self, flight: Flight) -> None:
        order = Order(
            job=flight.job,
            storage=self._storage,
            attempt=uuid.uuid4().hex,
            folder=Path.cwd(),
            needed=self._needed(flight.job),
            version=version("modomodo"),
        )
        task = self._task.options(**self._options, name=f"modomodo {flight.job.label}").remote(order)
        self._flights[task] = flight

    def _needed(self, job: Job) -> tuple[Path, ...]:
        """Return the paths of this machine that a node must see as well."""
        claim = [] if self._launcher.storage else [self._store.path(job.key).absolute() / "lock"]
        return tuple(path.absolute() for path in (*claim, *_paths(job.recipe)))

    def _report(self, task: Any, flight: Flight) -> Report:
        """Return what a task reports, or that its worker or node was lost."""
        errors = _ray().exceptions
        try:
            report: Report = _ray().get(task)
        except errors.RayTaskError as error:
            return Report("failed", message=f"the task of the run failed: {error}")
        except errors.RayError as error:
            seconds = time.monotonic() - flight.started
            first = (str(error).strip() or "no reason given").splitlines()[0].partition(". ")[0]
            return Report("failed", seconds, f"{type(error).__name__}: {first}", killed=True)
        # What a lost attempt had finished was ours.
        return replace(report, status="finished") if report.status == "elsewhere" and flight.losses else report

    def _home(self, flight: Flight, report: Report) -> tuple[Job, Report]:
        """Bring the files of an ended run to the study's folder, release it, and return its report."""
        with flight.claim:
            try:
                if self._launcher.storage:
                    copy = mirror(self._storage, self._store.path(flight.job.key))
                    # A run that failed may have done so before it had a copy.
                    patiently(lambda: copy.pull(light=True, begun=report.status != "failed"))
                return flight.job, self._judged(flight, report)
            except ModomodoError as error:
                message = f"its files cannot be fetched from {self._storage}: {error}"
                return flight.job, Report("failed", report.seconds, message)

    def _judged(self, flight: Flight, report: Report) -> Report:
        """Return a report that agrees with what there is in the study's folder."""
        finished = self._finished(flight.job.key)
        if report.status == "failed" and finished:
            return Report("elsewhere")
        if report.status in ("finished", "elsewhere") and not finished:
            return Report(
                "failed",
                report.seconds,
                f"it was finished on a node, but {self._store.path(flight.job.key)} has no result: the storage "
                f"{self._storage} must be one that every node and this machine share",
            )
        if report.killed and not finished:
            message = f"{report.message}\n(lost {flight.losses + 1} times; launcher.retries is {flight.losses})"
            return replace(report, message=message + record_failure(flight.job, message))
        return report

    def _finished(self, key: str) -> bool:
        """Return whether the run has its result; one that was fetched and is damaged does not stay here."""
        if not self._store.finished(key):
            return False
        try:
            self._store.result_data(key)
        except ModomodoError:
            if self._launcher.storage:
                (self._store.path(key) / "result.json").unlink()
            return False
        return True

    def _look(self) -> None:
        """Bring the steps of the runs under way to the study's folder, for whoever watches."""
        if not self._launcher.storage or time.monotonic() - self._looked < LOOK_SECONDS:
            return
        with ThreadPoolExecutor(FETCHES) as threads:
            threads.map(self._look_at, [flight.job.key for flight in self._flights.values()])
        self._looked = time.monotonic()

    def _look_at(self, key: str) -> None:
        copy = mirror(self._storage, self._store.path(key))
        with suppress(StorageError):
            reached(lambda: copy.get("steps.jsonl"))


def check_launcher(launcher: Launcher, folder: Path) -> None:
    """Raise ModomodoError where Ray is missing, or the storage of the study's folder is of no known kind."""
    if launcher.kind == "ray":
        _ray()
        mirror(launcher.storage or str(folder), folder)


def _ray() -> Any:
    # Lost workers are told of here, in a line each.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "A worker died or was killed")
    try:
        import ray
    except ImportError as error:
        raise ModomodoError("the launcher ray needs Ray: pip install '.[ray]' in modomodo's folder") from error
    return ray


def _join(launcher: Launcher) -> bool:
    """Connect this process to the cluster; return False where it is connected already.

    Raises ModomodoError when there is none.
    """
    ray = _ray()
    if ray.is_initialized():
        return False
    local = {"num_cpus": cores(), "include_dashboard": False, "object_store_memory": OBJECT_STORE}
    options: Mapping[str, Any] = local if launcher.address == "local" else {}
    joined = False
    try:
        _check_address(launcher.address)
        with without_code():
            ray.init(address=launcher.address, log_to_driver=False, logging_level="error", **options)
        joined = True
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise ModomodoError(
            f"there is no Ray cluster at {launcher.address!r} that can be joined ({error}): start one with `ray start "
            "--head`, give this machine its ~/.ray/auth_token where it asks for one, name another in launcher.address, "
            'or use launcher.address = "local"'
        ) from error
    finally:
        if not joined:
            ray.shutdown()  # what a Ctrl-C left half started
    return True


def _check_address(address: str) -> None:
    """Raise OSError where nothing listens at a host and port; Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()


def _check_fit(demand: Mapping[str, float], address: str, say: Callable[[str], None]) -> None:
    """Raise where no node offers what a run takes; a cluster that may still grow is waited for, which is said."""
    nodes = [node["Resources"] for node in _ray().nodes() if node["Alive"]]
    if any(all(node.get(name, 0) >= amount for name, amount in demand.items()) for node in nodes):
        return
    wanted = ", ".join(f"{amount:g} {name}" for name, amount in demand.items() if amount)
    found = "; ".join(
        ", ".join(
            f"{amount:g} {name}" for name, amount in sorted(node.items()) if name in ("CPU", "GPU") or name in demand
        )
        for node in nodes
    )
    what = f"a run takes {wanted}, and no node of the cluster has that (there are: {found})"
    if address == "local":
        raise ModomodoError(
            f"{what}: lower launcher.cpus or launcher.gpus, or join a larger cluster (launcher.address)"
        )
    say(f"{what}: waiting for the cluster to grow; lower launcher.cpus or launcher.gpus if it does not")


def _paths(recipe: Recipe) -> tuple[Path, ...]:
    """Return the files and folders that a recipe reads."""
    data = (path for one in recipe.data.values() for path in (one.path, one.pictures))
    of_rule = recipe.mixture.files.values() if isinstance(recipe.mixture, Online) else ()
    named = (recipe.prepared, recipe.exclude, recipe.evaluation.lmms, *data, *of_rule)
    model = Path(recipe.model)
    return (*(path for path in named if path is not None), *([model] if model.is_dir() else []))
