"""What an audit says of small sets, each with one thing wrong."""

import io
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from PIL import Image

from modomodo.core.rows import Mode, Row, Target, Verdict, View
from modomodo.data.audit import audit_rows, findings
from modomodo.data.domain import Domain
from modomodo.data.registry import find_domain
from modomodo.data.sources.prompts import ask

N = 120
WORDS = [a + b + c for a in "kmprt" for b in "aeiou" for c in "dlnsvz"]


def picture(number: int, kind: str = "PNG", size: tuple[int, int] = (40, 40)) -> bytes:
    drawn = Image.new("RGB", size, (number % 256, 90, 200))
    for k in range(8):  # noise that no other number has
        drawn.paste(
            ((number * 7 + k * 31) % 256, (number * 13 + k * 57) % 256, k * 30),
            (k * 5, 0, k * 5 + 5, 5 * (number * (k + 3) % 8)),
        )
    data = io.BytesIO()
    drawn.save(data, kind)
    return data.getvalue()


def rows(golds, *, verifier, questions: str | Sequence[str] = "What is it, {}?", pictures=None, options=(), **fields):
    return [
        Row(f"r{k}", "small", (questions if isinstance(questions, str) else questions[k]).format(k),
            Target(verifier, gold, options, image_size=(40, 40), **fields), () if pictures is None else (pictures[k],))
        for k, gold in enumerate(golds)
    ]  # fmt: skip


def audited(some, split="train", mode: Mode = "standard"):
    domain = Domain("small", lambda split: some, ask, splits=(split,))
    found = audit_rows(domain, split, view=View(mode=mode))
    assert found is not None
    return found


NUMBERS = [k * 37 % 997 for k in range(N)]
TEXTS = WORDS[:N]
LETTERS = ["ABCD"[k * 7 % 4] for k in range(N)]
BOXES = [(k * 7 % 25, k * 3 % 25, k * 7 % 25 + 12, k * 3 % 25 + 12) for k in range(N)]
LARGE = [(k % 2, k % 3, 39, 40) for k in range(N)]
OPTIONS = ("red", "blue", "green", "black")
PICTURES = [picture(k) for k in range(N)]

SOUND = {
    "counts": rows(NUMBERS, verifier="count"),
    "decimals": rows([n + 0.25 for n in NUMBERS], verifier="number"),
    "texts": rows(TEXTS, verifier="text"),
    "several texts": rows([(text, text * 2) for text in TEXTS], verifier="anls"),
    "letters": rows(LETTERS, verifier="choice", options=OPTIONS),
    "boxes": rows(BOXES, verifier="box"),
    "lists of boxes": rows([(box,) for box in BOXES], verifier="boxes"),
    "points": rows(BOXES, verifier="point"),
    "years": rows([str(1900 + k) for k in range(N)], verifier="relaxed", tolerance=0.0),
    "lettered questions": rows(LETTERS, verifier="choice", questions="Which, {}? A. red B. blue C. green D. black"),
    "mathematics": rows([rf"\frac{{{n}}}{{7}}" for n in range(1, N) if n % 7], verifier="math"),
}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_set_has_no_finding(name):
    found = audited(SOUND[name])
    assert not findings(found), findings(found)
    assert found.spelled.mean == 1
    assert found.informedness.low > 0.5


WRONG = {
    "one gold": (rows([4] * N, verifier="count"), "error", "every gold is '4', so nothing is to be learned"),
    "no answer asked": (rows(TEXTS, verifier="format"), "error", "do not tell right from wrong"),
    "years within 5 %": (
        rows([str(2000 + k % 30) for k in range(N)], verifier="relaxed"), "error", "do not tell right from wrong"),
    "a gold of most rows": (
        rows([2] * 96 + NUMBERS[:24], verifier="count"),
        "warning", "always '2' earns 0.8[0-9] .*'2' is the gold of 80% of"),
    "one letter": (
        rows(["B"] * 90 + LETTERS[:30], verifier="choice", options=OPTIONS), "warning", "always B earns 0.8"),
    "large boxes": (rows(LARGE, verifier="box"), "warning", "the (whole image as|median) box earns 0.9"),
    "many points": (rows(LARGE, verifier="point"), "error", "do not tell right from wrong"),
    "the answer in the question": (
        rows([f"what is it, {k}?" for k in range(N)], verifier="text"), "warning", "the question repeated earns 1.00"),
    "one off": (
        rows([str(100 + k * 7) for k in range(N)], verifier="relaxed"), "warning", "a wrong value earns 1.00"),
    "numbers as texts": (
        rows([f"{n}.5" for n in NUMBERS], verifier="text"),
        "warning", r"with another decimal earn 0.00 \('[0-9]+.50' for '[0-9]+.5'\)"),
    "repeats": (
        rows(TEXTS[:60] * 2, verifier="text", questions="What?", pictures=PICTURES[:60] * 2),
        "warning", "60 rows repeat question and image of another one, as r0 and r60 do"),
    "contradictions": (
        rows(TEXTS, verifier="text", questions="What?", pictures=PICTURES[:117] + [PICTURES[1]] * 3),
        "warning", "3 rows contradict another one: same question and image, other gold, as r1 and r117 do"),
    "copies": (
        rows(TEXTS, verifier="text", questions="What?", pictures=[*PICTURES[:119], picture(5, "BMP")]),
        "note", "[1-4] repeat a question with a copy of its image, as r5 and r119 do"),
    "an answer that every row accepts": (
        rows([(text, "yes", "no", "unanswerable") for text in TEXTS], verifier="text"),
        "warning", "always '(yes|no|unanswerable)' earns 1.00 .* is the gold of 100% of the rows"),
    "an answer that most rows accept": (
        rows([(text, "unanswerable") if k % 4 else (text,) for k, text in enumerate(TEXTS)], verifier="anls"),
        "warning", "always 'unanswerable' earns 0.7"),
    "one image": (
        rows(TEXTS, verifier="text", pictures=[PICTURES[0]] * N), "warning", "120 of 120 rows show one and the same"),
    "few images": (
        rows(TEXTS, verifier="text", pictures=PICTURES[:30] * 4), "note", "120 rows ask of an image .* .30 in all"),
    "copies under other questions": (
        rows(TEXTS[:60], verifier="text", pictures=[*PICTURES[:59], picture(5, "BMP")]),
        "note", "of 60 images compared, [1-4] are copies of another one"),
    "golds in their questions": (
        rows(TEXTS, verifier="text", questions=[f"{text} is on sign {k}. What is?" for k, text in enumerate(TEXTS)]),
        "warning", "the (first|last) answer that the question names earns 1.00: golds stand in their questions"),
    "options in their questions": (
        rows(LETTERS, verifier="choice", options=OPTIONS,
             questions=[f"The {OPTIONS['ABCD'.index(letter)]} one, {k}?" for k, letter in enumerate(LETTERS)]),
        "warning", "golds stand in their questions"),
    "the longest option": (
        [replace(row, target=replace(row.target, options=tuple(
            f"{text} {letter * (4 if letter == row.target.value else 1)}" for letter in "ABCD")))
         for row, text in zip(rows(LETTERS, verifier="choice", options=OPTIONS), TEXTS, strict=True)],
        "warning", "the longest option earns 1.00 without a look at the image, and RL will find that"),
    "the first word": (
        rows(["yes", "no"] * 60, verifier="text", questions=["Is there a dog, {}?", "Could it be {}?"] * 60),
        "warning", "by the question's first word earns 1.00"),
    "letters without options": (rows(LETTERS, verifier="choice"), "warning", "120 golds are letters .*name the column"),
    "letters as texts": (rows(LETTERS, verifier="text"), "warning", "120 golds are letters"),
    "options as texts": (
        rows([f"{letter}. {text}" for letter, text in zip(LETTERS, TEXTS, strict=True)], verifier="text"),
        "warning", "120 golds are a letter and a text .'A. k..'.*choose the verifier choice"),
    "few": (rows(TEXTS[:15], verifier="text"), "warning", "15 rows only"),
    "very few": (rows(["A"] * 19 + ["B"], verifier="choice"), "warning", "too few to tell them apart"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_set_is_said_with_what_to_do(name):
    some, level, words = WRONG[name]
    said = findings(audited(some))
    found = [finding for finding in said if re.search(words, finding.what)]
    assert found, said
    assert found[0].level == level
    assert ": " in found[0].what, "what to do"
    assert said[0].level in ("error", "warning") or level == "note"


def test_of_a_benchmark_the_advice_is_another():
    (first, *_) = findings(audited(WRONG["a gold of most rows"][0], split="test"))
    assert "compare its scores with that" in first.what
    assert "0.13: add rows" in str(findings(audited(WRONG["few"][0], split="test")))


def test_a_set_of_one_row_is_not_measured():
    assert audit_rows(Domain("small", lambda split: WRONG["few"][0][:1], ask), "train") is None


def test_one_s_own_verifier_pays():
    """A domain's `verify` is what training pays by, whatever the target says."""
    domain = Domain("small", lambda split: SOUND["texts"], ask, verify=lambda row, reply, view: Verdict.right(reply))
    found = audit_rows(domain, "train")
    assert found is not None
    assert found.informedness.mean == 0


def measured(name):
    found = audit_rows(find_domain(name), "train", sample=100)
    assert found is not None
    return found


def test_the_causes_planted_in_the_uneven_world_are_found():
    said = {name: str(findings(measured(name))) for name in ("quiz", "circuits")}
    assert "always '2' earns 0.7" in said["quiz"]
    assert "RL will find that first" in said["quiz"]
    assert "44 rows only" in said["circuits"]


@pytest.mark.parametrize("name", ["detect", "refer", "geometry", "spatial", "science"])
def test_the_control_world_is_sound(name):
    assert [finding for finding in findings(measured(name)) if finding.level != "note"] == []
