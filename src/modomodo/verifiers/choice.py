"""Multiple choice: the one option that a reply names."""

import re
import unicodedata
from functools import lru_cache
from string import ascii_uppercase

from modomodo.core.rows import Target, Verdict, View
from modomodo.verifiers.text import MAX_TEXT_CHARS, QUOTES, normalise, normalise_gold
from modomodo.verifiers.wrapping import bare, without_period

_CALLED = "(?i:(?:option|choice) )?"
# B, B., B), B:, (B), [B], perhaps called "Option B", before a final period.
_LETTER = re.compile(rf"{_CALLED}(?:\(([A-Za-z])\)|\[([A-Za-z])\]|([A-Za-z])[.):]?)(?<!\.)\.?")
# A letter without brackets or bold is parted from its text by more than a space.
_LETTER_AND_TEXT = re.compile(
    rf"(?P<bold>\*\*)?{_CALLED}(?:\((?P<round>[A-Za-z])\)|\[(?P<square>[A-Za-z])\]|(?P<plain>[A-Za-z]))"
    r"(?P<mark>[.):]?)(?(bold)\*\*)(?P<parted>[.):]?) ?(?P<text>[^ ].*)"
)
# A dash that parts, and is no sign of a number.
_DASHED = re.compile(r"[-–—](?![0-9.]) ?(.+)")
_CLAIM = re.compile(
    r"(\*\*)?(?i:(?:the |my )?(?:correct |final |right |best )?(?:answer|option|choice)(?: is ?:?| ?:| ))"
    r"(?(1)\*\*) ?(.+)"
)
_JUDGED = re.compile(r"(.+) is (?:the )?(?:correct|right)(?: answer| option| choice| one)?")


def grade_choice(answer: str, target: Target, view: View) -> Verdict:
    """Return right when the answer names the gold option and no other.

    Named by letter (B, (B), [B], B., B), **B**, \\boxed{B}, b, "Option B", "the answer is B"), by letter and the same
    option's text ("B - a dog"), or by one option's whole text. A letter that stands for an option is that letter, also
    where it is some option's text.
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
    said = answer if answer.isascii() else "".join(map(_respelt, answer))
    # Single spaces from here on, so that no pattern can backtrack over runs of them.
    said = " ".join(said.split())
    verbatim = [letter for letter, option in zip(letters, options, strict=False) if option.strip() == answer]
    alone = _LETTER.fullmatch(said)
    if len(verbatim) == 1 and not alone:
        return verbatim[0]
    if alone and (letter := _letter(alone)).upper() in letters:
        return letter.upper()
    inner = bare(said)
    # An option's whole text is that option, also where it speaks of another letter.
    whole = "" if _LETTER.fullmatch(inner) else _alike({normalise(said), normalise(inner)}, options)
    if len(whole) == 1:
        return whole
    inner = _plain(inner)
    claim = _CLAIM.fullmatch(inner)
    claimed = bare(claim[2]) if claim else inner
    judged = _JUDGED.fullmatch(without_period(claimed)) if " is " in claimed else None
    if match := _LETTER.fullmatch(judged[1] if judged else claimed):
        letter = _letter(match)
        # "The answer is a" is as likely an article cut short.
        if letter.upper() in letters and not ((claim or judged) and letter == "a"):
            return letter.upper()
    if named := _letter_and_text(claimed, options):
        return named
    alike = _alike({normalise(said), normalise(claimed)}, options)
    return alike if len(alike) == 1 else None


def _respelt(char: str) -> str:
    """Return a wide, narrow or styled letter as a plain one; ² stays what it is."""
    styled = unicodedata.decomposition(char).startswith(("<wide>", "<narrow>", "<small>", "<font>", "<noBreak>"))
    return unicodedata.normalize("NFKC", char) if styled else char


def _alike(texts: set[str], options: tuple[str, ...]) -> str:
    """Return the letters of the options that have one of the normalised texts, with or without their delimiters."""
    known = _letters_of(options)
    return "".join(sorted({letter for text in texts for letter in known.get(text, "")}))


@lru_cache(maxsize=65_536)
def _letters_of(options: tuple[str, ...]) -> dict[str, str]:
    """Return the letters of each normalised text of options, "" left out."""
    found: dict[str, str] = {}
    for letter, option in zip(ascii_uppercase, options, strict=False):
        for text in {normalise(option), _plain_option(option)} - {""}:
            found[text] = found.get(text, "") + letter
    return found


def _plain(text: str) -> str:
    """Return an answer without quotes around it and a comma or exclamation mark after it."""
    text = text[:-1].rstrip() if text.endswith((",", "!")) else text
    return text[1:-1].strip() if len(text) > 2 and QUOTES.get(text[0]) == text[-1] else text


@lru_cache(maxsize=65_536)
def _plain_option(option: str) -> str:
    return normalise(bare(option))


def _letter(match: re.Match[str]) -> str:
    return next(filter(None, match.groups()))


def _letter_and_text(claimed: str, options: tuple[str, ...]) -> str | None:
    """Return the letter that the answer names together with the text of the same option, or None."""
    match = _LETTER_AND_TEXT.fullmatch(claimed)
    if not match:
        return None
    letter = (match["round"] or match["square"] or match["plain"]).upper()
    place, text = ascii_uppercase.index(letter), match["text"]
    if place >= len(options):
        return None
    dashed = _DASHED.fullmatch(text)
    inside = text[1:-1] if text.startswith("(") and text.endswith(")") else text
    said = {normalise(bare(form)) for form in (text, inside, dashed[1] if dashed else text)}
    said |= {normalise(form) for form in (text, inside, dashed[1] if dashed else text)}
    apart = not match["plain"] or match["bold"] or match["mark"] or match["parted"] or dashed or inside != text
    return (
        letter
        if apart and not said.isdisjoint({normalise_gold(options[place]), _plain_option(options[place])})
        else None
    )
