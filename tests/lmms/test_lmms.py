"""What is done around lmms-eval, with a stand-in for it."""

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")
import prepared_set

from modomodo.config.recipe import Recipe
from modomodo.config.sections import Evaluation
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Resize, View
from modomodo.evaluation.benchmarks import benchmark_rows
from modomodo.evaluation.lmms.docs import messages, text, visuals
from modomodo.evaluation.lmms.run import check_environment, chosen_ids, evaluate_standard, model_arguments, task_text
from modomodo.models.families import FAMILIES

STAND_IN = """#!{python}
import json, pathlib, sys
words = sys.argv[1:]
assert sys.flags.safe_path
if words[0] == "-c":
    print({version!r})
    sys.exit()
options = dict(zip(words[2:-1:2], words[3::2]))
print("Model Responding")
{body}
"""
RESULTS = """
out = pathlib.Path(options["--output_path"]) / "model"
out.mkdir(parents=True)
results = {}
for task in options["--tasks"].split(","):
    rows = json.loads(pathlib.Path(ROWS).read_text())[task.removeprefix("modomodo_")]
    item = dict(reply="?", status="partial", reward=0.75, answer="x", reason="")
    lines = [json.dumps({"item": {"row_id": row, **item}}) for row in rows]
    (out / f"1_samples_{task}.jsonl").write_text("\\n".join(lines))
    results[task] = {"reward,none": 0.75}
(out / "1_results.json").write_text(json.dumps({"results": results}))
"""


@pytest.fixture
def prepared(tmp_path) -> Path:
    return prepared_set.write(tmp_path / "prepared")


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    return config(tmp_path / "model", {"model_type": "qwen2_vl"})


def config(folder: Path, table: dict) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(table))
    return folder


def stand_in(path: Path, body: str = "", version: str = "0.7.3") -> Path:
    path.write_text(STAND_IN.format(python=sys.executable, body=body, version=version))
    path.chmod(0o755)
    return path


def evaluate(checkpoint: Path, prepared: Path, python: Path, benchmarks=("chartqa", "mmmu"), **changes):
    settings = {
        "items": 1000,
        "part": "all",
        "length": 64,
        "resize": None,
        "device": "cpu",
        "folder": prepared.parent / "scores",
        **changes,
    }
    recipe = Recipe(
        domains=("meters",),
        prepared=prepared,
        max_completion_length=settings["length"],
        view=View(mode="standard", resize=settings["resize"]),
        evaluation=Evaluation(lmms=python, items=settings["items"], part=settings["part"]),
    )
    return evaluate_standard(str(checkpoint), benchmarks, recipe, folder=settings["folder"], device=settings["device"])


@pytest.mark.parametrize(("part", "items"), [("all", 3), ("select", 100), ("confirm", 100), ("all", None)])
def test_the_rows_are_those_of_our_own_evaluation(prepared, part, items):
    ours = [row.id for row in benchmark_rows(prepared_set.domain("chartqa"), part=part, items=items or 100)]
    assert chosen_ids(prepared, "chartqa", part=part, items=items) == ours
    assert len(ours) == {("all", 3): 3, ("all", None): 8}.get((part, items), len(ours))


def test_the_halves_share_no_row_and_miss_none(prepared):
    halves = [chosen_ids(prepared, "chartqa", part=part, items=None) for part in ("select", "confirm")]
    assert sorted(halves[0] + halves[1]) == sorted(chosen_ids(prepared, "chartqa", part="all", items=None))


def test_a_task_has_our_rows_and_replies_that_empty_lines_do_not_end():
    task = task_text("chartqa", ["é'\"\n1"], files=[Path("/a b/1.parquet")], cache=Path("/c"), length=77)
    assert '"filters": [["id", "in", ["é\'\\"\\n1"]]]' in task
    assert '"max_new_tokens": 77' in task
    assert '"until": []' in task
    assert "task: modomodo_chartqa\n" in task


def test_a_doc_is_asked_as_the_row_is():
    doc = prepared_set.records("mmmu")[3]
    (message,) = messages(doc)
    assert [part["type"] for part in message["content"]] == ["image"] * 4 + ["text"]
    assert [picture.getpixel((0, 0))[0] for picture in visuals(doc)] == [0, 40, 80, 120]
    assert message["content"][-1]["text"] == text(doc)
    assert "Question 3 of <image 1>?\nA. option 1 <image 1>\n" in text(doc)
    assert "<answer>" in text(doc)


def test_results_become_scores_and_items_in_our_order(checkpoint, prepared, tmp_path):
    rows = {name: sorted(row["id"] for row in prepared_set.records(name)) for name in ("chartqa", "mmmu")}
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    python = stand_in(tmp_path / "python", RESULTS.replace("ROWS", repr(str(tmp_path / "rows.json"))))
    scores = evaluate(checkpoint, prepared, python)
    assert (scores["mmmu"].mean, scores["mmmu"].n, scores["mmmu"].mode) == (0.75, 6, "standard")
    lines = [json.loads(line) for line in (tmp_path / "scores" / "chartqa.jsonl").read_text().splitlines()]
    assert [line["row_id"] for line in lines] == chosen_ids(prepared, "chartqa", part="all", items=None)
    assert list(lines[0]) == ["row_id", "reply", "status", "reward", "answer", "reason"]


def test_a_run_without_results_is_an_error_that_shows_the_log(checkpoint, prepared, tmp_path):
    old = tmp_path / "scores" / "lmms" / "out"
    old.mkdir(parents=True)
    (old / "0_results.json").write_text("{}")  # of a run that was killed
    with pytest.raises(ModomodoError, match=r"left no results of chartqa(.|\n)*log.txt:\nModel Responding"):
        evaluate(checkpoint, prepared, stand_in(tmp_path / "python"))
    assert not (tmp_path / "scores" / "chartqa.jsonl").exists()


@pytest.mark.parametrize(
    ("body", "code"),
    [("sys.exit(3)", 3), (r"print('\x1b[32m12:00\x1b[0m | \x1b[31mERROR   \x1b[0m | generating')", 0)],
)
def test_a_run_that_failed_or_logged_an_error_is_an_error(checkpoint, prepared, tmp_path, body, code):
    with pytest.raises(ModomodoError, match=rf"lmms-eval failed on .*model \(exit code {code}\)"):
        evaluate(checkpoint, prepared, stand_in(tmp_path / "python", body))


@pytest.mark.parametrize("change", [lambda rows: rows[1:], lambda rows: rows[:-1] + rows[:1]])
def test_a_row_that_is_missing_is_an_error(checkpoint, prepared, tmp_path, change):
    rows = {"chartqa": change([row["id"] for row in prepared_set.records("chartqa")])}
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    python = stand_in(tmp_path / "python", RESULTS.replace("ROWS", repr(str(tmp_path / "rows.json"))))
    with pytest.raises(ModomodoError, match=r"judged [78] rows of chartqa, not the 8 asked for"):
        evaluate(checkpoint, prepared, python, benchmarks=("chartqa",))


def test_errors_say_what_to_do(checkpoint, prepared, tmp_path):
    with pytest.raises(ModomodoError, match=r"no prepared set 'chartqa'.*modomodo data prepare FILE"):
        evaluate(checkpoint, tmp_path, stand_in(tmp_path / "python"))
    with pytest.raises(ModomodoError, match="did you mean chartqa"):
        evaluate(checkpoint, prepared, stand_in(tmp_path / "python"), benchmarks=("chartq",))
    with pytest.raises(ModomodoError, match="is a llava, which mode standard cannot evaluate"):
        model_arguments(str(config(tmp_path / "llava", {"model_type": "llava"})), resize=None, device="cpu")
    with pytest.raises(ModomodoError, match="give the folder of a saved model"):
        model_arguments("Qwen/Qwen2-VL-2B-Instruct", resize=None, device="cpu")
    remote = config(tmp_path / "remote", {"model_type": "qwen3_vl", "auto_map": {}})
    with pytest.raises(ModomodoError, match="auto_map"):
        model_arguments(str(remote), resize=None, device="cpu")
    folder = config(tmp_path / "steps=3" / "model", {"model_type": "qwen2_vl"})
    with pytest.raises(ModomodoError, match="without , and ="):
        model_arguments(str(folder), resize=None, device="cpu")


def test_the_limits_of_pixels_are_the_familys_or_those_given(checkpoint):
    given = model_arguments(str(checkpoint), resize=Resize(28, 3136, 5000), device="cuda:1")
    assert given["model_args"] == f"pretrained={checkpoint},device_map=cuda:1,min_pixels=3136,max_pixels=5000"
    resize = FAMILIES["qwen2_vl"].resize
    assert resize is not None
    own = model_arguments(str(checkpoint), resize=None, device="cpu")["model_args"]
    assert own.endswith(f",min_pixels={resize.min_pixels},max_pixels={resize.max_pixels}")


def test_an_environment_without_lmms_eval_is_an_error_that_says_how_to_make_one(tmp_path):
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(ModomodoError, match=r"No package metadata was found for modomodo.*make eval-env"):
        check_environment(bare)
    with pytest.raises(ModomodoError, match=r"cannot be run \(No such file.*pip install 'modomodo\[eval\]'"):
        check_environment(tmp_path / "nowhere")
    with pytest.raises(ModomodoError, match=r"has lmms-eval 0\.6\.0, not 0\.7\.3"):
        check_environment(stand_in(tmp_path / "python", version="0.6.0"))
