import os
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS / "training"), str(TESTS / "lmms")]
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")


@pytest.fixture(scope="session")
def qwen(tmp_path_factory) -> Path:
    """A folder with an untrained Qwen2-VL of toy width and its real processor."""
    import tiny_qwen

    return tiny_qwen.save(tmp_path_factory.mktemp("qwen"))
