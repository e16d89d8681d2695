"""A domain from a table of settings: formats, splits, golds, ids, and what is refused."""

import json
import math
import re
from pathlib import Path

import pytest
from sets import hub_picture, jsonl, parquet, picture

from modomodo.core.errors import ModomodoError
from modomodo.core.rows import View
from modomodo.data.domain import check
from modomodo.data.registry import find_domain
from modomodo.data.sources.build import SourceDomain
from modomodo.data.sources.columns import drafts
from modomodo.data.sources.options import option_texts
from modomodo.data.sources.source import Source
from modomodo.data.sources.values import BadRowError
from modomodo.verifiers import gold_reply

OPTIONS = ["a cat", "a dog", "a fox"]
ROWS = [
    {
        "name": f"r{k}",
        "question": f"Which? {k}",
        "image": f"p/{k}.png",
        "options": OPTIONS,
        "answer": "ABC"[k % 3],
        "part": part,
    }
    for k, part in enumerate(["tr", "tr", "te", "tr", "te", "tr"])
]
OTHERS = {"options": OPTIONS}
CHOICE = {"options": "options", "verifier": "choice"}


def domain(path: Path, **settings):
    return find_domain("mine", sources={"mine": Source(path=path, **settings)})


def refusal(path: Path, **settings) -> str:
    found = domain(path, **settings)
    with pytest.raises(ModomodoError) as caught:
        [found.load(split) for split in found.splits]
    return str(caught.value)


def test_one_file_is_the_training_split_and_sound(tmp_path):
    found = domain(jsonl(tmp_path / "rows.jsonl", ROWS), **CHOICE)
    rows = found.load("train")
    assert found.splits == ("train",)
    assert [row.id for row in rows] == [f"mine-train-{k:05d}" for k in range(6)]
    assert rows[1].target.value == "B"
    assert rows[1].target.options == tuple(OPTIONS)
    assert rows[1].target.image_size == (8, 6)
    assert rows[0].images == (tmp_path / "p/0.png",)  # untouched, so not even read into memory
    assert check(found) == ()
    text = found.prompt(rows[0], View())[0]["content"][-1]["text"]
    assert "A. a cat\nB. a dog" in text
    assert "letter" in text


def test_one_file_may_be_a_test_split_but_not_two(tmp_path):
    path = jsonl(tmp_path / "rows.jsonl", ROWS)
    assert [len(domain(path, **CHOICE, splits={"test": "dev"}).load(split)) for split in ("test",)] == [6]
    assert "is one file and splits names two" in refusal(path, **CHOICE, splits={"train": "a", "test": "b"})


def test_a_split_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModomodoError, match="mine has no split 'tset'; known: train"):
        domain(jsonl(tmp_path / "rows.jsonl", ROWS), **CHOICE).load("tset")


def test_loading_again_reads_nothing_again(tmp_path):
    path = jsonl(tmp_path / "rows.jsonl", ROWS)
    first = domain(path, **CHOICE).load("train")
    path.unlink()
    assert domain(path, **CHOICE).load("train") is first


def test_a_column_splits(tmp_path):
    settings = {"split_column": "part", "splits": {"train": "tr", "test": "te"}, "id": "name"}
    found = domain(jsonl(tmp_path / "rows.jsonl", ROWS), **CHOICE, **settings)
    assert [[row.id for row in found.load(split)] for split in found.splits] == [["r0", "r1", "r3", "r5"], ["r2", "r4"]]
    assert "there, part is 'tr', 'te'" in refusal(
        tmp_path / "rows.jsonl", **CHOICE, split_column="part", splits={"test": "tset"}
    )


@pytest.mark.parametrize(
    "layout", ["{}.jsonl", "{}-00000-of-00001.parquet", "data/{}-00000-of-00001.parquet", "{}/x.jsonl"]
)
def test_a_folder_splits_by_the_names_of_its_files(tmp_path, layout):
    for split, rows in (("train", ROWS[:4]), ("validation", ROWS[4:])):
        path = tmp_path / layout.format(split)
        bare = [{**row, "image": hub_picture(colour=int(row["name"][1:]))} for row in rows]
        jsonl(path, rows) if path.suffix == ".jsonl" else parquet(path, bare)
    found = domain(tmp_path, **CHOICE, splits={"train": "train", "test": "validation"})
    assert [len(found.load(split)) for split in found.splits] == [4, 2]
    assert check(found) == ()
    assert "has no split 'dev'" in refusal(tmp_path, **CHOICE, splits={"test": "dev"})


def test_files_called_train_and_test_need_no_splits(tmp_path):
    jsonl(tmp_path / "train.jsonl", ROWS[:4])
    jsonl(tmp_path / "test.jsonl", ROWS[4:])
    assert [len(domain(tmp_path, **CHOICE).load(split)) for split in ("train", "test")] == [4, 2]


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_folder_of_pictures_with_metadata(tmp_path, kind):
    rows = [{"file_name": f"{k}.jpg", "question": "Colour?", "answer": str(k)} for k in range(3)]
    for k in range(3):
        (tmp_path / f"{k}.jpg").write_bytes(picture(colour=k, kind="JPEG"))
    if kind == "jsonl":
        jsonl(tmp_path / "metadata.jsonl", rows)
    else:
        lines = ["file_name,question,answer", *(",".join(row.values()) for row in rows)]
        (tmp_path / "metadata.csv").write_text("\n".join(lines))
    found = domain(tmp_path, verifier="count")
    assert [row.images[0] for row in found.load("train")] == [tmp_path / f"{k}.jpg" for k in range(3)]
    assert check(found) == ()


def test_a_hub_id_is_read_by_datasets(tmp_path, monkeypatch):
    import datasets

    features = datasets.Features(
        {
            "question": datasets.Value("string"),
            "answer": datasets.Value("string"),
            "image": datasets.List(datasets.Image()),
        }
    )
    stored = [
        {"question": f"How many? {k}", "answer": "2", "image": [picture(colour=k), picture(colour=k + 9)]}
        for k in range(3)
    ]
    table = datasets.Dataset.from_list(stored, features=features)
    asked = {}

    def load_dataset(*names, **options):
        asked.update(names=names, **options)
        return table

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    source = Source(hub="some/set", config="small", revision="abc", splits={"test": "dev"}, verifier="count")
    found = find_domain("mine", sources={"mine": source})
    rows = found.load("test")
    assert asked == {"names": ("some/set", "small"), "revision": "abc", "split": "dev"}
    assert [row.images for row in rows] == [(picture(colour=k), picture(colour=k + 9)) for k in range(3)]
    assert (found.origin.source, found.origin.revision) == ("some/set (small)", "abc")


def test_a_hub_id_out_of_reach_says_what_to_do():
    found = find_domain("mine", sources={"mine": Source(hub="some/set", verifier="count")})
    with pytest.raises(ModomodoError, match=r"some/set, split train cannot be loaded .* set path to a copy of it"):
        found.load("train")


def test_no_picture_is_in_both_splits_of_a_holdout(tmp_path):
    # Row k shows images k // 2 and, every fifth, the next one too: those that share one go together.
    rows = [
        {
            "question": f"q{k}",
            "answer": k,
            "images": [hub_picture(colour=k // 2 + extra) for extra in range(1 + (k % 5 == 0))],
        }
        for k in range(200)
    ]
    found = domain(parquet(tmp_path / "a.parquet", rows), images=("images",), verifier="count", holdout=0.3)
    train, test = ({image for row in found.load(split) for image in row.images} for split in ("train", "test"))
    assert found.splits == ("train", "test")
    assert not train & test
    assert sum(len(found.load(split)) for split in found.splits) == 200
    assert 0.15 < len(found.load("test")) / 200 < 0.45


@pytest.mark.parametrize("pictures", [1, 4])
def test_a_holdout_is_as_large_as_asked_however_many_pictures_a_row_has(tmp_path, pictures):
    rows = [
        {"question": "q", "answer": k, "images": [hub_picture(colour=k * pictures + n) for n in range(pictures)]}
        for k in range(600)
    ]
    found = domain(parquet(tmp_path / "a.parquet", rows), images=("images",), verifier="count", holdout=0.1)
    assert 36 < len(found.load("test")) < 84  # 60, and 24 are over 3 standard deviations


@pytest.mark.parametrize(("holdout", "empty"), [(0.999, "train"), (1.0, "train"), (0.001, "test")])
def test_a_holdout_that_leaves_a_split_empty_is_refused(tmp_path, holdout, empty):
    path = jsonl(tmp_path / "a.jsonl", ROWS)
    said = refusal(path, **CHOICE, holdout=holdout)
    assert f"leaves {empty} without rows (6 records in 6 groups" in said
    one = [{**row, "image": ["p/0.png", f"p/{k}.png"]} for k, row in enumerate(ROWS)]
    assert "6 records in 1 groups" in refusal(jsonl(tmp_path / "b.jsonl", one), **CHOICE, holdout=0.5)


def test_rows_of_text_are_held_out_by_their_question(tmp_path):
    rows = [{"question": f"q {k // 2}", "answer": k} for k in range(100)]
    found = domain(jsonl(tmp_path / "a.jsonl", rows), images=(), verifier="number", holdout=0.5)
    train, test = ({row.question for row in found.load(split)} for split in ("train", "test"))
    assert len(train) + len(test) == 50
    assert 15 < len(test) < 35


@pytest.mark.parametrize(
    ("answer", "settings", "value"),
    [
        ("(b)", {"options": "options", "verifier": "choice"}, "B"),
        ("a dog", {"options": "options", "verifier": "choice", "answer_as": "text"}, "B"),
        ("A DOG", {"options": "options", "verifier": "choice", "answer_as": "text"}, "B"),
        (1, {"options": "options", "verifier": "choice", "answer_as": "index"}, "B"),
        ("1", {"options": "options", "verifier": "choice", "answer_as": "index"}, "B"),
        ("B", {"options": ("question", "answer", "none"), "verifier": "choice"}, "B"),
        ("D", {"verifier": "choice"}, "D"),
        ("red", {"options": ("none", "none"), "verifier": "text"}, "red"),
        ("<think>3?</think><answer>4</answer>", {"verifier": "count"}, "4"),
        (3, {"verifier": "count"}, 3),
        ("1,195", {"verifier": "number", "tolerance": 0.1}, "1,195"),
        (["red", "scarlet"], {"verifier": "text"}, ("red", "scarlet")),
        ("red", {"verifier": "anls"}, "red"),
        ([1, 2, 5, 6], {"verifier": "box"}, (1, 2, 5, 6)),
        ([[1, 2, 5, 6], [0, 0, 8, 6]], {"verifier": "boxes"}, ((1, 2, 5, 6), (0, 0, 8, 6))),
        ([{"Position": [1, 2, 5, 6], "Confidence": 1}], {"verifier": "boxes"}, ((1, 2, 5, 6),)),
        ("[{'Position': [1, 2, 5, 6]}]", {"verifier": "box"}, (1, 2, 5, 6)),
        ([], {"verifier": "boxes"}, ()),
        ("No Objects", {"verifier": "boxes"}, ()),
        ([250, 500, 750, 1000], {"verifier": "point", "gold_frame": "normalised1000"}, (2, 3, 6, 6)),
        ([0.25, 0.5, 0.75, 1.0], {"verifier": "box", "gold_frame": "unit"}, (2, 3, 6, 6)),
    ],
)
def test_golds_of_each_kind_earn_1(tmp_path, answer, settings, value):
    found = domain(jsonl(tmp_path / "a.jsonl", [{**ROWS[0], "answer": answer, "none": ""}]), **settings)
    row = found.load("train")[0]
    assert row.target.value == value
    assert [one for one in check(found, View(frame="normalised1000")) if one.level == "error"] == []
    assert found.verify(row, gold_reply(row.target), View()).reward == 1


def test_a_template_of_columns(tmp_path):
    rows = [{"hint": hint, "ask it": "How far?", "answer": 2, "image": "a.png"} for hint in (None, "Far.", 1.0)]
    found = domain(jsonl(tmp_path / "a.jsonl", rows), question="{hint}\n{{{ask it}}}", verifier="count")
    assert [row.question for row in found.load("train")] == ["{How far?}", "Far.\n{How far?}", "1\n{How far?}"]


@pytest.mark.parametrize(
    ("text", "pictures", "shown"),
    [
        ("Which?", 2, "[][]Which?\nA. a cat"),
        ("<image> <image>\nWhich?", 2, "[][]Which?\nA."),
        ("Which?\n<image>", 1, "Which?\n[]\nA."),
        ("Image 1: <image>\nImage 2: <IMAGE>\nWhich?", 2, "Image 1: []\nImage 2: []\nWhich?\nA."),
        ("<image>Which is as <image>?", 2, "[]Which is as []?\nA."),
        ("Is <image 1> as <image_2>? <image1> is red.", 2, "Is [] as []? picture 1 is red.\nA."),
        ("<image 2> or <image 1>?", 2, "[][]picture 2 or picture 1?\nA."),
        ("As <image2> shows?", 1, "[]As <image2> shows?\nA."),  # a name for a part of it, as in MathVision
        ("As <image 1> shows?", 2, "[][]As picture 1 shows?\nA."),
    ],
)
def test_pictures_stand_where_their_marks_stand(tmp_path, text, pictures, shown):
    row = {"question": text, "image": [hub_picture(colour=k) for k in range(pictures)], "answer": "B", **OTHERS}
    found = domain(parquet(tmp_path / "a.parquet", [row]), **CHOICE)
    made = found.load("train")[0]
    assert made.images == tuple(picture(colour=k) for k in range(pictures))
    assert check(found) == ()
    content = found.prompt(made, View())[0]["content"]
    assert "".join(part["text"] if part["type"] == "text" else "[]" for part in content).startswith(shown)


NESTED = {"reward_model": {"ground_truth": "7"}, "extra_info": '{"asked": {"text": "How many?"}}', "a.b": "own"}


def test_columns_inside_of_objects_have_names_with_dots(tmp_path):
    path = jsonl(tmp_path / "a.jsonl", [{**NESTED, "image": "p.png"}])
    settings = {"question": "{extra_info.asked.text} {a.b}", "answer": "reward_model.ground_truth"}
    row = domain(path, **settings, verifier="count").load("train")[0]
    assert (row.question, row.target.value) == ("How many? own", "7")
    for answer, message in (
        ("reward_model.ground_truht", "reward_model has no 'ground_truht'; did you mean ground_truth?"),
        ("reward_model.ground_truth.value", "reward_model.ground_truth is '7', not an object that could hold 'value'"),
        ("reward.x", "has no column 'reward'; did you mean reward_model?"),
        ("extra_info.asked", "cannot be graded|is .*, not"),
    ):
        assert re.search(message, refusal(path, **{**settings, "answer": answer}, verifier="text"))


def test_rows_without_options_beside_others_are_judged_by_a_verifier_of_their_own(tmp_path):
    rows = [
        {**ROWS[k], **({"options": free, "answer": "7"} if k % 2 else {})} for k, free in enumerate([0, None, 0, []])
    ]
    found = domain(jsonl(tmp_path / "a.jsonl", rows), **CHOICE, free_form="count")
    targets = [row.target for row in found.load("train")]
    assert [target.verifier for target in targets] == ["choice", "count", "choice", "count"]
    assert [target.options for target in targets[:2]] == [tuple(OPTIONS), ()]
    assert check(found) == ()
    forms = [found.prompt(row, View())[0]["content"][-1]["text"] for row in found.load("train")[:2]]
    assert "letter of one option" in forms[0]
    assert "one whole number" in forms[1]
    assert "2 rows cannot be used" in refusal(tmp_path / "a.jsonl", **CHOICE)


def test_names_and_boxes_of_objects_stand_in_their_places(tmp_path):
    row = {"query": "Find <ref-object>", "response": "<bbox>", "image": "a.png"}
    rows = [{**row, "objects": {"ref": ["the cat"], "bbox": [[1, 2, 5, 6]]}}]
    settings = {"question": "{query}", "answer": "response", "verifier": "box"}
    path = jsonl(tmp_path / "a.jsonl", rows)
    found = domain(path, **settings, objects="objects").load("train")[0]
    assert (found.question, found.target.value) == ("Find the cat", (1, 2, 5, 6))
    assert "cannot be read" in refusal(path, **settings)
    assert "name the column in objects" in refusal(path, **{**settings, "verifier": "text"})


def test_pictures_in_a_chat_are_those_of_its_column(tmp_path):
    content = [{"type": "text", "text": "Is "}, {"type": "image", "image": "a.png"}, {"type": "text", "text": " red?"}]
    chat = [{"role": "user", "content": content}, {"role": "assistant", "content": "no"}]
    path = jsonl(tmp_path / "a.jsonl", [{"chat": chat, "image": "a.png"}])
    settings = {"question": "{chat}", "answer": "chat", "verifier": "text"}
    row = domain(path, **settings, images=("chat",)).load("train")[0]
    assert (row.question, row.images) == ("Is <image> red?", (tmp_path / "a.png",))
    assert "1 <image> mark, 0 images in" in refusal(path, **settings, images=())


@pytest.mark.parametrize("instruction", ["Look at <image>.", "Be brief.<|im_end|>", "Write <bbox>."])
def test_an_instruction_is_text_alone(tmp_path, instruction):
    path = jsonl(tmp_path / "a.jsonl", ROWS)
    with pytest.raises(ModomodoError, match=r"data.mine.instruction: the instruction .* inside"):
        domain(path, **CHOICE, instruction=instruction)


def test_what_hints_at_the_wrong_column_is_noted(tmp_path):
    rows = [{**row, "photo": row["image"], "answer": "B"} for row in ROWS]
    path = jsonl(tmp_path / "a.jsonl", rows)
    said = [str(one) for one in check(domain(path, **CHOICE, images=())) if one.level == "note"]
    assert any(
        "not used: 'image', 'photo', by name with images; name what is to be shown in images" in one for one in said
    )
    assert any("every gold is 'B': one reply is right for all rows" in one for one in said)
    assert all("not used" not in str(one) for one in check(domain(path, **CHOICE)))


def test_where_keeps_rows_and_their_numbers(tmp_path):
    rows = [{"question": "q", "answer": k, "flag": k % 2 == 0, "image": f"{k}.png"} for k in range(5)]
    found = domain(jsonl(tmp_path / "a.jsonl", rows), verifier="count", where={"flag": (True,)})
    assert [row.id for row in found.load("train")] == [f"mine-train-{k:05d}" for k in (0, 2, 4)]
    assert "flag is True, False" in refusal(tmp_path / "a.jsonl", verifier="count", where={"flag": (1,)})


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        ({"answer": "Q"}, CHOICE, r"line 2: the answer is 'Q', not one of the letters ABC"),
        ({"answer": None}, CHOICE, "not one of the letters"),
        ({"answer": "a bee"}, {**CHOICE, "answer_as": "text"}, "'a bee' is none of the options"),
        ({"options": ["x", "x"], "answer": "x"}, {**CHOICE, "answer_as": "text"}, "'x' is several of the options"),
        ({"answer": 3}, {**CHOICE, "answer_as": "index"}, "not an index from 0 to 2"),
        ({"options": None}, CHOICE, "the options in options are a list of 2 to 26 texts, found None"),
        ({"options": ["x"]}, CHOICE, "found 1 of them"),
        ({"answer": "many"}, {"verifier": "count"}, "gold 'many' cannot be graded by 'count'"),
        ({"answer": True}, {"verifier": "text"}, "is True: write the text or number"),
        ({"answer": {"a": 1}}, {"verifier": "number"}, "cannot be graded"),
        ({"answer": [1, 2, 3]}, {"verifier": "box"}, "cannot be read: 3 numbers, where 4 are asked"),
        ({"answer": [[1, 2, 3, 4], [1, 2, 3, 5]]}, {"verifier": "box"}, "holds 2 boxes, where box asks for one"),
        ({"answer": [6, 2, 3, 4]}, {"verifier": "box"}, "not a box"),
        ({"answer": [0, 0, 9.5, 6]}, {"verifier": "box"}, "is outside the image of 8 x 6 pixels"),
        ({"answer": [1, 1, 2, 2], "image": None}, {"verifier": "box"}, "boxes need an image"),
        ({"question": " "}, CHOICE, "the question is empty"),
        ({"question": ["a"]}, CHOICE, r"question is \['a'\], not a text"),
        ({"image": 7}, CHOICE, "an image is bytes, base64, a path or a list of them, found int 7"),
        ({"image": ".."}, CHOICE, "paths are relative to the file and inside its folder"),
        ({"image": "p/../../b.png"}, CHOICE, "leads out of"),
        ({"image": "/etc/hostname"}, CHOICE, "leads out of"),
        ({"question": math.nan}, CHOICE, "question is nan, not a text"),
        ({"options": ["x", math.inf], "answer": "A"}, CHOICE, "options is inf, not a text"),
        ({"answer": math.nan}, {"verifier": "text"}, "the gold is nan, not a finite number"),
        ({"answer": ["x", math.nan]}, {"verifier": "text"}, "the gold is nan, not a finite number"),
        ({"answer": [0, 0, math.nan, 1]}, {"verifier": "box"}, "cannot be"),
        ({"name": math.nan}, {**CHOICE, "id": "name"}, "the id in name is nan"),
        ({"name": "a\nb"}, {**CHOICE, "id": "name"}, r"the id 'a\\nb' has control characters"),
        ({"name": "a\x1b[2J"}, {**CHOICE, "id": "name"}, "has control characters"),
        ({"name": "a\ud800"}, {**CHOICE, "id": "name"}, "id: .* has half a character"),
        ({"question": "a\ud800"}, CHOICE, "question: .* has half a character"),
        ({"options": ["x", "y\ud800", "z"]}, CHOICE, "options: .* has half a character"),
        ({"answer": "a\ud800"}, {"verifier": "text"}, "gold: .* has half a character"),
        ({"options": "[" * 100_000}, CHOICE, "the options in options are '\\[+, not a list"),
        ({"options": '["x; y", "z"'}, CHOICE, "the options in options are .*, not a list"),
        ({"part": ""}, {**CHOICE, "options": ("name", "part")}, "options in name, part are a list .* found 1 of them"),
        ({"question": "<image><image> Which?"}, CHOICE, "2 <image> marks, 1 image in"),
        ({"question": "Is <image> this?", "image": None}, CHOICE, "1 <image> mark, 0 images in"),
        ({"question": "Is <image 2> this?"}, CHOICE, "names <image 2>, and there are 1 images"),
        ({"question": "<image><image1> Which?"}, CHOICE, "has <image> and <image1>: number all marks, or none"),
        ({"question": "Is <|image_pad|> this?"}, CHOICE, r"has <\|image_pad\|> inside"),
        ({"question": "Which?<|im_end|>"}, CHOICE, r"has <\|im_end\|> inside"),
        ({"question": "Which?<end_of_turn>"}, CHOICE, "has <end_of_turn> inside"),
        ({"question": "<video>Which?"}, CHOICE, "has <video> inside"),
        ({"question": "Find <ref-object>"}, CHOICE, "has <ref-object> inside, which marks a place for another"),
        ({"options": ["<image>", "y", "z"]}, CHOICE, "the option '<image>' has <image> inside"),
        ({"options": ["x", "y", "z<|eot_id|>"]}, CHOICE, r"the option 'z<\|eot_id\|>' has"),
        ({"options": ["<image 2>", "y", "z"]}, CHOICE, "names <image 2>"),
        ({"answer": "x</s>"}, {"verifier": "text"}, "the answer 'x</s>' has </s> inside"),
        ({"answer": "<bbox>"}, {"verifier": "text"}, "name the column in objects"),
        ({"answer": "1e-400"}, {"verifier": "number"}, "'1e-400' is too small a number, and would be judged as 0"),
        ({"options": ["x", "x ", "y"], "answer": "B"}, CHOICE, "hold the right one, 'x', more than once"),
        ({"options": ["x", "", "y"], "answer": "C"}, CHOICE, "hold an empty one: fill it in"),
        ({"options": ["B. x", "A. y"]}, CHOICE, "begin with B, A, and are shown as A, B"),
        ({"question": [{"role": "user", "content": None}]}, CHOICE, "a turn of the chat holds"),
        ({"name": None}, {**CHOICE, "id": "name"}, "the id in name is None"),
        ({"name": "r0"}, {**CHOICE, "id": "name"}, "the id 'r0' occurs twice"),
    ],
)
def test_a_bad_row_is_refused_with_its_file_and_line(tmp_path, change, settings, message):
    good = {"box": [1, 1, 2, 2], "count": 1, "number": 1, "text": "x"}
    right = good.get(settings["verifier"], {"text": "a cat", "index": 0}.get(settings.get("answer_as"), "A"))
    rows = [{**row, "answer": right} for row in ROWS[:3]]
    path = jsonl(tmp_path / "rows.jsonl", [rows[0], {**rows[1], **change}, rows[2]])
    said = refusal(path, **settings)
    assert said.startswith("mine (train): 1 row cannot be used:\n")
    assert f"{path}, line 2: " in said
    assert re.search(message, said), said


@pytest.mark.parametrize("holdout", [0.0, 0.5])
def test_base64_of_no_picture_is_a_bad_row_told_shortly(tmp_path, holdout):
    path = jsonl(tmp_path / "a.jsonl", ROWS[:4])
    with path.open("a") as file:
        file.write(json.dumps({**ROWS[0], "image": "iVBO/RwK" + "A" * 4000}) + "\n")
    said = refusal(path, **CHOICE, holdout=holdout)
    assert f"{path}, line 5: the image (3006 bytes) is unreadable: it begins with b'\\x89PN\\xfd" in said
    assert len(said) < 400 + len(str(path))


@pytest.mark.parametrize("depth", [200, 600, 5000])
@pytest.mark.parametrize("column", ["answer", "options", "question"])
def test_lists_of_lists_are_refused_however_deep(tmp_path, column, depth):
    path = jsonl(tmp_path / "a.jsonl", ROWS[:1])
    row = json.dumps({**ROWS[0], column: "DEEP"}).replace('"DEEP"', "[" * depth + "]" * depth)
    path.write_text(path.read_text() + row + "\n")
    assert "line 2: " in refusal(path, options="options", verifier="choice" if column == "options" else "text")


def test_rows_without_a_picture_are_noted(tmp_path):
    path = jsonl(tmp_path / "a.jsonl", [ROWS[0], {**ROWS[1], "image": None}, {**ROWS[2], "image": []}])
    said = [str(one) for one in check(domain(path, **CHOICE)) if one.level == "note"]
    assert said == ["mine (train): 2 of 3 rows have no image in image: asked as text alone"]
    path = jsonl(tmp_path / "b.jsonl", [{"question": "q", "answer": "a"}])
    assert check(domain(path, verifier="text", images=())) == ()
    assert "a set without images says images = []" in refusal(path, verifier="text")


def test_a_split_of_which_no_row_is_left_is_refused(tmp_path):
    path = jsonl(tmp_path / "a.jsonl", [{**ROWS[3], "answer": "Z"}])
    said = refusal(path, **CHOICE, unusable=1)
    assert "mine (train): no row is left" in said
    assert f"{path}, line 1" in said


def test_all_bad_rows_are_listed_up_to_twenty_then_counted(tmp_path):
    path = jsonl(tmp_path / "a.jsonl", [{**ROWS[0], "answer": "AZ"[k < 33]} for k in range(66)])
    said = refusal(path, **CHOICE)
    assert said.count("line ") == 20
    assert "\n  ... and 13 more\n" in said
    assert said.endswith("correct them; of a set of your own, data.mine.unusable = 33 leaves them out")
    assert "(at most 5 may be left out)" in refusal(path, **CHOICE, unusable=5)


def test_where_nearly_all_rows_are_bad_the_first_are_shown_and_none_is_to_be_left_out(tmp_path):
    path = jsonl(tmp_path / "a.jsonl", [{**ROWS[0], "answer": "AZ"[k < 33]} for k in range(36)])
    said = refusal(path, **CHOICE)
    assert said.startswith("mine (train): 33 of 36 rows cannot be used:")
    assert said.count("line ") == 3
    assert "\n  ... and 30 more\n" in said
    assert "unusable" not in said


@pytest.mark.parametrize("turned", [1, 3])
def test_boxes_that_are_x_y_width_height_are_known(tmp_path, turned):
    boxes = [[4, 1, 2, 3] if k < turned else [0, 0, 2, 2] for k in range(3)]
    path = jsonl(tmp_path / "a.jsonl", [{**row, "answer": box} for row, box in zip(ROWS[:3], boxes, strict=True)])
    said = refusal(path, verifier="box")
    assert said.count("are boxes x, y, width, height? write x1, y1, x2, y2") == turned
    assert "unusable" not in said
    outside = [{**row, "answer": [7, 1, 2, 3]} for row in ROWS[:3]]
    assert "width, height?" not in refusal(jsonl(tmp_path / "b.jsonl", outside), verifier="box")


def test_rows_that_no_half_can_read_are_told_alike_of_both(tmp_path):
    rows = [{"question": f"{k}?", "answer": k or None} for k in range(12)]
    found = domain(jsonl(tmp_path / "a.jsonl", rows), verifier="count", images=(), holdout=0.4)
    said: set[str] = set()
    for split in ("train", "test"):
        with pytest.raises(ModomodoError, match=r"^mine: 1 row cannot be used") as caught:
            found.load(split)
        said.add(str(caught.value))
    assert len(said) == 1


def test_declared_bad_rows_are_left_out_and_noted(tmp_path):
    path = jsonl(tmp_path / "a.jsonl", [*ROWS[:3], {**ROWS[3], "answer": "Z"}])
    found = domain(path, **CHOICE, unusable=1, rows={"train": 5})
    assert len(found.load("train")) == 3
    problems = check(found)
    assert [problem.level for problem in problems] == ["note", "note"]
    assert f"{path}, line 4" in str(problems[0])
    assert "has 3 rows, where 5 are declared" in str(problems[1])
    assert check(domain(path, **CHOICE, unusable=1, rows={"train": 3}))[1:] == ()


def test_pictures_that_are_missing_or_broken_are_refused(tmp_path):
    path = jsonl(tmp_path / "a.jsonl", ROWS[:3])
    (tmp_path / "p/1.png").write_bytes(b"no image")
    (tmp_path / "p/2.png").unlink()
    said = refusal(path, **CHOICE)
    assert "line 2: the image" in said
    assert "is unreadable" in said
    assert "line 3: the image" in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"is empty"),
        ('{"a": 1}\n{"a": \n\n[1]\n', r"(?s)is no JSONL.*line 2: .*line 4: '\[1\]' is no object"),
        ('{"question": "x", "imgae": "a.png", "answer": 1}', "has no column 'image'; did you mean imgae"),
        ('{"question": "x", "image": null, "anwser": 1}', "has no column 'answer'; did you mean anwser"),
    ],
)
def test_a_broken_file_is_named(tmp_path, text, message):
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    said = refusal(path, verifier="count")
    assert str(path) in said
    assert re.search(message, said), said


def test_a_broken_parquet_file_or_none_is_named(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no")
    assert "a.parquet cannot be read as Parquet" in refusal(tmp_path, verifier="count")
    assert "did you mean a.parquet?" in refusal(tmp_path / "b.parquet", verifier="count")
    (tmp_path / "none").mkdir()
    assert "has no .jsonl or .parquet file" in refusal(tmp_path / "none", verifier="count")


def test_a_parquet_column_without_python_values_matters_only_where_it_is_asked_for(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    def written(name: str, **columns) -> Path:
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
        return tmp_path / f"{name}.parquet"

    broken = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(bytes([0] * 4 + [2] + [0] * 3)), pa.py_buffer(b"\xff\xfe")]
    )
    far = pa.array([2**30], pa.date32())
    found = domain(written("fine", question=["q"], answer=["a"], far=far, broken=broken), verifier="text", images=())
    assert len(found.load("train")) == 1
    for answer, why in ((far, "OverflowError"), (broken, "UnicodeDecodeError")):
        said = refusal(written(why, question=["q"], answer=answer), verifier="text", images=())
        assert f"{why}.parquet, row 0: the column 'answer' cannot be read: {why}" in said


def test_two_parquet_columns_of_one_name_are_refused(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_arrays(
        [pa.array(["q"]), pa.array(["a"]), pa.array(["b"])], names=["question", "answer", "answer"]
    )
    pq.write_table(table, tmp_path / "a.parquet")
    assert "a.parquet has two columns 'answer'" in refusal(tmp_path / "a.parquet", verifier="text", images=())


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"path": "a", "hub": "b"}, "rows come from one of the two"),
        ({"path": "a", "splits": {"dev": "x"}}, "unknown split 'dev'"),
        ({"path": "a", "splits": {"train": "x", "test": "y"}, "holdout": 0.1}, "names a test split already"),
        ({"path": "a", "split_column": "x"}, "say in splits which"),
        ({"path": "a", "verifier": "chioce"}, "did you mean choice"),
        ({"path": "a", "verifier": "choice", "answer_as": "text"}, "name the column of the options"),
        ({"path": "a", "options": ["choices"]}, 'options = "choices"'),
        ({"path": "a", "question": "{a[0]}"}, "a field is {column}"),
        ({"path": "a", "question": "{a:>9999999}"}, "a field is {column}"),
        ({"path": "a", "question": "{}"}, "a field is {column}"),
        ({"path": "a", "question": "{a"}, "write {column}"),
        ({"path": "a", "gold_frame": "resized"}, "gold_frame"),
        ({"path": "a", "verifier": "text", "free_form": "count"}, 'set verifier = "choice" and options'),
        ({"path": "a", "verifier": "choice", "options": "o", "free_form": "cuont"}, "did you mean count"),
    ],
)
def test_a_table_that_cannot_be_is_refused(table, message):
    from modomodo.core.toml import parse

    with pytest.raises(ModomodoError) as caught:
        parse(Source, table, where="a.toml")
    assert message in str(caught.value)


def test_a_source_says_where_and_by_what_it_is_judged(tmp_path):
    with pytest.raises(ModomodoError, match="neither path nor hub"):
        find_domain("mine", sources={"mine": Source(verifier="count")})
    with pytest.raises(ModomodoError, match="says no verifier; known: anls, box"):
        find_domain("mine", sources={"mine": Source(path=tmp_path)})


def test_excluded_rows_are_left_out_of_training_alone(tmp_path):
    settings = {"split_column": "part", "splits": {"train": "tr", "test": "te"}, "id": "name"}
    sources = {"mine": Source(path=jsonl(tmp_path / "rows.jsonl", ROWS), **CHOICE, **settings)}
    (tmp_path / "out.csv").write_text("domain,row_id,reason\nmine,r1,x\nother,r0,x\n")
    found = find_domain("mine", sources=sources, exclude=tmp_path / "out.csv")
    assert [[row.id for row in found.load(split)] for split in found.splits] == [["r0", "r3", "r5"], ["r2", "r4"]]
    (tmp_path / "out.csv").write_text("domain,row_id,reason\nmine,r2,of the test split\n")
    with pytest.raises(ModomodoError, match="no training row of mine"):
        find_domain("mine", sources=sources, exclude=tmp_path / "out.csv").load("train")


def test_prepared_rows_take_the_place_of_the_source(tmp_path):
    from modomodo.data.prepared import prepare

    path = jsonl(tmp_path / "rows.jsonl", ROWS)
    sources = {"mine": Source(path=path, **CHOICE, instruction="Say the letter.", holdout=0.4)}
    found = find_domain("mine", sources=sources)
    before = {split: found.load(split) for split in found.splits}
    prepare({"mine": found}, tmp_path / "prepared")
    path.unlink()
    again = find_domain("mine", sources=sources, prepared=tmp_path / "prepared")
    for split, rows in before.items():
        read = again.load(split)
        assert [(row.id, row.target) for row in read] == [(row.id, row.target) for row in rows]
    assert "Say the letter." in json.dumps(again.prompt(again.load("train")[0], View()))


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("red | white, or so | blue |", ("red", "white, or so", "blue")),
        ("(a) [0, 1); (b) $x$;", ("[0, 1)", "$x$")),
        ("A. red\r\nB. blue\n\n", ("red", "blue")),
        (["A. red", "B. blue"], ("red", "blue")),
        (["(a) red", "(b) blue"], ("red", "blue")),
        (["A. A. red", "B. B. blue"], ("red", "blue")),
        ({"A": "A. red", "B": "B. blue"}, ("red", "blue")),
        (["A. red", "blue"], ("A. red", "blue")),
        (["A. red", "B. "], ("A. red", "B.")),
        (["C. elegans", "A. thaliana"], ("C. elegans", "A. thaliana")),
        ("P(A, B) | P(B)", ("P(A, B)", "P(B)")),
        ('["B|C", "x; y"]', ("B|C", "x; y")),
    ],
)
def test_a_text_of_options_is_split_where_one_mark_stands_between_them(text, options):
    assert option_texts(text, "options") == options


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$|x|$; $|y|$; $|z|$", "more than one of"),
        ("P(A|B); P(B|A); P(A,B)", "more than one of"),
        ("A. int x=1;\nB. int y=2;", "more than one of"),
        ("f(x | y + z)", "hold brackets"),
        ("$a$ or $|b$", "hold brackets or"),
        ("A. [1;2]; B. [3;4]; C. ]1;4]", "letters that are not A, B, C"),
        ("(1;2); (3;4)", "hold brackets"),
        ("A. red\nand white\nB. blue", "letters that are not A, B, C"),
        ("Which?\nA. red\nB. blue", "letters that are not A, B, C"),
        ("B. x | A. y", "letters that are not A, B, C"),
        ("; red; blue", "hold an empty one"),
        ("red || blue", "hold an empty one"),
        ("A. | B. blue", "hold an empty one"),
        ("|", "found 0 of them"),
        ("(A) red (B) blue", "not a list: write them as a JSON list"),
    ],
)
def test_a_text_of_options_that_could_be_split_otherwise_is_refused(text, message):
    with pytest.raises(BadRowError, match=message):
        option_texts(text, "options")


def test_published_options_are_taken_as_they_are(tmp_path):
    path = parquet(tmp_path / "a.parquet", [{"q": "?", "options": ["x", "x"], "answer": "A"}])
    source = Source(path=path, question="{q}", images=(), **CHOICE)
    assert SourceDomain("theirs", source, drafts).domain().load("train")[0].target.options == ("x", "x")
    assert "more than once" in refusal(path, question="{q}", images=(), **CHOICE)


def test_another_way_of_reading_is_another_set(monkeypatch):
    before = Source().meaning()
    monkeypatch.setattr("modomodo.data.sources.source.READER", 0)
    assert Source().meaning() != before
