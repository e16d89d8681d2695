"""The files and pages for clusters: they parse, name versions that are tested, and say what the program says."""

import importlib.util
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from modomodo.fields import Launcher
from modomodo.recipes import load_study
from modomodo.strict import parse

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/clusters.md").read_text()


def test_the_slurm_file_is_a_script():
    subprocess.run(["bash", "-n", str(ROOT / "examples/clusters/slurm.sbatch")], check=True)


def test_the_kubernetes_file_is_of_the_ray_that_is_tested():
    yaml = pytest.importorskip("yaml")
    claim, job = yaml.safe_load_all((ROOT / "examples/clusters/kuberay.yaml").read_text())
    assert (claim["kind"], job["kind"]) == ("PersistentVolumeClaim", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    assert f"ray=={cluster['rayVersion']}\n" in (ROOT / "constraints.txt").read_text()
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        pod = group["template"]["spec"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        mounts = {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]}
        assert mounts == volumes


def test_the_launcher_s_table_of_the_page_is_taken():
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    found = parse(Launcher, tomllib.loads(block)["launcher"], where="docs/clusters.md")
    assert found.kind == "ray"
    assert set(tomllib.loads(block)["launcher"]) | {"resources"} == set(Launcher.model_fields)


def test_the_changes_of_the_page_and_the_files_are_taken():
    texts = [PAGE, *(path.read_text() for path in (ROOT / "examples/clusters").iterdir())]
    sets = sorted({item for text in texts for item in re.findall(r"--set (launcher\.[a-z]+=[A-Za-z0-9:.]+)", text)})
    assert len(sets) >= 3
    assert load_study(ROOT / "recipes/modern/study.toml", sets).launcher.kind == "ray"


def test_the_numbers_of_the_costs_are_those_of_the_program(capsys: pytest.CaptureFixture[str]):
    spec = importlib.util.spec_from_file_location("costs", ROOT / "benchmarks/costs.py")
    assert spec is not None
    assert spec.loader is not None
    costs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(costs)
    costs.main()
    page = (ROOT / "docs/costs.md").read_text()
    parts = capsys.readouterr().out.strip().split("\n\n")
    assert len(parts) >= 7
    assert [part for part in parts if part not in page] == []
