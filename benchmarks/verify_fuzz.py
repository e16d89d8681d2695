"""Hostile replies to every verifier, from the main thread, from threads and from asyncio: nothing escapes.

    python benchmarks/verify_fuzz.py [--count 100000] [--seed 0]

Shows that no exception escapes, that rewards stay in [0, 1], that no call outlives the deadline of `math` (CPU time, so
on the wall as many times as long as calls share a core) by more than half a second, and that memory stays bounded. Exit
code 1 where one of them fails. The machine should have nothing else to do.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import typer
from rich.progress import track

from modomodo import Target, Verdict, View, grade
from modomodo.core import child_rng
from modomodo.verifiers import DEADLINE_SECONDS, grade_async

TOGETHER = 8  # calls under way at once

GOLDS = (
    Target("format", ""),
    Target("choice", "B", ("a cat", "a dog", "x", "y")),
    Target("number", -1234.5),
    Target("count", 7),
    Target("math", r"\frac{1}{2}"),
    Target("math", "x^2+1"),
    Target("math", r"5\text{ cm}"),
    Target("math", r"\{1,2\}"),
    Target("math", r"25\pi"),
    Target("text", ("Red ball", "no")),
    Target("box", (10, 20, 30, 60), image_size=(641, 239)),
    Target("boxes", ((0, 0, 10, 10), (100, 0, 110, 20)), image_size=(641, 239)),
    Target("point", (10, 20, 30, 60), image_size=(641, 239)),
    Target("relaxed", "12%"),
    Target("anls", ("hello world", "hi")),
)
VIEWS = tuple(
    View(frame, (336, 252) if frame == "resized" else None, mode)
    for frame in ("pixels", "normalised1000", "unit", "resized")
    for mode in ("paper", "standard")
)
TAGS = ("<think>", "</think>", "<answer>", "</answer>", "<answer", "</think")
PIECES = (
    *TAGS, "(", ")", "[", "]", "{", "}", "[[", "]]", ",", ":", '"', "'", ".", "..", " ", "\n", "\t", "-", "+", "/", "%",
    "$", "1", "0", "9", "12.5", "-7", "1,234.5", "1e308", "1e999", "-1e-400", "nan", "NaN", "inf", "Infinity", "0x1f",
    "1_000", "9" * 60, "1" * 400, "^", "^{", "**", "!", "!!", "9^9^9", "9^{9^{9}}", "(10^6)!", "2^{9999}", r"\frac{",
    r"\sqrt{", r"\int_0^1 ", r"\sum_{n=1}^{\infty}", r"\lim_{x\to 0}", r"\binom{9999}{4999}", r"\begin{pmatrix}",
    r"\boxed{", r"\text{", "x", "x^2", "+1", "=", "\\", "B", "(B)", "**B**", "A or B", "the answer is ", "a dog",
    "I do not know", "no objects", "5", r"25\pi", "1,2", " cm", " million", r"\text{ cm}", r"\approx ", r"\pm ",
    "'", "_", "^T", r"\overline{", r"\{", r"\}", "...", "<|box_start|>", "<|box_end|>", "<ref>", "```json\n", "3 dogs",
    "Position", "Confidence", "bbox_2d", "label", "٣", "３", "²", "½", "−", "°", "ﷺ",
    "\u0301", "\u200b", "\u202e", "\ud800", "\x00", "\x1b[31m", "\x7f", "😀", "𝟗",
)  # fmt: skip


def hostile(rng: np.random.Generator) -> str:
    """Return a hostile answer or whole reply: pieces, repeated pieces, nests and towers."""
    kind = int(rng.integers(5))
    if kind == 0:
        text = "".join(PIECES[i] for i in rng.integers(len(PIECES), size=int(rng.integers(1, 30))))
    elif kind == 1:
        text = PIECES[int(rng.integers(len(PIECES)))] * int(rng.integers(1, 400))
    elif kind == 2:
        depth, opening = int(rng.integers(1, 60)), int(rng.integers(3))
        text = "([{"[opening] * depth + PIECES[int(rng.integers(len(PIECES)))] + ")]}"[opening] * depth
    elif kind == 3:
        text = "^".join(str(n) for n in rng.integers(1, 10 ** int(rng.integers(1, 6)), size=int(rng.integers(2, 5))))
    else:
        text = "".join(chr(int(c)) for c in rng.integers(0x110000, size=int(rng.integers(1, 40))))
    return text if rng.random() < 0.2 else f"<think>a</think> <answer>{text}</answer>"


def megabyte(rng: np.random.Generator) -> str:
    """Return a reply of one million characters."""
    piece = PIECES[int(rng.integers(len(PIECES)))]
    text = (piece * (1_000_000 // len(piece) + 1))[:1_000_000]
    return text if rng.random() < 0.5 else f"<think>a</think> <answer>{text}</answer>"


def drawn(count: int, seed: int) -> list[tuple[str, Target, View, bool]]:
    """Return the calls: replies, golds, views, and whether the reply is the bare answer; 200 are of a megabyte."""
    rng = child_rng(seed, "fuzz")
    long = set(rng.choice(count, size=min(200, count), replace=False).tolist())
    return [
        (
            megabyte(rng) if index in long else hostile(rng),
            GOLDS[int(rng.integers(len(GOLDS)))],
            VIEWS[int(rng.integers(len(VIEWS)))],
            bool(rng.random() < 0.3),
        )
        for index in track(range(count), description="drawing")
    ]


def judged(call: tuple[str, Target, View, bool]) -> tuple[Verdict, float]:
    completion, target, view, raw = call
    started = time.perf_counter()
    return grade(completion, target, view, raw=raw), time.perf_counter() - started


async def judged_async(calls: Sequence[tuple[str, Target, View, bool]]) -> list[tuple[Verdict, float]]:
    """Return the verdicts of calls that are under way together."""
    room = asyncio.Semaphore(TOGETHER)

    async def one(call: tuple[str, Target, View, bool]) -> tuple[Verdict, float]:
        completion, target, view, raw = call
        async with room:
            started = time.perf_counter()
            return await grade_async(completion, target, view, raw=raw), time.perf_counter() - started

    return await asyncio.gather(*(one(call) for call in calls))


def megabytes() -> tuple[float, float]:
    """Return the largest resident memory so far of this process and of any ended child, in MiB."""
    return tuple(resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))  # type: ignore[return-value]


def main(count: int = 100_000, seed: int = 0) -> None:
    """Judge a third of the replies each way, and print what happened."""
    calls = drawn(count, seed)
    third = count // 3
    grade("2/4", Target("math", r"\frac{1}{2}"), raw=True)  # the processes of math-verify are warm
    before = megabytes()[0]
    ways = {
        "main thread": lambda: [judged(call) for call in track(calls[:third], description="main thread")],
        f"{TOGETHER} threads": lambda: list(ThreadPoolExecutor(TOGETHER).map(judged, calls[third : 2 * third])),
        "asyncio": lambda: asyncio.run(judged_async(calls[2 * third :])),
    }
    failed = False
    for way, run in ways.items():
        started = time.perf_counter()
        found = run()
        slowest = max(seconds for _, seconds in found)
        outside = [verdict for verdict, _ in found if verdict.reward is None or not 0 <= verdict.reward <= 1]
        statuses = Counter(verdict.status for verdict, _ in found)
        share = 1 if way == "main thread" else 1 + TOGETHER / (os.cpu_count() or 1)
        late = slowest > DEADLINE_SECONDS * share + 0.5
        failed |= late or bool(outside)
        print(
            f"{way}: {len(found):,} verdicts in {time.perf_counter() - started:.0f} s, none raised; "
            f"{json.dumps(statuses)}; {len(outside)} without a reward in [0, 1]; slowest {slowest:.2f} s"
            f"{'  TOO LATE' if late else ''}",
            flush=True,
        )
        for verdict in outside[:3]:
            print(f"  {verdict}"[:2000])
    here, children = megabytes()
    print(f"memory: {before:.0f} MiB before, at most {here:.0f} MiB here after, {children:.0f} MiB in a child")
    sys.exit(1 if failed or here > before + 500 else 0)


if __name__ == "__main__":
    typer.run(main)
