"""`check --audit`: what each set of rows would pay for, and what the model says of it before it is trained."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import View
from modomodo.data.audit import Audited, Finding, audit_rows, findings
from modomodo.data.audit.findings import LEVELS
from modomodo.data.audit.measure import SAMPLE
from modomodo.data.domain import Domain
from modomodo.evaluation.before_training import Asked, ask_domain, completions_asked
from modomodo.models.names import is_here, model_path
from modomodo.models.nano.model import CHECKPOINTS
from modomodo.models.safe_files import INDEX, WEIGHTS
from modomodo.runs.hardware import gpus
from modomodo.study.checks.subject import Subject

SMALL = 1_000_000_000
"""Bytes of weights that are asked without a GPU; more would take minutes."""


@dataclass(frozen=True)
class Worth:
    """A set of rows measured, what the model says of it (None where it was not asked), and what is to be said."""

    audited: Audited
    asked: Asked | None
    findings: tuple[Finding, ...]

    @property
    def level(self) -> int:
        """0 for a set with an error, 1 with a warning, 2 with a note, 3 with nothing to say."""
        return min((LEVELS.index(finding.level) for finding in self.findings), default=len(LEVELS))


@dataclass(frozen=True)
class AuditOfFile:
    """The sets of a recipe or a study, worst first, and why some, or the model, were not looked at."""

    sets: tuple[Worth, ...]
    left_out: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return everything to be said, errors first, then in the order of the sets."""
        every = (*(finding for worth in self.sets for finding in worth.findings), *self.left_out)
        return tuple(sorted(every, key=lambda finding: LEVELS.index(finding.level)))


def audit(subject: Subject, *, progress: Callable[[int, int], None] | None = None) -> AuditOfFile:
    """Return what the domains and benchmarks of a recipe or a study would pay for.

    The model is asked where it is small, or there is a GPU. `progress` is told how much of how much is done.
    """
    left_out: list[Finding] = []
    sets = list(_sets(subject, left_out))
    why = _unasked(subject.recipe)
    if why is not None:
        left_out.append(Finding("note", "model", why))
    trained = [domain for domain, split in sets if split == "train" and len(domain.load("train")) > 1]
    asked_of = {domain.name: domain for domain in trained} if why is None else {}
    total = sum(min(SAMPLE, len(domain.load(split))) for domain, split in sets)
    total += sum(completions_asked(subject.recipe, len(domain.load("train"))) for domain in asked_of.values())
    advance = _counted(total, progress)
    measured = [_measured(subject.recipe.view, domain, split, advance, left_out) for domain, split in sets]
    answers = _ask(subject, asked_of, advance, left_out)
    return AuditOfFile(_worst_first(measured, answers), tuple(left_out))


def audit_domain(domain: Domain, view: View, *, progress: Callable[[int, int], None] | None = None) -> AuditOfFile:
    """Return what all splits of a domain would pay for; no model is asked."""
    left_out: list[Finding] = []
    sizes = [(split, min(SAMPLE, len(domain.load(split)))) for split in domain.splits]
    advance = _counted(sum(rows for _, rows in sizes), progress)
    measured = [_measured(view, domain, split, advance, left_out) for split, _ in sizes]
    return AuditOfFile(_worst_first(measured, {}), tuple(left_out))


def _counted(total: int, progress: Callable[[int, int], None] | None) -> Callable[[int], None]:
    """Return what tells `progress` of the steps done so far, and of at least that many in all."""
    done = 0

    def advance(steps: int) -> None:
        nonlocal done
        done += steps
        if progress is not None:
            progress(done, max(done, total))

    return advance


def _worst_first(measured: Iterable[Audited | None], answers: Mapping[str, Asked]) -> tuple[Worth, ...]:
    worths = [_worth(audited, answers) for audited in measured if audited is not None]
    return tuple(sorted(worths, key=_badness))


def _badness(worth: Worth) -> tuple[int, float]:
    return worth.level, worth.audited.informedness.mean


def _worth(audited: Audited, answers: Mapping[str, Asked]) -> Worth:
    asked = answers.get(audited.where)
    return Worth(audited, asked, (*findings(audited), *(() if asked is None else asked.findings)))


def _sets(subject: Subject, left_out: list[Finding]) -> Iterator[tuple[Domain, str]]:
    """Yield the splits to look at: train of the domains, test of the benchmarks."""
    wanted = [(name, "train") for name in subject.recipe.domains] + [(name, "test") for name in subject.benchmarks]
    for name, split in wanted:
        try:
            domain = subject.here(name)
            if domain is None:
                what = "not on this machine, so not looked at: run `modomodo data prepare` on the file first"
                left_out.append(Finding("note", f"{name} ({split})", what))
            elif split in domain.splits and domain.load(split):
                yield domain, split
        except ModomodoError as error:
            left_out.append(Finding("error", f"{name} ({split})", str(error)))


def _measured(
    view: View, domain: Domain, split: str, advance: Callable[[int], None], left_out: list[Finding]
) -> Audited | None:
    try:
        audited = audit_rows(domain, split, view=view, progress=advance)
    except ModomodoError as error:
        left_out.append(Finding("error", f"{domain.name} ({split})", str(error)))
        return None
    if audited is None:
        left_out.append(Finding("warning", f"{domain.name} ({split})", "has one row: give it more"))
    return audited


def _ask(
    subject: Subject, domains: dict[str, Domain], advance: Callable[[int], None], left_out: list[Finding]
) -> dict[str, Asked]:
    """Return what the model says of the domains, by where."""
    if not domains:
        return {}
    from modomodo.models.load import load_model, load_processor, quiet

    recipe, asked = subject.recipe, dict[str, Asked]()
    path = model_path(recipe.model)
    try:
        with quiet():
            model = load_model(path, precision=recipe.precision, freeze_vision=False, revision=recipe.revision)
        processor = load_processor(path, revision=recipe.revision, resize=recipe.view.resize)
        for domain in domains.values():
            one = ask_domain(model, processor, domain, recipe, progress=advance)
            asked[one.where] = one
    except ModomodoError as error:
        left_out.append(Finding("error", "model", str(error)))
    return asked


def _unasked(recipe: Recipe) -> str | None:
    """Return why the model is not asked; None where it is."""
    try:
        here = is_here(recipe.model, recipe.revision)
    except ModomodoError as error:
        return f"not asked: {error}"
    folder = Path(model_path(recipe.model))
    if not here or not (folder.is_dir() or _fetched(recipe)):
        return f"{recipe.model} is not on this machine, so nothing was asked of it"
    if recipe.model in CHECKPOINTS or gpus():
        return None
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    if folder.is_dir() and size <= SMALL:
        return None
    return f"{recipe.model} is much to ask without a GPU, so nothing was asked of it: audit where the runs will run"


def _fetched(recipe: Recipe) -> bool:
    """Return whether weights of a hub id are in the hub's cache."""
    from huggingface_hub import try_to_load_from_cache

    found = (try_to_load_from_cache(recipe.model, name, revision=recipe.revision) for name in (WEIGHTS, INDEX))
    return any(isinstance(path, str) for path in found)
