"""The examples and the snippets of the README and the pages run as they stand."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import fake_study
import pytest

from modomodo.reports.sections.repeat import to_toml

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SNIPPETS = [
    pytest.param(snippet, id=f"{page.name}-{number}")
    for page in PAGES
    for number, snippet in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL), start=1)
]


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_a_snippet_runs(snippet, tmp_path):
    shutil.copy(ROOT / "examples/runs.csv", tmp_path)
    done = subprocess.run([sys.executable, "-c", snippet], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_every_verb_of_the_readme_and_the_pages_exists():
    text = "\n".join(page.read_text() for page in PAGES)
    verbs = set(re.findall(r"(?:^    |`)modomodo ([a-z]+)", text, re.MULTILINE))
    shown = subprocess.run(
        [sys.executable, "-m", "modomodo", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert verbs
    assert [verb for verb in sorted(verbs) if not re.search(rf"^\s*{verb}\b", shown, re.MULTILINE)] == []


def test_every_path_of_the_tree_exists():
    block = README.split("## The tree")[1].split("##")[0]
    for line in block.splitlines():
        name = line.split()[0] if line.strip() else ""
        if name:
            assert (
                any((folder / name).exists() for folder in (ROOT, ROOT / "src/modomodo")) or name == "src/modomodo/"
            ), name


def test_own_trl_script_changes_ten_lines_and_runs(tmp_path):
    script = ROOT / "examples" / "own_trl_script.py"
    assert script.read_text().count("  # +\n") <= 10
    done = subprocess.run([sys.executable, str(script), str(tmp_path), "2"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    steps = [json.loads(line) for line in (tmp_path / "steps.jsonl").read_text().splitlines()]
    assert [step["step"] for step in steps] == [1, 2]
    assert steps[0]["requested"] == {"spatial": 0.7, "science": 0.3}


def test_a_study_in_python_runs(tmp_path, monkeypatch):
    study = fake_study.make_study(tmp_path / "study", benchmarks=("charts", "maths"), held_out=())
    fake_study.write_pilots(study)
    (tmp_path / "study.toml").write_text(to_toml(study))
    script = ROOT / "examples" / "study_in_python.py"
    words = [sys.executable, str(script), str(tmp_path / "study.toml"), str(tmp_path / "figures")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "single:detect" in done.stdout
    assert len(list((tmp_path / "figures").iterdir())) == 8


def test_every_example_is_run_by_a_test():
    tested = Path(__file__).read_text()
    assert [path.name for path in (ROOT / "examples").glob("*.py") if path.name not in tested] == []
