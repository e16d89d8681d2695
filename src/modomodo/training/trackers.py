"""Trackers that people already use, fed by both engines with the same names: TensorBoard, W&B, trackio.

A run's own files stay the truth, and a tracker shows them. It is opened at the first values of a process, and is first
given what the files have by then: a run that went on after a kill, or on another node, is in it whole, no step twice.
"""

import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from modomodo.config.policies import Online
from modomodo.config.recipe import Recipe
from modomodo.config.sections import TrackerName
from modomodo.core.errors import ModomodoError
from modomodo.core.files import read_json
from modomodo.core.mixture import Mixture
from modomodo.training.step_log import Step, read_lines, read_steps

OF_DOMAINS = ("reward", "format", "zero_advantage", "prompts", "tokens")  # what of a DomainStep is tracked
CLOSE_SECONDS = 120.0
ELSEWHERE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")  # would take trackio off this machine


class Tracker(Protocol):
    """Takes a run's numbers: values by name, step after step, and then the end, which may be one by an error."""

    def log(self, step: int, values: Mapping[str, float]) -> None: ...

    def close(self, *, failed: bool = False) -> None: ...


class NoTracker:
    """The tracker "none"."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        pass

    def close(self, *, failed: bool = False) -> None:
        pass


def open_tracker(recipe: Recipe, folder: Path) -> Tracker:
    """Return the recipe's tracker of the run in `folder`; it never raises for what its package does.

    The first `log` imports the package, and must come after the run's files are cut back to the checkpoint that it goes
    on from.
    """
    return NoTracker() if recipe.tracker == "none" else _Careful(recipe, folder)


def check_tracker(name: TrackerName) -> None:
    """Raise ModomodoError where the tracker's package is not installed, or is set to work elsewhere."""
    if name == "none":
        return
    spec = find_spec(name)
    # W&B leaves a folder `wandb` where it works, which Python takes for a package without a file.
    if spec is None or spec.origin is None:
        raise ModomodoError(f"tracker is {name!r}, but {name} is not installed: pip install {name}")
    variable = next((key for key in ELSEWHERE if name == "trackio" and os.environ.get(key)), None)
    if variable is not None:
        raise ModomodoError(f"tracker is 'trackio', which works on this machine alone, but {variable} is set: unset it")


def step_values(step: Step) -> dict[str, float]:
    """Return what a line of steps.jsonl is tracked as: name -> number; docs/formats.md has the names."""
    values = {"seconds": step.seconds}
    values |= {f"requested/{name}": share for name, share in step.requested.items()}
    return values | {f"{key}/{name}": getattr(done, key) for name, done in step.domains.items() for key in OF_DOMAINS}


def trainer_values(line: Mapping[str, Any]) -> dict[str, float]:
    """Return what a line of trainer.jsonl is tracked as: the trainer's own numbers, and nothing that is no number."""
    return {f"trainer/{key}": value for key, value in line.items() if key != "step" and _is_number(value)}


def score_values(scores: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return what scores, benchmark -> fields of a Score, are tracked as: their means."""
    return {f"score/{name}": score["mean"] for name, score in scores.items()}


def run_name(recipe: Recipe) -> str:
    """Return what a person calls the run: its mixture and seed."""
    moved = f"{recipe.mixture.rule} from " if isinstance(recipe.mixture, Online) else ""
    return f"{moved}{_mixture_name(recipe.requested, recipe.domains)} seed {recipe.seed}"


def _mixture_name(mixture: Mixture, domains: Sequence[str]) -> str:
    """Return a mixture as a file names it, where that is short."""
    if mixture.key == Mixture.uniform(domains).key:
        return "equal"
    alone = [name for name, weight in mixture.as_dict().items() if weight == 1]
    return f"single:{alone[0]}" if alone else str(mixture)


class _Careful:
    """A tracker that cannot cost a run: opened at the first values, and switched off where its package fails."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        self._recipe = recipe
        self._folder = folder.resolve()  # verl works in another
        self._opened: Tracker | None = None
        self._off = False
        self._step = -1
        self._told = set[str]()  # names of that step

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self._safely(lambda: self._log(step, values))

    def close(self, *, failed: bool = False) -> None:
        opened, self._opened = self._opened, None
        if opened is None:
            return
        failed = failed or sys.exception() is not None  # which the thread would not see
        off, self._off = self._off, False  # one that failed is closed as well
        # In a thread, so that a network that hangs does not keep a run from its result.
        ending = threading.Thread(target=self._safely, args=(lambda: opened.close(failed=failed),), daemon=True)
        ending.start()
        ending.join(CLOSE_SECONDS)
        if ending.is_alive():
            print(f"tracker {self._recipe.tracker} has not ended in {CLOSE_SECONDS} s: it is left alone", flush=True)
        self._off = self._off or off

    def _log(self, step: int, values: Mapping[str, float]) -> None:
        if self._opened is None:
            self._opened = OPENERS[self._recipe.tracker](self._recipe, self._folder)
            for earlier, logged in history(self._folder, until=step).items():
                self._tell(self._opened, earlier, logged)
        self._tell(self._opened, step, values)

    def _tell(self, tracker: Tracker, step: int, values: Mapping[str, float]) -> None:
        """Hand on what is new of a step: some of it was in the files, and a trainer's last words repeat its epoch."""
        if step != self._step:
            self._step, self._told = step, set[str]()
        new = {name: value for name, value in values.items() if name not in self._told}
        if new:
            tracker.log(step, new)
            self._told |= new.keys()

    def _safely(self, work: Callable[[], None]) -> None:
        if self._off:
            return
        try:
            with kept_draws():
                work()
        # The boundary around foreign packages, whose errors have no type in common: neither a full disk nor a lost
        # network of theirs may end a run, nor may their wish to end the process.
        except (Exception, SystemExit) as error:
            if isinstance(error, SystemExit) and error.code == 128 + signal.SIGTERM:
                raise  # our own, of a launcher that is to end (runs/local.py)
            self._off = True
            why = f"{type(error).__name__}: {error}"
            print(f"tracker {self._recipe.tracker} is switched off ({why}): the run goes on without it", flush=True)


@contextmanager
def kept_draws() -> Generator[None]:
    """Keep the random numbers of a run as they are, whatever is drawn or seeded meanwhile."""
    torch: Any = sys.modules.get("torch")
    states = random.getstate(), np.random.get_state(), torch.get_rng_state() if torch else None
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        if torch:
            torch.set_rng_state(states[2])


def history(folder: Path, *, until: int) -> dict[int, dict[str, float]]:
    """Return step -> values of what a run's files have of the steps until this one, in order.

    Scores of step `until` itself are left out: they are those of an attempt that was killed after it, and come again.
    """
    values: dict[int, dict[str, float]] = {step.step: step_values(step) for step in read_steps(folder)}
    for line in read_lines(folder / "trainer.jsonl"):
        values.setdefault(line["step"], {}).update(trainer_values(line))
    for path in folder.glob("scores-*.json"):
        step = int(path.stem.removeprefix("scores-"))
        if step < until:
            values.setdefault(step, {}).update(score_values(read_json(path) or {}))
    return {step: values[step] for step in sorted(values) if step <= until}


class _TensorBoard:
    """Event files in RUN/tensorboard."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        # What earlier attempts wrote is purged by those that read it, because all of it is written again.
        self._writer = SummaryWriter(str(folder / "tensorboard"), purge_step=0, flush_secs=10)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self, *, failed: bool = False) -> None:
        self._writer.close()


class _Wandb:
    """A run of W&B under the run's key, its files in RUN/wandb; without the network where WANDB_MODE is offline."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        wandb: Any = import_module("wandb")
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT") or "modomodo",
            name=run_name(recipe),
            id=folder.resolve().name,
            dir=str(folder),
            resume="allow",
            config=recipe.model_dump(mode="json"),
            settings=wandb.Settings(console="off"),  # the run has its log.txt
        )
        # W&B takes no step twice, and none before another: those of an earlier attempt that reached it stay.
        self._next = int(self._run.step)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        if step >= self._next:
            self._run.log(dict(values), step=step)
        # Of a run whose process ended before it was scored, the last step is there already.
        self._run.summary.update({name: value for name, value in values.items() if name.startswith("score/")})

    def close(self, *, failed: bool = False) -> None:
        self._run.finish(exit_code=int(failed))


class _Trackio:
    """A run in trackio's own database on this machine; its key is in its name, by which trackio tells runs apart."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        trackio: Any = import_module("trackio")
        project = os.environ.get("TRACKIO_PROJECT") or "modomodo"
        name = f"{run_name(recipe)} {folder.resolve().name}"
        # trackio takes a step as often as it is logged: what earlier attempts wrote goes, and all is written again.
        with suppress(ValueError):  # there is no such project yet
            for earlier in [run for run in trackio.Api().runs(project) if run.name == name]:
                earlier.delete()
        self._run = trackio.init(project=project, name=name, config=recipe.model_dump(mode="json"), embed=False)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def close(self, *, failed: bool = False) -> None:
        self._run.finish()


OPENERS: Mapping[str, Callable[[Recipe, Path], Tracker]] = {
    "tensorboard": _TensorBoard,
    "wandb": _Wandb,
    "trackio": _Trackio,
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
