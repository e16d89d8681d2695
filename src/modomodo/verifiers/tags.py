"""The tagged reply `<think>...</think> <answer>...</answer>`, read once and strictly."""

import unicodedata
from dataclasses import dataclass

MAX_REPLY_CHARS = 65_536
"""A longer completion is unparsed; 64 Ki characters is far above any trained completion length."""

_BLANK = frozenset("\u2800\u3164\u115f\u1160\uffa0")  # letters and symbols by category, drawn as nothing
_TAGS = ("<think>", "</think>", "<answer>", "</answer>")


@dataclass(frozen=True, slots=True)
class Reply:
    """A completion that follows the format: the thought, and the answer without outer white space."""

    think: str
    answer: str


def parse_reply(completion: str) -> Reply | str:
    """Return the Reply, or the reason why the completion is unparsed.

    Each of the four tags stands exactly once, in order, with only white space outside; the answer is not empty, the
    thought may be. Every reward of a completion reads this one parse. Linear time: substring searches, no backtracking.
    """
    if len(completion) > MAX_REPLY_CHARS:
        return f"the reply has {len(completion)} characters, over the cap of {MAX_REPLY_CHARS}"
    for tag in _TAGS:
        if completion.count(tag) != 1:
            return f"{completion.count(tag) or 'no'} {tag}, where exactly one is asked"
    text = completion.strip()
    if not text.startswith("<think>"):
        return "text before <think>"
    if not text.endswith("</answer>"):
        return "text after </answer>"
    think, _, rest = text[len("<think>") : -len("</answer>")].partition("</think>")
    between, opened, answer = rest.partition("<answer>")
    if not opened:
        return "an <answer> inside <think>, or tags out of order"
    if between and not between.isspace():
        return "text between </think> and <answer>"
    answer = answer.strip()
    return Reply(think.strip(), answer) if is_visible(answer) else "an empty answer"


def parse_bare(completion: str) -> Reply | str:
    """Return the Reply of a completion that is the bare answer, or the reason why it is unparsed."""
    if len(completion) > MAX_REPLY_CHARS:
        return f"the reply has {len(completion)} characters, over the cap of {MAX_REPLY_CHARS}"
    answer = completion.strip()
    return Reply("", answer) if is_visible(answer) else "an empty answer"


def is_visible(text: str) -> bool:
    """Return whether a reader would see anything: blanks, zero-width, combining and control characters are nothing."""
    return any(
        char.isprintable() and char != " "
        if char.isascii()
        else unicodedata.category(char)[0] in "LNPS" and char not in _BLANK
        for char in text
    )
