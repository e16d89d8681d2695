"""Multiple choice: the one option that a reply names."""

import re
import unicodedata
from string import ascii_uppercase

from modomodo.core.rows import Target, Verdict, View
from modomodo.verifiers.text import MAX_TEXT_CHARS, normalise, normalise_gold

# B, B., B), B:, (B), each perhaps in bold, before a final period or both.
_LETTER = re.compile(r"(\*\*)?(?:\(([A-Za-z])\)|([A-Za-z])[.):]?)(?(1)\*\*)(?<!\.)\.?")
_LETTER_AND_TEXT = re.compile(
    r"(?:\*\*(?:\(([A-Za-z])\)|([A-Za-z])[.):]?)\*\*[.):]?|\(([A-Za-z])\)[.:]?|([A-Za-z])[.):]) ?([^ ].*)"
)
_CLAIM = re.compile(r"(?i:(?:the )?(?:correct |final )?answer(?: is ?:?| ?:)) ?(.+)")


def grade_choice(answer: str, target: Target, view: View) -> Verdict:
    """Return right when the answer names the gold option and no other.

    Named by letter (B, (B), B., B), **B**, b, "the answer is B"), by letter and the same option's text, or by one
    option's whole text. A letter that stands for an option is that letter, also where it is some option's text.
    """
    letters = ascii_uppercase[: len(target.options)] if target.options else ascii_uppercase
    gold = target.value
    if not isinstance(gold, str) or len(gold) != 1 or gold not in letters:
        return Verdict.ungradable(f"the gold of choice is {gold!r}, not one of the letters {letters}", answer)
    if answer == gold:
        return Verdict.right(answer)
    if len(answer) > MAX_TEXT_CHARS:
        return Verdict.unparsed(f"{len(answer)} characters, over the cap of {MAX_TEXT_CHARS}", answer[:MAX_TEXT_CHARS])
    named = _name_option(answer, target.options, letters)
    if named is None:
        return Verdict.unparsed("names no single option", answer)
    return Verdict.right(answer) if named == gold else Verdict.wrong(answer, f"{named} is not {gold}")


def _name_option(answer: str, options: tuple[str, ...], letters: str) -> str | None:
    """Return the letter of the one option that the answer names, or None."""
    said = answer if answer.isascii() else unicodedata.normalize("NFKC", answer)
    # Single spaces from here on, so that no pattern can backtrack over runs of them.
    said = " ".join(said.split())
    verbatim = [letter for letter, option in zip(letters, options, strict=False) if option.strip() == answer]
    if len(verbatim) == 1 and not _LETTER.fullmatch(said):
        return verbatim[0]
    bare = _unbold(said)
    claim = _CLAIM.fullmatch(bare)
    claimed = _unbold(claim[1]) if claim else bare
    if match := _LETTER.fullmatch(claimed):
        letter = match[2] or match[3]
        # "The answer is a" is as likely an article cut short.
        if letter.upper() in letters and not (claim and letter == "a"):
            return letter.upper()
    if match := _LETTER_AND_TEXT.fullmatch(claimed):
        letter = (match[1] or match[2] or match[3] or match[4]).upper()
        place = ascii_uppercase.index(letter)
        if place < len(options) and normalise(match[5]) == normalise_gold(options[place]):
            return letter
    texts = {normalise(said), normalise(claimed)} - {""}
    alike = [letter for letter, option in zip(letters, options, strict=False) if normalise_gold(option) in texts]
    return alike[0] if len(alike) == 1 else None


def _unbold(text: str) -> str:
    """Return a text without the ** around all of it."""
    bold = text.startswith("**") and text.endswith("**") and text.count("**") == 2
    return text[2:-2].strip() if bold else text
