"""Prepared sets written and read: a set is made beside its place and put there whole."""

import csv
import io
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.files import csv_cell, explained, locked, write_json, write_text
from modomodo.core.rows import Row
from modomodo.data.domain import Domain
from modomodo.data.prepared.card import card
from modomodo.data.prepared.manifest import (
    CARD,
    DROPPED,
    MAKE,
    MANIFEST,
    FileFacts,
    Manifest,
    OriginFacts,
    SplitFacts,
    check_files,
    file_facts,
    find_manifest,
    read_manifest,
)
from modomodo.data.prepared.shards import SHARD, need_pyarrow, read_shard, spans, write_shard
from modomodo.data.prepared.survey import Dropped, Part, Say, Survey, survey

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
OURS = re.compile(rf"{CARD}|{DROPPED}|{MANIFEST}|.+-\d{{5}}-of-\d{{5}}\.parquet")


@dataclass(frozen=True)
class Prepared:
    """A set as `folder` holds it: rows by split, what was dropped, and whether anything was written.

    `replaced` is a set whose rows or origin were others before; `notes` say so, and which counts are not as expected.
    """

    name: str
    folder: Path
    counts: dict[str, int]
    dropped: tuple[Dropped, ...]
    state: Literal["written", "replaced", "reused"]
    notes: tuple[str, ...]


def prepare(domains: Mapping[str, Domain], folder: Path, *, say: Say | None = None) -> tuple[Prepared, ...]:
    """Write each domain to `folder`/name, and return what is there; sets of the same rows are left as they are.

    A killed call leaves only whole sets, and the next one continues. `say` hears what is being done.

    Raises ModomodoError for rows that cannot be written, a disk that is full, and a set that is not what its manifest
    says.
    """
    need_pyarrow()
    for name in domains:
        if not NAME.fullmatch(name):
            raise ModomodoError(f"the domain {name!r} cannot name a folder: use letters, digits, _, . and -")
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return tuple(_prepare(name, domain, folder, say=say or _silent) for name, domain in domains.items())


def read_prepared(folder: Path | str, name: str, split: str) -> tuple[Row, ...]:
    """Return the rows of a split of a prepared set, images as bytes; read once for each manifest.

    Raises ModomodoError, with the closest names, where there is no such set or split, and for a damaged file.
    """
    need_pyarrow()
    folder = Path(folder)
    return _rows((folder / name).resolve(), tuple(_shard_files(folder, name, split).items()))


def find_prepared(folder: Path, name: str, split: str, *, ids: Set[str]) -> tuple[Row, ...]:
    """Return the rows of these ids; no more is read than holds them, and no hash is checked.

    Raises ModomodoError as `read_prepared`.
    """
    need_pyarrow()
    shards = _shard_files(folder, name, split)
    return tuple(row for shard in shards for row in read_shard(folder / name / shard, {}, ids=ids))


def _shard_files(folder: Path, name: str, split: str) -> dict[str, FileFacts]:
    manifest = find_manifest(folder, name)
    facts = manifest.splits.get(split)
    if facts is None:
        raise ModomodoError(
            f"{folder / name} has no split {split!r}; {closest(split, manifest.splits)} "
            f"(make what is missing with {MAKE})"
        )
    return {shard: manifest.files[shard] for shard in facts.shards}


@cache
def _rows(folder: Path, files: tuple[tuple[str, FileFacts], ...]) -> tuple[Row, ...]:
    check_files(folder, dict(files))
    pictures: dict[bytes, bytes] = {}
    return tuple(row for shard, _ in files for row in read_shard(folder / shard, pictures))


def _prepare(name: str, domain: Domain, folder: Path, *, say: Say) -> Prepared:
    surveyed = survey(name, domain, say=say)
    wanted = _manifest(name, domain, surveyed)
    say(f"checking {name}")
    old = _standing(folder / name)
    state = "reused"
    if old is None or not old.same_rows(wanted):
        with locked(folder / ".lock"):
            old = _standing(folder / name)  # another process may have written it meanwhile
            if old is None or not old.same_rows(wanted):
                _write(folder / name, surveyed, wanted, say=say)
                state = "written" if old is None else "replaced"
    counts = {split: facts.rows for split, facts in wanted.splits.items()}
    notes = (*_changes(old, wanted), *_notes(wanted))
    return Prepared(name, folder / name, counts, surveyed.dropped, state, notes)


def _standing(place: Path) -> Manifest | None:
    """Return the manifest of the whole set at `place`, None where there is none.

    Raises ModomodoError when its files are not what it says.
    """
    manifest = read_manifest(place)
    if manifest is not None:
        check_files(place, manifest.files)
    return manifest


def _manifest(name: str, domain: Domain, found: Survey) -> Manifest:
    """Return the manifest of what was found, without its files."""
    splits: dict[str, SplitFacts] = {}
    for split, part in found.parts.items():
        splits[split] = SplitFacts(
            rows=len(part.seen),
            read=part.read,
            digest=part.digest,
            verifiers=part.verifiers,
            pictures=sum(len(one.pictures) for one in part.seen),
            picture_bytes=sum(one.size for one in part.seen),
            pixels=found.pixels(split),
            shards={shard: len(span) for shard, span in _shards(split, part).items()},
            notes=part.notes,
        )
    dropped = dict(sorted(Counter(one.reason for one in found.dropped).items()))
    origin = None
    if domain.origin is not None:
        said = domain.origin
        sizes = dict(said.sizes)
        origin = OriginFacts(
            source=said.source, revision=said.revision, licence=said.licence, sizes=sizes, declared=said.declared
        )
    return Manifest(name=name, origin=origin, splits=splits, dropped=dropped)


def _shards(split: str, part: Part) -> dict[str, range]:
    """Return file -> its rows."""
    ranges = spans([one.size for one in part.seen], SHARD)
    return {f"{split}-{number:05d}-of-{len(ranges):05d}.parquet": span for number, span in enumerate(ranges)}


def _write(place: Path, found: Survey, wanted: Manifest, *, say: Say) -> None:
    partial = place.with_name(f".{place.name}.partial")
    try:
        with explained(place):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            files: dict[str, FileFacts] = {}
            for split, part in found.parts.items():
                for shard, span in _shards(split, part).items():
                    say(f"writing {place.name}/{shard}")
                    write_shard(partial / shard, part.seen[span.start : span.stop])
                    files[shard] = file_facts(partial / shard)
        write_text(partial / DROPPED, _listing(found.dropped))
        files[DROPPED] = file_facts(partial / DROPPED)
        manifest = wanted.model_copy(update={"files": files})
        write_text(partial / CARD, card(manifest))
        write_json(partial / MANIFEST, manifest.model_dump(mode="json"))
        with explained(place):
            _put(partial, place)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _put(partial: Path, place: Path) -> None:
    """Put the finished folder in its place; a kill in between leaves none there, and the next call writes it again.

    Raises ModomodoError when the folder there has files that are not of a prepared set: they may be all there is.
    """
    old = place.with_name(f".{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        others = sorted(file.name for file in place.iterdir() if not OURS.fullmatch(file.name))
        if others:
            raise ModomodoError(
                f"{place} would be replaced, but holds {others[0]!r}, which is not of a prepared set: move it away, or "
                "prepare into another folder"
            )
        place.rename(old)
    partial.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _listing(dropped: tuple[Dropped, ...]) -> str:
    text = io.StringIO()
    lines = [[csv_cell(cell) for cell in (one.split, one.row_id, one.reason, one.of)] for one in dropped]
    csv.writer(text, lineterminator="\n").writerows([["split", "row_id", "reason", "of"], *lines])
    return text.getvalue()


def _changes(old: Manifest | None, new: Manifest) -> list[str]:
    if old is None or old.same_rows(new):
        return []
    before, after = ({split: facts.digest for split, facts in one.splits.items()} for one in (old, new))
    if before == after:
        return ["replaced: its rows are the same, but its origin or notes changed"]
    counts = [
        f"{split} had {old.splits[split].rows if split in old.splits else 0:,} rows and has "
        f"{new.splits[split].rows if split in new.splits else 0:,}"
        for split in dict.fromkeys((*old.splits, *new.splits))
    ]
    return [f"replaced, its rows changed: {', '.join(counts)}"]


def _notes(manifest: Manifest) -> list[str]:
    """Return what the domain notes, and where it notes nothing, counts that are not those its origin states."""
    notes = [f"{split}: {note}" for split, facts in manifest.splits.items() for note in facts.notes]
    for split, stated in ({} if manifest.origin is None else manifest.origin.sizes).items():
        facts = manifest.splits.get(split)
        rows, dropped = (0, 0) if facts is None else (facts.rows, facts.read - facts.rows)
        if rows != stated and not (facts and facts.notes):
            without = f" ({dropped:,} dropped)" if dropped else ""
            notes.append(f"{split}: has {rows:,} rows{without}, where {stated:,} are declared")
    return notes


def _silent(what: str) -> None:
    pass
