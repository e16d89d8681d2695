"""The one error type that users see, and helpers that word its messages."""

import unicodedata
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from difflib import get_close_matches


class ModomodoError(ValueError):
    """A mistake in what the user gave; its message says what, where, the value found and what to do."""


@contextmanager
def begun(where: str) -> Generator[None]:
    """Put the place that a ModomodoError is about in front of its message."""
    try:
        yield
    except ModomodoError as error:
        raise ModomodoError(f"{where}: {error}") from error


def closest(name: str, known: Iterable[str]) -> str:
    """Return a clause that helps after an unknown `name`: the closest known names, or all of them.

    >>> closest("geometri", ["geometry", "science"])
    'did you mean geometry?'
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"known: {', '.join(names) or 'none'}"


def count(number: int, what: str) -> str:
    """Return "1 run", "2 runs", "1,200 runs"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """Return a text that a terminal only shows: what it would obey becomes a replacement character.

    Those are control characters, escapes, NUL, marks of direction and halves of characters; spaces and joiners stay.
    """
    return "".join(letter if _is_plain(letter) else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _is_plain(letter: str) -> bool:
    # Joiners belong to the writing of Persian, Hindi and others; spaces of other widths are no threat.
    return letter.isprintable() or letter in "\n\t\u200c\u200d" or unicodedata.category(letter) == "Zs"
