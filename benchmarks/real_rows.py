"""Real rows of eleven public sets: every gold answer earns 1, and golds shuffled within a set earn chance.

    python benchmarks/real_rows.py

The domains are those of real_sets.toml. Chance is worked out from the golds before anything is graded: the sum of
squared shares of the different answers, and for boxes the mean over all pairs of rows, by code of its own. Shuffled
golds may earn more than that by 4 standard errors at most. Rows with text or boxes are judged as `relaxed`, `anls`,
`box` and `point` too, so that each kind of answer is met.
"""

import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np

from modomodo import Row, View, find_domain, grade
from modomodo.config import with_data
from modomodo.core import Box
from modomodo.data import Source
from modomodo.verifiers import gold_reply

SETS = Path(__file__).with_name("real_sets.toml")
SHUFFLES = 2000
MARGIN = 4.0  # standard errors
VIEWS = (View(), View(mode="standard"), View(frame="normalised1000"), View(frame="unit"))


def main() -> int:
    """Print the table; return 1 when a row or a set breaks its bound."""
    cases = list(_cases())
    print(f"{sum(len(rows) for name, rows in cases if '/' not in name)} rows of 11 sets")
    print(f"{'set':24}{'judged as':10}{'rows':>5}{'gold':>7}{'chance':>9}{'shuffled':>10}{'s.e.':>8}  verdict")
    worst = 0
    for name, rows in cases:
        bad = [row.id for row in rows if any(_earned(row, view) != 1 for view in VIEWS)]
        chance = _chance(rows)
        mean, error = _shuffled(rows)
        fine = not bad and mean <= chance + MARGIN * error + 1e-12
        worst |= not fine
        print(
            f"{name:24}{rows[0].target.verifier:10}{len(rows):5}{1 - len(bad) / len(rows):7.3f}{chance:9.4f}"
            f"{mean:10.4f}{error:8.4f}  {'holds' if fine else f'BROKEN {bad[:5]}'}"
        )
    return worst


def _cases() -> Iterator[tuple[str, list[Row]]]:
    """Yield the rows of each entry, and those judged by another verifier as well, named entry/verifier."""
    tables = with_data({"data": tomllib.loads(SETS.read_text())}, SETS.parent)["data"]
    sources = {name: Source.model_validate(table) for name, table in tables.items()}
    for name in sources:
        rows = list(find_domain(name, sources=sources).load("train"))
        yield name, rows
        for other in {"text": ("anls", "relaxed"), "count": ("number", "relaxed")}.get(rows[0].target.verifier, ()):
            yield f"{name}/{other}", [replace(row, target=replace(row.target, verifier=other)) for row in rows]
        single = [row for row in rows if row.target.verifier == "boxes" and len(_boxes(row)) == 1]
        for other in ("box", "point") if len(single) > 1 else ():
            yield (
                f"{name}/{other}",
                [replace(row, target=replace(row.target, verifier=other, value=_boxes(row)[0])) for row in single],
            )


def _earned(row: Row, view: View) -> float | None:
    return grade(gold_reply(row.target, view), row.target, view).reward


def _shuffled(rows: Sequence[Row]) -> tuple[float, float]:
    """Return the mean reward of golds shuffled among rows, and its standard error over the shuffles."""
    replies = [gold_reply(row.target) for row in rows]
    reward_NN = np.array([[grade(reply, row.target).reward for reply in replies] for row in rows], dtype=float)
    rng = np.random.default_rng(0)
    lines_N = np.arange(len(rows))
    means = np.array([reward_NN[lines_N, rng.permutation(len(rows))].mean() for _ in range(SHUFFLES)])
    return float(means.mean()), float(means.std(ddof=1) / SHUFFLES**0.5)


def _chance(rows: Sequence[Row]) -> float:
    verifier = rows[0].target.verifier
    if verifier in ("box", "boxes"):
        least = 0.5 if verifier == "boxes" else 0.0
        return float(np.mean([[_overlap(_boxes(a), _boxes(b), least) for b in rows] for a in rows]))
    if verifier == "point":
        return float(np.mean([[_inside(_boxes(a)[0], _boxes(b)[0]) for b in rows] for a in rows]))
    shares = np.array(list(Counter(_answer(row) for row in rows).values())) / len(rows)
    return float((shares**2).sum())


def _answer(row: Row) -> str:
    """Return the gold so that equal answers are equal texts."""
    text = str(row.target.value).strip().lower()
    try:
        return str(Fraction(text.replace(",", "")))
    except ValueError:
        return text


def _boxes(row: Row) -> tuple[Box, ...]:
    value = row.target.value
    return cast(tuple[Box, ...], value if row.target.verifier == "boxes" else (value,))


def _overlap(golds: Sequence[Box], replied: Sequence[Box], least: float) -> float:
    """Return the summed IoU above `least` of pairs, the replied boxes choosing in order, over the larger count."""
    if not golds or not replied:
        return float(len(golds) == len(replied))
    a, b = np.array(golds)[:, None], np.array(replied)[None]
    sides = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None)
    shared = sides.prod(-1)
    areas = [(one[..., 2:] - one[..., :2]).prod(-1) for one in (a, b)]
    iou = shared / (areas[0] + areas[1] - shared)
    total = 0.0
    for column in iou.T:
        best = int(column.argmax())
        if column[best] > least:
            total += column[best]
            iou[best] = -1.0
    return total / max(len(golds), len(replied))


def _inside(gold: Box, other: Box) -> bool:
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return gold[0] <= x <= gold[2] and gold[1] <= y <= gold[3]


if __name__ == "__main__":
    sys.exit(main())
