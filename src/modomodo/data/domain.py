"""Domain: data plus three plain functions, and `check`, which proves it."""

import hashlib
import math
import traceback
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Row, Target, Verdict, View, open_image, picture_bytes
from modomodo.verifiers import gold_reply, grade, parse_gold

JUNK = ("", "?", "<think></think><answer></answer>", "<think>x</think><answer>\u2603 no such answer \u2603</answer>")


class TextPart(TypedDict):
    type: Literal["text"]
    text: str


class ImagePart(TypedDict):
    type: Literal["image"]


class Message(TypedDict):
    """A chat message; images are placeholders, filled in order from the row's images."""

    role: Literal["system", "user", "assistant"]
    content: list[TextPart | ImagePart]


def verify_row(row: Row, completion: str, view: View) -> Verdict:
    """Return the verdict of the row's own verifier on a tagged reply."""
    return grade(completion, row.target, view)


@dataclass(frozen=True)
class Origin:
    """Where rows come from: a file, folder or hub id, its revision and licence, and the counts of rows to expect."""

    source: str
    revision: str | None
    licence: str
    sizes: Mapping[str, int]
    remote: bool = False  # on the hub, so that reading it may mean a download
    declared: str = ""  # hash of what is made of its records: columns, filters, splits, verifier


def no_notes(split: str) -> tuple[str, ...]:
    """Return nothing to know about a split."""
    return ()


@dataclass(frozen=True)
class Domain:
    """Rows by split, the messages that ask a row, and the verdict on a reply.

    `load(split)` returns rows with ids unique over all splits; `splits` names the splits it knows. `notes(split)` says
    what is to know about its rows, such as those left out; `origin` where they come from, None where code makes them.
    """

    name: str
    load: Callable[[str], Sequence[Row]]
    prompt: Callable[[Row, View], list[Message]]
    verify: Callable[[Row, str, View], Verdict] = verify_row
    splits: tuple[str, ...] = ("train", "test")
    origin: Origin | None = None
    notes: Callable[[str], Sequence[str]] = no_notes


@dataclass(frozen=True)
class Problem:
    """Something that a check found: where (file, domain, row id), what, and what to do about it.

    An error makes the run wrong or impossible; a note is something to know before it starts.
    """

    where: str
    what: str
    level: Literal["error", "note"] = "error"

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def verdict_on(row: Row, completion: str, *, domain: Domain, view: View) -> Verdict:
    """Return the domain's verdict on a reply; ungradable, with the traceback, where its verifier raises."""
    try:
        return domain.verify(row, completion, view)
    # The one boundary: whatever a verifier raises, a run keeps the row and the traceback, and continues.
    except Exception:  # noqa: BLE001
        return Verdict.ungradable(traceback.format_exc())


def check(domain: Domain, view: View | None = None) -> tuple[Problem, ...]:
    """Return what is wrong with a domain; empty when every row is sound.

    Sound: ids are unique over all splits, no question and image is in two splits, whatever the gold, images
    open, texts can be written, the gold is well-formed, the gold reply earns 1, junk earns 0, and the prompt has a
    placeholder for each image. Repeats within a split, and what the domain notes about its rows, come as notes.
    """
    view = view or View()
    problems: list[Problem] = []
    seen_ids: dict[str, str] = {}
    seen_rows: dict[str, tuple[str, str]] = {}
    for split in domain.splits:
        rows = domain.load(split)
        problems += [Problem(f"{domain.name} ({split})", note, level="note") for note in domain.notes(split)]
        if not rows:
            problems.append(Problem(f"{domain.name} ({split})", "has no rows: check the file or drop the split"))
        repeats: list[str] = []
        for row in rows:
            where = f"{domain.name} ({split}), row {row.id}"
            if row.id in seen_ids:
                problems.append(Problem(where, f"the id is in {seen_ids[row.id]} already: make ids unique"))
            seen_ids[row.id] = split
            reasons = list(_row_problems(domain, row, view))
            problems += [Problem(where, what) for what in reasons]
            if not reasons:
                other = seen_rows.setdefault(_content(row), (split, row.id))
                if other[0] != split:
                    what = f"the same question and image is row {other[1]} of {other[0]}: drop one (data prepare does)"
                    problems.append(Problem(where, what))
                elif other[1] != row.id:
                    repeats.append(row.id)
        if repeats:
            problems.append(_repeated(domain.name, split, repeats))
    return tuple(problems)


def unwritable(id: str, question: str, target: Target) -> str | None:
    """Return why the texts and numbers of a row cannot go to files and tables; None when they can."""
    if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in id):
        return f"the id {id!r:.60} has control characters or line breaks: write it without"
    values = target.value if isinstance(target.value, tuple) else (target.value,)
    texts = {"id": (id,), "question": (question,), "options": target.options, "gold": values}
    for name, found in texts.items():
        for one in found:
            if isinstance(one, float) and not math.isfinite(one):
                return f"the {name} is {one}, not a finite number"
            if isinstance(one, str) and not _encodes(one):
                return f"{name}: {one!r:.60} has half a character (a lone surrogate): write it again"
    return None


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _repeated(name: str, split: str, ids: Sequence[str]) -> Problem:
    some = f"{', '.join(ids[:3])}{' and others' if len(ids) > 3 else ''}"
    repeat = "row repeats" if len(ids) == 1 else "rows repeat"
    so = "a run meets them twice" if split == "train" else "halves of a benchmark share them"
    what = f"{len(ids)} {repeat} the question and image of another one ({some}), so {so}"
    return Problem(f"{name} ({split})", f"{what}; `modomodo data prepare` drops exact duplicates", level="note")


def _row_problems(domain: Domain, row: Row, view: View) -> Iterator[str]:
    reason = unwritable(row.id, row.question, row.target)
    if reason is not None:
        yield reason
        return
    for image in row.images:
        try:
            open_image(image)
        except ModomodoError as error:
            yield str(error)
            return
    placeholders = sum(part["type"] == "image" for message in domain.prompt(row, view) for part in message["content"])
    if placeholders != len(row.images):
        yield f"{len(row.images)} images and {placeholders} placeholders in the prompt: they must be as many"
    reason = parse_gold(row.target)
    if reason is not None:
        yield f"gold {row.target.value!r} cannot be graded by {row.target.verifier!r}: {reason}"
        return
    verdict = domain.verify(row, gold_reply(row.target, view), view)
    if verdict.reward != 1:
        yield f"the gold {row.target.value!r} earns {verdict.reward}, not 1: {verdict.reason or verdict.status}"
    for junk in JUNK:
        verdict = domain.verify(row, junk, view)
        if verdict.reward:
            yield f"the junk reply {junk!r} earns {verdict.reward}, not 0: {verdict.reason or verdict.status}"


def _content(row: Row) -> str:
    # Without the gold: a row whose question and image are in another split is seen there, whatever its gold.
    digest = hashlib.blake2b(row.question.encode(), digest_size=16)
    for image in row.images:
        digest.update(hashlib.blake2b(picture_bytes(image)).digest())
    return digest.hexdigest()
