"""Further pilots of a study: the mixtures of `extra`, as `modomodo next` prints them."""

import tomllib
from pathlib import Path

import pytest

from modomodo.config.study import Study, load_study
from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.core.toml import parse
from modomodo.mixing.proposal import Proposal, Proposals, study_lines
from modomodo.study.plan import pilot_runs

TABLE = {"name": "s", "recipe": {"domains": ["spatial", "science", "refer"]}, "benchmarks": ["charts"]}


def test_extra_mixtures_follow_the_design_and_repeats_take_the_next_seed():
    third = 0.333333333333
    extra = [{"spatial": 0.75, "refer": 0.25}, dict.fromkeys(("refer", "science", "spatial"), third)]
    study = parse(Study, TABLE | {"replicates": 2, "extra": [*extra, *extra]}, where="")
    planned = {one.label: one.recipe for one in pilot_runs(study)}
    assert list(planned)[-4:] == ["extra:1", "extra:2", "extra:3", "extra:4"]
    assert planned["extra:1"].mixture.key == Mixture.of(extra[0]).key
    assert planned["extra:1"].seed == planned["single:refer"].seed == planned["equal"].seed
    assert planned["extra:3"].seed == planned["equal#2"].seed
    assert planned["extra:2"].mixture.key == planned["equal"].mixture.key
    assert len({planned[label].seed for label in ("equal", "equal#2", "extra:2", "extra:4")}) == 4
    assert len(pilot_runs(parse(Study, TABLE | {"replicates": 2}, where=""))) == len(planned) - 4


def test_with_two_domains_one_mixture_under_two_labels_counts_once():
    table = TABLE | {"recipe": {"domains": ["spatial", "refer"]}, "extra": [{"spatial": 1.0}]}
    planned = {one.label: one.recipe for one in pilot_runs(parse(Study, table, where=""))}
    twice = parse(Study, table | {"extra": [], "replicates": 2}, where="")
    assert planned["extra:1"].seed == {one.label: one.recipe for one in pilot_runs(twice)}["equal#2"].seed


def test_printed_lines_at_the_end_of_a_study_come_back(tmp_path: Path):
    mixtures = (Mixture.uniform(("spatial", "science", "refer")), Mixture.of({"refer": 0.9999, "science": 0.0001}))
    pilots = tuple(Proposal(mixture, "new", None, 0.5, 0.01, 0.02, 0.001, "") for mixture in mixtures)
    path = tmp_path / "study.toml"
    study = """name = "s"
benchmarks = ["charts"]
[recipe]
domains = ["spatial", "science", "refer"]
"""
    lines = study_lines(Proposals("out", "higher", "gp", 8, pilots))
    path.write_text(f"{study}{lines}\n{lines}\n")
    found = [Mixture.of(weights).key for weights in load_study(path).extra]
    assert found == [mixture.key for mixture in mixtures] * 2
    odd = tuple(Proposal(Mixture.of({'a "b"': 1.0}), "new", None, 0.5, 0.01, 0.02, 0.001, "") for _ in range(1))
    assert tomllib.loads(study_lines(Proposals("out", "higher", "gp", 8, odd))) == {"extra": [{'a "b"': 1}]}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"spatial": 0.5, "refer": 0.4}, "mixture 1 of extra: weights sum to 0.9"),
        ({"spatial": 0.5, "refers": 0.5}, "mixture 1 of extra: .*did you mean refer"),
    ],
)
def test_a_wrong_mixture_is_refused(weights: dict[str, float], message: str):
    with pytest.raises(ModomodoError, match=message):
        parse(Study, TABLE | {"extra": [weights]}, where="")
