"""A run of the engine trl whose completions a vLLM server samples: killed, resumed, and its weights in the server.

All of it is TRL's and vLLM's, but for NCCL, which has a stand-in: communicator.py.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from modomodo.evaluation.vllm_engine import ON_CPU
from modomodo.models.names import model_path

HERE = Path(__file__).parent
ENVIRONMENT = {
    **os.environ,
    **ON_CPU,
    "PYTHONPATH": str(HERE),
    "VLLM_SERVER_DEV_MODE": "1",  # without it, no weights are taken
    "VLLM_ENABLE_V1_MULTIPROCESSING": "1",
}
# `vllm serve` is this, after it has asked for the version of a distribution that is called vllm.
SERVE = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", model_path("nano-2")]
SERVE += ["--host", "127.0.0.1"]
SERVE += ["--dtype", "float32", "--enforce-eager", "--logprobs-mode", "processed_logprobs", "--max-logprobs", "-1"]
SERVE += ["--enable-scale-out", "--weight-transfer-config", '{"backend": "store"}']
SERVE += ["--worker-extension-cls", "communicator.Extension"]


def wait_for(what: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: int = 900) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert process.poll() is None, log.read_text()[-4000:]
        assert time.monotonic() < end, log.read_text()[-4000:]
        time.sleep(1)


def healthy(port: int) -> bool:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).status == 200
    except OSError:
        return False


@pytest.fixture
def server_log(tmp_path) -> Path:
    return tmp_path / "server.log"


@pytest.fixture
def port(server_log):
    """The port of a server of the model."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        number = one.getsockname()[1]
    with server_log.open("wb") as file:
        server = subprocess.Popen(
            [*SERVE, "--port", str(number)], env=ENVIRONMENT, stdout=file, stderr=file, start_new_session=True
        )
        try:
            wait_for(lambda: healthy(number), server, server_log)
            yield number
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(60)


def start(folder: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(HERE / "train_on_server.py"), str(folder), str(port), str(folder / "replies.json")]
    with log.open("ab") as file:
        return subprocess.Popen(command, env=ENVIRONMENT, stdout=file, stderr=file)


def steps(folder: Path) -> list[int]:
    path = folder / "steps.jsonl"
    return [json.loads(line)["step"] for line in path.read_text().splitlines()] if path.exists() else []


def test_a_killed_run_goes_on_and_the_server_ends_with_its_weights(port, server_log, tmp_path):
    folder, log = tmp_path / "run", tmp_path / "run.log"
    first = start(folder, port, log)
    # In step 2, sampling. A run that dies while it sends weights leaves vLLM in an update that nobody can finish.
    wait_for(lambda: server_log.read_text().count("POST /finish_weight_update") == 2, first, log)
    first.kill()
    first.wait()
    schedule = (folder / "schedule.csv").read_text()
    second = start(folder, port, log)
    wait_for(lambda: (folder / "replies.json").exists(), second, log)
    assert second.wait(60) == 0
    assert steps(folder) == [1, 2, 3]
    assert "resuming from" in log.read_text()
    assert (folder / "schedule.csv").read_text() == schedule
    replies = json.loads((folder / "replies.json").read_text())
    assert [one["after"] for one in replies] == [one["saved"] for one in replies]
    assert [one["begun"] for one in replies] != [one["saved"] for one in replies]
