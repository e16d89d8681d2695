"""Nothing in the working folder runs, whatever module its name is of: in this process, and in those it starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import modomodo
from modomodo.core.children import SAFE_PATH, environment, without_code

SHADOWS = ("numpy", "random", "torch", "pydantic", "typing", "tempfile", "secrets", "stub_run", "modomodo")
HOSTILE = "import pathlib\npathlib.Path(r'{marker}').touch()\nraise SystemExit('a file of the working folder ran')\n"
# What a run does is stubbed; the fork server, the process of the run and all that they import are real.
STUB = """
import sys
from pathlib import Path

def run(recipe, folder):
    import numpy, random, tempfile
    (folder / "sound.txt").write_text(numpy.__file__ + random.__file__ + tempfile.__file__)
    raise ValueError("enough")

if __name__ == "__main__":
    from modomodo.cli import main
    from modomodo.config.study import load_study
    from modomodo.study import pipeline

    pipeline.RUN = "stub_run:run"
    main.main() if sys.argv[1] != "from Python" else pipeline.pilot(load_study(Path("study.toml")))
"""
RECIPE = """
domains = ["spatial", "science", "refer"]
steps = 1
prompts_per_step = 2
num_generations = 2
[evaluation]
benchmarks = ["charts"]
items = 4
"""
STUDY = 'name = "small"\nrecipe = "recipe.toml"\nbenchmarks = ["charts"]\nitems = 4\nprocesses = 1\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with files that bear the names of modules, and a sound recipe and study."""
    found = tmp_path / "work"
    found.mkdir()
    for name in SHADOWS:
        (found / f"{name}.py").write_text(HOSTILE.format(marker=tmp_path / f"{name}-ran"))
    (found / "recipe.toml").write_text(RECIPE)
    (found / "study.toml").write_text(STUDY)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "stub_run.py").write_text(STUB)
    return found


def told(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Return what Python did with these words in the folder, after a look that none of the files there ran."""
    places = [str(folder.parent / "elsewhere"), str(Path(modomodo.__file__).parents[1])]
    variables = {name: value for name, value in os.environ.items() if name not in SAFE_PATH}
    env = {**variables, "PYTHONPATH": os.pathsep.join(places), "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert not list(folder.parent.glob("*-ran")), done.stderr
    return done


@pytest.mark.parametrize(
    "words",
    [
        ("train", "recipe.toml"),
        ("eval", "recipe.toml"),
        ("pilot", "study.toml"),
        ("demo", "--set", "recipe.steps=1", "--set", "items=4", "--set", "processes=1"),
        ("from Python",),
    ],
    ids=lambda words: words[0],
)
def test_a_run_imports_nothing_from_the_working_folder(folder: Path, words: tuple[str, ...]):
    done = told(folder, str(folder.parent / "elsewhere" / "stub_run.py"), *words)
    assert "enough" in done.stderr, done.stderr
    notes = [path.read_text() for path in folder.rglob("sound.txt")]
    assert notes
    assert not any(str(folder) in note for note in notes)


@pytest.mark.parametrize("word", ["-m modomodo", "-mmodomodo"])
def test_neither_does_the_command_line_itself(folder: Path, word: str):
    (folder / "modomodo.py").unlink()  # that is what Python was asked for
    done = told(folder, *word.split(), "init", "recipe.toml", "--out", "new")
    assert "error:" in done.stderr  # it ran
    assert "Traceback" not in done.stderr


def test_modomodo_that_lies_in_the_working_folder_is_found_there_and_nothing_before_it(tmp_path: Path):
    (tmp_path / "modomodo").symlink_to(Path(modomodo.__file__).parent)
    (tmp_path / "numpy.py").write_text(HOSTILE.format(marker=tmp_path / "numpy-ran"))
    variables = {name: value for name, value in os.environ.items() if name not in (*SAFE_PATH, "PYTHONPATH")}
    words = [sys.executable, "-m", "modomodo", "--version"]
    done = subprocess.run(words, cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert done.stdout.startswith("modomodo "), done.stderr
    assert not (tmp_path / "numpy-ran").exists()


def test_variables_are_given_to_others_and_taken_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KEPT", "1")
    monkeypatch.delenv("NEW", raising=False)
    with environment({"KEPT": "2", "NEW": "3"}):
        assert (os.environ["KEPT"], os.environ["NEW"]) == ("2", "3")
    assert os.environ["KEPT"] == "1"
    assert "NEW" not in os.environ


def test_the_folder_to_connect_from_holds_no_code_and_the_path_stays_what_it_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{os.pathsep}src{os.pathsep}/opt")
    with without_code():
        assert not [path for path in Path().iterdir() if path.is_dir() or path.suffix in (".py", ".so", ".pth")]
        assert os.environ["PYTHONPATH"] == f"{tmp_path}/src{os.pathsep}/opt"
    assert Path.cwd() == tmp_path
