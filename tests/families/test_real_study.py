"""A study over real rows, from TOML to scores: photos, science, shapes, spatial statements and maths; a tiny model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiny

ROOT = Path(__file__).parents[2]
REAL = ROOT / "../shared/data/real"
MODOMODO = [sys.executable, "-m", "modomodo"]
STUDY = Path(__file__).with_name("real_study.toml").read_text()


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [*MODOMODO, *arguments], cwd=folder, env={**os.environ, "COLUMNS": "200"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="the real rows are not there: ../shared/data/real is in no commit")
def test_real_pictures_of_all_sizes_and_all_kinds_of_answers_pass(tmp_path: Path):
    tiny.make("idefics3", tmp_path / "model")
    (tmp_path / "study.toml").write_text(STUDY.replace("REAL", str(REAL.resolve())))
    # A random model never writes the tags, and a gold of boxes is longer than the reply that we can wait for.
    (tmp_path / "long.toml").write_text((tmp_path / "study.toml").read_text().replace("length = 8", "length = 1000"))
    assert "0 errors" in run(tmp_path, "check", "long.toml", "--contamination", "list.csv")
    assert "written" in run(tmp_path, "data", "prepare", "study.toml")
    run(tmp_path, "pilot", "study.toml")
    results = [json.loads(path.read_text()) for path in (tmp_path / "out").glob("runs/*/result.json")]
    assert sorted(result["steps"] for result in results) == [0, 6, 6, 6]
    seen: set[str] = set()
    for result in results:
        assert set(result["scores"]) == {"school_science", "contests", "photos", "shapes", "statements"}
        assert all(score["ungradable"] == 0 and score["n"] > 1 for score in result["scores"].values())
        seen |= set(result["realised"])
    assert seen == {"photos", "counting", "school_science", "shapes", "statements", "contests"}
