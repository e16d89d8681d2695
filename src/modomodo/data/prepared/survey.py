"""What a domain holds before it is written: every row and image read once, ids checked, duplicates found."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

from modomodo.core.errors import ModomodoError, begun
from modomodo.core.rows import Row, opened, picture_bytes
from modomodo.data.domain import Domain

Say = Callable[[str], None]
TRAIN = "train"
SAY_EVERY = 500  # rows


@dataclass(frozen=True)
class Dropped:
    """A row that was left out, why, and the id of the row that is kept in its place."""

    split: str
    row_id: str
    reason: str
    of: str


@dataclass(frozen=True)
class Seen:
    """A row, the SHA-256 of each of its images, and their bytes together."""

    row: Row
    pictures: tuple[str, ...]
    size: int


@dataclass(frozen=True)
class Part:
    """A split: the rows that stay, in order, how many were read, a digest of those, and the domain's notes on them."""

    seen: tuple[Seen, ...]
    read: int
    digest: str
    notes: tuple[str, ...]

    @property
    def verifiers(self) -> dict[str, int]:
        """Return verifier -> rows."""
        return dict(sorted(Counter(one.row.target.verifier for one in self.seen).items()))


@dataclass(frozen=True)
class Survey:
    """The splits of a domain, what was dropped from them, and SHA-256 of an image -> its [width, height]."""

    parts: dict[str, Part]
    dropped: tuple[Dropped, ...]
    sizes: dict[str, tuple[int, int]]

    def pixels(self, split: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """Return the least and the greatest width and height of a split's images."""
        names = {name for one in self.parts[split].seen for name in one.pictures}
        if not names:
            return None
        widths, heights = zip(*(self.sizes[name] for name in names), strict=True)
        return (min(widths), min(heights)), (max(widths), max(heights))


def survey(name: str, domain: Domain, *, say: Say) -> Survey:
    """Return what a domain holds.

    Dropped are rows of train whose question and images are in another split too, and rows whose question, gold and
    images came earlier in their split.

    Raises ModomodoError for ids that occur twice, unreadable images, and a split without rows.
    """
    sizes: dict[str, tuple[int, int]] = {}
    ids: dict[str, str] = {}
    found: dict[str, list[Seen]] = {}
    digests: dict[str, str] = {}
    for split in domain.splits:
        found[split], digests[split] = _read(f"{name} ({split})", domain.load(split), sizes=sizes, say=say)
        for one in found[split]:
            if one.row.id in ids:
                raise ModomodoError(
                    f"{name} ({split}), row {one.row.id}: the id is in {ids[one.row.id]} already: make ids unique"
                )
            ids[one.row.id] = split
    dropped = (*_leaks(found), *_duplicates(found))
    out = {one.row_id: one for one in reversed(dropped)}
    parts = {
        split: Part(
            tuple(one for one in seen if one.row.id not in out), len(seen), digests[split], tuple(domain.notes(split))
        )
        for split, seen in found.items()
    }
    for split, part in parts.items():
        if not part.seen:
            why = f"none of its {part.read} rows is left, all are in another split" if part.read else "has no rows"
            raise ModomodoError(f"{name} ({split}): {why}: check its source, or drop the split")
    return Survey(parts, tuple(out[row_id] for row_id in ids if row_id in out), sizes)


def load_pictures(row: Row) -> list[bytes]:
    """Return the files of a row's images.

    Raises ModomodoError that names the row when one cannot be read.
    """
    try:
        return [picture_bytes(image) for image in row.images]
    except OSError as error:
        raise ModomodoError(f"row {row.id}: an image cannot be read: {error}; restore it or drop the row") from error


def hashes(pictures: Sequence[bytes]) -> tuple[str, ...]:
    """Return the SHA-256 of each image's file."""
    return tuple(hashlib.sha256(picture).hexdigest() for picture in pictures)


def _read(where: str, rows: Sequence[Row], *, sizes: dict[str, tuple[int, int]], say: Say) -> tuple[list[Seen], str]:
    """Return the rows with their images' hashes, and the digest of all; `sizes` gets the size of each image."""
    digest, seen = hashlib.sha256(), list[Seen]()
    for number, row in enumerate(rows):
        if number % SAY_EVERY == 0:
            say(f"reading {where}, row {number:,} of {len(rows):,}")
        pictures = load_pictures(row)
        names = hashes(pictures)
        for name, picture in zip(names, pictures, strict=True):
            if name not in sizes:
                sizes[name] = _size(picture, f"{where}, row {row.id}")
        try:
            line = json.dumps([row.id, row.domain, row.question, asdict(row.target), names], ensure_ascii=False)
            digest.update(line.encode() + b"\n")
        except (TypeError, ValueError) as error:  # a number that is no Python number, or half a character
            raise ModomodoError(f"{where}, row {row.id} cannot be written: {error}") from error
        seen.append(Seen(row, names, sum(map(len, pictures))))
    return seen, digest.hexdigest()


def _size(picture: bytes, where: str) -> tuple[int, int]:
    with begun(where), opened(picture) as found:
        return found.size


def _leaks(found: dict[str, list[Seen]]) -> Iterator[Dropped]:
    others = {
        (one.row.question, one.pictures): (split, one.row.id)
        for split, seen in found.items()
        if split != TRAIN
        for one in reversed(seen)
    }
    for one in found.get(TRAIN, ()):
        other = others.get((one.row.question, one.pictures))
        if other is not None:
            yield Dropped(TRAIN, one.row.id, f"in {other[0]}", other[1])


def _duplicates(found: dict[str, list[Seen]]) -> Iterator[Dropped]:
    for split, seen in found.items():
        first: dict[tuple[object, ...], str] = {}
        for one in seen:
            kept = first.setdefault((one.row.question, one.row.target, one.pictures), one.row.id)
            if kept != one.row.id:
                yield Dropped(split, one.row.id, "duplicate", kept)
