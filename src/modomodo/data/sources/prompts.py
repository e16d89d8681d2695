"""What a row is asked with: its pictures, its question, and the form of the reply."""

from functools import partial
from string import ascii_uppercase

from modomodo.core.rows import MARK, Frame, Row, View
from modomodo.data.domain import ImagePart, Message, TextPart

FORM = "First think about it between <think> and </think>, then give the answer alone between <answer> and </answer>."
ANSWERS = {
    "format": "The answer is short.",
    "choice": "The answer is the letter of one option.",
    "number": "The answer is one number, without its unit.",
    "count": "The answer is one whole number.",
    "math": "The answer is a number or an expression.",
    "text": "The answer is a word or a short phrase.",
    "relaxed": "The answer is a word, a number or a short phrase.",
    "anls": "The answer is a word, a number or a short phrase as it is written in the picture.",
    "box": "The answer is one box [x1, y1, x2, y2], {frame}.",
    "boxes": (
        "The answer is a list, [{{Position: [x1, y1, x2, y2], Confidence: c}}, ...], with boxes {frame} and a "
        "confidence c from 0 to 1 for each; where there are none it is No Objects."
    ),
    "point": "The answer is one point [x, y], {frame}.",
}
FRAMES: dict[Frame, str] = {
    "pixels": "in pixels of the picture, which is {width} wide and {height} high",
    "resized": "in pixels of the picture, which is {width} wide and {height} high",
    "normalised1000": "in thousandths of the width and the height of the picture",
    "unit": "as shares, from 0 to 1, of the width and the height of the picture",
}


def ask(row: Row, view: View, *, instruction: str | None = None) -> list[Message]:
    """Return one message: the pictures, then the question, the lettered options and the form of the reply.

    A question with MARK has its pictures there. Boxes are asked for in the frame of the view. `instruction` replaces
    the sentence on the answer's own form.
    """
    options = "\n".join(f"{letter}. {text}" for letter, text in zip(ascii_uppercase, row.target.options, strict=False))
    ending = "\n".join(filter(None, [options, f"{FORM} {instruction or answer_form(row, view)}"]))
    inside = MARK in row.question
    *pieces, last = (row.question if inside else MARK * len(row.images) + row.question).split(MARK)
    content: list[TextPart | ImagePart] = []
    for piece in pieces:
        if piece:
            content.append({"type": "text", "text": piece})
        content.append({"type": "image"})
    content.append({"type": "text", "text": f"{last}\n{ending}" if last or inside else ending})
    return [{"role": "user", "content": content}]


def asking(instruction: str | None) -> partial[list[Message]]:
    """Return `ask` with an instruction of its own."""
    return partial(ask, instruction=instruction)


def answer_form(row: Row, view: View) -> str:
    """Return the sentence on the form of the answer that the row's verifier reads."""
    size = row.target.image_size
    if size is not None and view.frame == "resized":
        size = view.size_after(size) or size
    width, height = size or ("?", "?")  # without a size no box can be graded in these frames
    return ANSWERS[row.target.verifier].format(frame=FRAMES[view.frame].format(width=width, height=height))
