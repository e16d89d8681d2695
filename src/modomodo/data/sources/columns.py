"""A domain from a table in TOML: the columns of a Source made into questions and golds."""

import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.rows import Target
from modomodo.data.domain import Domain
from modomodo.data.sources.build import Draft, SourceDomain
from modomodo.data.sources.chats import asked, gold_in, pictures_in
from modomodo.data.sources.golds import gold_for, is_latex
from modomodo.data.sources.grounding import BOX, REF, grounded, read_objects
from modomodo.data.sources.image_values import flat_pictures
from modomodo.data.sources.marks import check_text, named, placed
from modomodo.data.sources.options import ambiguous, no_options, option_texts, options_in
from modomodo.data.sources.prompts import asking
from modomodo.data.sources.records import FieldError, Record, row_id
from modomodo.data.sources.source import Source
from modomodo.data.sources.values import BadRowError, plain
from modomodo.verifiers import VERIFIERS, parse_gold


def domain_of(name: str, source: Source) -> Domain:
    """Return the domain that a source declares.

    Raises ModomodoError when it does not say where its rows are or which verifier judges them, and for an instruction
    that a model would not read as text.
    """
    if source.path is None and source.hub is None:
        raise ModomodoError(f"data.{name} says neither path nor hub: where are its rows?")
    if source.verifier is None:
        raise ModomodoError(f"data.{name} says no verifier; {closest('', VERIFIERS)}")
    try:
        check_text(source.instruction or "", "instruction")
    except BadRowError as error:
        raise ModomodoError(f"data.{name}.instruction: {error}") from error
    return SourceDomain(name, source, own_drafts, asking(source.instruction)).domain()


def drafts(record: Record, source: Source) -> Iterator[Draft]:
    """Yield the one row of a record."""
    pictures = pictures_of(record, source)
    options = tuple(named(option, len(pictures)) for option in _options(record, source))
    text, value = question_and_gold(record, source)
    target = _target(value, options, source)
    id = None if source.id is None else row_id(record, source.id)
    yield Draft(placed(text, len(pictures)), target, pictures, id)


def _target(value: Any, options: tuple[str, ...], source: Source) -> Target:
    """Return the gold for the row's verifier: of several for rows without options, the first that it fits.

    Raises BadRowError as the last of them does.
    """
    assert source.verifier is not None
    verifiers = source.free_forms if source.free_forms and not options else (source.verifier,)
    if source.free_forms and source.options is None:
        verifiers = (source.verifier, *source.free_forms)  # options, if any, are in the question
    for verifier in verifiers[:-1]:
        if verifier == "math" and not is_latex(value):
            continue  # which reads words as products of letters
        try:
            target = Target(verifier, gold_for(verifier, value, options, source), options, tolerance=source.tolerance)
        except BadRowError:
            continue
        if parse_gold(target) is None:
            return target
    last = verifiers[-1]
    return Target(last, gold_for(last, value, options, source), options, tolerance=source.tolerance)


def own_drafts(record: Record, source: Source) -> Iterator[Draft]:
    """Yield the one row of a record of somebody's own.

    Raises BadRowError where its options leave open which one is meant, or hold what models do not read as text;
    published sets are taken as they are.
    """
    for draft in drafts(record, source):
        for option in draft.target.options:
            check_text(option, "option")
        reason = ambiguous(draft.target) if draft.target.verifier == "choice" else None
        if reason is not None:
            raise BadRowError(f"the options {list(draft.target.options)!r:.200} {reason}")
        yield draft


def pictures_of(record: Record, source: Source) -> tuple[bytes | Path, ...]:
    """Return the images in the columns that the source names: in those of chats, that their parts hold."""
    folder = record.folder if source.pictures is None else source.pictures
    found: list[bytes | Path] = []
    for column in source.images:
        if column.partition(".")[0] not in record.columns and column not in record.columns:
            raise FieldError(
                f"images: {record.file} has no column {column!r}; {closest(column, record.columns)}. Name the columns "
                "with images in images; a set without images says images = []"
            )
        value = record.get(column)
        inside = pictures_in(value)
        found += flat_pictures(value if inside is None else inside, folder)
    return tuple(found)


def question_and_gold(record: Record, source: Source) -> tuple[str, Any]:
    """Return the text that a record asks, with its marks of images, and the gold that it writes."""
    text, value = question(record, source.question), gold_in(record.get(source.answer, field="answer"))
    said = f"{text} {value}" if isinstance(value, str) else text
    if source.objects is None or not (REF in said or BOX in said):
        return text, value
    objects = read_objects(record.get(source.objects, field="objects"))
    return grounded(text, value, objects, frame=source.gold_frame)


def question(record: Record, template: str) -> str:
    """Return a template filled with the columns that it names, without outer white space."""
    parts = string.Formatter().parse(template)
    filled = (
        before + ("" if field is None else plain(asked(record.get(field, field="question")), field))
        for before, field, _, _ in parts
    )
    return "".join(filled).strip()


def _options(record: Record, source: Source) -> tuple[str, ...]:
    if source.options is None:
        return ()
    value = options_in(lambda column: record.get(column, field="options"), source.options)
    if no_options(value) and (source.verifier != "choice" or source.free_form is not None):
        return ()
    return option_texts(value, source.options if isinstance(source.options, str) else ", ".join(source.options))
