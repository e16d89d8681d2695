import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import fake_runs
import pytest
from rich.console import Console

from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.runs.attempt import Run
from modomodo.runs.hardware import gpus
from modomodo.runs.launcher import Outcome, Workers, launch
from modomodo.runs.local import Processes, ThisProcess
from modomodo.runs.planned import PlannedRun
from modomodo.runs.store import Store, run_key


def planned(*runs: tuple[str, int]) -> list[PlannedRun]:
    return [PlannedRun(f"{model} {seed}", fake_runs.recipe(model, seed)) for model, seed in runs]


def workers(processes: int) -> Workers:
    return Processes(processes) if processes else ThisProcess()


def go(
    runs: Sequence[PlannedRun], folder: Path, *, processes: int = 0, run: Run | str = fake_runs.act
) -> tuple[dict[str, Outcome], str]:
    """Launch and return the outcomes by label, and what was printed."""
    out = io.StringIO()
    digests = fake_runs.digests(*(planned.recipe.model for planned in runs))
    outcomes = launch(
        runs, Store(folder), digests=digests, run=run, workers=workers(processes), console=Console(file=out)
    )
    assert [outcome.label for outcome in outcomes] == [planned.label for planned in runs]
    return {outcome.label: outcome for outcome in outcomes}, out.getvalue()


def launcher(folder: Path, model: str, *, runs: int, steps: int) -> "subprocess.Popen[str]":
    """Start a launcher in a process of its own; its outcomes come on standard output."""
    places = [str(Path(fake_runs.__file__).parent), *sys.path]
    return subprocess.Popen(
        [sys.executable, fake_runs.__file__, str(folder), model, str(runs), str(steps)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def key_of(model: str, seed: int, *, steps: int = 5) -> str:
    return run_key(fake_runs.recipe(model, seed, steps=steps), fake_runs.digests(model))


def until(happens: Callable[[], bool], *, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def lines(folder: Path, name: str) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.glob(f"runs/*/{name}"))


def claims(folder: Path) -> int:
    return sum(Store(folder).claimed(path.name) for path in folder.glob("runs/*"))


def without_seconds(folder: Path) -> dict[str, dict[str, object]]:
    store = Store(folder)
    return {key: {**store.result_data(key), "seconds": 0} for key in store.finished_keys()}


def test_runs_are_carried_out_once_and_then_reused(tmp_path: Path):
    runs = [*planned(("steps", 1), ("steps", 2)), PlannedRun("same as 1", fake_runs.recipe("steps", 1))]
    first, printed = go(runs, tmp_path, processes=2)
    assert {label: outcome.status for label, outcome in first.items()} == {run.label: "finished" for run in runs}
    assert "[2/2] " in printed
    assert lines(tmp_path, "pids.txt") == 2
    result = Store(tmp_path).result_data(key_of("steps", 2))
    assert result["scores"] == {"scienceqa": fake_runs.scored(2 / 7)}
    assert result["seed"] == 2
    assert result["mixture"] == dict.fromkeys(fake_runs.DOMAINS, 1 / 3)
    assert result["digests"] == fake_runs.digests("steps")
    assert first["steps 2"].seconds == pytest.approx(result["seconds"], abs=1e-3)
    assert "steps with seed 2" in (tmp_path / "runs" / key_of("steps", 2) / "log.txt").read_text()

    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    again, printed = go([*runs, *planned(("steps", 3))], tmp_path)
    assert [outcome.status for outcome in again.values()] == ["reused", "reused", "reused", "finished"]
    assert "2 of 3 runs are finished already" in printed
    assert lines(tmp_path, "pids.txt") == 3
    assert {path: path.stat().st_mtime_ns for path in stamps if path.name != "runs"} == {
        path: stamp for path, stamp in stamps.items() if path.name != "runs"
    }
    in_process, _ = go(runs, tmp_path / "inline")
    assert [outcome.status for outcome in in_process.values()] == ["finished"] * 3
    assert without_seconds(tmp_path / "inline").items() <= without_seconds(tmp_path).items()


@pytest.mark.parametrize("processes", [0, 2])
def test_further_runs_are_asked_for_as_there_is_room(tmp_path: Path, processes: int):
    left = planned(("steps", 2), ("raise", 3), ("steps", 1), ("steps", 4))
    told: list[list[str]] = []

    def more(ours):
        told.append(list(ours))
        return [left.pop(0)] if left else []

    outcomes = launch(
        planned(("steps", 1)),
        Store(tmp_path),
        digests=fake_runs.digests("steps", "raise"),
        run=fake_runs.act,
        workers=workers(processes),
        console=Console(file=io.StringIO()),
        more=more,
    )
    assert [one.label for one in outcomes] == ["steps 1", "steps 2", "raise 3", "steps 1", "steps 4"]
    assert [one.status for one in outcomes] == ["finished", "finished", "failed", "finished", "finished"]
    assert told[0] == ["steps 1"]
    assert told[-1] == ["steps 1", "steps 2", "raise 3", "steps 1", "steps 4"]
    assert len(told) < 12  # not again and again while others run


def test_failures_are_reported_with_their_log_and_the_others_finish(tmp_path: Path):
    runs = planned(("raise", 1), ("kill", 1), ("exit", 1), ("full", 1), ("steps", 1), ("steps", 2))
    outcomes, printed = go(runs, tmp_path, processes=2)
    assert [outcome.status for outcome in outcomes.values()] == ["failed"] * 4 + ["finished"] * 2
    expected = {"raise": "KeyError: ", "kill": "killed by SIGKILL (out of memory", "exit": "exit code 3"}
    for model, message in expected.items():
        outcome = outcomes[f"{model} 1"]
        log = tmp_path / "runs" / outcome.key / "log.txt"
        assert message in outcome.message
        assert str(log) in outcome.message
        assert outcome.message in printed or "\x1b" in outcome.message
        failure = Store(tmp_path).failure(outcome.key)
        assert failure is not None
        assert message in str(failure["message"])
    assert "\x1b" not in printed
    assert 'raise KeyError("no such' in outcomes["raise 1"].message
    assert "in fail\n" in str((Store(tmp_path).failure(outcomes["raise 1"].key) or {})["traceback"])
    assert "the last words of C code" in outcomes["kill 1"].message
    assert "result.json: File too large; free space" in outcomes["full 1"].message
    assert "failure.json is not written" in outcomes["full 1"].message
    assert not Store(tmp_path).finished(outcomes["full 1"].key)
    assert "[6/6] " in printed

    go(planned(("raise", 1)), tmp_path)
    kept = sorted(path.name for path in (tmp_path / "runs" / outcomes["raise 1"].key).glob("failure*"))
    assert kept == ["failure-1.json", "failure.json"]


def test_a_child_has_one_thread_and_the_launcher_keeps_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    go(planned(("steps", 1)), tmp_path, processes=1, run="fake_runs:environment")
    found = Store(tmp_path).result_data(key_of("steps", 1))
    assert (found["OMP_NUM_THREADS"], found["MKL_NUM_THREADS"]) == ("1", "1")
    assert found["TOKENIZERS_PARALLELISM"] == "false"
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def test_each_run_has_a_gpu_to_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 5")
    go(planned(("steps", 1), ("steps", 2)), tmp_path, processes=2, run="fake_runs:on_gpu")
    store = Store(tmp_path)
    assert {store.result_data(key_of("steps", seed))["gpu"] for seed in (1, 2)} == {"3", "5"}
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3, 5"


def test_no_gpu_is_visible_where_the_environment_hides_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpus() == ()


def test_results_are_the_same_after_kills_at_random_moments(tmp_path: Path):
    draw = random.Random(20250607)
    runs, steps = 4, 25
    for _ in range(2):
        before = lines(tmp_path, "steps.jsonl")
        process = launcher(tmp_path, "steps", runs=runs, steps=steps)
        goal = before + draw.randint(1, 45)
        until(partial(lambda goal: lines(tmp_path, "steps.jsonl") >= goal, goal))
        process.kill()
        process.communicate()
        until(lambda: claims(tmp_path) == 0, seconds=5)
    finished = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/result.json")}
    out, _ = launcher(tmp_path, "steps", runs=runs, steps=steps).communicate(timeout=20)
    assert sorted(json.loads(out).values()) == ["finished"] * (runs - len(finished)) + ["reused"] * len(finished)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in finished.items())
    undisturbed = [PlannedRun(str(seed), fake_runs.recipe("steps", seed, steps=steps)) for seed in range(runs)]
    go(undisturbed, tmp_path / "undisturbed")
    assert without_seconds(tmp_path) == without_seconds(tmp_path / "undisturbed")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_children_end_with_the_launcher(tmp_path: Path, number: int):
    process = launcher(tmp_path, "sleep", runs=3, steps=5)
    until(lambda: lines(tmp_path, "pids.txt") == 2)
    process.send_signal(number)
    process.communicate(timeout=10)
    until(lambda: claims(tmp_path) == 0, seconds=2)
    assert process.returncode == (143 if number == signal.SIGTERM else -number)
    assert lines(tmp_path, "pids.txt") == 2
    assert not list(tmp_path.glob("runs/*/failure*"))


def test_two_launchers_share_the_runs(tmp_path: Path):
    first = launcher(tmp_path, "steps", runs=6, steps=20)
    second = launcher(tmp_path, "steps", runs=6, steps=20)
    outcomes = [json.loads(process.communicate(timeout=20)[0]) for process in (first, second)]
    pids = [path.read_text().split() for path in tmp_path.glob("runs/*/pids.txt")]
    assert [len(found) for found in pids] == [1] * 6
    for label in outcomes[0]:
        statuses = {found[label] for found in outcomes}
        assert "finished" in statuses
        assert len(statuses & {"elsewhere", "reused"}) == 1


def test_a_launcher_takes_over_what_another_leaves(tmp_path: Path):
    first = launcher(tmp_path, "once", runs=1, steps=9)
    until(lambda: lines(tmp_path, "pids.txt") == 1)
    second = launcher(tmp_path, "once", runs=1, steps=9)
    assert second.stderr is not None
    assert "waiting for another launcher, which holds 1 of the runs" in second.stderr.readline()
    first.kill()
    first.communicate()
    out, _ = second.communicate(timeout=20)
    assert json.loads(out) == {"run 0": "finished"}
    assert lines(tmp_path, "pids.txt") == 2


def claimed_while(folder: Path, end: Callable[[str], None]) -> Run:
    """Return a run that, while it works, holds run 2 as another launcher would, and lets it go through `end`."""
    key = key_of("steps", 2)

    def work(recipe: Recipe, _: Path) -> dict[str, object]:
        if recipe.seed == 1:
            with Store(folder).claim(key):
                end(key)
        return {}

    return work


def test_what_another_launcher_did_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = Store(tmp_path)
    go(planned(("raise", 1)), tmp_path)
    work = claimed_while(tmp_path, lambda key: store.write_failure(key, "it broke there"))
    monkeypatch.setattr(fake_runs, "act", work)
    outcomes, _ = go(planned(("steps", 1), ("steps", 2), ("raise", 1)), tmp_path, run="fake_runs:act")
    assert [outcome.status for outcome in outcomes.values()] == ["finished", "failed", "finished"]
    assert "in another launcher: it broke there" in outcomes["steps 2"].message

    monkeypatch.setattr(
        fake_runs, "act", claimed_while(tmp_path / "b", lambda key: Store(tmp_path / "b").write_result(key, {}))
    )
    outcomes, printed = go(planned(("steps", 1), ("steps", 2)), tmp_path / "b", run="fake_runs:act")
    assert [outcome.status for outcome in outcomes.values()] == ["finished", "elsewhere"]
    assert "steps 2 was finished by another launcher" in printed


def test_a_damaged_result_stops_the_launch_before_any_run(tmp_path: Path):
    go(planned(("steps", 1)), tmp_path)
    path = tmp_path / "runs" / key_of("steps", 1) / "result.json"
    path.write_text(path.read_text()[:50])
    with pytest.raises(ModomodoError, match=r"result\.json is damaged .* delete it and run the study again"):
        go(planned(("steps", 2), ("steps", 1)), tmp_path)
    assert lines(tmp_path, "pids.txt") == 1
    path.unlink()
    assert go(planned(("steps", 1)), tmp_path)[0]["steps 1"].status == "finished"


def test_a_folder_that_cannot_be_written_stops_the_launch_before_any_run(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModomodoError, match=r"cannot write .*/file: .*--set out=FOLDER"):
        go(planned(("steps", 1)), tmp_path / "file")


def test_what_a_user_can_mend_is_said_once_and_without_a_traceback(tmp_path: Path):
    (outcome,) = launch(
        planned(("explained", 1)),
        Store(tmp_path),
        digests=fake_runs.digests("explained"),
        run="fake_runs:act",
        workers=Processes(1),
        console=Console(quiet=True),
    )
    assert outcome.status == "failed"
    assert outcome.message.startswith("the answer column is empty: fill it\n")
    assert outcome.message.count("fill it") == 1
    assert "Traceback" not in outcome.message
    assert "Traceback" not in (Store(tmp_path).path(outcome.key) / "log.txt").read_text()


def test_a_run_folder_that_cannot_be_written_fails_alone(tmp_path: Path):
    (tmp_path / "runs" / key_of("steps", 1) / "lock").mkdir(parents=True)
    outcomes, _ = go(planned(("steps", 1), ("steps", 2)), tmp_path)
    assert [outcome.status for outcome in outcomes.values()] == ["failed", "finished"]
    assert f"cannot write {tmp_path / 'runs' / key_of('steps', 1)}" in outcomes["steps 1"].message


def test_a_run_may_not_return_what_the_store_writes(tmp_path: Path):
    outcomes, _ = go(planned(("steps", 1)), tmp_path, run="fake_runs:taken")
    assert "fake_runs:taken returned key" in outcomes["steps 1"].message


@pytest.mark.parametrize("run", ["fake_runs", "fake_runs:no.such", lambda recipe, folder: {}])
def test_a_run_function_must_be_importable(tmp_path: Path, run: Run | str):
    with pytest.raises(ModomodoError, match="a fresh process cannot import"):
        go(planned(("steps", 1)), tmp_path, run=run)


def test_processes_are_counted():
    with pytest.raises(ModomodoError, match="processes is -1"):
        Processes(-1)
