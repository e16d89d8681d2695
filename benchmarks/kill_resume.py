"""Kill -9 a study at ten random moments, run it again each time, and compare the table with an undisturbed study's.

    python benchmarks/kill_resume.py [--kills 10] [--steps 12]

Also shows that no finished run is carried out again and that killed ones go on from their checkpoints.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import typer

STUDY = Path(__file__).parents[1] / "src/modomodo/models/nano/control/study.toml"


def command(out: Path, steps: int) -> list[str]:
    """Return the command line of the study."""
    sets = [f"recipe.steps={steps}", "recipe.save_every=2", "items=32", f"out={out}"]
    return [sys.executable, "-m", "modomodo", "pilot", str(STUDY), *(word for item in sets for word in ("--set", item))]


def finished(out: Path) -> dict[str, int]:
    """Return run -> the inode of its result, which a rerun would change."""
    return {path.parent.name: path.stat().st_ino for path in out.glob("runs/*/result.json")}


def table(out: Path) -> str:
    """Return the table of the study's runs."""
    return (out / "runs.csv").read_text()


def resumed(out: Path) -> int:
    """Return how many runs have been started more than once, by their logs."""
    return sum(path.read_text(errors="replace").count("resuming from") for path in out.glob("runs/*/log.txt"))


def main(kills: int = 10, steps: int = 12, seed: int = 0) -> None:
    """Print what the kills did; exit code 1 when the tables differ or a finished run was repeated."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        calm, stormy = Path(folder) / "calm", Path(folder) / "stormy"
        started = time.perf_counter()
        subprocess.run(command(calm, steps), check=True)
        whole = time.perf_counter() - started
        done: dict[str, int] = {}
        for kill in range(kills):
            process = subprocess.Popen(command(stormy, steps), start_new_session=True)
            time.sleep(rng.uniform(0.05, 0.3) * whole)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            time.sleep(2)  # the runs of a killed launcher end by themselves
            now = finished(stormy)
            repeated = [key for key, inode in done.items() if now[key] != inode]
            print(f"kill {kill + 1}: {len(now)} runs finished, {len(repeated)} of them repeated", flush=True)
            if repeated:
                sys.exit("a finished run was carried out again")
            done = now
        subprocess.run(command(stormy, steps), check=True)
        same = table(calm) == table(stormy)
        print(
            f"killed {kills} times; {resumed(stormy)} resumes from checkpoints; tables {'equal' if same else 'DIFFER'}"
        )
        sys.exit(0 if same else 1)


if __name__ == "__main__":
    typer.run(main)
