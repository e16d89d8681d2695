# pyright: basic
"""Runs of the engine verl on a Ray cluster started here: what tests/verl and gpu_verl.py share."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

Variables = Mapping[str, str]


@contextmanager
def started(*, gpus: int, variables: Variables) -> Iterator[str]:
    """Start a cluster of one node with that many GPUs, real or made up, and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="ray"))  # Ray's sockets want a short path
    options = ["--head", "--block", "--node-ip-address=127.0.0.1", f"--port={port}", f"--temp-dir={folder}"]
    sizes = [f"--num-gpus={gpus}", "--num-cpus=12", "--object-store-memory=200000000", "--include-dashboard=false"]
    with (folder / "said.txt").open("w") as log:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *options, *sizes]
        process = subprocess.Popen(command, env=variables, stdout=log, stderr=log, start_new_session=True)
    try:
        assert until(lambda: "Ray runtime started" in (folder / "said.txt").read_text(), 600, process)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def until(holds: Callable[[], bool], seconds: float, process: subprocess.Popen) -> bool:
    """Wait until something holds; return False where the process ended before."""
    end = time.monotonic() + seconds
    while not holds():
        if process.poll() is not None:
            return False
        assert time.monotonic() < end, f"waited {seconds} s"
        time.sleep(0.05)
    return True


@dataclass(frozen=True)
class Run:
    """One run of `modomodo train RECIPE` into a folder, as often as it takes; what it says goes beside the recipe."""

    folder: Path
    recipe: Path
    variables: Variables

    def start(self) -> subprocess.Popen:
        command = [sys.executable, "-m", "modomodo", "train", str(self.recipe), "--out", str(self.folder)]
        with (self.recipe.parent / "said.txt").open("a") as log:
            return subprocess.Popen(command, env=self.variables, stdout=log, stderr=log, start_new_session=True)

    def finish(self) -> None:
        code = self.start().wait()
        assert code == 0, self.said() + self.log()[-5000:]

    def kill(self, after: int, rng: random.Random) -> None:
        """Start it, and kill it without a word at a random moment after a step."""
        process = self.start()
        if until(lambda: self.dumped() >= after, 3600, process):
            time.sleep(rng.random() * 4)
            os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, self.said() + self.log()[-5000:]

    @property
    def path(self) -> Path:
        (found,) = (self.folder / "runs").iterdir()
        return found

    def said(self) -> str:
        return (self.recipe.parent / "said.txt").read_text()

    def log(self) -> str:
        return (self.path / "log.txt").read_text()

    def lines(self, name: str) -> list[dict]:
        return [json.loads(line) for line in (self.path / name).read_text().splitlines()]

    def dumped(self) -> int:
        """Return the last step that verl dumped."""
        return max((int(path.stem) for path in self.folder.glob("runs/*/verl/rollouts/*.jsonl")), default=0)

    def numbers(self, name: str) -> list[float]:
        """Return one of verl's own numbers of each step."""
        return [line[name] for line in self.lines("trainer.jsonl")]


def write_recipe(path: Path, table: Mapping[str, object]) -> Path:
    """Write a recipe with tables of plain values as TOML."""
    tables = {name: value for name, value in table.items() if isinstance(value, Mapping)}
    lines = [f"{name} = {json.dumps(value)}" for name, value in table.items() if name not in tables]
    for name, section in tables.items():
        lines += [f"[{name}]", *(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in section.items())]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def check_files(run: Run, *, steps: int, prompts: int, generations: int) -> None:
    """Assert that a run has what one of TRL has, each step once, with the rows of its schedule in their order."""
    table = pd.read_csv(run.path / "schedule.csv")
    entries = list(zip(table["domain"], table["row_id"], strict=True))
    assert len(entries) == steps * prompts
    for name in ("steps.jsonl", "trainer.jsonl"):
        assert [line["step"] for line in run.lines(name)] == list(range(1, steps + 1)), name
    assert {line["step"] for line in run.lines("samples.jsonl")} == set(range(1, steps + 1))
    for step in range(1, steps + 1):
        keys = [json.loads(line["gts"]) for line in run.lines(f"verl/rollouts/{step}.jsonl")]
        rows = {key["position"]: (key["domain"], key["row_id"]) for key in keys}
        assert len(keys) == prompts * generations
        assert [rows[place] for place in sorted(rows)] == entries[(step - 1) * prompts : step * prompts]
    assert "earn another reward" not in run.log()
    assert (run.path / "model" / "config.json").exists()
    assert not (run.path / "checkpoints").exists()


def rewards(run: Run) -> list[float]:
    """Return the mean reward of each step."""
    steps = [line["domains"].values() for line in run.lines("steps.jsonl")]
    return [
        sum(one["reward"] * one["completions"] for one in step) / sum(one["completions"] for one in step)
        for step in steps
    ]
