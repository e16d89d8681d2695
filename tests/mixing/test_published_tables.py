"""The default surrogate on published runs: RegMix (17 domains, 13 losses) and MoDoMoDo (5 domains, 7 benchmarks)."""

import csv
from pathlib import Path

import numpy as np
import pytest

from modomodo.mixing import Runs, fit, read_runs
from modomodo.mixing.aggregates import aggregate_of, default_weights
from modomodo.mixing.validation import spearman

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
FOLDER = DATA / "regmix"
SIZES = {"LISA": 3397, "SAT": 1928, "ScienceQA": 2017, "ChartQA": 2500, "InfoVQA": 2801, "MathVista": 1000, "MMMU": 900}


def load(part: str) -> Runs:
    """Return RegMix's runs, as they are published: weights of three decimals, and losses in a file of their own."""
    with pytest.warns(UserWarning, match="each was divided by its sum") as caught:
        runs = read_runs(FOLDER / part / "mixtures.csv", metrics=FOLDER / part / "outcomes.csv")
    assert len(caught) == 1
    return runs


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no RegMix data at {FOLDER}")
def test_gp_ranks_unseen_mixtures_from_32_runs():
    """On average over subsets rho is .96; anything near that will do here."""
    train, test = load("1m_train"), load("1m_test")
    rows = np.random.default_rng(0).choice(512, 32, replace=False)
    few = Runs(
        train.domains, train.benchmarks, train.X_ND[rows], train.y_NB[rows], train.se_NB[rows], train.n_NB[rows],
        (None,) * 32, (None,) * 32, tuple(train.labels_N[row] for row in rows),
    )  # fmt: skip
    fitted = fit(few, direction="lower")
    predicted = fitted.predict(test.X_ND)
    average_N = test.y_NB.mean(axis=1)
    assert spearman(average_N, predicted.mean_NK[:, -1]) > 0.93
    low_NK, high_NK = predicted.interval(0.9)
    inside = np.mean((test.y_NB >= low_NK[:, :-1]) & (test.y_NB <= high_NK[:, :-1]))
    assert 0.85 < inside < 0.995
    inside = np.mean((average_N >= low_NK[:, -1]) & (average_N <= high_NK[:, -1]))
    assert inside > 0.85
    assert fitted.validation()[-1].r2 > 0.8


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no published tables at {DATA}")
def test_gp_on_the_paper_s_runs_knows_what_it_can_tell(tmp_path: Path):
    """Scores inside the training distribution are predictable from 21 runs (R2 .85 and more);
    scores outside are noise, and the intervals say so."""
    with (DATA / "modomodo_table2.csv").open(newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["w_COCO"] and line["group"] != "base"]
    weights = [name for name in lines[0] if name.startswith("w_")]
    header = [f"w.{name[2:]}" for name in weights]
    header += [f"{kind}.{name}" for name in SIZES for kind in ("score", "n")]
    rows = [[line[name] for name in weights] + [str(x) for b in SIZES for x in (line[b], SIZES[b])] for line in lines]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(",".join(row) for row in [header, *rows]))
    names = list(SIZES)
    parts = {"In": names[:3], "Out": names[3:]}
    aggregates = {part: {name: float(SIZES[name]) for name in inside} for part, inside in parts.items()}
    fitted = fit(read_runs(path), aggregates=aggregates)
    figures = {found.name: found for found in fitted.validation()}
    assert figures["In"].n == 21
    assert figures["In"].r2 > 0.85
    assert figures["Out"].r2 < 0.4
    assert figures["In"].cover90 >= 0.8
    assert figures["Out"].cover90 >= 0.75


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no published tables at {DATA}")
@pytest.mark.parametrize(("part", "names"), [("In", list(SIZES)[:3]), ("Out", list(SIZES)[3:])])
def test_the_paper_s_scores_follow_from_their_parts(part: str, names: list[str]):
    with (DATA / "modomodo_table2.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    n_NB = np.tile([float(SIZES[name]) for name in names], (len(lines), 1))
    weights = default_weights(n_NB, benchmarks=names)
    mixed = aggregate_of(part, weights=weights, directions=dict.fromkeys(names, "higher"))
    y_NB = np.array([[float(line[name]) for name in names] for line in lines])
    found_N = y_NB @ mixed.vector(names)
    assert len(found_N) == 42
    # Printed with four decimals: half of the last one is what rounding leaves.
    assert np.abs(found_N - [float(line[part]) for line in lines]).max() < 5e-5
