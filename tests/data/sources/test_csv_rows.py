"""CSV files of rows: what is read, and what could be read in two ways."""

from pathlib import Path

import pytest

from modomodo.core.errors import ModomodoError
from modomodo.data.sources.chats import gold_in
from modomodo.data.sources.csv_rows import csv_rows
from modomodo.data.sources.records import read
from modomodo.data.sources.source import Source


def columns(path: Path, text: str) -> list[dict[str, str]]:
    path.write_text(text)
    return [dict(record.columns) for record in read(Source(path=path), None)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "question,answer\nq; or so,1\n,,\n"),
        ("a.csv", "\n;\nquestion;answer\nq; or so;1".replace("q; or so", '"q; or so"')),
        ("a.csv", 'sep=;\nquestion;answer\n"q; or so";1'),
        ("a.csv", "sep=\t\nquestion\tanswer\nq; or so\t1"),
        ("a.tsv", "question\tanswer\nq; or so\t1\t\n"),
    ],
)
def test_one_row_is_read(tmp_path, name, text):
    assert columns(tmp_path / name, text) == [{"question": "q; or so", "answer": "1"}]
    assert [record.place[-6:] for record in read(Source(path=tmp_path / name), None)] == [
        f"line {text[: text.index('or so')].count(chr(10)) + 1}"
    ]


@pytest.mark.parametrize(
    ("name", "header", "row"),
    [
        ("a.csv", ["question", "options (a; b; c; d)", "answer"], "q,x,A"),
        ("a.csv", ["id", "answer, text, long, four"], "0;q 0"),
        ("a.tsv", ["question, a, b, c", "answer"], "q, a, b, c\t0"),
    ],
)
def test_what_stands_between_columns_is_seen_in_two_lines(tmp_path, name, header, row):
    mark = next(one for one in "\t;," if one in row)
    assert list(columns(tmp_path / name, f"{mark.join(header)}\n{row}\n")[0]) == header


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "a.csv",
            "id,question,answer\n0,q,1\n1,hello, world,2\n",
            "(?s)does not fit.*line 3 has 4 cells, the header 3",
        ),
        ("a.csv", "id,question,answer\n0,q\n1,q,2\n", "line 2 has 2 cells, the header 3"),
        ("a.csv", "id,answer,question,answer\n0,1,q,2\n", "two columns 'answer': rename"),
        ("a.csv", 'id,question,answer\n0,q,1\n1,"q 5,2\n2,"q 5,3\n', "after line 2: ',' expected .*mend the quotes"),
        ("a.tsv", 'question\tanswer\n"q\t1\nq"\t2\n', "line 3 ends a cell with line breaks and tabs"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(tmp_path, name, text, message):
    with pytest.raises(ModomodoError, match=message) as raised:
        columns(tmp_path / name, text)
    assert str(tmp_path / name) in str(raised.value)


@pytest.mark.parametrize("number", ["1,250", "-0,5"])
def test_a_number_with_a_comma_is_refused_where_commas_may_be_decimal(tmp_path, number):
    (row,) = columns(tmp_path / "a.csv", f"question;answer\nq;{number}\n")
    with pytest.raises(ModomodoError, match=f"the answer is '{number}', .* write a decimal point"):
        gold_in(row["answer"])
    (row,) = columns(tmp_path / "b.csv", f'question,answer\nq,"{number}"\n')
    assert gold_in(row["answer"]) == number
    (row,) = columns(tmp_path / "c.csv", "question;answer\nq;1,2,3\n")
    assert gold_in(row["answer"]) == "1,2,3"


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_a_cell_may_hold_a_picture_in_base64(tmp_path, name):
    mark = "," if name == "a.csv" else "\t"
    (row,) = columns(tmp_path / name, f"question{mark}image\nq{mark}{'A' * 500_000}\n")
    assert len(row["image"]) == 500_000


def test_rows_may_share_an_image_by_the_index_of_its_row(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text(f"index\timage\tanswer\n1\t{'iVBOR' * 20}\t3\n2\t1\t4\n3\t2\t5\n")
    (rows, broken) = csv_rows(path)
    assert ([row["image"] for _, row in rows], broken) == (["iVBOR" * 20, "iVBOR" * 20, "2"], [])
