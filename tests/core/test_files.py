"""Files: links are followed, what is no regular file is left alone."""

import os
from pathlib import Path

import pytest

from modomodo.core.errors import ModomodoError
from modomodo.core.files import write_text


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
