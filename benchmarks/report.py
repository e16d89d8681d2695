"""Seconds and megabytes of the report of a large study: 64 pilots of 600 steps, 5 domains, 6 benchmarks.

python benchmarks/report.py [--profile]

The runs are made up, as in the tests: their folders hold what real ones do, without any training.
"""

import cProfile
import pstats
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[1] / "tests/reports"))
import fake_study

from modomodo import Recipe, Study, report
from modomodo.study import pilot_runs

PILOTS, STEPS = 64, 600
ASKED = (10.0, 8.0)  # seconds, megabytes
WORDS = (fake_study.WORDS + " ") * 12  # a reply of about 750 characters


def large_study(folder: Path) -> Study:
    """Return a study of 64 planned pilots: those of its design, and random mixtures beside them."""
    fields = {
        "name": "large",
        "recipe": Recipe(domains=fake_study.DOMAINS, steps=STEPS),
        "benchmarks": ("charts", "infographic", "maths", "general"),
        "in_distribution": ("refer", "science"),
        "held_out": (),
    }
    designed = len([one for one in pilot_runs(fake_study.make_study(folder, **fields)) if one.recipe.steps])
    random_ND = np.random.default_rng(0).dirichlet(np.ones(len(fake_study.DOMAINS)), PILOTS - designed).round(3)
    random_ND[:, -1] = 1 - random_ND[:, :-1].sum(axis=1)
    extra = [dict(zip(fake_study.DOMAINS, map(float, weights), strict=True)) for weights in random_ND]
    return fake_study.make_study(folder, **fields, extra=extra)


def main() -> None:
    """Print both figures beside what is asked of them; with --profile, where the seconds go."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        study = large_study(Path(name))
        fake_study.write_whole(study, patch, words=WORDS)
        runs = len([one for one in pilot_runs(study) if one.recipe.steps])
        profile = cProfile.Profile()
        started, busy = time.perf_counter(), time.process_time()
        path = profile.runcall(report, study) if "--profile" in sys.argv else report(study)
        seconds, megabytes = time.perf_counter() - started, path.stat().st_size / 1e6
        busy = time.process_time() - busy
        print(f"{runs} pilots of {STEPS} steps and {2 * study.confirm.seeds} runs of the confirmation")
        print(f"{seconds:.1f} s (at most {ASKED[0]:g} are asked), of which the process worked {busy:.1f} s")
        print(f"{megabytes:.1f} MB (at most {ASKED[1]:g})")
        if "--profile" in sys.argv:
            pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    main()
