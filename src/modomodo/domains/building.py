"""Rows from records: bad ones refused together, pictures scaled with their boxes, ids, and the Domain of them."""

import hashlib
import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

from modomodo.domain import Domain, Message, Origin
from modomodo.domains.pictures import Picture, fit
from modomodo.domains.prompts import ask
from modomodo.domains.reading import Record, listed, read, split_names
from modomodo.domains.source import Source
from modomodo.errors import ModomodoError, closest
from modomodo.rows import Box, Row, Target, View, picture_bytes
from modomodo.verify import parse_gold
from modomodo.verify.coordinates import read_found

BOXED = ("box", "boxes", "point")
OUTSIDE = 1.0
"""Pixels of the original picture by which a gold box may stand out of it, from rounding; it is not clipped."""


class BadRowError(ModomodoError):
    """What is wrong with one record; all of a split are listed together."""


@dataclass(frozen=True)
class Draft:
    """A row before its pictures are opened: boxes still in the source's frame, of the first picture as it comes.

    `key` tells the rows of one record apart, in their ids.
    """

    question: str
    target: Target
    pictures: tuple[bytes | Path, ...]
    id: str | None = None
    key: str = ""


Shape = Callable[[Record, Source], Iterable[Draft]]
"""Makes the rows of one record: none where a set's own filter drops it. Raises BadRowError."""


@dataclass(frozen=True)
class Loaded:
    """The rows of a split, and what is to know about them."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Published:
    """A published set: its own source and columns, and the prompt of its rows.

    `sample` keeps that many training rows, chosen by a hash of their numbers; 0 keeps all. `hint` says where to get a
    set that no source names yet.
    """

    name: str
    source: Source
    shape: Shape
    prompt: Callable[[Row, View], list[Message]] = ask
    sample: int = 0
    hint: str = "say where its rows are"

    def domain(self, source: Source | None = None) -> Domain:
        """Return its domain, read from `source` if given."""
        source = source or self.source
        stored = source.model_dump_json()

        def loaded(split: str) -> Loaded:
            if source.path is None and source.hub is None:
                raise ModomodoError(f"{self.name}: {self.hint}; then set data.{self.name}.path")
            return _loaded(self.name, stored, self.shape, split, self.sample)

        return Domain(
            self.name,
            lambda split: loaded(split).rows,
            self.prompt,
            splits=tuple(split_names(source)),
            origin=Origin(source.place, source.revision, source.licence, source.rows, remote=source.path is None),
            notes=lambda split: loaded(split).notes,
        )


@cache
def _loaded(name: str, stored: str, shape: Shape, split: str, sample: int) -> Loaded:
    source = Source.model_validate_json(stored)
    names = split_names(source)
    if split not in names:
        raise ModomodoError(f"{name} has no split {split!r}; {closest(split, names)}")
    bad: list[str] = []
    drafts = _drafts(read(source, names[split]), shape, source, bad)
    if source.holdout:
        held = _held_out(stored, shape)
        drafts = (one for one in drafts if (one[0].number in held) == (split == "test"))
    if sample and split == "train":
        drafts = sorted(heapq.nsmallest(sample, drafts, key=_rank), key=lambda one: one[0].number)
    rows: dict[str, Row] = {}
    pictures: list[Picture] = []
    shown: tuple[bytes | Path, ...] | None = None  # what they are made of: rows of one record share them
    for record, draft in drafts:
        id = _row_id(draft, record, f"{name}-{split}")
        try:
            if id in rows:
                raise BadRowError(f"the id {id!r} stands twice")
            if draft.pictures is not shown:
                pictures, shown = [fit(one, source.max_side) for one in draft.pictures], draft.pictures
            target = _target(draft, pictures, source.gold_frame)
            rows[id] = Row(id, name, draft.question, target, tuple(picture.data for picture in pictures))
        except ModomodoError as error:
            bad.append(f"{record.place}: {error}")
    if len(bad) > source.unusable:
        allowed = f" (at most {source.unusable} may be left out)" if source.unusable else ""
        raise ModomodoError(f"{name} ({split}): {len(bad)} rows cannot be used{allowed}:\n{listed(bad)}")
    return Loaded(tuple(rows.values()), tuple(_notes(len(rows), source.rows.get(split), bad)))


def _notes(count: int, declared: int | None, bad: list[str]) -> Iterator[str]:
    if bad:
        yield f"{len(bad)} rows cannot be used and are left out:\n{listed(bad, most=len(bad))}"
    if declared not in (None, count):
        yield f"has {count} rows, where {declared} are declared"


def _drafts(records: Iterable[Record], shape: Shape, source: Source, bad: list[str]) -> Iterator[tuple[Record, Draft]]:
    """Yield the drafts of records; adds to `bad` what is wrong with the others."""
    for record in records:
        try:
            drafts = list(shape(record, source))
        except BadRowError as error:
            bad.append(f"{record.place}: {error}")
            continue
        for draft in drafts:
            yield record, draft


def _rank(one: tuple[Record, Draft]) -> bytes:
    return _hash(f"{one[0].number}/{one[1].key}".encode())


def _hash(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


@cache
def _held_out(stored: str, shape: Shape) -> frozenset[int]:
    """Return the numbers of the records held out: all that share a picture, or a question without one, go together."""
    source = Source.model_validate_json(stored)
    parents: dict[bytes, bytes] = {}
    homes: dict[int, bytes] = {}
    for record, draft in _drafts(read(source, split_names(source)["train"]), shape, source, []):
        for content in _contents(draft):
            root = _root(parents, content)
            home = _root(parents, homes.setdefault(record.number, root))
            parents[max(home, root)] = min(home, root)
    limit = source.holdout * 2**64
    return frozenset(
        number for number, home in homes.items() if int.from_bytes(_root(parents, home)[:8], "big") < limit
    )


def _contents(draft: Draft) -> Iterator[bytes]:
    for picture in draft.pictures:
        if isinstance(picture, bytes) or picture.is_file():  # one that is missing is refused when rows are made
            yield _hash(picture_bytes(picture))
    if not draft.pictures:
        yield _hash(" ".join(draft.question.lower().split()).encode())


def _root(parents: dict[bytes, bytes], one: bytes) -> bytes:
    while parents.setdefault(one, one) != one:
        one = parents[one]
    return one


def _row_id(draft: Draft, record: Record, prefix: str) -> str:
    parts = [draft.id or f"{prefix}-{record.number:05d}", draft.key]
    return "-".join(filter(None, parts))


def _target(draft: Draft, pictures: Sequence[Picture], frame: str) -> Target:
    """Return the gold with its boxes in pixels of the pictures as they are kept.

    Raises BadRowError when the row cannot be asked or graded.
    """
    if not draft.question.strip():
        raise BadRowError("the question is empty")
    target = draft.target
    if target.verifier in BOXED:
        if not pictures:
            raise BadRowError("boxes need a picture, and there is none")
        target = _in_pixels(target, pictures[0], frame)
    elif len(pictures) == 1:
        target = replace(target, image_size=pictures[0].size)
    reason = parse_gold(target)
    if reason is not None:
        raise BadRowError(f"gold {target.value!r} cannot be graded by {target.verifier!r}: {reason}")
    return target


def _in_pixels(target: Target, picture: Picture, frame: str) -> Target:
    """Return the target with its boxes in pixels of the scaled picture."""
    of = {"pixels": picture.original, "normalised1000": (1000, 1000), "unit": (1, 1)}[frame]
    several = target.verifier == "boxes"
    boxes = cast(tuple[Box, ...], target.value if several else (target.value,))
    scaled: list[Box] = []
    for box in boxes:
        x1, y1, x2, y2 = (_scaled(number, picture.size[k % 2], of[k % 2]) for k, number in enumerate(box))
        for low, high, k in ((x1, x2, 0), (y1, y2, 1)):
            slack = OUTSIDE * picture.size[k] / picture.original[k]
            if low < -slack or high > picture.size[k] + slack:
                raise BadRowError(
                    f"the box {list(box)} ({frame}) is outside the picture of {picture.original[0]} x "
                    f"{picture.original[1]} pixels"
                )
        scaled.append((x1, y1, x2, y2))
    return replace(target, value=tuple(scaled) if several else scaled[0], image_size=picture.size)


def _scaled(number: float, to: int, of: int) -> float:
    return number if to == of else number * to / of


def read_boxes(value: object) -> tuple[Box, ...]:
    """Return the boxes of an answer: [x1, y1, x2, y2], a list of them, or the text of either, as replies write them.

    Raises BadRowError.
    """
    text = value if isinstance(value, str) else json.dumps(value, default=repr)
    if isinstance(value, str) and value.strip().strip(".").lower() == "no objects":
        return ()
    found = read_found(text.strip(), "boxes")
    if isinstance(found, str):
        raise BadRowError(f"the boxes {text[:60]!r} cannot be read: {found}")
    return tuple(cast(Box, one.numbers) for one in found)


def flat_pictures(value: Any, folder: Path) -> Iterator[bytes | Path]:
    """Yield the pictures that a column holds: bytes, a path beside the file, a picture of `datasets`, or lists of them.

    Raises BadRowError.
    """
    if isinstance(value, dict) and "bytes" in value:
        value = value["bytes"] if value["bytes"] is not None else value.get("path")
    if value is None or value == "":
        return
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, str):
        yield folder / value
    elif isinstance(value, Sequence):
        for one in value:
            yield from flat_pictures(one, folder)
    else:
        raise BadRowError(f"a picture is bytes, a path or a list of them, found {type(value).__name__} {value!r:.60}")
