"""`math`: what equals what, what costs too much, and the process that may be killed."""

import asyncio
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Target
from modomodo.verifiers import grade, grade_async, math_workers, parse_gold, symbolic

math_verify = pytest.importorskip("math_verify")

CASES = [
    ("5", "5", "right"),
    ("5", "5.0", "right"),
    ("5", "x=5", "right"),
    ("5", "$5$", "right"),
    ("5", "\\boxed{5}", "right"),
    ("5", "The area is $5$.", "right"),
    ("5", "[1, 5]", "wrong"),
    ("60", "[10, 20, 30, 60]", "wrong"),
    ("20", "[10, 20, 30, 60]", "wrong"),
    ("5", "1, 5", "wrong"),
    ("5", "5 or 6", "wrong"),
    ("5", "$5$ or $6$", "unparsed"),
    ("5", "\\boxed{5} or \\boxed{6}", "unparsed"),
    *[
        ("5", said, "unparsed")
        for said in (
            "$5$ or 6",
            "6 or $5$",
            "not $5$",
            "I do not know $5$",
            "\\boxed{5} is wrong, it is 6",
            "6 $5$",
            "$6$ $5$",
            "-\\boxed{5}",
            "2\\boxed{5}",
            "\\boxed{5}^2",
            "\\frac{\\boxed{5}}{2}",
            "$5$0",
            "1/$5$",
            "$-\\boxed{5}$",
            "The area is not $5$",
            "the answer is or $5$",
        )
    ],
    ("5", "$6$, $5$", "wrong"),
    ("5", "-$5$", "wrong"),
    ("5", "$$5$$", "right"),
    ("5", "\\(5\\).", "right"),
    ("5", "$\\boxed{5}$", "right"),
    ("-5", "\\boxed{-5}", "right"),
    ("\\{1,2\\}", "$1$ and $2$", "right"),
    ("1e20", "e+20", "wrong"),
    ("1e20", "10^{20}", "right"),
    ("1e-7", "10^{-7}", "right"),
    ("2e3", "6e", "wrong"),
    ("6.02\\times 10^{23}", "6.02e23", "right"),
    *[(gold, "7", "wrong") for gold in ("$5", "5$", "-$5", "$1,234.50", "5.", "１２")],
    ("\\frac{1}{2}", "\\frac{1}{2}.", "right"),
    ("\\frac{1}{2}", "x=\\frac12.", "right"),
    ("\\frac{1}{2}", "\\frac 1 2", "right"),
    ("3", "\\log_2 8", "unparsed"),
    ("\\log_2 3", "\\frac{\\ln 3}{\\ln 2}", "right"),
    ("yes", "\\boxed{\\text{yes}}", "right"),
    ("yes", "\\boxed{no}", "wrong"),
    ("5", "not 5", "wrong"),
    ("5", "6", "wrong"),
    ("5", "five", "wrong"),
    ("5", "1/0", "wrong"),
    ("5", "(0, 0/0)", "unparsed"),
    ("11", "5 6", "unparsed"),
    ("5", "5.5.5", "unparsed"),
    ("5", "@", "unparsed"),
    ("5", "5 元", "unparsed"),
    ("1/2", "0.5", "right"),
    ("\\frac{1}{2}", "1/2", "right"),
    ("\\frac12", "\\dfrac{2}{4}", "right"),
    ("5/2", "2 1/2", "right"),
    ("2\\sqrt{3}", "2√3", "right"),
    ("2\\sqrt{3}", "sqrt(12)", "right"),
    ("2\\sqrt{3}", "2", "wrong"),
    ("2√3", "2", "wrong"),
    ("2\\pi", "2pi", "right"),
    ("x^{10}", "x¹⁰", "right"),
    ("x^{10}", "x**10", "right"),
    ("x^2+2x+1", "(x+1)^2", "right"),
    ("x^2+2x+1", "(x-1)^2", "wrong"),
    ("50\\%", "0.5", "right"),
    ("1000", "1,000", "right"),
    ("30^\\circ", "30", "right"),
    ("1" * 70, "1" * 71, "wrong"),
    ("1" * 70, "0" + "1" * 70, "right"),
    ("x>2", "2<x", "right"),
    ("\\{1,2\\}", "\\{2,1\\}", "right"),
    ("no", "on", "wrong"),
    ("yes", "sey", "wrong"),
    ("yes", "Yes.", "right"),
    ("\\text{no solution}", "no solution", "right"),
    ("$\\text{odd}$", "even", "wrong"),
    # Over a cap, before SymPy sees it.
    ("5", "9^{9^{9}}", "unparsed"),
    ("5", "9**9**9", "unparsed"),
    ("5", "2^{99999}", "unparsed"),
    ("5", "99999!", "unparsed"),
    ("5", "9!!", "unparsed"),
    ("5", "(" * 24 + "5" + ")" * 24, "unparsed"),
    ("5", "0.5+" + "9" * 500, "unparsed"),
    ("5", "x+" * 3000 + "x", "unparsed"),
    # The gold's fault.
    ("@@", "5", "ungradable"),
    ("9^{9^{9}}", "5", "ungradable"),
    ("12:00", "1:00", "ungradable"),
    (" ", "5", "ungradable"),
    ((1.0, 2.0, 3.0, 4.0), "5", "ungradable"),
]
REWARDS = {"right": 1.0, "wrong": 0.0, "unparsed": 0.0, "ungradable": None}


@pytest.mark.parametrize(("gold", "answer", "status"), CASES)
def test_math(gold, answer, status):
    verdict = grade(f"<think>a</think> <answer>{answer}</answer>", Target("math", gold))
    assert (verdict.status, verdict.reward) == (status, REWARDS[status]), verdict


def test_golds_are_parsed_at_load():
    assert parse_gold(Target("math", "\\frac{1}{2}")) is None
    assert parse_gold(Target("math", 0.5)) is None
    assert "@@" in (parse_gold(Target("math", "@@")) or "")


def test_a_late_answer_is_unparsed_and_the_next_is_judged(monkeypatch):
    target = Target("math", "\\{1,2\\}")
    assert parse_gold(target) is None
    assert grade("\\{2,1\\}", target, raw=True).status == "right"
    with monkeypatch.context() as patch:
        patch.setattr(symbolic, "DEADLINE_SECONDS", 0.2)
        verdict = grade("\\int_0^\\infty e^{-x} dx", target, raw=True)
        assert verdict.status == "unparsed"
        assert "took over 0.2 s of CPU time" in verdict.reason
    assert grade("\\{2, 1\\}", target, raw=True).status == "right"
    assert grade("\\{2, 3\\}", target, raw=True).status == "wrong"


def test_the_deadline_is_cpu_time_and_its_backstop_says_nothing_of_the_answer(monkeypatch):
    target = Target("math", "\\sqrt{3}")
    assert grade("\\frac{3}{\\sqrt{3}}", target, raw=True).status == "right"

    def stop(seconds: float) -> threading.Timer:
        for pid in workers():
            os.kill(pid, signal.SIGSTOP)
        again = threading.Timer(seconds, lambda: [os.kill(pid, signal.SIGCONT) for pid in workers()])
        again.start()
        return again

    with monkeypatch.context() as patch:
        # Far longer on the wall than the deadline, as on a machine that others keep busy.
        patch.setattr(symbolic, "DEADLINE_SECONDS", 0.5)
        again = stop(1.5)
        assert grade("\\sqrt{3}+0", target, raw=True).status == "right"
        again.join()
        patch.setattr(math_workers, "BACKSTOP", 1)
        again = stop(2.0)
        verdict = grade("\\sqrt{3}+0+0", target, raw=True)
        assert (verdict.status, verdict.reward) == ("ungradable", None)
        assert "not done after 0.5 s" in verdict.reason
        again.join()
    assert grade("\\sqrt{3}+0+0", target, raw=True).status == "right"


def test_a_worker_killed_from_outside_twice_leaves_no_verdict(monkeypatch):
    target = Target("math", "\\sqrt{5}")
    assert parse_gold(target) is None

    def killed(self: object, gold: str, answer: str, seconds: float, within: float | None) -> tuple[str, str]:
        return "lost", "ended by signal 9"

    with monkeypatch.context() as patch:
        patch.setattr(math_workers._Worker, "ask", killed)
        assert grade("\\sqrt{5}+0", target, raw=True).status == "ungradable"
    assert grade("\\sqrt{5}+0", target, raw=True).status == "right"


@pytest.mark.parametrize(("number", "outcome"), [(signal.SIGKILL, "lost"), (signal.SIGPROF, "late"), (11, "dead")])
def test_it_is_told_how_a_worker_ended(number, outcome):
    math_workers.MATH_WORKERS.stop()
    one = math_workers.MATH_WORKERS._take()
    assert one.ask("$1$", "$1$", 20.0, None)[0] == "same"
    pid = only_worker()
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(0.3, lambda: [os.kill(pid, number), os.kill(pid, signal.SIGCONT)]).start()
    assert one.ask("$1$", "$1$", 20.0, None)[0] == outcome
    one.close()


def only_worker() -> int:
    """Return the process of the one math_workers, which a busy machine forks late."""
    end = time.monotonic() + 20
    while not (found := workers()) and time.monotonic() < end:
        time.sleep(0.01)
    (pid,) = found
    return pid


def workers() -> list[int]:
    """The processes that math-verify runs in: children of the one that forks them."""
    assert math_workers.MATH_WORKERS._source is not None
    parent = math_workers.MATH_WORKERS._source.process.pid
    listed = Path(f"/proc/{parent}/task/{parent}/children")
    if not listed.exists():
        pytest.skip("this system does not list the children of a process")
    return [int(pid) for pid in listed.read_text().split()]


def test_a_dead_process_is_replaced():
    target = Target("math", "\\frac{1}{2}")
    assert grade("2/4", target, raw=True).status == "right"
    for pid in workers():
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    assert grade("3/6", target, raw=True).status == "right"
    source = math_workers.MATH_WORKERS._source
    assert source is not None
    orphans = workers()
    source.process.kill()
    source.process.wait()
    for pid in orphans:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    assert grade("4/8", target, raw=True).status == "right"


def test_a_right_answer_survives_the_death_of_every_process():
    target = Target("math", "\\frac{2}{3}")
    for _ in range(3):
        assert grade("4/6", target, raw=True).status == "right"
        killed = workers()
        math_workers.MATH_WORKERS._source.process.kill()
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        assert grade("6/9", target, raw=True).status == "right"
        assert grade("6/8", target, raw=True).status == "wrong"


def test_threads_get_their_own_answers():
    wrong: list[int] = []

    def ask(place: int) -> None:
        for step in range(10):
            equal = (place + step) % 2 == 0
            verdict = grade(
                f"{place + step}/{7 if equal else 9}", Target("math", f"\\frac{{{place + step}}}{{7}}"), raw=True
            )
            if (verdict.status == "right") != equal and place + step:
                wrong.append(place)

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_event_loop_goes_on_while_mathematics_is_worked_out(monkeypatch):
    monkeypatch.setattr(symbolic, "DEADLINE_SECONDS", 0.5)
    target = Target("math", "\\frac{1}{2}")
    assert grade("2/4", target, raw=True).status == "right"

    async def ticks(done: asyncio.Event) -> int:
        count = 0
        while not done.is_set():
            await asyncio.sleep(0.01)
            count += 1
        return count

    async def judge() -> tuple[list[str], int]:
        done = asyncio.Event()
        counting = asyncio.create_task(ticks(done))
        answers = ["3/6", "(10^6)!", "4/8", "1/3"] * 3
        verdicts = await asyncio.gather(*(grade_async(answer, target, raw=True) for answer in answers))
        done.set()
        return [verdict.status for verdict in verdicts], await counting

    statuses, count = asyncio.run(judge())
    assert statuses == ["right", "unparsed", "right", "wrong"] * 3
    assert count > 5


def test_a_missing_package_says_what_to_install(monkeypatch, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, json, socket\n"
        "socket.socket(fileno=int(sys.argv[1])).sendall(json.dumps(['missing', 'No module']).encode() + b'\\n')\n"
    )
    monkeypatch.setattr(math_workers, "_SCRIPT", script)
    math_workers.MATH_WORKERS.stop()
    with pytest.raises(ModomodoError, match=r"install modomodo\[verify\]"):
        grade("1/3", Target("math", "\\frac{2}{6}"), raw=True)


def test_a_fork_leaves_the_process_to_its_parent():
    target = Target("math", "\\frac{1}{2}")
    assert grade("2/4", target, raw=True).status == "right"
    child = os.fork()
    if child == 0:
        os._exit(0 if math_workers.MATH_WORKERS._source is None and not math_workers.MATH_WORKERS._idle else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert grade("3/6", target, raw=True).status == "right"


@pytest.mark.parametrize("gold", ["f(2) = 5", r"\angle ABC = 5^\circ", "AB = 5", "x_1 = 5"])
def test_a_gold_may_name_its_number(gold):
    target = Target("math", gold)
    assert parse_gold(target) is None
    assert grade("5", target, raw=True).status == "right"
    assert grade("x=6=5", target, raw=True).status == "wrong"
    assert grade("2+3", target, raw=True).reward == 0


def test_a_gold_that_is_an_equation_is_no_number():
    target = Target("math", "x+y=5")
    assert grade("y=5-x", target, raw=True).status == "right"
    assert grade("y=6-x", target, raw=True).status == "wrong"
