"""Rows from records: bad ones refused together, images scaled with their boxes, ids, and the Domain of them."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import cast

from modomodo.core.errors import ModomodoError, closest, count
from modomodo.core.rows import Box, Row, Target, View, picture_bytes
from modomodo.data.domain import Domain, Message, Origin, unwritable
from modomodo.data.sources.holdout import held_out, short_hash
from modomodo.data.sources.image_values import is_pictorial
from modomodo.data.sources.pictures import Picture, fit
from modomodo.data.sources.prompts import ask
from modomodo.data.sources.records import FieldError, Record, listed, read, split_names
from modomodo.data.sources.source import BOXED, Source
from modomodo.data.sources.values import BadRowError
from modomodo.verifiers import parse_gold

MOST = 0.8  # share of bad rows from which they have one cause, which leaving them out would not mend
CORNERS = "are boxes x, y, width, height? write x1, y1, x2, y2"
OPTIONS = ("options", "choices")
OUTSIDE = 1.0
"""Pixels of the original image by which a gold box may reach out of it, from rounding; it is not clipped."""


@dataclass(frozen=True)
class Draft:
    """A row before its images are opened: boxes still in the source's frame, of the first image as it comes.

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
    """The rows of a split, what is to know about them, and what is wrong with its other rows.

    `sorted_out`: some of these were of this split, where those that could not be read are of neither half of a holdout.
    """

    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    bad: tuple[str, ...]
    sorted_out: bool


@dataclass(frozen=True)
class SourceDomain:
    """A domain whose rows are read from a source: what makes rows of its records, and the prompt of its rows.

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
        kept = (source.place, source.revision, source.licence, source.rows)

        def loaded(split: str) -> Loaded:
            if source.path is None and source.hub is None:
                raise ModomodoError(f"{self.name}: {self.hint}; then set data.{self.name}.path")
            try:
                return _loaded(self.name, source, self.shape, split, self.sample)
            except FieldError as error:
                raise ModomodoError(f"data.{self.name}.{error}") from error

        return Domain(
            self.name,
            lambda split: loaded(split).rows,
            self.prompt,
            splits=tuple(split_names(source)),
            origin=Origin(*kept, remote=source.path is None, declared=source.meaning()),
            notes=lambda split: loaded(split).notes,
        )


@cache
def _loaded(name: str, source: Source, shape: Shape, split: str, sample: int) -> Loaded:
    names = split_names(source)
    if split not in names:
        remedy = f". Name it in data.{name}.splits, or set data.{name}.holdout = 0.1 for a set of your own"
        raise ModomodoError(
            f"{name} has no split {split!r}; {closest(split, names)}{remedy if split == 'test' else ''}"
        )
    collected = collect(name, source, shape, split, sample=sample)
    if len(collected.bad) > source.unusable:
        where = f"{name} ({split})" if collected.sorted_out or not source.holdout else name
        raise ModomodoError(f"{where}: {_refusal(name, collected.bad, len(collected.rows), source.unusable)}")
    if not collected.rows:
        bad = collected.bad
        why = f"all cannot be used:\n{listed(bad)}" if bad else "the set's own filter drops all: is it the right file?"
        raise ModomodoError(f"{name} ({split}): no row is left of {source.place}; {why}")
    if not collected.bad:
        return collected
    left_out = (
        f"{count(len(collected.bad), 'row')} left out, as unusable:\n{listed(collected.bad, most=len(collected.bad))}"
    )
    return replace(collected, notes=(left_out, *collected.notes))


def collect(
    name: str, source: Source, shape: Shape, split: str, *, sample: int = 0, first: int | None = None
) -> Loaded:
    """Return the rows of a split however many of its records are bad; of the `first` records alone, if given."""
    unread: list[str] = []
    unsound: list[str] = []
    named: dict[str, None] = {}
    records = _watched(islice(read(source, split_names(source)[split]), first), named)
    drafts = _drafts(records, shape, source, unread)
    if source.holdout:
        held = _held_out(source, shape)
        drafts = (one for one in drafts if (one[0].number in held) == (split == "test"))
    if sample and split == "train":
        drafts = sorted(heapq.nsmallest(sample, drafts, key=_rank), key=lambda one: one[0].number)
    rows: dict[str, Row] = {}
    for place, row in _rows(name, split, source, drafts, unsound):
        if row.id in rows:
            unsound.append(f"{place}: the id {row.id!r} occurs twice: make ids unique")
        else:
            rows[row.id] = row
    bad = (*unread, *unsound)
    whole = tuple(rows.values())
    return Loaded(whole, tuple(_notes(whole, source, split, named)), bad, sorted_out=bool(unsound))


def _refusal(name: str, bad: Sequence[str], good: int, unusable: int) -> str:
    """Return why rows are refused: where nearly all are bad, by the first few, as they have one cause."""
    allowed = f" (at most {unusable} may be left out)" if unusable else ""
    nearly_all = len(bad) >= MOST * (len(bad) + good)
    rows = f"{len(bad):,} of {count(len(bad) + good, 'row')}" if nearly_all else count(len(bad), "row")
    what = f"{rows} cannot be used{allowed}:\n{listed(bad, most=3 if nearly_all else 20)}\n"
    if nearly_all:
        return f"{what}  correct them, or how data.{name} reads them"
    left_out = f"; of a set of your own, data.{name}.unusable = {len(bad)} leaves them out"
    return f"{what}  correct them{'' if any(CORNERS in one for one in bad) else left_out}"


def _rows(
    name: str, split: str, source: Source, drafts: Iterable[tuple[Record, Draft]], bad: list[str]
) -> Iterator[tuple[str, Row]]:
    """Yield where each row is, and the row; adds to `bad` what is wrong with the others."""
    pictures: list[Picture] = []
    shown: tuple[bytes | Path, ...] | None = None  # what they are made of: rows of one record share them
    for record, draft in drafts:
        id = _row_id(draft, record, f"{name}-{split}")
        try:
            reason = unwritable(id, draft.question, draft.target)
            if reason is not None:
                raise BadRowError(reason)
            if draft.pictures is not shown:
                pictures, shown = [fit(one, source.max_side) for one in draft.pictures], draft.pictures
            target = _target(draft, pictures, source.gold_frame)
        except ModomodoError as error:
            bad.append(f"{record.place}: {error}")
            continue
        yield record.place, Row(id, name, draft.question, target, tuple(picture.data for picture in pictures))


def _notes(rows: Sequence[Row], source: Source, split: str, named: Iterable[str]) -> Iterator[str]:
    declared = source.rows.get(split)
    bare = sum(not row.images for row in rows)
    if declared not in (None, len(rows)):
        yield f"has {len(rows)} rows, where {declared} are declared"
    if source.images and bare:
        yield f"{bare} of {len(rows)} rows have no image in {', '.join(source.images)}: asked as text alone"
    unused = [name for name in named if is_pictorial(name) and name not in source.images]
    if bare and unused:
        yield f"not used: {', '.join(map(repr, unused))}, by name with images; name what is to be shown in images"
    if source.verifier == "choice" and source.options is None and (unseen := [n for n in named if n in OPTIONS]):
        yield f"{unseen[0]!r} is not used, by its name the options: without options = {unseen[0]!r} nobody sees them"
    golds = {repr(row.target.value) for row in rows if row.target.verifier != "format"}
    if len(golds) == 1 and len(rows) > 1:
        yield f"every gold is {golds.pop():.60}: one reply is right for all rows. Is it the right column?"


def _watched(records: Iterable[Record], named: dict[str, None]) -> Iterator[Record]:
    """Yield the records; adds to `named` the columns that hold something and are called like images or options."""
    for record in records:
        for name, value in record.columns.items():
            if name not in named and value not in (None, "", []) and (is_pictorial(name) or name in OPTIONS):
                named[name] = None
        yield record


def _drafts(records: Iterable[Record], shape: Shape, source: Source, bad: list[str]) -> Iterator[tuple[Record, Draft]]:
    """Yield the drafts of records; adds to `bad` what is wrong with the others."""
    for record in records:
        try:
            drafts = list(shape(record, source))
        except BadRowError as error:
            bad.append(f"{record.place}: {error}")
            continue
        except RecursionError:
            bad.append(f"{record.place}: a column is a list of lists too deep to be read")
            continue
        for draft in drafts:
            yield record, draft


def _rank(one: tuple[Record, Draft]) -> bytes:
    return short_hash(f"{one[0].number}/{one[1].key}".encode(errors="surrogatepass"))


@cache
def _held_out(source: Source, shape: Shape) -> frozenset[int]:
    """Return the numbers of the records held out: all that share an image, or a question without one, go together."""
    drafts = _drafts(read(source, split_names(source)["train"]), shape, source, [])
    contents = ((record.number, content) for record, draft in drafts for content in _contents(draft))
    return held_out(contents, source.holdout, place=source.place)


def _contents(draft: Draft) -> Iterator[bytes]:
    for picture in draft.pictures:
        with suppress(OSError, ValueError):  # one that cannot be read is refused when rows are made
            yield short_hash(picture_bytes(picture))
    if not draft.pictures:
        yield short_hash(" ".join(draft.question.lower().split()).encode(errors="surrogatepass"))


def _row_id(draft: Draft, record: Record, prefix: str) -> str:
    parts = [draft.id or f"{prefix}-{record.number:05d}", draft.key]
    return "-".join(filter(None, parts))


def _target(draft: Draft, pictures: Sequence[Picture], frame: str) -> Target:
    """Return the gold with its boxes in pixels of the images as they are kept.

    Raises BadRowError when the row cannot be asked or graded.
    """
    if not draft.question.strip():
        raise BadRowError("the question is empty")
    target = draft.target
    if target.verifier in BOXED:
        if not pictures:
            raise BadRowError("boxes need an image, and there is none")
        target = _in_pixels(target, pictures[0], frame)
    elif len(pictures) == 1:
        target = replace(target, image_size=pictures[0].size)
    reason = parse_gold(target)
    if reason is not None:
        raise BadRowError(f"gold {target.value!r:.200} cannot be graded by {target.verifier!r}: {reason}")
    return target


def _in_pixels(target: Target, picture: Picture, frame: str) -> Target:
    """Return the target with its boxes in pixels of the scaled image."""
    of = {"pixels": picture.original, "normalised1000": (1000, 1000), "unit": (1, 1)}[frame]
    several = target.verifier == "boxes"
    boxes = cast(tuple[Box, ...], target.value if several else (target.value,))
    scaled: list[Box] = []
    for box in boxes:
        x1, y1, x2, y2 = (_scaled(number, picture.size[k % 2], of[k % 2]) for k, number in enumerate(box))
        inside = x1 + x2 <= picture.size[0] and y1 + y2 <= picture.size[1]
        if (x2 <= x1 or y2 <= y1) and inside and min(x1, y1, x2, y2) >= 0:
            raise BadRowError(f"the box {list(box)} ends before it begins: {CORNERS}")
        for low, high, k in ((x1, x2, 0), (y1, y2, 1)):
            slack = OUTSIDE * picture.size[k] / picture.original[k]
            if low < -slack or high > picture.size[k] + slack:
                raise BadRowError(
                    f"the box {list(box)} ({frame}) is outside the image of {picture.original[0]} x "
                    f"{picture.original[1]} pixels"
                )
        scaled.append((x1, y1, x2, y2))
    return replace(target, value=tuple(scaled) if several else scaled[0], image_size=picture.size)


def _scaled(number: float, to: int, of: int) -> float:
    return number if to == of else number * to / of
