"""An exclusion list notices rows that are gone or have shifted, and where it cannot be written."""

from pathlib import Path

import pytest

from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Row, Target
from modomodo.data.contamination import Match, write_exclusions
from modomodo.data.contamination.exclusions import (
    check_writable,
    content_of,
    contents_of,
    listed_domains,
    problems,
    read_exclusions,
)


def row(name: str, *pictures: bytes, question: str = "what is it?") -> Row:
    return Row(name, "d", question, Target("text", "yes"), pictures)


def test_rows_that_are_gone_or_have_shifted_are_problems(tmp_path: Path):
    path = tmp_path / "out.csv"
    training = [row(str(at), b"%d" % at, question=f"question {at}") for at in range(4)]
    matches = [Match("d", one, "b", "i", 0, 1.0, "image") for one in ("1", "2", "3")]
    contents = contents_of(matches, {"d": training, "e": [row("9")]})
    assert contents == {("d", one.id): content_of(one) for one in training[1:]}
    write_exclusions([*matches, Match("e", "9", "b", "i", None, 1.0, "text")], path, contents)
    assert listed_domains(path) == ("d", "e")
    assert problems(path, "d", training) == problems(path, "e", [row("9")]) == problems(path, "none", []) == ()
    shifted = [row(str(at), b"%d" % (at + 1), question=f"question {at + 1}") for at in range(3)]
    gone, other = problems(path, "d", shifted)
    assert "1 listed rows are no training row of d (line 4: '3')" in gone
    assert "2 listed rows are another row of d now (line 2: '1', line 3: '2')" in other
    write_exclusions(matches, path)
    assert problems(path, "d", shifted) == (gone,)


def test_content_is_the_question_and_the_pictures():
    one = row("a", b"1")
    assert content_of(one) == content_of(row("b", b"1"))
    assert len({content_of(one), content_of(row("a", b"2")), content_of(row("a")), "x"}) == 4
    assert content_of(row("a", question="?")) != content_of(row("a"))


def test_where_no_list_can_be_written_is_known_before(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path, Path(), tmp_path / "file" / "out.csv"):
        with pytest.raises(ModomodoError, match="cannot write"):
            check_writable(path)
    check_writable(tmp_path / "new" / "out.csv")
    with pytest.raises(ModomodoError, match="may have been edited by hand"):
        check_writable(tmp_path / "file")
    assert not (tmp_path / "new").exists()


def test_ids_that_a_spreadsheet_would_run_come_back_as_they_were(tmp_path: Path):
    ids = ("=1+1", "@a", "'=b", "-3", "+x", "plain", "'tis")
    write_exclusions([Match("d", one, "b", "=i", 0, 1.0, "image") for one in ids], tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_text().splitlines()[1:]
    assert not [line for line in lines if line.split(",")[1][0] in "=+@"]
    assert read_exclusions(tmp_path / "out.csv") == {"d": frozenset(ids)}
