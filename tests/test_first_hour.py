"""A new user's first hour: the commands that README names, from a bare folder with 20 rows to a report."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

import modomodo

ROOT = Path(__file__).parents[1]
SECTION = "## Your data\n"
COMMANDS = (
    "init meters.jsonl",
    "check study.toml",
    "play study.toml",
    "train study.toml --set steps=2 --set prompts_per_step=2",
    "report study.toml",
)
TYPED = {"play": "7\n:gold\n\n:quit\n"}


def commands_of_readme() -> list[str]:
    """Return the commands of the first block of the section, in their order, without comments."""
    section = (ROOT / "README.md").read_text().split(SECTION)[1].split("\n## ")[0]
    block = re.search(r"(?:^    modomodo .*\n)+", section, re.MULTILINE)
    assert block is not None
    return [line.strip().removeprefix("modomodo ").split("  #")[0].strip() for line in block[0].splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = []
    for number in range(20):
        picture = Image.new("RGB", (96, 72), "white")
        draw = ImageDraw.Draw(picture)
        draw.ellipse((20, 8, 76, 64), outline=(10 * number, 80, 160), width=3)
        draw.text((42, 30), str(number), fill="black")
        picture.save(tmp_path / f"{number}.png")
        lines.append({"photo": f"{number}.png", "kind": ("dial", "gauge")[number % 2], "reading": number})
    (tmp_path / "meters.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def test_no_step_is_missing_from_the_readme():
    assert commands_of_readme() == list(COMMANDS)


def test_the_commands_lead_from_a_file_to_a_report(folder: Path):
    env = os.environ | {
        "PYTHONPATH": str(Path(modomodo.__file__).parents[1]),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "COLUMNS": "200",
    }
    said: dict[str, str] = {}
    for command in COMMANDS:
        words = shlex.split(command)
        done = subprocess.run(
            [sys.executable, "-m", "modomodo", *words],
            cwd=folder,
            env=env,
            input=TYPED.get(words[0], ""),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        said[words[0]] = done.stdout
    for command in COMMANDS[1:]:
        assert f"modomodo {command} " in said["init"], "init names the commands that README does"
    assert "0 errors" in said["check"]
    assert "1 answered" in said["play"]
    assert "run: studies/meters/runs/" in said["train"]
    assert "report: studies/meters/report.html" in said["report"]
    page = (folder / "studies" / "meters" / "report.html").read_text()
    assert "<h1>meters</h1>" in page
    assert "1 run of <code>modomodo train</code> is shown with the others" in page
    assert "Replies in the right format" in page  # the curves of the run
    assert "meters.jsonl" in page
    assert not (folder / "runs").exists()
