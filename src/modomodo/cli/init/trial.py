"""What check says of the rows as `init` is about to have them read, before it writes a file."""

from collections.abc import Sequence

from modomodo.cli.init.toml_text import Plan, Trial, source_fields
from modomodo.core.errors import ModomodoError, count
from modomodo.core.rows import View
from modomodo.data.domain import Domain, check
from modomodo.data.sources.build import CORNERS, collect
from modomodo.data.sources.columns import own_drafts
from modomodo.data.sources.prompts import ask
from modomodo.data.sources.records import listed, split_names
from modomodo.data.sources.source import Source

LOADED = 2_000  # rows of each split that are tried out
MOST = 0.5  # share of rows that check refuses from which they are not what the file says


def source_of(plan: Plan, *, holdout: float = 0.0, unusable: int = 0) -> Source:
    """Return the source that the recipe will declare, as seen from here."""
    fields = {**source_fields(plan, holdout), "path": plan.table.path, "unusable": unusable}
    if plan.roles.images.folder is not None:
        fields["pictures"] = plan.roles.images.folder
    return Source.model_validate(fields)


def try_out(plan: Plan) -> Trial:
    """Return what check says of the first rows; nothing where no verifier is known.

    Raises ModomodoError where it refuses most of them, or some whose boxes are written in another way.
    """
    if plan.suggestion.verifier is None:
        return Trial()
    source = source_of(plan)
    found = {split: collect(plan.name, source, own_drafts, split, first=LOADED) for split in split_names(source)}
    read = {split: one for split, one in found.items() if one.rows}
    domain = Domain(
        plan.name,
        lambda split: read[split].rows,
        ask,
        splits=tuple(read),
        notes=lambda split: read[split].notes,
    )
    problems = check(domain, View(mode="standard"))
    bad = [line for one in found.values() for line in one.bad]
    bad += [str(problem) for problem in problems if problem.level == "error"]
    looked = sum(len(one.rows) + len(one.bad) for one in found.values())
    if len(bad) > MOST * looked or any(CORNERS in line for line in bad):
        raise ModomodoError(_refusal(plan, bad, looked))
    notes = [problem.what for problem in problems if problem.level == "note"]
    return Trial(tuple(bad), looked, tuple(dict.fromkeys(notes)))


def _refusal(plan: Plan, bad: Sequence[str], looked: int) -> str:
    fields = source_fields(plan, 0.0)
    read = ", ".join(f"{key} = {fields[key]!r}" for key in ("question", "answer", "options", "images") if key in fields)
    return (
        f"{plan.table.path}: check would refuse {len(bad):,} of {count(looked, 'row')}, read with {read}, verifier = "
        f"{plan.suggestion.verifier!r}:\n{listed(bad, most=5)}\n  so nothing is written: correct them, or write a "
        "recipe that reads them otherwise (docs/data.md)"
    )
