"""Words in names of columns and benchmarks: answer_choices, answerChoices and "answer choices" have the same."""

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def words_in(name: str) -> frozenset[str]:
    """Return the words of a name, in small letters."""
    return frozenset(word.lower() for word in _WORD.findall(name))
