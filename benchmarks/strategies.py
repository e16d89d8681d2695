"""Mixture strategies on RegMix's published runs (17 domains, mean of 13 losses, 256 held-out mixtures).

    OMP_NUM_THREADS=1 python benchmarks/strategies.py [--first-seed 0] [--seeds 20] [--names ours,regmix,olmix,random]

All strategies see the same random subsets of the 512 training mixtures. rho: Spearman's of predicted and observed on
the held-out mixtures. regret: the best of them minus the predicted best, in their standard deviations. Each finished
subset is kept in a CSV; killed and started again it goes on where it was.
"""

import csv
import io
from pathlib import Path
from typing import Annotated

import typer
from regmix import load

from modomodo.core import write_text
from modomodo.mixing.strategies import Goal, Outcome, Pool, Spread, on_draw, pool_of, summaries

HERE = Path(__file__).parent
FIELDS = ("strategy", "n", "draw", "rho", "regret", "problem")
Key = tuple[int, int, str]


def read(path: Path) -> dict[Key, Outcome]:
    """Return the outcomes of the subsets that are finished."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    found = [
        Outcome(
            line["strategy"],
            int(line["n"]),
            int(line["draw"]),
            float(line["rho"]),
            float(line["regret"]),
            line["problem"],
        )
        for line in lines
    ]
    return {(one.n, one.draw or 0, one.strategy): one for one in found}


def write(path: Path, found: dict[Key, Outcome]) -> None:
    """Write all outcomes, whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows([getattr(one, field) for field in FIELDS] for _, one in sorted(found.items()))
    write_text(path, text.getvalue())


def complete(pool: Pool, path: Path, wanted: list[Key]) -> dict[Key, Outcome]:
    """Return all wanted outcomes, after running those that the file lacks."""
    found = read(path)
    rounds = list(dict.fromkeys((n, draw) for n, draw, _ in wanted))
    with typer.progressbar(rounds, label="subsets") as bar:
        for n, draw in bar:
            lacking = [key[2] for key in wanted if key[:2] == (n, draw) and key not in found]
            if lacking:
                found |= {(n, draw, one.strategy): one for one in on_draw(pool, n, names=lacking, seed=0, index=draw)}
                write(path, found)
    return {key: found[key] for key in wanted}


def words(found: Spread | None, sign: str = "") -> str:
    """Return a mean with its 95 % interval."""
    if found is None or not found.count:
        return ""
    return f"{found.mean:{sign}.3f} ({found.lo95:{sign}.3f} to {found.hi95:{sign}.3f})"


def main(
    first_seed: int = 0,
    seeds: int = 20,
    sizes: str = "16,32,64,128",
    names: str = "ours,regmix,olmix,random",
    out: Annotated[Path, typer.Option(help="where finished subsets are kept")] = HERE / "results" / "strategies.csv",
) -> None:
    """Print markdown tables of rho, regret, and regret minus ours, with 95 % intervals over the subsets."""
    goal = Goal(direction="lower")
    pool, _ = pool_of(load("train"), goal=goal, test=load("test"))
    chosen, draws = names.split(","), range(first_seed, first_seed + seeds)
    wanted = [(int(n), draw, name) for n in sizes.split(",") for draw in draws for name in chosen]
    found = summaries(tuple(complete(pool, out, wanted).values()), names=chosen, against="ours")
    print("| runs | strategy | subsets | rho | regret | median | regret minus ours |\n|---|---|---|---|---|---|---|")
    for one in sorted(found, key=lambda one: (one.n, chosen.index(one.strategy))):
        cells = (words(one.rho), words(one.regret), f"{one.regret.median:.3f}", words(one.behind, "+"))
        print(f"| {one.n} | {one.strategy} | {one.draws} | {' | '.join(cells)} |")
    for problem in sorted({f"{one.strategy}, {one.n} runs: {one.problem}" for one in found if one.problem}):
        print(f"\n{problem}")


if __name__ == "__main__":
    typer.run(main)
