"""Completion in a shell, by the protocol of its scripts: verbs, and the keys of `--set`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import modomodo

CALL = "import sys; sys.argv = ['modomodo']; from modomodo.cli.main import main; main()"


def completed(words: str, folder: Path) -> list[str]:
    asked = {"_MODOMODO_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    where = {"PYTHONPATH": str(Path(modomodo.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", CALL],
        cwd=folder,
        env=os.environ | asked | where,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("modomodo i", ["init"]),
        ("modomodo re", ["recommend", "report"]),
        ("modomodo data p", ["prepare"]),
        ("modomodo check study.toml --set recipe.le", ["recipe.learning_rate="]),
        ("modomodo check study.toml --set recipe.se", []),  # a study's to decide
        ("modomodo train study.toml --set st", ["steps="]),
        ("modomodo train study.toml --set steps=2 --set rewards.", ["rewards.accuracy=", "rewards.format="]),
        ("modomodo recommend runs.csv --set ob", ["objective="]),
        ("modomodo fit runs.csv metrics.csv --set sca", ["scale="]),
        ("modomodo grade x.jsonl --set ", ["mode="]),
    ],
)
def test_what_a_shell_offers(words: str, found: list[str], tmp_path: Path):
    (tmp_path / "study.toml").write_text('name = "one"\nrecipe = "recipe.toml"\n')
    assert completed(words, tmp_path) == found


def test_a_pipe_is_not_read(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.toml")
    assert completed("modomodo check pipe.toml --set step", tmp_path) == ["steps="]


def test_the_script_for_a_shell_is_shown():
    where = {"PYTHONPATH": str(Path(modomodo.__file__).parents[1]), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    code = CALL.replace("['modomodo']", "['modomodo', '--show-completion', 'bash']")
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | where, capture_output=True, text=True)
    assert done.returncode == 0
    assert "complete -o default -F _modomodo_completion modomodo" in done.stdout
