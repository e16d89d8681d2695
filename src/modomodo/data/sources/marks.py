"""Marks of images in texts, and the tokens of chat templates, which no text of a row may hold."""

import re

from modomodo.core.rows import MARK
from modomodo.data.sources.values import BadRowError

_PLAIN = re.compile(r"<image>", re.IGNORECASE)
_INSIDE = (
    r"\s*(?:(?:image|picture|pic|photo)(?:[\s_-]*(?:placeholder|token))?(?:[\s_#:=-]*\d{1,3})?|img[\s_#:=-]*\d{1,3})\s*"
)
# Other spellings of both: [image1], {image_1}, <image-1>, <Picture 1>, <img1>, <image/>, <image_placeholder>.
_SPELLED = re.compile(
    rf"<{_INSIDE}/?\s*>|\[{_INSIDE}\]|(?<![\w\\]){{{_INSIDE}}}|<fig(?:ure)?[\s_-]*\d{{1,3}}>", re.IGNORECASE
)
_EMBEDDED = re.compile(r"!\[[^\]]*\]\([^)]*\)|<img\s[^>]*>", re.IGNORECASE)
_MARK_LIKE = re.compile(r"<[^<>\n]{0,12}\bimage[^<>\n]{0,16}>", re.IGNORECASE)
# <image2>, as in MathVision, may also be a name for a part of one image.
_NUMBERED = re.compile(r"<image([ _]?)(\d{1,3})>", re.IGNORECASE)
# What tokenizers of the known families make one token of, wherever it is.
_TOKEN = re.compile(
    r"<\|[^|<>\s]{1,40}\|?>|</?s>|<(bos|eos|pad|unk)>|\[/?INST\]|\[/?IMG(_[A-Z]+)?\]"
    r"|<(start|end)_of_(turn|image|utterance)>|<\|?(img|vision|video|audio)(_\w{1,20})?\|?>|</(img|image|video|audio)>"
    r"|<(image_soft_token|image_pad|IMG_CONTEXT|ImageHere|fake_token_around_image|global-img|row_\d+_col_\d+)>",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"<(ref-object|bbox)>")


def placed(text: str, pictures: int) -> str:
    """Return a question of so many pictures with a MARK at the place of each of them.

    Marks that are all before the text are left out, as pictures without marks stand there too. Numbered marks
    (<image 1>) are placed where they name all pictures in order; later ones become "picture 1". Other spellings of
    these ([image1], <image/>) are read as they are.

    Raises BadRowError unless there are as many marks as pictures, or none, and for marks that count from 0.
    """
    text = _placed_by_number(_PLAIN.sub(MARK, _as_marks(text)), pictures)
    marks = text.count(MARK)
    if marks and marks != pictures:
        one = f"{marks} <image> mark{'s' * (marks != 1)}, {pictures} image{'s' * (pictures != 1)}"
        raise BadRowError(f"{one} in {text!r:.80}: write as many, and name all columns that hold images in images")
    bare = re.sub(rf"\A(\s*{MARK})+", "", text)
    check_text(bare.replace(MARK, ""), "question")
    if (odd := _MARK_LIKE.search(bare.replace(MARK, ""))) and not _NUMBERED.fullmatch(odd[0]):
        raise BadRowError(f"{text!r:.80} has {odd[0]}, which is no mark of an image: write <image>, or <image 1>")
    return text.strip() if MARK in bare else bare.strip()


def _as_marks(text: str) -> str:
    """Return a text with <image> and <image 1> for other spellings of them.

    Raises BadRowError for <image 0>: in other rows of its set <image 1> would be the second image.
    """

    def spelled(mark: re.Match[str]) -> str:
        if _PLAIN.fullmatch(mark[0]) or _NUMBERED.fullmatch(mark[0]):
            return mark[0]
        number = re.search(r"\d+", mark[0])
        return f"<image {number[0]}>" if number else MARK

    text = _SPELLED.sub(spelled, text)
    zero = next((mark[0] for mark in _NUMBERED.finditer(text) if int(mark[2]) == 0), None)
    if zero is not None:
        raise BadRowError(f"{text!r:.80} counts images from 0, {zero}: count them from 1, <image 1> is the first")
    return text


def _placed_by_number(text: str, pictures: int) -> str:
    marks = list(_NUMBERED.finditer(text))
    if not marks:
        return text
    if MARK in text:
        raise BadRowError(f"{text!r:.80} has <image> and {marks[0][0]}: number all marks, or none")
    numbers = [int(mark[2]) for mark in marks]
    if list(dict.fromkeys(numbers)) != list(range(1, pictures + 1)):
        return named(text, pictures)
    first: set[str] = set()

    def once(mark: re.Match[str]) -> str:
        seen = mark[2] in first
        first.add(mark[2])
        return f"picture {int(mark[2])}" if seen else MARK

    return _NUMBERED.sub(once, text)


def named(text: str, pictures: int) -> str:
    """Return a text with "picture 1" for <image 1>, however that is spelled.

    Raises BadRowError for a picture that is not there.
    """
    text = _as_marks(text)

    def name(mark: re.Match[str]) -> str:
        if 1 <= int(mark[2]) <= pictures:
            return f"picture {int(mark[2])}"
        if not mark[1]:
            return mark[0]
        raise BadRowError(f"{text!r:.80} names {mark[0]}, and there are {pictures} images")

    return _NUMBERED.sub(name, text)


def check_text(text: str, what: str) -> None:
    """Raise BadRowError for a mark of an image, or a token of a chat template, in a text that may have none."""
    if mark := _PLAIN.search(text):
        raise BadRowError(f"the {what} {text!r:.80} has {mark[0]} inside, and images are marked in the question alone")
    if inner := _EMBEDDED.search(text):
        raise BadRowError(
            f"the {what} {text!r:.80} has {inner[0]!r:.60} inside: put the path into a column of images, and write "
            "<image> in its place"
        )
    if place := _PLACEHOLDER.search(text):
        raise BadRowError(
            f"the {what} {text!r:.80} has {place[0]} inside, which marks a place for another column: name the "
            "column in objects"
        )
    if token := _TOKEN.search(text):
        raise BadRowError(
            f"the {what} {text!r:.80} has {token[0]} inside, which models read as a sign of their own: take it out"
        )
