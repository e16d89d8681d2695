"""A page in a real browser: opened from its file, with all that the browser had to say about it."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
WAIT = 120  # seconds until all figures of a page are drawn, on a busy core
VISIBLE = "[...document.querySelectorAll('.plot')].filter(plot => plot.offsetParent)"


@dataclass
class Opened:
    """A page with its console's errors, its exceptions, and every address that it asked for."""

    page: "Page"
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def ask(self, script: str) -> Any:
        """Return what the script evaluates to."""
        return self.page.evaluate(script)

    def wait(self, script: str) -> None:
        """Wait until the script is true; the page's policy forbids the browser's own way of waiting for it."""
        for _ in range(WAIT * 10):
            if self.ask(script):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"after {WAIT} s this is still false: {script}")

    def drawn(self) -> None:
        """Wait until every visible figure is drawn."""
        self.wait(f"{VISIBLE}.every(plot => plot.querySelector('svg.main-svg'))")


def program() -> str:
    """Return the path of the system's browser."""
    found = [path for name in PROGRAMS if (path := shutil.which(name))]
    if not found:
        pytest.fail(f"none of {', '.join(PROGRAMS)} is on the PATH: `apt-get install chromium`", pytrace=False)
    return found[0]


@contextmanager
def launched() -> "Iterator[Browser]":
    """The browser, without a window."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.fail("playwright is not installed: `make test-browser` installs it and runs these tests", pytrace=False)
    path = program()
    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root, as CI and containers are.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser: "Browser", path: Path, *, width: int = 1280, **context: Any) -> Iterator[Opened]:
    """The page of a file with its visible figures drawn."""
    made = browser.new_context(viewport={"width": width, "height": 844}, **context)
    page = made.new_page()
    found = Opened(page)
    page.on("console", lambda said: found.problems.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.problems.append(str(error)))
    page.on("request", lambda request: found.requests.append(request.url))
    page.on("dialog", lambda dialog: (found.problems.append(dialog.message), dialog.dismiss()))
    page.goto(path.as_uri())
    found.drawn()
    yield found
    made.close()


def luminance(colour: str) -> float:
    """Return the relative luminance of `rgb(r, g, b)`, as WCAG 2 defines it."""
    parts = [float(part) / 255 for part in colour[colour.index("(") + 1 : colour.index(")")].split(",")[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def serious(response: Mapping[str, Any]) -> list[str]:
    """Return axe's serious and critical findings, with the elements."""
    return [
        f"{found['id']} ({found['impact']}): {[node['target'] for node in found['nodes']]}"
        for found in response["violations"]
        if found["impact"] in ("serious", "critical")
    ]
