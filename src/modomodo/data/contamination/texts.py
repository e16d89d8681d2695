"""Texts of rows as sets of word 13-grams, and the share that two texts have in common.

Axes: R texts, M other texts, G distinct grams.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modomodo.core.rows import Row

LENGTH = 13
"""The words of a gram, as in the audits of GPT-3; of a shorter text the whole is the gram."""


def words(row: Row) -> tuple[str, ...]:
    """Return the words of the question and its options, without case, width, punctuation and the options' order."""
    text = " ".join((row.question, *sorted(row.target.options)))
    return tuple(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


@dataclass(frozen=True)
class Texts:
    """The texts of some rows: counts_RG is sparse, 1 where a text has a gram; `sizes_R` are its grams.

    `long_R` says which have 13 words or more.
    """

    counts_RG: Any  # a scipy.sparse.csr_array, of which the type checker knows nothing
    sizes_R: np.ndarray
    long_R: np.ndarray


def tabulate(groups: Sequence[Sequence[Row]]) -> list[Texts]:
    """Return the texts of each group of rows, over grams that all the groups share."""
    from scipy.sparse import csr_array  # pyright: ignore[reportMissingTypeStubs]

    texts = [[words(row) for row in rows] for rows in groups]
    grams = [[_grams(text) for text in some] for some in texts]
    vocabulary: dict[int, int] = {}
    for gram in (gram for some in grams for one in some for gram in one):
        vocabulary.setdefault(gram, len(vocabulary))
    found: list[Texts] = []
    for some, sets in zip(texts, grams, strict=True):
        sizes = np.array([len(one) for one in sets], np.int64)
        columns = np.array([vocabulary[gram] for one in sets for gram in one], np.int64)
        parts = (np.ones(len(columns), np.float32), columns, np.concatenate([[0], np.cumsum(sizes)]))
        counts = csr_array(parts, shape=(len(sets), len(vocabulary)))
        found.append(Texts(counts, sizes, np.array([len(text) >= LENGTH for text in some], bool)))
    return found


def _grams(text: tuple[str, ...]) -> frozenset[int]:
    # Hashed, as the words of all grams would fill the memory; a text without words has none, and equals no other.
    return frozenset(hash(text[at : at + LENGTH]) for at in range(max(1, len(text) - LENGTH + 1)) if text)


def shares(some: Texts, block: slice, others: Texts) -> np.ndarray:
    """Return the share of grams in common of the texts in the block with the others, [R, M], in [0, 1].

    It is a share of the text that has fewer, so that a question inside a longer prompt counts whole.
    """
    common_RM = (some.counts_RG[block] @ others.counts_RG.T).toarray()
    return common_RM / np.maximum(1, np.minimum(some.sizes_R[block, None], others.sizes_R[None, :]))
