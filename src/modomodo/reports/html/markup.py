"""HTML from plain values: everything that is not already Html is escaped, so nothing can be forgotten."""

import html
import json
import re
import unicodedata
from dataclasses import dataclass
from itertools import accumulate
from urllib.parse import quote

# Tags without an end.
VOID = frozenset({"meta", "br", "col", "hr", "img", "wbr"})
# Control characters (but tab and newline), and marks that turn the direction of the text around them.
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Html:
    """Markup that is safe as it is."""

    text: str


Child = Html | str | None


def el(tag: str, /, *children: Child, **attributes: str | None) -> Html:
    """Return one element; strings are escaped, None is left out.

    Attributes: `cls` is class, `for_` is for, `data_sort` is data-sort.
    """
    pairs = "".join(
        f' {_attribute(key)}="{html.escape(visible(value))}"' for key, value in attributes.items() if value is not None
    )
    if tag in VOID:
        return Html(f"<{tag}{pairs}>")
    return Html(f"<{tag}{pairs}>{join(*children).text}</{tag}>")


def join(*children: Child) -> Html:
    """Return the children one after the other; strings are escaped."""
    return Html(
        "".join(
            child.text if isinstance(child, Html) else html.escape(visible(child))
            for child in children
            if child is not None
        )
    )


def visible(text: str) -> str:
    """Return `text` with characters that nobody sees, or that a page must not hold, made visible."""
    return HIDDEN.sub(lambda found: _picture(ord(found.group())), text)


def plot_text(text: str, *, limit: int = 60) -> str:
    """Return `text` for a label or hover of plotly, which reads a kind of HTML: escaped, on one line, cut."""
    line = " ".join(visible(text).split())
    # Between dollars it would read TeX, where MathJax is loaded.
    return html.escape(shortened(line, limit=limit), quote=False).replace("$", "&#36;")


def plot_label(text: str, *, width: int = 24) -> str:
    """Return `text` for an axis, as `plot_text`, cut where it is wider than `width` usual letters are."""
    wide = list(accumulate(map(_width, text)))
    return plot_text(text, limit=max(sum(one <= width for one in wide), 2))


def shortened(text: str, *, limit: int) -> str:
    """Return `text`, or its beginning and "…" where it is longer than `limit`."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def json_block(value: object) -> Html:
    """Return a value as JSON to put inside a <script> element, whatever its strings hold."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Html(f'<script type="application/json">{text}</script>')


def run_link(folder: str, text: str) -> Html:
    """Return a link to a run's folder as seen from the page; where room is short, `text` breaks after a colon."""
    first, *rest = text.split(":")
    parts = [part for one in rest for part in (":", el("wbr"), one)]
    return el("a", first, *parts, href=f"{quote(folder)}/")


def table(head: list[Child], rows: list[list[Child]], *, cls: str = "") -> Html:
    """Return a table that scrolls by itself where the page is narrow; the first column names the row.

    Of class `stack` it is shown there as one short list for each row instead, each cell under its head.
    """
    header = el("tr", *(el("th", cell, scope="col") for cell in head))
    labels = [cell if isinstance(cell, str) and cls == "stack" else None for cell in head[1:]]
    lines = [
        el(
            "tr",
            el("th", cells[0], scope="row"),
            *(el("td", cell, data_label=label) for cell, label in zip(cells[1:], labels, strict=True)),
        )
        for cells in rows
    ]
    return el("div", el("table", el("thead", header), el("tbody", *lines), cls=cls or None), cls="scroll")


def prose(sentence: str) -> Html:
    """Return a sentence, where what is between backticks is code."""
    parts = sentence.split("`")
    if len(parts) % 2 == 0:  # a backtick without its pair, as a message of another's may have
        return join(sentence)
    return join(*(el("code", part) if i % 2 else part for i, part in enumerate(parts)))


def left_out(sentence: str) -> Html:
    """Return the one sentence in the place of a section that cannot be made."""
    return el("p", prose(sentence), cls="left-out")


def _attribute(key: str) -> str:
    return "class" if key == "cls" else key.rstrip("_").replace("_", "-")


def _width(letter: str) -> float:
    """Return about how wide a letter is, where most small ones are 1."""
    if unicodedata.east_asian_width(letter) in "WF":
        return 2.0
    return 1.7 if letter in "MW@%mw" else 1.25 if letter.isupper() else 1.0


def _picture(code: int) -> str:
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else "\ufffd" if 0xD800 <= code <= 0xDFFF else f"⟨U+{code:04X}⟩"
