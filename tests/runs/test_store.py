import errno
import json
import os
import re
import shutil
from pathlib import Path

import pytest
from fake_runs import digests, recipe, scored

from modomodo.config.sections import Evaluation
from modomodo.core.errors import ModomodoError
from modomodo.core.mixture import Mixture
from modomodo.runs.store import SIGNATURE, Store, digest_names, run_key

KEY = "0123456789abcdef"


def started(folder: Path) -> Store:
    store = Store(folder)
    with store.claim(KEY):
        store.begin(KEY, recipe("steps", 3))
    return store


def test_a_key_holds_what_determines_a_run_and_nothing_else():
    single = recipe("steps", 3, mixture="single:colour")
    known = digests("steps")
    key = run_key(single, known)
    assert len(key) == 16
    assert digest_names(single) == ("model:steps", "domain:colour")
    assert run_key(single, {**known, "domain:count": "other", "model:else": "x"}) == key
    assert run_key(single, {**known, "domain:colour": "other"}) != key
    assert run_key(single, {**known, "model:steps": "other"}) != key
    assert run_key(single.model_copy(update={"seed": 4}), known) != key
    assert run_key(single.model_copy(update={"mixture": Mixture.of({"colour": 1.0}), "save_every": 7}), known) == key


def test_a_run_without_training_needs_no_rows_of_domains():
    assert digest_names(recipe("steps", 3, steps=0)) == ("model:steps",)


def test_a_missing_digest_is_named():
    with pytest.raises(ModomodoError, match=r"no digest of domain:count .* did you mean domain:counts"):
        run_key(recipe("steps", 3, mixture="single:count"), {"model:steps": "m", "domain:counts": "c"})


def test_a_result_comes_back_and_ends_the_folder(tmp_path: Path):
    store = started(tmp_path)
    assert not store.finished(KEY)
    assert store.finished_keys() == []
    with pytest.raises(ModomodoError, match="not finished"):
        store.result_data(KEY)
    store.write_result(KEY, {"scores": {"chart": scored(0.31)}})
    assert store.finished(KEY)
    assert store.result_data(KEY) == {"version": 1, "key": KEY, "scores": {"chart": scored(0.31)}}
    assert store.finished_keys() == [KEY]
    assert sorted(path.name for path in store.path(KEY).iterdir()) == ["lock", "recipe.json", "result.json"]
    assert type(recipe("steps", 3)).model_validate_json((store.path(KEY) / "recipe.json").read_text()) == recipe(
        "steps", 3
    )
    for write in (
        lambda: store.begin(KEY, recipe("steps", 3)),
        lambda: store.write_result(KEY, {}),
        lambda: store.write_failure(KEY, "late"),
    ):
        with pytest.raises(AssertionError):
            write()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"version": 1, "key": "0123', "damaged"),
        ("", "damaged"),
        ("[1]", "it holds a list"),
        ("\udcff", "damaged"),
        ('{"a":' * 20_000 + "1" + "}" * 20_000, "nested too deep"),
        ('{"version": ' + "1" * 5000 + "}", "damaged"),
        ('{"version": 2, "key": "0123456789abcdef"}', "version 2"),
        ('{"version": 1, "key": "fedc"}', "result of run 'fedc'"),
    ],
)
def test_a_damaged_result_says_which_file_and_what_to_do(tmp_path: Path, text: str, says: str):
    store = started(tmp_path)
    path = store.path(KEY) / "result.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ModomodoError, match=says) as caught:
        store.result_data(KEY)
    assert str(path) in str(caught.value)
    assert "again" in str(caught.value) or "upgrade" in str(caught.value)


SCORED = {"mixture": {"a": 1}, "seconds": 1.5, "seed": 3, "steps": 2, "scores": {"chart": scored(0.5)}}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"scores": None}, "scores: Input should be an object"),
        ({"scores": {"chart": "0.5"}}, "scores.chart: Input should be an object"),
        ({"scores": {"chart": 0.5}}, "scores.chart: Input should be an object"),
        ({"scores": [1]}, "scores: Input should be an object"),
        ({"scores": {"chart": {"mean": 0.5}}}, "scores.chart.benchmark: Field required"),
        ({"scores": {"chart": scored(0.5) | {"mean": "0.5"}}}, "scores.chart.mean: Input should be a valid number"),
        ({"scores": {"chart": scored(0.5) | {"se": float("nan")}}}, "Out of range float values are not JSON compliant"),
        ({"steps": "two"}, "steps: Input should be a valid integer"),
        ({"seed": [3]}, "seed: Input should be a valid integer"),
        ({"mixture": {"a": "half"}}, "mixture: weight of a is 'half'"),
        ({"realised": [1]}, "realised: Input should be an object"),
        ({"digests": {"a": 1}}, "digests.a: Input should be a valid string"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_result_of_other_values_is_damaged(tmp_path: Path, changes: dict[str, object], says: str):
    scored_on = recipe("steps", 3).model_copy(update={"evaluation": Evaluation(benchmarks=("chart",))})
    store = Store(tmp_path)
    with store.claim(KEY):
        store.begin(KEY, scored_on)
        store.write_result(KEY, {**SCORED, **changes})
    with pytest.raises(ModomodoError, match=re.escape(f"result.json is damaged ({says}")) as caught:
        store.result(KEY)
    assert "delete it and run the study again" in str(caught.value)


@pytest.mark.parametrize("lacking", ["mixture", "seconds", "seed", "steps"])
def test_a_result_must_say_what_the_run_was(tmp_path: Path, lacking: str):
    store = Store(tmp_path)
    with store.claim(KEY):
        store.begin(KEY, recipe("steps", 3).model_copy(update={"evaluation": Evaluation(benchmarks=("chart",))}))
        store.write_result(KEY, {name: value for name, value in SCORED.items() if name != lacking})
    with pytest.raises(ModomodoError, match=rf"damaged \({lacking}: "):
        store.result(KEY)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"equal": ["0123456789abcdef"]}', r"'equal' is \['0123456789abcdef'\], not the name of a run"),
        ('{"equal": {"key": 1}}', "not the name of a run"),
        ('{"equal": 7}', "not the name of a run"),
        ('{"equal": "../../elsewhere"}', "not the name of a run"),
        ('{"equal": ".."}', "not the name of a run"),
        ('["equal"]', "not a JSON object"),
        ('{"equal"', "damaged"),
        ('{"a":' * 20_000 + "1" + "}" * 20_000, "nested too deep"),
        ('{"equal": ' + "1" * 5000 + "}", "damaged"),
    ],
    ids=range(9),
)
def test_damaged_labels_say_so(tmp_path: Path, text: str, says: str):
    assert Store(tmp_path).labels() == {}
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(ModomodoError, match=says) as caught:
        Store(tmp_path).labels()
    assert "delete it" in str(caught.value)


def test_failures_are_put_aside_and_kept(tmp_path: Path):
    store = started(tmp_path)
    for message in ("one", "two", "three"):
        store.write_failure(KEY, message, traceback="line 7")
        failure = store.failure(KEY)
        assert failure is not None
        assert (failure["message"], failure["traceback"]) == (message, "line 7")
        store.begin(KEY, recipe("steps", 3))
        assert store.failure(KEY) is None
    kept = {path.name: json.loads(path.read_text())["message"] for path in store.path(KEY).glob("failure*")}
    assert kept == {"failure-1.json": "one", "failure-2.json": "two", "failure-3.json": "three"}


def test_one_holds_a_claim(tmp_path: Path):
    store = Store(tmp_path)
    assert not store.claimed(KEY)
    with store.claim(KEY) as first:
        assert first
        assert store.claimed(KEY)
        with Store(tmp_path).claim(KEY) as second, store.claim("another") as other:
            assert not second
            assert other
        assert store.claimed(KEY)
    assert not store.claimed(KEY)
    with pytest.raises(RuntimeError), store.claim(KEY):
        raise RuntimeError
    with store.claim(KEY) as again:
        assert again


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_full_disk_leaves_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str):
    store = started(tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, function, full)
        with pytest.raises(ModomodoError, match=r"result.json: No space left on device; free space"):
            store.write_result(KEY, {"scores": {}})
    assert not store.finished(KEY)
    assert not list(store.path(KEY).glob("*.partial"))
    store.write_result(KEY, {"scores": {}})


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file")
    with pytest.raises(ModomodoError, match=r"cannot write .*file.*choose another place"):
        store.make()
    with pytest.raises(ModomodoError, match=r"cannot write .*file/runs"), store.claim(KEY):
        pass


def test_what_another_attempt_was_about_to_put_in_place_is_gone_once_a_run_begins(tmp_path: Path):
    store = started(tmp_path)
    late = [store.path(KEY) / name for name in ("steps.jsonl.a.partial", "items/x.jsonl.a.partial", SIGNATURE)]
    for path in late:
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    store.begin(KEY, recipe("steps", 3))
    assert not [path for path in late if path.exists()]


def test_a_run_made_before_the_packages_moved_is_found_and_read(tmp_path: Path):
    before = Path(__file__).parent / "before_the_move"
    store, known = Store(tmp_path), json.loads((before / "result.json").read_text())
    shutil.copytree(before, store.path(known["key"]))
    assert run_key(store.recipe(known["key"]), known["digests"]) == known["key"]
    result = store.result(known["key"])
    assert (result.steps, result.scores["maths"].mean) == (2, known["scores"]["maths"]["mean"])
