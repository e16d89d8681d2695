"""Coordinates as models speak them: what stands around them and adds nothing, and the families' own tags and calls."""

import re
from typing import Literal

from modomodo.verifiers.nouns import is_plain
from modomodo.verifiers.wrapping import bare, without_period

Kind = Literal["box", "boxes", "point"]

OPEN, CLOSE = "<box>", "</box>"
# Beside the <box> of Qwen-VL and InternVL: the tokens of Qwen2-VL, DeepSeek-VL2 and GLM-4.1V.
_OPENING = re.compile(r"<\|(?:box_start|det|begin_of_box)\|>|<(?:bbox|bounding_box|point)>", re.I)
_CLOSING = re.compile(r"<\|(?:box_end|/det|end_of_box)\|>|</(?:bbox|bounding_box|point)>", re.I)
_OBJECT = re.compile(
    r"<ref>([^<\[(]*)</ref>|<\|object_ref_start\|>([^<\[(]*)<\|object_ref_end\|>|<\|ref\|>([^<\[(]*)<\|/ref\|>"
)
_NAME = re.compile(r"(?:(?<=^)|(?<=</box>))[,;\s]*([A-Za-z][A-Za-z -]{0,60}?):? ?(?=<box>)")
_FENCE = re.compile(r"```(?:[A-Za-z]+(?=\s))?([^`]*)```")
_LINES = re.compile(r"(?<=[\])}])\s*\n\s*(?=[\[({])")  # one box on each
_ARTICLES = frozenset({"a", "an", "the"})

_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
_X_Y = rf"x ?= ?[\"']?({_NUMBER})[\"']?,? ?y ?= ?[\"']?({_NUMBER})[\"']?"
_CLICK = r"(?:pyautogui\.|left_|mouse_)?click"
# Molmo's tag, UI-TARS' and pyautogui's clicks, and the coordinates by name.
_POINT_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"<point {_X_Y}(?: alt=(?:\"([^\"<>]*)\"|'([^'<>]*)'))? ?(?:/>|>([^<>]*)</point>)",
        rf"{_CLICK}\( ?{_X_Y} ?\)",
        rf"{_CLICK}\( ?(?:(?:start_box|point|coordinate) ?= ?)?[\"']?[\[(]?"
        rf"({_NUMBER}), ?({_NUMBER})[\])]?[\"']? ?\)",
        rf"\(? ?{_X_Y} ?\)?",
        rf"<point> ?[\[(]? ?({_NUMBER}),? ?({_NUMBER}) ?[\])]? ?</point>",
    )
)

# A label names what is in its box; one that begins so names something else, or nothing.
_WORDS = """
    not no non none nor never nothing nobody neither without wrong wrongly incorrect false fake invalid bogus ignore
    ignored discard discarded decoy dummy placeholder unknown unsure uncertain maybe perhaps possibly guess null nil
    na nan empty void absent missing negative background anything whatever random rejected removed deleted excluded
    exclude except other another cancelled canceled withdrawn refuted denied distractor kein keine nicht pas aucun
    ningun ninguno nada nessuno isn isnt
"""
_DENIALS = frozenset(_WORDS.split())
_DENIED = re.compile(
    r"\b(?:is|are|was) (?:not|no|wrong|incorrect|false)\b|n['’]t\b|\bnot (?:it|this|that|here|there|the)\b"
)


def plain_coordinates(answer: str, kind: Kind) -> str:
    """Return the answer without what adds nothing to it, its tokens in one spelling, and a point as [x, y]."""
    if fence := _FENCE.fullmatch(answer.strip()):
        answer = fence[1]
    answer = _LINES.sub(", ", without_period(bare(answer)))
    if kind == "point" and (point := _spoken_point(answer)):
        return point
    if "<" not in answer:
        return answer
    answer = _OBJECT.sub(_unnamed, _CLOSING.sub(CLOSE, _OPENING.sub(OPEN, answer)))
    return _NAME.sub(lambda match: " " if _is_name(match[1]) else match[0], answer)


def denies(label: str) -> bool:
    """Return whether a label says that its box holds nothing, or something else."""
    words = re.findall(r"[a-z]+", label.lower())
    return bool(words and words[0] in _DENIALS) or bool(_DENIED.search(label.lower()))


def _unnamed(match: re.Match[str]) -> str:
    return match[0] if denies(next(filter(None, match.groups()), "")) else " "


def _is_name(text: str) -> bool:
    """Return whether plain words name an object, each from the closed list of nouns."""
    words = re.split(r"[ -]+", text.strip().lower())
    return all(word in _ARTICLES or is_plain(word) for word in words)


def _spoken_point(answer: str) -> str | None:
    """Return [x, y] as a list where the answer is one point by its tag, as a click or by names."""
    answer = " ".join(answer.split())
    for form in _POINT_FORMS:
        match = form.fullmatch(answer)
        if match and not any(denies(label) for label in match.groups()[2:] if label):
            return f"[{match[1]}, {match[2]}]"
    return None
