"""What `modomodo watch` takes of a core, over half a minute, on a study of 64 runs of 2,000 steps that are under way.

python benchmarks/watch.py
"""

import json
import os
import pty
import resource
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from modomodo.core import write_json
from modomodo.runs import Store
from modomodo.training import DomainStep, Step

RUNS, STEPS, SECONDS = 64, 2000, 30
DOMAINS = ("coco", "lisa", "geoqav", "sat", "scienceqa")
STUDY = 'name = "s"\nout = "{}"\nbenchmarks = ["charts"]\nheld_out = ["easy_vqa"]\n[recipe]\ndomains = ["spatial"]\n'


def make(folder: Path, claims: ExitStack) -> None:
    """Write a study of runs that train, and claim them."""
    done = DomainStep(3, 24, 4000, 1.5, 0.5, 0.9, unparsed=0.1, ungradable=0, zero_advantage=0.2)
    line = asdict(Step(1, 3.2, dict.fromkeys(DOMAINS, 0.2), dict.fromkeys(DOMAINS, done)))
    text = "".join(json.dumps({**line, "step": step}) + "\n" for step in range(1, STEPS))
    for number in range(RUNS):
        run = folder / "runs" / str(number)
        write_json(run / "recipe.json", {"steps": STEPS})
        (run / "steps.jsonl").write_text(text)
        claims.enter_context(Store(folder).claim(str(number)))
    write_json(folder / "labels.json", {f"space-filling:{number}": str(number) for number in range(RUNS)})


def main() -> None:
    """Print the share of a core, the start left out."""
    with tempfile.TemporaryDirectory() as place, ExitStack() as claims:
        study = Path(place, "study.toml")
        study.write_text(STUDY.format(Path(place, "out")))
        make(Path(place, "out"), claims)
        child, screen = pty.fork()
        if child == 0:
            os.execv(sys.executable, [sys.executable, "-m", "modomodo", "watch", str(study)])
        threading.Thread(target=drain, args=(screen,), daemon=True).start()
        time.sleep(10)
        before = cpu_seconds(child)
        time.sleep(SECONDS)
        used = cpu_seconds(child) - before
        os.kill(child, 9)
        os.waitpid(child, 0)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"watch on {RUNS} runs: {used / SECONDS:.1%} of a core (under 5 % is asked), {peak:.0f} MiB")


def drain(screen: int) -> None:
    """Read what is drawn, as a terminal does."""
    try:
        while os.read(screen, 1 << 16):
            pass
    except OSError:
        return


def cpu_seconds(pid: int) -> float:
    """Return the seconds of a core that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
