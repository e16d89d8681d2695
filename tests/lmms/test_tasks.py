"""Our tasks in lmms-eval itself (`make test-eval`): its verdicts and ours, reply by reply, and a run of a model."""

import json
import os
import random
import sys
from pathlib import Path

import pytest

pytest.importorskip("lmms_eval")
import prepared_set
from shim import sitecustomize  # noqa: F401
from tiny_qwen import REPLY, save

from modomodo.config.recipe import Recipe
from modomodo.config.sections import Evaluation
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Resize, View
from modomodo.evaluation.lmms import scores as scoring
from modomodo.evaluation.lmms.docs import STANDARD, row_of, text
from modomodo.evaluation.lmms.run import MODELS, chosen_ids, evaluate_standard
from modomodo.verifiers import grade

NINE = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PETS = ("cat", "dog", "bird", "fish")
# (benchmark, verifier, gold, options, answer, reward): here lmms-eval's metric and our own verifier agree.
AGREED = [
    ("chartqa", "relaxed", "12", (), "12", 1.0),
    ("chartqa", "relaxed", "12", (), "12.6", 1.0),
    ("chartqa", "relaxed", "12", (), "12.61", 0.0),
    ("chartqa", "relaxed", "12", (), "12%", 0.0),
    ("chartqa", "relaxed", "12%", (), "0.12", 1.0),
    ("chartqa", "relaxed", "12%", (), "12", 0.0),
    ("chartqa", "relaxed", "0", (), "0", 1.0),
    ("chartqa", "relaxed", "0", (), "0.0", 0.0),
    ("chartqa", "relaxed", "1,200", (), "1200", 0.0),
    ("chartqa", "relaxed", "Yes", (), "yes", 1.0),
    ("chartqa", "relaxed", "Yes", (), "yes.", 0.0),
    ("infovqa", "anls", ("New York", "NYC"), (), "nyc", 1.0),
    ("infovqa", "anls", ("abcd",), (), "abxy", 0.5),
    ("infovqa", "anls", ("abcd",), (), "axyz", 0.0),
    ("infovqa", "anls", ("abcd", "abcdefgh"), (), "abcdefgx", 0.875),
    ("mmmu", "choice", "B", PETS, "B", 1.0),
    ("mmmu", "choice", "B", PETS, "(B)", 1.0),
    ("mmmu", "choice", "B", PETS, "B.", 1.0),
    ("mmmu", "choice", "B", PETS, "The answer is B.", 1.0),
    ("mmmu", "choice", "B", PETS, "C", 0.0),
    ("mmmu", "choice", "I", NINE, "I", 1.0),
    ("mmmu", "text", "12.5", (), "12.5", 1.0),
    ("mmmu", "text", "12.5", (), "13", 0.0),
    ("mmmu", "text", ("yes", "true"), (), "Yes.", 1.0),
    ("mathvista", "number", 3.5, (), "3.5", 1.0),
    ("mathvista", "number", 3.5, (), "3.6", 0.0),
    ("mathvista", "text", "yes", (), "Yes", 1.0),
    ("mathvista", "choice", "A", PETS, "cat", 1.0),
]
# (benchmark, verifier, gold, options, answer, reward of lmms-eval, of ours, why).
DIFFERENT = [
    ("infovqa", "anls", ("0",), (), "0  y", 0.5, 0.0, "white space within the answer counts in its length there"),
    ("infovqa", "anls", ("5 %",), (), "5 %ß9", 1 - 2 / 6, 0.6, "ß counts twice in the length there, as SS"),
    ("mmmu", "choice", "B", PETS, "b", 0.0, 1.0, "small letters are no letters there"),
    ("mmmu", "choice", "B", PETS, "**B**", 0.0, 1.0, "nor are bold ones"),
    ("mmmu", "choice", "B", PETS, "B)", 0.0, 1.0, "nor those with one bracket"),
    ("mmmu", "choice", "B", PETS, "B: dog", 0.0, 1.0, "nor those with a colon"),
    ("mmmu", "choice", "B", PETS, "dog", 0.0, 1.0, "the option's text counts there from six words on"),
    ("mmmu", "choice", "B", PETS, "A or B", 1.0, 0.0, "the last letter counts there"),
    ("mmmu", "choice", "B", PETS, "AB", 1.0, 0.0, "the end of a word counts there"),
    (
        "mmmu",
        "choice",
        "B",
        PETS,
        "I see that it is a dog",
        1.0,
        0.0,
        "an option's text within a sentence counts there",
    ),
    ("mmmu", "choice", "A", ("x", "y A "), "B. y A ", 1.0, 0.0, "a letter in the option's text comes first there"),
    ("mmmu", "text", "12.5", (), "12.504", 1.0, 0.0, "two decimals count there"),
    ("mmmu", "text", "12.5", (), "12.50 m", 1.0, 0.0, "a number within the answer counts there"),
    ("mmmu", "text", "yes", (), "eyes", 1.0, 0.0, "the gold within the answer counts there"),
]
UNPARSED = ["12", "<answer>12</answer>", "<think>12</think> <answer></answer>", "<think>1</think><answer>12", ""]
SHIM = Path(__file__).parent / "shim"


def judged(benchmark: str, verifier: str, gold: object, options: tuple[str, ...], reply: str):
    """Return what lmms-eval would average and log, and our own verdict."""
    doc = prepared_set.record(benchmark, 0, verifier=verifier, gold=gold, options=options)
    result = getattr(scoring, benchmark)(doc, [reply])
    assert result["reward"] == result["item"]["reward"]
    return result["item"], grade(reply, row_of(doc).target, STANDARD)


def tagged(answer: str) -> str:
    return f"<think>so</think> <answer>{answer}</answer>"


@pytest.mark.parametrize("case", AGREED, ids=str)
def test_lmms_eval_and_our_verifiers_agree(case):
    *doc, answer, reward = case
    item, ours = judged(*doc, tagged(answer))
    assert (item["reward"], ours.reward) == (reward, reward)
    assert "modomodo's own verifier" not in item["reason"]


@pytest.mark.parametrize("case", DIFFERENT, ids=str)
def test_where_they_differ_the_item_says_so(case):
    *doc, answer, theirs, own, _ = case
    item, ours = judged(*doc, tagged(answer))
    assert (item["reward"], ours.reward) == (theirs, own)
    assert f"modomodo's own verifier gives {own}: " in item["reason"]


@pytest.mark.parametrize("reply", UNPARSED)
@pytest.mark.parametrize("benchmark", prepared_set.GOLDS)
def test_a_reply_without_the_tags_earns_nothing(benchmark, reply):
    gold = {"chartqa": ("relaxed", "12"), "infovqa": ("anls", ("12",))}.get(benchmark, ("text", "12"))
    item, ours = judged(benchmark, *gold, (), reply)
    assert (item["status"], item["reward"], item["reason"]) == ("unparsed", 0.0, ours.reason)


def test_an_answer_that_names_no_option_is_never_guessed():
    items = [judged("mmmu", "choice", "B", PETS, tagged("hm"))[0] for _ in range(50)]
    assert {(item["status"], item["reward"]) for item in items} == {("unparsed", 0.0)}


def test_chart_and_infographic_verdicts_agree_on_random_answers():
    draw = random.Random(0)
    golds = ["12", "12%", "0", "0.0", "1,200", "-3", "1e3", "inf", "nan", "5 %", "yes", "Señor", "New York"]
    for _ in range(2000):
        gold = draw.choice(golds)
        answer = "".join(draw.choice("01259.,%- añéK/$_") for _ in range(draw.randint(0, 4)))
        answer = " ".join((draw.choice(["", gold]) + answer).split())  # known to differ: runs of white space, and ß
        for benchmark, verifier in (("chartqa", "relaxed"), ("infovqa", "anls")):
            item, ours = judged(benchmark, verifier, gold, (), tagged(answer))
            assert item["reward"] == ours.reward, (benchmark, gold, answer)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    return prepared_set.write(tmp_path_factory.mktemp("sets") / "prepared")


def evaluate(checkpoint: Path, prepared: Path, folder: Path, benchmarks: tuple[str, ...], **changes):
    settings = {
        "items": 1000,
        "part": "all",
        "length": 32,
        "resize": Resize(28, 56 * 56, 56 * 56),
        "device": "cpu",
        "folder": folder,
        **changes,
    }
    recipe = Recipe(
        domains=("meters",),
        prepared=prepared,
        max_completion_length=settings["length"],
        view=View(mode="standard", resize=settings["resize"]),
        evaluation=Evaluation(lmms=Path(sys.executable), items=settings["items"], part=settings["part"]),
    )
    return evaluate_standard(str(checkpoint), benchmarks, recipe, folder=settings["folder"], device=settings["device"])


@pytest.fixture(autouse=True)
def _shimmed(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(SHIM), os.environ.get("PYTHONPATH")])))


def test_a_run_gives_the_scores_of_our_own_verifiers(prepared, tmp_path):
    checkpoint = save(tmp_path / "model")
    scores = evaluate(checkpoint, prepared, tmp_path / "scores", tuple(prepared_set.GOLDS))
    different = []
    for benchmark in prepared_set.GOLDS:
        rows = {row.id: row for row in prepared_set.domain(benchmark).load("test")}
        lines = [json.loads(line) for line in (tmp_path / "scores" / f"{benchmark}.jsonl").read_text().splitlines()]
        assert [line["row_id"] for line in lines] == chosen_ids(prepared, benchmark, part="all", items=None)
        assert {line["reply"] for line in lines} == {REPLY}
        for line in lines:
            ours = grade(line["reply"], rows[line["row_id"]].target, STANDARD)
            if ours.reward != line["reward"]:
                different.append((line["row_id"], line["reward"], ours.reward))
    # To lmms-eval 12 is the same number as 12.0, and the text of an option, 12, does not name it.
    assert sorted(different) == [("mmmu-é-1", 1.0, 0.0), ("mmmu-é-2", 0.0, 1.0)]
    assert {name: score.mean for name, score in scores.items()} == pytest.approx(
        {"chartqa": 3 / 8, "infovqa": (1 + 0.5 + 2 / 3 + 2 / 3) / 4, "mathvista": 4 / 6, "mmmu": 2 / 6}
    )
    assert scores["mmmu"].unparsed == pytest.approx(2 / 6)


def test_the_prompt_is_ours_and_each_half_of_the_items_is_its_own(prepared, tmp_path):
    checkpoint = save(tmp_path / "model")
    score = evaluate(checkpoint, prepared, tmp_path / "scores", ("chartqa",), part="confirm", items=2)["chartqa"]
    assert (score.part, score.n) == ("confirm", 2)
    lines = [json.loads(line) for line in (tmp_path / "scores" / "chartqa.jsonl").read_text().splitlines()]
    assert [line["row_id"] for line in lines] == chosen_ids(prepared, "chartqa", part="confirm", items=2)
    (samples,) = (tmp_path / "scores" / "lmms").rglob("*_samples_*.jsonl")
    asked = {json.loads(line)["item"]["row_id"]: json.loads(line)["input"] for line in samples.read_text().splitlines()}
    docs = {doc["id"]: doc for doc in prepared_set.records("chartqa")}
    assert asked == {one: text(docs[one]) for one in asked}


@pytest.mark.parametrize("family", [name for name in MODELS if name != "qwen2_vl"])
def test_each_family_runs(prepared, tmp_path, family):
    scores = evaluate(save(tmp_path / "model", family), prepared, tmp_path / "scores", ("chartqa", "mmmu"), items=4)
    lines = [json.loads(line) for line in (tmp_path / "scores" / "mmmu.jsonl").read_text().splitlines()]
    assert {line["reply"] for line in lines} == {REPLY}
    assert scores["chartqa"].mean > 0


def test_a_checkpoint_that_does_not_load_is_an_error_though_lmms_eval_exits_with_0(prepared, tmp_path):
    checkpoint = save(tmp_path / "model")
    (checkpoint / "model.safetensors").unlink()
    with pytest.raises(ModomodoError, match=r"exit code 0(.|\n)*no file named model.safetensors"):
        evaluate(checkpoint, prepared, tmp_path / "scores", ("chartqa",))
    assert not (tmp_path / "scores" / "chartqa.jsonl").exists()
