"""A self-contained HTML document: page.css, page.js and plotly within, and nothing loaded from anywhere."""

import base64
import hashlib
from pathlib import Path

from modomodo.reports.figures.style import template
from modomodo.reports.html.markup import Html, el, json_block


def document(title: str, *body: Html) -> str:
    """Return a self-contained page, with all that draws the figures of `figure_block` in its body."""
    library, ours = _plotly(), _own("page.js")
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy(library, ours)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        Html(f"<style>{_own('page.css')}</style>"),
    )
    scripts = Html(f"<script>{library}</script><script>{ours}</script>")
    whole = el("body", *body, el("div", json_block(template()), id="template", hidden=""), scripts)
    return "<!doctype html>\n" + el("html", head, whole, lang="en").text + "\n"


def _own(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def _policy(*scripts: str) -> str:
    """Return what the page may do: run these scripts and no other, and load nothing from anywhere."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    text = str(get_plotlyjs())
    assert "</script" not in text.lower()
    return text
