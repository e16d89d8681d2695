"""Trackers get the same names from both engines, every step once, and never cost a run."""

import json
import sys
from dataclasses import asdict

import numpy as np
import pytest
from trackers import Server, as_float32, events, scalars_of_wandb

from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.toml import parse
from modomodo.training import trackers
from modomodo.training.step_log import DomainStep, Step
from modomodo.training.trackers import (
    check_tracker,
    history,
    open_tracker,
    run_name,
    score_values,
    step_values,
    trainer_values,
)

TABLE = {
    "domains": ["spatial", "science"],
    "mixture": {"spatial": 0.75, "science": 0.25},
    "steps": 3,
    "prompts_per_step": 2,
    "num_generations": 2,
    "max_completion_length": 6,
    "save_every": 1,
    "evaluation": {"benchmarks": ["charts"], "items": 4, "at": [1]},
}
DOMAIN = DomainStep(
    prompts=2,
    completions=4,
    tokens=24,
    reward=0.5,
    accuracy=0.1,
    format=0.25,
    unparsed=0.0,
    ungradable=0,
    zero_advantage=1.0,
)
STEP = Step(1, 1.5, {"spatial": 0.75, "science": 0.25}, {"spatial": DOMAIN})
BY_DOMAIN = {"reward", "format", "zero_advantage", "prompts", "tokens"}


def recipe(**changes) -> Recipe:
    return parse(Recipe, {**TABLE, **changes}, where="test")


def lines(folder, name):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def killed_and_resumed(one: Recipe, folder, patch: pytest.MonkeyPatch) -> dict:
    """Return the result of a run whose process ended after step 2 was logged and before its checkpoint."""
    from modomodo.runs.run import run_recipe
    from modomodo.training import trl

    original = trl.StepLog.on_step_end

    def dies(self, args, state, control, **options):
        original(self, args, state, control, **options)
        if state.global_step == 2:
            raise KeyboardInterrupt

    with patch.context() as until:
        until.setattr(trl.StepLog, "on_step_end", dies)
        with pytest.raises(KeyboardInterrupt):
            run_recipe(one, folder)
    return run_recipe(one, folder)


def expected(folder, result) -> dict[str, dict[int, float]]:
    """Return name -> step -> value, from the run's files."""
    found: dict[str, dict[int, float]] = {}
    for line in lines(folder, "steps.jsonl"):
        for name, step in line["domains"].items():
            for key in BY_DOMAIN:
                found.setdefault(f"{key}/{name}", {})[line["step"]] = step[key]
        for name, share in line["requested"].items():
            found.setdefault(f"requested/{name}", {})[line["step"]] = share
        found.setdefault("seconds", {})[line["step"]] = line["seconds"]
    for line in lines(folder, "trainer.jsonl"):
        for name in set(line) - {"step"}:
            found.setdefault(f"trainer/{name}", {})[line["step"]] = line[name]
    found["score/charts"] = {1: result["earlier"]["1"]["charts"]["mean"], 3: result["scores"]["charts"]["mean"]}
    return found


@pytest.fixture
def server(monkeypatch) -> Server:
    for name in ("WANDB_PROJECT", "TRACKIO_PROJECT", *trackers.ELSEWHERE):
        monkeypatch.delenv(name, raising=False)
    made = Server()
    monkeypatch.setitem(sys.modules, "wandb", made.wandb())
    loaded = sys.modules.get("trl.trainer.base_trainer")
    if loaded is not None:  # where another test imported it, it did so without a wandb
        monkeypatch.setattr(loaded, "wandb", sys.modules["wandb"], raising=False)
    return made


@pytest.fixture
def trackio(server, monkeypatch):
    """Only where nothing is trained: TRL looks into a trackio that it finds."""
    monkeypatch.setitem(sys.modules, "trackio", server.trackio())


def test_the_names_are_those_of_the_documentation():
    assert step_values(STEP) == {
        "seconds": 1.5,
        "requested/spatial": 0.75,
        "requested/science": 0.25,
        "reward/spatial": 0.5,
        "format/spatial": 0.25,
        "zero_advantage/spatial": 1.0,
        "prompts/spatial": 2,
        "tokens/spatial": 24,
    }
    logged = {"step": 1, "loss": 0.5, "rewards/format/mean": 1, "note": "text", "done": True, "nothing": None}
    assert trainer_values(logged) == {"trainer/loss": 0.5, "trainer/rewards/format/mean": 1}
    assert score_values({"charts": {"mean": 0.25, "se": 0.1, "n": 4}}) == {"score/charts": 0.25}


def test_a_run_is_called_by_its_mixture_and_seed():
    assert run_name(recipe(seed=7)) == "spatial=0.75, science=0.25 seed 7"
    assert run_name(recipe(mixture="single:spatial")) == "single:spatial seed 0"


def test_a_killed_run_has_each_step_once_in_wandb(server, random_model, tmp_path, monkeypatch):
    folder = tmp_path / "key"
    one = recipe(model=str(random_model), tracker="wandb")
    result = killed_and_resumed(one, folder, monkeypatch)
    assert server.ended == [1, 0], "the attempt that was killed failed, the other did not"
    first, again = server.asked
    assert first == again
    assert (first["project"], first["id"], first["dir"], first["resume"]) == ("modomodo", "key", str(folder), "allow")
    assert first["name"] == "spatial=0.75, science=0.25 seed 0"
    assert parse(Recipe, first["config"], where="wandb") == one
    found, files = server.values("key"), expected(folder, result)
    # The server keeps step 2 of the first attempt, whose own trainer had not logged it.
    assert set(found) == set(files)
    for name, steps in files.items():
        gone = {2} if name.startswith("trainer/") else set()
        assert set(found[name]) == set(steps) - gone, name
        same = {step: value for step, value in steps.items() if step not in gone and name != "seconds"}
        assert same.items() <= found[name].items(), name
    assert server.summary == {"score/charts": result["scores"]["charts"]["mean"]}


def test_a_killed_run_has_each_step_once_in_tensorboard(random_model, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    result = killed_and_resumed(recipe(model=str(random_model), tracker="tensorboard"), tmp_path, monkeypatch)
    assert len(list((tmp_path / "tensorboard").iterdir())) == 2
    assert events(tmp_path) == as_float32(expected(tmp_path, result))


def write_run(folder, *, steps: int) -> None:
    """Write the files of a run that came so far, one whose scores of step 2 are those of a killed attempt."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, line in (("steps", asdict(STEP)), ("trainer", {"loss": 0.5})):
        text = [json.dumps({**line, "step": step}) + "\n" for step in range(1, steps + 1)]
        (folder / f"{name}.jsonl").write_text("".join(text))
    for step in (1, 2):
        (folder / f"scores-{step}.json").write_text(json.dumps({"charts": {"mean": step / 10}}))


def test_a_run_that_goes_on_elsewhere_is_told_whole(tmp_path):
    write_run(tmp_path, steps=2)
    found = history(tmp_path, until=2)
    assert list(found) == [1, 2]
    assert found[1] == {**step_values(STEP), "trainer/loss": 0.5, "score/charts": 0.1}
    assert "score/charts" not in found[2]


def test_without_a_tracker_nothing_is_written(tmp_path):
    tracker = open_tracker(recipe(), tmp_path)
    tracker.log(1, {"seconds": 1.0})
    tracker.close()
    assert list(tmp_path.iterdir()) == []


def resumed_twice(tracker: str, folder) -> dict[str, dict[int, float]]:
    """Track a run that is killed before the trainer logs step 2, and then after it is trained; return what is there."""
    one = recipe(tracker=tracker)
    for steps in (1, 2):
        write_run(folder, steps=steps)
        followed = open_tracker(one, folder)
        followed.log(steps, step_values(STEP))
        followed.close()
    followed = open_tracker(one, folder)
    followed.log(2, {"score/charts": 0.4})
    followed.close()
    found = {name: {1: value, 2: value} for name, value in {**step_values(STEP), "trainer/loss": 0.5}.items()}
    return {**found, "score/charts": {1: 0.1, 2: 0.4}}


def test_trackio_is_told_whole_and_each_step_once(server, trackio, tmp_path):
    found = resumed_twice("trackio", tmp_path / "key")
    (name,) = server.runs
    assert name == "spatial=0.75, science=0.25 seed 0 key"
    assert server.values(name) == found
    assert {(one["project"], one["embed"]) for one in server.asked} == {("modomodo", False)}


def test_projects_are_named_by_the_environment(server, trackio, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    monkeypatch.setenv("TRACKIO_PROJECT", "yours")
    for name in ("wandb", "trackio"):
        open_tracker(recipe(tracker=name), tmp_path).log(1, {"seconds": 1.0})
    assert [one["project"] for one in server.asked] == ["mine", "yours"]


def test_a_tracker_that_ends_the_process_or_draws_numbers_changes_nothing(tmp_path, monkeypatch, capsys):
    import random

    class Rude:
        def log(self, step, values):
            random.seed(1)
            np.random.seed(1)
            if step == 2:
                raise SystemExit(9)

        def close(self, *, failed):
            closed.append(not failed)

    closed = []
    monkeypatch.setitem(trackers.OPENERS, "wandb", lambda recipe, folder: Rude())
    tracker = open_tracker(recipe(tracker="wandb"), tmp_path)
    before = random.getstate(), np.random.get_state()[1].tolist()
    for step in (1, 2, 3):
        tracker.log(step, {"seconds": 1.0})
    tracker.close()
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
    assert closed == [True]
    assert capsys.readouterr().out.count("switched off (SystemExit: 9)") == 1


def test_sigterm_ends_the_process_also_while_a_tracker_works(tmp_path, monkeypatch):
    def opened(recipe, folder):
        raise SystemExit(143)

    monkeypatch.setitem(trackers.OPENERS, "wandb", opened)
    with pytest.raises(SystemExit):
        open_tracker(recipe(tracker="wandb"), tmp_path).log(1, {"seconds": 1.0})


def test_a_tracker_that_hangs_in_the_end_does_not_keep_the_result(tmp_path, monkeypatch, capsys):
    import threading

    class Stuck:
        def log(self, step, values):
            pass

        def close(self, *, failed):
            never.wait(30)

    never = threading.Event()
    monkeypatch.setattr(trackers, "CLOSE_SECONDS", 0.05)
    monkeypatch.setitem(trackers.OPENERS, "wandb", lambda recipe, folder: Stuck())
    tracker = open_tracker(recipe(tracker="wandb"), tmp_path)
    tracker.log(1, {"seconds": 1.0})
    tracker.close()
    never.set()
    assert "tracker wandb has not ended in 0.05 s: it is left alone" in capsys.readouterr().out


@pytest.mark.parametrize("where", ["init", "log"])
def test_a_tracker_that_fails_is_said_once_and_costs_no_run(server, random_model, tmp_path, capsys, where):
    from modomodo.runs.run import run_recipe

    server.refuses = where
    result = run_recipe(recipe(model=str(random_model), tracker="wandb", steps=2), tmp_path)
    assert (result["steps"], set(result["scores"])) == (2, {"charts"})
    said = [line for line in capsys.readouterr().out.splitlines() if "tracker" in line]
    assert said == [
        "tracker wandb is switched off (OSError: No space left on device): the run goes on without it",
    ]


def test_a_tracker_that_is_not_installed_is_found_before_the_run(tmp_path, monkeypatch):
    from modomodo.runs import run

    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    monkeypatch.setattr(run, "make_schedule", lambda *_: pytest.fail("the run began"))
    with pytest.raises(ModomodoError) as error:
        run.run_recipe(recipe(tracker="wandb"), tmp_path / "run")
    assert str(error.value) == "tracker is 'wandb', but wandb is not installed: pip install wandb"
    check_tracker("none")


def test_the_folder_that_wandb_leaves_is_not_taken_for_the_package(tmp_path, monkeypatch):
    (tmp_path / "wandb").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    with pytest.raises(ModomodoError, match="wandb is not installed"):
        check_tracker("wandb")


def test_trackio_stays_on_this_machine(trackio, monkeypatch):
    check_tracker("trackio")
    monkeypatch.setenv("TRACKIO_SPACE_ID", "me/space")
    with pytest.raises(ModomodoError, match="TRACKIO_SPACE_ID is set: unset it"):
        check_tracker("trackio")


def test_check_says_what_is_missing(monkeypatch):
    from modomodo.study import preflight

    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    problems = preflight.check_recipe(recipe(tracker="trackio"), say=lambda what: None)
    (found,) = [one for one in problems if one.where == "tracker"]
    assert found.level == "error"
    assert "pip install trackio" in found.what


def test_the_key_of_a_run_does_not_depend_on_its_tracker():
    from modomodo.runs.store import digest_names, run_key

    digests = dict.fromkeys(digest_names(recipe()), "0")
    assert run_key(recipe(tracker="wandb"), digests) == run_key(recipe(), digests)


def test_tensorboard_is_told_whole_where_its_files_were_lost(tmp_path):
    """As of a run that another node goes on with."""
    pytest.importorskip("tensorboard")
    found = resumed_twice("tensorboard", tmp_path)
    assert events(tmp_path) == as_float32(found)
    first, second, _ = sorted((tmp_path / "tensorboard").iterdir())
    first.unlink()
    second.unlink()
    assert events(tmp_path) == as_float32(found)


def test_wandb_itself_offline(random_model, tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    from modomodo.runs.run import run_recipe

    monkeypatch.setenv("WANDB_MODE", "offline")
    folder = tmp_path / "key"
    result = run_recipe(recipe(model=str(random_model), tracker="wandb"), folder)
    (file,) = (folder / "wandb").glob("offline-run-*-key/run-key.wandb")
    assert scalars_of_wandb(file) == expected(folder, result)


def test_trackio_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "database"))
    trackio = pytest.importorskip("trackio")
    from trackio.sqlite_storage import SQLiteStorage

    monkeypatch.setenv("TRACKIO_PROJECT", f"test-{tmp_path.parent.name}-{tmp_path.name}")
    expects = resumed_twice("trackio", tmp_path / "key")
    project = f"test-{tmp_path.parent.name}-{tmp_path.name}"
    (run,) = trackio.Api().runs(project)
    found: dict[str, dict[int, float]] = {}
    for row in SQLiteStorage.get_logs(project, run.name):
        for name in set(row) - {"step", "timestamp"}:
            assert row["step"] not in found.setdefault(name, {})
            found[name][row["step"]] = row[name]
    assert found == expects
