"""Every family on a tiny random checkpoint. All but two are marked `families`: they take minutes."""

from pathlib import Path

import pytest
import tiny
from mixed import MIXED

from modomodo.models.families import FAMILIES

QUICK = ("qwen2_vl", "smolvlm")
EVERY = [pytest.param(name, marks=() if name in QUICK else pytest.mark.families) for name in FAMILIES]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "family" in metafunc.fixturenames:
        metafunc.parametrize("family", EVERY, scope="session")


@pytest.fixture(scope="session", autouse=True)
def without_torchvision():
    with pytest.MonkeyPatch.context() as patch:
        tiny.without_torchvision(patch)
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Family -> the folder of its tiny checkpoint, made once."""
    folders: dict[str, Path] = {}

    def make(family: str) -> Path:
        if family not in folders:
            folders[family] = tiny.make(family, tmp_path_factory.mktemp(family) / "model")
        return folders[family]

    return make


@pytest.fixture(autouse=True)
def mixed(monkeypatch):
    from modomodo.data.registry import DOMAINS

    monkeypatch.setitem(DOMAINS, "mixed", MIXED)
