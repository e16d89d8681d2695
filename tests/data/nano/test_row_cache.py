"""Rows that were kept are the rows that were drawn, and a bad file costs nothing but time."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import pytest

from modomodo.data.nano import row_cache
from modomodo.data.nano.row_cache import cache_folder, cached_rows
from modomodo.data.nano.world import rows


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache_folder.cache_clear()
    yield tmp_path
    cache_folder.cache_clear()


def some(family):
    return rows(family, "test")[:20]


def never():
    raise AssertionError("drawn again")


@pytest.mark.parametrize("family", ["detect", "refer", "science", "maths", "compass"])
def test_kept_rows_equal_drawn_ones(cache, family):
    assert cached_rows(family, "test", partial(some, family)) == some(family)
    assert cached_rows(family, "test", never) == some(family)


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-9], lambda text: text.replace("circle", "cross", 1), lambda _: ""]
)
def test_a_damaged_file_is_drawn_again_and_mended(cache, damage):
    cached_rows("charts", "test", partial(some, "charts"))
    (path,) = cache.rglob("charts-test.json")
    path.write_text(damage(path.read_text()))
    assert cached_rows("charts", "test", partial(some, "charts")) == some("charts")
    assert cached_rows("charts", "test", never) == some("charts")


def test_a_cache_that_cannot_be_written_costs_only_time(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    cache_folder.cache_clear()
    assert cached_rows("charts", "test", partial(some, "charts")) == some("charts")
    cache_folder.cache_clear()


def test_a_change_of_what_draws_makes_another_folder(cache, monkeypatch):
    before = cache_folder()
    cache_folder.cache_clear()
    monkeypatch.setattr(row_cache, "DRAWN_BY", row_cache.DRAWN_BY[1:])
    assert cache_folder() != before


def test_two_processes_at_once_keep_whole_rows(cache):
    # Under a name of their own: `rows` keeps all of maths under its name, which the other process may find.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = [pool.submit(cached_rows, "some maths", "test", partial(some, "maths")) for _ in range(4)]
        assert all(one.result() == some("maths") for one in found)
    assert [path.name for path in cache.rglob("some*")] == ["some maths-test.json"]
