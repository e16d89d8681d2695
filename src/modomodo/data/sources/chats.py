"""Chats and tagged replies in a column: the one question that a chat asks, and the gold that is written as a reply."""

from collections.abc import Mapping
from typing import Any, cast

from modomodo.data.sources.build import BadRowError
from modomodo.data.sources.csv_rows import CommaNumber

ROLES = {"user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "system": "system"}
END = "</answer>"


def is_chat(value: Any) -> bool:
    """Return whether a value is a list of turns as {role, content} or {from, value}."""
    if not isinstance(value, list) or not value:
        return False
    turns = cast(list[Any], value)
    return all(isinstance(turn, Mapping) and _role(cast(Mapping[str, Any], turn)) in ROLES for turn in turns)


def asked(value: Any) -> Any:
    """Return what the user says in a chat; other values as they are. A system message is no part of it.

    Raises BadRowError when the user speaks more or less than once.
    """
    if not is_chat(value):
        return value
    said = _said(value, "user")
    if len(said) != 1:
        raise BadRowError(f"the chat has {len(said)} turns of the user, where a row asks one question")
    return said[0]


def gold_in(value: Any) -> Any:
    """Return the last reply of a chat, and of a text that ends with </answer> what its tags hold; others as they are.

    Raises BadRowError when a chat is more than one question with its reply, or a reply alone, and for a number with a
    comma in a table where that may be a decimal point or not.
    """
    if isinstance(value, CommaNumber):
        raise BadRowError(
            f"the answer is {value!r}, in a file with ; or tabs between columns: write a decimal point "
            f"({value.replace(',', '.')}), and thousands without a comma ({value.replace(',', '')})"
        )
    if is_chat(value):
        if any(_role(turn) != "assistant" for turn in value):
            asked(value)
        if _role(value[-1]) != "assistant":
            raise BadRowError("the chat ends without a reply")
        value = _said(value, "assistant")[-1]
    if isinstance(value, str) and value.rstrip().endswith(END):
        _, opened, inner = value.rstrip().removesuffix(END).rpartition("<answer>")
        return inner.strip() if opened else value
    return value


def has_system(value: Any) -> bool:
    """Return whether a value is a chat with a system message."""
    return is_chat(value) and any(_role(turn) == "system" for turn in value)


def _role(turn: Mapping[str, Any]) -> str:
    role = turn.get("role", turn.get("from"))
    return ROLES.get(role, "") if isinstance(role, str) else ""


def _said(chat: list[Mapping[str, Any]], role: str) -> list[str]:
    return [_text(turn.get("content", turn.get("value"))) for turn in chat if _role(turn) == role]


def _text(content: Any) -> str:
    """Return the text of a turn: itself, or the parts that hold text, pictures being placeholders among them."""
    parts = cast(list[Any], content) if isinstance(content, list) else [{"type": "text", "text": content}]
    texts: list[str] = []
    for part in parts:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind != "image" or any(value is not None for key, value in part.items() if key not in ("type", "text")):
            raise BadRowError(f"a turn of the chat holds {part!r:.60}: it may hold text; pictures go to a column")
    return "\n".join(texts)
