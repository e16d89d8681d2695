from dataclasses import replace

import pytest

from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Verdict
from modomodo.training.step_log import DomainStep, Step
from modomodo.training.ungradable import Ungradable

BROKEN, RIGHT = Verdict.ungradable("verifier fell over"), Verdict.right("B")


def count(ungradable: Ungradable, verdict: Verdict, times: int) -> None:
    for _ in range(times):
        ungradable.count("toy", "r1", "B", verdict)


def test_the_run_stops_when_a_domain_passes_one_percent_of_at_least_200_verdicts():
    ungradable = Ungradable(["toy", "other"])
    count(ungradable, BROKEN, 3)
    count(ungradable, RIGHT, 196)
    ungradable.check()
    count(ungradable, RIGHT, 1)
    with pytest.raises(ModomodoError, match="domain toy: 3 of the last 200 verdicts are ungradable"):
        ungradable.check()
    count(ungradable, RIGHT, 800 + 1)  # the first of the three is one of the last 1,000 no more
    ungradable.check()


def test_a_resumed_run_remembers_what_was_ungradable_before_the_kill(tmp_path):
    keep = tmp_path / "ungradable.jsonl"
    keep.write_text("first\nsecond\nof a step that was lost\n")
    ungradable = Ungradable(["toy"], keep=keep)
    done = DomainStep(75, 150, 0, 0.0, 0.0, 0.0, 0.0, ungradable=2, zero_advantage=0.0)
    steps = [Step(1, 1.0, {}, {"toy": done}), Step(2, 1.0, {}, {"toy": replace(done, completions=49, ungradable=0)})]
    ungradable.resume(steps)
    assert keep.read_text() == "first\nsecond\n"
    ungradable.check()
    count(ungradable, BROKEN, 1)
    with pytest.raises(ModomodoError, match=r"domain toy: 3 of the last 200 verdicts .*tracebacks are in .*ungradable"):
        ungradable.check()
    assert len(keep.read_text().splitlines()) == 3
