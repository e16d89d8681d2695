"""The launcher on a Ray cluster of two CPUs, started here."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import fake_runs
import pytest
from rich.console import Console
from test_launch import key_of, lines, planned, until, without_seconds

from modomodo.errors import ModomodoError
from modomodo.fields import Launcher
from modomodo.pilots import node
from modomodo.pilots.fleet import Fleet
from modomodo.pilots.launch import Outcome, launch
from modomodo.pilots.plan import PlannedRun
from modomodo.pilots.processes import Processes
from modomodo.pilots.store import Store

ray: Any = pytest.importorskip("ray")
HERE = str(Path(__file__).parent)


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    # Ray's workers look for the runs of these tests in the path of whoever starts them.
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [HERE, before]))
    options = {"include_dashboard": False, "log_to_driver": False, "logging_level": "error"}
    ray.init(address="local", num_cpus=2, object_store_memory=128 << 20, **options)
    yield
    ray.shutdown()
    os.environ.pop("PYTHONPATH")
    os.environ.update({} if before is None else {"PYTHONPATH": before})


def go(
    runs: Sequence[PlannedRun], folder: Path, *, run: str = "fake_runs:act", **options: Any
) -> tuple[dict[str, Outcome], str]:
    """Launch on the cluster and return the outcomes by label, and what was printed."""
    out, store = io.StringIO(), Store(folder)
    digests = fake_runs.digests(*(planned.recipe.model for planned in runs))
    fleet = Fleet(Launcher(kind="ray", **options), store)
    outcomes = launch(runs, store, digests=digests, run=run, workers=fleet, console=Console(file=out))
    return {outcome.label: outcome for outcome in outcomes}, out.getvalue()


def undisturbed(folder: Path, *runs: tuple[str, int], steps: int) -> dict[str, dict[str, object]]:
    recipes = [PlannedRun(f"{model} {seed}", fake_runs.recipe(model, seed, steps=steps)) for model, seed in runs]
    digests = fake_runs.digests(*(model for model, _ in runs))
    launch(
        recipes, Store(folder), digests=digests, run="fake_runs:act", workers=Processes(2), console=Console(quiet=True)
    )
    return without_seconds(folder)


def workers(label: str = "") -> list[int]:
    """Return the processes of Ray that carry out runs."""
    found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [line.split(maxsplit=1) for line in found[1:]]
    return [int(pid) for pid, command in rows if command.startswith(f"ray::modomodo {label}".rstrip())]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_results_come_to_the_studys_folder(tmp_path: Path, elsewhere: bool):
    runs = planned(("steps", 1), ("steps", 2), ("raise", 1))
    options = {"storage": f"file://{tmp_path}/storage"} if elsewhere else {}
    outcomes, printed = go(runs, tmp_path / "study", **options)
    assert [outcome.status for outcome in outcomes.values()] == ["finished", "finished", "failed"]
    assert "[3/3] " in printed
    assert "no such" in outcomes["raise 1"].message
    assert "fail(" in outcomes["raise 1"].message or "in fail" in outcomes["raise 1"].message
    store = Store(tmp_path / "study")
    assert store.result(key_of("steps", 2))["scores"] == {"scienceqa": 2 / 7}
    assert lines(tmp_path / "study", "steps.jsonl") == 10
    assert store.failure(outcomes["raise 1"].key) is not None
    assert without_seconds(tmp_path / "study") == undisturbed(tmp_path / "here", ("steps", 1), ("steps", 2), steps=5)
    again, _ = go(runs[:2], tmp_path / "study", **options)
    assert [outcome.status for outcome in again.values()] == ["reused", "reused"]
    assert lines(tmp_path / "study", "pids.txt") == 3


def test_a_process_that_is_killed_is_tried_again_as_often_as_told(tmp_path: Path):
    outcomes, printed = go(planned(("kill", 1)), tmp_path, retries=2)
    outcome = outcomes["kill 1"]
    assert outcome.status == "failed"
    assert "killed by SIGKILL" in outcome.message
    assert "(lost 3 times; launcher.retries is 2)" in outcome.message
    assert printed.count("kill 1 was lost") == 2
    assert "retry 2 of 2" in printed
    assert lines(tmp_path, "pids.txt") == 3


def test_a_run_whose_worker_dies_goes_on_from_what_was_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    runs = [PlannedRun(f"steps {seed}", fake_runs.recipe("steps", seed, steps=1200)) for seed in (1, 2)]
    killer = subprocess.Popen([sys.executable, __file__, str(tmp_path / "study"), "5"])
    outcomes, printed = go(runs, tmp_path / "study", retries=5)
    assert killer.wait(timeout=20) == 0
    assert [outcome.status for outcome in outcomes.values()] == ["finished", "finished"]
    assert printed.count("was lost (WorkerCrashedError") == 5
    assert without_seconds(tmp_path / "study") == undisturbed(tmp_path / "here", ("steps", 1), ("steps", 2), steps=1200)
    # It went on rather than anew: a run anew would have written a line a step in each attempt.
    assert lines(tmp_path / "study", "steps.jsonl") == 2400


def kill_at_random(folder: str, times: str) -> None:
    draw, left = random.Random(3), int(times)
    deadline = time.monotonic() + 60
    while left and time.monotonic() < deadline:
        time.sleep(draw.uniform(1, 3))
        found = workers()
        if found:
            os.kill(draw.choice(found), signal.SIGKILL)
            left -= 1
    sys.exit(left)


def driver(folder: Path, *, runs: int, steps: int) -> "subprocess.Popen[str]":
    """Start a launcher in a process of its own, with a cluster of its own."""
    places = [HERE, *sys.path]
    return subprocess.Popen(
        [sys.executable, fake_runs.__file__, str(folder), "steps", str(runs), str(steps), "ray"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_driver_that_is_killed_goes_on_when_started_again(tmp_path: Path, number: int):
    process = driver(tmp_path, runs=4, steps=600)
    until(lambda: len(list(tmp_path.glob("runs/*/result.json"))) >= 1, seconds=40)
    process.send_signal(number)
    process.communicate(timeout=20)
    until(lambda: not list_of_trainings(tmp_path), seconds=10)
    finished = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/result.json")}
    assert 1 <= len(finished) < 4
    printed, _ = driver(tmp_path, runs=4, steps=600).communicate(timeout=60)
    statuses = list(json.loads(printed).values())
    assert statuses.count("reused") >= len(finished)
    assert len(list(tmp_path.glob("runs/*/result.json"))) == 4
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in finished.items())
    assert without_seconds(tmp_path) == undisturbed(tmp_path / "b", *(("steps", seed) for seed in range(4)), steps=600)


def list_of_trainings(folder: Path) -> list[str]:
    return [path for path in folder.glob("runs/*") if Store(folder).claimed(path.name)]


def test_at_most_so_many_run_at_a_time(tmp_path: Path):
    runs = [PlannedRun(f"steps {seed}", fake_runs.recipe("steps", seed, steps=60)) for seed in range(3)]
    go(runs, tmp_path, run="fake_runs:alone", concurrent=1)
    assert all(result["others"] == 0 for result in Store(tmp_path).results().values())


def test_what_cannot_ever_run_is_said(tmp_path: Path):
    with pytest.raises(ModomodoError, match=r"a run takes 64 CPU, and no node of the cluster has that .*launcher.cpus"):
        go(planned(("steps", 1)), tmp_path, cpus=64)


def test_a_cluster_that_is_not_there_is_said(tmp_path: Path):
    out = subprocess.run(
        [sys.executable, fake_runs.__file__, str(tmp_path), "steps", "1", "5", "127.0.0.1:1"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert "there is no Ray cluster at '127.0.0.1:1'" in out.stderr
    assert "ray start --head" in out.stderr


def test_a_node_that_does_not_see_the_files_says_which(tmp_path: Path):
    order = node.Order(
        job=None,  # pyright: ignore[reportArgumentType]
        storage=str(tmp_path),
        attempt="a",
        folder=tmp_path / "none",
        needed=(tmp_path, tmp_path / "rows.jsonl"),
        version=node.version("modomodo"),
    )
    report = node.carry_out(order)
    assert report.status == "failed"
    assert f"does not see {tmp_path / 'rows.jsonl'}: put it on a file system" in report.message


if __name__ == "__main__":
    kill_at_random(*sys.argv[1:])
