"""Made-up packages of trackers, and readers of what the real ones write."""

import json
import time
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace


class Server:
    """What W&B and trackio keep of runs, by id: W&B's own rule about steps, and trackio's, which has none."""

    def __init__(self) -> None:
        self.runs: dict[str, list[tuple[int, dict]]] = {}
        self.asked: list[dict] = []
        self.summary: dict[str, float] = {}
        self.ended: list[int] = []
        self.refuses = ""

    def wandb(self) -> ModuleType:
        def init(**options):
            self._refuse("init")
            self.asked.append(options)
            rows = self.runs.setdefault(options["id"], [])

            def log(values, step):
                self._refuse("log")
                assert not rows or step >= rows[-1][0], "W&B drops such a step with a warning"
                rows.append((step, values))

            step = rows[-1][0] + 1 if rows else 0
            finish = lambda exit_code: self.ended.append(exit_code)  # noqa: E731
            return SimpleNamespace(step=step, log=log, summary=self.summary, finish=finish)

        return package("wandb", init=init, run=None, Settings=lambda **options: options)

    def trackio(self) -> ModuleType:
        def runs(project):
            if not self.runs:
                raise ValueError(f"Project '{project}' does not exist")
            return [SimpleNamespace(name=name, delete=lambda name=name: self.runs.pop(name)) for name in self.runs]

        def init(**options):
            self.asked.append(options)
            rows = self.runs[options["name"]] = []
            return SimpleNamespace(log=lambda values, step: rows.append((step, values)), finish=lambda: None)

        return package("trackio", init=init, Api=lambda: SimpleNamespace(runs=runs))

    def values(self, key: str) -> dict[str, dict[int, float]]:
        found: dict[str, dict[int, float]] = {}
        for step, values in self.runs[key]:
            for name, value in values.items():
                assert step not in found.setdefault(name, {}), f"{name} of step {step} is there twice"
                found[name][step] = value
        return found

    def _refuse(self, what: str) -> None:
        if self.refuses == what:
            raise OSError("No space left on device")


def package(name: str, **content) -> ModuleType:
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None, origin="made up by the tests")
    for key, value in content.items():
        setattr(module, key, value)
    return module


def events(folder) -> dict[str, dict[int, float]]:
    """Return name -> step -> value of a run's event files, as TensorBoard shows them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder / "tensorboard"), size_guidance={"scalars": 0})
    read.Reload()
    found = {name: [(one.step, one.value) for one in read.Scalars(name)] for name in read.Tags()["scalars"]}
    assert all(len(dict(pairs)) == len(pairs) for pairs in found.values()), "a step is there twice"
    return {name: dict(pairs) for name, pairs in found.items()}


def as_float32(values):
    import numpy as np

    return {name: {step: float(np.float32(one)) for step, one in steps.items()} for name, steps in values.items()}


def scalars_of_wandb(file) -> dict[str, dict[int, float]]:
    """Return name -> step -> value of a file of W&B, which its own process ends a moment after the run."""
    until = time.monotonic() + 30
    while not any(record.HasField("exit") for record in _records(file)):
        assert time.monotonic() < until, f"{file} has no end"
        time.sleep(0.1)
    found: dict[str, dict[int, float]] = {}
    for record in _records(file):
        values = {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
        for name in {name for name in values if not name.startswith("_")}:
            found.setdefault(name, {})[values["_step"]] = values[name]
    return found


def _records(file):
    """Yield the records of a file of W&B: a header of 7 bytes, then blocks of a LevelDB log."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, place, whole = file.read_bytes(), 7, b""
    while place + 7 <= len(data):
        left = 2**15 - place % 2**15
        if left < 7:
            place += left
            continue
        size, kind = int.from_bytes(data[place + 4 : place + 6], "little"), data[place + 6]
        if place + 7 + size > len(data):
            return  # it is being written
        whole += data[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):  # a whole record, or its last part
            yield Record.FromString(whole)
            whole = b""
