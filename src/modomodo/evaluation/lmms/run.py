"""The public benchmarks in mode `standard`, by lmms-eval, which runs as a process in an environment of its own."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from modomodo.config.recipe import Recipe
from modomodo.config.sections import Part
from modomodo.core.children import SAFE_PATH
from modomodo.core.errors import ModomodoError, closest
from modomodo.core.files import read_json, write_text
from modomodo.core.rows import Resize, Row, Target, Verdict
from modomodo.data.domain import Domain
from modomodo.data.prepared.manifest import MAKE, check_files, find_manifest
from modomodo.data.sources.prompts import ask
from modomodo.evaluation.benchmarks import Score, benchmark_rows, score
from modomodo.models.families import FAMILIES
from modomodo.models.safe_files import check_folder

VERSION = "0.7.3"
BENCHMARKS = ("chartqa", "infovqa", "mathvista", "mmmu")
# model_type of config.json -> name of lmms-eval's model. These take limits of pixels, and end at an error while they
# generate; its others (llava_hf for one) log it and continue with an empty completion.
MODELS = {"qwen2_vl": "qwen2_vl", "qwen2_5_vl": "qwen2_5_vl", "qwen3_vl": "qwen3_vl"}
TASKS = Path(__file__).parent
TAIL_LINES = 30

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def evaluate_standard(
    checkpoint: str,
    benchmarks: Sequence[str],
    recipe: Recipe,
    *,
    folder: Path,
    device: str,
) -> dict[str, Score]:
    """Return the Score of each benchmark by lmms-eval's metrics; the items go to `folder`/BENCHMARK.jsonl.

    The recipe says where lmms-eval is (`evaluation.lmms`), where the rows are (`prepared`), which of them, how long
    completions may be and how images are resized. What lmms-eval read and wrote stays in `folder`/lmms. Greedy, one row
    at a time.

    Raises ModomodoError for an unknown benchmark or model, a missing set or environment, and when lmms-eval leaves no
    results: it exits with 0 even then.
    """
    plan, prepared, python = recipe.evaluation, recipe.prepared, recipe.evaluation.lmms
    assert python is not None, "lmms-eval was not asked for"
    if prepared is None:
        raise ModomodoError('lmms-eval reads prepared sets: set prepared = "data", and run `modomodo data prepare`')
    arguments = model_arguments(checkpoint, resize=recipe.view.resize, device=device)
    chosen = {name: chosen_ids(prepared, name, part=plan.part, items=plan.items) for name in benchmarks}
    check_environment(python)
    work = (folder / "lmms").resolve()
    shutil.rmtree(work, ignore_errors=True)  # results of a run that was killed are not this one's
    for name, ids in chosen.items():
        length = recipe.max_completion_length
        task = task_text(name, ids, files=shards(prepared, name), cache=work / "cache", length=length)
        write_text(work / "tasks" / f"{name}.yaml", task)
    _run([str(python), *command(arguments, benchmarks, work=work, device=device)], checkpoint, log=work / "log.txt")
    shutil.rmtree(work / "cache", ignore_errors=True)  # copies of the images
    scores: dict[str, Score] = {}
    for name, ids in chosen.items():
        lines = read_items(work, name, ids)
        names = {field.name for field in fields(Verdict)}
        verdicts = [Verdict(**{key: line[key] for key in names}) for line in lines]
        scores[name] = score(name, verdicts, part=plan.part, mode="standard")
        write_text(folder / f"{name}.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    return scores


def model_arguments(checkpoint: str, *, resize: Resize | None, device: str) -> dict[str, str]:
    """Return lmms-eval's name of the model and the arguments it is made with.

    Raises ModomodoError when the checkpoint is no folder of a known family, or cannot be named to lmms-eval.
    """
    config = read_json(Path(checkpoint) / "config.json")
    if config is None:
        raise ModomodoError(f"{checkpoint} has no config.json: give the folder of a saved model")
    kind = config.get("model_type")
    if kind not in MODELS:
        known = ", ".join(MODELS)
        raise ModomodoError(
            f"{checkpoint} is a {kind}, which mode standard cannot evaluate (only {known}); use mode paper"
        )
    check_folder(Path(checkpoint), whole=False)  # lmms-eval trusts code of some families, and cannot be told not to
    path = Path(checkpoint).resolve()
    if "," in str(path) or "=" in str(path):
        raise ModomodoError(f"lmms-eval cannot be given the path {path}: move the model to one without , and =")
    resize = resize or FAMILIES[kind].resize
    assert resize is not None, kind
    pixels = f"min_pixels={resize.min_pixels},max_pixels={resize.max_pixels}"
    return {"model": MODELS[kind], "model_args": f"pretrained={path},device_map={device},{pixels}"}


def shards(prepared: Path, benchmark: str) -> list[Path]:
    """Return the Parquet files with the test rows of a benchmark of the prepared set.

    Raises ModomodoError when there are none, or not as they were written.
    """
    if benchmark not in BENCHMARKS:
        raise ModomodoError(f"{benchmark!r} is not among lmms-eval's benchmarks; {closest(benchmark, BENCHMARKS)}")
    manifest = find_manifest(prepared, benchmark)
    if "test" not in manifest.splits:
        raise ModomodoError(f"{prepared / benchmark} has no test rows: make them with {MAKE}")
    folder = (prepared / benchmark).resolve()
    files = {name: manifest.files[name] for name in manifest.splits["test"].shards}
    check_files(folder, files)
    return [folder / name for name in files]


def chosen_ids(prepared: Path, benchmark: str, *, part: Part, items: int | None) -> list[str]:
    """Return the ids of the rows that our own evaluation would take, in its order."""
    import pyarrow.parquet as parquet

    ids = [
        row_id
        for file in shards(prepared, benchmark)
        for row_id in parquet.read_table(file, columns=["id"])["id"].to_pylist()
    ]
    rows = [Row(row_id, benchmark, "", Target("format", "")) for row_id in ids]
    domain = Domain(benchmark, load=lambda split: rows, prompt=ask)
    return [row.id for row in benchmark_rows(domain, part=part, items=items or len(rows))]


def task_text(benchmark: str, ids: Sequence[str], *, files: Sequence[Path], cache: Path, length: int) -> str:
    """Return the YAML of lmms-eval's task: the chosen rows, our prompt, our completion length, our answer filter."""
    rows = {
        "data_files": {"test": [str(file) for file in files]},
        "filters": [["id", "in", list(ids)]],
        "cache_dir": str(cache),
    }
    # Without `until` a completion would end at its first empty line.
    generation = {"max_new_tokens": length, "do_sample": False, "temperature": 0, "num_beams": 1, "until": []}
    return "\n".join(
        [
            f"include: {_yaml(str(TASKS / 'base.yaml'))}",
            f"task: {_task(benchmark)}",
            f"dataset_kwargs: {_yaml(rows)}",
            f"generation_kwargs: {_yaml(generation)}",
            f"process_results: !function modomodo.evaluation.lmms.scores.{benchmark}",
            "",
        ]
    )


def command(arguments: Mapping[str, str], benchmarks: Sequence[str], *, work: Path, device: str) -> list[str]:
    """Return lmms-eval's command line after the name of Python."""
    options = {
        **arguments,
        "tasks": ",".join(_task(name) for name in benchmarks),
        "include_path": str(work / "tasks"),
        "output_path": str(work / "out"),
        "device": device,
        "batch_size": "1",
    }
    return [
        "-m",
        "lmms_eval",
        *(word for key, value in options.items() for word in (f"--{key}", value)),
        "--log_samples",
    ]


def check_environment(python: Path) -> None:
    """Raise ModomodoError when `python` has no lmms-eval, or another version than the one this was written for."""
    script = "import importlib.metadata as m; m.version('modomodo'); print(m.version('lmms_eval'))"
    how = "make it by `make eval-env`, or `pip install 'modomodo[eval]'` in an environment of its own"
    try:
        asked = subprocess.run(
            [str(python), "-c", script], env={**os.environ, **SAFE_PATH}, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise ModomodoError(f"{python} cannot be run ({error.strerror}); {how}") from error
    if asked.returncode:
        missing = (asked.stderr.strip().splitlines() or ["it does not start"])[-1]
        raise ModomodoError(f"{python} is not an environment with lmms-eval and modomodo ({missing}); {how}")
    if asked.stdout.strip() != VERSION:
        raise ModomodoError(f"{python} has lmms-eval {asked.stdout.strip()}, not {VERSION}; {how}")


def read_items(work: Path, benchmark: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the items that lmms-eval logged, in the order of `ids`.

    Raises ModomodoError when there are no results, or not exactly one item for each row.
    """
    log = work / "log.txt"
    results = list((work / "out").rglob("*_results.json"))
    samples = list((work / "out").rglob(f"*_samples_{_task(benchmark)}.jsonl"))
    if len(results) != 1 or len(samples) != 1:
        raise ModomodoError(f"lmms-eval left no results of {benchmark}; the end of {log}:\n{_tail(log)}")
    mean = json.loads(results[0].read_text())["results"][_task(benchmark)]["reward,none"]
    lines = [json.loads(line)["item"] for line in samples[0].read_text().splitlines()]
    items = {line["row_id"]: line for line in lines}
    if len(lines) != len(ids) or set(items) != set(ids):
        raise ModomodoError(
            f"lmms-eval judged {len(lines)} rows of {benchmark}, not the {len(ids)} asked for; see {log}"
        )
    assert abs(mean - sum(line["reward"] or 0.0 for line in lines) / len(lines)) < 1e-9, (benchmark, mean)
    return [items[row_id] for row_id in ids]


def _run(arguments: Sequence[str], checkpoint: str, *, log: Path) -> None:
    """Run lmms-eval, its output in a file.

    Raises ModomodoError when it fails, and when it says that it left something out.
    """
    environment = {**os.environ, **SAFE_PATH, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    with log.open("w") as output:
        done = subprocess.run(arguments, stdout=output, stderr=subprocess.STDOUT, env=environment, check=False)
    if done.returncode or any("| ERROR" in line for line in _lines(log)):
        raise ModomodoError(
            f"lmms-eval failed on {checkpoint} (exit code {done.returncode}); the end of {log}:\n{_tail(log)}"
        )


def _tail(log: Path) -> str:
    return "\n".join(_lines(log)[-TAIL_LINES:])


def _lines(log: Path) -> list[str]:
    return _COLOUR.sub("", log.read_text(errors="replace")).splitlines()


def _task(benchmark: str) -> str:
    return f"modomodo_{benchmark}"


def _yaml(value: object) -> str:
    # JSON is YAML, but for the escapes of characters beyond 16 bits.
    return json.dumps(value, ensure_ascii=False)
