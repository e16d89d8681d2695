"""Runs whose mixture moves, on an untrained model: block by block, and the same after a kill."""

import json
import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from modomodo.config.recipe import Recipe
from modomodo.core.rows import Verdict
from modomodo.core.schedules import read_schedule
from modomodo.core.toml import parse
from modomodo.mixing.online import RULES
from modomodo.training.online import MIXTURES, read_mixtures, seen_of
from modomodo.training.step_log import count_steps, read_steps

DOMAINS = ["spatial", "science", "refer"]
TABLE = {
    "domains": DOMAINS,
    "mixture": {"rule": "sec", "block": 2, "temperature": 0.3},
    "steps": 6,
    "prompts_per_step": 4,
    "num_generations": 2,
    "learning_rate": 1e-3,
    "max_completion_length": 6,
    "save_every": 1,
    "evaluation": {"benchmarks": ["charts"], "items": 6},
}


def recipe(random_model, **changes) -> Recipe:
    return parse(Recipe, {**TABLE, "model": str(random_model), **changes}, where="test")


@pytest.fixture(scope="module", autouse=True)
def something_to_learn():
    with rewarded():
        yield


@contextmanager
def rewarded() -> Iterator[None]:
    """Any reply earns something by its letters, in one domain always the same."""
    from modomodo.data.registry import DOMAINS as KNOWN

    def verify(row, reply, view):
        return Verdict.partial(0.5 if row.domain == "refer" else len(reply) % 7 / 6, reply)

    with pytest.MonkeyPatch.context() as patch:
        for name in DOMAINS:
            patch.setitem(KNOWN, name, replace(KNOWN[name], verify=verify))
        yield


@pytest.fixture(scope="module")
def finished(random_model, tmp_path_factory):
    from modomodo.runs.run import run_recipe

    folder = tmp_path_factory.mktemp("finished")
    return folder, run_recipe(recipe(random_model), folder)


def mixtures(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / MIXTURES).read_text().splitlines()]


def test_each_block_is_drawn_at_the_weights_of_the_log_before_it(finished, random_model):
    folder, result = finished
    lines, steps = mixtures(folder), read_steps(folder)
    assert [(line["step"], line["first"], line["last"]) for line in lines] == [(0, 1, 2), (2, 3, 4), (4, 5, 6)]
    policy = recipe(random_model).mixture
    for line in lines:
        assert line["asked"] == policy.weights([seen_of(step) for step in steps[: line["step"]]])
        assert line["rule"] == "sec"
    assert lines[0]["asked"] == pytest.approx(dict.fromkeys(DOMAINS, 1 / 3))
    assert lines[0]["seen"] == {}
    assert lines[2]["asked"]["refer"] < 0.25  # its completions all earn the same
    assert lines[2]["seen"]["refer"]["zero_advantage"] == 1
    plan = read_schedule(folder / "schedule.csv")
    assert plan.steps == 6
    for line in lines:
        drawn = Counter(name for step in range(line["first"], line["last"] + 1) for name, _ in plan.step(step - 1))
        assert all(abs(drawn[name] - 8 * share) < 1 for name, share in line["weights"].items())
    for step in steps:
        assert {name: done.prompts for name, done in step.domains.items()} == Counter(
            name for name, _ in plan.step(step.step - 1)
        )
        assert step.requested == lines[(step.step - 1) // 2]["weights"]
    assert result["requested"] == pytest.approx(
        {name: sum(line["weights"][name] for line in lines) / 3 for name in DOMAINS}
    )
    assert read_mixtures(folder) == [(line["first"], line["weights"]) for line in lines]


def killed_at(step, wanted, folder, monkeypatch):
    from modomodo.runs.run import run_recipe
    from modomodo.training import trl

    original = trl.StepLog.on_step_end

    def on_step_end(self, args, state, control, **options):
        original(self, args, state, control, **options)
        if state.global_step == step:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trl.StepLog, "on_step_end", on_step_end)
        with pytest.raises(KeyboardInterrupt):
            run_recipe(wanted, folder)


FILES = (MIXTURES, "schedule.csv", "samples.jsonl", "items/charts.jsonl", "model/model.safetensors")


@pytest.mark.parametrize(
    ("step", "lost"),
    [(2, "whole"), (3, "cut"), (5, "whole"), (5, "all"), (4, "last")],
    ids=lambda value: str(value),
)
def test_a_killed_run_has_the_weights_rows_and_model_of_an_undisturbed_one(
    step, lost, finished, random_model, tmp_path, monkeypatch
):
    from modomodo.runs.run import run_recipe

    killed_at(step, recipe(random_model), tmp_path, monkeypatch)
    path = tmp_path / MIXTURES
    text = path.read_text()
    damage = {
        "whole": text,
        "cut": text + '{"step": 4, "fir',
        "all": "",
        "last": "\n".join(text.splitlines()[:-1]) + "\n",
    }
    path.write_text(damage[lost])
    run_recipe(recipe(random_model), tmp_path)
    same(tmp_path, finished[0])


def test_weights_are_read_back_and_not_made_again(finished, random_model, tmp_path, monkeypatch):
    from modomodo.runs.run import run_recipe

    wanted = recipe(random_model)
    killed_at(4, wanted, tmp_path, monkeypatch)
    calls = []

    def other(start, log, **settings):
        calls.append(len(log))
        return RULES["solved"](start, log)

    monkeypatch.setattr("modomodo.config.policies.find_rule", lambda name: other)
    run_recipe(wanted, tmp_path)
    assert mixtures(tmp_path)[:2] == mixtures(finished[0])[:2]
    assert calls == [4]


def test_constant_weights_train_as_rows_in_blocks_do(random_model, tmp_path, monkeypatch):
    """The data loader's own way leads to the same model: what is late is only which rows a step has."""
    from modomodo.runs.run import run_recipe

    start = {"spatial": 0.5, "science": 0.25, "refer": 0.25}
    moved = recipe(random_model, mixture={"rule": "solved", "start": start, "block": 2})
    monkeypatch.setattr("modomodo.config.policies.find_rule", lambda name: lambda start, log, **settings: start)
    run_recipe(moved, tmp_path / "moved")
    run_recipe(recipe(random_model, mixture=start), tmp_path / "fixed")
    for name in ("schedule.csv", "samples.jsonl", "model/model.safetensors"):
        assert (tmp_path / "moved" / name).read_bytes() == (tmp_path / "fixed" / name).read_bytes(), name


def test_a_piecewise_mixture_is_asked_for_part_by_part(random_model, tmp_path):
    from modomodo.runs.run import run_recipe

    parts = [{"until": 0.5, "mixture": "single:spatial"}, {"mixture": {"science": 0.5, "refer": 0.5}}]
    result = run_recipe(recipe(random_model, mixture=parts), tmp_path)
    steps = read_steps(tmp_path)
    assert [set(step.domains) for step in steps[:3]] == [{"spatial"}] * 3
    assert [step.requested for step in steps] == [{"spatial": 1.0}] * 3 + [{"science": 0.5, "refer": 0.5}] * 3
    assert result["requested"] == {"spatial": 0.5, "science": 0.25, "refer": 0.25}
    assert [(line["first"], line["last"]) for line in mixtures(tmp_path)] == [(1, 3), (4, 6)]
    assert [first for first, _ in read_mixtures(tmp_path)] == [1, 4]


def test_accumulated_passes_have_the_rows_of_their_step(random_model, tmp_path):
    from modomodo.runs.run import run_recipe

    run_recipe(recipe(random_model, completions_per_pass=2, steps=4), tmp_path)
    plan = read_schedule(tmp_path / "schedule.csv")
    for step in read_steps(tmp_path):
        assert {name: done.prompts for name, done in step.domains.items()} == Counter(
            name for name, _ in plan.step(step.step - 1)
        )


def killed_after(seconds: float, wanted: Recipe, folder: Path, *, steps: int = 0) -> bool:
    """Carry out a run in a process of its own, and kill -9 it so many seconds after it has reached a step.

    Return whether it was killed.
    """
    # Not forked from here: this process has threads by now, and their locks would be held for ever in a child.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["modomodo.training.trl"])
    child = context.Process(target=carry_out, args=(wanted, folder))
    child.start()
    ends = None
    while ends is None or time.monotonic() < ends:
        # The machine may be busy: a clock alone would kill every attempt before its first step.
        if ends is None and steps_done(folder) >= steps:
            ends = time.monotonic() + seconds
        child.join(0.01)
        if child.exitcode is not None:
            assert child.exitcode == 0
            return False
    child.kill()
    child.join()
    return True


def carry_out(wanted: Recipe, folder: Path) -> None:
    from modomodo.runs.run import run_recipe

    with rewarded():
        run_recipe(wanted, folder)


def steps_done(folder: Path) -> int:
    return count_steps(folder) if (folder / "steps.jsonl").exists() else 0


@pytest.mark.slow
def test_ten_kills_at_random_moments_leave_no_trace(finished, random_model, tmp_path):
    wanted, rng, folder, kills = recipe(random_model), random.Random(0), tmp_path / "0", 0
    began = time.monotonic()
    assert not killed_after(3600, wanted, tmp_path / "timed")
    whole = time.monotonic() - began
    reached = []
    while kills < 10:
        # At once, or within or soon after the next steps: the start of a run is what most kills would hit by the clock.
        steps = min(steps_done(folder) + rng.randrange(3), wanted.steps)
        if killed_after(rng.uniform(0, 0.05) * whole, wanted, folder, steps=steps):
            kills += 1
            reached.append(steps_done(folder))
        if steps_done(folder) == wanted.steps:
            assert not killed_after(3600, wanted, folder)
            same(folder, finished[0])
            folder = tmp_path / str(kills)
    assert not killed_after(3600, wanted, folder)
    same(folder, finished[0])
    assert len(set(reached)) > 2, reached  # the moments differed


def same(folder: Path, other: Path) -> None:
    for name in FILES:
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name
