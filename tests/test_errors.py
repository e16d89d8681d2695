"""Deliberate mistakes through the real command line: each message names the file, the place, the value and the fix.

`python tests/test_errors.py` writes docs/errors.md again.
"""

import io
import os
import shlex
import sys
import textwrap
import warnings
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest

from mistakes import FILES, OWN_DATA, RECIPE, STARTING, STUDY, Mistake
from mistakes_of_rows import READINGS
from mistakes_of_studies import KEYS, MACHINES, NAMES
from mistakes_of_tables import COMPLETIONS, TABLES
from modomodo.cli import main
from modomodo.data.sources import build

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"
WIDTH = 118

CHAPTERS: dict[str, tuple[Mistake, ...]] = {
    "The first files": (*STARTING, *READINGS),
    "Your own data": OWN_DATA,
    "Files and keys": KEYS,
    "Domains, benchmarks, mixtures": NAMES,
    "Machines, models, folders": MACHINES,
    "Tables of runs": TABLES,
    "Completions": COMPLETIONS,
}
MISTAKES: tuple[Mistake, ...] = tuple(one for chapter in CHAPTERS.values() for one in chapter)

HEAD = f"""# Errors

How modomodo answers {len(MISTAKES)} mistakes. Every message names the file or option, the place in it, the value it
found, and what to do. The exit code is 2. It is 1 when `check` or `grade` looked at everything and found problems.

`python tests/test_errors.py` writes this page: it makes each mistake, and a test compares the two. Long lines are
wrapped here, and notes that have nothing to do with the mistake are left out.

Every mistake happens in a folder with these two files, and with meters.jsonl, signs.jsonl, runs.csv and replies.jsonl,
which are all correct. The lines above a command are what the person wrote.

```toml
# recipe.toml
{RECIPE}```

```toml
# study.toml
{STUDY}```
"""


def made(mistake: Mistake, folder: Path) -> tuple[int, str]:
    """Return the exit code and all output of the command, made in `folder`; paths in it are relative."""
    for name, text in mistake.written().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    # Rows are read once in a process, and these folders look alike.
    build._loaded.cache_clear()
    build._held_out.cache_clear()
    code, output = 0, io.StringIO()
    here = {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}
    with (
        chdir(folder),
        patch.dict(os.environ, here),
        patch("torch.cuda.is_available", return_value=False),
        patch("huggingface_hub.try_to_load_from_cache", return_value=None),
        patch.object(sys, "argv", ["modomodo", *shlex.split(mistake.argv.replace('"', '\\"'))]),
        warnings.catch_warnings(),
        redirect_stdout(output),
        redirect_stderr(output),
    ):
        warnings.simplefilter("default")
        if mistake.before is not None:
            mistake.before()
        try:
            main.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    return code, output.getvalue().replace(f"{folder.resolve()}/", "").replace(f"{folder}/", "")


def message(mistake: Mistake, output: str) -> str:
    """Return the lines of the output that are the message: those that begin as `shown`, and what follows on them."""
    kept: list[str] = []
    wanted = False
    count = f"{mistake.argv.split()[-1]}: "  # the last line of check
    for line in output.splitlines():
        if not line.startswith(" ") or not line.strip():
            wanted = line.startswith((*mistake.shown, count)) or (wanted and mistake.code == 2)
        if wanted and line.strip():
            kept.append(line)
    return "\n".join(kept)


def page() -> str:
    """Return the whole page, after making every mistake."""
    parts = [HEAD]
    for chapter, mistakes in CHAPTERS.items():
        parts.append(f"\n## {chapter}\n")
        for one in mistakes:
            with TemporaryDirectory() as folder:
                said = message(one, made(one, Path(folder))[1])
            parts.append(_section(one, said))
    return "".join(parts)


def _section(mistake: Mistake, said: str) -> str:
    written: list[str] = []
    for file, text in mistake.written().items():
        sound = FILES.get(file, "").splitlines()
        lines = [line for line in text.splitlines() if line not in sound]
        written += [f"# {file}\n", *(f"{line}\n" for line in lines), "\n"] if lines else []
    typed = f"$ modomodo {mistake.argv}"
    broken = "\n".join(
        textwrap.fill(line, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        for line in said.splitlines()
    )
    return f"\n### {mistake.name}\n\n{mistake.did}\n\n```text\n{''.join(written)}{typed}\n{broken}\n```\n"


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.name)
def test_the_message_names_file_place_value_and_fix(mistake: Mistake, tmp_path: Path):
    code, output = made(mistake, tmp_path)
    said = message(mistake, output)
    assert code == mistake.code, output
    assert "Traceback" not in output
    for part in (mistake.file, mistake.place, mistake.value, mistake.fix):
        assert part in said, output


@pytest.mark.parametrize("command", ["check recipe.toml", "check study.toml", "fit runs.csv", "grade replies.jsonl"])
def test_the_files_are_sound_without_a_mistake(command: str, tmp_path: Path):
    code, output = made(Mistake("none", "", command, "", "", "", ""), tmp_path)
    assert code == 0, output
    assert "error:" not in output
    assert set(FILES) <= {path.name for path in tmp_path.iterdir()}


def test_the_page_is_as_the_program_says_it():
    assert len(MISTAKES) >= 25
    assert len({one.name for one in MISTAKES}) == len(MISTAKES)
    assert PAGE.read_text() == page(), "run python tests/test_errors.py"


if __name__ == "__main__":
    PAGE.write_text(page())
