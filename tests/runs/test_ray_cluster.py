"""The launcher on a Ray cluster of two nodes with a CPU each, started here."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fake_runs
import pytest
from ray_launcher import workers
from rich.console import Console
from test_launcher import claims, key_of, lines, planned, until, without_seconds

import modomodo
from modomodo.config.sections import Launcher
from modomodo.config.study import Study, load_study
from modomodo.core.errors import ModomodoError
from modomodo.runs import mirror, node
from modomodo.runs.attempt import Job
from modomodo.runs.launcher import Outcome, launch
from modomodo.runs.local import Processes
from modomodo.runs.planned import PlannedRun
from modomodo.runs.ray_cluster import Fleet
from modomodo.runs.store import SIGNATURE, Store
from modomodo.study.pipeline import pilot

ray: Any = pytest.importorskip("ray")
HERE = str(Path(__file__).parent)


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[Any]:
    """Two nodes of one CPU each, which this process has joined."""
    from ray.cluster_utils import Cluster

    # Ray's workers look for the runs of these tests in the path of whoever starts them.
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [HERE, before]))
    options = {"num_cpus": 1, "object_store_memory": 128 << 20}
    found = Cluster(initialize_head=True, head_node_args={**options, "include_dashboard": False})
    found.add_node(**options)
    ray.init(address=found.address, log_to_driver=False, logging_level="error")
    yield found
    ray.shutdown()
    found.shutdown()
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
    assert store.result_data(key_of("steps", 2))["scores"] == {"scienceqa": fake_runs.scored(2 / 7)}
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


@contextmanager
def killing(times: int, *, between: tuple[float, float], seed: int) -> Generator[list[int]]:
    """Kill a worker so many times at random moments meanwhile; yields those killed."""
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        draw = random.Random(seed)
        while len(killed) < times and not over.wait(draw.uniform(*between)):
            for pid in draw.sample(found := workers(), min(1, len(found))):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


@pytest.mark.slow
def test_a_run_whose_worker_dies_goes_on_from_what_was_copied(tmp_path: Path):
    runs = [PlannedRun(f"steps {seed}", fake_runs.recipe("steps", seed, steps=1200)) for seed in (1, 2)]
    with killing(3, between=(2.5, 3.5), seed=3) as killed:
        outcomes, printed = go(runs, tmp_path / "study", retries=3)
    assert [outcome.status for outcome in outcomes.values()] == ["finished", "finished"]
    assert len(killed) == 3
    assert printed.count("was lost (WorkerCrashedError") == 3
    assert without_seconds(tmp_path / "study") == undisturbed(tmp_path / "here", ("steps", 1), ("steps", 2), steps=1200)
    # What was copied was not done again: three kills cost less than the runs that they hit.
    assert sum(outcome.seconds for outcome in outcomes.values()) < 2 * 1200 * 0.006


def test_a_run_whose_node_dies_is_resumed_elsewhere(tmp_path: Path, cluster: Any):
    runs = [PlannedRun(f"steps {seed}", fake_runs.recipe("steps", seed, steps=800)) for seed in (1, 2)]
    options = {"num_cpus": 1, "resources": {"spare": 1}, "object_store_memory": 128 << 20}
    lost, other = cluster.add_node(**options), cluster.add_node(**options)

    def lose_a_node() -> None:
        until(lambda: len(list(tmp_path.glob("study/runs/*/steps.jsonl"))) == 2, seconds=60)
        cluster.remove_node(lost, allow_graceful=False)

    thread = threading.Thread(target=lose_a_node)
    thread.start()
    outcomes, printed = go(runs, tmp_path / "study", resources={"spare": 1})
    thread.join()
    cluster.remove_node(other)
    assert [outcome.status for outcome in outcomes.values()] == ["finished", "finished"]
    assert printed.count("was lost (NodeDiedError") == 1
    assert without_seconds(tmp_path / "study") == undisturbed(tmp_path / "here", ("steps", 1), ("steps", 2), steps=800)


def small_study(folder: Path, *sets: str) -> Study:
    """Return eight pilots and the base run of the embedded model, too short to learn much but long enough to differ."""
    path = Path(modomodo.__file__).parent / "models/nano/control/study.toml"
    plan = ["design=d-optimal", "budget=8", "items=8", "recipe.steps=4", "recipe.prompts_per_step=4"]
    return load_study(path, [*plan, "recipe.num_generations=4", "recipe.save_every=1", f"out={folder}", *sets])


@pytest.mark.slow
def test_a_study_has_the_same_table_as_here_whatever_is_killed(tmp_path: Path):
    here = small_study(tmp_path / "here", "processes=2")
    fleet = small_study(tmp_path / "fleet", "launcher.kind=ray", "launcher.retries=5")
    silent = Console(quiet=True)
    assert {outcome.status for outcome in pilot(here, console=silent)} == {"finished"}
    with killing(5, between=(1, 5), seed=11) as killed:
        outcomes = pilot(fleet, console=silent)
    assert {outcome.status for outcome in outcomes} == {"finished"}
    assert len(killed) == 5
    table = (here.folder / "runs.csv").read_text()
    assert table == (fleet.folder / "runs.csv").read_text()
    assert len(set(table.splitlines())) == 9
    for outcome in outcomes:
        steps = [domains_of(study.folder / "runs" / outcome.key / "steps.jsonl") for study in (here, fleet)]
        assert steps[0] == steps[1]


def domains_of(path: Path) -> list[Any]:
    """Return what each step did to each domain; the base run has no steps."""
    return [json.loads(line)["domains"] for line in path.read_text().splitlines()] if path.exists() else []


def driver(folder: Path, *, runs: int, steps: int) -> "subprocess.Popen[str]":
    """Start a launcher in a process of its own, with a cluster of its own, where files bear the names of modules."""
    places = [HERE, *sys.path]
    work = folder / "work"
    work.mkdir(exist_ok=True)
    for name in ("numpy", "random", "pydantic", "modomodo"):
        (work / f"{name}.py").write_text(f"open({str(folder / 'hostile')!r}, 'w').close()\n")
    return subprocess.Popen(
        [sys.executable, fake_runs.__file__, str(folder), "steps", str(runs), str(steps), "ray"],
        cwd=work,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGKILL])
def test_a_driver_that_is_killed_goes_on_when_started_again(tmp_path: Path, number: int):
    process = driver(tmp_path, runs=4, steps=200)
    until(lambda: len(list(tmp_path.glob("runs/*/result.json"))) >= 1, seconds=120)
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == (143 if number == signal.SIGTERM else -number)
    until(lambda: claims(tmp_path) == 0, seconds=10)
    finished = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/result.json")}
    assert 1 <= len(finished) < 4
    printed, _ = driver(tmp_path, runs=4, steps=200).communicate(timeout=60)
    statuses = list(json.loads(printed).values())
    assert statuses.count("reused") >= len(finished)
    assert len(list(tmp_path.glob("runs/*/result.json"))) == 4
    assert not (tmp_path / "hostile").exists(), "a file of the working folder ran"
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in finished.items())
    assert without_seconds(tmp_path) == undisturbed(tmp_path / "b", *(("steps", seed) for seed in range(4)), steps=200)


def test_an_attempt_that_was_superseded_gives_up(tmp_path: Path):
    path = tmp_path / "runs" / key_of("sleep", 1) / SIGNATURE

    def supersede() -> None:
        until(lambda: lines(tmp_path, "pids.txt") == 1)
        path.write_text('{"attempt": "another", "node": "n2"}')

    thread = threading.Thread(target=supersede)
    thread.start()
    outcomes, _ = go(planned(("sleep", 1)), tmp_path)
    thread.join()
    assert outcomes["sleep 1"].status == "failed"
    assert "another launcher took the run over, on node n2" in outcomes["sleep 1"].message


def test_a_storage_that_is_away_for_a_while_costs_nothing(tmp_path: Path):
    storage = tmp_path / "storage"

    def away() -> None:
        until(lambda: len(list(storage.glob("runs/*/steps.jsonl"))) == 1)
        storage.rename(tmp_path / "away")
        time.sleep(5)
        (tmp_path / "away").rename(storage)

    thread = threading.Thread(target=away)
    thread.start()
    runs = [PlannedRun("steps 1", fake_runs.recipe("steps", 1, steps=1500))]
    outcomes, _ = go(runs, tmp_path / "study", storage=str(storage))
    thread.join()
    assert outcomes["steps 1"].status == "finished"
    assert lines(tmp_path / "study", "steps.jsonl") == 1500


def test_a_node_gives_up_a_run_that_a_local_launcher_has_begun_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mirror, "PATIENCE", (0.01, 0.01))
    monkeypatch.syspath_prepend(HERE)
    runs = [PlannedRun("steps 1", fake_runs.recipe("steps", 1, steps=800))]
    job = Job("steps 1", key_of("steps", 1, steps=800), runs[0].recipe, {}, "fake_runs:act", Store(tmp_path))
    order = node.Order(job, str(tmp_path), "a", tmp_path, (), node.version("modomodo"))
    with ThreadPoolExecutor(1) as thread:
        attempt = thread.submit(node.carry_out, order)
        until(lambda: lines(tmp_path, "steps.jsonl") > 0)
        alone = Console(quiet=True)
        launch(
            runs,
            Store(tmp_path),
            digests=fake_runs.digests("steps"),
            run="fake_runs:act",
            workers=Processes(1),
            console=alone,
        )
        finished = {path.name: path.read_bytes() for path in Store(tmp_path).path(job.key).iterdir()}
        report = attempt.result()
    assert report.status == "failed"
    assert {path.name: path.read_bytes() for path in Store(tmp_path).path(job.key).iterdir()} == finished
    assert lines(tmp_path, "steps.jsonl") == 800


def test_a_run_that_another_launcher_finished_at_the_last_moment_is_left_alone(tmp_path: Path):
    go(planned(("steps", 1)), tmp_path)
    key = key_of("steps", 1)
    fleet = Fleet(Launcher(kind="ray", storage=str(tmp_path / "storage")), Store(tmp_path))
    job = Job("steps 1", key, fake_runs.recipe("steps", 1), {}, "fake_runs:act", Store(tmp_path))
    fleet.start(job)
    assert [report.status for _, report in fleet.ended(0.0)] == ["elsewhere"]
    assert not Store(tmp_path).claimed(key)


def test_a_damaged_result_on_the_storage_is_named_there(tmp_path: Path):
    (outcome,) = go(planned(("steps", 1)), tmp_path / "study", storage=str(tmp_path / "storage"))[0].values()
    for folder in ("study", "storage"):
        path = tmp_path / folder / "runs" / outcome.key / "result.json"
        path.write_text(path.read_text()[:30]) if folder == "storage" else path.unlink()
    (again,) = go(planned(("steps", 1)), tmp_path / "study", storage=str(tmp_path / "storage"))[0].values()
    assert again.status == "failed"
    assert f"{tmp_path / 'storage' / 'runs' / outcome.key}/result.json is damaged: delete it there" in again.message


@pytest.mark.parametrize("options", [{"resources": {"CPU": 1.0}}, {"cpus": 1e-5}, {"resources": {"x": -1.0}}])
def test_what_ray_does_not_take_is_a_message(tmp_path: Path, options: dict[str, Any]):
    with pytest.raises(ModomodoError, match=r"Ray does not take them|no node of the cluster has that"):
        go(planned(("steps", 1)), tmp_path, **options)


def test_a_storage_that_cannot_be_written_fails_the_run_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("")
    order = node.Order(
        job=Job("a", key_of("steps", 1), fake_runs.recipe("steps", 1), {}, "fake_runs:act", Store(tmp_path)),
        storage=str(tmp_path / "file"),
        attempt="a",
        folder=tmp_path,
        needed=(),
        version=node.version("modomodo"),
    )
    monkeypatch.setattr(mirror, "PATIENCE", (0.01, 0.01))
    report = node.carry_out(order)
    assert report.status == "failed"
    assert "the storage of the runs cannot be used (NotADirectoryError" in report.message
    assert "run the same command again" in report.message


def test_a_storage_that_cannot_be_written_stops_the_launch_before_any_run(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModomodoError, match="storage of the runs cannot be used"):
        go(planned(("steps", 1)), tmp_path / "study", storage=str(tmp_path / "file"))


def test_what_killed_attempts_left_on_a_node_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(node.tempfile, "tempdir", str(tmp_path))
    with node._scratch() as held:  # pyright: ignore[reportPrivateUsage]
        left = tmp_path / f"{node.SCRATCH}left"
        left.mkdir()
        (left / "lock").touch()
        with node._scratch() as another:  # pyright: ignore[reportPrivateUsage]
            assert {path.name for path in tmp_path.iterdir()} == {held.name, another.name}
    assert list(tmp_path.iterdir()) == []


def test_at_most_so_many_run_at_a_time(tmp_path: Path):
    runs = [PlannedRun(f"steps {seed}", fake_runs.recipe("steps", seed, steps=60)) for seed in range(3)]
    go(runs, tmp_path, run="fake_runs:alone", concurrent=1)
    store = Store(tmp_path)
    assert all(store.result_data(key)["others"] == 0 for key in store.finished_keys())


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
