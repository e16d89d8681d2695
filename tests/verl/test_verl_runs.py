"""Runs of the engine verl from end to end on a CPU: Ray, FSDP over gloo, verl's trainer, rewards, dumps, checkpoints.

Sampling is by transformers (transformers_rollout.py), all else is verl's own. One cluster serves all tests.
"""

import os
import random
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cluster
import plain_grpo
import plain_updates
import psutil
import pytest
import small_qwen
from verl_runs import check_files, rewards, started, until, write_recipe

from modomodo.core.schedules import read_schedule

pytest.importorskip("verl.trainer", reason="verl has an environment of its own: make test-verl")
SMALL = {"prompts_per_step": 4, "num_generations": 4, "steps": 12, "save_every": 2}


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with started(gpus=2, variables=cluster.variables()) as found:
        yield found


@pytest.fixture(scope="session")
def model(request) -> Path:
    """A small Qwen2-VL that RL can better; made once for each checkout."""
    folder = Path(request.config.cache.mkdir("small_qwen"))
    return folder if (folder / "processor_config.json").exists() else small_qwen.save(folder)


def test_rewards_rise_over_thirty_steps_and_the_run_leaves_what_one_of_trl_leaves(address, model, tmp_path: Path):
    evaluation = {"benchmarks": ["charts"], "items": 16}
    sizes = {"prompts_per_step": 8, "num_generations": 8, "steps": 30, "save_every": 10}
    run = cluster.make_run(tmp_path, model, address, evaluation=evaluation, **sizes)
    run.finish()
    check_files(run, steps=30, prompts=8, generations=8)
    assert len((run.path / "items" / "charts.jsonl").read_text().splitlines()) == 16
    means = rewards(run)
    assert statistics.mean(means[-10:]) > means[0] + 0.3, means  # from 0.8 to 1.6, most of it in five steps
    # The sampler has the weights of the trainer after each update: else its probabilities would drift away.
    drift = run.numbers("training/rollout_probs_diff_mean")
    assert max(drift) < 1e-3, drift


def test_its_updates_are_those_of_plain_grpo_on_the_completions_that_it_sampled(address, model, tmp_path: Path):
    from modomodo.models.load import load_model

    sizes = {"prompts_per_step": 8, "num_generations": 8, "steps": 3, "save_every": 3}
    run = cluster.make_run(tmp_path, model, address, **sizes)
    run.finish()
    plain, begun, norms = plain_updates.updated(run)
    assert run.numbers("actor/grad_norm") == pytest.approx(norms, rel=1e-3)
    trained = load_model(str(run.path / "model"), precision="float32", freeze_vision=False)
    assert plain_grpo.apart(trained.state_dict(), plain.state_dict(), begun=begun) < 0.01


def test_a_run_on_two_gpus_that_is_killed_three_times_ends_as_if_it_had_not_been(address, model, tmp_path: Path):
    run = cluster.make_run(tmp_path, model, address, gpus=2, **SMALL)
    rng = random.Random(0)
    for after in (1, 4, 7):
        run.kill(after + rng.randrange(2), rng)
    run.finish()
    check_files(run, steps=12, prompts=4, generations=4)


def test_a_study_of_four_pilots_ends_in_a_recommendation(address, model, tmp_path: Path):
    sizes = {**SMALL, "prompts_per_step": 6, "steps": 3}  # six prompts are shared by two domains or by three
    run = cluster.make_run(tmp_path, model, address, **sizes)
    table = {
        "name": "four",
        "recipe": run.recipe.name,
        "out": str(tmp_path / "study"),
        "benchmarks": ["charts", "maths"],
        "items": 16,
        "budget": 4,
    }
    study = write_recipe(tmp_path / "study.toml", {**table, "design": "space-filling", "replicate_share": 0})
    for verb in ("pilot", "recommend"):
        command = [sys.executable, "-m", "modomodo", verb, str(study)]
        said = subprocess.run(command, env=run.variables, capture_output=True, text=True)
        assert said.returncode == 0, said.stdout + said.stderr
    assert sum(path.name == "result.json" for path in (tmp_path / "study").rglob("*")) == 5  # and the base model's
    assert "spatial" in said.stdout


def test_an_ungradable_row_and_a_dead_reward_process(address, model, tmp_path: Path):
    """The row is kept and said, and its group counts; the process's death ends the run, which then goes on."""
    sizes = {**SMALL, "prompts_per_step": 8, "steps": 6, "domains": ["touchy"]}  # 48 of its 64 rows
    run = cluster.make_run(tmp_path, model, address, **sizes)
    process = run.start()
    until(lambda: run.dumped() >= 2, 900, process)
    for one in psutil.process_iter(["cmdline"]):
        if "RewardLoopWorker" in " ".join(one.info["cmdline"] or ()):
            os.kill(one.pid, signal.SIGKILL)
    assert process.wait(600) == 2
    assert "completions were lost" in run.said()
    run.finish()
    check_files(run, steps=6, prompts=8, generations=4)
    row = [entry[1] for entry in read_schedule(run.path / "schedule.csv").entries].count("spatial-train-00003")
    kept = run.lines("ungradable.jsonl") if row else []
    assert len(kept) >= 4 * row
    assert sum(line["domains"]["touchy"]["ungradable"] for line in run.lines("steps.jsonl")) == 4 * row


def test_a_verifier_that_always_fails_ends_the_run_in_its_own_words(address, model, tmp_path: Path):
    sizes = {"prompts_per_step": 16, "num_generations": 16, "steps": 2, "domains": ["broken"]}
    run = cluster.make_run(tmp_path, model, address, **sizes)
    assert run.start().wait() == 2
    assert "verdicts are ungradable (limit 1 %): its gold or its verifier is broken" in run.said()
    assert "verifier fell over" in run.lines("ungradable.jsonl")[0]["reason"]


@pytest.mark.skipif(os.getuid() != 0, reason="mounts a small disk")
def test_a_full_disk_ends_the_run_in_clear_words_and_loses_nothing(address, model, tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no right to mount a disk here")
    try:
        run = cluster.make_run(tmp_path / "recipe", model, address, out=disk, **{**SMALL, "steps": 6})
        assert run.start().wait() == 2
        assert "free space and run again" in run.said()
        # What was dumped is looked at every ten seconds, so the log may not have begun; it is made good when run again.
        logged = run.lines("steps.jsonl") if (run.path / "steps.jsonl").exists() else []
        done = [line["step"] for line in logged]
        assert done == list(range(1, len(done) + 1))
        assert len(done) < 6  # within the run, not at its last file
        subprocess.run(["mount", "-o", "remount,size=400m", str(disk)], check=True)
        run.finish()
        check_files(run, steps=6, prompts=4, generations=4)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
