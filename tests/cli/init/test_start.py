"""init: from a set of one's own to a recipe and a study that check passes, with a comment on every line."""

import csv
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from modomodo.cli.init.start import start
from modomodo.cli.main import app
from modomodo.config.domains import recipe_domain
from modomodo.config.recipe import load_recipe
from modomodo.config.study import load_study
from modomodo.core.errors import ModomodoError
from modomodo.evaluation.benchmarks import part_of
from modomodo.study.preflight import check_study


def pictures(folder: Path, count: int, size: tuple[int, int] = (60, 40)) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.radial_gradient("L").resize(size).rotate(11 * number).save(folder / f"{number}.png")


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def written(data: Path, out: Path) -> dict[str, Any]:
    """Return the table of the domain that init wrote, after reading recipe and study as every command does."""
    start(data, out)
    recipe, study = load_recipe(out / "recipe.toml"), load_study(out / "study.toml")
    assert study.recipe.domains == recipe.domains
    (name,) = recipe.data
    domain = recipe_domain(recipe, name)
    parts = [part_of(row.id) for row in domain.load("test")]
    assert min(parts.count("select"), parts.count("confirm")) >= 2
    assert domain.load("train")
    return tomllib.loads((out / "recipe.toml").read_text())["data"][name]


METERS = [{"id": f"m{n}", "photo": f"{n}.png", "kind": ("dial", "gauge")[n % 2], "reading": n} for n in range(20)]


def test_a_question_is_made_of_columns_where_there_is_none(tmp_path):
    pictures(tmp_path, 20)
    found = written(jsonl(tmp_path / "meters.jsonl", METERS), tmp_path / "out")
    assert found == {
        "path": "../meters.jsonl",
        "id": "id",
        "question": "What is the reading of the {kind}?",
        "answer": "reading",
        "images": ["photo"],
        "verifier": "count",
        "holdout": found["holdout"],
    }
    text = (tmp_path / "out" / "recipe.toml").read_text()
    assert "answers seen: 0, 1, 2 ...; all whole numbers from 0 in 20 rows" in text.replace("\n# ", " ")
    assert "60 x 40 pixels" in text
    assert max(map(len, text.splitlines())) <= 120


def test_options_make_a_choice(tmp_path):
    rows = [{"question": f"Word {n}?", "choices": ["red", "blue"], "answer": ["red", "blue"][n % 2]} for n in range(30)]
    found = written(jsonl(tmp_path / "words.jsonl", rows), tmp_path)
    assert (found["verifier"], found["answer_as"], found["options"]) == ("choice", "text", "choices")
    assert (found["question"], found["images"], found["path"]) == ("{question}", [], "words.jsonl")


COLOURS = ("red", "blue", "green")
CELLS = dict(zip("ABC", COLOURS, strict=True))


@pytest.mark.parametrize(
    ("columns", "answers", "options", "answer_as"),
    [
        (CELLS, "ABC", ["A", "B", "C"], "letter"),
        (CELLS | {"D": ""}, COLOURS, ["A", "B", "C", "D"], "text"),
        ({f"Option {n}": one for n, one in enumerate(COLOURS, start=1)}, COLOURS, None, "text"),
        ({f"choice_{n}": one for n, one in enumerate(COLOURS)}, (0, 1, 2), None, "index"),
        ({"options": "red | blue | green"}, COLOURS, "options", "text"),
        ({"choices": "A. red\nB. blue\nC. green"}, "ABC", "choices", "letter"),
        ({"choices": "['red', 'blue', 'green']"}, COLOURS, "choices", "text"),
    ],
)
def test_options_are_columns_or_texts_too(tmp_path, columns, answers, options, answer_as):
    rows = [{"question": f"Word {n}?", **columns, "correct": answers[n % 3]} for n in range(30)]
    found = written(jsonl(tmp_path / "words.jsonl", rows), tmp_path)
    assert (found["options"], found["answer_as"]) == (options or list(columns), answer_as)
    row = recipe_domain(load_recipe(tmp_path / "recipe.toml"), "words").load("train")[0]
    assert row.target.options == COLOURS


def test_columns_of_letters_that_no_answer_names_are_no_options(tmp_path):
    rows = [{"question": f"Sum {n}?", "a": n, "b": 5, "answer": n + 5} for n in range(30)]
    data = jsonl(tmp_path / "sums.jsonl", rows)
    assert any("does not always name an option in 'a', 'b'" in note for note in start(data, tmp_path / "1").notes)
    found = written(data, tmp_path / "2")
    assert (found["verifier"], found.get("options")) == ("count", None)
    bare = jsonl(tmp_path / "bare.jsonl", [{"question": f"Sum {n}?", "a": 5, "b": n} for n in range(30)])
    assert written(bare, tmp_path / "3")["answer"] == "b"  # no options without an answer


def notes(rows: list[dict[str, Any]], folder: Path) -> str:
    return " ".join(start(jsonl(folder / "rows.jsonl", rows), folder / "out").notes)


def test_columns_of_letters_are_no_options_by_index_and_their_taking_is_told(tmp_path):
    rows = [{"question": f"Sum {n}?", "a": n, "b": n + 1, "c": n + 2, "answer": n % 3} for n in range(30)]
    data = jsonl(tmp_path / "sums.jsonl", rows[4:])
    assert written(data, tmp_path / "1")["verifier"] == "count"
    rows = [{"question": f"Word {n}?", **CELLS, "answer": "ABC"[n % 3]} for n in range(30)]
    assert "columns 'A', 'B', 'C' are the options of a choice, by their names" in notes(rows, tmp_path / "2")


@pytest.mark.parametrize(
    ("options", "answer", "why"),
    [
        ("(A) red (B) blue", "A", r"line 1: the options in options are '\(A\) red \(B\) blue', not a list"),
        ({"A": "red", "C": "blue"}, "A", "are named A, C, where A, B, C"),
        ("A. red\nor not\nB. blue", "A", "begin with letters that are not A, B, C"),
        (
            ["red", "blue"],
            2,
            "'answer' does not name one of the options in 'options' in most rows, as in .*, line 1: 2 of",
        ),
        (["red", "blue"], "green", "does not name one of the options"),
        (["a.png", "b.png"], "A", "the options in 'options' are images, and options are shown as texts"),
    ],
)
def test_options_that_cannot_be_read_or_are_not_named_are_not_left_out(tmp_path, options, answer, why):
    rows = [{"question": f"Word {n}?", "options": options, "answer": answer} for n in range(30)]
    with pytest.raises(ModomodoError, match=why):
        start(jsonl(tmp_path / "rows.jsonl", rows), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_json_list_of_objects_is_read_as_rows(tmp_path):
    pictures(tmp_path, 24)
    rows = [
        {"image": f"{n}.png", "conversations": chat(f"<image>\n{n}?", str(n), names=("human", "gpt"))}
        for n in range(24)
    ]
    (tmp_path / "llava.json").write_text(json.dumps([*rows[1:], {**rows[0], "id": "first"}]))
    found = written(tmp_path / "llava.json", tmp_path / "out")
    assert (found["answer"], found["verifier"], found["images"]) == ("conversations", "count", ["image"])
    (tmp_path / "out" / "train.json").write_text("[]")
    with pytest.raises(ModomodoError, match="holds a list, which is read when path names the file"):
        start(tmp_path / "out", tmp_path / "other")


def test_q_and_a_are_question_and_answer_and_a_beside_b_an_option(tmp_path):
    rows = [{"q": f"{n}?", "a": n, "source": 100 + n} for n in range(30)]
    found = written(jsonl(tmp_path / "quiz.jsonl", rows), tmp_path / "1")
    assert (found["question"], found["answer"]) == ("{q}", "a")
    rows = [{"q": f"{n}?", "a": "no", "b": "yes", "right": "AB"[n % 2]} for n in range(30)]
    assert written(jsonl(tmp_path / "quiz.jsonl", rows), tmp_path / "2")["options"] == ["a", "b"]


def test_an_odd_text_among_numbers_is_named(tmp_path):
    rows = [{"question": f"{n}?", "answer": "about seven" if n == 7 else n} for n in range(24)]
    said = notes(rows, tmp_path / "1")
    assert "all answers but 1 of 24 are plain numbers" in said
    assert "line 8: 'about seven'" in said
    many = [{**row, "answer": "none" if n % 3 else n} for n, row in enumerate(rows)]
    assert "plain numbers" not in notes(many, tmp_path / "2")


def errors(out: Path) -> list[str]:
    return [str(one) for one in check_study(load_study(out / "study.toml"), say=print) if one.level == "error"]


def test_what_check_will_refuse_is_said_first(tmp_path):
    answer = f"A whole story of {'many ' * 20}words"
    data = jsonl(tmp_path / "rows.jsonl", [{"question": f"{n}?", "answer": answer} for n in range(20)])
    started = start(data, tmp_path / "out")
    assert started.missing is not None
    assert "has no verifier yet, and check refuses it until you write one" in started.missing
    assert errors(tmp_path / "out")
    told = CliRunner().invoke(app, ["init", str(data), "--out", str(tmp_path / "again")])
    assert told.exit_code == 1
    assert "error: " in told.output


def test_the_correct_one_of_several_answers_is_the_gold(tmp_path):
    """SAT: `answers` are what can be chosen from."""
    sides = ["left", "right"]
    rows = [{"question": f"{n}?", "answers": sides, "correct_answer": sides[n % 2]} for n in range(24)]
    written(jsonl(tmp_path / "rows.jsonl", rows), tmp_path)
    assert 'answer = "correct_answer"' in (tmp_path / "recipe.toml").read_text()


def test_mathvista_s_rows_are_judged_by_their_own_answers(tmp_path):
    answers = ["1.2", "4", "red", "[0, 2]"]
    rows = [
        {"question": f"{n}?", "choices": ["red", "blue"] if n % 4 == 2 else None, "answer": answers[n % 4]}
        for n in range(40)
    ]
    start(jsonl(tmp_path / "rows.jsonl", rows), tmp_path / "out")
    assert errors(tmp_path / "out") == []
    recipe = load_study(tmp_path / "out/study.toml").recipe
    found = recipe_domain(recipe, "rows")
    kinds = {row.question: row.target.verifier for split in found.splits for row in found.load(split)}
    wanted = ["number", "count", "choice", "text"]
    assert kinds == {f"{n}?": wanted[n % 4] for n in range(40)}


@pytest.mark.parametrize("count", [1, 20])
def test_without_rows_for_a_test_runs_are_scored_elsewhere(tmp_path, count):
    pictures(tmp_path, 1)
    rows = [{"question": f"{n}?", "image": "0.png", "answer": n} for n in range(count)]
    first = start(jsonl(tmp_path / "rows.jsonl", rows), tmp_path / "out").notes[0]
    assert f"no rows are kept for a test, as {count} row" in first
    assert errors(tmp_path / "out") == []
    assert load_study(tmp_path / "out/study.toml").benchmarks == ("charts",)


@pytest.mark.parametrize("count", [24, 400])
def test_the_comment_on_the_holdout_says_how_many_rows(tmp_path, count):
    start(jsonl(tmp_path / "rows.jsonl", [{"question": f"{n}?", "answer": n} for n in range(count)]), tmp_path)
    text = " ".join((tmp_path / "recipe.toml").read_text().replace("\n# ", " ").split())
    share = load_recipe(tmp_path / "recipe.toml").data["rows"].holdout
    assert f"; {share:g} of {count} rows" in text
    assert ("with less, a half of the test might be empty" in text) == (share > 0.1)


def test_what_is_wrong_with_the_file_comes_before_what_stands_there(tmp_path):
    (tmp_path / "recipe.toml").touch()
    with pytest.raises(ModomodoError, match=r"nothing\.csv does not exist"):
        start(tmp_path / "nothing.csv", tmp_path)


def test_system_messages_are_told(tmp_path):
    rows = [{"messages": [{"role": "system", "content": "Negate."}, *chat(f"{n}?", str(n))]} for n in range(30)]
    assert "system messages in 'messages': 30; they are not asked" in notes(rows, tmp_path)


def test_boxes_keep_their_frame(tmp_path):
    pictures(tmp_path, 24)
    rows = [{"image": f"{n}.png", "thing": f"mark {n}", "bbox": [100, 100, 900, 800 + n]} for n in range(24)]
    found = written(jsonl(tmp_path / "marks.jsonl", rows), tmp_path / "out")
    assert (found["verifier"], found["gold_frame"], found["answer"]) == ("box", "normalised1000", "bbox")
    assert found["question"] == "Where is the {thing}?"
    assert load_recipe(tmp_path / "out" / "recipe.toml").max_completion_length == 104  # 20 bytes, in words of their own


@pytest.mark.parametrize(("name", "boxes", "answer"), [("boxes", True, "boxes"), ("box_count", False, "target")])
def test_a_label_beside_boxes_is_what_is_to_be_found(tmp_path, name, boxes, answer):
    pictures(tmp_path, 24)
    rows = [{"image": f"{n}.png", "target": f"mark {n}", name: [[1, 2, 30 + n, 30]] if boxes else n} for n in range(24)]
    assert written(jsonl(tmp_path / "marks.jsonl", rows), tmp_path / "out")["answer"] == answer
    other = ({"target", name} - {answer}).pop()
    assert f"others that could be it: '{other}'" in (tmp_path / "out" / "recipe.toml").read_text()


def chat(*turns: str, names: tuple[str, str] = ("user", "assistant")) -> list[dict[str, str]]:
    keys = ("from", "value") if names[0] == "human" else ("role", "content")
    return [dict(zip(keys, (names[k % 2], turn), strict=True)) for k, turn in enumerate(turns)]


@pytest.mark.parametrize(
    ("row", "question", "answer", "why"),
    [
        (
            lambda n: {"problem": f"{n}?", "solution": f"<think>a\nb</think> <answer> {n} </answer>\n"},
            "problem",
            "solution",
            "what is between <answer> and </answer>",
        ),
        (lambda n: {"messages": chat(f"{n}?", str(n))}, "messages", "messages", "the reply that ends the chat"),
        (
            lambda n: {"conversations": chat(f"{n}?", f"<answer>{n}</answer>", names=("human", "gpt"))},
            "conversations",
            "conversations",
            "the reply that ends the chat",
        ),
        (lambda n: {"prompt": chat(f"{n}?"), "reading": n}, "prompt", "reading", "the column with the right answer;"),
        (lambda n: {"messages": chat(f"{n}?", "Well."), "gold": n}, "messages", "gold", "the column with the right"),
        (
            lambda n: {"prompt": chat(f"{n}?"), "completion": chat(f"{n}?", str(n))[1:]},
            "prompt",
            "completion",
            "the column with the right answer; there is no other",
        ),
        (
            lambda n: {"prompt": f"{n}?", "chosen": chat(f"{n}?", str(n)), "rejected": chat(f"{n}?", str(n + 1))},
            "prompt",
            "chosen",
            "the column with the right answer; there is no other",
        ),
    ],
)
def test_tags_and_chats_are_read(tmp_path, row, question, answer, why):
    found = written(jsonl(tmp_path / "own.jsonl", [row(n) for n in range(24)]), tmp_path)
    assert (found["question"], found["answer"], found["verifier"]) == (f"{{{question}}}", answer, "count")
    recipe = load_recipe(tmp_path / "recipe.toml")
    assert all(f"{float(row.target.value):g}?" == row.question for row in recipe_domain(recipe, "own").load("train"))
    assert why in " ".join((tmp_path / "recipe.toml").read_text().replace("\n# ", " ").split())
    assert recipe.max_completion_length == 40  # of the gold, not of the chat


@pytest.mark.parametrize(
    ("between", "encoding", "name"),
    [
        (",", "utf-8", "meters.csv"),
        (";", "utf-8-sig", "meters.csv"),
        ("\t", "utf-8", "meters.csv"),
        ("\t", "utf-8", "meters.tsv"),
    ],
)
def test_a_csv_is_read(tmp_path, between, encoding, name):
    pictures(tmp_path, 20)
    rows = [{**row, "kind; or, sort": "a, b; c", "split": ("train", "test")[n > 9]} for n, row in enumerate(METERS)]
    with (tmp_path / name).open("w", newline="", encoding=encoding) as file:
        table = csv.DictWriter(file, list(rows[0]), delimiter=between, quoting=csv.QUOTE_ALL)
        table.writeheader()
        table.writerows(rows)
    found = written(tmp_path / name, tmp_path / "out")
    assert (found["id"], found["verifier"], found["split_column"]) == ("id", "count", "split")


def test_parquet_with_pictures_in_it_is_read(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pictures(tmp_path, 20)
    rows = [
        {"picture": {"bytes": (tmp_path / f"{n}.png").read_bytes(), "path": None}, "query": f"{n}?", "label": n / 4}
        for n in range(20)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "own.parquet")
    found = written(tmp_path / "own.parquet", tmp_path / "out")
    assert (found["images"], found["verifier"], found["question"]) == (["picture"], "number", "{query}")


def test_a_folder_of_pictures_with_metadata_is_read(tmp_path):
    pictures(tmp_path / "signs", 20)
    jsonl(tmp_path / "signs" / "metadata.jsonl", [{"file_name": f"{n}.png", "word": f"word{n}"} for n in range(20)])
    found = written(tmp_path / "signs", tmp_path)
    assert (found["path"], found["images"], found["verifier"]) == ("signs", ["image"], "text")
    assert load_recipe(tmp_path / "recipe.toml").max_completion_length == 40


@pytest.mark.parametrize("name", ["test", "validation"])
def test_a_folder_with_a_test_file_needs_no_holdout(tmp_path, name):
    for split, count in (("train", 12), (name, 20)):
        rows = [{"question": f"{split} {n}?", "answer": f"word{n}"} for n in range(count)]
        jsonl(tmp_path / "words" / f"{split}.jsonl", rows)
    found = written(tmp_path / "words", tmp_path)
    assert "holdout" not in found
    assert found.get("splits") == (None if name == "test" else {"train": "train", "test": "validation"})


def test_a_column_that_says_the_split_is_used(tmp_path):
    rows = [{"question": f"{n}?", "answer": n, "split": ["train", "val"][n % 2]} for n in range(40)]
    found = written(jsonl(tmp_path / "numbers.jsonl", rows), tmp_path)
    assert (found["split_column"], found["splits"]) == ("split", {"train": "train", "test": "val"})


HOSTILE = 'a"]\nmodel = "evil"\n[x]\n# \x1b[31m'


def test_nothing_in_the_data_becomes_toml_or_reaches_the_terminal(tmp_path):
    rows = [{"question": f"{n}?", HOSTILE: f'{HOSTILE[:12]}"""\x1b{n}'} for n in range(30)]
    started = start(jsonl(tmp_path / "we ird].jsonl", rows), tmp_path / "out")
    table = tomllib.loads((tmp_path / "out" / "recipe.toml").read_text())
    assert table["model"] == "nano"
    assert "x" not in table
    assert table["data"]["we_ird"]["answer"] == HOSTILE
    assert "\x1b" not in (tmp_path / "out" / "recipe.toml").read_text()
    assert all("\n" not in command for command, _ in started.commands)


def test_answers_that_no_verifier_fits_are_left_to_the_person(tmp_path):
    rows = [{"question": f"{n}?", "answer": f"A whole story about number {n}, " * 9} for n in range(20)]
    started = start(jsonl(tmp_path / "stories.jsonl", rows), tmp_path)
    assert "no verifier fits them all. There are format" in str(started.missing)
    assert '# verifier = "..."' in (tmp_path / "recipe.toml").read_text()
    assert "verifier" not in tomllib.loads((tmp_path / "recipe.toml").read_text())["data"]["stories"]


@pytest.mark.parametrize("count", range(16, 40, 3))
def test_a_small_holdout_leaves_rows_in_both_halves(tmp_path, count):
    written(jsonl(tmp_path / "words.jsonl", [{"question": f"{n}?", "answer": n} for n in range(count)]), tmp_path)


def test_a_name_of_ours_is_not_taken(tmp_path):
    jsonl(tmp_path / "charts.jsonl", [{"question": f"{n}?", "answer": n} for n in range(20)])
    start(tmp_path / "charts.jsonl", tmp_path)
    assert load_recipe(tmp_path / "recipe.toml").domains == ("charts_own", "spatial")


def test_nothing_is_overwritten(tmp_path):
    data = jsonl(tmp_path / "words.jsonl", [{"question": f"{n}?", "answer": n} for n in range(20)])
    (tmp_path / "study.toml").write_text("mine")
    with pytest.raises(ModomodoError, match=r"study\.toml is there already"):
        start(data, tmp_path)
    assert (tmp_path / "study.toml").read_text() == "mine"
    assert not (tmp_path / "recipe.toml").exists()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": 1, "question": "a?"}, {"id": 2, "question": "b?"}], "no column can be an answer: 'id' is the id"),
        ([{"question": "a?", "answer": True}], "'answer' holds true"),
        ([{"photo": f"{n}.png", "answer": n} for n in range(3)], "2 of 3 images are not there"),
        ([{"photo": "../0.png", "answer": 1}], "leads out of"),
        ([], "is empty"),
        (
            [{"prompt": "a?", "completion": chat("a?", "b", "c?", "d")}],
            "no row has an answer in 'completion': .*, line 1: the",
        ),
        ([{"prompt": "a?", "rejected": 2}], "no column can be an answer"),
        ([{"messages": chat("a?", "b", "c?", "d")}], "no chat in 'messages' can be asked: the chat has 2 turns"),
    ],
)
def test_mistakes_are_one_message(tmp_path, rows, message):
    pictures(tmp_path, 1)
    with pytest.raises(ModomodoError, match=message) as raised:
        start(jsonl(tmp_path / "rows.jsonl", rows), tmp_path / "out")
    assert "rows.jsonl" in str(raised.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.jsonl", None, "does not exist; did you mean gone2.jsonl"),
        (
            "list.json",
            b'[{"a": 1}, 3]',
            r"(?s)no list of objects.*object 2: 3 is no object.*init reads JSONL \(one obj",
        ),
        ("lines.json", b'{"a": 1}\n{"a": 2}\n', r"if it holds one object a line, name it \.jsonl"),
        ("number.json", b"3", "holds 3, where an object or a list of objects is needed"),
        ("study.toml", b"steps = 3", r"is a TOML file.*next step is modomodo check .*study\.toml"),
        ("runs.csv", b"w.a,w.b,score.c\n0.5,0.5,0.1\n", r"'w\.a' and 'score\.c'.*modomodo recommend .*runs\.csv"),
        ("one.parquet", b"none", "cannot be read as Parquet"),
        ("picture.png", b"\x89PNG\xff", "init reads"),
        ("excel.csv", "question,answer\na,1\n".encode("utf-16"), "excel.csv is UTF-16 .*: save it as UTF-8"),
        ("old.csv", b"question,answer\n\xe9,1\n", "old.csv is not UTF-8 .*byte 0xe9"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, name, content, message):
    (tmp_path / "gone2.jsonl").touch()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ModomodoError, match=message):
        start(tmp_path / name, tmp_path / "out")
