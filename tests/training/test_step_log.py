import json
from dataclasses import asdict
from pathlib import Path

import pytest

from modomodo.core.errors import ModomodoError
from modomodo.training import step_log
from modomodo.training.step_log import DomainStep, Step, append_step, count_steps, keep_steps, last_steps, read_steps

DONE = DomainStep(2, 8, 90, 1.5, 0.5, 0.5, 0.25, ungradable=1, zero_advantage=0.5)


def log(folder: Path, count: int, *, end: str = "") -> list[Step]:
    steps = [Step(number, 0.5 * number, {"charts": 1.0}, {"charts": DONE}) for number in range(1, count + 1)]
    for step in steps:
        append_step(folder, step)
    with (folder / step_log.STEPS).open("a") as file:
        file.write(end)
    return steps


def test_what_is_written_is_read_and_a_line_that_a_kill_cut_is_not(tmp_path: Path):
    steps = log(tmp_path, 3, end='{"step": 4, "sec')
    assert read_steps(tmp_path) == steps
    assert last_steps(tmp_path, 2) == steps[1:]
    assert last_steps(tmp_path, 9) == steps
    assert count_steps(tmp_path) == 3
    assert keep_steps(tmp_path, 2) == read_steps(tmp_path) == steps[:2]


def test_a_run_without_a_log_has_no_steps(tmp_path: Path):
    assert read_steps(tmp_path) == last_steps(tmp_path, 5) == keep_steps(tmp_path, 1) == []


@pytest.mark.parametrize("tail", [1, 200, 700, 10_000])
def test_the_last_steps_are_read_from_the_end_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tail: int):
    steps = log(tmp_path, 20, end='{"step')
    monkeypatch.setattr(step_log, "TAIL", tail)
    line = len(json.dumps(asdict(steps[-1]))) + 1
    found = last_steps(tmp_path, 5)
    assert found == steps[20 - len(found) :]
    assert len(found) >= min(5, tail // line - 1)


@pytest.mark.parametrize(
    "line", ["{", "[1]", '{"step": 2}', '{"step": 2, "seconds": 1, "requested": {}, "domains": 3}']
)
def test_a_damaged_line_is_named_with_its_file(tmp_path: Path, line: str):
    log(tmp_path, 1, end=f"{line}\n")
    for read in (read_steps, lambda folder: last_steps(folder, 1)):
        with pytest.raises(ModomodoError, match=r"steps\.jsonl is damaged .*delete the run's folder"):
            read(tmp_path)
