import io

import pytest
from rich.console import Console

from modomodo.runs.board import Count, board, spell, time_left


def test_time_left_is_at_the_pace_of_this_launch():
    assert time_left(10.0, done=5, to_do=20) == 40.0
    assert time_left(10.0, done=0, to_do=20) is None
    assert time_left(10.0, done=5, to_do=0) is None


@pytest.mark.parametrize(("seconds", "text"), [(8.4, "8 s"), (100, "2 min"), (3599, "1 h 0 min"), (7300, "2 h 2 min")])
def test_durations_are_spelt(seconds: float, text: str):
    assert spell(seconds) == text


def test_plain_output_has_a_line_per_run_and_no_control_characters():
    file = io.StringIO()
    with board(Console(file=file, width=30), steps_before=2) as shown:
        shown.show(Count(0, 3, 2, 30))
        shown.ended("exclude:[red]detect[/red] :smile: " + "x" * 40 + "\x1b[31m", Count(1, 3, 12, 30))
    (line,) = file.getvalue().splitlines()
    assert line.startswith("[1/3, about 0 s left] exclude:[red]detect[/red] :smile: x")
    assert line.endswith("x\N{REPLACEMENT CHARACTER}[31m")


def test_a_terminal_gets_a_bar_with_steps():
    file = io.StringIO()
    with board(Console(file=file, force_terminal=True, width=100), steps_before=0) as shown:
        shown.show(Count(1, 3, 12, 30))
        shown.ended("equal finished in 3 s", Count(1, 3, 12, 30))
    assert "1/3 runs" in file.getvalue()
    assert "12/30 steps" in file.getvalue()
    assert "equal finished in 3 s" in file.getvalue()
