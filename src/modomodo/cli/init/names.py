"""Words in the names of columns: answer_choices, answerChoices and "multi-choice options" have the same."""

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def words(name: str) -> frozenset[str]:
    """Return the words of the last part of a name with dots, in small letters."""
    return frozenset(word.lower() for word in _WORD.findall(name.rpartition(".")[2]))
