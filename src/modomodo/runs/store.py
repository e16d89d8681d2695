"""The folders of a study's runs: their names, the claim on one, and the files that say how it ended.

`<study folder>/runs/<key>/` holds `lock`, `recipe.json`, what the run itself writes (`steps.jsonl`, `items/`,
`checkpoints/`), `log.txt`, `failure.json` (earlier ones: `failure-1.json`, ...), and at the end one atomic
`result.json`. A folder with a `result.json` is finished and is never written again.
"""

import fcntl
import json
import os
import re
import tempfile
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from modomodo.config.policies import Online
from modomodo.config.recipe import Recipe, digest
from modomodo.core.errors import ModomodoError, closest
from modomodo.core.files import explained, read_json, value_of, write_json
from modomodo.core.mixture import Mixture
from modomodo.core.toml import parse
from modomodo.evaluation.benchmarks import Score

VERSION = 1
REPEAT = "restore the file, or delete it and run the study again, which repeats this run"
HALVES = ("select", "confirm")  # parts of a benchmark's items, of which a plan scores its runs on one
LABELS = "labels.json"
KEY = re.compile(r"[\w-]+")  # a name in runs/, which leads nowhere else
SIGNATURE = "attempt.json"  # who of a cluster's nodes writes the folder, see mirror.py


def digest_names(recipe: Recipe) -> tuple[str, ...]:
    """Return the names of the digests that decide this run: `model:NAME`, `domain:NAME`..., `benchmark:NAME`..., and
    `file:PATH` of what the rule reads that moves its mixture.

    Only domains with weight count, and none where nothing is trained (steps=0): rows that a run never sees do not
    change it.
    """
    weights = recipe.requested.as_dict() if recipe.steps else {}
    domains = sorted(name for name, weight in weights.items() if weight > 0)
    files = recipe.mixture.files.values() if isinstance(recipe.mixture, Online) and recipe.steps else ()
    return (
        f"model:{recipe.model}",
        *(f"domain:{name}" for name in domains),
        *(f"benchmark:{name}" for name in recipe.evaluation.benchmarks),
        *(f"file:{path}" for path in files),
    )


def run_key(recipe: Recipe, digests: Mapping[str, str]) -> str:
    """Return the name of the run's folder: 16 hex digits of a hash of everything that determines it.

    `digests` maps the `digest_names` of the recipe (and any others) to digests of rows and model.
    Raises ModomodoError when one is missing.
    """
    needed = _pick(digests, digest_names(recipe))
    # Wherever it lies, a file is what it holds.
    files = sorted(value for name, value in needed.items() if name.startswith("file:"))
    named = {name: value for name, value in needed.items() if not name.startswith("file:")}
    return digest({"recipe": recipe.identity(), "digests": named | ({"files": files} if files else {})})


def single_name(key: str) -> str:
    """Return what a reader sees of a run that no study plans, as `modomodo train` makes them."""
    return f"single run {key[:6]}"


@dataclass(frozen=True, eq=False)
class RunResult:
    """What a finished run left in `result.json`.

    `scores` are of the last step, `earlier` of the steps of `evaluation.at`. `requested`, `realised`,
    `effective` and `tokens` are shares of the domains over the whole run, `mixture` those asked for when it began;
    `seconds` are of one process; `exhausted` is the domain whose rows ended the run early.
    """

    key: str
    mixture: Mixture
    seed: int
    seconds: float
    steps: int
    scores: Mapping[str, Score]
    earlier: Mapping[str, Mapping[str, Score]] = field(default_factory=dict[str, Mapping[str, Score]])
    requested: Mapping[str, float] = field(default_factory=dict[str, float])
    realised: Mapping[str, float] = field(default_factory=dict[str, float])
    effective: Mapping[str, float] = field(default_factory=dict[str, float])
    tokens: Mapping[str, float] = field(default_factory=dict[str, float])
    exhausted: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    digests: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Store:
    """The runs under a study's folder; errors of the disk come as ModomodoError with the file and what to do."""

    folder: Path

    def path(self, key: str) -> Path:
        """Return the folder of a run."""
        return self.folder / "runs" / key

    def make(self) -> None:
        """Make the study's folder.

        Raises ModomodoError when it cannot be written, before any run is started in vain.
        """
        with explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.folder).close()

    def finished(self, key: str) -> bool:
        """Return whether the run has its result."""
        return (self.path(key) / "result.json").exists()

    def result(self, key: str) -> RunResult:
        """Return the result of a finished run.

        Raises ModomodoError as `result_data`, and for fields that are missing or of another type.
        """
        data, path = self.result_data(key), self.path(key) / "result.json"
        return value_of(RunResult, {**data, "mixture": asdict(_mixture(data, path))}, where=path, repair=REPEAT)

    def result_data(self, key: str) -> dict[str, object]:
        """Return what the run's `result.json` holds, as whoever carries out a run wrote it.

        Raises ModomodoError when there is none, or when the file is not a whole result of this run.
        """
        path = self.path(key) / "result.json"
        result = _read(path)
        if result is None:
            raise ModomodoError(f"{path} does not exist: the run is not finished; run the study to finish it")
        if result.get("version") != VERSION:
            raise ModomodoError(
                f"{path} has version {result.get('version')!r}, this modomodo reads {VERSION}; upgrade it"
            )
        if result.get("key") != key:
            raise ModomodoError(
                f"{path} is the result of run {result.get('key')!r}, not of its folder; put the folder's own back, "
                "or delete the folder and run the study again"
            )
        return result

    def labels(self) -> dict[str, str]:
        """Return label -> key of the runs that were last planned; none before the first launch.

        Raises ModomodoError when labels.json is damaged, or names no runs.
        """
        path = self.folder / LABELS
        labels = read_json(path) or {}
        strange = [label for label, key in labels.items() if not isinstance(key, str) or not KEY.fullmatch(key)]
        if strange:
            raise ModomodoError(
                f"{path} is damaged ({strange[0]!r:.60} is {labels[strange[0]]!r:.60}, not the name of a run): delete "
                "it and run the study again, which writes it again and repeats no run"
            )
        return labels

    def recipe(self, key: str) -> Recipe:
        """Return the recipe that a run was begun with.

        Raises ModomodoError when it is missing or damaged.
        """
        path = self.path(key) / "recipe.json"
        values = _read(path)
        if values is None:
            raise ModomodoError(f"{path} does not exist: delete the run's folder and run the study again")
        return parse(Recipe, values, where=str(path))

    def finished_keys(self) -> list[str]:
        """Return the keys of all finished runs, also of those that the study no longer plans."""
        return sorted(path.parent.name for path in self.folder.glob("runs/*/result.json"))

    def singles(self, planned: Collection[str]) -> list[str]:
        """Return the keys of begun runs beside the `planned` ones that are scored on whole benchmarks.

        So are those of `modomodo train`; a run of an earlier plan is scored on one half of the items.
        """
        keys = sorted({path.parent.name for path in self.folder.glob("runs/*/recipe.json")}.difference(planned))
        return [key for key in keys if not self._is_of_half(key)]

    def _is_of_half(self, key: str) -> bool:
        evaluation = (_read(self.path(key) / "recipe.json") or {}).get("evaluation")
        return isinstance(evaluation, dict) and cast(dict[str, object], evaluation).get("part") in HALVES

    def failure(self, key: str) -> dict[str, object] | None:
        """Return the failure (message, traceback, time) of the last attempt, None when it did not fail."""
        return _read(self.path(key) / "failure.json")

    @contextmanager
    def claim(self, key: str) -> Generator[bool]:
        """Hold the run's folder, made if need be; yields False when another process holds it.

        The kernel releases the claim of a process that dies, however it dies.
        """
        folder = self.path(key)
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            with explained(folder / "lock"):
                held = _lock(handle, fcntl.LOCK_EX)
            yield held
            # Closing would do, were it not for processes that the run forked and left: they share the handle.
            fcntl.flock(handle, fcntl.LOCK_UN)
        finally:
            os.close(handle)

    def claimed(self, key: str) -> bool:
        """Return whether a process holds the run now."""
        path = self.path(key) / "lock"
        with explained(path, to="read"):
            try:
                handle = os.open(path, os.O_RDONLY)
            except FileNotFoundError:
                return False
        try:
            with explained(path):
                # Shared, so that two launchers that look at the same moment do not see each other.
                return not _lock(handle, fcntl.LOCK_SH)
        finally:
            os.close(handle)

    def begin(self, key: str, recipe: Recipe) -> None:
        """Put an earlier failure aside and write `recipe.json`; the caller holds the claim."""
        assert not self.finished(key), key
        folder = self.path(key)
        with explained(folder):
            # A node that was cut off from a cluster gives up where its signature is gone, see mirror.py; what it was
            # about to put in place must not come after this.
            (folder / SIGNATURE).unlink(missing_ok=True)
            for path in folder.rglob("*.partial"):
                if path.is_file():
                    path.unlink(missing_ok=True)
        with explained(folder), suppress(FileNotFoundError):
            os.rename(folder / "failure.json", folder / f"failure-{_attempts(folder)}.json")
        write_json(folder / "recipe.json", recipe.model_dump(mode="json"))

    def write_result(self, key: str, result: Mapping[str, object]) -> None:
        """Finish the run with `result` (plus key and version); the caller holds the claim."""
        assert not self.finished(key), key
        write_json(self.path(key) / "result.json", {"version": VERSION, "key": key, **result})

    def write_failure(self, key: str, message: str, *, traceback: str = "") -> None:
        """Record that the attempt failed; the caller holds the claim."""
        assert not self.finished(key), key
        time = datetime.now(UTC).isoformat(timespec="seconds")
        failure = {"version": VERSION, "key": key, "message": message, "traceback": traceback, "time": time}
        write_json(self.path(key) / "failure.json", failure)


def _pick(digests: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    missing = [name for name in names if name not in digests]
    if missing:
        raise ModomodoError(
            f"no digest of {missing[0]} is given, so the run has no key; {closest(missing[0], digests)}"
        )
    return {name: digests[name] for name in names}


def _mixture(data: Mapping[str, object], path: Path) -> Mixture:
    weights = data.get("mixture")
    try:
        return Mixture.of(cast(dict[str, float], weights if isinstance(weights, dict) else {}))
    except ModomodoError as error:
        raise ModomodoError(f"{path} is damaged (mixture: {error}): {REPEAT}") from None


def _attempts(folder: Path) -> int:
    """Return the number of the latest failed attempt: those put aside, and the one in `failure.json`."""
    numbers = [path.stem.removeprefix("failure-") for path in folder.glob("failure-*.json")]
    return max((int(number) for number in numbers if number.isdecimal()), default=0) + 1


def _lock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(path: Path) -> dict[str, object] | None:
    try:
        with explained(path, to="read"):
            try:
                text = path.read_text()
            except FileNotFoundError:
                return None
        value = json.loads(text)
        if isinstance(value, dict):
            return cast(dict[str, object], value)
        problem = f"it holds a {type(value).__name__}"
    except RecursionError:
        problem = "its values are nested too deep"
    except ValueError as error:
        problem = str(error)
    raise ModomodoError(f"{path} is damaged ({problem}); {REPEAT}")
