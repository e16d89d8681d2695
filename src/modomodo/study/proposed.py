"""The pilots that `modomodo pilot --most` has added to a study: proposed.json in its folder."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError
from modomodo.core.files import read_json, value_of, write_json
from modomodo.core.mixture import Mixture

VERSION = 1


@dataclass(frozen=True)
class Proposed:
    """A pilot that was added, its mixture as domain -> weight, and why."""

    mixture: dict[str, float]
    reason: str


@dataclass(frozen=True)
class _File:
    version: int
    pilots: tuple[Proposed, ...]


def proposed_path(study: Study) -> Path:
    return study.folder / "proposed.json"


def read_proposed(study: Study) -> tuple[Proposed, ...]:
    """Return the pilots that were added, in that order; none where there is no file.

    Raises ModomodoError for a damaged file, and for mixtures of other domains than the study's.
    """
    path = proposed_path(study)
    data = read_json(path) if study.folder.is_dir() else None  # a file in its place is for whoever writes to it
    if data is None:
        return ()
    found = value_of(_File, data, where=path, repair="move it away, to plan the study without these pilots")
    if found.version != VERSION:
        raise ModomodoError(f"{path} has version {found.version}, and this modomodo reads {VERSION}: upgrade modomodo")
    for number, one in enumerate(found.pilots, start=1):
        try:
            Mixture.of(one.mixture).vector(study.recipe.domains)
        except ModomodoError as error:
            raise ModomodoError(
                f"pilot {number} of {path}: {error}: move the file away, or give the study another name"
            ) from None
    return found.pilots


def write_proposed(study: Study, pilots: Sequence[Proposed]) -> None:
    """Write the pilots in the place of those that were there."""
    write_json(proposed_path(study), {"version": VERSION, "pilots": [asdict(one) for one in pilots]})
