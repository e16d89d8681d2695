"""Blind rules: what the question alone tells of the answer, by its first words, its options, or because it holds it."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase

from modomodo.core.rows import Row, View, picture_bytes
from modomodo.data.audit.policies import BOXED, Kind, Policy, accepted, folded, tagged
from modomodo.verifiers.number import read_number

LONGEST_GOLD = 5
"""Words of a gold that is looked for in a question."""

_WORD = re.compile(r"[^\W_]+(?:['.,/-][^\W_]+)*|-?[0-9]+(?:[.,][0-9]+)*")
_FORMULA = re.compile(r"\$([^$]+)\$")
_LETTER = re.compile(r"(?<![\w'])\(?([A-H])\)?(?![\w'])")

Key = Callable[[Row], Hashable]


def rule_policies(rows: Sequence[Row]) -> list[Policy]:
    """Return the blind rules that have an answer to rows like these; each is learned from the other rows alone."""
    if all(row.target.verifier in (*BOXED, "format") for row in rows):
        return []
    keys: dict[str, Key] = {
        "the commonest gold by the question's first word": lambda row: _start(row, 1),
        "the commonest gold by the question's first two words": lambda row: _start(row, 2),
        "the commonest gold by the question's last word": lambda row: tuple(_words(row)[-1:]),
        "the commonest gold of the same question": lambda row: (row.question, row.target.options),
    }
    if any(row.images for row in rows):
        keys["the commonest gold of the same image"] = _images
    found = [_learned(name, rows, key) for name, key in keys.items()]
    found += _copied(rows)
    if any(row.target.options for row in rows):
        found += [_learned_option(rows), *map(_option, _BY_LOOKS.items())]
    return found


def _words(row: Row) -> list[str]:
    return [word.casefold() for word in _WORD.findall(row.question)]


def _start(row: Row, many: int) -> tuple[str, ...]:
    return tuple(_words(row)[:many])


def _images(row: Row) -> Hashable:
    return tuple(hash(picture_bytes(image)) for image in row.images)


@dataclass
class _Ranks:
    """How often each answer is accepted under a key, most often first, and as which text."""

    counts: Counter[str] = field(default_factory=Counter[str])
    texts: dict[str, str] = field(default_factory=dict[str, str])
    ranked: list[tuple[str, int]] | None = None

    def add(self, texts: Sequence[str]) -> None:
        for text in texts:
            self.counts[folded(text)] += 1
            self.texts.setdefault(folded(text), text)

    def best_but(self, own: Sequence[str]) -> str | None:
        """Return the answer of most rows, without one that accepts `own`; None where no other row has one."""
        if self.ranked is None:
            self.ranked = self.counts.most_common()
        mine = set(map(folded, own))
        # One more than the row's own: each loses at most one.
        some = [(many - (answer in mine), answer) for answer, many in self.ranked[: len(mine) + 1]]
        many, answer = max(some, key=lambda pair: pair[0], default=(0, ""))
        return self.texts[answer] if many > 0 else None


def _learned(name: str, rows: Sequence[Row], key: Key) -> Policy:
    """Return the answer of most other rows of the same key and verifier, or else of all other rows of the verifier."""
    tables: defaultdict[Hashable, _Ranks] = defaultdict(_Ranks)
    for row in rows:
        if row.target.verifier not in BOXED:
            texts = accepted(row.target)
            tables[row.target.verifier, key(row)].add(texts)
            tables[row.target.verifier].add(texts)

    def reply(row: Row, view: View) -> str | None:
        own, verifier = accepted(row.target), row.target.verifier
        if verifier in BOXED:
            return None
        answer = tables[verifier, key(row)].best_but(own) or tables[verifier].best_but(own)
        return None if answer is None else tagged(answer)

    return Policy(name, "rule", reply)


def _copied(rows: Sequence[Row]) -> list[Policy]:
    """Return the policies that copy an answer out of the question: any row's gold, a formula, an option, a letter."""
    golds = {folded(text): text for row in rows if row.target.verifier not in BOXED for text in accepted(row.target)}

    def one_of(place: int) -> Callable[[Row, View], str | None]:
        def reply(row: Row, view: View) -> str | None:
            if row.target.verifier == "choice":
                named = list(_named_options(row))
                return tagged(named[place]) if named else None
            if row.target.verifier in BOXED:
                return None
            named = [golds[words] for words in _spans(row) if words in golds]
            return tagged(named[place]) if named else None

        return reply

    return [Policy(f"the {which} answer that the question names", "copied", one_of(place)) for which, place in _PLACES]


_PLACES = (("first", 0), ("last", -1))


def _spans(row: Row) -> Iterator[str]:
    """Yield each run of a few words of a question, as it may be a gold, and its formulas; the longest first."""
    yield from (folded(formula) for formula in _FORMULA.findall(row.question))
    words = _words(row)
    for start in range(len(words)):
        for length in range(min(LONGEST_GOLD, len(words) - start), 0, -1):
            yield " ".join(words[start : start + length])


def _named_options(row: Row) -> Iterator[str]:
    """Yield the letters of options that the question names, by text or by letter, in its order."""
    letters = ascii_uppercase[: len(row.target.options)]
    options = (" ".join(map(str.casefold, _WORD.findall(option))) for option in row.target.options)
    texts = dict(zip(options, letters, strict=False))
    named = [texts[words] for words in _spans(row) if words and words in texts]
    if not named:
        named = _LETTER.findall(row.question)
    # A question that names them all lists its options.
    if 0 < len(set(named)) < max(2, len(letters)):
        yield from named


def _learned_option(rows: Sequence[Row]) -> Policy:
    """Return the option whose text is right most often in other rows, by the share of those that have it."""
    offered, right = Counter[str](), Counter[str]()
    for row in rows:
        offered.update(map(folded, row.target.options))
        if (text := _right_option(row)) is not None:
            right[folded(text)] += 1

    def reply(row: Row, view: View) -> str | None:
        own = _right_option(row)

        def share(option: str) -> float:
            times = offered[folded(option)] - 1
            return (right[folded(option)] - (option == own)) / times if times else 0.0

        return _best_option(row, share)

    return Policy("the option that is right most often elsewhere", "rule", reply)


def _right_option(row: Row) -> str | None:
    place = ascii_uppercase.find(str(row.target.value)) if row.target.verifier == "choice" else -1
    return row.target.options[place] if 0 <= place < len(row.target.options) else None


def _size(option: str) -> float:
    number = read_number(option)
    return float("-inf") if number is None else float(number)


_BY_LOOKS: dict[str, Callable[[str], float]] = {
    "the longest option": len,
    "the shortest option": lambda option: -len(option),
    "the option of the largest number": _size,
    "the option of the smallest number": lambda option: -_size(option) if read_number(option) is not None else -1e400,
}


def _option(named: tuple[str, Callable[[str], float]]) -> Policy:
    name, worth = named
    kind: Kind = "rule"
    return Policy(name, kind, lambda row, view: _best_option(row, worth))


def _best_option(row: Row, worth: Callable[[str], float]) -> str | None:
    """Return the letter of the option worth most, None where all are worth the same."""
    values = list(map(worth, row.target.options))
    if row.target.verifier != "choice" or len(set(values)) < 2:
        return None
    return tagged(ascii_uppercase[values.index(max(values))])
