"""Chats and replies in a column: the one question that a chat asks, its images, and the gold that a reply ends on."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from modomodo.core.rows import MARK
from modomodo.data.sources.csv_rows import CommaNumber
from modomodo.data.sources.image_values import KEYS
from modomodo.data.sources.values import BadRowError, written

ROLES = {
    **dict.fromkeys(("user", "human"), "user"),
    **dict.fromkeys(("assistant", "gpt", "model", "bot"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
}
END = "</answer>"
PICTURES = ("image", "image_url", "input_image")
TEXTS = ("text", "input_text", "output_text")
_LAST = re.compile(r"^####\s*(\S.*?)\s*\Z", re.MULTILINE)  # as in GSM8K
_SAYS = re.compile(
    r"(?:^|[\n.])\s*(?:(?:so|thus|hence|therefore),?\s+)?(?:the\s+)?(?:(?:final|correct|right)\s+)?answer"
    r"(?:\s+is\b\s*:?|\s*[:=])\s*(\S[^\n]*?)\s*\.?\s*\Z",
    re.IGNORECASE,
)
_BOXED = "\\boxed{"

Turn = Mapping[str, Any]


def turns(value: Any) -> list[Turn] | None:
    """Return the turns of a chat: a list of {role, content} or {from, value}, one of them alone, or the text of one."""
    if isinstance(value, str):
        value = written(value, list) or written(value, dict)
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list) or not value:
        return None
    found = cast(list[Any], value)
    return found if all(isinstance(turn, Mapping) and _role(cast(Turn, turn)) in ROLES for turn in found) else None


def is_chat(value: Any) -> bool:
    """Return whether a value is a chat."""
    return turns(value) is not None


def asked(value: Any) -> Any:
    """Return what the user says in a chat, with MARK for each image; other values as they are.

    A system message is no part of it. Raises BadRowError when the user speaks more or less than once.
    """
    chat = turns(value)
    if chat is None:
        return value
    said = _said(chat, "user")
    if len(said) != 1:
        raise BadRowError(f"the chat has {len(said)} turns of the user, where a row asks one question")
    return said[0]


def pictures_in(value: Any) -> list[Any] | None:
    """Return the images that parts of a chat hold, as they are written there; None for another value.

    Raises BadRowError for images in other turns than the user's.
    """
    chat = turns(value)
    if chat is None:
        return None
    held = [(turn, picture) for turn in chat for picture in _payloads(turn)]
    if any(_role(turn) != "user" for turn, _ in held):
        raise BadRowError("a turn of the chat that is not the user's holds an image, where questions alone are shown")
    return [picture for _, picture in held]


def _payloads(turn: Turn) -> Iterator[Any]:
    for part in _parts(turn):
        if _kind(part) == "image":
            payload = {key: value for key, value in part.items() if key in KEYS and value is not None}
            if payload:
                yield payload


def gold_in(value: Any) -> Any:
    """Return the gold that a value writes: the last reply of a chat, and of a text the answer that it ends with.

    That is what is in the last <answer></answer>, in \\boxed{}, after #### or "The answer is"; else all of it. A list
    with one text or number is that one; a text that writes a list of texts is the list, and so are the texts of the
    objects that VQA writes, {"answer": ...}.

    Raises BadRowError when a chat is more than one question with its reply, or a reply alone, for different boxed
    values, and for a number with a comma in a table where that may be a decimal point or not.
    """
    if isinstance(value, CommaNumber):
        raise BadRowError(
            f"the answer is {value!r}, in a file with ; or tabs between columns: write a decimal point "
            f"({value.replace(',', '.')}), and thousands without a comma ({value.replace(',', '')})"
        )
    chat = turns(value)
    if chat is not None:
        if any(_role(turn) != "assistant" for turn in chat):
            asked(value)
        if _role(chat[-1]) != "assistant":
            raise BadRowError("the chat ends without a reply")
        value = _said(chat, "assistant")[-1]
    if isinstance(value, str):
        value = _ending(value)
        texts = written(value, list)
        if texts and all(isinstance(one, str) for one in texts):
            value = texts
    if isinstance(value, list):
        value = _of_annotators(cast(list[Any], value))
    if isinstance(value, list) and len(cast(list[Any], value)) == 1 and isinstance(value[0], str | int | float):
        value = cast(Any, value[0])
    return cast(Any, value)


def _of_annotators(values: list[Any]) -> list[Any]:
    """Return the different texts of objects with an answer each, as VQA writes them; other lists as they are."""
    said = [cast(Turn, one).get("answer") if isinstance(one, Mapping) else None for one in values]
    return list(dict.fromkeys(said)) if said and all(isinstance(one, str) for one in said) else values


def _ending(text: str) -> str:
    """Return the answer that a text ends with; the text where it marks none."""
    if text.rstrip().endswith(END):
        _, opened, inner = text.rstrip().removesuffix(END).rpartition("<answer>")
        text = inner.strip() if opened else text
    boxed = dict.fromkeys(_boxed(text))
    if len(boxed) > 1:
        raise BadRowError(f"the answer has several boxed values ({', '.join(list(boxed)[:4])}): leave the one it is")
    if boxed:
        return next(iter(boxed))
    last = _LAST.search(text) or _SAYS.search(text)
    return last[1] if last else text


def _boxed(text: str) -> Iterator[str]:
    """Yield what each \\boxed{} of a text holds, without outer white space."""
    start = text.find(_BOXED)
    while start >= 0:
        begin = end = start + len(_BOXED)
        depth = 1
        while depth and end < len(text):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        if depth == 0 and (inner := text[begin : end - 1].strip()):
            yield inner
        start = text.find(_BOXED, end)


def has_system(value: Any) -> bool:
    """Return whether a value is a chat with a system message."""
    return any(_role(turn) == "system" for turn in turns(value) or ())


def _role(turn: Turn) -> str:
    role = turn.get("role", turn.get("from"))
    return ROLES.get(role, "") if isinstance(role, str) else ""


def _said(chat: list[Turn], role: str) -> list[str]:
    return [_text(turn) for turn in chat if _role(turn) == role]


def _parts(turn: Turn) -> list[Turn]:
    """Return the parts of a turn.

    Raises BadRowError for what is no part.
    """
    content = turn.get("content", turn.get("value"))
    parts: list[Any] = cast(list[Any], content) if isinstance(content, list) else [{"type": "text", "text": content}]
    for part in parts:
        if not isinstance(part, Mapping) or _kind(cast(Turn, part)) is None:
            raise BadRowError(f"a turn of the chat holds {part!r:.60}: it may hold text and images")
    return parts


def _kind(part: Turn) -> str | None:
    """Return text or image, None for another part; parts without a type say it by their keys."""
    kind = part.get("type")
    named = [kind] if kind is not None else [key for key, value in part.items() if value is not None]
    if len(named) == 1 and named[0] in TEXTS and isinstance(part.get("text"), str):
        return "text"
    return "image" if len(named) == 1 and named[0] in PICTURES else None


def _text(turn: Turn) -> str:
    """Return the text of a turn, MARK for each image; texts without an image between are lines.

    Raises BadRowError for images that are named in another order than theirs.
    """
    said = ""
    before = ""
    for part in (parts := _parts(turn)):
        kind = _kind(part) or ""
        said += ("\n" if kind == before == "text" else "") + (part["text"] if kind == "text" else MARK)
        before = kind
    numbers = [number for part in parts if _kind(part) == "image" and (number := part.get("index")) is not None]
    if numbers and numbers != list(range(len(numbers))):
        raise BadRowError(f"the parts of the chat show the images {numbers}: write them in the order of the images")
    return said
