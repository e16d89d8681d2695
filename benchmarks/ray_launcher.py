"""A study on a local Ray cluster of two CPUs against two processes of the launcher of one machine: the same table, also
when workers and the driver are killed, and the ratio of their times, taken in turns.

python benchmarks/ray_launcher.py     # about 20 minutes on 2 cores
"""

import logging
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from modomodo import Study, load_study, pilot

NANO = Path(__file__).parents[1] / "src/modomodo/models/nano/control/study.toml"
KILLS = 5
PAIRS = 2
RAY = ["launcher.kind=ray", "launcher.retries=5", "launcher.gpus=0"]


def study_in(folder: Path, *sets: str) -> Study:
    """Return the nano study with eight pilots (and the base run) in `folder`."""
    plan = ["design=d-optimal", "budget=8", "items=64"]
    return load_study(NANO, [*plan, f"out={folder}", *sets])


def table(study: Study) -> bytes:
    return (study.folder / "runs.csv").read_bytes()


def timed(study: Study) -> float:
    """Return how long the study's runs take, a cluster's start left out."""
    if study.launcher.kind == "ray":
        import ray

        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    started = time.perf_counter()
    outcomes = pilot(study)
    assert all(outcome.status == "finished" for outcome in outcomes), outcomes
    seconds = time.perf_counter() - started
    if study.launcher.kind == "ray":
        ray.shutdown()
    return seconds


def driver(folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, __file__, str(folder)])


def workers() -> list[int]:
    """Return the processes that carry out runs for the cluster of this process."""
    found = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = {int(pid): (int(parent), command) for pid, parent, command in map(split, found.splitlines()[1:])}

    def ours(pid: int) -> bool:
        return pid == os.getpid() or (pid in rows and ours(rows[pid][0]))

    return [pid for pid, (_, command) in rows.items() if command.startswith("ray::modomodo") and ours(pid)]


def split(line: str) -> list[str]:
    return line.split(maxsplit=2)


def kill_workers(folder: Path, *, seed: int) -> int:
    """Run the study while a worker is killed at random moments; return how many were."""
    draw, process, killed = random.Random(seed), driver(folder), 0
    while process.poll() is None:
        time.sleep(draw.uniform(5, 25))
        found = workers()
        if found and killed < KILLS:
            os.kill(draw.choice(found), signal.SIGKILL)
            killed += 1
    assert process.returncode == 0
    return killed


def kill_driver(folder: Path, *, after: float) -> None:
    process = driver(folder)
    time.sleep(after)
    process.kill()
    process.wait()
    assert driver(folder).wait() == 0


def main() -> None:
    """Print the times, their ratio, and whether the tables are the same."""
    # Else other work on the machine would weigh on Ray's side alone.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112
    with tempfile.TemporaryDirectory() as place:
        ratios: list[float] = []
        tables: list[bytes] = []
        for number in range(PAIRS):
            here = study_in(Path(place, f"here-{number}"), "processes=2")
            fleet = study_in(Path(place, f"ray-{number}"), *RAY)
            order = (here, fleet) if number % 2 == 0 else (fleet, here)
            took = {study.launcher.kind: timed(study) for study in order}
            ratios.append(took["ray"] / took["local"])
            tables += [table(here), table(fleet)]
            print(f"two processes {took['local']:.1f} s, Ray {took['ray']:.1f} s: x {ratios[-1]:.3f}", flush=True)
        print(f"in the median x {statistics.median(ratios):.3f} (at most 1.25 is asked)")
        print("the same table:", len(set(tables)) == 1)
        killed = kill_workers(Path(place, "killed"), seed=7)
        print(f"{killed} workers killed, the same table:", tables[0] == table(study_in(Path(place, "killed"))))
        kill_driver(Path(place, "driver"), after=60)
        print("driver killed, the same table:", tables[0] == table(study_in(Path(place, "driver"))))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        pilot(study_in(Path(sys.argv[1]), *RAY))
    else:
        main()
