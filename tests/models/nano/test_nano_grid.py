"""The grid of real runs as strategies read it, mostly on a made-up table of its form."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from modomodo.config.study import load_study
from modomodo.core.errors import ModomodoError
from modomodo.mixing.strategies import STRATEGIES, on_grid
from modomodo.models.nano import grid
from modomodo.study.plan import pilot_row_caps
from modomodo.testing import nano_grid, nano_grid_table

NANO = Path(grid.__file__).parents[1]
MIXTURES = ((0.5, 0.5), (1.0, 0.0), (0.0, 1.0), (0.3, 0.7), (0.7, 0.3), (0.2, 0.8))


def rows(world: str, names: tuple[str, str]) -> list[dict[str, object]]:
    base: dict[str, object] = {"world": world, "run": "base", "steps": 0, "score.charts": 0.2, "score.maths": 0.2}
    found = [base]
    for place, (mixture, seed) in enumerate((mixture, seed) for mixture in MIXTURES for seed in (1, 2)):
        steps = 19 if mixture[1] == 1 else 30
        scores = {
            f"score{at}.{name}": mixture[0] / 2 + seed / 100 for name in ("charts", "maths") for at in ("", "@20")
        }
        if steps < 20:
            scores |= {"score@20.charts": np.nan, "score@20.maths": np.nan}
        shares = {f"w.{name}": weight for name, weight in zip(names, mixture, strict=True)}
        tests = {f"in.{name}": 0.4 + place / 100 for name in names}
        part = "pairs" if min(mixture) else "seed set"
        some = {"part": part, "run": f"run {place}", "seed": seed, "steps": steps, "se.charts": 0.02, "se.maths": 0.02}
        found.append({"world": world, **some, **shares, **scores, **tests, "held.easy_vqa": 0.6})
    return found


@pytest.fixture(autouse=True)
def table(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    monkeypatch.setattr(grid, "TABLE", tmp_path / "grid.parquet")
    monkeypatch.setattr(grid, "CAPS", {"uneven": {"b": (0.0, 0.9)}, "control": {}})
    pd.DataFrame([*rows("uneven", ("a", "b")), *rows("control", ("c", "d"))]).to_parquet(grid.TABLE)


def test_a_world_has_its_own_domains_and_the_base_model_is_no_run():
    assert "w.a" not in nano_grid_table("control")
    assert len(nano_grid_table("uneven")) == 1 + 2 * len(MIXTURES)
    found = nano_grid("control")
    assert found.runs.domains == ("c", "d")
    assert found.runs.benchmarks == ("charts", "maths", "in.c", "in.d")
    assert len(found.X_MD) == len(MIXTURES)
    assert found.good_M2[0] == pytest.approx([0.26, 0.27])
    assert sorted(set(found.runs.steps_N)) == [19, 30]


def test_earlier_scores_tell_nothing_of_what_is_to_come():
    early = nano_grid("uneven", step=20)
    assert np.isfinite(early.good_M2).all()  # the run that ended at step 19 has its last scores
    assert np.isnan(early.runs.y_NB[:, 2:]).all()
    assert early.goal.inside is None
    assert sorted(set(early.runs.steps_N)) == [19, 20]
    with pytest.raises(ModomodoError, match="no run of the grid was scored after step 7"):
        nano_grid("uneven", step=7)


def test_a_part_may_be_left_out():
    assert len(nano_grid("uneven", without="seed set").X_MD) == len(MIXTURES) - 2
    with pytest.raises(ModomodoError, match=r"the grid has no part 'pair'; did you mean pairs\?"):
        nano_grid("uneven", without="pair")


def test_runs_that_end_early_are_neither_drawn_nor_recommended():
    found = nano_grid("uneven")
    assert sorted(found.allowed) == [place for place, mixture in enumerate(MIXTURES) if mixture[1] <= 0.9]
    assert sorted(nano_grid("control").allowed) == list(range(len(MIXTURES)))


@pytest.mark.parametrize("world", ["uneven", "control"])
def test_the_caps_are_what_rows_last_for(world, monkeypatch):
    monkeypatch.undo()
    study = load_study(NANO / world / "study.toml")
    lasting = {name: ends for name, ends in pilot_row_caps(study).items() if ends != (0.0, 1.0)}
    assert grid.CAPS[world] == {name: pytest.approx(ends) for name, ends in lasting.items()}


def test_strategies_run_on_it():
    chosen = {name: STRATEGIES[name] for name in ("equal", "single", "alpha-in")}
    assert not any(one.problem for one in on_grid(nano_grid("uneven"), chosen, sizes=(3,), draws=1).outcomes)


@pytest.mark.parametrize(("world", "mixtures", "within"), [("uneven", 150, 142), ("control", 60, 60)])
def test_the_shipped_grid_has_every_mixture_at_two_seeds(world, mixtures, within, monkeypatch):
    monkeypatch.undo()
    found = nano_grid(world)
    assert found.good_M2.shape == (mixtures, 2)
    assert len(found.allowed) == within
    assert np.isfinite(found.good_M2).all()


def test_a_copy_without_the_table_says_so(monkeypatch):
    monkeypatch.setattr(grid, "TABLE", grid.TABLE.with_name("none.parquet"))
    with pytest.raises(ModomodoError, match=r"none.parquet is not there: install modomodo again"):
        nano_grid()
