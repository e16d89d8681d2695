"""Source: where a domain's rows come from and which column is what, so that a table in TOML makes a domain."""

import hashlib
import string
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.toml import Positive, Share, Strict
from modomodo.verifiers import VERIFIERS

PLACE = ("path", "hub", "config", "revision", "licence", "splits", "split_column", "pictures", "max_side")
"""The fields that a built-in set leaves open: where its rows are, and how large images may be."""

BOXED = ("box", "boxes", "point")
"""The verifiers whose golds are boxes of an image."""

READER = 5
"""Goes up when the same records are read otherwise, so that sets prepared before are prepared again."""

Plain = str | int | float | bool


class Source(Strict):
    """Rows in a local file or folder (`path`) or on the hub (`hub`), and what its columns mean.

    `path` is a JSONL, Parquet or CSV file, a .json file with a list of objects, a folder of the first two, or a folder
    of images with a metadata.jsonl, a metadata.csv or a JSON file next to each. In a TOML file, it is relative to that
    file. For `train` and `test`, `splits` names the split on the hub, the file in the folder, or the value of
    `split_column`. A single file is the one split named. Without `splits`, files of a folder that start with train and
    test are those splits; otherwise everything is train. Where there's no test split, `holdout` is its share. Rows that
    share an image are drawn together, by a hash; so are rows that share a question and have no image.

    A column `a.b` is what the objects in column `a` hold under `b`. `question` is a template over the columns.
    `options` is one column with a list of texts, an object such as {"A": "red"}, or one text that lists them: JSON, one
    option per line, or options between | or ;, as long as only one of the three occurs in the text. Or it is a list of
    columns with one option each; the last ones may be empty. For verifier `choice`, the answer is a letter, the text of
    an option, its index from 0 or its number from 1, as `answer_as` says; `free_form` judges rows without options,
    or, where no column has options, rows whose answer is no letter: one verifier, or several, of which the first that
    the gold fits judges a row. A column may hold a chat ({role, content} or {from,
    value}): the question is its one user turn, and the answer is the assistant turn after it, which may be in a
    separate chat. If an answer ends with `</answer>` or holds a boxed value, the gold is what is inside. Boxes in the
    answer are in `gold_frame`, in the first image as you see it, with its EXIF orientation applied. `<ref-object>` and
    `<bbox>` stand for the names and boxes in the column `objects`.

    `images` are columns with bytes, base64, paths, `datasets` images, or lists of them, or with chats that hold them;
    none for text-only questions. Paths are relative to the file and inside its folder, or to the folder `pictures`.
    `<image>` in a question marks the place of an image. Images longer than `max_side` pixels are scaled down, with
    their boxes. `where` keeps the rows whose column has one of the values. `rows` are the counts expected per split;
    others are reported. At most `unusable` bad rows are left out and reported; more are an error. `instruction`
    replaces the words that ask for the form of the answer.
    """

    path: Path | None = None
    hub: str | None = None
    config: str | None = None
    revision: str | None = None
    licence: str = "unknown"
    splits: dict[str, str] = Field(default_factory=dict[str, str])
    split_column: str | None = None
    holdout: Share = 0.0

    id: str | None = None  # column; without one, the row's number
    question: str = "{question}"
    answer: str = "answer"
    answer_as: Literal["letter", "text", "index", "number"] = "letter"
    options: str | tuple[str, ...] | None = None  # one column with all of them, or a column for each
    images: tuple[str, ...] = ("image",)
    pictures: Path | None = None  # the folder that paths of images are seen from and stay in; by default the file's
    objects: str | None = None  # column of the names and boxes that <ref-object> and <bbox> stand for
    where: dict[str, tuple[Plain, ...]] = Field(default_factory=dict[str, tuple[Plain, ...]])

    verifier: str | None = None
    free_form: str | tuple[str, ...] | None = None  # judges rows without options beside others: the first that fits
    tolerance: Annotated[float, Field(gt=0)] | None = None
    gold_frame: Literal["pixels", "normalised1000", "unit"] = "pixels"
    max_side: Positive | None = 640
    instruction: str | None = None
    rows: dict[str, int] = Field(default_factory=dict[str, int])
    unusable: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _whole(self) -> "Source":
        if self.path is not None and self.hub is not None:
            raise ValueError(f"path is {str(self.path)!r} and hub is {self.hub!r}: rows come from one of the two")
        for split in (*self.splits, *self.rows):
            if split not in ("train", "test"):
                raise ValueError(f"unknown split {split!r}: name the source's own for train and for test")
        if self.holdout and self.splits and tuple(self.splits) != ("train",):
            raise ValueError(f"holdout is {self.holdout}, but splits names a test split already: leave one out")
        if self.split_column is not None and not self.splits:
            raise ValueError(
                f"split_column is {self.split_column!r}: say in splits which of its values are train, test"
            )
        for verifier in filter(None, (self.verifier, *self.free_forms)):
            if verifier not in VERIFIERS:
                raise ValueError(f"unknown verifier {verifier!r}; {closest(verifier, VERIFIERS)}")
        if self.free_form is not None and self.verifier != "choice":
            raise ValueError(
                f'free_form is {self.free_form!r}, for rows beside choices: set verifier = "choice" and options, or '
                "have letters as answers"
            )
        if self.verifier == "choice" and self.options is None and self.answer_as != "letter":
            raise ValueError(f"answer_as is {self.answer_as!r}: name the column of the options")
        if isinstance(self.options, tuple) and len(self.options) < 2:
            raise ValueError(
                f"options is {list(self.options)}: a list names a column for each option; name one column with all of "
                'them as a text, options = "choices"'
            )
        template_columns(self.question)
        return self

    def __eq__(self, other: object) -> bool:
        # Rows are remembered by their source, and `where` tells true from 1, which == does not.
        return isinstance(other, Source) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    @property
    def free_forms(self) -> tuple[str, ...]:
        """The verifiers of rows without options, strictest first."""
        return (self.free_form,) if isinstance(self.free_form, str) else self.free_form or ()

    @property
    def place(self) -> str:
        """Where the rows are, as messages name it."""
        if self.path is not None:
            return str(self.path)
        return f"{self.hub or 'nowhere yet'}{f' ({self.config})' if self.config else ''}"

    def meaning(self) -> str:
        """Return a hash (16 hex digits) of what is made of the records, wherever they are."""
        outside = {"path", "hub", "config", "revision", "licence", "instruction", "rows", "pictures"}
        said = f"{READER} {self.model_dump_json(exclude=outside)}"
        return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()

    def moved(self, to: "Source", *, name: str) -> "Source":
        """Return this source of a built-in domain, read from where `to` says.

        Raises ModomodoError when `to` says more than where the rows are.
        """
        extra = sorted(to.model_fields_set - set(PLACE))
        if extra:
            raise ModomodoError(
                f"data.{name}: {name} is a built-in domain, so its data may only say where rows are "
                f"({', '.join(PLACE)}), found {', '.join(extra)}; for columns of your own choose another name"
            )
        changes = {key: getattr(to, key) for key in to.model_fields_set}
        if to.path is not None or to.hub is not None:
            changes = {"path": None, "hub": None, "revision": None, **changes}
        return self.model_copy(update=changes)


def template_columns(template: str) -> tuple[str, ...]:
    """Return the columns that a template of a question names.

    Raises ModomodoError when a field of it is more than a column's name.
    """
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ModomodoError(f"question is {template!r}: {error}; write {{column}}, and {{{{ for a bracket") from error
    for _, field, spec, conversion in parts:
        if field is not None and (not field or spec or conversion or set(field) & set("[]")):
            raise ModomodoError(
                f"question is {template!r}: a field is {{column}} and nothing more, found {{{field}...}}"
            )
    return tuple(field for _, field, _, _ in parts if field is not None)
