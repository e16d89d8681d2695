"""Kill -9 an online run at ten random moments: its weights, rows and model are those of an undisturbed one."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

FILES = ("mixture.jsonl", "schedule.csv", "samples.jsonl", "items/charts.jsonl", "model/model.safetensors")
KILLS = 10
SETS = [
    'mixture={rule="dump", block=2}',
    "steps=16",
    "prompts_per_step=4",
    "num_generations=4",
    "learning_rate=5e-5",
    "max_completion_length=24",
    "save_every=2",
    "evaluation.items=16",
    'evaluation.benchmarks=["charts"]',
]


def command(out: Path) -> list[str]:
    recipe = Path(__file__).parents[2] / "src/modomodo/models/nano/control/recipe.toml"
    sets = [word for item in SETS for word in ("--set", item)]
    return [sys.executable, "-m", "modomodo", "train", str(recipe), "--out", str(out), *sets]


def run_of(out: Path) -> Path:
    (folder,) = (out / "runs").iterdir()
    return folder


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_is_that_of_an_undisturbed_one(tmp_path: Path):
    calm, stormy = tmp_path / "calm", tmp_path / "stormy"
    began = time.monotonic()
    subprocess.run(command(calm), check=True, capture_output=True)
    whole = time.monotonic() - began
    rng, kills = random.Random(0), 0
    while kills < KILLS:
        process = subprocess.Popen(
            command(stormy), start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(rng.uniform(0.2, 0.7) * whole)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
            time.sleep(1)  # the run of a killed launcher ends by itself
            continue
        # Finished between two kills: begin anew, since what is finished is not carried out again.
        stormy = tmp_path / f"stormy-{kills}"
    subprocess.run(command(stormy), check=True, capture_output=True)
    for name in FILES:
        assert (run_of(stormy) / name).read_bytes() == (run_of(calm) / name).read_bytes(), name
    assert "resuming from" in (run_of(stormy) / "log.txt").read_text()
