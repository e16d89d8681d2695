"""benchmarks/gpu.py: it runs, both sides do equal work, and on a GPU our engine is as fast as a bare script."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")
SCRIPT = Path(__file__).parents[1] / "benchmarks" / "gpu.py"


def measured(folder: Path, *options: str) -> tuple[pd.DataFrame, str]:
    """Return the table that the script keeps, and what it prints."""
    command = [sys.executable, str(SCRIPT), *options, "--out", str(folder / "gpu.csv")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return pd.read_csv(folder / "gpu.csv"), done.stdout


@pytest.mark.slow
@pytest.mark.skipif(find_spec("trl") is None, reason="needs TRL")
def test_a_tiny_model_takes_both_through_equal_work(tmp_path: Path):
    table, printed = measured(tmp_path, "--size", "tiny", "--steps", "5", "--rounds", "1")
    assert list(table.engine) == ["bare", "ours"]
    assert table.tokens.nunique() == 1
    replies = 2 * 12 * 16  # of two steps, at their full length
    assert table.tokens[0] > replies
    assert (table.tokens_per_second > 0).all()
    assert "tokens a second, ours / bare" in printed
    assert "estimate:" in printed


@pytest.mark.gpu
@pytest.mark.skipif(find_spec("trl") is None or not torch.cuda.is_available(), reason="needs a GPU and TRL")
def test_our_engine_is_as_fast_as_a_bare_script(tmp_path: Path):
    table, printed = measured(tmp_path, "--steps", "9", "--rounds", "2")
    assert table.tokens.nunique() == 1, printed
    rates = table.pivot(index="round", columns="engine", values="tokens_per_second")
    assert np.exp(np.log(rates.ours / rates.bare).mean()) >= 0.98, printed


@pytest.mark.gpu
@pytest.mark.skipif(find_spec("vllm") is None or not torch.cuda.is_available(), reason="needs a GPU and vLLM")
def test_verl_trains_with_vllm_and_resumes():
    pytest.importorskip("verl", reason="verl has an environment of its own")
    done = subprocess.run([sys.executable, str(SCRIPT), "--engine", "verl"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "adapters: 6 steps" in done.stdout
