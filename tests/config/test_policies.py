import json
from pathlib import Path

import pytest

from modomodo.config.policies import Online, Piecewise
from modomodo.config.recipe import Recipe, digest, load_recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.core.toml import parse
from modomodo.mixing.online import Seen
from modomodo.runs.inputs import file_digests
from modomodo.runs.store import digest_names, run_key

NAMES = ["detect", "refer", "science"]
EVENLY = {"detect": 1 / 3, "refer": 1 / 3, "science": 1 / 3}
PARTS = [{"until": 0.3, "mixture": "single:refer"}, {"mixture": {"detect": 0.75, "refer": 0.25}}]


def recipe(mixture: object, **changes: object) -> Recipe:
    return parse(Recipe, {"domains": NAMES, "mixture": mixture, **changes}, where="r.toml")


# Of the version before policies: runs of plain mixtures keep their keys.
@pytest.mark.parametrize(
    ("mixture", "key"),
    [({"detect": 0.75, "refer": 0.25}, "d1938f939a5d208d"), ("equal", "e6da4e97e2554a81")],
    ids=["weights", "equal"],
)
def test_a_plain_mixture_keeps_its_identity_and_its_form(mixture, key):
    plain = Recipe.model_validate({"domains": ("detect", "refer"), "mixture": mixture})
    assert digest(plain.identity()) == key
    assert plain.requested is plain.mixture
    assert plain.model_dump(mode="json")["mixture"] == plain.requested.as_dict()


@pytest.mark.parametrize(
    "mixture",
    [
        PARTS,
        "dump",
        {"rule": "solved", "block": 3, "caps": {"refer": {"max": 0.2}}, "window": 9},
        {"rule": "sec", "start": {"detect": 0.5, "refer": 0.5}},
        {"rule": "ours", "pilots": "runs.csv", "benchmarks": ["charts"]},
    ],
    ids=["parts", "name", "caps", "start", "file"],
)
def test_a_policy_comes_back_from_its_json(mixture):
    found = recipe(mixture)
    again = Recipe.model_validate(json.loads(json.dumps(found.model_dump(mode="json"))))
    assert again == found
    assert again.identity() == found.identity()
    assert found.identity() != recipe("equal").identity()
    json.dumps(found.identity())


def test_parts_say_what_is_asked_for_and_when():
    found = recipe(PARTS, steps=10)
    assert isinstance(found.mixture, Piecewise)
    assert [length for length, _ in found.mixture.lengths(10)] == [3, 7]
    assert [length for length, _ in found.mixture.lengths(1)] == [1]
    assert found.requested_at(3) == Mixture.single("refer", NAMES)
    assert found.requested_at(4).as_dict() == {"detect": 0.75, "refer": 0.25}
    assert found.requested_at(10).as_dict() == {"detect": 0.75, "refer": 0.25}
    assert found.requested.vector(NAMES) == pytest.approx([0.7 * 0.75, 0.3 + 0.7 * 0.25, 0.0])
    assert digest_names(found) == ("model:nano", "domain:detect", "domain:refer")


def test_a_rules_settings_have_its_defaults_and_all_of_them_make_the_identity():
    found = recipe("dump")
    assert isinstance(found.mixture, Online)
    assert found.mixture == Online("dump", Mixture.uniform(NAMES), settings={"window": 300, "temperature": 0.1})
    assert recipe({"rule": "dump", "window": 300}).identity() == found.identity()
    others = [{"window": 9}, {"block": 2}, {"start": "single:refer"}, {"caps": {"refer": {"max": 0.5}}}]
    assert len({digest(recipe({"rule": "dump", **one}).identity()) for one in [{}, *others]}) == 5


def test_a_file_counts_by_what_it_holds(tmp_path: Path):
    keys = []
    for folder, text in (("a", "one"), ("b", "one"), ("c", "two")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "runs.csv").write_text(text)
        (tmp_path / folder / "r.toml").write_text(
            'domains = ["refer"]\nmixture = {rule = "ours", pilots = "runs.csv"}\n'
        )
        found = load_recipe(tmp_path / folder / "r.toml")
        known = {"model:nano": "m", "domain:refer": "d", **file_digests([found])}
        keys.append(run_key(found, known))
    assert keys[0] == keys[1] != keys[2]
    with pytest.raises(ModomodoError, match=r"mixture\.pilots is none\.csv, which is no file"):
        file_digests([recipe({"rule": "ours", "pilots": "none.csv"})])


def test_caps_hold_in_every_block():
    log = [{name: Seen(4, 16, 0.5, 0.9 if name == "refer" else 0.1, 0.0) for name in NAMES}]
    free, capped = (recipe({"rule": "dump", "caps": caps}).mixture for caps in ({}, {"refer": {"max": 0.4}}))
    assert isinstance(free, Online)
    assert isinstance(capped, Online)
    assert free.weights(log)["refer"] > 0.9
    assert capped.weights(log)["refer"] == pytest.approx(0.4)
    assert sum(capped.weights(log).values()) == pytest.approx(1)
    assert free.weights([]) == pytest.approx(EVENLY)


def test_domains_without_a_share_at_the_start_take_no_part():
    found = recipe({"rule": "dump", "start": {"detect": 0.5, "refer": 0.5}}).mixture
    assert isinstance(found, Online)
    assert found.weights([]) == pytest.approx({"detect": 0.5, "refer": 0.5})


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ({"detect": 1.0}, "it names detect, not detect, refer, science"),
        ({**EVENLY, "detect": -0.1}, "weight of detect is -0.1"),
        ({**EVENLY, "detect": float("nan")}, "weight of detect is nan"),
        ({**EVENLY, "detect": 0.9}, "weights sum to 1.5"),
    ],
)
def test_a_rule_that_returns_no_shares_is_named(shares, says, monkeypatch):
    found = recipe("solved").mixture
    monkeypatch.setattr("modomodo.config.policies.find_rule", lambda name: lambda start, log, **settings: shares)
    assert isinstance(found, Online)
    with pytest.raises(ModomodoError, match=f"the rule 'solved', after 0 steps: {says}"):
        found.weights([])


@pytest.mark.parametrize(
    ("mixture", "says"),
    [
        ("dmup", r"cannot read 'dmup'; .* did you mean dump"),
        ({"rule": "dmup"}, "unknown rule 'dmup'; did you mean dump"),
        ({"rule": "dump", "windw": 3}, "the rule 'dump' has no setting 'windw'; did you mean window"),
        ({"rule": "dump", "blok": 3}, "no setting 'blok'; did you mean block"),
        ({"rule": "dump", "block": 0}, "block is 0: write a number of steps"),
        ({"rule": "dump", "start": "single:refers"}, "did you mean refer"),
        ({"rule": "dump", "caps": {"refer": 0.3}}, "caps are .*write {NAME = {max = 0.3}}"),
        ({"rule": "dump", "caps": {"refers": {"max": 0.3}}}, "cap on unknown domain 'refers'"),
        ({"rule": "dump", "start": "single:refer", "caps": {"refer": {"max": 0.3}}}, "no mixture satisfies the caps"),
        ({"rule": "ours"}, "the rule 'ours' needs pilots: add it, a path"),
        ([], "the list has no parts"),
        ([{"until": 0.5, "mixture": "equal"}], "part 1: until is 0.5: the last one is until 1"),
        ([{"mixture": "equal"}, {"mixture": "equal"}], "part 1: until is None: write the share of the steps"),
        ([{"until": 20, "mixture": "equal"}, {"mixture": "equal"}], "part 1: until is 20: write the share"),
        ([{"until": 0.5, "mix": "equal"}, {"mixture": "equal"}], "part 1 is .*write {until = 0.5, mixture = ...}"),
        ([{"until": 0.5, "mixture": "equal", "x": 1}, {"mixture": "equal"}], "part 1: unknown key 'x'"),
        ([{"until": 0.5, "mixture": {"refers": 1.0}}, {"mixture": "equal"}], "part 1: .*did you mean refer"),
        (
            [{"until": 0.5, "mixture": "dump"}, {"mixture": "equal"}],
            "part 1: 'dump' is a rule, and a start or a part has weights",
        ),
        (
            [{"until": 0.5, "mixture": "equal"}, {"until": 0.4, "mixture": "equal"}, {"mixture": "equal"}],
            "part 2 is until 0.4, part 1 until 0.5",
        ),
        ("recommended", "modomodo train STUDY"),
    ],
)
def test_a_wrong_policy_is_refused_in_plain_words(mixture, says):
    with pytest.raises(ModomodoError, match=says) as error:
        recipe(mixture)
    assert str(error.value).startswith("r.toml: mixture: ")


def test_a_domain_may_be_called_rule():
    found = parse(Recipe, {"domains": ["rule", "b"], "mixture": {"rule": 0.5, "b": 0.5}}, where="")
    assert found.requested.as_dict() == {"rule": 0.5, "b": 0.5}
