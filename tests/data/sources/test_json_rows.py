"""JSON and JSONL of rows: what could be read in two ways is refused, with its place."""

import json
from pathlib import Path

import pytest
from sets import picture

from modomodo.core.errors import ModomodoError
from modomodo.data.sources.json_rows import json_rows, json_value, jsonl_rows
from modomodo.data.sources.records import read
from modomodo.data.sources.source import Source


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "a": 1}', "the key 'a' occurs twice in one object"),
        ('[{"b": {"a": 1, "c": 2, "a": 3}}]', "the key 'a' occurs twice"),
        ('{"a": 1e-400}', "the number 1e-400 would be read as 0"),
        ('{"a": -0.0001E-999}', "the number -0.0001E-999 would be read as -0"),
        ('{"a": 1e400}', "would be read as inf"),
        ('{"a": ' + "9" * 5000 + "}", "a number has 5,000 digits, over the cap of 400"),
        ("[" * 65 + "]" * 65, "nested more than 64 deep"),
        ("[" * 900 + "]" * 900, "nested more than 64 deep"),
        ("[" * 100_000, "nested more than 64 deep"),
        ('{"a": [', "Expecting value"),
    ],
)
def test_a_value_that_is_not_what_it_seems_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        json_value(text)


@pytest.mark.parametrize("text", ["0.0", "0e5", "1e-300", "-0", "[" * 64 + "]" * 64, '{"a": 1, "b": {"a": 1}}'])
def test_others_are_read_as_python_does(text):
    assert json_value(text) == json.loads(text)


def written(folder: Path, value: object, name: str = "a.json") -> Path:
    (folder / name).write_text(value if isinstance(value, str) else json.dumps(value))
    return folder / name


ROWS = [{"question": "a", "answer": 1}, {"question": "b", "answer": 2}]


@pytest.mark.parametrize(
    ("value", "places", "rows"),
    [
        (ROWS, ["object 1", "object 2"], ROWS),
        (
            {"x": ROWS[0], "y": ROWS[1]},
            ["entry 'x'", "entry 'y'"],
            [{"key": "x", **ROWS[0]}, {"key": "y", **ROWS[1]}],
        ),
        ({"version": 2, "data": ROWS, "info": {"by": "me"}}, ["data, object 1", "data, object 2"], ROWS),
        ({"questions": ROWS, "licence": None}, ["questions, object 1", "questions, object 2"], ROWS),
    ],
)
def test_rows_are_those_of_a_list_of_an_object_or_under_a_name(tmp_path, value, places, rows):
    found, broken = json_rows(written(tmp_path, value), alone=True)
    assert (list(dict(found)), [row for _, row in found], broken) == (places, rows, [])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"images": ROWS, "annotations": ROWS},
            r"several lists of objects \('images', 'annotations'\): write one list",
        ),
        (ROWS[0], "holds one object that is no set of rows"),
        ({}, "holds one object that is no set of rows"),
        ({"messages": [{"role": "user", "content": "a"}] * 2}, "holds one object that is no set of rows"),
        (3, "holds 3, where an object or a list"),
        ('{"a": 1}\n{"a": 2}', "if it holds one object a line, name it .jsonl"),
        ('[{"a": 1, "a": 2}]', "is no JSON: the key 'a' occurs twice"),
    ],
)
def test_files_that_leave_open_what_their_rows_are_are_refused(tmp_path, value, message):
    with pytest.raises(ModomodoError, match=message):
        json_rows(written(tmp_path, value), alone=True)


def test_bad_lines_are_listed_with_their_numbers(tmp_path):
    path = written(tmp_path, '{"a": 1}\n\n{"a": 1, "a": 2}\n[3]\n{"a": 1e-999}\n', "a.jsonl")
    rows, broken = jsonl_rows(path)
    assert rows == [("line 1", {"a": 1})]
    assert [line.partition(":")[0] for line in broken] == ["line 3", "line 4", "line 5"]


@pytest.mark.parametrize(("name", "between"), [("a.jsonl", "\n"), ("a.json", ",\n"), ("a.csv", "\n")])
def test_one_letter_of_another_coding_is_named_by_line_and_byte(tmp_path, name, between):
    lines = [json.dumps({"question": f"café {k}", "answer": k}, ensure_ascii=False).encode() for k in range(9)]
    lines[4] = lines[4].decode().encode("cp1252")
    if name == "a.csv":
        lines = [b"question,answer", *(b"caf\xc3\xa9,1" for _ in range(2)), b"x,1", b"caf\xe9,1", b"y,2"]
    data = between.encode().join(lines)
    (tmp_path / name).write_bytes(b"[" + data + b"]" if name == "a.json" else data)
    with pytest.raises(ModomodoError, match=rf"{name} is not UTF-8 \(line 5: .* byte 0xe9 .*: save it as UTF-8"):
        list(read(Source(path=tmp_path / name), None))


@pytest.mark.parametrize(("text", "good"), [("café", True), ("caf\u00c3\u00a9 é", False)])
def test_an_old_file_beside_its_picture_may_be_cp1252_as_a_whole(tmp_path, text, good):
    (tmp_path / "a.jpg").write_bytes(picture())
    data = json.dumps({"text": text}, ensure_ascii=False).encode("cp1252")
    (tmp_path / "a.json").write_bytes(data)
    if good:
        ((_, row),), _ = json_rows(tmp_path / "a.json", alone=False)
        assert row == {"image": "a.jpg", "name": "a", "text": text}
    else:  # some of its letters are UTF-8
        with pytest.raises(ModomodoError, match="is not UTF-8"):
            json_rows(tmp_path / "a.json", alone=False)


def test_a_column_for_each_row_is_refused(tmp_path):
    path = written(tmp_path, [{f"c{k}": 1} for k in range(6000)])
    with pytest.raises(ModomodoError, match=r"has 6,000 columns in 6,000 rows, over the cap of 500"):
        list(read(Source(path=path), None))


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.parquet"])
def test_a_pipe_is_no_file_of_rows(tmp_path, name):
    import os

    os.mkfifo(tmp_path / name)
    source = Source(path=tmp_path, splits={"train": name})
    with pytest.raises(ModomodoError, match=r"is no regular file|holds: a"):
        list(read(source, name))
