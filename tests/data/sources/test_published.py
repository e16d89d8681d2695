"""The published sets: their columns, filters, questions and golds, on small copies of what the hub holds."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from sets import hub_picture, parquet, picture, size_of

from modomodo.core.errors import ModomodoError
from modomodo.core.rows import View
from modomodo.data.domain import Domain, check
from modomodo.data.registry import DOMAINS, PUBLISHED, find_domain
from modomodo.data.sources.source import Source
from modomodo.models.families import FAMILIES

VIEWS = (
    View(),
    View(mode="standard"),
    View(frame="normalised1000"),
    View(frame="resized", resize=FAMILIES["qwen2_5_vl"].resize),
)


def here(name: str, path, **place) -> Domain:
    return find_domain(name, sources={name: Source(path=path, **place)})


def errors(domain: Domain) -> list[str]:
    """Return what is wrong in any view; the counts, which these copies do not have, are notes."""
    return [str(problem) for view in VIEWS for problem in check(domain, view) if problem.level == "error"]


def asked(domain: Domain, row) -> str:
    return domain.prompt(row, View())[0]["content"][-1]["text"]


def test_the_paper_s_sizes_are_declared_and_nothing_is_read_to_say_so():
    sizes = {name: dict(PUBLISHED[name].domain().origin.sizes) for name in PUBLISHED}
    assert sizes == {
        "coco": {"train": 5997},
        "lisa": {"train": 1326, "test": 3397},
        "geoqav": {"train": 1969},
        "sat": {"train": 15000, "test": 1928},
        "scienceqa": {"train": 6218, "test": 2017},
        "chartqa": {"test": 2500},
        "infovqa": {"test": 2801},
        "mathvista": {"test": 1000},
        "mmmu": {"test": 900},
    }
    for name, published in PUBLISHED.items():
        assert DOMAINS[name].splits == tuple(sizes[name])
        assert published.source.max_side == 640


def test_coco(tmp_path):
    problem = (
        "Detect all objects belonging to the category 'hot dog' in the image, and provide the bounding boxes (between "
        "0 and 1000, integer) and confidence (between 0 and 1, with two decimal places).\nIf no object belonging to "
        "the category 'hot dog' in the image, return 'No Objects'.\nOutput the thinking process in <think> </think>"
    )
    solutions = [
        "<answer>[{'Position': [64, 0, 950, 411], 'Confidence': 1}, {'Position': [0, 500, 10, 1000]}]</answer>",
        "<answer>No Objects</answer>",
    ]
    rows = [
        {"image": hub_picture((1280, 500), colour=k), "problem": problem, "solution": solution}
        for k, solution in enumerate(solutions)
    ]
    domain = here("coco", parquet(tmp_path / "data/train-00000-of-00001.parquet", rows).parent.parent)
    first, second = domain.load("train")
    assert errors(domain) == []
    assert first.question == "Find every hot dog in the picture."
    assert first.target.value == ((40.96, 0, 608, 102.75), (0, 125, 6.4, 250))
    assert first.target.image_size == size_of(first.images[0]) == (640, 250)
    assert second.target.value == ()
    assert [str(problem) for problem in check(domain)] == ["coco (train): has 2 rows, where 5997 are declared"]
    assert "which is 640 wide and 250 high" in asked(domain, first)


def lisa_files(folder, name: str, shapes: list[dict], **more) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.jpg").write_bytes(picture((800, 400), colour=len(name), kind="JPEG"))
    row = {"shapes": shapes, "text": ["the thing", "what cuts?"], "is_sentence": False, **more}
    (folder / f"{name}.json").write_bytes(json.dumps(row, ensure_ascii=False).encode("cp1252"))


def test_lisa_from_its_own_files(tmp_path):
    target = [
        {"label": "target", "points": points}
        for points in ([[80, 40], [160.5, 80], [90, 200]], [[-3, 100], [9, 10], [20, 90]])
    ]
    others = [
        {"label": "ignore_1", "points": [[0, 0], [790, 0], [790, 390]]},
        {"label": "flag", "points": [[0, 0], [790, 0], [790, 390]]},
    ]
    for split in ("train", "test"):
        lisa_files(
            tmp_path / split,
            f"{split}-a",
            [*target, *others],
            text=[f"{split} thing", "what cuts?"][: 1 + (split == "train")],
        )
        lisa_files(tmp_path / split, f"{split}-café", target, is_sentence=True, text=[f"Où est-ce ? '{split}é'"])
    domain = here("lisa", tmp_path)
    rows = domain.load("train")
    assert errors(domain) == []
    assert [row.id for row in rows] == ["train-a-q0", "train-a-q1", "train-café-q0"]
    assert rows[0].target.value == pytest.approx((0, 8, 160.5 * 0.8, 160))
    assert rows[0].target.image_size == (640, 320)
    assert rows[0].question == "What is train thing in this picture?\nGive the box around what is meant."
    assert rows[0].images[0] is rows[1].images[0]  # scaled once for all questions of an image
    assert rows[2].question.startswith("Où est-ce ? 'trainé'\n")
    assert [row.id for row in domain.load("test")] == ["test-a-q0", "test-café-q0"]


def test_lisa_from_masks(tmp_path):
    mask = [[2 <= y <= 4 and 3 <= x < 7 for x in range(10)] for y in range(6)]
    rows = [{"image": hub_picture((10, 6)), "mask": mask, "text": "What cuts?", "ann_id": "a", "image_id": "a"}]
    domain = here("lisa", parquet(tmp_path / "test.parquet", rows).parent, splits={"test": "test"})
    assert domain.load("test")[0].target.value == (3, 2, 7, 5)
    assert errors(domain) == []


def test_lisa_says_where_to_get_it():
    with pytest.raises(ModomodoError, match=r"github.com/dvlab-research/LISA#dataset .* then set data.lisa.path"):
        DOMAINS["lisa"].load("train")


def test_geoqav_keeps_letters(tmp_path):
    solutions = [
        "<think>x</think>\n<answer>B</answer>",
        "<think>(C)</think> <answer>42</answer>",
        "<answer> (D). </answer>",
        "<answer>AB</answer>",
    ]
    rows = [
        {"image": hub_picture(colour=k), "problem": f"Angle {k}? A: 1° B: 2° C: 3° D: 4°", "solution": solution}
        for k, solution in enumerate(solutions)
    ]
    domain = here("geoqav", parquet(tmp_path / "train.parquet", rows))
    assert [(row.id, row.target.value) for row in domain.load("train")] == [
        ("geoqav-train-00000", "B"),
        ("geoqav-train-00002", "D"),
    ]
    assert errors(domain) == []


def test_sat(tmp_path):
    rows = [
        {
            "image_bytes": [picture(colour=3 * k + n) for n in range(1 + (k % 3 == 2))],
            "question": f"How did the camera move, {k}?",
            "answers": ["rotated left", "rotated right"],
            "correct_answer": "rotated left",
            "question_type": "ego_movement",
        }
        for k in range(90)
    ]
    for split in ("train", "val"):
        moved = [{**row, "image_bytes": row["image_bytes"], "question": f"{split} {row['question']}"} for row in rows]
        parquet(tmp_path / f"{split}.parquet", moved)
    domain = here("sat", tmp_path)
    train, test = domain.load("train"), domain.load("test")
    assert len(train) == len(test) == 60  # those with one image
    assert errors(domain) == []
    assert train[0].target.value == "rotated left"
    orders = Counter("rotated left; rotated right" in row.question for row in train)
    assert min(orders.values()) > 15


def test_sat_draws_its_training_rows_by_hash(tmp_path):
    rows = [
        {"image_bytes": [picture(colour=k)], "question": f"{k}?", "answers": ["a", "b"], "correct_answer": "a"}
        for k in range(50)
    ]
    source = replace(PUBLISHED["sat"], sample=20).source.moved(
        Source(path=parquet(tmp_path / "train.parquet", rows).parent), name="sat"
    )
    drawn = replace(PUBLISHED["sat"], sample=20).domain(source).load("train")
    again = [row.id for row in drawn]
    assert len(again) == 20
    assert again == sorted(again)
    assert again != [f"sat-train-{k:05d}" for k in range(20)]


def test_scienceqa(tmp_path):
    rows = [
        {
            "image": hub_picture((1000, 500), colour=k),
            "question": f"Which {k}?",
            "hint": hint,
            "choices": ["x", "y", "z"],
            "answer": k,
        }
        for k, hint in enumerate(["Look.", "", "Think."])
    ]
    for split in ("train", "test"):
        moved = [{**row, "question": f"{split} {row['question']}"} for row in rows]
        parquet(tmp_path / f"ScienceQA-IMG/{split}-00000-of-00001.parquet", moved)
    domain = here("scienceqa", tmp_path)
    rows = domain.load("train")
    assert errors(domain) == []
    assert [row.target.value for row in rows] == ["A", "B", "C"]
    assert [row.question for row in rows] == ["Look.\ntrain Which 0?", "train Which 1?", "Think.\ntrain Which 2?"]
    assert "C. z" in asked(domain, rows[0])
    assert size_of(rows[0].images[0]) == (640, 320)


def test_chartqa(tmp_path):
    answers = ["14.5%", "Yes", "[Blue, Red]", "2019"]
    rows = [
        {"type": "human_test", "question": f"{k}?", "answer": answer, "image": hub_picture(colour=k)}
        for k, answer in enumerate(answers)
    ]
    domain = here("chartqa", parquet(tmp_path / "test.parquet", rows).parent)
    assert [row.target.value for row in domain.load("test")] == answers
    assert domain.splits == ("test",)
    assert errors(domain) == []


def test_infovqa(tmp_path):
    rows = [
        {
            "questionId": "98313",
            "question": "How many?",
            "answers": ["5 people", "five"],
            "image": hub_picture((500, 4000)),
        }
    ]
    domain = here("infovqa", parquet(tmp_path / "InfographicVQA/validation.parquet", rows).parent.parent)
    row = domain.load("test")[0]
    assert (row.id, row.target.value, row.target.image_size) == ("98313", ("5 people", "five"), (80, 640))
    assert errors(domain) == []
    assert here("infovqa", tmp_path, max_side=2000).load("test")[0].target.image_size == (250, 2000)


def test_mathvista(tmp_path):
    base = {"choices": None, "unit": None, "precision": None, "question_type": "free_form"}
    rows = [
        {**base, "question": "How tall?", "unit": "m", "precision": 1.0, "answer": "1.2", "answer_type": "float"},
        {**base, "question": "How many?", "answer": "-4", "answer_type": "integer"},
        {
            **base,
            "question": "Which?",
            "choices": ["Yes", "No"],
            "answer": "No",
            "answer_type": "text",
            "question_type": "multi_choice",
        },
        {**base, "question": "Which numbers?", "answer": "[0, 2]", "answer_type": "list"},
        {
            **base,
            "question": "Which?",
            "choices": ["a", "a"],
            "answer": "a",
            "answer_type": "text",
            "question_type": "multi_choice",
        },
    ]
    rows = [
        {**row, "pid": str(k), "decoded_image": hub_picture(colour=k), "image": "images/1.jpg"}
        for k, row in enumerate(rows)
    ]
    domain = here("mathvista", parquet(tmp_path / "testmini.parquet", rows).parent)
    found = domain.load("test")
    assert [(row.target.verifier, row.target.value) for row in found] == [
        ("number", "1.2"),
        ("number", "-4"),
        ("choice", "B"),
        ("text", "[0, 2]"),
    ]
    assert found[0].question == "How tall? (Unit: m) Round to 1 decimal place."
    assert errors(domain) == []
    assert any("1 row left out, as unusable" in note for note in domain.notes("test"))


def test_mmmu(tmp_path):
    base = {**{f"image_{number}": None for number in range(1, 8)}, "question_type": "multiple-choice"}
    rows = [
        {
            **base,
            "question": "<image 1> What?",
            "options": "['it\\'s', \"two\", '<image 2>']",
            "answer": "C",
            "image_2": hub_picture(colour=9),
        },
        {**base, "question": "See <image 1>.", "options": "[]", "answer": "['3', '3.0']", "question_type": "open"},
        {**base, "question": "Name <image 1>", "options": "[]", "answer": "[x", "question_type": "open"},
        {**base, "question": "<image 5>?", "options": "['a', 'b']", "answer": "A"},
    ]
    rows = [
        {**row, "id": f"validation_Art_{k}", "image_1": hub_picture((700, 70), colour=k)} for k, row in enumerate(rows)
    ]
    domain = here("mmmu", parquet(tmp_path / "validation.parquet", rows).parent)
    found = domain.load("test")
    assert [row.target.value for row in found] == ["C", ("3", "3.0"), "[x"]
    assert found[0].target.options == ("it's", "two", "picture 2")
    assert [row.question for row in found] == ["picture 1 What?", "See picture 1.", "Name picture 1"]
    assert [len(row.images) for row in found] == [2, 1, 1]
    assert errors(domain) == []
    assert "names image 5, which is not there" in "".join(domain.notes("test"))


def test_a_set_of_ours_may_only_be_moved(tmp_path):
    with pytest.raises(ModomodoError, match=r"may only say where rows are .* found question, verifier"):
        here("coco", tmp_path, verifier="boxes", question="{x}")
    with pytest.raises(ModomodoError, match="detect is a built-in domain that no file holds"):
        here("detect", tmp_path)
    moved = here("sat", None, revision="abc")
    assert (moved.origin.source, moved.origin.revision) == ("array/SAT", "abc")
    moved = find_domain("mathvista", sources={"mathvista": Source(hub="me/MathVista")})
    assert (moved.origin.source, moved.origin.revision) == ("me/MathVista", None)
