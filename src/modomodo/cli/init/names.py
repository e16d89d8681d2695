"""Words in the names of columns: answer_choices, answerChoices and "multi-choice options" have the same."""

from modomodo.core.names import words_in


def words(name: str) -> frozenset[str]:
    """Return the words of the last part of a name with dots, in small letters."""
    return words_in(name.rpartition(".")[2])
