"""Verdicts a second of each verifier, on one thread; of `math` with two threads, so two worker processes.

    python benchmarks/verify_speed.py

Also: how long hostile mathematics takes to be refused, and how soon the next verdicts come.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from modomodo import Target, View, grade

VIEW = View(mode="standard")
SECONDS = 1.0
HOSTILE = (r"9^{9^{9}}", r"(10^6)!", "(" * 40 + "1" + ")" * 40, r"\int_0^\infty e^{-x^2} \sin(x^3) dx", r"9^{9!}")

Case = tuple[str, Target]


def say(answer: str) -> str:
    return f"<think>some short thought</think> <answer>{answer}</answer>"


def cases() -> dict[str, tuple[float, Sequence[Case]]]:
    """Return name -> (verdicts a second asked for, replies with their golds), a hundred different ones each."""
    animals = Target("choice", "B", ("a cat", "a dog", "a bird", "none"))
    said = ("B", "(B)", "A", "a dog", "B. a dog", "the answer is B", "C", "**B**", "A or B", "a bird")
    box = Target("box", (10, 20, 30, 60), image_size=(640, 240))
    numbers = range(100)
    return {
        "format": (100_000, [(say(str(n)), Target("format", "")) for n in numbers]),
        "choice": (30_000, [(say(said[n % 10]), animals) for n in numbers]),
        "number": (30_000, [(say(f"{n}.5" if n % 2 else f"${n},000"), Target("number", n)) for n in numbers]),
        "text": (30_000, [(say(f"Answer {n}."), Target("text", f"answer {n}")) for n in numbers]),
        "box": (30_000, [(say(f"[10, {n}, 30, {n + 50}]"), box) for n in numbers]),
        "math, fast path": (20_000, [(say(f"{n}.0" if n % 2 else str(n)), Target("math", str(n))) for n in numbers]),
    }


def algebra() -> list[Case]:
    """Return plain numeric and short LaTeX answers that no fast path decides."""
    found: list[Case] = []
    for n in range(2, 102):
        found += [
            (say(rf"\frac{{{n}}}{{7}}"), Target("math", f"{n}/7")),
            (say(rf"{n}\sqrt{{2}}"), Target("math", rf"\sqrt{{{2 * n * n}}}")),
            (say(f"{n}.5"), Target("math", rf"\frac{{{2 * n + 1}}}{{2}}")),
        ]
    return found


def rate(some: Sequence[Case], grade_all: Callable[[Sequence[Case]], object]) -> float:
    """Return verdicts a second over a second or more, golds seen before."""
    grade_all(some)
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        grade_all(some)
        count += len(some)
    return count / (time.perf_counter() - started)


def one_thread(some: Sequence[Case]) -> None:
    for completion, target in some:
        grade(completion, target, VIEW)


def main() -> None:
    """Print each rate beside what is asked."""
    for name, (asked, some) in cases().items():
        found = rate(some, one_thread)
        print(f"{name:16} {found:9,.0f} a second (at least {asked:,} is asked){'' if found >= asked else '  TOO SLOW'}")
    with ThreadPoolExecutor(2) as pool:

        def two_threads(some: Sequence[Case]) -> None:
            list(pool.map(lambda case: grade(case[0], case[1], VIEW), some))

        found = rate(algebra(), two_threads)
    print(
        f"{'math, 2 workers':16} {found:9,.0f} a second (at least 200 is asked){'' if found >= 200 else '  TOO SLOW'}"
    )
    hostile()


def hostile(next_ones: int = 40) -> None:
    """Print how long each hostile answer takes, and the slowest of the next verdicts, in milliseconds."""
    target = Target("math", "5")
    after: list[float] = []
    for answer in HOSTILE:
        started = time.perf_counter()
        verdict = grade(say(answer), target, VIEW)
        print(
            f"{answer[:40]:42} {verdict.status:9} after {time.perf_counter() - started:5.2f} s  {verdict.reason[:60]}"
        )
        for completion, gold in algebra()[:next_ones]:
            started = time.perf_counter()
            grade(completion, gold, VIEW)
            after.append(time.perf_counter() - started)
    print(f"next {len(after)} verdicts: 99th percentile {1000 * np.quantile(after, 0.99):.0f} ms (under 100 is asked)")


if __name__ == "__main__":
    main()
