"""Files: links are followed, what is no regular file is left alone."""

import os
from pathlib import Path

import pytest

from modomodo.core.errors import ModomodoError
from modomodo.core.files import csv_cell, foreign_json, from_csv_cell, read_json, write_text


def test_a_link_stays_a_link_and_its_file_is_written(tmp_path: Path):
    (tmp_path / "there").mkdir()
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "there" / "real.json")
    write_text(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "there" / "real.json").read_text() == "new"


def test_devices_folders_and_no_name_are_refused(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("")):
        with pytest.raises(ModomodoError, match="isn't a regular file"):
            write_text(path, "new")
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1+1", "'+1+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1+1", "\t'=1+1"),
        ("\r=1+1", "\r'=1+1"),
        ("run 1; =1+1", "run 1; '=1+1"),
        ("run\t@x", "run\t'@x"),
        ("single:geo", "single:geo"),
        ("a-b", "a-b"),
        ("'=1+1", "''=1+1"),
        ("''@a", "'" + "''@a"),
        ("-5", "-5"),
        ("+0.5e3", "+0.5e3"),
        ("a=b", "a=b"),
        ("'tis", "'tis"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula_and_each_comes_back(text: str, cell: str):
    assert csv_cell(text) == cell
    assert from_csv_cell(cell) == text


@pytest.mark.parametrize("content", ["{", "[1]", "null", '{"a":' * 20_000, '{"a": ' + "1" * 5000 + "}", "\udcff", ""])
def test_what_is_no_object_of_json_is_said(tmp_path: Path, content: str):
    path = tmp_path / "table.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ModomodoError, match=r"table.json is damaged .*: delete it"):
        read_json(path)
    with pytest.raises(ModomodoError, match=r"table.json cannot be read as JSON .*: copy it again"):
        foreign_json(path)


def test_json_is_read_of_regular_files_alone(tmp_path: Path):
    assert read_json(tmp_path / "nowhere.json") is None
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(ModomodoError, match="no regular file"):
            foreign_json(path)
    with pytest.raises(ModomodoError, match="No such file"):
        foreign_json(tmp_path / "nowhere.json")
