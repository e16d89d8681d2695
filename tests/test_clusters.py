"""The pages and files for clusters and costs: what they tell a person to type is taken, what they quote is said."""

import os
import re
import shlex
import signal
import subprocess
import time
import tomllib
from itertools import pairwise
from pathlib import Path

import costs
import pytest

from modomodo.config.recipe import load_recipe
from modomodo.config.sections import Launcher
from modomodo.config.study import Study, load_study
from modomodo.core.errors import ModomodoError
from modomodo.core.toml import read_toml

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/clusters.md").read_text()
COSTS = (ROOT / "docs/costs.md").read_text()
SLURM = ROOT / "examples/clusters/slurm.sbatch"
KUBERAY = ROOT / "examples/clusters/kuberay.yaml"
YOURS = ROOT / "recipes/modern/study.toml"  # for the study.toml of the page's reader
COMMAND = re.compile(r"^    modomodo (\w+) (\S+\.toml)([^#\n]*)", re.MULTILINE)


def sets_of(text: str) -> list[str]:
    words = shlex.split(text)
    return [change for word, change in pairwise(words) if word == "--set"]


def taken(file: str, sets: list[str]) -> Study | None:
    path = YOURS if file == "study.toml" else ROOT / file
    if "recipe" in read_toml(path):
        return load_study(path, sets)
    load_recipe(path, sets)
    return None


@pytest.mark.parametrize("command", COMMAND.findall(PAGE), ids=" ".join)
def test_the_commands_of_the_page_are_taken(command: tuple[str, str, str]):
    _, file, rest = command
    taken(file, sets_of(rest))


def test_no_change_of_the_page_stands_outside_its_commands_or_is_unknown():
    assert len(COMMAND.findall(PAGE)) >= 10
    for change in re.findall(r"`(launcher\.[a-z]+=[^`]+)`", PAGE):
        assert load_study(YOURS, ["launcher.kind=ray", change]).launcher != Launcher(kind="ray"), change
    for name in re.findall(r"`launcher\.([a-z]+)`", PAGE):
        assert name in Launcher.model_fields


def test_the_tables_in_toml_are_taken_by_a_study():
    blocks = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert blocks
    for block in blocks:
        named = tomllib.loads(block)["launcher"]
        assert set(named) | {"resources"} == set(Launcher.model_fields)
        changes = [
            f"{name}.{key}={value}" for name, table in tomllib.loads(block).items() for key, value in table.items()
        ]
        assert load_study(YOURS, changes).launcher.kind == "ray"


def test_a_study_of_verl_refuses_the_launcher_as_the_page_says():
    with pytest.raises(ModomodoError, match="a run of verl takes its whole Ray cluster"):
        load_study(ROOT / "recipes/cluster/study.toml", ["launcher.kind=ray"])
    assert "`a run of verl takes its whole Ray cluster`" in PAGE


SAID = (  # on the page, and in the program what makes it
    ("there is no Ray cluster at", "there is no Ray cluster at "),
    ("that can be joined", " that can be joined ("),
    ("the storage of the runs cannot be used", "the storage of the runs cannot be used ("),
    ("and no node of the cluster has that", ", and no node of the cluster has that (there are: "),
    ("waiting for the cluster to grow", ": waiting for the cluster to grow; "),
    ("does not see /data/meters", " does not see {unseen[0]}: "),
    ("has modomodo 0.1.0, the launcher 0.2.0", " has modomodo {here}, the launcher {order.version}: "),
    ("launcher.storage 's3://...' cannot be used: ", "launcher.storage {storage!r} cannot be used: {error}"),
    ("launcher.storage 'ftpx://...' cannot be used: ", "launcher.storage {storage!r} cannot be used: {error}"),
    ("another launcher took the run over", "another launcher took the run over, on node "),
    ("waiting for another launcher, which holds 3 of the runs", "waiting for another launcher, which holds {len"),
    ("it continues from its last copied checkpoint, retry 1 of 3", "): it continues from its last copied checkpoint, "),
    ("(lost 4 times; launcher.retries is 3)", " times; launcher.retries is {flight.losses})"),
    ("cannot keep a run in /tmp", " cannot keep a run in {tempfile.gettempdir()} ("),
    ("it was finished on a node, but ... has no result", "it was finished on a node, but "),
    ("is not there, or cannot be listed", " is not there, or cannot be listed: "),
    (
        "steps.jsonl lacks steps, so something else wrote there",
        "/steps.jsonl lacks steps, so something else wrote there: ",
    ),
    ("its files cannot be fetched from s3://...", "its files cannot be fetched from {self._storage}: "),
    ('concurrent belongs to the launcher "ray"', ' belongs to the launcher "ray": set '),
    ("starting Ray on this machine", '"starting Ray on this machine"'),
    ("on Ray (nodes 1, CPU 2, GPU 0); runs are copied to /", "on Ray ({offered}); runs are copied to "),
    ("5 of 12 runs are finished already", " runs are finished already"),
    ("single:detect finished in ", "{outcome.label} finished in "),
)


@pytest.mark.parametrize(("shown", "said"), SAID, ids=[shown for shown, _ in SAID])
def test_what_the_page_quotes_is_what_the_program_says(shown: str, said: str):
    sources = "".join(path.read_text() for path in sorted((ROOT / "src/modomodo").rglob("*.py")))
    assert " ".join(shown.split()) in " ".join(PAGE.split())
    assert said in sources


def test_every_message_of_the_table_is_among_those_compared():
    table = PAGE.partition("## Messages, and what they mean")[2].partition("\n## ")[0]
    messages = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]
    assert len(messages) > 10
    assert [one for one in messages if not any(shown in one for shown, _ in SAID)] == []


def test_the_job_of_kubernetes_grows_and_starts_the_launcher():
    yaml = pytest.importorskip("yaml")
    claim, job = yaml.safe_load_all(KUBERAY.read_text())
    assert (claim["kind"], job["kind"]) == ("PersistentVolumeClaim", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    (workers,) = cluster["workerGroupSpecs"]
    assert f"ray=={cluster['rayVersion']}\n" in (ROOT / "constraints.txt").read_text()
    for group in (cluster["headGroupSpec"], workers):
        pod = group["template"]["spec"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]} == volumes
    assert cluster["enableInTreeAutoscaling"]
    assert workers["minReplicas"] <= workers["replicas"] < workers["maxReplicas"]
    assert int(workers["template"]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"]) > 0
    assert f"job-name={job['metadata']['name']} " in PAGE
    study = taken("study.toml", sets_of(job["spec"]["entrypoint"].strip().removeprefix("bash -c ").strip('"')))
    assert study is not None
    assert (study.launcher.kind, study.launcher.address, study.launcher.gpus) == ("ray", "auto", 1)


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """An environment where Slurm, Ray and modomodo are scripts that write down how they were called."""
    commands = {
        "scontrol": 'printf "n1\\nn2\\nn3\\nn4\\n"',
        "srun": 'case "$*" in *hostname*) echo "10.0.0.1 fe80::1";; *) echo "srun $*" >>calls; exec sleep 60;; esac',
        "ray": 'echo "ray $*" >>calls',
        "modomodo": 'trap "echo stopped >>calls; exit 143" TERM\necho "modomodo $*" >>calls\n'
        '[ -z "${LONG:-}" ] || for _ in $(seq 300); do sleep 0.1; done\nexit 3',
    }
    (tmp_path / "bin").mkdir()
    for name, body in commands.items():
        (tmp_path / "bin" / name).write_text(f"#!/usr/bin/env bash\n{body}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/activate").write_text("")
    job = {"SUBMIT_DIR": str(tmp_path), "JOB_NODELIST": "n[1-4]", "JOB_NUM_NODES": "4", "JOB_ID": "17"}
    named = {f"SLURM_{name}": value for name, value in {**job, "CPUS_PER_TASK": "64"}.items()}
    return {**os.environ, **named, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}


def submitted(slurm: dict[str, str]) -> "subprocess.Popen[bytes]":
    words = ["bash", str(SLURM), "study.toml", "--set", "launcher.retries=5"]
    return subprocess.Popen(words, env=slurm, start_new_session=True, stdout=subprocess.DEVNULL)


def ended(job: "subprocess.Popen[bytes]") -> int:
    """Return its exit status, once what it left behind is gone, as Slurm ends the steps of a job."""
    try:
        return job.wait(timeout=20)
    finally:
        os.killpg(job.pid, signal.SIGKILL)


def test_the_slurm_file_starts_ray_on_each_node_and_then_the_launcher(slurm: dict[str, str], tmp_path: Path):
    assert ended(submitted(slurm)) == 3  # that of the launcher
    calls = (tmp_path / "calls").read_text().splitlines()
    steps = [call for call in calls if call.startswith("srun")]
    assert len(steps) == 2
    assert all("--cpus-per-task=64" in step and "--num-cpus=64" in step for step in steps)
    assert ["--head" in step and "-w n1" in step for step in sorted(steps, key=len)].count(True) == 1
    assert any("--nodes=3" in step and "--exclude=n1" in step and "--address=10.0.0.1:20017" in step for step in steps)
    (launched,) = [call for call in calls if call.startswith("modomodo")]
    study = taken("study.toml", sets_of(launched))
    assert study is not None
    assert (study.launcher.address, study.launcher.retries) == ("10.0.0.1:20017", 5)


def test_the_signal_before_the_time_limit_reaches_the_launcher(slurm: dict[str, str], tmp_path: Path):
    job = submitted({**slurm, "LONG": "1"})
    calls = tmp_path / "calls"
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not (calls.exists() and "modomodo" in calls.read_text()):
        time.sleep(0.05)
    job.send_signal(signal.SIGTERM)
    assert ended(job) == 143
    assert "stopped" in calls.read_text().splitlines()


def test_every_table_of_the_costs_is_one_that_the_program_prints(capsys: pytest.CaptureFixture[str]):
    costs.main()
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in COSTS.splitlines() if line.startswith("|")] == [line for line in printed if line]


def test_the_study_of_the_costs_is_the_one_that_the_page_names():
    study = load_study(costs.STUDY, costs.SETS)
    recipe = study.recipe
    assert str(costs.STUDY.relative_to(ROOT)) in COSTS
    assert f'`recipe.model = "{recipe.model}"`' in COSTS
    assert f"`budget = {study.budget}` and `confirm.seeds = {study.confirm.seeds}`" in " ".join(COSTS.split())
    assert recipe.lora is not None
    said = (
        f"adapters of rank {recipe.lora.rank}, {recipe.steps} steps of {recipe.prompts_per_step} prompts and "
        f"{recipe.num_generations} completions of at most {recipe.max_completion_length} tokens, "
        f"{study.items} items of each benchmark"
    )
    assert said in " ".join(COSTS.split())
