"""What stands around an answer and adds nothing: \\boxed{}, dollars, bold, italics, a final period."""

DELIMITERS = (
    ("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("***", "***"), ("**", "**"), ("*", "*"), ("__", "__"),
    ("_", "_"), ("```", "```"), ("`", "`"),
)  # fmt: skip
COMMANDS = tuple(
    f"\\{name}{{"
    for name in ("boxed", "fbox", "text", "textbf", "textrm", "textit", "mathbf", "mathrm", "mathit", "mbox", "bm")
)


MAX_LAYERS = 8
_STARTS = ("\\", "$", "*", "_", "`")


def bare(text: str) -> str:
    """Return the text, stripped, without what is wrapped around all of it, up to eight layers."""
    text = text.strip()
    for _ in range(MAX_LAYERS):
        if not text.startswith(_STARTS):
            break
        inside = unwrapped(without_period(text))
        if inside is None or not inside.strip():
            break
        text = inside.strip()
    return text


def unwrapped(text: str) -> str | None:
    """Return what stands in the one wrapping that holds the whole text, or None."""
    end = span_end(text)
    if not end or end != len(text):
        return None
    for opening, closing in DELIMITERS:
        if text.startswith(opening):
            return text[len(opening) : -len(closing)]
    return text[text.index("{") + 1 : -1]


def span_end(text: str) -> int:
    """Return where the wrapping ends that the text starts with; 0 where it starts with none, or none ends."""
    if not text.startswith(_STARTS):
        return 0
    for opening, closing in DELIMITERS:
        if text.startswith(opening):
            end = text.find(closing, len(opening))
            while end > 0 and closing == "$" and text[end - 1] == "\\":  # money
                end = text.find(closing, end + 1)
            return end + len(closing) if end >= 0 else 0
    if not text.startswith(COMMANDS):
        return 0
    depth = 0
    for place in range(text.index("{"), len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place + 1
    return 0


def without_period(text: str) -> str:
    """Return the text without its final period; an ellipsis is none."""
    return text[:-1].rstrip() if text.endswith(".") and not text.endswith("..") else text
