"""Reports of made-up studies for a real browser: one as people have, one whose names and replies are hostile."""

from pathlib import Path
from typing import Any

import fake_study
import pytest
from opening import launched

from modomodo.config.recipe import Recipe
from modomodo.reports import report

LONG = "a_name_that_goes_on_and_on_" * 6
SCRIPT = "<script>window.ran=1;alert(1)</script>"
HANDLER = "<img src=x onerror='window.ran=2'>\"><svg onload=window.ran=3>"
TURNED = "\u202eright to left\u200f \"quotes\" 'and' \u202amore"
HOSTILE: dict[str, Any] = {
    "name": LONG[:64],
    "recipe": Recipe(domains=(SCRIPT, HANDLER, TURNED, LONG), steps=6, num_generations=4),
    "benchmarks": ("<i onclick=window.ran=4>charts", f"maths_{LONG}"),
    "in_distribution": (),
    "held_out": ("<img src=x onerror=window.ran=5>",),
    "items": 40,
}


@pytest.fixture(scope="session")
def browser():
    with launched() as found:
        yield found


@pytest.fixture(scope="session")
def whole(tmp_path_factory) -> Path:
    """The report of a whole study."""
    return made(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory) -> Path:
    """The report of a study whose names and completions are HTML, scripts, turned text and much too long."""
    return made(tmp_path_factory.mktemp("hostile"), words=f"{SCRIPT}{HANDLER}{TURNED} {LONG * 20}", **HOSTILE)


@pytest.fixture(params=["whole", "hostile"])
def either(request) -> Path:
    """Either report."""
    return request.getfixturevalue(request.param)


def made(folder: Path, *, words: str = fake_study.WORDS, **changes: Any) -> Path:
    study = fake_study.make_study(folder, **changes)
    with pytest.MonkeyPatch.context() as patch:
        fake_study.write_whole(study, patch, words=words)
    return report(study)
