"""The tests of vLLM, on a CPU: `make test-vllm`. A folder named vllm would pass for the package itself."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

collect_ignore_glob = [] if find_spec("vllm") else ["*.py"]

if find_spec("vllm"):
    sys.path += [str(Path(__file__).parents[1] / "families"), str(Path(__file__).parent)]
    # One process: it starts in seconds, and keeps what is imported.
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")


@pytest.fixture
def mixed(monkeypatch):
    """A domain of rows with no image, one and two."""
    from mixed import MIXED

    from modomodo.data.registry import DOMAINS

    monkeypatch.setitem(DOMAINS, "mixed", MIXED)
    return MIXED
